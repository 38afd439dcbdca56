"""Why conditions cannot be decided: which single one, and for want of what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cleanup_gitops.model.activity import Seen, Unknown
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.finding import not_kept
from cleanup_gitops.policy.match import Explanation
from cleanup_gitops.policy.tree import ActiveOnlyOnce, InactiveFor, InStatusFor, NeverActiveFor

WEEK_ALONE = "of the last use the week alone was kept"
ELSEWHERE = not_kept("use of other products")


@dataclass(frozen=True, slots=True)
class Undecided:
    """A condition that cannot be decided, why, and of how many users."""

    asked: str
    reason: str
    users: int


def count_undecided(explained: Iterable[tuple[Explanation, User]], *, recorded: bool) -> tuple[Undecided, ...]:
    """Each user counts once for each condition and reason; the most first. ``recorded``: see ``reasons_of``."""
    found: dict[tuple[str, str], set[str]] = {}
    for one, user in explained:
        for key in reasons_of(one, user, recorded=recorded):
            found.setdefault(key, set()).add(user.id)
    rows = (Undecided(asked, why, len(users)) for (asked, why), users in found.items())
    return tuple(sorted(rows, key=lambda one: (-one.users, one.asked, one.reason)))


def reasons_of(one: Explanation, user: User, *, recorded: bool) -> Iterator[tuple[str, str]]:
    """The single conditions that are not known of the user, and why; what is different for each user is left out.

    ``recorded``: the user stands in a snapshot, and what is not known may just not have been kept.
    """
    if one.verdict is not None:
        return
    if one.children:
        for child in one.children:
            yield from reasons_of(child, user, recorded=recorded)
    elif isinstance(one.asks, InactiveFor | NeverActiveFor | ActiveOnlyOnce):
        yield one.asked, _of_use(one.asks, user, recorded=recorded) or one.detail
    elif isinstance(one.asks, InStatusFor) and (user.status_since or user.status_by):
        yield one.asked, "since when the status is so is not known to the day"
    else:
        yield one.asked, one.detail


def _of_use(asked: InactiveFor | NeverActiveFor | ActiveOnlyOnce, user: User, *, recorded: bool) -> str:
    """What is not known of the use; "" where something else is the reason."""
    product = asked.product if isinstance(asked, InactiveFor) else "confluence"
    if product in ("any", "confluence") and isinstance(user.seen, Unknown):
        return f"last use not known: {user.seen.reason}"
    if product != "confluence" and user.elsewhere is None:
        return ELSEWHERE if recorded else "use of other products not known"
    if not user.uses(product):
        return f"use of {product} not known: not listed for the user"
    if unknown := sorted({one.reason for one in user.uses(product) if isinstance(one, Unknown)}):
        return f"use of other products not known: {', '.join(unknown)}"
    if user.added is None:
        return "not known when the account was added"
    if any(isinstance(one, Seen) and one.earliest != one.latest for one in user.uses(product)):
        return WEEK_ALONE if recorded else "of the last use the day is not known"
    return ""
