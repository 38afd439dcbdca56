"""Why one user occupies a paid seat, and what would have to end before none is occupied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import DesiredStatus, MembershipRequirement, RoleRequirement, StatusRequirement
from cleanup_gitops.model.user import GrantSeat, GroupSeat, License, RoleSeat, SeatPath, User
from cleanup_gitops.planner.access import GONE
from cleanup_gitops.planner.assume import license_of
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.rules import make_rule
from cleanup_gitops.planner.settle import settle
from cleanup_gitops.planner.statuses import status_step
from cleanup_gitops.planner.unmet import Step, Unmet
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import Match

Hands = Literal["here", "elsewhere", "not", "unknown"]
"""Who can end something: a policy, somebody else (a handoff), no policy unless it says so, or nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatWay:
    """One way by which the license is held, what kind of license it gives, and who can end it.

    ``groups`` are the names of the groups of the chain, the user's own membership first; empty for a role or a
    permission. ``reason`` is a code for everything but "here".
    """

    path: SeatPath
    groups: tuple[str, ...]
    license: License
    hands: Hands
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedSeat:
    """``billed``: whether a paid seat is occupied now; ``None``: not known.

    ``ways`` is ``None`` where the site does not tell them. All that give a license have to end before the seat is free,
    or the account is closed: ``closing`` says who can suspend (Data Center: disable) it. ``doubts`` are codes for what
    is not known of further ways, or forbids to end these.
    """

    billed: bool | None
    ways: tuple[SeatWay, ...] | None
    closing: tuple[Hands, str] | None
    doubts: tuple[str, ...]


def explain_seat(user: User, scope: Scope) -> ExplainedSeat:
    """The seat of one user, as a policy that asks for ``product_access: absent`` would find it."""
    inventory = scope.inventory
    rule = make_rule(_NO_ACCESS, scope)
    settled = settle([rule], user)
    unmet = steps(settled, user, inventory)
    own = {one.requirement: one for one in unmet if one.requirement is not None}
    ways = None if user.seats is None else tuple(_way(path, user, own.values(), inventory) for path in user.seats)
    told = {way.reason for way in ways or ()}
    doubts = [one.reason for one in unmet if not isinstance(one, Step) and one.reason not in told]
    return ExplainedSeat(
        billed=user.billed,
        ways=ways,
        closing=None if user.billed is False else _closing(user, inventory),
        doubts=tuple(dict.fromkeys(doubts)),
    )


_NO_ACCESS = Policy(name="", owner="", why="", match=Match(), ensure=Ensure(no_access=True))


def _way(path: SeatPath, user: User, unmet: Iterable[Unmet], inventory: Inventory) -> SeatWay:
    hands, reason = _hands([one for one in unmet if _ends(one, path)], path, user)
    known = inventory.group_by_id
    groups: Sequence[str] = path.chain if isinstance(path, GroupSeat) else ()
    return SeatWay(
        path=path,
        groups=tuple(known[one].name if one in known else one for one in groups),
        license=license_of([path], inventory),
        hands=hands,
        reason=reason,
    )


def _ends(one: Unmet, path: SeatPath) -> bool:
    match one.requirement:
        case MembershipRequirement(group=group):
            return isinstance(path, GroupSeat) and path.chain[0] == group
        case RoleRequirement(role=role):
            return path == RoleSeat(role)
        case _:
            return False


def _hands(unmet: Sequence[Unmet], path: SeatPath, user: User) -> tuple[Hands, str]:
    """``seat-to-guest`` is about all ways together, and told beside them."""
    if isinstance(path, GrantSeat):
        return "not", "seat-by-permission"
    own = [one for one in unmet if isinstance(one, Step) or one.reason != "seat-to-guest"]
    if own:
        return _who(own[0])
    if user.status in GONE:
        return "not", f"account-{user.status}"
    return "unknown", "groups-unknown" if isinstance(path, GroupSeat) else "direct-roles-unknown"


def _who(one: Unmet) -> tuple[Hands, str]:
    if isinstance(one, Step):
        return ("elsewhere", one.handoff) if one.handoff else ("here", "")
    return ("unknown" if one.state == "unknown" else "not"), one.reason


def _closing(user: User, inventory: Inventory) -> tuple[Hands, str] | None:
    wanted: DesiredStatus = "suspended" if inventory.hosting == "cloud" else "disabled"
    found = status_step(StatusRequirement(wanted), user, inventory)
    return None if found is None else _who(found)
