"""Changes of roles, groups and accounts; suspending and memberships are the state's own."""

from __future__ import annotations

from cleanup_gitops.sandbox.state import PLATFORM, SEAT_ROLES, State
from cleanup_gitops.sandbox.world import Group, User

ADMIN_ROLES = frozenset({"atlassian/admin", "atlassian/site-admin", "atlassian/org-admin"})
PLATFORM_ROLES = frozenset(
    {"atlassian/org-admin", "atlassian/site-admin", "atlassian/user-access-admin", "atlassian/ai-access"}
)


def give_role(state: State, user: User, resource: str, role: str) -> None:
    """Give the user a direct role on the resource with that name."""
    held = user.roles.setdefault(resource, [])
    if role not in held:
        held.append(role)
    if state.resources[resource].owner == PLATFORM:
        give_platform_role(user, role)
    state.forget_holders()


def take_role(state: State, user: User, resource: str, role: str) -> None:
    """Take a direct role from the user; what groups give stays."""
    held = [item for item in user.roles.get(resource, []) if item != role]
    user.roles = {name: roles for name, roles in {**user.roles, resource: held}.items() if roles}
    if state.resources[resource].owner == PLATFORM and role not in state.roles(user).get(resource, set()):
        take_platform_role(user, role)
    state.forget_holders()


def give_platform_role(user: User, role: str) -> None:
    """Give the user a role in the organization."""
    if role in PLATFORM_ROLES and role not in user.platform_roles:
        user.platform_roles = [*user.platform_roles, role]


def take_platform_role(user: User, role: str) -> None:
    """Take a role in the organization from the user."""
    user.platform_roles = [item for item in user.platform_roles if item != role]


def give_group_role(state: State, group: Group, resource: str, role: str) -> None:
    """All members of the group get the role."""
    group.roles = {**group.roles, resource: [*group.roles.get(resource, []), role]}
    state.forget_holders()


def take_group_role(state: State, group: Group, resource: str, role: str) -> None:
    """No member has the role from this group any more."""
    left = {**group.roles, resource: [item for item in group.roles.get(resource, []) if item != role]}
    group.roles = {name: roles for name, roles in left.items() if roles}
    if group.default_roles.get(resource) == role:
        group.default_roles = {name: item for name, item in group.default_roles.items() if name != resource}
    state.forget_holders()


def remove_from_directory(state: State, user: User, directory: str) -> None:
    """The user is in the directory no more, nor in its groups; without any directory all roles are lost."""
    user.directories = {name: status for name, status in user.directories.items() if name != directory}
    for group_id in [item for item in user.groups if state.groups[item].directory == directory]:
        state.remove_member(user, group_id)
    if not user.directories:
        user.platform_roles, user.added = [], None
        state.set_roles(user, {})


def create_group(state: State, group: Group) -> None:
    """The group exists from now on."""
    state.world.groups.append(group)
    state.groups[group.id] = group
    state.members[group.id] = []
    state.group_ranks[group.id] = max(state.group_ranks.values(), default=-1) + 1


def delete_group(state: State, group: Group) -> None:
    """The group and what it granted exist no more; nothing where it is gone already."""
    if group.id not in state.groups:
        return
    for number in list(state.members[group.id]):
        state.remove_member(state.world.users[number], group.id)
    state.world.groups.remove(group)
    del state.groups[group.id], state.members[group.id], state.group_ranks[group.id]
    state.forget_holders()


def create_user(state: State, user: User) -> None:
    """The account exists from now on."""
    state.world.users.append(user)
    state.ordinals[user.id] = len(state.world.users) - 1
    joined, user.groups = user.groups, []
    for group_id in joined:
        state.add_member(user, group_id)
    state.forget_holders()
    state.sort_names()


def new_seats(state: State, users: list[User], resource: str, roles: list[str]) -> int:
    """How many seats more are in use when all of `users` get `roles` on the resource."""
    if not SEAT_ROLES.intersection(roles):
        return 0
    return sum(
        1
        for user in users
        if state.status(user) == "active" and not SEAT_ROLES & state.roles(user).get(resource, set())
    )


def has_room(state: State, resource: str, seats: int) -> bool:
    """Whether so many seats more fit into what was bought."""
    capacity = state.resources[resource].capacity
    return capacity is None or not seats or state.seats(resource) + seats <= capacity
