"""``cleanup-gitops audit``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import colours
from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.history import GitHistory
from cleanup_gitops.ledger.verify import verify
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.views.verdict import render_json, render_text

NOT_WHOLE = 3
_COMMIT, _HEAD = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}"), re.compile(r"sha256:[0-9a-f]{64}")


@click.group("audit")
def command() -> None:
    """Check what is recorded under state/, for people who were not there."""


def _pin(ctx: click.Context, param: click.Parameter, value: str) -> str:
    del ctx, param
    if value and not _COMMIT.fullmatch(value) and not _HEAD.fullmatch(value):
        raise click.BadParameter("must be the full id of a commit, or a ledger head such as sha256:9c1e…")
    return value


@command.command("verify")
@site_option
@click.option(
    "--pin", default="", callback=_pin, metavar="ID", help="A commit or ledger head noted earlier, elsewhere."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@click.pass_obj
def verify_command(folder: Path, site_name: str | None, pin: str, form: str) -> int:
    r"""Check the whole recorded history: chain, digests, snapshots, plans, outcomes, commit messages.

    Reads git alone: no policies, no site, no credentials. Exits with 3 when anything does not fit. A history that was
    cut off at its end fits itself; only --pin, with something noted outside the repository, tells.

    \b
    Examples:
      cleanup-gitops audit verify
      cleanup-gitops audit verify --pin sha256:9c1e… --format json
    """
    sites = [site_name] if site_name else _recorded_sites(folder)
    if pin and len(sites) > 1:
        raise CleanupError(f"There are several sites: {', '.join(sites)}.", "Say with --site which one the pin is of.")
    verdicts = []
    for site in sites:
        history = GitHistory(folder, site, os.environ)
        commits = history.commits()
        if not commits:
            raise CleanupError(
                f"Nothing is recorded for a site {site!r} in the history of this branch.",
                f"Folders in {folder / layout.STATE}: {', '.join(_folders(folder)) or 'none'}.",
            )
        verdicts.append(verify(site, commits, history.contents, pin=pin))
    if form == "json":
        click.echo(render_json(verdicts), nl=False)
    else:
        click.echo("\n".join(render_text(one, colour=colours(sys.stdout)) for one in verdicts), nl=False)
    return 0 if all(one.whole for one in verdicts) else NOT_WHOLE


def _recorded_sites(folder: Path) -> list[str]:
    """Sites with a folder below ``state/``, at least one."""
    sites = _folders(folder)
    if not sites:
        state = folder / layout.STATE
        raise CleanupError(f"Nothing is recorded in {state}.", "The first apply leaves the first record there.")
    return sites


def _folders(folder: Path) -> list[str]:
    state = folder / layout.STATE
    return sorted(one.name for one in state.iterdir() if one.is_dir()) if state.is_dir() else []
