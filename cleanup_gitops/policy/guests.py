"""Which account a pseudonym stands for, as far as the site shows addresses."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cleanup_gitops.model.change import invite_address, is_invite_address
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.patterns import normal_email


def pseudonym_of(address: str) -> str:
    """The pseudonym at the end of the address of an invitation."""
    return address.rpartition("/")[2]


def accounts_by_pseudonym(live: Live) -> dict[str, str]:
    """Account ids by pseudonym; empty without a key. An address that several accounts have belongs to none of them."""
    people: People = live.people
    if not people.keyed:
        return {}
    found: dict[str, str] = {}
    shared: set[str] = set()
    for user in live.inventory.users:
        email = people.email(user.id)
        if email is None or (normal := normal_email(email)) is None:
            continue
        pseudonym = people.pseudonym(normal)
        if found.setdefault(pseudonym, user.id) != user.id:
            shared.add(pseudonym)
    return {one: account for one, account in found.items() if one not in shared}


def with_guests(people: People, policies: SitePolicies, lists: Lists) -> People:
    """The people of a site beside those whom a roster names, under the addresses of their invitations. For views."""
    if not people.keyed:
        return people
    guests: dict[str, Person] = {}
    for roster in policies.rosters:
        rows = lists.rosters.get(roster.name) if roster.joiners else None
        for row in rows.rows if rows else ():
            if row.email:
                guests[invite_address(roster.name, people.pseudonym(row.email))] = Person(row.email, row.email)
    return people.beside(guests)


def linked(settling: Sequence[Settling], live: Live) -> tuple[Settling, ...]:
    """The same lines, in which an invitation whose answer was lost names the account that has its address now."""
    if not any(is_invite_address(one.user) for one in settling):
        return tuple(settling)
    accounts = accounts_by_pseudonym(live)
    return tuple(
        replace(one, user=accounts.get(pseudonym_of(one.user), one.user)) if is_invite_address(one.user) else one
        for one in settling
    )
