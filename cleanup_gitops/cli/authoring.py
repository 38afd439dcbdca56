"""What the commands share that write policy files: whether all policies are still valid, the diff, the next step."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cleanup_gitops.cli.files import change_file
from cleanup_gitops.cli.terminal import colours
from cleanup_gitops.cli.wiring import load_policies
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.ports import Clock, Live
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.proposals import Proposal
from cleanup_gitops.rehearsal.accounts import names_somebody
from cleanup_gitops.views.difference import render_difference
from cleanup_gitops.views.words import counted


def load_with(folder: Path, clock: Clock, proposals: Sequence[Proposal]) -> PolicySet:
    """All policies as they would be. Raises ``CleanupError`` with everything that would be wrong."""
    try:
        return load_policies(folder, clock, {one.path: one.after for one in proposals})
    except PolicyError as error:
        problems = "\n".join(map(str, error.problems))
        raise CleanupError(
            f"With this change the policies would not be valid, so nothing was written:\n{problems}",
            "Lines are counted in the file as it would be.",
        ) from None


def refuse_personal(texts: Mapping[str, str], live: Live, user: User | None = None) -> None:
    """Raise ``CleanupError`` when a text, by the option that gave it, would keep personal data in git."""
    for option, text in texts.items():
        if names_somebody(text, live, user):
            raise CleanupError(
                f"{option} holds the name or the e-mail address of somebody on {live.inventory.site}, which is not kept"
                " in git.",
                "Name a ticket by its number, and a team as the owner. Nothing was written.",
            )


def write(folder: Path, proposals: Sequence[Proposal], what: str) -> None:
    """Show the differences, write the files, and say what comes next. ``what`` is the subject of a commit."""
    for one in proposals:
        shown = render_difference(one.label, one.before, one.after, colour=colours(sys.stdout))
        click.echo(shown, nl=False)
    for one in proposals:
        change_file(one.path, one.before, one.after)
    there = () if folder == Path() else ("-C", str(folder))
    add = shlex.join(("git", *there, "add", *(one.label for one in proposals)))
    commit = shlex.join(("git", *there, "commit", "-m", what))
    click.echo(f"Wrote {counted(len(proposals), 'file')}. It counts once it is reviewed and merged:", err=True)
    click.echo(f"  {add}\n  {commit}\n  and open a pull request.", err=True)
