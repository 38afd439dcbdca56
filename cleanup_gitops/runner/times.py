"""Which rows have to wait for their time: for the schedule of a policy, or for the windows of the site. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.planner.in_force import acting_once
from cleanup_gitops.planner.unprotected import protected_by
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.timing import Schedule, Windows
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.later import Left, behind_gifts

SOON = timedelta(hours=1)
"""A soak that ends within this time keeps a schedule due, so that the next run need not wait for its next time."""


@dataclass(frozen=True, slots=True)
class Times:
    """What holds rows up at one instant (UTC): schedules that are not due, by policy, and windows that are closed."""

    now: datetime
    schedules: Mapping[str, Schedule]
    closed: Windows | None

    def wait(self, change: Change) -> Left | None:
        """Why a row has to wait; ``None`` when it need not. A termination is not held up by windows.

        A row that several policies ask for waits for the first of them, which would do it alone as well.
        """
        if not self.schedules and self.closed is None:
            return None
        names = dict.fromkeys(cause.policy for cause in change.causes)
        found = [(schedule.next_after(self.now), name) for name in names if (schedule := self.schedules.get(name))]
        if found and len(found) == len(names):
            until, name = min(found)
            when = _told(until, self.schedules[name].time_zone)
            return Left(change, "schedule", f"{name} acts next at {when}", until)
        if self.closed is None or any(cause.termination for cause in change.causes):
            return None
        opens = self.closed.opens(self.now)
        when = f"they open at {_told(opens, self.closed.time_zone)}" if opens else "they do not open within two years"
        return Left(change, "window", when, opens)


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


def times_of(plan: Plan, policies: SitePolicies, memory: Memory) -> Times:
    """What holds rows of a plan up that is carried out at once. A plan that takes a run back never waits."""
    now, windows = plan.created, policies.guardrails.windows
    if plan.rollback:
        return Times(now, {}, None)
    due = due_now(policies, memory, now)
    schedules = {one.name: one.schedule for one in policies.policies if one.schedule and not due[one.name]}
    return Times(now, schedules, None if windows is None or windows.open_at(now) else windows)


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


def _unserved(plan: Plan, policies: SitePolicies, choice: Choice, outcomes: Iterable[Outcome]) -> set[str]:
    """The policies for whose rows the time that has come is not over: they were not attempted, or not allowed yet."""
    afters = {one.name: one.standing.after for one in policies.policies if one.standing}
    open_ = [cause for one in outcomes if one.result == "not_attempted" for cause in one.causes]
    open_ += [cause for one in choice.not_approved for cause in one.causes]
    for one in choice.left:
        causes = one.change.causes
        soaked = one.until or plan.created + max((afters.get(cause.policy, SOON) for cause in causes), default=SOON)
        if one.code in ("not-approved", "doubtful", "window") or (one.code == "soak" and soaked <= plan.created + SOON):
            open_ += causes
    return {cause.policy for cause in open_}
