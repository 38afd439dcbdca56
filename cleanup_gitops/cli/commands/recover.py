"""``cleanup-gitops recover``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.files import read_file
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import (
    Workplace,
    connected,
    only_one,
    place_of_record,
    recorded_domains,
    told_meanwhile,
    workplaces,
)
from cleanup_gitops.ledger.leases import describe, leases_of
from cleanup_gitops.model.run import Lease
from cleanup_gitops.runner.journal_files import FileJournals
from cleanup_gitops.runner.recover import DroppedReadingError, Recovered, Rescue, leases_of_run, recover
from cleanup_gitops.views.run import render_run

FAILURES = 5


@click.command("recover")
@click.argument("run", metavar="[RUN]", required=False)
@click.option(
    "--outcomes",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Outcomes that `apply` kept in a file because it could not commit them.",
)
@site_option
@click.pass_obj
def command(folder: Path, run: str | None, outcomes: Path | None, site_name: str | None) -> int:
    r"""End a run that was cut off, or list the runs that are open. Writes nothing to the site.

    A run that was killed, or whose result could not be committed, keeps other runs away. For each change that it meant
    to make, the site is asked whether it is in effect; what is not may be carried out again under the same approval,
    as long as that lives. The result is recorded and the way is free again. A reading that fell too far behind the last
    snapshot is not recorded: exit code 3.

    Without RUN: which runs are open, who holds them, and since when.

    \b
    Examples:
      cleanup-gitops recover
      cleanup-gitops recover 20261122T091500Z-1c2d3e4f
      cleanup-gitops recover 20261122T091500Z-1c2d3e4f --outcomes kept.outcomes.jsonl
    """
    if outcomes and not run:
        raise click.UsageError("--outcomes belongs to one run: name it.")
    recorded = [(place, place.store.read()) for place in workplaces(folder, SystemClock(), site_name)]
    if run is None:
        _list([(place, leases_of(files)) for place, files in recorded])
        return 0
    mine = [one for one in recorded if any(lease.run == run for lease in leases_of(one[1]))] or recorded
    place = only_one([place for place, _ in mine])
    leases_of_run(mine[0][1], run, place.site.name)  # before anything is asked of the site
    return _recover(place, run, read_file(outcomes) if outcomes else None)


def _list(open_: Sequence[tuple[Workplace, Sequence[Lease]]]) -> None:
    """The runs that are open, and how to end each."""
    if not any(leases for _, leases in open_):
        click.echo("Nothing to recover: every run that began has been recorded.")
        return
    for place, leases in open_:
        for lease in leases:
            click.echo(f"Directory {lease.directory}: {describe(lease, place.clock.now())}.")
        for run in sorted({lease.run for lease in leases}):
            journal = _journals(place).place(run)
            there = f"it is here: {journal}" if journal else "none is here, so the site alone will tell"
            click.echo(f"Journal of what it sent: {there}.")
            click.echo(f"If it no longer runs, end it with: cleanup-gitops recover {run} --site {place.site.name}")


def _journals(place: Workplace) -> FileJournals:
    return FileJournals(place.folder, place.site.name)


def _recover(place: Workplace, run: str, kept: bytes | None) -> int:
    with progress() as steps, connected(place, steps) as site:
        rescue = Rescue(
            site=place.site.name,
            store=place.store,
            reader=site.reader,
            clock=place.clock,
            tool_version=__version__,
            domains=recorded_domains(place),
            attributes=place.site.recorded_attributes,
            journals=_journals(place),
            policies=place.policies,
        )
        try:
            found = recover(rescue, run, kept=kept, warn=_warn)
        except DroppedReadingError as error:
            if error.check.override:
                click.echo(error.check.override, err=True)
            raise
    _tell(place, found)
    return FAILURES if found.failed else 0


def _warn(text: str) -> None:
    click.echo(f"Warning: {text}", err=True)


def _tell(place: Workplace, found: Recovered) -> None:
    text = render_run(
        found.plan,
        found.outcomes,
        found.intent.approval,
        found.commit,
        found.live.people,
        place=place_of_record(place),
        found=told_meanwhile(found.record),
        recovered=found.intent.run,
        colour=colours(sys.stdout),
    )
    click.echo(text, nl=False)
    for note in place.store.notes:
        click.echo(f"Note: {note}", err=True)
