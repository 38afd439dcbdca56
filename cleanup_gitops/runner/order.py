"""In which order changes are made: phases for all users together, and within a phase each user's own order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cleanup_gitops.model.change import Action, Change, MembershipAdd, execution_order
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.planner.assume import assume_user

Errand = tuple[tuple[int, Change], ...]
"""What is to be done to one user in one phase: changes with their numbers, one after the other."""

_PHASES: Mapping[Action, int] = {
    "membership.add": 0,  # first, so that no group is empty and nobody without access in between
    "tokens.revoke": 1,
    "role.revoke": 1,
    "membership.remove": 1,
    "user.disable": 2,  # after the release of seats: a closed account cannot be changed everywhere
    "user.deactivate": 2,
    "user.enable": 4,  # takes a seat, so it comes after all that give one back
    "user.invite": 4,
    "user.remove": 5,
    "user.delete": 5,  # last of what the site does: there is no way back
    "notice.send": 6,  # a relay that is slow or fails holds up nothing
}
_TAKES_A_SEAT = 3
"""When an addition is made for which a seat must be given back first."""


def phases(changes: Iterable[Change], site: Inventory) -> tuple[tuple[Errand, ...], ...]:
    """All changes: a phase begins when the one before is through, the errands in it may be run side by side.

    Numbers count from 1 in the order of ``model.change.execution_order``. A change never comes in an earlier phase than
    the one before it of the same user.
    """
    ordered = sorted(changes, key=execution_order)
    waiting = _waiting(ordered, site)
    reached: dict[str, int] = {}
    found: dict[int, dict[str, list[tuple[int, Change]]]] = {}
    for number, change in enumerate(ordered, start=1):
        wished = _TAKES_A_SEAT if number in waiting else _PHASES[change.action]
        phase = reached[change.user] = max(wished, reached.get(change.user, 0))
        found.setdefault(phase, {}).setdefault(change.user, []).append((number, change))
    return tuple(tuple(map(tuple, found[phase].values())) for phase in sorted(found))


def _waiting(ordered: Sequence[Change], site: Inventory) -> set[int]:
    """Numbers of the additions that take a seat, when not enough are free for all who get one."""
    users = site.user_by_id
    takers: dict[int, str] = {}
    for number, change in enumerate(ordered, start=1):
        user = users.get(change.user)
        if user is None or user.billed or not isinstance(change, MembershipAdd):
            continue
        if assume_user(user, [change], site).billed:
            takers[number] = change.user
    free = None if site.seat_limit is None else site.seat_limit - site.seats_taken
    return set(takers) if free is not None and len(set(takers.values())) > free else set()
