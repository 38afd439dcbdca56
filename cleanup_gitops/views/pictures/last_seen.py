"""Users by the days since their last use, counted as policies count them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cleanup_gitops.model.activity import LAG_DAYS, Never, Seen
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.tree import InactiveFor, asked_for
from cleanup_gitops.views.pictures.values import Bar, LastSeen, Threshold
from cleanup_gitops.views.words import counted

_WIDTHS = (30, 15, 10, 7, 60, 90, 180, 365)
"""Days of a bar, the most wanted first."""
_FEWEST, _MOST = 6, 20
"""Bars before the last one, where thresholds split none."""
_USUAL_END = 180
"""Days before the last bar begins; half as many again as those of the longest threshold, where that is more."""


def thresholds_of(policies: Iterable[Policy]) -> tuple[Threshold, ...]:
    """The days without a use of Confluence that bring somebody into a policy or one of its stages, fewest first.

    Conditions that keep people out are left out, and so are those about another product.
    """
    found: dict[int, set[str]] = {}
    for policy in policies:
        for match in policy.conditions:
            for one in asked_for(match):
                if isinstance(one, InactiveFor) and one.product in ("confluence", "any"):
                    found.setdefault(one.days, set()).add(policy.name)
    return tuple(Threshold(days, tuple(sorted(names))) for days, names in sorted(found.items()))


def last_seen(users: Iterable[User], as_of: datetime, thresholds: Sequence[Threshold] = ()) -> LastSeen:
    """Each user in one place: the bar of the fewest days that have passed since the last use, never, or unknown.

    The bars to the right of a threshold hold those, and only those, whose last use is surely more than its days ago.
    """
    ends = _ends([one.days for one in thresholds])
    counts, reaching = [0] * (len(ends) + 1), [0] * (len(ends) + 1)
    never = unknown = 0
    today = as_of.astimezone(UTC).toordinal()
    for user in users:
        match user.seen:
            case Seen() as seen:
                at = bisect_left(ends, _days(today, seen.latest, seen))
                counts[at] += 1
                reaching[at] += bisect_left(ends, _days(today, seen.earliest, seen)) > at
            case Never():
                never += 1
            case _:
                unknown += 1
    firsts = [0, *(end + 1 for end in ends)]
    bars = [Bar(*row) for row in zip(firsts, [*ends, None], counts, reaching, strict=True)]
    return LastSeen(tuple(bars), never, unknown, tuple(thresholds))


def about(
    users: Sequence[User], as_of: datetime, more: str = "", undecided: int | None = None, *, unknown: bool = False
) -> str:
    """Who they are, for below a title. ``more`` goes on after the time.

    ``undecided``: conditions were asked for, and of so many users it is not known whether they meet them; ``unknown``:
    these are the users.
    """
    at = as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    billed = sum(1 for user in users if user.billed)
    lines = [f"{counted(len(users), 'user')} at {at}, {billed:,} of them with a paid seat{more}."]
    if unknown:
        lines.append("Those of whom it is not known whether they meet the conditions asked for.")
    elif undecided is not None:
        rest = f"; of {counted(undecided, 'more user')} that is not known" if undecided else ""
        lines.append(f"Those who meet the conditions asked for{rest}.")
    return "\n".join(lines)


def _days(today: int, at: datetime, seen: Seen) -> int:
    """Between the two UTC dates, after the lag of the source."""
    return today - at.astimezone(UTC).toordinal() - LAG_DAYS[seen.source]


def _ends(thresholds: Sequence[int]) -> list[int]:
    """The last days of all bars but the one without an end: equal steps, and every threshold beside them."""
    longest = max(thresholds, default=0)
    end = max(_USUAL_END, longest * 3 // 2)
    able = [width for width in _WIDTHS if _FEWEST <= -(-end // width) <= _MOST] or [-(-end // _MOST)]
    width = min(able, key=lambda one: sum(1 for days in thresholds if days % one))
    regular = range(width, -(-end // width) * width + 1, width)
    return sorted({*regular, *thresholds})
