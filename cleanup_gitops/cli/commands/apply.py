"""``cleanup-gitops apply``."""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.adopting import adopt_option, adoptable
from cleanup_gitops.cli.files import read_file, write_file
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.posting import posting
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import (
    Workplace,
    connected,
    find_second_approval,
    find_standing,
    job_address,
    journals_of,
    only_one,
    place_of_record,
    recorded_domains,
    tell_notes,
    this_process,
    workplaces,
)
from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.model.errors import ApprovalError, CleanupError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.policy.expiry import site_warnings
from cleanup_gitops.policy.guests import with_guests
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.runner.approval import new_plan
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.desk import BrokenGuardsError, Desk, Run, Stop, UnrecordedError
from cleanup_gitops.runner.run import execute
from cleanup_gitops.runner.second import NOBODY_ELSE, deletes
from cleanup_gitops.runner.standing import warnings
from cleanup_gitops.runner.workers import CREW
from cleanup_gitops.sites.cloud import CloudSite
from cleanup_gitops.views.plan import render_text
from cleanup_gitops.views.run import found_before, found_meanwhile, render_run

FAILURES = 5


@click.command("apply")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@click.option("--auto-approve", is_flag=True, help="Plan now and apply all of it, without a saved plan.")
@click.option("--standing", is_flag=True, help="Plan now and apply what standing approvals of policies allow.")
@click.option("--due", is_flag=True, help="As --standing, and record a run without news once a day only.")
@adopt_option
@site_option
@click.pass_obj
def command(
    folder: Path,
    plan_file: Path | None,
    auto_approve: bool,
    standing: bool,
    due: bool,
    adopt: tuple[str, ...],
    site_name: str | None,
) -> int:
    r"""Carry out a saved plan and record under state/ what was meant, done, and found.

    The plan is made again first. Only rows that stand in the saved plan and are still planned in the same form are
    carried out; whoever came back is left alone. Rows that are new are listed and wait for the next approval. Accounts
    are deleted only when somebody else has approved the plan by a signed tag as well.

    With --standing no plan is needed. Of policies with `approval: standing` that somebody else than their author has
    approved by a signed tag, rows are carried out that have been recorded as pending for long enough.

    Rows wait for the schedules of their policies and the windows of the Guardrails. --due is for a job that runs often:
    a schedule is due from its time on until a run has served it.

    What others changed since the last snapshot is recorded apart. Before the first write the intent is committed, with
    a lease that keeps other runs away; a second run ends with exit code 6 and says who holds it. See `recover`.

    \b
    Examples:
      cleanup-gitops apply plan.json
      cleanup-gitops apply --auto-approve
      cleanup-gitops apply --standing
      cleanup-gitops apply --due
    """
    _check_one_way([plan_file is not None, auto_approve, standing, due], adopting=bool(adopt) and not auto_approve)
    saved = read_plan(read_file(plan_file)) if plan_file else None
    place = only_one(workplaces(folder, SystemClock(), site_name or (saved.site if saved else None)))
    approvals, stop = find_standing(place) if standing or due else None, Stop()
    second = find_second_approval(place, saved) if saved and deletes(saved) else NOBODY_ELSE
    lists = policy_lists(place.policies, place.folder)
    try:
        run = _run(place, lists, saved, approvals, stop, second, sparing=due, adopt=adopt)
    except KeyboardInterrupt:
        if stop.writing:
            raise
        click.echo("Interrupted. Nothing was written.", err=True)
        return 1
    except BrokenGuardsError as error:
        people = with_guests(error.live.people, place.policies, lists)
        click.echo(render_text(error.plan, people, colour=colours(sys.stdout)), nl=False)
        raise
    except UnrecordedError as error:
        _keep(place, error.run)
        _tell(place, lists, error.run, approvals, second)
        raise
    _tell(place, lists, run, approvals, second)
    _check_allowed(run, saved, approvals, second)
    return FAILURES if run.failed else 0


def _check_allowed(run: Run, saved: Plan | None, approvals: Approvals | None, second: Approval | Missing) -> None:
    """Raise ``ApprovalError`` when nothing of what is asked was approved."""
    if saved and run.nothing_in_common:
        raise ApprovalError("Nothing of the saved plan is still planned in the same form.", new_plan(saved))
    if run.choice.unapproved:
        raise ApprovalError(
            "No policy that asks for something is approved: nothing was done.", "\n".join(warnings(approvals or {}))
        )
    if run.choice.unseconded and not run.choice.changes and isinstance(second, Missing):
        raise ApprovalError(f"Deleting accounts takes a second approval, and {second.why}.", second.todo)


def _check_one_way(ways: list[bool], *, adopting: bool) -> None:
    if ways.count(True) != 1:
        raise click.UsageError("Give either a saved plan, or --auto-approve, or --standing, or --due.")
    if adopting:
        raise click.UsageError("--adopt goes with --auto-approve; else give it to `plan`, and apply the saved plan.")


def _tell(place: Workplace, lists: Lists, run: Run, approvals: Approvals | None, second: Approval | Missing) -> None:
    missing = [] if run.choice.unapproved else [*warnings(approvals or {})]
    if run.choice.unseconded and run.choice.changes and isinstance(second, Missing):
        missing.append(f"Deleting accounts takes a second approval: {second.why}. {second.todo}".strip())
    text = render_run(
        run.plan,
        run.outcomes,
        run.approval,
        run.commit,
        with_guests(run.live.people, place.policies, lists),
        place=place_of_record(place),
        found=(*found_before(run.found, __version__), *found_meanwhile(run.record)),
        not_approved=run.choice.not_approved,
        left=run.choice.left,
        to_approve=missing,
        unread=run.unread,
        quiet=run.quiet,
        second=run.intent.second if run.intent else None,
        seats=run.seats,
        colour=colours(sys.stdout),
    )
    click.echo(text, nl=False)
    tell_notes(place)


def _run(
    place: Workplace,
    lists: Lists,
    saved: Plan | None,
    approvals: Approvals | None,
    stop: Stop,
    second: Approval | Missing,
    *,
    sparing: bool,
    adopt: tuple[str, ...],
) -> Run:
    groups = adoptable(adopt, [place.policies])
    with progress() as steps, connected(place, steps) as site, posting(place) as post, _clean_end(stop, site):
        hands = Hands(site.reader, site.writer, place.clock, steps, CREW, post)
        desk = replace(desk_at(place, lists, hands), adopt=groups)
        return execute(desk, saved=saved, stop=stop, standing=approvals, sparing=sparing, second=second)


def desk_at(place: Workplace, lists: Lists, hands: Hands) -> Desk:
    """What a run at this place works with."""
    return Desk(
        policies=place.policies,
        hands=hands,
        store=place.store,
        tool_version=__version__,
        domains=recorded_domains(place),
        warnings=site_warnings(place.site, place.clock.now().date()),
        lists=lists,
        attributes=place.site.recorded_attributes,
        process=this_process(),
        place=job_address(),
        journals=journals_of(place),
    )


@contextmanager
def _clean_end(stop: Stop, site: CloudSite) -> Iterator[None]:
    """A wish to end while writing: finish the changes under way, record, say what was not attempted.

    Ctrl-C, the SIGTERM of a cancelled job, and the SIGHUP of a closed terminal.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        if not stop.writing:
            raise KeyboardInterrupt
        if not stop.asked:
            with suppress(OSError, ValueError):
                click.echo("Stopping after the changes under way; what was done will be recorded.", err=True)
        stop.ask()
        site.stop_waiting()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _keep(place: Workplace, run: Run) -> None:
    """What could not be committed stays as a file: here, else in the temporary folder, else on standard error."""
    lines = next(data for path, data in run.record.files.items() if data and path.endswith(f"/{layout.OUTCOMES}"))
    name = f"cleanup-gitops-{run.id}.{layout.OUTCOMES}"
    for folder in (Path(), Path(tempfile.gettempdir())):
        try:
            write_file(folder / name, lines)
        except CleanupError:
            continue
        there = () if place.folder == Path() else ("-C", str(place.folder))
        typed = ("cleanup-gitops", *there, "recover", run.id, "--site", place.site.name)
        click.echo(
            f"The outcomes were kept in {folder / name}: it is the only record of this run. When what is in the way is"
            f" mended, record them with: {shlex.join((*typed, '--outcomes', str(folder / name)))}",
            err=True,
        )
        return
    click.echo(lines.decode(), err=True)
