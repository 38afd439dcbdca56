"""One apply from the recorded state to the next: read, plan, choose, carry out, read again, record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cleanup_gitops.ledger.record import RunRecord, memory_of, record_run
from cleanup_gitops.model.change import Change, UserDelete, change_digest
from cleanup_gitops.model.errors import ApprovalError, SiteError, StateError, UnsafePlanError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live, Store
from cleanup_gitops.model.run import Approval, Outcome
from cleanup_gitops.planner import evaluate, make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.runner.approval import NEW_PLAN, Choice, check_saved, choose
from cleanup_gitops.runner.carry_out import Hands, carry_out, dropped, finish
from cleanup_gitops.runner.needs import shown_by
from cleanup_gitops.runner.reading import Questions, read_with_answers, with_sightings

WRITTEN = frozenset({"applied", "settling", "not_effective", "failed"})


class Stop:
    """Asked between two changes; set by whoever wants a clean end (Ctrl-C)."""

    def __init__(self) -> None:
        self.asked = False
        self.writing = False

    def ask(self) -> None:
        """End after the change under way."""
        self.asked = True

    def __call__(self) -> bool:
        """Whether a clean end was asked for."""
        return self.asked


@dataclass(frozen=True, slots=True)
class Run:
    """What one apply did. ``commit`` is "" when recording failed; ``unread`` when the site could not be read again."""

    plan: Plan
    live: Live
    choice: Choice
    approval: Approval
    outcomes: tuple[Outcome, ...]
    record: RunRecord
    commit: str
    unread: str = ""

    @property
    def failed(self) -> bool:
        """Whether something that should have been done was not proven to be done, or a policy is blocked."""
        bad = ("failed", "not_effective", "not_attempted", "settling")
        return bool(self.plan.blocked) or any(one.result in bad for one in self.outcomes)

    @property
    def nothing_in_common(self) -> bool:
        """Whether something was approved and none of it is still planned in the same form."""
        return bool(self.choice.superseded) and not self.choice.changes


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything one run works with."""

    policies: SitePolicies
    hands: Hands
    store: Store
    tool_version: str
    domains: frozenset[str]
    """E-mail domains that may be recorded: internal ones and those that a policy names."""
    warnings: tuple[str, ...] = ()
    """Sentences for the plan about the site itself, such as a credential that ends soon."""
    lists: Lists = field(default_factory=lambda: NO_LISTS)
    """The lists of people that policies ask for, as read before the run; they stay the same all through it."""


def execute(desk: Desk, *, saved: Plan | None, stop: Stop) -> Run:
    """Apply what is approved: the rows of ``saved`` that are still planned, or with ``None`` the whole plan made now.

    A run that finds nothing of ``saved`` still planned is recorded too, and spends those rows.

    Raises ``ApprovalError``, ``BrokenGuardsError``, ``StateError`` when nothing could be recorded, and whatever the
    reading raises; then nothing was written. Raises ``UnrecordedError``, which carries the run, when the result could
    not be committed.
    """
    clock = desk.hands.clock
    desk.store.check_writable()
    files = desk.store.read()
    memory = memory_of(files)
    started = clock.now()
    site = desk.policies.site
    if saved is not None:
        ttl = desk.policies.guardrails.plan_ttl
        check_saved(saved, site=site, memory=memory, now=started, ttl=ttl)
    live, questions = read_with_answers(desk.hands.reader, desk.policies, started, desk.lists)
    plan = _planned(desk, live, memory, started)
    if not plan.applyable:
        raise BrokenGuardsError(plan, live)
    if saved is None:
        _refuse_deletions(plan)
    choice = Choice(plan.changes) if saved is None else choose(saved, plan, memory)
    approval = _approval(plan, saved, by=live.inventory.runner)
    evaluation = evaluate(live.inventory, desk.policies, started, live.people, desk.lists)
    stop.writing = True
    outcomes = (
        *carry_out(choice.changes, desk.hands, evaluation, stop, questions),
        *dropped(choice.superseded, desk.hands),
    )
    after, outcomes, unread = _read_again(desk, live, outcomes, choice.changes, questions)
    record = record_run(
        before=files,
        memory=memory,
        plan=plan,
        outcomes=outcomes,
        approval=approval,
        inventory=after.inventory,
        time=clock.now(),
        tool_version=desk.tool_version,
        domains=desk.domains,
        approved=saved,
    )
    run = Run(plan, after, choice, approval, outcomes, record, commit="", unread=unread)
    try:
        return replace(run, commit=desk.store.commit(record.files, record.subject, record.trailers))
    except StateError as error:
        raise UnrecordedError(run, error) from error


def _refuse_deletions(plan: Plan) -> None:
    """Who approves a deletion must have seen it: there is no way back after the vendor's days of grace."""
    number = sum(isinstance(change, UserDelete) for change in plan.changes)
    if number:
        raise ApprovalError(
            f"The plan for {plan.site} would delete {number} {'account' if number == 1 else 'accounts'}:"
            " that takes a saved plan which somebody has reviewed. Nothing was done.",
            NEW_PLAN,
        )


def _planned(desk: Desk, live: Live, memory: Memory, started: datetime) -> Plan:
    """The plan for the site as it is now."""
    return make_plan(
        live.inventory,
        desk.policies,
        memory,
        created=started,
        as_of=started,
        tool_version=desk.tool_version,
        policy_commit=desk.store.policy_commit(),
        warnings=desk.warnings,
        people=live.people,
        lists=desk.lists,
    )


def _approval(plan: Plan, saved: Plan | None, *, by: Sequence[str]) -> Approval:
    """Who allowed the run: whoever handed over ``saved``, or had ``plan`` made and applied at once."""
    approved = saved or plan
    return Approval(
        kind="plan" if saved else "auto", by=by[0] if by else "", at=approved.created, ref=approved.envelope
    )


def _read_again(
    desk: Desk, before: Live, outcomes: tuple[Outcome, ...], changes: Sequence[Change], questions: Questions
) -> tuple[Live, tuple[Outcome, ...], str]:
    """What is recorded is what was read, never what was meant. A site that fails now keeps the reading before.

    Only what could not be seen so far is asked about single users again.
    """
    if not any(outcome.result in WRITTEN for outcome in outcomes):
        return before, outcomes, ""
    try:
        after = desk.hands.reader.read()
        by_digest = {change_digest(change): change for change in changes}
        open_ = {
            one.user: shown
            for one in outcomes
            if one.result == "settling" and (shown := shown_by(by_digest[one.change]))
        }
        judged = desk.hands.reader.ask(after.inventory, open_) if open_ else after.inventory
    except SiteError as error:
        return before, outcomes, error.message
    except Exception as error:  # noqa: BLE001 - the record of what was done must not be lost with a defect
        return before, outcomes, f"a defect of cleanup-gitops ({type(error).__name__})."
    recorded = Live(with_sightings(after.inventory, before.inventory, questions), after.people)
    return recorded, finish(outcomes, changes, judged), ""


class UnrecordedError(StateError):
    """The changes of ``run`` were carried out but their record could not be committed."""

    exit_code = 5

    def __init__(self, run: Run, why: StateError) -> None:
        super().__init__(
            f"The run was carried out but not recorded: {why.message}",
            f"{why.hint} Then make a new plan: it starts from the live site, so nothing is done twice.".strip(),
        )
        self.run = run


class BrokenGuardsError(UnsafePlanError):
    """The plan that was made now is over a guard. ``plan`` and ``live`` are there to be shown."""

    def __init__(self, plan: Plan, live: Live) -> None:
        broken = [check for check in plan.checks if not check.passed]
        lines = "\n".join(f"  {check.name}: {check.message}" for check in broken)
        super().__init__(
            f"The plan for {plan.site} is unsafe, nothing of it was applied:\n{lines}",
            "Narrow the policies, or change the caps in a reviewed Guardrails document.",
        )
        self.plan = plan
        self.live = live
