"""What a site does with one user's facts when something is written: pure rules behind `FakeSite`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserInvite,
    UserRemove,
)
from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.user import UNNAMED_ROLE, GroupSeat, Lifecycle, Question, RoleSeat, SeatPath, User

Groups = Mapping[str, Group]
ROLES = {"user": "seat", "admin": "seat", "guest": "guest"}
"""Roles in Confluence that give a license."""


def told(user: User, groups: Groups) -> User:
    """The user as a reading of the whole site shows it, which asks nobody one by one."""
    hidden = replace(user, lifecycle=None, tokens=None, direct=None)
    if user.seats is None:
        return hidden
    if not any(_gives_a_role(groups[one]) for one in user.groups or ()):
        role = "guest" if user.license == "guest" else UNNAMED_ROLE
        return replace(hidden, seats=(RoleSeat(role),) if user.seats else ())
    return licensed(hidden, tuple(path for path in user.seats if isinstance(path, GroupSeat)), groups)


def answered(user: User, truth: User, question: Question) -> User:
    """The user with the answer to one question."""
    match question:
        case "roles":
            return replace(user, direct=truth.direct, seats=truth.seats, license=truth.license)
        case "lifecycle":
            return replace(user, lifecycle=truth.lifecycle)
        case "tokens":
            return replace(user, tokens=truth.tokens)
        case "content":
            return replace(user, seen=truth.seen)
        case "products":
            return replace(user, elsewhere=truth.elsewhere)


def unanswered(user: User, question: Question) -> User:
    """The user when a question was not answered."""
    match question:
        case "roles":
            return replace(user, direct=None)
        case "lifecycle":
            return replace(user, lifecycle=None)
        case "tokens":
            return replace(user, tokens=None)
        case "content":
            return replace(user, seen=Unknown("authorship was not answered"))
        case "products":
            return replace(user, elsewhere=None)


def check(change: Change, user: User, groups: Groups) -> None:
    """Raises `RefusedError` for what the site does not do."""
    life = user.lifecycle or Lifecycle()
    match change:
        case MembershipAdd() | MembershipRemove():
            _check_membership(change, user, groups)
        case UserDisable() | UserRemove():
            if user.writable is False:
                raise RefusedError(f"The status of {user.id} cannot be changed here.")
        case UserEnable():
            _check_opening(change, user)
        case UserDeactivate():
            _check_managed(user, life.enablement)
        case UserDelete():
            _check_managed(user, life.deletion)
        case TokenRevoke():
            _check_managed(user, "")
            if change.token not in (user.tokens or ()):
                raise RefusedError(f"{user.id} has no such token.")
        case RoleRevoke() | NoticeSend():
            pass  # a role that is not held is no error


def _check_membership(change: MembershipAdd | MembershipRemove, user: User, groups: Groups) -> None:
    group = groups.get(change.group)
    if group is None:
        raise RefusedError(f"The site does not know the group {change.group}.")
    if group.modifiable is False:
        raise RefusedError(f"The group {change.group} cannot be changed here.")
    member = change.group in (user.groups or ())
    if member == isinstance(change, MembershipAdd):
        raise RefusedError(f"{change.user} is {'already' if member else 'not'} a member of {change.group}.")


def _check_opening(change: UserEnable, user: User) -> None:
    if change.old in ("deactivated", "deleting"):
        life = user.lifecycle or Lifecycle()
        _check_managed(user, life.enablement if change.old == "deactivated" else life.deletion)
        if user.status not in (change.old, change.new):
            raise RefusedError(f"{user.id} is {user.status}, not {change.old}.")
        if change.old == "deleting" and user.status != change.old:
            raise RefusedError(f"The deletion of {user.id} was not asked for.")
    elif user.writable is False:
        raise RefusedError(f"The status of {user.id} cannot be changed here.")
    elif change.old not in ("suspended", "disabled"):
        raise RefusedError(f"An account that is {change.old} cannot be opened.")


def _check_managed(user: User, restriction: str | None) -> None:
    if user.managed is not True:
        raise RefusedError(f"The organization does not manage {user.id}.")
    if restriction:
        raise RefusedError(f"The site refuses it for {user.id} ({restriction}).")


def after(change: Change, user: User, groups: Groups) -> User | None:
    """The user when the change has taken effect; ``None`` when it is gone."""
    match change:
        case UserRemove():
            return None
        case UserDeactivate() | UserDelete() | UserDisable() | UserEnable():
            return replace(user, status=change.new, status_since=None)
        case MembershipAdd():
            return joined(user, groups[change.group], groups)
        case MembershipRemove():
            return parted(user, change.group, groups)
        case RoleRevoke():
            direct = tuple(one for one in user.direct or () if one != change.role)
            paths = tuple(path for path in user.seats or () if path != RoleSeat(change.role))
            return licensed(replace(user, direct=direct), paths, groups)
        case TokenRevoke():
            return replace(user, tokens=tuple(one for one in user.tokens or () if one != change.token))
        case NoticeSend():
            return user
        case UserInvite():
            raise RefusedError("An invitation is no write.")


def joined(user: User, group: Group, groups: Groups) -> User:
    """The user as a member of one more group."""
    held = tuple(sorted({*(user.groups or ()), group.id}))
    paths = (*(user.seats or ()), *_paths(group, (group.id,), groups))
    return licensed(replace(user, groups=held), paths, groups)


def parted(user: User, group: str, groups: Groups) -> User:
    """The user as a member of one group less."""
    held = tuple(one for one in user.groups or () if one != group)
    paths = tuple(path for path in user.seats or () if not (isinstance(path, GroupSeat) and path.chain[0] == group))
    return licensed(replace(user, groups=held), paths, groups)


def given(user: User, role: str, groups: Groups) -> User:
    """The user with one more role held directly."""
    direct = tuple(sorted({*(user.direct or ()), role}))
    paths = (*(user.seats or ()), RoleSeat(role)) if role in ROLES else user.seats or ()
    return licensed(replace(user, direct=direct), paths, groups)


def licensed(user: User, paths: tuple[SeatPath, ...], groups: Groups) -> User:
    """The best license of all ways, and all ways: groups first, each in order."""
    if user.license == "unknown" or user.seats is None:
        return user
    classes = {_class(path, groups) for path in paths}
    by_group = sorted((path for path in set(paths) if isinstance(path, GroupSeat)), key=lambda path: path.chain)
    by_role = sorted((path for path in set(paths) if isinstance(path, RoleSeat)), key=lambda path: path.role)
    seats = (*by_group, *by_role)
    return replace(user, license="seat" if "seat" in classes else "guest" if paths else "none", seats=seats)


def _paths(group: Group, chain: tuple[str, ...], groups: Groups) -> Iterator[GroupSeat]:
    """Ways from a group, through the groups that it is nested in, to groups that give a license."""
    if group.license in ("seat", "guest"):
        yield GroupSeat(chain)
    for parent in group.parents:
        if parent not in chain:
            yield from _paths(groups[parent], (*chain, parent), groups)


def _class(path: SeatPath, groups: Groups) -> str:
    if isinstance(path, GroupSeat):
        return groups[path.chain[-1]].license
    return ROLES.get(path.role, "seat") if isinstance(path, RoleSeat) else "seat"


def _gives_a_role(group: Group) -> bool:
    return group.grants is None or any(grant.product == "confluence" for grant in group.grants)
