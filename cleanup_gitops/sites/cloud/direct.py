"""Roles in this Confluence that were given to users directly, not through groups.

The search by resource finds everybody with any role; who has none through a group must hold one directly. Whether it is
one that gives a seat is then asked for these few, and for the rest whether it is that of a guest. A user who is found
under no role that we know is left unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec
from msgspec import Struct

from cleanup_gitops.model.inventory import Reading
from cleanup_gitops.model.user import UNNAMED_ROLE, RoleSeat, User
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import USERS_SEARCH, Filters
from cleanup_gitops.sites.cloud.later import with_license
from cleanup_gitops.sites.cloud.paging import Listing
from cleanup_gitops.sites.cloud.parts import Asked, read_list
from cleanup_gitops.sites.cloud.wire import IdRow, Page

_IDS = msgspec.json.Decoder(Page[IdRow])

SEAT_ROLES = ["user", "admin", "customer", "contributor", "basic", "stakeholder"]
GUEST_ROLES = ["guest"]
ADMIN_ROLES = ["admin", "user-access-admin"]
DIRECT = (RoleSeat(UNNAMED_ROLE),)
GUEST_DIRECT = (RoleSeat("guest"),)
"""Of somebody who is found under this role and under none that gives a seat: an unnamed one would count as a seat."""
MOST_IDS = 10
"""Account ids that one search takes."""


class Holders(Struct, frozen=True):
    """Account ids: whoever has any role in this Confluence, and whoever administers it."""

    any: frozenset[str]
    admins: frozenset[str]
    readings: tuple[Reading, ...] = ()


def read_holders(client: Client, ari: str, domains: Iterable[str]) -> Holders:
    """All holders of any role, proven complete: who is missing would lose a protection.

    ``domains`` are those by which managed accounts can be told apart (`parts`).
    """
    found = []
    for what, filters in _questions(ari):
        asked = Asked(what, filters, lambda wanted, cursor: _page(client, wanted, cursor), _account)

        def begin(_: int) -> tuple[set[str], Callable[[list[IdRow]], None]]:
            ids: set[str] = set()
            return ids, lambda rows: ids.update(map(_account, rows))

        found.append(read_list(client, asked, domains, begin))
    (anybody, whole), (admins, some) = found
    return Holders(frozenset(anybody), frozenset(admins), (whole, some))


def holder(client: Client, ari: str, account: str) -> Holders:
    """The same about one account."""
    only = {"accountIds": [account]}
    anybody, admins = (_ids(_listing(client, what, {**filters, **only})) for what, filters in _questions(ari))
    return Holders(anybody, admins)


def _questions(ari: str) -> tuple[tuple[str, Filters], ...]:
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
    seats = _with_role(client, ari, ids, SEAT_ROLES)
    guests = _with_role(client, ari, [one for one in ids if one not in seats], GUEST_ROLES)
    return {one: _settled(by_id[one], seats, guests, admins) for one in ids}


def _with_role(client: Client, ari: str, ids: list[str], roles: list[str]) -> set[str]:
    """Who of these holds one of the roles."""
    chunks = [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]
    found: set[str] = set()
    with client.workers("reading direct roles", len(chunks)) as workers:
        listings = [
            _listing(client, "direct roles", {"resourceIds": [ari], "accountIds": chunk, "roleIds": _roles(roles)})
            for chunk in chunks
        ]
        for answer in [workers.submit(_ids, listing) for listing in listings]:
            found |= answer.result()
    return found


def _settled(user: User, seats: Collection[str], guests: Collection[str], admins: Collection[str]) -> User:
    if user.id in seats:
        return with_license(user, "seat", DIRECT)
    if user.id in guests:
        return with_license(user, "guest", GUEST_DIRECT)
    return user if user.id in admins else with_license(user, "unknown", None)


def _listing(client: Client, what: str, filters: Filters) -> Listing[IdRow]:
    return Listing(
        what,
        USERS_SEARCH,
        lambda cursor: _page(client, filters, cursor),
        _account,
    )


def _page(client: Client, filters: Filters, cursor: str | None) -> Page[IdRow]:
    return client.admin.read(client.place.search_users(cursor, filters=filters), _IDS)


def _account(row: IdRow) -> str:
    return row.account_id


def _ids(listing: Listing[IdRow]) -> frozenset[str]:
    return frozenset(row.account_id for page in listing for row in page)


def _roles(names: list[str]) -> list[str]:
    return [f"atlassian/{name}" for name in names]
