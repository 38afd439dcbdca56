"""``cleanup-gitops drift``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.listing import read_live
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import Workplace, only_one, place_of_record, recorded_domains, workplaces
from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.record import Ground, ground_of, record_drift
from cleanup_gitops.model.drift import Drift
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import People
from cleanup_gitops.runner.books import refuse_open_run
from cleanup_gitops.views.drift import DriftReport, render_json, render_markdown, render_text, report_of

DRIFT_FOUND = 2


@click.command("drift")
@site_option
@click.option("--no-record", is_flag=True, help="Only list it: record nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown", "text"]),
    default="text",
    show_default=True,
    help="How to print it. Only text has names of people.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when something was changed by others.")
@click.pass_obj
def command(folder: Path, site_name: str | None, no_record: bool, form: str, detailed_exitcode: bool) -> int:
    r"""List what others changed on the live site since the last snapshot, and record it as found.

    Changes nothing on the site. What was found is committed under state/ together with a new snapshot, apart from what
    runs of this tool did; when nothing was found, nothing is committed.

    \b
    Examples:
      cleanup-gitops drift
      cleanup-gitops drift --no-record --detailed-exitcode
      cleanup-gitops drift --format markdown > drift.md
    """
    places = workplaces(folder, SystemClock(), site_name)
    if form == "json":
        only_one(places)
    found = False
    for number, place in enumerate(places):
        report, people = _look(place, record=not no_record)
        click.echo("\n" * bool(number) + _shown(report, people, form), nl=False)
        for note in place.store.notes:
            click.echo(f"Note: {note}", err=True)
        found = found or bool(report.drift.by_others)
    return DRIFT_FOUND if found and detailed_exitcode else 0


def _shown(report: DriftReport, people: People, form: str) -> str:
    match form:
        case "json":
            return render_json(report)
        case "markdown":
            return render_markdown(report)
        case _:
            return render_text(report, people, colour=colours(sys.stdout))


def _look(place: Workplace, *, record: bool) -> tuple[DriftReport, People]:
    """The site beside its last snapshot, recorded if that is wished for, and the people it is about."""
    with place.store.exclusive() if record else nullcontext():
        if record:
            place.store.check_writable()
        files = place.store.read()
        ground = ground_of(
            place.site.name,
            files,
            tool_version=__version__,
            domains=recorded_domains(place),
            attributes=place.site.recorded_attributes,
        )
        _check_comparable(place, files)
        live = read_live(place)
        drift = drift_of(files, live.inventory, ground.memory.settling)
        if drift is None:
            raise _nothing_recorded(place)
        commit = _record(place, ground, drift, live.inventory) if record and drift.differences else ""
    where = place_of_record(place) if commit else ""
    return report_of(drift, live.inventory.groups, __version__, commit=commit, place=where), live.people


def _check_comparable(place: Workplace, files: Mapping[str, bytes]) -> None:
    """Asked before the site is read. Raises ``CleanupError``: no snapshot, or a run that changes the site just now."""
    if layout.MANIFEST not in files:
        raise _nothing_recorded(place)
    refuse_open_run(files, place.clock.now())


def _nothing_recorded(place: Workplace) -> CleanupError:
    return CleanupError(
        f"There is no snapshot of {place.site.name} yet, so nothing can be compared with the site.",
        "The first `cleanup-gitops apply` makes the first snapshot, also when it has nothing to do.",
    )


def _record(place: Workplace, ground: Ground, drift: Drift, inventory: Inventory) -> str:
    """Commit what was found, and return the id of the commit."""
    record = record_drift(ground, drift=drift, inventory=inventory, time=place.clock.now())
    return place.store.commit(record.files, record.subject, record.trailers)
