"""``cleanup-gitops init``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from cleanup_gitops.cli.files import create_file
from cleanup_gitops.cli.starter import SiteFacts, starter_files
from cleanup_gitops.views.words import counted

NAME = "example"
URL = "https://example.atlassian.net"
ORGANIZATION = "00000000-0000-0000-0000-000000000000"
RUNNER = "runner-account-id"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ORGANIZATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+(:(?P<port>[0-9]{{1,5}}))?")


@click.command("init")
@click.argument("target", metavar="[DIR]", required=False, type=click.Path(path_type=Path), default=Path())
@click.option("--site", "name", metavar="NAME", help="Short name of the site (default: from the URL).")
@click.option("--url", metavar="URL", help="Address of the site, such as https://x.atlassian.net.")
@click.option("--organization", metavar="ID", help="The id after /o/ in the address of admin.atlassian.com.")
@click.pass_obj
def command(folder: Path, target: Path, name: str | None, url: str | None, organization: str | None) -> int:
    r"""Create policies/ and state/ for your own site. Files that exist are left alone.

    Asks for what is missing when run on a terminal. Elsewhere it writes placeholders and says which ones to replace.

    \b
    Examples:
      cleanup-gitops init
      cleanup-gitops init wiki-policies --url https://x.atlassian.net
    """
    if _someone_is_there():
        url = url or click.prompt("Address of the Confluence site", default=URL)
        organization = organization or click.prompt("Id of the Atlassian organization", default=ORGANIZATION)
    site = _facts(name, url, organization)
    root = folder / target
    written, left_alone = _write(root, starter_files(site))
    click.echo(_report(root, site, written, left_alone), nl=False)
    return 0


def _someone_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def _facts(name: str | None, url: str | None, organization: str | None) -> SiteFacts:
    """What was given, checked, with placeholders for the rest. Raises ``UsageError``."""
    address = _address(url) if url else URL
    first_label = urlsplit(address).netloc.split(":")[0].split(".")[0]
    chosen = name or (first_label if url else NAME)
    if not _NAME.fullmatch(chosen):
        raise click.UsageError(
            f"{chosen!r} cannot be the name of a site: lower-case letters, digits and dashes. Give one with --site."
        )
    if organization and not _ORGANIZATION.fullmatch(organization):
        raise click.UsageError(f"{organization!r} is not the id of an organization: letters, digits and dashes.")
    return SiteFacts(name=chosen, url=address, organization=organization or ORGANIZATION, runner=RUNNER)


def _address(url: str) -> str:
    """The site's address alone: what people copy from their browser ends in /wiki and more."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        parts = urlsplit("")
    host = parts.netloc.lower()
    found = _HOST.fullmatch(host)
    if parts.scheme != "https" or found is None or not 0 < int(found["port"] or 443) < 65536:
        raise click.UsageError(f"{url!r} is not the address of a site, such as {URL}.")
    return f"https://{host}"


def _write(root: Path, files: dict[str, str]) -> tuple[list[str], list[str]]:
    """Write what is not there yet: the paths that were written, and those that were left alone."""
    written: list[str] = []
    left_alone: list[str] = []
    for path, content in sorted(files.items()):
        done = create_file(root / path, content.encode())
        (written if done else left_alone).append(path)
    return written, left_alone


def _report(root: Path, site: SiteFacts, written: list[str], left_alone: list[str]) -> str:
    here = root.resolve() == Path.cwd()
    place = "" if here else f" in {root}"
    lines = [f"Wrote {counted(len(written), 'file')}{place}:" if written else f"Wrote nothing{place}."]
    lines += [f"  {path}" for path in written]
    if left_alone:
        lines += ["Left alone, because they exist already:", *(f"  {path}" for path in left_alone)]
    if "policies/site.yaml" in written:
        lines += _placeholders(site)
    lines += ["Next:", *([] if here else [f"  cd {root}"]), "  cleanup-gitops validate"]
    lines += [
        '  git init && git add . && git commit -m "Policies"      (unless this is a repository already)',
        "  export ATLASSIAN_ORG_API_KEY=… CONFLUENCE_USER=… CONFLUENCE_API_TOKEN=…",
        "  cleanup-gitops plan                                    (changes nothing)",
        "README.md goes on from there.",
    ]
    return "\n".join(lines) + "\n"


def _placeholders(site: SiteFacts) -> list[str]:
    made_up = [
        ("spec.url and metadata.name", site.url, URL),
        ("spec.cloud.organization", site.organization, ORGANIZATION),
        ("spec.runner.accounts", site.runner, RUNNER),
    ]
    found = [f"  policies/site.yaml: {key}" for key, value, placeholder in made_up if value == placeholder]
    return ["Replace before the first plan, they are made up:", *found, "  policies/protection.yaml: spec.accounts"]
