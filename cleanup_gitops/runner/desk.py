"""What a run works with, what it leaves, and the errors that carry what is known when it ends early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cleanup_gitops.ledger.record import Ground, Record
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.errors import StateError, StateMovedError, StoreError, UnsafePlanError
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.model.ports import Live, Store
from cleanup_gitops.model.run import Approval, Intent, LedgerEntry, Outcome
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.ground import ground_here
from cleanup_gitops.runner.journal import UNKEPT, Journals
from cleanup_gitops.runner.outcomes import OPEN, Freed


class Stop:
    """Asked before each change; set by whoever wants a clean end (Ctrl-C).

    ``writing`` is set before the first thing is written, be it to the record or to the site.
    """

    def __init__(self) -> None:
        self.asked = False
        self.writing = False

    def ask(self) -> None:
        """End after the changes under way."""
        self.asked = True

    def __call__(self) -> bool:
        """Whether a clean end was asked for."""
        return self.asked


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
    attributes: tuple[str, ...] = ()
    """Names of the attributes of users that may be recorded."""
    process: str = ""
    """What works, beside the account: such as "process 4242". Never the name of a user or a machine."""
    place: str = ""
    """Where it works: the address of a job, "" elsewhere."""
    journals: Journals = UNKEPT
    """Where the run keeps its journal."""
    adopt: frozenset[str] = frozenset()
    """Names (lower case) of declared groups that this run adopts; of a saved plan the ids of those that it adopts."""


def ground_for(desk: Desk) -> Ground:
    """What is recorded, as a record of this run goes on from it. Raises as ``ground_here`` does."""
    return ground_here(
        desk.store,
        desk.policies.site,
        desk.hands.clock.now(),
        tool_version=desk.tool_version,
        domains=desk.domains,
        attributes=desk.attributes,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What others had changed before the run, and the commit that records it apart from what the run did."""

    drift: Drift
    entry: LedgerEntry
    commit: str


@dataclass(frozen=True, slots=True)
class Run:
    """What one apply did. ``commit`` is "" when recording failed; ``unread`` when the site could not be read again."""

    plan: Plan
    live: Live
    choice: Choice
    approval: Approval
    outcomes: tuple[Outcome, ...]
    record: Record
    commit: str
    unread: str = ""
    intent: Intent | None = None
    """What was claimed before the first write; ``None``: nothing was to be written."""
    found: Found | None = None
    meanwhile: tuple[Difference, ...] = ()
    """What others did on the site while the run was under way, and late effects of earlier runs."""
    quiet: bool = False
    """Whether it was not recorded because it brought nothing new, and the day has a record."""
    seats: Freed | None = None
    """What became of the seats, where the site was read again."""

    @property
    def id(self) -> str:
        """The name of the run."""
        return self.record.entry.run if self.record.entry else ""

    @property
    def failed(self) -> bool:
        """Whether something that should have been done was not proven to be done, or a policy is blocked."""
        return bool(self.plan.blocked) or any(one.result in OPEN for one in self.outcomes)

    @property
    def nothing_in_common(self) -> bool:
        """Whether something was approved and none of it is still planned in the same form."""
        return bool(self.choice.superseded) and not self.choice.changes and not self.choice.left


class UnrecordedError(StateError):
    """The changes of ``run`` were carried out but their record could not be committed."""

    exit_code = 5

    def __init__(self, run: Run, why: StateError) -> None:
        hint = why.hint if isinstance(why, StoreError) else ""
        way_out = (
            "Its intent stands in the record and keeps other runs away. When this is mended,"
            f" `cleanup-gitops recover {run.id} --outcomes FILE` records the result; nothing is done twice."
        )
        if isinstance(why, StateMovedError):
            way_out = (
                "Perhaps somebody ended it with `recover` while it was under way; what is recorded stays. Keep the"
                f" outcomes: `cleanup-gitops recover {run.id} --outcomes FILE` takes them in if the run is still open,"
                " and says so if it is not."
            )
        super().__init__(
            f"The run was carried out but not recorded: {why.message}", "\n".join(filter(None, (hint, way_out)))
        )
        self.run = run


class BrokenGuardsError(UnsafePlanError):
    """The plan that was made now is over a guard. ``plan`` and ``live`` are there to be shown."""

    def __init__(self, plan: Plan, live: Live) -> None:
        broken = [check for check in plan.checks if not check.passed]
        lines = "\n".join(f"  {check.name}: {check.message}" for check in broken)
        super().__init__(
            f"The plan for {plan.site} is unsafe, nothing of it was applied:\n{lines}", _way_out(plan, broken)
        )
        self.plan = plan
        self.live = live
        self.broken = tuple(check.name for check in broken)


def _way_out(plan: Plan, broken: Sequence[Check]) -> str:
    """What helps: other policies do not mend a reading, and a rollback is not made from policies."""
    reading = [check for check in broken if check.name.startswith("reading:")]
    told = []
    if reading:
        told.append(
            "No policy mends what was read: see how it differs with `cleanup-gitops drift --no-record`, and run again"
            " later."
        )
    if any(not check.name.startswith(("reading:", "roster:")) for check in broken):
        told.append("Take back less at a time (`rollback --user`)." if plan.rollback else "Narrow the policies.")
    if any(check.override for check in broken):
        told.append("What is right all the same takes a reviewed Override; the plan shows which.")
    return " ".join(told)
