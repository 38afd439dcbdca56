"""Which rows have to wait: for the schedule of a policy, a billing period, or the windows of the site. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.planner.in_force import acting_once
from cleanup_gitops.planner.seats import ends_seat
from cleanup_gitops.planner.unprotected import protected_by
from cleanup_gitops.policy.billing import License
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.timing import Schedule, Windows
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.later import Code, Left, behind_gifts

SOON = timedelta(hours=1)
"""A soak that ends within this time keeps a schedule due, so that the next run need not wait for its next time."""


@dataclass(frozen=True, slots=True)
class Times:
    """What holds rows up at one instant (UTC): schedules that are not due, by policy, and windows that are closed.

    ``before_billing`` are the policies that free seats only so many days before a billing period ends, where these days
    have not come; ``frees`` tells of a row whether it may free one.
    """

    now: datetime
    schedules: Mapping[str, Schedule]
    closed: Windows | None
    before_billing: Mapping[str, int] = field(default_factory=dict)
    license: License | None = None
    frees: Callable[[Change], bool] = lambda _change: False

    def wait(self, change: Change) -> Left | None:
        """Why a row has to wait; ``None`` when it need not. A termination is not held up by windows.

        A row that several policies ask for waits for the first of them, which would do it alone as well.
        """
        names = tuple(dict.fromkeys(cause.policy for cause in change.causes))
        frees = bool(self.before_billing) and self.frees(change)
        found = [one for name in names if (one := self._policy(change, name, frees=frees))]
        if found and len(found) == len(names):
            return min(found, key=lambda one: one.until or _NEVER)
        if self.closed is None or any(cause.termination for cause in change.causes):
            return None
        opens = self.closed.opens(self.now)
        when = f"they open at {_told(opens, self.closed.time_zone)}" if opens else "they do not open within two years"
        return Left(change, "window", when, opens)

    def _policy(self, change: Change, name: str, *, frees: bool) -> Left | None:
        """What one policy that asks for a row waits for: the later one of its two kinds of times."""
        schedule, days, found = self.schedules.get(name), self.before_billing.get(name), []
        if schedule:
            until = schedule.next_after(self.now)
            why = f"{name} acts next at {_told(until, schedule.time_zone)}"
            found.append(Left(change, "schedule", why, until))
        if days and frees:
            opens = self.license.opens(self.now.astimezone(UTC).date(), days) if self.license else None
            at = datetime.combine(opens, time.min, UTC) if opens else None
            found.append(Left(change, "billing-day", _billed(name, opens, days, self.license), at))
        return max(found, key=lambda one: one.until or _NEVER, default=None)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _billed(name: str, opens: date | None, days: int, license_: License | None) -> str:
    """Why a row waits for the end of a billing period."""
    if opens is None:
        where = f" ({license_.where})" if license_ and license_.where else ""
        return f"{name} frees seats before the license renews, and that day has passed: correct `renews`{where}"
    ends = opens + timedelta(days=days)
    return f"{name} frees seats from {opens.isoformat()} on: the billing period ends before {ends.isoformat()}"


def _told(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


def due_now(policies: SitePolicies, memory: Memory, now: datetime) -> dict[str, bool]:
    """The policies with a schedule, and whether one of its times has passed and needs a run.

    However many have passed, one run is enough. The times of a schedule that no run has seen yet count from now on.
    """
    served = {one.policy: one.at for one in memory.served}
    return {
        one.name: one.schedule.due(served.get(one.name, now), now)
        for one in policies.policies
        if one.schedule is not None
    }


def times_of(plan: Plan, policies: SitePolicies, memory: Memory, inventory: Inventory) -> Times:
    """What holds rows of a plan up that is carried out at once. A plan that takes a run back never waits."""
    now, windows = plan.created, policies.guardrails.windows
    if plan.rollback:
        return Times(now, {}, None)
    due = due_now(policies, memory, now)
    schedules = {one.name: one.schedule for one in policies.policies if one.schedule and not due[one.name]}
    closed = None if windows is None or windows.open_at(now) else windows
    return Times(
        now,
        schedules,
        closed,
        _too_early(policies, now.astimezone(UTC).date()),
        policies.license,
        lambda change: ends_seat(change, inventory),
    )


def _too_early(policies: SitePolicies, today: date) -> dict[str, int]:
    """The policies that free no seat today, and how many days before the end of a billing period they would."""
    found = {one.name: one.before_billing for one in policies.policies if one.before_billing}
    own = policies.license
    return {
        name: days
        for name, days in found.items()
        if own is None or (opens := own.opens(today, days)) is None or today < opens
    }


def on_time(choice: Choice, wait: Callable[[Change], Left | None]) -> Choice:
    """The choice without the rows that have to wait, and without what must not be taken before one of these gives."""
    waits = {change.address: found for change in choice.changes if (found := wait(change))}
    if not waits:
        return choice
    behind = behind_gifts(choice.changes, waits.values())
    left = [found for one in choice.changes if (found := waits.get(one.address) or behind.get(one.address))]
    changes = tuple(one for one in choice.changes if one.address not in waits and one.address not in behind)
    return replace(choice, changes=changes, left=(*choice.left, *left))


def terms_of(plan: Plan, policies: SitePolicies, memory: Memory, choice: Choice, outcomes: Iterable[Outcome]) -> Terms:
    """What memory has to know of the policies after a run, which began when the plan was made."""
    due = due_now(policies, memory, plan.created)
    return Terms(
        standing={one.name: one.digest for one in policies.policies if one.standing},
        once=acting_once(policies, memory, plan.as_of),
        scheduled=list(due),
        served={name for name, is_due in due.items() if is_due} - _unserved(plan, policies, choice, outcomes),
        protected=protected_by(policies),
    )


_STILL_DUE: frozenset[Code] = frozenset({"not-approved", "doubtful", "window", "billing-day"})
"""Why rows may wait without having had their chance."""


def _unserved(plan: Plan, policies: SitePolicies, choice: Choice, outcomes: Iterable[Outcome]) -> set[str]:
    """The policies for whose rows the time that has come is not over: they were not attempted, or not allowed yet."""
    afters = {one.name: one.standing.after for one in policies.policies if one.standing}
    open_ = [cause for one in outcomes if one.result == "not_attempted" for cause in one.causes]
    open_ += [cause for one in choice.not_approved for cause in one.causes]
    for one in choice.left:
        causes = one.change.causes
        soaked = one.until or plan.created + max((afters.get(cause.policy, SOON) for cause in causes), default=SOON)
        if one.code in _STILL_DUE or (one.code == "soak" and soaked <= plan.created + SOON):
            open_ += causes
    return {cause.policy for cause in open_}
