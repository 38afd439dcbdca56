"""``cleanup-gitops plan``."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.adopting import adopt_option, adoptable
from cleanup_gitops.cli.files import saved, write_file
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import Instant, format_option, limit_option, site_option
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import (
    Workplace,
    connected,
    find_second_approval,
    find_standing,
    look_at_record,
    only_one,
    tell_open_runs,
    workplaces,
)
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.planfile import plan_bytes
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.expiry import site_warnings
from cleanup_gitops.policy.guests import with_guests
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.runner import standing
from cleanup_gitops.runner.open_runs import beside_open_rollbacks, under_open_runs
from cleanup_gitops.runner.reading import read_with_answers
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.second import deletes
from cleanup_gitops.runner.times import times_of
from cleanup_gitops.views.plan import RENDERERS

CHANGES_PRESENT = 2
UNSAFE = 3


@click.command("plan")
@site_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan to this file.")
@format_option
@limit_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option(
    "--as-of",
    type=Instant(),
    metavar="WHEN",
    help="Count ages for this UTC date or time, or so many days from now (+14d), instead of for now.",
)
@adopt_option
@click.pass_obj
def command(
    folder: Path,
    site_name: str | None,
    out: Path | None,
    form: str,
    limit: int | None,
    detailed_exitcode: bool,
    as_of: datetime | None,
    adopt: tuple[str, ...],
) -> int:
    r"""Show what would change on the live site, and why. Changes nothing.

    A group of which a Groups document says who is in it `exactly` is only added to at first. It is adopted when a run
    found nobody to take out, or with --adopt: that is part of the saved plan, and remembered once it is applied.

    \b
    Examples:
      cleanup-gitops plan
      cleanup-gitops plan --out plan.json
      cleanup-gitops plan --format markdown > plan.md
      cleanup-gitops plan --as-of +14d
      cleanup-gitops plan --adopt wiki-admins --out plan.json
    """
    places = workplaces(folder, SystemClock(), site_name)
    if out or form == "json":
        only_one(places)
    groups = adoptable(adopt, [place.policies for place in places])
    code = 0
    for place, lists in [(place, policy_lists(place.policies, place.folder)) for place in places]:
        plan, people = plan_now(place, lists, as_of, groups)
        if out:
            write_file(out, plan_bytes(plan))
        click.echo(RENDERERS[form](plan, people, colour=colours(sys.stdout), limit=limit), nl=False)
        if out:
            click.echo(saved(folder, out, plan), err=True)
            _tell_second(place, plan)
        if not plan.applyable:
            code = UNSAFE
        elif detailed_exitcode and plan.changes:
            code = code or CHANGES_PRESENT
    return code


def _tell_second(place: Workplace, plan: Plan) -> None:
    """Who deletes accounts needs somebody else, who has to be asked now."""
    if not (plan.applyable and deletes(plan)):
        return
    try:
        second = find_second_approval(place, plan)
    except StateError as error:
        second = Missing(error.message, error.hint)
    if isinstance(second, Missing):
        click.echo(f"Deleting accounts takes a second approval. {second.todo}".strip(), err=True)


def plan_now(
    place: Workplace, lists: Lists, as_of: datetime | None, adopt: frozenset[str] = frozenset()
) -> tuple[Plan, People]:
    """The plan of a site as it is now, and the people it is about.

    ``as_of``: count ages for this instant instead. ``adopt``: declared groups that people may be taken out of from now.
    """
    found = plan_of_live(place, lists, as_of, adopt)
    return found.plan, with_guests(found.live.people, place.policies, lists)


class Planned(NamedTuple):
    """A plan with what it was made from: the site as it was read, and what the record remembers."""

    plan: Plan
    live: Live
    memory: Memory


def plan_of_live(
    place: Workplace, lists: Lists, as_of: datetime | None, adopt: frozenset[str] = frozenset()
) -> Planned:
    """The same with what the plan was made from."""
    files, older = look_at_record(place)
    memory = memory_of(files, place.site.name)
    created, policies = place.clock.now(), place.store.policy_commit()
    leases = tell_open_runs(place, files, created)
    memory = beside_open_rollbacks(memory, place.store, leases)
    approvals, unknown = _approvals(place)
    with progress() as steps, connected(place, steps) as site:
        reader = remembering(site.reader, files)
        live, _ = read_with_answers(reader, place.policies, as_of or created, lists, memory=memory)
    plan = make_plan(
        live.inventory,
        place.policies,
        memory,
        created=created,
        as_of=as_of or created,
        tool_version=__version__,
        policy_commit=policies,
        warnings=(
            *filter(None, (older, unknown)),
            *site_warnings(place.site, created.date()),
            *standing.warnings(approvals),
        ),
        people=live.people,
        lists=lists,
        adopt=adopt,
    )
    wait = times_of(plan, place.policies, memory, live.inventory).wait
    chosen = standing.choose_standing(plan, place.policies.policies, approvals, memory, created, wait)
    noted = standing.with_notes(plan, place.policies.policies, chosen, wait)
    return Planned(under_open_runs(noted, leases), live, memory)


def _approvals(place: Workplace) -> tuple[Approvals, str]:
    """Which policies are approved as a whole, and a warning where that cannot be found out here."""
    try:
        return find_standing(place), ""
    except StateError as error:
        return {}, f"Which policies have a standing approval is not known here. {error.message}"
