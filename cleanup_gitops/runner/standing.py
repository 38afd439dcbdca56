"""Which rows of a plan a run may carry out because their policies were approved as a whole. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import Approvals, Missing, covers, joint
from cleanup_gitops.policy.documents import Policy, Standing
from cleanup_gitops.runner.later import TIMED, Left, behind_gifts, for_others, leaves, unsettled


@dataclass(frozen=True, slots=True)
class StandingChoice:
    """Rows that may be carried out now, in the order of the plan, and the others."""

    changes: tuple[Change, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """A row whose soak is over: since when it has been pending for all policies that ask for it."""

    change: Change
    since: datetime
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows of one user, when each of them is ready: they are taken together or left together."""

    rows: tuple[Ready, ...]

    @property
    def order(self) -> tuple[datetime, str]:
        """Since when all of them have been pending, then their first address."""
        return max(one.since for one in self.rows), min(one.change.address for one in self.rows)

    @property
    def needs(self) -> Counter[str]:
        """How many changes they take from the day of each policy."""
        return Counter(name for one in self.rows for name in one.policies)


def choose_standing(
    plan: Plan,
    policies: Iterable[Policy],
    approvals: Approvals,
    memory: Memory,
    now: datetime,
    wait: Callable[[Change], Left | None] = lambda _change: None,
) -> StandingChoice:
    """What a run that begins now (UTC) may do without anybody's look at the plan, within the limits of each policy.

    A row needs all policies that ask for it: standing, approved, recorded as pending for long enough, and below what
    they may do on the UTC day of ``now``. ``wait`` tells of a row that has all this why it waits for its time. The rows
    of one user belong together, because half of them may take access that the other half gives back: one that has to
    wait holds up the others, and a day's maximum takes a user whole or not at all. Of somebody who leaves each row
    stands for itself, because nothing is given. One that waits for its time holds up what takes, if it gives. The
    user whose rows have all been pending longest comes first, then by address.
    """
    asking = tuple(one for one in policies if one.standing)
    rules = {one.name: one.standing for one in asking if one.standing}
    since = _since(asking, memory)
    before = unsettled(plan.changes, memory, now, reviewed=False)
    users: dict[str, list[Left | Ready]] = {}
    for digest, change in zip(plan.manifest, plan.changes, strict=True):
        judged = _judged(digest, change, rules, approvals, since, now)
        if isinstance(judged, Ready) and (early := before.get(change.address) or wait(change)):
            judged = early
        users.setdefault(change.user, []).append(judged)
    left: list[Left] = []
    wholes: list[Whole] = []
    for own in users.values():
        rows, timed = _in_time(own)
        left += timed
        ready = tuple(one for one in rows if isinstance(one, Ready))
        if len(ready) < len(rows) and all(leaves(one.change) for one in rows):
            left += [one for one in rows if isinstance(one, Left)]
        elif len(ready) < len(rows):
            left += _held_up(rows, rules, now)
            continue
        if ready:
            wholes.append(Whole(ready))
    taken, over = _within(wholes, rules, spent_on(memory, now), now)
    places = {change.address: place for place, change in enumerate(plan.changes)}
    changes = sorted((one.change for one in taken), key=lambda change: places[change.address])
    return StandingChoice(tuple(changes), tuple(sorted([*left, *over], key=lambda one: places[one.change.address])))


def _in_time(rows: Sequence[Left | Ready]) -> tuple[list[Left | Ready], list[Left]]:
    """The rows of a user that need not wait for their time, and those that do, or for one that gives something."""
    timed = [one for one in rows if isinstance(one, Left) and one.code in TIMED]
    behind = behind_gifts((one.change for one in rows if isinstance(one, Ready)), timed)
    others = [one for one in rows if one not in timed and one.change.address not in behind]
    return others, [*timed, *behind.values()]


def _since(policies: Iterable[Policy], memory: Memory) -> dict[tuple[str, str], datetime]:
    """Since when changes have been recorded as pending for these policies as they are now."""
    now = {one.name: one.digest for one in policies}
    return {(one.change, one.policy): one.since for one in memory.waiting if now.get(one.policy) == one.meaning}


def spent_on(memory: Memory, now: datetime) -> Counter[str]:
    """Changes that were made on the UTC day of ``now`` under standing approvals, by policy."""
    spent: Counter[str] = Counter()
    for one in memory.daily:
        if one.day == now.astimezone(UTC).date():
            spent[one.policy] += one.changes
    return spent


def _judged(
    digest: str,
    change: Change,
    rules: Mapping[str, Standing],
    approvals: Approvals,
    since: Mapping[tuple[str, str], datetime],
    now: datetime,
) -> Left | Ready:
    """Whether the row may be carried out as far as it alone is concerned."""
    names = tuple(dict.fromkeys(cause.policy for cause in change.causes))
    if by_plan := [name for name in names if name not in rules]:
        return Left(change, "not-approved", f"{', '.join(by_plan)} is approved plan by plan")
    if not names or not covers(change.action, change.causes):
        return Left(change, "not-approved", "no standing approval covers what cannot be put back")
    if missing := [name for name in names if not isinstance(approvals.get(name), Approval)]:
        return Left(change, "not-approved", f"no approval of {', '.join(missing)} counts")
    started = [since.get((digest, name), None if rules[name].after else now) for name in names]
    recorded = [one for one in started if one is not None]
    if len(recorded) != len(started):
        hours = max(rules[name].after for name in names) // timedelta(hours=1)
        waits = "an hour" if hours == 1 else f"{hours} hours"
        return Left(change, "soak", f"not recorded as pending yet, due {waits} after a run has done that")
    until = max(begun + rules[name].after for name, begun in zip(names, recorded, strict=True))
    if until > now:
        return Left(change, "soak", f"pending since {max(recorded):%Y-%m-%d %H:%M} UTC", until)
    return Ready(change, max(recorded), names)


def _held_up(rows: Iterable[Left | Ready], rules: Mapping[str, Standing], now: datetime) -> list[Left]:
    """The rows of a user of which one at least has to wait: what is ready waits for the one that waits longest."""

    def rank(one: Left) -> tuple[bool, datetime]:
        afters = [rules[cause.policy].after for cause in one.change.causes if cause.policy in rules]
        return one.code in ("not-approved", "doubtful"), one.until or now + max(afters, default=timedelta())

    worst = max((one for one in rows if isinstance(one, Left)), key=rank)
    return [
        one
        if isinstance(one, Left)
        else replace(worst, change=one.change, why=for_others(worst.why), behind=worst.change)
        for one in rows
    ]


def _within(
    wholes: Iterable[Whole], rules: Mapping[str, Standing], spent: Counter[str], now: datetime
) -> tuple[list[Ready], list[Left]]:
    """The rows of the users that still fit into the day of each of their policies, and those of the others."""
    used = Counter(spent)
    taken: list[Ready] = []
    over: list[Left] = []
    tomorrow = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)
    for whole in sorted(wholes, key=lambda one: one.order):
        needs = whole.needs
        full = [name for name, number in needs.items() if used[name] + number > rules[name].max_per_day]
        never = [name for name in full if needs[name] > rules[name].max_per_day]
        if not full:
            used.update(needs)
            taken += whole.rows
            continue
        why = _too_many(never, needs) if never else _full(full, rules, len(whole.rows))
        until = None if never else tomorrow
        over += [Left(one.change, "daily-maximum", why, until) for one in whole.rows]
    return taken, over


def _too_many(names: Iterable[str], needs: Counter[str]) -> str:
    """Why a user never fits into any day of these policies."""
    numbers = ", ".join(f"{needs[name]} changes for {name}" for name in names)
    return f"the user needs {numbers}, more than max_per_day allows: raise it or approve a plan"


def _full(names: Iterable[str], rules: Mapping[str, Standing], rows: int) -> str:
    most = ", ".join(f"{rules[name].max_per_day} for {name}" for name in names)
    if rows > 1:
        return f"what is left of the changes of this day is too little for the {rows} of this user: {most}"
    return f"the changes of this day are used up: {most}"


def needed(changes: Iterable[Change], approvals: Approvals) -> dict[str, Approval]:
    """The approvals under which these rows are carried out, by policy."""
    names = {cause.policy for change in changes for cause in change.causes}
    return {name: one for name, one in sorted(approvals.items()) if name in names and isinstance(one, Approval)}


def approval_of_run(plan: Plan, used: Mapping[str, Approval]) -> Approval:
    """The approval of a whole run: all keys that its rows need, for this plan."""
    keys = joint(used.values()).by if used else ""
    return Approval(kind="standing", by=keys, at=plan.created, ref=plan.envelope)


def nothing_approved(choice: StandingChoice, policies: Iterable[Policy], approvals: Approvals) -> bool:
    """Whether there are rows of policies with a standing approval, and none of these policies is approved."""
    standing = {one.name for one in policies if one.standing}
    asking = {cause.policy for one in choice.left for cause in one.change.causes} & standing
    asking |= {cause.policy for change in choice.changes for cause in change.causes}
    return bool(asking) and all(isinstance(approvals.get(name), Missing) for name in asking)


def dated(left: Iterable[Left], policies: Iterable[Policy], memory: Memory) -> tuple[Left, ...]:
    """The same rows once the run is recorded: what it was the first to record has a time from which on it is due."""
    asking = tuple(one for one in policies if one.standing)
    rules = {one.name: one.standing for one in asking if one.standing}
    since = _since(asking, memory)
    found = []
    for one in left:
        waits = one.behind or one.change
        digest = change_digest(waits) if one.code == "soak" else ""
        ends = [
            begun + rules[cause.policy].after
            for cause in waits.causes
            if cause.policy in rules and (begun := since.get((digest, cause.policy)))
        ]
        why = for_others("recorded as pending") if one.behind else "recorded as pending"
        found.append(replace(one, why=why, until=max(ends)) if ends and not one.until else one)
    return tuple(found)


def with_notes(
    plan: Plan,
    policies: Sequence[Policy],
    choice: StandingChoice,
    wait: Callable[[Change], Left | None] = lambda _change: None,
) -> Plan:
    """The same plan, with notes: at rows of a standing policy what a run without a saved plan would do with them.

    And at all others why a run would leave them for their time, as ``wait`` tells.
    """
    standing = {one.name for one in policies if one.standing}
    left = {one.change.address: one for one in choice.left}
    changes = []
    for change in plan.changes:
        if any(cause.policy in standing for cause in change.causes):
            changes.append(_noted(change, f"standing approval: {_words(left.get(change.address))}"))
        else:
            waits = wait(change)
            changes.append(_noted(change, f"{waits.code}: {waits.why}") if waits else change)
    return msgspec.structs.replace(plan, changes=tuple(changes))


def _noted(change: Change, note: str) -> Change:
    return msgspec.structs.replace(change, note=f"{change.note}; {note}" if change.note else note)


def _words(left: Left | None) -> str:
    match left:
        case None:
            return "due"
        case Left(code="not-approved"):
            return f"not approved, {left.why}"
        case Left(code="settling" | "doubtful", behind=None):
            return "left until that is clear"  # the row says it already
        case _:
            return f"{left.why}, due from {left.until:%Y-%m-%d %H:%M} UTC" if left.until else left.why


def warnings(approvals: Approvals) -> tuple[str, ...]:
    """A sentence for each policy that waits for an approval."""
    return tuple(
        f"{name} has no standing approval: {one.why}. {one.todo}".strip()
        for name, one in sorted(approvals.items())
        if isinstance(one, Missing)
    )
