"""``cleanup-gitops audit``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.commands.audit_figures import leavers_command, metrics_command
from cleanup_gitops.cli.commands.audit_log import admins_command, gaps_command, log_command, user_command
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import Workplace, only_one, tell_notes, workplaces
from cleanup_gitops.ledger.audit.branch import BranchReader
from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import Verdict, verify
from cleanup_gitops.model.errors import CleanupError, StateError
from cleanup_gitops.views.verdict import render_json, render_text

if TYPE_CHECKING:
    from cleanup_gitops.ledger.compose import Record

NOT_WHOLE = 3
_COMMIT, _HEAD = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}"), re.compile(r"sha256:[0-9a-f]{64}")


@click.group("audit")
def command() -> None:
    """Check and show what is recorded under state/, for people who were not there."""


for one in (admins_command, gaps_command, leavers_command, log_command, metrics_command, user_command):
    command.add_command(one)


def _pin(ctx: click.Context, param: click.Parameter, value: str) -> str:
    del ctx, param
    if value and not _COMMIT.fullmatch(value) and not _HEAD.fullmatch(value):
        raise click.BadParameter("must be the full id of a commit, or a ledger head such as sha256:9c1e…")
    return value


_OPTIONS = (
    click.option(
        "--branch", metavar="NAME", help="Where the record is, such as state or origin/state (default: checked out)."
    ),
    click.option(
        "--pin", default="", callback=_pin, metavar="ID", help="A commit or ledger head noted earlier, elsewhere."
    ),
    click.option(
        "--allowed-signers",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="SSH keys of which one must have signed every commit; keep the file outside the repository.",
    ),
)


def _history_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is said about the history that is to be checked."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


@command.command("verify")
@site_option
@_history_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@click.pass_obj
def verify_command(
    folder: Path, site_name: str | None, branch: str | None, pin: str, allowed_signers: Path | None, form: str
) -> int:
    r"""Check the whole recorded history: chain, digests, snapshots, intents, plans, outcomes, commit messages.

    Reads git alone: no policies, no site, no credentials. Exits with 3 when anything does not fit. A history that was
    cut off at its end fits itself; only --pin, with something noted outside the repository, tells. Without
    --allowed-signers signatures are counted and not judged.

    \b
    Examples:
      cleanup-gitops audit verify
      cleanup-gitops audit verify --pin sha256:9c1e… --format json
      cleanup-gitops audit verify --branch origin/state --allowed-signers ~/keys/allowed_signers
    """
    reader = BranchReader(folder, os.environ, branch)
    sites = [site_name] if site_name else reader.sites()
    if not sites:
        raise CleanupError(f"Nothing is recorded in this branch{_of(folder)}.", reader.elsewhere())
    if pin and len(sites) > 1:
        raise CleanupError(f"There are several sites: {', '.join(sites)}.", "Say with --site which one the pin is of.")
    verdicts = [_verdict(folder, site, reader, branch, pin, allowed_signers)[0] for site in sites]
    if form == "json":
        click.echo(render_json(verdicts), nl=False)
    else:
        click.echo("\n".join(render_text(one, colour=colours(sys.stdout)) for one in verdicts), nl=False)
    return 0 if all(one.whole for one in verdicts) else NOT_WHOLE


@command.command("roll-over")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The earlier repository, or this one when only the branch is another.",
)
@site_option
@_history_options
@click.pass_obj
def roll_over_command(
    folder: Path, source: Path, site_name: str | None, branch: str | None, pin: str, allowed_signers: Path | None
) -> int:
    r"""Go on with the record of an earlier repository in this one, which has no record of the site yet.

    Checks the earlier record as `audit verify` does, and refuses one that is not whole or has a run under way. Then
    its last state is committed here, with a ledger entry that names its end: numbers, memory and lineage go on, and
    the earlier repository can be kept elsewhere and dropped when its time is over.

    \b
    Examples:
      cleanup-gitops audit roll-over --from ../confluence-2026
      cleanup-gitops audit roll-over --from . --branch state-2026
    """
    place = only_one(workplaces(folder, SystemClock(), site_name))
    site = place.site.name
    verdict, history = _verdict(source, site, BranchReader(source, os.environ, branch), branch, pin, allowed_signers)
    if not verdict.whole:
        click.echo(render_text(verdict, colour=colours(sys.stdout)), nl=False)
        raise StateError(
            f"The earlier record of {site} is not whole, so nothing goes on from it.", "Nothing was recorded here."
        )
    with place.store.exclusive():
        record, commit = _carried_over(place, history)
    click.echo(f"{record.subject}\nRecorded: commit {commit} in {place.store.place}.")
    tell_notes(place)
    click.echo(f"It goes on from ledger head {verdict.head} of the earlier record.")
    click.echo(f"The ledger head here is {record.trailers['Ledger-Head']}: note it elsewhere, as the pin from now on.")
    return 0


def _carried_over(place: Workplace, history: GitHistory) -> tuple[Record, str]:
    from cleanup_gitops.ledger.roll_over import record_roll_over

    site, store = place.site.name, place.store
    if store.read():
        raise CleanupError(
            f"There is a record of {site} here already ({store.place}).",
            "An earlier record goes on only where none has begun: in a new repository, or on a new branch"
            " (`spec.state.branch` of the Site).",
        )
    store.check_writable()
    record = record_roll_over(
        site, history.files(), commit=history.last, tool_version=__version__, time=place.clock.now()
    )
    return record, store.commit(record.files, record.subject, record.trailers)


def _verdict(
    folder: Path, site: str, reader: BranchReader, branch: str | None, pin: str, allowed_signers: Path | None
) -> tuple[Verdict, GitHistory]:
    """The check of one site's history."""
    history = GitHistory(folder, site, os.environ, branch=branch)
    commits = history.commits()
    if not commits:
        raise CleanupError(
            f"Nothing is recorded for a site {site!r} in this branch{_of(folder)}.",
            " ".join(filter(None, (_known(reader), reader.elsewhere(site)))),
        )
    if allowed_signers and reader.holds(allowed_signers):
        click.echo(
            f"Warning: {allowed_signers} lies in the repository that it judges: whoever may write there may add keys.",
            err=True,
        )
    verdict = verify(
        site,
        commits,
        history.contents,
        pin=pin,
        others=[pin] if _COMMIT.fullmatch(pin) and history.has(pin) else [],
        signatures=history.signatures(commits, allowed_signers.absolute()) if allowed_signers else None,
        oddities=history.oddities(),
    )
    return verdict, history


def _of(folder: Path) -> str:
    """Behind "this branch": whose it is, where that is not the folder in which the command was typed."""
    return "" if folder == Path() else f" of {folder}"


def _known(reader: BranchReader) -> str:
    sites = reader.sites()
    return f"Recorded here: {', '.join(sites)}." if sites else ""
