"""``cleanup-gitops drift``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import (
    Workplace,
    connected,
    only_one,
    place_of_record,
    recorded_domains,
    tell_notes,
    workplaces,
)
from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.record import Ground, record_drift, record_override
from cleanup_gitops.model.drift import Drift
from cleanup_gitops.model.errors import CleanupError, UnsafePlanError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory, Noticed
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Check
from cleanup_gitops.model.ports import Live
from cleanup_gitops.planner import doubtful, reading_checks, undone
from cleanup_gitops.policy.guests import linked
from cleanup_gitops.runner.books import refuse_open_run
from cleanup_gitops.runner.ground import ground_here
from cleanup_gitops.views.drift import DriftReport, render_json, render_markdown, render_text, report_of
from cleanup_gitops.views.safe import plain

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
    runs of this tool did; when nothing was found, nothing is committed. When others undid what a run had done, the
    policies leave these users alone for the grace period of the Guardrails from now on. A reading that looks like a
    fault of the data is not recorded: exit code 3.

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
        tell_notes(place)
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
        ground = ground_here(
            place.store,
            place.site.name,
            place.clock.now(),
            tool_version=__version__,
            domains=recorded_domains(place),
            attributes=place.site.recorded_attributes,
        )
        files = ground.before
        _check_comparable(place, files)
        live, told = _read(place, ground.memory)
        drift = drift_of(files, live.inventory, linked(ground.memory.settling, live), ground.memory.marks)
        if drift is None:
            raise _nothing_recorded(place)
        lifted = _check_trusted(place, ground.memory, live.inventory, record=record)
        seen = undone(told, place.policies, ground.memory, created=place.clock.now())
        new = drift.differences or seen.flaps
        commit = _record(place, ground, drift, live.inventory, lifted, seen) if record and new else ""
    where = place_of_record(place) if commit else ""
    report = report_of(drift, live.inventory.groups, __version__, commit=commit, place=where, holds=seen.holds)
    return report, live.people


def _read(place: Workplace, memory: Memory) -> tuple[Live, Inventory]:
    """The site now, and the same after asking about those whom a list may wrongly show as active again."""
    with progress() as steps, connected(place, steps) as site:
        live = site.reader.read()
        wanted = doubtful(live.inventory, memory, place.policies)
        return live, site.reader.ask(live.inventory, wanted) if wanted else live.inventory


def _check_comparable(place: Workplace, files: Mapping[str, bytes]) -> None:
    """Asked before the site is read. Raises ``CleanupError``: no snapshot, or a run that changes the site just now."""
    if layout.MANIFEST not in files:
        raise _nothing_recorded(place)
    refuse_open_run(files, place.clock.now())


def _check_trusted(place: Workplace, memory: Memory, inventory: Inventory, *, record: bool) -> list[Check]:
    """The guards of the reading that hold because of Overrides alone.

    Raises ``UnsafePlanError`` when the reading looks like a fault of the data; warns if it is just looked at. What is
    recorded is what the next reading is compared with, so a wrong one must not get there.
    """
    checks = reading_checks(inventory, place.policies, memory, created=place.clock.now())
    broken = [check for check in checks if not check.passed]
    if not broken:
        return [check for check in checks if check.lifted]
    lines = [f"  {plain(check.name)}: {plain(check.message)}" for check in broken]
    if not record:
        told = "\n".join(("Warning: this reading would not be recorded, because it looks like a fault:", *lines))
        click.echo(told, err=True)
        return []
    proposed = [check.override for check in broken if check.override]
    if proposed:
        click.echo("---\n".join(proposed), err=True)
    raise UnsafePlanError(
        "\n".join((f"What was read of {place.site.name} looks like a fault of the data; it was not recorded.", *lines)),
        "Run it again later. If it is right all the same, merge the Override above as a file below policies/, after the"
        " usual review."
        if proposed
        else "Run it again later.",
    )


def _nothing_recorded(place: Workplace) -> CleanupError:
    return CleanupError(
        f"There is no snapshot of {place.site.name} yet, so nothing can be compared with the site.",
        "The first `cleanup-gitops apply` makes the first snapshot, also when it has nothing to do.",
    )


def _record(
    place: Workplace, ground: Ground, drift: Drift, inventory: Inventory, lifted: list[Check], seen: Noticed
) -> str:
    """Commit what was found, after what lifted a guard of the reading, and return the id of the commit."""
    if lifted:
        first = record_override(ground, lifted=lifted, time=place.clock.now())
        place.store.commit(first.files, first.subject, first.trailers)
        ground = ground.after(first)
    record = record_drift(ground, drift=drift, inventory=inventory, time=place.clock.now(), noticed=seen)
    return place.store.commit(record.files, record.subject, record.trailers)
