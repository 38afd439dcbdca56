"""Two versions of the policies on one inventory: who is touched by one and not by the other, user by user.

``effect`` beside this is about one policy among others; here all documents may differ, Protections and Guardrails too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, TypeVar, get_args

from cleanup_gitops.model.change import Change, NoticeSend
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Check, Disposition, Handoff, Pending, Plan, StageRow
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.rehearsal.effect import Fate

Sort = Literal["added", "dropped", "moved", "untouched"]
"""What a user is to the comparison: touched after alone, touched before alone, touched both times in another way,
or untouched both times, for another reason."""
SORTS: tuple[Sort, ...] = get_args(Sort)
DEPARTMENT = "department"
"""The attribute by which users are counted, where a site tells it."""
NO_ACCOUNT: Fate = ("no_account", "")
"""Of somebody who has none."""
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """All that one plan says of one user; ``disposition`` is ``None`` for somebody without an account."""

    disposition: Disposition | None
    changes: tuple[Change, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    pending: tuple[Pending, ...] = ()
    stages: tuple[StageRow, ...] = ()

    @property
    def touched(self) -> bool:
        """Whether anything is changed, a notice included. A stage that is entered is no touch."""
        return bool(self.changes)

    @property
    def fate(self) -> Fate:
        """What becomes of the user, and the reason code."""
        return (self.disposition.state, self.disposition.reason) if self.disposition else NO_ACCOUNT

    @property
    def policies(self) -> frozenset[str]:
        """The policies that ask for any of it, or else those that the disposition names."""
        rows = [*self.changes, *self.handoffs, *(one.change for one in self.pending)]
        asking = {cause.policy for row in rows for cause in row.causes} | {one.policy for one in self.stages}
        return frozenset(asking or (self.disposition.policies if self.disposition else ()))

    @property
    def rows(self) -> frozenset[tuple[object, ...]]:
        """What is done, by whom: without needs, texts and lines of files."""
        return frozenset(
            (
                *(("change", *_done(one)) for one in self.changes),
                *(("handoff", one.action, one.address, one.reason, _names(one.causes)) for one in self.handoffs),
                *(("pending", one.reason, one.until, *_done(one.change)) for one in self.pending),
                *(("stage", one.what, one.policy, one.stage, one.reason) for one in self.stages),
            )
        )


def _done(change: Change) -> tuple[object, ...]:
    return change.action, change.address, tuple(sorted(change.after.items())), _names(change.causes)


def _names(causes: Iterable[Cause]) -> tuple[str, ...]:
    return tuple(cause.name for cause in causes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One user of whom the two plans do not say the same. ``account`` is an id, or the address of an invitation.

    ``None`` means not known. ``groups`` are names of the groups that the user is a direct member of.
    """

    account: str
    sort: Sort
    before: Treatment
    after: Treatment
    department: str | None = None
    domain: str | None = None
    groups: tuple[str, ...] | None = None

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the policies by which it is counted: those of the plan that touches the user, or of both; sorted."""
        found = {"added": self.after.policies, "dropped": self.before.policies}
        return tuple(sorted(found.get(self.sort, self.before.policies | self.after.policies)))

    @property
    def retold(self) -> bool:
        """Whether only the text of a notice is another one."""
        old, new = ([one for one in side.changes if isinstance(one, NoticeSend)] for side in (self.before, self.after))
        return [one.template_digest for one in old] != [one.template_digest for one in new]


@dataclass(frozen=True, slots=True)
class Part:
    """The users of one policy, department, domain or group, by sort. ``name`` ``None``: not known; "": none."""

    name: str | None
    counts: Mapping[Sort, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Comparison:
    """Two plans of one site, made from the same inventory, memory and instant: ``before`` and ``after`` a change.

    ``shifts`` are by account; ``alike`` counts users whom both plans touch in the same way, ``unknown`` those whom both
    leave alone because a fact is not known: what differs there does not show.
    """

    before: Plan
    after: Plan
    shifts: tuple[Shift, ...]
    alike: int
    unknown: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything differs: for a user, in a guard, or in which policies are blocked."""
        return bool(self.shifts or self.broken or self.healed or self.blocked or self.unblocked)

    @cached_property
    def counts(self) -> Mapping[Sort, int]:
        """Users by sort, all sorts."""
        found = Counter(one.sort for one in self.shifts)
        return {sort: found[sort] for sort in SORTS}

    @property
    def broken(self) -> tuple[Check, ...]:
        """Guards of the plan after that fail and did not before."""
        return _failing_alone(self.after, self.before)

    @property
    def healed(self) -> tuple[Check, ...]:
        """Guards of the plan before that failed and do not after."""
        return _failing_alone(self.before, self.after)

    @property
    def still_broken(self) -> tuple[Check, ...]:
        """Guards that fail both times, as the plan after says it."""
        new = self.broken
        return tuple(one for one in self.after.checks if not one.passed and one not in new)

    @property
    def blocked(self) -> tuple[str, ...]:
        """Sentences about policies that act on nobody after, and did before or were not there."""
        return _blocked_alone(self.after, self.before)

    @property
    def unblocked(self) -> tuple[str, ...]:
        """The same the other way round."""
        return _blocked_alone(self.before, self.after)

    @property
    def by_policy(self) -> tuple[Part, ...]:
        """Whoever several policies ask about counts in each, as in several groups."""
        return self._by(lambda one: one.policies or ("",))

    @property
    def by_department(self) -> tuple[Part, ...]:
        """Empty where no department of anybody is known."""
        found = self._by(lambda one: (one.department,))
        return () if [one.name for one in found] == [None] else found

    @property
    def by_domain(self) -> tuple[Part, ...]:
        """Domains of e-mail addresses."""
        return self._by(lambda one: (one.domain,))

    @property
    def by_group(self) -> tuple[Part, ...]:
        """Groups by name."""
        return self._by(lambda one: (None,) if one.groups is None else one.groups or ("",))

    def _by(self, keys: Callable[[Shift], tuple[str | None, ...]]) -> tuple[Part, ...]:
        """The largest first, then by name; what is not known comes last."""
        counts: dict[str | None, Counter[Sort]] = {}
        for shift in self.shifts:
            for key in dict.fromkeys(keys(shift)):
                counts.setdefault(key, Counter())[shift.sort] += 1
        parts = (Part(key, {sort: count[sort] for sort in SORTS}) for key, count in counts.items())
        return tuple(sorted(parts, key=lambda one: (one.name is None, -one.total, one.name or "")))


def comparison_of(
    before: SitePolicies,
    after: SitePolicies,
    live: Live,
    memory: Memory,
    now: datetime,
    lists: tuple[Lists, Lists] = (NO_LISTS, NO_LISTS),
) -> Comparison:
    """What changes from the policies ``before`` to those ``after``, for the instant ``now`` (UTC).

    ``lists`` are those that the policies before and after ask for.
    """
    old, new = (
        make_plan(live.inventory, one, memory, created=now, as_of=now, tool_version="", people=live.people, lists=own)
        for one, own in zip((before, after), lists, strict=True)
    )
    return compare(old, new, live.inventory)


def compare(before: Plan, after: Plan, inventory: Inventory) -> Comparison:
    """The two plans user by user; both must be of this inventory."""
    old, new = _Told(before), _Told(after)
    shifts: list[Shift] = []
    alike = unknown = 0
    for account in sorted(_looked_at(old, new)):
        was, is_now = old.of(account), new.of(account)
        if sort := _sort(was, is_now):
            shifts.append(_shift(account, sort, was, is_now, inventory))
        else:
            alike += was.touched
    shifted = {one.account for one in shifts}
    for account, disposition in after.dispositions.items():
        if disposition.state == "unknown" and account not in shifted:
            unknown += 1
    return Comparison(before, after, tuple(shifts), alike, unknown)


class _Told:
    """A plan by user."""

    def __init__(self, plan: Plan) -> None:
        self.dispositions = plan.dispositions
        self._changes = _by_user((one.user, one) for one in plan.changes)
        self._handoffs = _by_user((one.user, one) for one in plan.handoffs)
        self._pending = _by_user((one.change.user, one) for one in plan.pending)
        self._stages = _by_user((one.user, one) for one in plan.lifecycle)
        self.named = {*self._changes, *self._handoffs, *self._pending, *self._stages}

    def of(self, account: str) -> Treatment:
        return Treatment(
            disposition=self.dispositions.get(account),
            changes=tuple(self._changes.get(account, ())),
            handoffs=tuple(self._handoffs.get(account, ())),
            pending=tuple(self._pending.get(account, ())),
            stages=tuple(self._stages.get(account, ())),
        )


def _by_user(rows: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for user, row in rows:
        found.setdefault(user, []).append(row)
    return found


def _looked_at(old: _Told, new: _Told) -> Iterator[str]:
    """Everybody of whom a plan has a row, or whose disposition is not the same; nearly everybody is left out."""
    named = old.named | new.named
    yield from named
    for account, disposition in old.dispositions.items():
        if account not in named and disposition != new.dispositions.get(account):
            yield account


def _sort(was: Treatment, is_now: Treatment) -> Sort | None:
    """``None``: the same both times."""
    if was.touched != is_now.touched:
        return "added" if is_now.touched else "dropped"
    if was.touched:
        return "moved" if was.rows != is_now.rows else None
    return "untouched" if (was.fate, _due(was), was.rows) != (is_now.fate, _due(is_now), is_now.rows) else None


def _due(one: Treatment) -> datetime | None:
    return one.disposition.due if one.disposition else None


def _shift(account: str, sort: Sort, was: Treatment, is_now: Treatment, inventory: Inventory) -> Shift:
    user = inventory.user_by_id.get(account)
    if user is None:  # somebody who is to be invited
        return Shift(account=account, sort=sort, before=was, after=is_now)
    groups = inventory.group_by_id
    return Shift(
        account=account,
        sort=sort,
        before=was,
        after=is_now,
        department=dict(user.attributes).get(DEPARTMENT),
        domain=user.domain,
        groups=None if user.groups is None else tuple(groups[one].name for one in user.groups),
    )


def _failing_alone(plan: Plan, other: Plan) -> tuple[Check, ...]:
    """The checks that fail in this plan and not in the other one."""
    known = {one.name for one in other.checks if not one.passed}
    return tuple(one for one in plan.checks if not one.passed and one.name not in known)


def _blocked_alone(plan: Plan, other: Plan) -> tuple[str, ...]:
    """Sentences, told apart by the policy they begin with: where it stands in its file does not count."""
    known = {one.partition(" (")[0] for one in other.blocked}
    return tuple(one for one in plan.blocked if one.partition(" (")[0] not in known)
