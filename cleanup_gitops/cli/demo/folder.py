"""The scratch repository of the demo: the example policies, pointed at an embedded Confluence, and one commit."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanup_gitops.cli.files import create_file
from cleanup_gitops.model.errors import CleanupError

if TYPE_CHECKING:
    from cleanup_gitops.sandbox.world import World

NAME = "cleanup-gitops-demo"
WORLD = "world.json"
ROSTER = "hr.yaml"
"""The example that needs a list from outside the repository, which a scratch repository does not have."""
AUTHOR = ("Ada Example", "ada@example.com")
"""Who wrote the policies of the scratch repository: nobody's git needs to be configured for a demo."""
LEAVE_DAYS = 120
"""The example's exemption ends this many days from now, so that the demo shows it in every year."""


def fresh_folder(base: Path, wanted: Path | None) -> Path:
    """An empty folder, made if need be: the wanted one or a usual one in ``base``, or a temporary one.

    Raises ``CleanupError`` when the folder holds anything or cannot be made.
    """
    folder = base / (wanted or NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CleanupError(
                f"{folder} is not empty, and nothing in it is overwritten.",
                "Name another folder, or remove this one if it is left from an earlier demo.",
            )
    except OSError as error:
        if wanted or isinstance(error, NotADirectoryError | FileExistsError):
            raise CleanupError(f"{folder} cannot be used: {error.strerror}.", "Name another folder.") from None
        return Path(tempfile.mkdtemp(prefix=f"{NAME}-"))
    if not os.access(folder, os.W_OK):
        raise CleanupError(f"{folder} cannot be used: no right to write there.", "Name another folder.")
    return folder.resolve()


def adapted_policies(policies: Mapping[str, bytes], world: World, url: str) -> dict[str, bytes]:
    """The example policies for this world, but for the roster: address, owner of the keys and dates are changed.

    Comments stay.
    """
    found = {name: data for name, data in policies.items() if name != ROSTER}
    found["site.yaml"] = _edited(policies["site.yaml"], lambda site: _adapt_site(site["spec"], world, url))
    if "exemptions.yaml" in policies:
        until = world.clock().date() + timedelta(days=LEAVE_DAYS)
        found["exemptions.yaml"] = _edited(policies["exemptions.yaml"], lambda one: _adapt_leave(one["spec"], until))
    return found


def _edited(data: bytes, edit: Callable[[Any], None]) -> bytes:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(data)
    edit(document)
    out = io.BytesIO()
    yaml.dump(document, out)
    return out.getvalue()


def _adapt_site(spec: Any, world: World, url: str) -> None:  # noqa: ANN401 - a round-trip document
    keys = world.credentials
    spec["url"] = url
    spec["cloud"]["api_url"] = url
    spec["cloud"]["organization"] = world.organization.id
    spec["cloud"]["directory"] = world.directories[0].id
    spec["runner"]["accounts"][0] = keys.runner_account
    for name, ends in (("org_api_key", keys.org_api_key_expires), ("token", keys.api_token_expires)):
        spec["credentials"][name]["expires"] = date.fromisoformat(ends[:10])


def _adapt_leave(entries: Any, until: date) -> None:  # noqa: ANN401 - a round-trip document
    for entry in entries:
        entry["until"] = until


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files and make the first commit of a new repository. Raises ``CleanupError``."""
    git(folder, "init", "--quiet")
    add(folder, files, "Policies for acme")


def add(folder: Path, files: Mapping[str, bytes], subject: str, at: datetime | None = None) -> None:
    """Write these new files and commit them, dated now or ``at`` another time. Raises ``CleanupError``."""
    for path, data in files.items():
        create_file(folder / path, data)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", subject, at=at)


def git(folder: Path, *arguments: str, at: datetime | None = None) -> str:
    """What git prints, run apart from the user's own settings; a commit is dated ``at``. Raises ``CleanupError``."""
    name, address = AUTHOR
    identity = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": address}
    identity |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address}
    if at:
        identity |= {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()}
    # GIT_DIR and its like, as they are set inside a hook, would name another repository.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = [
        "git",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
        "-c",
        f"core.hooksPath={os.devnull}",
    ]
    command += ["-c", "core.autocrlf=false", "--no-pager", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=inherited | identity, capture_output=True, check=False)
    except FileNotFoundError:
        raise CleanupError("git was not found.", "Install git, or put it on the PATH.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise CleanupError(f"git {arguments[0]} failed in {folder}: {said}")
    return done.stdout.decode("utf-8", "replace")
