"""One apply from the recorded state to the next: read, plan, choose, claim, carry out, read again, record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.record import Ground
from cleanup_gitops.model.change import UserDelete
from cleanup_gitops.model.errors import ApprovalError, CredentialError, SiteError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Approval, Intent, Outcome
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.planner import Evaluation, evaluation_now, guarded, make_plan, undone
from cleanup_gitops.planner.in_force import spent_by
from cleanup_gitops.planner.undo import Undo
from cleanup_gitops.runner.approval import NEW_PLAN, Choice, check_saved, choose, ungiven, without_unsettled
from cleanup_gitops.runner.books import claim, record_found, record_lifted, record_voidness, refuse_open_run
from cleanup_gitops.runner.carry_out import carry_out, dropped
from cleanup_gitops.runner.desk import BrokenGuardsError, Desk, Run, Stop, ground_for
from cleanup_gitops.runner.ending import actor_of, read_again, recorded
from cleanup_gitops.runner.journal import UNKEPT, header_of
from cleanup_gitops.runner.papers import Order, Sight
from cleanup_gitops.runner.reading import Questions, answered, read_with_answers, with_sightings
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.resume import Ask, Resumed, made_under, resumed
from cleanup_gitops.runner.rollback import undo_of
from cleanup_gitops.runner.second import NOBODY_ELSE, seconded
from cleanup_gitops.runner.standing import approval_of_run, choose_standing, needed, nothing_approved
from cleanup_gitops.runner.times import Times, on_time, times_of
from cleanup_gitops.runner.watch import Watch


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
        desk = replace(desk, adopt=frozenset(one.group for one in saved.adoption if one.what == "asked"))
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
    ground, found, late = record_found(desk, ground, sight.told)
    intent = None
    if order.choice.changes:
        ground, intent = claim(
            desk,
            ground,
            order.choice.changes,
            plan=order.plan,
            approval=order.approval,
            actor=actor_of(sight.live),
            approved=saved,
            approvals=order.approvals,
            second=order.second,
        )
    leases = {path: data for path, data in ground.before.items() if intent and path.startswith(layout.LEASES)}
    outcomes = _carry_out(desk, sight, order, Watch(stop, desk.store, leases, desk.hands.clock), intent)
    ending = read_again(desk, ground, sight, order, outcomes, intent, stop)
    seen = undone(sight.live.inventory, desk.policies, ground.memory, created=plan.created)
    return recorded(desk, ground, order, ending, late, intent=intent, found=found, seen=seen, sparing=sparing)


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
        return Order(plan, choice, _approval(plan, None, by=actor_of(live)), None, evaluation, {})
    found = Resumed(choose(saved, plan, ground.memory))
    if found.choice.superseded and (made := made_under(saved.envelope, ground.before, desk.store)):
        ask = _asking(desk, ground, sight, plan)
        found = resumed(found.choice, saved, plan, live.inventory, sight.reader, ask, evaluation, made)
    return Order(
        plan,
        without_unsettled(found.choice, ground.memory, plan.created, reviewed=True),
        _approval(plan, saved, by=actor_of(live)),
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
