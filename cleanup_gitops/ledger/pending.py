"""What memory keeps for policies: which rows are pending since when, how many were made on which day, what is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime

from msgspec import Struct

from cleanup_gitops.model.memory import Daily, Handed, Protected, Remembered, Served, Spent, Waiting
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import ACCEPTED, FINISHED, Approval, Outcome
from cleanup_gitops.model.standing import COVERED


class Terms(Struct, frozen=True, kw_only=True):
    """What the policies of a run say of themselves, as far as memory depends on it.

    ``standing`` have a standing approval, ``once`` are to act once and have not yet: both with digests of what they
    mean. ``scheduled`` have a schedule; those in ``served`` need no other run for the times that have passed.
    ``protected`` is what Protection documents say.
    """

    standing: Mapping[str, str] = {}
    once: Mapping[str, str] = {}
    scheduled: Collection[str] = ()
    served: Collection[str] = ()
    protected: Collection[Protected] = ()


def with_waiting(
    lines: Iterable[Remembered],
    plan: Plan,
    outcomes: Iterable[Outcome],
    standing: Mapping[str, str] | None,
    at: datetime,
) -> list[Remembered]:
    """The lines with what waits after a run that was recorded at this time (UTC).

    A row waits as long as each run plans it, none finishes it and its policies mean the same, and only when all of
    these are among ``standing``, which maps names to digests of what they mean. With ``None`` nothing new waits, and
    what waited goes on: nothing was planned.
    """
    done = {one.change for one in outcomes if one.result in FINISHED}
    kept: list[Remembered] = []
    before: dict[tuple[str, str, str], Waiting] = {}
    for line in lines:
        if isinstance(line, Waiting):
            before[line.change, line.policy, line.meaning] = line
        else:
            kept.append(line)
    if standing is None:
        return [*kept, *(one for one in before.values() if one.change not in done)]
    for digest, change in zip(plan.manifest, plan.changes, strict=True):
        names = {cause.policy for cause in change.causes}
        if digest in done or change.action not in COVERED or not names <= set(standing):
            continue
        for name in sorted(names):
            new = Waiting(change=digest, policy=name, since=at, meaning=standing[name])
            kept.append(before.get((digest, name, new.meaning), new))
    return kept


def with_daily(
    lines: Iterable[Remembered],
    outcomes: Iterable[Outcome],
    approvals: Mapping[str, Approval],
    unsure: Collection[str],
) -> list[Remembered]:
    """The lines with what this run made under these standing approvals, by policy and day.

    What the site accepted counts on the day on which it was sent, and so does what may have been sent (``unsure``).
    """
    made: Counter[tuple[date, str]] = Counter()
    for one in outcomes:
        if one.result in ACCEPTED or one.change in unsure:
            day = one.at.astimezone(UTC).date()
            made.update((day, name) for name in {cause.policy for cause in one.causes} & approvals.keys())
    kept: list[Remembered] = []
    for line in lines:
        if isinstance(line, Daily) and made[line.day, line.policy]:
            made[line.day, line.policy] += line.changes
        else:
            kept.append(line)
    return [*kept, *(Daily(policy=name, day=day, changes=number) for (day, name), number in made.items() if number)]


def with_spent(
    lines: Iterable[Remembered],
    plan: Plan,
    outcomes: Iterable[Outcome],
    once: Mapping[str, str],
    run: str,
    at: datetime,
) -> list[Remembered]:
    """The lines with the policies that act once (by name, with their digests) and of which this run left nothing.

    Left is what was planned or tried and not finished, what waits, and everything of a policy that is blocked. What
    others have to do, and users of whom too little is known, are not waited for.
    """
    outcomes = tuple(outcomes)
    finished = {one.change for one in outcomes if one.result in FINISHED}
    rows = [change for digest, change in zip(plan.manifest, plan.changes, strict=True) if digest not in finished]
    left = {cause.policy for change in (*rows, *(one.change for one in plan.pending)) for cause in change.causes}
    left |= {cause.policy for one in outcomes if one.result not in FINISHED for cause in one.causes}
    left |= {name for name in once if any(line.startswith(f"{name} (") for line in plan.blocked)}
    kept = list(lines)
    known = {(one.policy, one.digest) for one in kept if isinstance(one, Spent)}
    return [
        *kept,
        *(
            Spent(policy=name, digest=digest, run=run, at=at)
            for name, digest in sorted(once.items())
            if name not in left and (name, digest) not in known
        ),
    ]


def with_handed(lines: Iterable[Remembered], plan: Plan, at: datetime) -> list[Remembered]:
    """The lines with how many rows the lists and rosters of this plan have, in place of those of earlier runs.

    Where the number is the same, the line stays as it is: that is no news.
    """
    kept: list[Remembered] = []
    before: dict[tuple[str, int], Handed] = {}
    for line in lines:
        if isinstance(line, Handed):
            before[line.name, line.rows] = line
        else:
            kept.append(line)
    now = {(one.name, one.rows) for one in plan.inputs.lists or ()}
    return [*kept, *(before.get(key) or Handed(name=key[0], rows=key[1], at=at) for key in sorted(now))]


def with_protected(lines: Iterable[Remembered], terms: Terms) -> list[Remembered]:
    """The lines with what is protected now, in place of what was."""
    return [*(one for one in lines if not isinstance(one, Protected)), *terms.protected]


def with_served(lines: Iterable[Remembered], terms: Terms, at: datetime) -> list[Remembered]:
    """The lines with, for each policy that has a schedule, up to when (UTC) its times need no run any more.

    ``at`` is when the run began. A schedule that is new counts from there.
    """
    kept: list[Remembered] = []
    before: dict[str, Served] = {}
    for line in lines:
        if isinstance(line, Served):
            before[line.policy] = line
        else:
            kept.append(line)
    fresh = {name: Served(policy=name, at=at) for name in terms.scheduled}
    return [*kept, *(line if name in terms.served else before.get(name, line) for name, line in sorted(fresh.items()))]
