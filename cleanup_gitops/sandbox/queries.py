"""What searches may ask: bodies and queries, and their limits.

A body or query with an unknown key is refused, which is stricter than the real service promises: a
mistyped filter that is ignored would silently mean everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from cleanup_gitops.sandbox.answers import Refusal, bad_body

Status = Literal["active", "suspended", "not_invited", "deactivated", "for_deletion"]
AccountStatus = Literal["active", "inactive", "closed"]
MembershipStatus = Literal["active", "suspended", "no_membership"]
Role = Literal[
    "atlassian/user",
    "atlassian/admin",
    "atlassian/guest",
    "atlassian/customer",
    "atlassian/user-access-admin",
    "atlassian/contributor",
    "atlassian/basic",
    "atlassian/stakeholder",
    "atlassian/org-admin",
    "atlassian/site-admin",
    "atlassian/ai-access",
]
UserExpand = Literal["platformRoles", "counts.resources", "productAccess", "groups"]
GroupExpand = Literal["counts.resources", "counts.users"]
Ten = Annotated[list[str], Meta(min_length=1, max_length=10)]
Twenty = Annotated[list[str], Meta(min_length=1, max_length=20)]
Hundred = Annotated[list[str], Meta(min_length=1, max_length=100)]
Limit = Annotated[int, Meta(ge=1, le=100)]
T = TypeVar("T")


class Sort(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of ``sortBy``."""

    field: str
    direction: Literal["asc", "desc"]


class UserFilter(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The filters that search and count share."""

    account_ids: Ten | None = None
    directory_ids: Ten | None = None
    resource_ids: Twenty | None = None
    group_ids: Ten | None = None
    search_term: str | None = None
    email_domains: Ten | None = None
    claim_status: Literal["managed", "unmanaged"] | None = None
    status: Annotated[list[Status], Meta(min_length=1, max_length=4)] | None = None
    account_status: Annotated[list[AccountStatus], Meta(min_length=1, max_length=3)] | None = None
    membership_status: Annotated[list[MembershipStatus], Meta(min_length=1, max_length=3)] | None = None
    mfa_enabled: bool | None = None
    role_ids: Annotated[list[Role], Meta(min_length=1, max_length=10)] | None = None


class UserSearch(UserFilter, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The body of ``users/search``."""

    cursor: str | None = None
    limit: Limit = 50
    emails: Hundred | None = None
    sort_by: Annotated[list[Sort], Meta(min_length=1, max_length=1)] | None = None
    expand: list[UserExpand] = []


class GroupSearch(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The body of ``groups/search``."""

    cursor: str | None = None
    limit: Limit = 20
    account_ids: Ten | None = None
    directory_ids: Ten | None = None
    group_ids: Ten | None = None
    group_names: Hundred | None = None
    search_term: str | None = None
    resource_ids: Twenty | None = None
    resource_owners: Ten | None = None
    role_ids: Annotated[list[Role], Meta(min_length=1, max_length=10)] | None = None
    sort_by: Annotated[list[Sort], Meta(min_length=1, max_length=1)] | None = None
    expand: Annotated[list[GroupExpand], Meta(min_length=1, max_length=2)] | None = None


def user_search(body: bytes) -> UserSearch:
    """The body of a user search; raises `Refusal` where it is not one."""
    return _checked_user_search(_decode(body, UserSearch))


def user_list(pairs: Sequence[tuple[str, str]]) -> UserSearch:
    """The query of the deprecated list of users: the search without addresses and expansions; raises `Refusal`."""
    for key, _ in pairs:
        if key in ("emails", "expand"):
            raise bad_body(f"{key} cannot be used in a query.")
    single = {"cursor", "limit", "searchTerm", "claimStatus", "mfaEnabled"}
    return _checked_user_search(query(_with_limit(pairs), UserSearch, single))


def _checked_user_search(search: UserSearch) -> UserSearch:
    if search.emails is not None and search.search_term is not None:
        raise bad_body("emails and searchTerm cannot be used together.")
    _check_unique(emails=search.emails, expand=search.expand)
    _check_sort(search.sort_by, "nick_name")
    return search


def group_search(body: bytes) -> GroupSearch:
    """The body of a group search; raises `Refusal` where it is not one."""
    return _checked_group_search(_decode(body, GroupSearch))


def group_list(pairs: Sequence[tuple[str, str]]) -> GroupSearch:
    """The query of the deprecated list of groups: ``counts`` is spelled out as two keys; raises `Refusal`."""
    counts = {"includeResources": "counts.resources", "includeUsers": "counts.users"}
    plain = []
    for key, value in pairs:
        if key in ("groupNames", "expand"):
            raise bad_body(f"{key} cannot be used in a query.")
        if key not in counts:
            plain.append((key, value))
        elif value == "true":
            plain.append(("expand", counts[key]))
    return _checked_group_search(query(_with_limit(plain), GroupSearch, {"cursor", "limit", "searchTerm"}))


def group_filter(pairs: Sequence[tuple[str, str]]) -> GroupSearch:
    """The filters of a count of groups; raises `Refusal`."""
    for key, _ in pairs:
        if key in ("groupNames", "expand", "cursor", "limit", "sortBy"):
            raise bad_body(f"{key} cannot be used here.")
    return _checked_group_search(query(pairs, GroupSearch, {"searchTerm"}))


def _with_limit(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lists by GET have 20 rows a page unless they say otherwise."""
    return [*pairs] if any(key == "limit" for key, _ in pairs) else [*pairs, ("limit", "20")]


def _checked_group_search(search: GroupSearch) -> GroupSearch:
    selectors = (search.group_ids, search.group_names, search.search_term)
    if sum(item is not None for item in selectors) > 1:
        raise bad_body("Only one of groupIds, groupNames and searchTerm can be used.")
    _check_unique(
        accountIds=search.account_ids,
        directoryIds=search.directory_ids,
        groupIds=search.group_ids,
        groupNames=search.group_names,
        resourceIds=search.resource_ids,
        resourceOwners=search.resource_owners,
        roleIds=search.role_ids,
        expand=search.expand,
    )
    _check_sort(search.sort_by, "name")
    return search


def user_filter(pairs: Sequence[tuple[str, str]]) -> UserFilter:
    """The filters of a query, where lists are repeated keys; raises `Refusal`."""
    return query(pairs, UserFilter, {"searchTerm", "claimStatus", "mfaEnabled"})


class RoleFilter(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The query of role assignments of a group or a user. With a cursor all else is left aside."""

    cursor: str | None = None
    limit: Limit = 20
    directory_ids: Ten | None = None
    resource_owners: Ten | None = None
    resource_ids: Twenty | None = None
    role_ids: Annotated[list[Role], Meta(min_length=1, max_length=10)] | None = None


def role_filter(pairs: Sequence[tuple[str, str]]) -> RoleFilter:
    """The query of role assignments; raises `Refusal`."""
    return query(pairs, RoleFilter, {"cursor", "limit"})


class DirectoryFilter(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The query of the list of directories."""

    cursor: str | None = None
    limit: Limit = 20
    account_id: str | None = None
    directory_ids: Ten | None = None
    search_term: str | None = None


def directory_filter(pairs: Sequence[tuple[str, str]]) -> DirectoryFilter:
    """The query of the list of directories; raises `Refusal`."""
    return query(pairs, DirectoryFilter, {"cursor", "limit", "accountId", "searchTerm"})


def query(
    pairs: Sequence[tuple[str, str]], into: type[T], single: set[str], refuse: Callable[[str], Refusal] = bad_body
) -> T:
    """A query in which the keys in `single` are given once and all others are lists; raises `Refusal`."""
    found: dict[str, object] = {}
    lists: dict[str, list[object]] = {}
    for key, value in pairs:
        if key in single:
            if key in found:
                raise refuse(f"{key} is given twice.")
            found[key] = value
        else:
            lists.setdefault(key, []).append(_sort(value) if key == "sortBy" else value)
    try:
        return msgspec.convert({**found, **lists}, into, strict=False)
    except msgspec.ValidationError as error:
        raise refuse(str(error)) from None


def _sort(value: str) -> object:
    """``sortBy`` in a query is an object as JSON."""
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _decode(body: bytes, into: type[T]) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=into)
    except msgspec.DecodeError as error:
        raise bad_body(str(error)) from None


def _check_unique(**lists: Sequence[str] | None) -> None:
    for name, values in lists.items():
        if values is not None and len(set(values)) != len(values):
            raise bad_body(f"{name} holds a value twice.")


def _check_sort(sort_by: list[Sort] | None, field: str) -> None:
    if sort_by and sort_by[0].field != field:
        raise bad_body(f"sortBy: the only field is {field}.")
