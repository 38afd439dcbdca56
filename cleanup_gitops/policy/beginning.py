"""Whom a roster means by somebody who begins, and which account of a site is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cleanup_gitops.model.user import User
from cleanup_gitops.policy.finding import Finding
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows

JOINS_FOR = timedelta(days=30)
"""So long after the begin of the first day somebody counts as one who begins. Whoever is on the list for years and has
no account was not forgotten but never wanted one."""


@dataclass(frozen=True, slots=True)
class Beginner:
    """Somebody whose first day has come: the address (normal form, "" where no row has one), that day, the accounts.

    ``accounts`` are those of the site with an id that a row names, or else with the address, sorted. ``named``: rows
    name an id, so that no address says who is meant; ``ids`` are those.
    """

    email: str = field(repr=False)
    starts: date
    ids: tuple[str, ...] = field(repr=False)
    accounts: tuple[str, ...]

    @property
    def named(self) -> bool:
        """Whether a row says by an id who is meant."""
        return bool(self.ids)

    @property
    def shared(self) -> bool:
        """Whether several accounts have the address, so that it is not known who is meant."""
        return not self.named and len(self.accounts) > 1


@dataclass(frozen=True, slots=True)
class Beginning:
    """Everybody who begins by one roster at one instant, and the accounts that are certainly theirs."""

    people: tuple[Beginner, ...] = field(repr=False)
    members: Mapping[str, Beginner] = field(repr=False)


def beginning(roster: RosterRows, at: datetime, addresses: Mapping[str, str], accounts: Iterable[str]) -> Beginning:
    """Who begins at an instant (UTC). ``addresses`` are those of a site by account id, ``accounts`` all of its ids.

    A row without a first day is about somebody who was always there. Whoever begins and has left again, has left.
    """
    by_address: dict[str, list[str]] = {}
    for account, address in addresses.items():
        by_address.setdefault(address, []).append(account)
    known = set(accounts)
    people = []
    for rows in _persons(roster.rows):
        firsts = [row.starts for row in rows if row.starts and _begins(roster, row, row.starts, at)]
        if not firsts:
            continue
        email = next((row.email for row in rows if row.email), "")
        ids = tuple(sorted({row.account for row in rows if row.account}))
        found = [one for one in ids if one in known] if ids else by_address.get(email, [])
        people.append(Beginner(email, max(firsts), ids, tuple(sorted(found))))
    members = {account: one for one in people if not one.shared for account in one.accounts}
    return Beginning(tuple(people), members)


def _persons(rows: Iterable[RosterRow]) -> list[list[RosterRow]]:
    """Rows of one person: those with the same address, else with the same id."""
    found: dict[str, list[RosterRow]] = {}
    for row in rows:
        found.setdefault(row.email or row.account, []).append(row)
    return list(found.values())


def _begins(roster: RosterRows, row: RosterRow, first: date, at: datetime) -> bool:
    begun = roster.end_of(first - timedelta(days=1))
    over = row.ends is not None and roster.end_of(row.ends) <= at
    return begun <= at < begun + JOINS_FOR and not over


def find_beginner(roster: str, found: Beginning | None, user: User) -> Finding:
    """The condition of a roster about one user, in words without the address."""
    asked = f"begins by the roster {roster}"
    if found is None:
        return Finding(asked, verdict=None, detail=f"the roster {roster} was not read")
    one = found.members.get(user.id)
    if one is None:
        return Finding(asked, verdict=False, detail="no row says so")
    closed = "" if user.status == "active" else f"; the account is {user.status}"
    return Finding(asked, verdict=not closed, detail=f"first day {one.starts.isoformat()}{closed}")
