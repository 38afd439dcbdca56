"""``cleanup-gitops rollback``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.files import saved, write_file
from cleanup_gitops.cli.options import format_option, limit_option, site_option
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import Workplace, connected, look_at_record, only_one, tell_open_runs, workplaces
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.planfile import plan_bytes
from cleanup_gitops.ledger.undone import entry_of_run
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.expiry import credential_warnings
from cleanup_gitops.runner.open_runs import under_open_runs
from cleanup_gitops.runner.reading import read_with_answers
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.rollback import undo_of
from cleanup_gitops.views.plan import RENDERERS

UNSAFE = 3


@click.command("rollback")
@click.argument("run", metavar="RUN")
@click.option("--user", "users", multiple=True, metavar="ID", help="Only what was done to this account id; repeatable.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan to this file.")
@format_option
@limit_option
@site_option
@click.pass_obj
def command(
    folder: Path,
    run: str,
    users: tuple[str, ...],
    out: Path | None,
    form: str,
    limit: int | None,
    site_name: str | None,
) -> int:
    r"""Plan to take back what a run did. Changes nothing by itself: `apply` carries the plan out, as any other.

    The plan says first what cannot be taken back. What somebody changed meanwhile is left alone and listed. Once it has
    been applied, the policies that caused the changes leave these users alone for the grace period of the Guardrails.

    \b
    Examples:
      cleanup-gitops rollback 20261122T091500Z-1c2d3e4f --out undo.json
      cleanup-gitops rollback 20261122T091500Z-1c2d3e4f --user 712020:4f1c9a52 --out undo.json
      cleanup-gitops apply undo.json
    """
    place = _place_of(workplaces(folder, SystemClock(), site_name), run)
    plan, people = _plan(place, run, users)
    if out:
        write_file(out, plan_bytes(plan))
    click.echo(RENDERERS[form](plan, people, colour=colours(sys.stdout), limit=limit), nl=False)
    if out:
        click.echo(saved(folder, out, plan), err=True)
    return 0 if plan.applyable else UNSAFE


def _place_of(places: list[Workplace], run: str) -> Workplace:
    """The site that recorded the run; where none of several did, the one that was named."""
    mine = [place for place in places if entry_of_run(look_at_record(place)[0], run)] if len(places) > 1 else []
    return only_one(mine or places)


def _plan(place: Workplace, run: str, users: tuple[str, ...]) -> tuple[Plan, People]:
    files, older = look_at_record(place)
    memory = memory_of(files, place.site.name)
    undo = undo_of(place.store, files, memory, site=place.site.name, run=run, users=users)
    created, policies = place.clock.now(), place.store.policy_commit()
    leases = tell_open_runs(place, files, created)
    with progress() as steps, connected(place, steps) as site:
        live, _ = read_with_answers(remembering(site.reader, files), place.policies, created, undo=undo)
    plan = make_plan(
        live.inventory,
        place.policies,
        memory,
        created=created,
        as_of=created,
        tool_version=__version__,
        policy_commit=policies,
        warnings=(*([older] if older else []), *credential_warnings(place.site, created.date())),
        people=live.people,
        undo=undo,
    )
    return under_open_runs(plan, leases), live.people
