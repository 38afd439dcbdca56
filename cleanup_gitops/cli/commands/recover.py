"""``cleanup-gitops recover``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.files import read_file
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import (
    Workplace,
    connected,
    journals_of,
    only_one,
    open_runs,
    place_of_record,
    recorded_domains,
    tell_notes,
    workplaces,
)
from cleanup_gitops.ledger.leases import leases_of
from cleanup_gitops.runner.ground import recorded_files
from cleanup_gitops.runner.recover import DroppedReadingError, Recovered, Rescue, leases_of_run, recover
from cleanup_gitops.views.open_runs import render_open_runs
from cleanup_gitops.views.run import found_meanwhile, render_run

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

    Without RUN: which runs are open, who holds them, since when, and whether their processes live, where that is known.

    \b
    Examples:
      cleanup-gitops recover
      cleanup-gitops recover 20261122T091500Z-1c2d3e4f
      cleanup-gitops recover 20261122T091500Z-1c2d3e4f --outcomes kept.outcomes.jsonl
    """
    if outcomes and not run:
        raise click.UsageError("--outcomes belongs to one run: name it.")
    clock = SystemClock()
    recorded = [(place, recorded_files(place.store, clock.now())) for place in workplaces(folder, clock, site_name)]
    if run is None:
        found = [one for place, files in recorded for one in open_runs(place, leases_of(files))]
        click.echo(render_open_runs(found, clock.now()), nl=False)
        return 0
    mine = [one for one in recorded if any(lease.run == run for lease in leases_of(one[1]))] or recorded
    place = only_one([place for place, _ in mine])
    leases_of_run(mine[0][1], run, place.site.name)  # before anything is asked of the site
    return _recover(place, run, read_file(outcomes) if outcomes else None)


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
            journals=journals_of(place),
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
        found=found_meanwhile(found.record),
        recovered=found.intent.run,
        colour=colours(sys.stdout),
    )
    click.echo(text, nl=False)
    tell_notes(place)
