"""Who and what matches a search."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from cleanup_gitops.sandbox.queries import GroupSearch, RoleFilter, UserFilter, UserSearch
from cleanup_gitops.sandbox.state import PLATFORM, State
from cleanup_gitops.sandbox.views import visible_address
from cleanup_gitops.sandbox.world import Group, Resource, User


def matching_users(
    state: State,
    wanted: UserFilter,
    directory: str | None,
    *,
    after: int = -1,
    order: Sequence[int] | None = None,
) -> Iterator[tuple[int, User]]:
    """(rank, user) of everybody who matches, by rank, from the first above `after`.

    The rank is the ordinal, or the place in `order`. `directory` None means all directories.
    Managed accounts in no directory are included, unless ``directoryIds`` narrows the search.
    """
    users = state.world.users
    accepts = _user_test(state, wanted, directory)
    if order is not None:
        for rank in range(after + 1, len(order)):
            user = users[order[rank]]
            if accepts(user):
                yield rank, user
        return
    candidates = _candidates(state, wanted)
    for place in range(bisect_left(candidates, after + 1), len(candidates)):
        user = users[candidates[place]]
        if accepts(user):
            yield candidates[place], user


def _candidates(state: State, wanted: UserFilter) -> Sequence[int]:
    """Ordinals, ascending, among which all matches are: the shortest list at hand."""
    if wanted.account_ids is not None:
        known = (state.ordinals.get(account) for account in wanted.account_ids)
        return sorted({ordinal for ordinal in known if ordinal is not None})
    if wanted.group_ids is not None:
        if len(wanted.group_ids) == 1:
            return state.members.get(wanted.group_ids[0], [])
        return sorted({n for g in wanted.group_ids for n in state.members.get(g, [])})
    if wanted.resource_ids is not None and len(wanted.resource_ids) == 1:
        name = state.names_by_ari.get(wanted.resource_ids[0])
        return [] if name is None else state.holders(name)
    return range(len(state.world.users))


def _user_test(state: State, wanted: UserFilter, directory: str | None) -> Callable[[User], bool]:
    tests: list[Callable[[User], bool]] = [_in_directory(state, wanted, directory)]
    if wanted.account_ids is not None:
        accounts = set(wanted.account_ids)
        tests.append(lambda user: user.id in accounts)
    if wanted.group_ids is not None:
        groups = set(wanted.group_ids)
        tests.append(lambda user: not groups.isdisjoint(user.groups))
    if wanted.resource_ids is not None or wanted.role_ids is not None:
        tests.append(_role_test(state, wanted))
    tests += _status_tests(state, wanted)
    tests += _text_tests(wanted, lambda user: visible_address(state, user) or "")
    if len(tests) == 1:
        return tests[0]
    return lambda user: all(test(user) for test in tests)


def _in_directory(state: State, wanted: UserFilter, directory: str | None) -> Callable[[User], bool]:
    asked = state.visible if directory is None else state.visible & {directory}
    if wanted.directory_ids is not None:
        asked &= set(wanted.directory_ids)
        return lambda user: not asked.isdisjoint(user.directories)
    return lambda user: not asked.isdisjoint(user.directories) or (not user.directories and user.managed)


def _role_test(state: State, wanted: UserFilter) -> Callable[[User], bool]:
    roles = None if wanted.role_ids is None else set[str](wanted.role_ids)
    if wanted.resource_ids is None and roles is not None:
        return lambda user: (
            not roles.isdisjoint(user.platform_roles)
            or any(not roles.isdisjoint(held) for held in state.roles(user).values())
        )
    names = {state.names_by_ari[ari] for ari in wanted.resource_ids or () if ari in state.names_by_ari}

    def test(user: User) -> bool:
        held = state.roles(user)
        return any(name in held and (roles is None or not roles.isdisjoint(held[name])) for name in names)

    return test


def _status_tests(state: State, wanted: UserFilter) -> list[Callable[[User], bool]]:
    tests: list[Callable[[User], bool]] = []
    if wanted.status is not None:
        statuses = set[str](wanted.status)
        tests.append(lambda user: state.status(user) in statuses)
    if wanted.account_status is not None:
        accounts = set[str](wanted.account_status)
        tests.append(lambda user: user.account in accounts)
    if wanted.membership_status is not None:
        memberships = set[str](wanted.membership_status)
        tests.append(lambda user: state.membership_status(user) in memberships)
    if wanted.claim_status is not None:
        managed = wanted.claim_status == "managed"
        tests.append(lambda user: user.managed == managed)
    if wanted.mfa_enabled is not None:
        mfa = wanted.mfa_enabled
        tests.append(lambda user: user.managed and user.mfa == mfa)
    return tests


def _text_tests(wanted: UserFilter, address: Callable[[User], str]) -> list[Callable[[User], bool]]:
    tests: list[Callable[[User], bool]] = []
    if wanted.search_term is not None:
        term = wanted.search_term.casefold()
        tests.append(lambda user: any(term in text.casefold() for text in (user.name, user.nickname, address(user))))
    if wanted.email_domains is not None:
        domains = {domain.casefold().removeprefix("@") for domain in wanted.email_domains}
        tests.append(lambda user: address(user).casefold().rpartition("@")[2] in domains)
    if isinstance(wanted, UserSearch) and wanted.emails is not None:
        emails = {email.casefold() for email in wanted.emails}
        tests.append(lambda user: address(user).casefold() in emails)
    return tests


def matching_groups(state: State, wanted: GroupSearch, directory: str | None) -> list[tuple[int, Group]]:
    """(rank, group) of all groups that match, in the asked order."""
    groups = [(state.group_ranks[group.id], group) for group in state.world.groups]
    if wanted.sort_by:
        backwards = wanted.sort_by[0].direction == "desc"
        groups.sort(key=lambda item: (item[1].name.casefold(), item[0]), reverse=backwards)
        groups = [(rank, group) for rank, (_, group) in enumerate(groups)]
    accepts = _group_test(state, wanted, directory)
    return [(rank, group) for rank, group in groups if accepts(group)]


def _group_test(state: State, wanted: GroupSearch, directory: str | None) -> Callable[[Group], bool]:
    directories = state.visible if directory is None else state.visible & {directory}
    if wanted.directory_ids is not None:
        directories &= set(wanted.directory_ids)
    tests: list[Callable[[Group], bool]] = [lambda group: group.directory in directories]
    if wanted.group_ids is not None:
        ids = set(wanted.group_ids)
        tests.append(lambda group: group.id in ids)
    if wanted.group_names is not None:
        names = {name.casefold() for name in wanted.group_names}
        tests.append(lambda group: group.name.casefold() in names)
    if wanted.search_term is not None:
        term = wanted.search_term.casefold()
        tests.append(lambda group: term in group.name.casefold())
    if wanted.account_ids is not None:
        users = [state.user(account) for account in wanted.account_ids]
        joined = {group_id for user in users if user is not None for group_id in user.groups}
        tests.append(lambda group: group.id in joined)
    if not (wanted.resource_ids is wanted.resource_owners is wanted.role_ids is None):
        tests.append(lambda group: bool(granted(state, group, wanted)))
    return lambda group: all(test(group) for test in tests)


def granted(state: State, group: Group, wanted: GroupSearch | RoleFilter) -> list[str]:
    """Names of the resources on which the group gives a role that is asked for, sorted."""
    found = []
    for name, roles in sorted(group.roles.items()):
        resource = state.resources[name]
        if (
            (wanted.resource_ids is None or resource.id in wanted.resource_ids)
            and (wanted.resource_owners is None or resource.owner in wanted.resource_owners)
            and (wanted.role_ids is None or not set[str](wanted.role_ids).isdisjoint(roles))
        ):
            found.append(name)
    return found


def assigned(state: State, user: User, wanted: RoleFilter) -> list[tuple[Resource, dict[str, list[str]]]]:
    """(resource, methods by role) of what the user holds and is asked for, sorted by the resource's name."""
    found = []
    for name, methods in sorted(_methods(state, user).items()):
        resource = state.resources[name]
        asked = {role: methods[role] for role in sorted(methods) if wanted.role_ids is None or role in wanted.role_ids}
        if (
            asked
            and (wanted.resource_ids is None or resource.id in wanted.resource_ids)
            and (wanted.resource_owners is None or resource.owner in wanted.resource_owners)
        ):
            found.append((resource, asked))
    return found


def _methods(state: State, user: User) -> dict[str, dict[str, list[str]]]:
    """By which methods the user came by each role, by resource name."""
    held = [(name, role, "direct") for name, roles in user.roles.items() for role in roles]
    for group_id in user.groups:
        held += [(name, role, "group_direct") for name, roles in state.groups[group_id].roles.items() for role in roles]
    known = {(name, role) for name, role, _ in held}
    for role in user.platform_roles:
        held += [(name, role, "direct") for name in _places(state, role) if (name, role) not in known]
    if "atlassian/org-admin" in user.platform_roles:
        held += [(name, "atlassian/site-admin", "inferred") for name in _places(state, "atlassian/site-admin")]
    found: dict[str, dict[str, list[str]]] = {}
    for name, role, method in dict.fromkeys(held):
        found.setdefault(name, {}).setdefault(role, []).append(method)
    return found


def _places(state: State, role: str) -> list[str]:
    """Where a role in the organization is held: the organization itself, or its sites."""
    kind = "::org/" if role == "atlassian/org-admin" else "::site/"
    return [name for name, item in state.resources.items() if item.owner == PLATFORM and kind in item.id]
