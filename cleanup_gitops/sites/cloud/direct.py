"""Roles in this Confluence that were given to users directly, not through groups.

The search by resource finds everybody with any role; who has none through a group must hold one directly. Which one is
then asked for these few by role. A user who is found under seat and guest roles alike, or under no role that we know,
is left unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
from msgspec import Struct

from cleanup_gitops.model.inventory import Reading
from cleanup_gitops.model.user import RoleSeat, User
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import USERS_SEARCH, Filters
from cleanup_gitops.sites.cloud.facts import with_license
from cleanup_gitops.sites.cloud.paging import Listing, counted
from cleanup_gitops.sites.cloud.wire import Count, IdRow, Page

COUNT = msgspec.json.Decoder(Count)
_IDS = msgspec.json.Decoder(Page[IdRow])

SEAT_ROLES = ["user", "admin", "customer", "contributor", "basic", "stakeholder"]
GUEST_ROLES = ["guest"]
ADMIN_ROLES = ["admin", "user-access-admin"]
DIRECT = (RoleSeat("direct"),)
MOST_IDS = 10
"""Account ids that one search takes."""


class Holders(Struct, frozen=True):
    """Account ids: whoever has any role in this Confluence, and whoever administers it."""

    any: frozenset[str]
    admins: frozenset[str]
    readings: tuple[Reading, ...] = ()


def read_holders(client: Client, ari: str) -> Holders:
    """All holders of any role, proven complete: who is missing would lose a protection."""
    readings = []
    found = []
    for what, filters in _questions(ari):

        def read(_: int, what: str = what, filters: Filters = filters) -> tuple[frozenset[str], Listing[IdRow]]:
            listing = _listing(client, what, filters)
            return _ids(listing), listing

        def count(filters: Filters = filters) -> int:
            return client.admin.read(client.place.count_users(filters), COUNT).count

        ids, reading = counted(read, count)
        found.append(ids)
        readings.append(reading)
    return Holders(found[0], found[1], tuple(readings))


def holder(client: Client, ari: str, account: str) -> Holders:
    """The same about one account."""
    only = {"accountIds": [account]}
    anybody, admins = (_ids(_listing(client, what, filters | only)) for what, filters in _questions(ari))
    return Holders(anybody, admins)


def _questions(ari: str) -> tuple[tuple[str, dict[str, list[str]]], ...]:
    return (
        ("users with a role in Confluence", {"resourceIds": [ari]}),
        ("administrators of Confluence", {"resourceIds": [ari], "roleIds": _roles(ADMIN_ROLES)}),
    )


def settle(client: Client, ari: str, users: Iterable[User], admins: Collection[str]) -> dict[str, User]:
    """These users, who hold a role directly, with the license that it gives; by id.

    ``admins`` are those with a role that administers, which alone gives no license.
    """
    by_id = {user.id: user for user in users}
    ids = sorted(by_id)
    chunks = [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]
    seats: set[str] = set()
    guests: set[str] = set()
    for done, chunk in enumerate(chunks, start=1):
        for found, roles in ((seats, SEAT_ROLES), (guests, GUEST_ROLES)):
            here = {"resourceIds": [ari], "accountIds": chunk, "roleIds": _roles(roles)}
            found.update(_ids(_listing(client, "direct roles", here)))
        client.step("reading direct roles", done, len(chunks))
    return {one: _settled(by_id[one], seats, guests, admins) for one in ids}


def _settled(user: User, seats: Collection[str], guests: Collection[str], admins: Collection[str]) -> User:
    if user.id in seats and user.id not in guests:
        return with_license(user, "seat", DIRECT)
    if user.id in guests and user.id not in seats:
        return with_license(user, "guest", DIRECT)
    if user.id in admins and user.id not in seats:
        return user
    return with_license(user, "unknown", None)


def _listing(client: Client, what: str, filters: Filters) -> Listing[IdRow]:
    return Listing(
        what,
        USERS_SEARCH,
        lambda cursor: client.admin.read(client.place.search_users(cursor, filters=filters), _IDS),
        lambda row: row.account_id,
    )


def _ids(listing: Listing[IdRow]) -> frozenset[str]:
    return frozenset(row.account_id for page in listing for row in page)


def _roles(names: list[str]) -> list[str]:
    return [f"atlassian/{name}" for name in names]
