"""Changes of one user, as a plan would have them."""

from __future__ import annotations

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserRemove,
    membership_address,
    role_address,
    token_address,
    user_address,
)
from cleanup_gitops.model.user import Status, User


def remove(user: User, group: str) -> Change:
    address = membership_address(group, user.id, None)
    return MembershipRemove(address=address, user=user.id, directory=user.directory, group=group)


def add(user: User, group: str) -> Change:
    address = membership_address(group, user.id, None)
    return MembershipAdd(address=address, user=user.id, directory=user.directory, group=group)


def disable(user: User) -> Change:
    address = user_address(user.id, None)
    return UserDisable(address=address, user=user.id, directory=user.directory, old="active", new="suspended")


def enable(user: User, old: Status) -> Change:
    address = user_address(user.id, None)
    return UserEnable(address=address, user=user.id, directory=user.directory, old=old, new="active")


def deactivate(user: User) -> Change:
    address = user_address(user.id, None)
    return UserDeactivate(address=address, user=user.id, directory=user.directory, old=user.status, new="deactivated")


def take_out(user: User) -> Change:
    address = user_address(user.id, None)
    return UserRemove(address=address, user=user.id, directory=user.directory, old=user.status, new="absent")


def delete(user: User) -> Change:
    address = user_address(user.id, None)
    return UserDelete(address=address, user=user.id, directory=user.directory, old=user.status, new="deleting")


def revoke_role(user: User, role: str) -> Change:
    return RoleRevoke(address=role_address(role, user.id), user=user.id, directory=user.directory, role=role)


def revoke_token(user: User, token: str) -> Change:
    return TokenRevoke(address=token_address(user.id, token), user=user.id, directory=user.directory, token=token)
