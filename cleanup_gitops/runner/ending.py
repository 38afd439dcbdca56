"""The end of an apply: the site is read again, and what became of everything is recorded."""

from __future__ import annotations

from dataclasses import replace

from cleanup_gitops.ledger.drift import meanwhile
from cleanup_gitops.ledger.late_effects import effects_of
from cleanup_gitops.ledger.record import Ground, Record, record_heartbeat, record_run
from cleanup_gitops.model.change import change_digest
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import SiteError, StateError, StoreError
from cleanup_gitops.model.memory import Noticed
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import WRITTEN, Intent, Outcome
from cleanup_gitops.policy.guests import linked
from cleanup_gitops.runner.carry_out import finish
from cleanup_gitops.runner.desk import Desk, Found, Run, Stop, UnrecordedError
from cleanup_gitops.runner.inviting import with_accounts
from cleanup_gitops.runner.needs import questions_about
from cleanup_gitops.runner.outcomes import freed, unseen
from cleanup_gitops.runner.papers import Ending, Order, Sight
from cleanup_gitops.runner.quiet import has_record_of, nothing_new
from cleanup_gitops.runner.reading import doubt, with_sightings
from cleanup_gitops.runner.standing import dated
from cleanup_gitops.runner.times import terms_of
from cleanup_gitops.runner.watch import INTERRUPTED


def actor_of(live: Live) -> str:
    """The account behind the credentials; "" when the site does not say."""
    return live.inventory.runner[0] if live.inventory.runner else ""


def read_again(
    desk: Desk,
    ground: Ground,
    sight: Sight,
    order: Order,
    outcomes: tuple[Outcome, ...],
    intent: Intent | None,
    stop: Stop,
) -> Ending:
    """What is recorded is what was read, never what was meant. A site that fails now keeps the reading before.

    So does one whose reading looks like a fault of the data beside the one before, which the guards have let pass.
    Only what could not be seen so far is asked about single users again.
    """
    if intent is None or not any(one.result in WRITTEN and one.action != "notice.send" for one in outcomes):
        return Ending(sight.told, outcomes)
    if stop.asked:  # who stops a run may kill it soon: the record comes first, and the next run sees the effects
        return Ending(sight.told, outcomes, f"{INTERRUPTED}.")
    try:
        after = desk.hands.reader.read()
        outcomes = with_accounts(outcomes, after)
        settling = {one.change for one in outcomes if one.result == "settling"}
        open_ = questions_about(one for one in order.choice.changes if change_digest(one) in settling)
        judged = desk.hands.reader.ask(after.inventory, open_) if open_ else after.inventory
        ours = linked((*ground.memory.settling, *effects_of(intent.run, outcomes)), after)
        differences = meanwhile(sight.told.inventory, after.inventory, ours, ground.memory.marks)
        found = with_sightings(after.inventory, sight.live.inventory, sight.questions)
        why = doubt(found, sight.told.inventory, desk.policies, ours, now=desk.hands.clock.now())
    except SiteError as error:
        return Ending(sight.told, outcomes, error.message)
    except Exception as error:  # noqa: BLE001 - the record of what was done must not be lost with a defect
        return Ending(sight.told, outcomes, f"a defect of cleanup-gitops ({type(error).__name__}).")
    if why:  # the next reading is compared with what is recorded, so a wrong one must not get there
        return Ending(sight.told, outcomes, f"the reading after the run looks like a fault of the data: {why}.")
    finished = finish(outcomes, order.choice.changes, judged)
    own = tuple(one for one in differences if one.run != intent.run)
    seats = freed(sight.told.inventory, after.inventory, order.choice.changes, finished)
    return Ending(Live(found, after.people), finished, differences=own, seats=seats)


def recorded(
    desk: Desk,
    ground: Ground,
    order: Order,
    ending: Ending,
    late: tuple[Difference, ...],
    *,
    intent: Intent | None,
    found: Found | None,
    seen: Noticed,
    sparing: bool,
) -> Run:
    """Commit the result. Where nothing was to be written, a result that cannot be committed is no loss."""
    record = _record(desk, ground, order, ending, late, intent, seen)
    run = Run(
        order.plan,
        ending.live,
        replace(order.choice, left=dated(order.choice.left, desk.policies.policies, record.memory)),
        order.approval,
        ending.outcomes,
        record,
        "",
        ending.unread,
        intent,
        found,
        ending.differences,
        seats=ending.seats,
    )
    if sparing and ground.memory.lineage and intent is None and not late and nothing_new(ground.memory, record.memory):
        now = desk.hands.clock.now()
        if has_record_of(ground.memory, now):
            return replace(run, quiet=True)
        run = replace(run, record=record_heartbeat(ground, plan=order.plan, inventory=ending.live.inventory, time=now))
    try:
        run = replace(run, commit=desk.store.commit(run.record.files, run.record.subject, run.record.trailers))
    except Exception as error:  # with a defect as well, what was done must not be lost
        if intent is None:
            raise
        why = error if isinstance(error, StateError) else StoreError(f"a defect ({type(error).__name__}).")
        raise UnrecordedError(run, why) from error
    if intent is not None:
        desk.journals.end(intent.run)
    return run


def _record(
    desk: Desk,
    ground: Ground,
    order: Order,
    ending: Ending,
    late: tuple[Difference, ...],
    intent: Intent | None,
    seen: Noticed,
) -> Record:
    """What is to be committed of a run."""
    return record_run(
        ground,
        plan=order.plan,
        outcomes=ending.outcomes,
        approval=order.approval,
        inventory=ending.live.inventory,
        time=desk.hands.clock.now(),
        actor=actor_of(ending.live),
        approved=order.saved,
        intent=intent,
        unseen=unseen(order.choice.changes, ending.live.inventory, ending.outcomes),
        differences=(*late, *ending.differences),
        noticed=seen,
        terms=terms_of(order.plan, desk.policies, ground.memory, order.choice, ending.outcomes),
        left=[one.code for one in order.choice.left],
    )
