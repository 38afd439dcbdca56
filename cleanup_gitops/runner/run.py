"""One apply from the recorded state to the next: read, plan, choose, claim, carry out, read again, record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.drift import meanwhile
from cleanup_gitops.ledger.late_effects import effects_of
from cleanup_gitops.ledger.record import Ground, Record, record_heartbeat, record_run
from cleanup_gitops.model.change import UserDelete, change_digest
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import ApprovalError, CredentialError, SiteError, StateError, StoreError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory, Noticed
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import WRITTEN, Approval, Intent, Outcome
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.planner import Evaluation, evaluation_now, guarded, make_plan, undone
from cleanup_gitops.planner.in_force import spent_by
from cleanup_gitops.planner.undo import Undo
from cleanup_gitops.runner.approval import NEW_PLAN, Choice, check_saved, choose, ungiven, without_unsettled
from cleanup_gitops.runner.books import claim, record_found, record_lifted, record_voidness, refuse_open_run
from cleanup_gitops.runner.carry_out import carry_out, dropped, finish
from cleanup_gitops.runner.desk import BrokenGuardsError, Desk, Found, Run, Stop, UnrecordedError, ground_for
from cleanup_gitops.runner.journal import UNKEPT, header_of
from cleanup_gitops.runner.needs import questions_about
from cleanup_gitops.runner.outcomes import freed, unseen
from cleanup_gitops.runner.papers import Ending, Order, Sight
from cleanup_gitops.runner.quiet import has_record_of, nothing_new
from cleanup_gitops.runner.reading import Questions, answered, doubt, read_with_answers, with_sightings
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.resume import Ask, Resumed, made_under, resumed
from cleanup_gitops.runner.rollback import undo_of
from cleanup_gitops.runner.second import NOBODY_ELSE, seconded
from cleanup_gitops.runner.standing import approval_of_run, choose_standing, dated, needed, nothing_approved
from cleanup_gitops.runner.times import Times, on_time, terms_of, times_of
from cleanup_gitops.runner.watch import INTERRUPTED, Watch


def execute(
    desk: Desk,
    *,
    saved: Plan | None,
    stop: Stop,
    standing: Approvals | None = None,
    sparing: bool = False,
    second: Approval | Missing = NOBODY_ELSE,
) -> Run:
    """Apply what is approved: the rows of ``saved`` that are still planned, or with ``None`` the whole plan made now.

    With ``standing`` only what these approvals of whole policies allow now is carried out, and the rest waits. With
    ``sparing`` a run that brings nothing new is recorded only as the first one of its UTC day. ``second`` is who else
    approved what ``saved`` deletes; without it accounts are left alone whose deletion it asks for.

    Before the first write the intent is committed, and with it a lease that keeps other runs away until the result is.
    A run that finds nothing of ``saved`` still planned is recorded too, and consumes those rows. One that cannot be
    trusted to act is recorded as void.

    Raises ``LeaseHeldError`` while another run is under way, ``ApprovalError``, ``BrokenGuardsError``, ``StateError``
    when nothing could be recorded, and whatever the reading raises; then nothing was written to the site. Raises
    ``UnrecordedError``, which carries the run, when the result could not be committed.
    """
    with desk.store.exclusive():
        return _execute(desk, saved, standing, stop, second, sparing=sparing)


def _execute(
    desk: Desk,
    saved: Plan | None,
    standing: Approvals | None,
    stop: Stop,
    second: Approval | Missing,
    *,
    sparing: bool,
) -> Run:
    desk.store.check_writable()
    ground = ground_for(desk)
    started, policy_commit = desk.hands.clock.now(), desk.store.policy_commit()
    refuse_open_run(ground.before, started)
    if saved is not None:
        check_saved(saved, site=ground.site, memory=ground.memory, now=started, ttl=desk.policies.guardrails.plan_ttl)
        desk = replace(desk, adopt=frozenset(one.name.casefold() for one in saved.adoption if one.what == "asked"))
    undo = _undo(desk, ground, saved)
    sight = _look(desk, ground, started, stop, undo)
    plan = _planned(desk, sight.live, ground.memory, started, policy_commit, undo)
    _check_applyable(desk, ground, sight, plan, stop)
    evaluation = _evaluation(desk, ground, sight, plan, undo, saved)
    if standing is None:
        order = seconded(_order(desk, ground, sight, plan, saved, evaluation), second)
        order = replace(order, choice=on_time(order.choice, _times(desk, ground, sight, plan).wait))
    else:
        order = _standing(desk, ground, sight, plan, standing, evaluation)
    if order.choice.changes != plan.changes:
        chosen = guarded(plan, order.choice.changes, sight.live.inventory, desk.policies, ground.memory)
        _check_applyable(desk, ground, sight, chosen, stop)
    if order.choice.changes:
        desk.journals.check()
    stop.writing = True
    ground = record_lifted(desk, ground, order.plan)
    ground, found, late = record_found(desk, ground, sight.told.inventory)
    intent = None
    if order.choice.changes:
        ground, intent = claim(
            desk,
            ground,
            order.choice.changes,
            plan=order.plan,
            approval=order.approval,
            actor=_actor(sight.live),
            approved=saved,
            approvals=order.approvals,
            second=order.second,
        )
    leases = {path: data for path, data in ground.before.items() if intent and path.startswith(layout.LEASES)}
    outcomes = _carry_out(desk, sight, order, Watch(stop, desk.store, leases, desk.hands.clock), intent)
    ending = _read_again(desk, ground, sight, order, outcomes, intent, stop)
    seen = undone(sight.live.inventory, desk.policies, ground.memory, created=plan.created)
    return _recorded(desk, ground, order, ending, late, intent=intent, found=found, seen=seen, sparing=sparing)


def _undo(desk: Desk, ground: Ground, saved: Plan | None) -> Undo | None:
    """What is to be taken back, when the saved plan is a rollback: it is made again from what its run recorded."""
    if saved is None or saved.rollback is None:
        return None
    told = saved.rollback
    return undo_of(desk.store, ground.before, ground.memory, site=ground.site, run=told.run, users=told.users)


def _look(desk: Desk, ground: Ground, started: datetime, stop: Stop, undo: Undo | None) -> Sight:
    """The site now. What cannot be read leaves a record, unless a credential is the reason."""
    reader = remembering(desk.hands.reader, ground.before)
    try:
        live, questions = read_with_answers(reader, desk.policies, started, desk.lists, undo, ground.memory)
    except CredentialError:
        raise
    except SiteError as error:
        stop.writing = True
        record_voidness(desk, ground, error)
        raise
    told = reader.told or live
    inventory = with_sightings(told.inventory, live.inventory, questions)
    return Sight(Live(inventory, told.people), live, questions, reader)


def _check_applyable(desk: Desk, ground: Ground, sight: Sight, plan: Plan, stop: Stop) -> None:
    """Record that nothing may be done of a plan over a guard, and raise ``BrokenGuardsError``."""
    if not plan.applyable:
        error = BrokenGuardsError(plan, sight.live)
        stop.writing = True
        record_voidness(desk, ground, error, plan)
        raise error


def _order(desk: Desk, ground: Ground, sight: Sight, plan: Plan, saved: Plan | None, evaluation: Evaluation) -> Order:
    """What is both approved and planned now. Raises ``ApprovalError`` when somebody must have seen the plan."""
    live = sight.live
    if saved is None:
        _refuse_deletions(plan)
        choice = without_unsettled(Choice(plan.changes), ground.memory, plan.created, reviewed=False)
        return Order(plan, choice, _approval(plan, None, by=_actor(live)), None, evaluation, {})
    found = Resumed(choose(saved, plan, ground.memory))
    if found.choice.superseded and (made := made_under(saved.envelope, ground.before, desk.store)):
        ask = _asking(desk, ground, sight, plan)
        found = resumed(found.choice, saved, plan, live.inventory, sight.reader, ask, evaluation, made)
    return Order(
        plan,
        without_unsettled(found.choice, ground.memory, plan.created, reviewed=True),
        _approval(plan, saved, by=_actor(live)),
        saved,
        evaluation,
        {},
        found.begun,
        found.questions,
        ungiven(found.choice, live.inventory),
    )


def _asking(desk: Desk, ground: Ground, sight: Sight, plan: Plan) -> Ask:
    """Asks what a plan would ask about some accounts."""

    def ask(inventory: Inventory, accounts: frozenset[str]) -> tuple[Inventory, Questions]:
        told = Live(inventory, sight.live.people)
        found, asked = answered(
            sight.reader, told, desk.policies, plan.as_of, desk.lists, accounts=accounts, memory=ground.memory
        )
        return found.inventory, asked

    return ask


def _times(desk: Desk, ground: Ground, sight: Sight, plan: Plan) -> Times:
    return times_of(plan, desk.policies, ground.memory, sight.live.inventory)


def _standing(
    desk: Desk, ground: Ground, sight: Sight, plan: Plan, approvals: Approvals, evaluation: Evaluation
) -> Order:
    """What may be done without anybody's look at the plan."""
    policies = desk.policies.policies
    wait = _times(desk, ground, sight, plan).wait
    chosen = choose_standing(plan, policies, approvals, ground.memory, plan.created, wait)
    used = needed(chosen.changes, approvals)
    unapproved = nothing_approved(chosen, policies, approvals)
    choice = Choice(chosen.changes, left=chosen.left, unapproved=unapproved)
    return Order(plan, choice, approval_of_run(plan, used), None, evaluation, used)


def _evaluation(
    desk: Desk, ground: Ground, sight: Sight, plan: Plan, undo: Undo | None, saved: Plan | None
) -> Evaluation:
    """Decides again about single users, as the plan did.

    A policy that was to act once may be spent since ``saved`` was made: what is left of its users is still approved.
    """
    live = sight.live
    lines = spent_by(desk.policies, ground.memory)
    spent = frozenset(name for name, line in lines.items() if saved is None or line.at < saved.created)
    return evaluation_now(
        live.inventory,
        desk.policies,
        ground.memory,
        created=plan.created,
        as_of=plan.as_of,
        people=live.people,
        lists=desk.lists,
        undo=undo,
        spent=spent,
        adopt=desk.adopt,
    )


def _refuse_deletions(plan: Plan) -> None:
    """Who approves a deletion must have seen it: there is no way back after the vendor's days of grace."""
    number = sum(isinstance(change, UserDelete) for change in plan.changes)
    if number:
        raise ApprovalError(
            f"The plan for {plan.site} would delete {number} {'account' if number == 1 else 'accounts'}:"
            " that takes a saved plan which somebody has reviewed. Nothing was done.",
            NEW_PLAN,
        )


def _planned(desk: Desk, live: Live, memory: Memory, started: datetime, policy_commit: str, undo: Undo | None) -> Plan:
    """The plan for the site as it is now; ``policy_commit`` is the one that held when the run began."""
    return make_plan(
        live.inventory,
        desk.policies,
        memory,
        created=started,
        as_of=started,
        tool_version=desk.tool_version,
        policy_commit=policy_commit,
        warnings=desk.warnings,
        people=live.people,
        lists=desk.lists,
        undo=undo,
        adopt=desk.adopt,
    )


def _approval(plan: Plan, saved: Plan | None, *, by: str) -> Approval:
    """Who allowed the run: whoever handed over ``saved``, or had ``plan`` made and applied at once."""
    approved = saved or plan
    return Approval(kind="plan" if saved else "auto", by=by, at=approved.created, ref=approved.envelope)


def _actor(live: Live) -> str:
    """The account behind the credentials; "" when the site does not say."""
    return live.inventory.runner[0] if live.inventory.runner else ""


def _carry_out(desk: Desk, sight: Sight, order: Order, watch: Watch, intent: Intent | None) -> tuple[Outcome, ...]:
    """An outcome for every approved row."""
    hands = replace(desk.hands, reader=sight.reader)
    done = carry_out(
        order.choice.changes,
        hands,
        order.evaluation,
        watch,
        {**sight.questions, **order.asked},
        journal=desk.journals.begin(header_of(intent)) if intent else UNKEPT,
        begun=order.begun,
        ungiven=order.ungiven,
    )
    return (*done, *dropped(order.choice.superseded, order.plan, hands))


def _read_again(
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
    if intent is None or not any(outcome.result in WRITTEN for outcome in outcomes):
        return Ending(sight.told, outcomes)
    if stop.asked:  # who stops a run may kill it soon: the record comes first, and the next run sees the effects
        return Ending(sight.told, outcomes, f"{INTERRUPTED}.")
    try:
        after = desk.hands.reader.read()
        settling = {one.change for one in outcomes if one.result == "settling"}
        open_ = questions_about(one for one in order.choice.changes if change_digest(one) in settling)
        judged = desk.hands.reader.ask(after.inventory, open_) if open_ else after.inventory
        ours = (*ground.memory.settling, *effects_of(intent.run, outcomes))
        differences = meanwhile(sight.told.inventory, after.inventory, ours)
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


def _recorded(
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
        actor=_actor(ending.live),
        approved=order.saved,
        intent=intent,
        unseen=unseen(order.choice.changes, ending.live.inventory),
        differences=(*late, *ending.differences),
        noticed=seen,
        terms=terms_of(order.plan, desk.policies, ground.memory, order.choice, ending.outcomes),
        left=[one.code for one in order.choice.left],
    )
