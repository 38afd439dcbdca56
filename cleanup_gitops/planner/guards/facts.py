"""Guards of single facts: which actions a plan may have, dates in the future, protected groups, bought seats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from cleanup_gitops.model.activity import IN_FUTURE, Activity, Seen
from cleanup_gitops.model.change import ACTIONS, Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Check, Seats
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.guardrails import Guardrails

CLOCKS = timedelta(days=1)
"""A date that lies further ahead of the reading than this is wrong; less may be the difference of two clocks."""
FEW_WRONG_DATES, PERCENT_WRONG_DATES = 3, 1
"""From so many users with a wrong date on, and above so many percent, no date of the site is trusted."""


def allow_checks(changes: Iterable[Change], guardrails: Guardrails) -> tuple[Check, ...]:
    """A check for each action that the plan has: whether a plan may have it at all."""
    planned = Counter(change.action for change in changes)
    found = []
    for action in (one for one in ACTIONS if planned[one]):
        passed = action in guardrails.allow
        wanted = ", ".join(one for one in ACTIONS if one in guardrails.allow or one == action)
        message = f"{planned[action]} planned, which Guardrails allow ({guardrails.where})"
        refusal = (
            f"{planned[action]} planned, which Guardrails do not allow ({guardrails.where});"
            f" if it is meant, write under spec of a Guardrails document: allow: [{wanted}]"
        )
        found.append(Check(name=f"allow:{action}", passed=passed, message=message if passed else refusal))
    return tuple(found)


def dates_check(inventory: Inventory) -> Check:
    """Dates in the future are data errors: who has one is left out, and many of them stop the plan.

    "Future" is counted from the reading, whatever day the ages of the plan are counted for.
    """
    latest = inventory.as_of + CLOCKS
    wrong = sum(_dated_ahead(user, latest) for user in inventory.users)
    few = wrong < FEW_WRONG_DATES or 100 * wrong <= PERCENT_WRONG_DATES * len(inventory.users)
    message = f"{wrong} of {len(inventory.users)} users have a date in the future"
    return Check(
        name="dates",
        passed=few,
        message=message if few else f"{message}: the site's dates, or the clock of this machine, cannot be trusted",
    )


def _dated_ahead(user: User, latest: datetime) -> bool:
    if user.added is not None and user.added > latest:
        return True
    if _ahead(user.seen, latest):
        return True
    for _, activity in user.elsewhere or ():  # noqa: SIM110 - asked about everybody, and a generator is dearer
        if _ahead(activity, latest):
            return True
    return False


def _ahead(activity: Activity, latest: datetime) -> bool:
    return activity.latest > latest if type(activity) is Seen else activity == IN_FUTURE


def protection_check(missing: tuple[str, ...]) -> Check:
    """A protection that names a group the site does not have protects nobody, so nothing may be applied."""
    return Check(
        name="protected-groups",
        passed=not missing,
        message=(
            f"protected groups that this site does not have: {', '.join(missing)}"
            if missing
            else "every protected group exists"
        ),
    )


def seat_checks(seats: Seats, taken: int) -> tuple[Check, ...]:
    """A plan may not take more seats than the license has. ``taken`` counts users who may occupy a seat now too.

    Who of several gets the last seat is not decided here. No check where the site does not tell the limit.
    """
    if seats.limit is None:
        return ()
    more = seats.after - seats.before
    passed = more <= 0 or taken + more <= seats.limit
    return (
        Check(
            name="seats",
            passed=passed,
            message=(
                f"{taken} of {seats.limit} seats are taken, the plan frees or needs none"
                if more <= 0
                else f"{taken} of {seats.limit} seats are taken, the plan needs {more} more"
            ),
        ),
    )
