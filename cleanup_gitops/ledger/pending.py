"""What memory keeps for standing approvals: which rows are pending since when, and how many were made on which day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime

from cleanup_gitops.model.memory import Daily, Remembered, Waiting
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import ACCEPTED, FINISHED, Approval, Outcome
from cleanup_gitops.model.standing import COVERED


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
