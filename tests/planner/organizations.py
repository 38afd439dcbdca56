"""Invented organizations in which most people are ordinary, so that policies find somebody to act on.

Everything follows from one seed, which hypothesis draws: its own strategies favour the odd and the empty, and a law
that holds because nothing happens says nothing.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TypeVar

from cleanup_gitops.model.activity import Activity, Never, Unknown, seen_at
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Hosting, Inventory
from cleanup_gitops.model.user import License, Lifecycle, RoleSeat, SeatPath, Status, User
from cleanup_gitops.planner.assume import license_of, seat_paths
from tests.strategies import AS_OF, DOMAINS, account_id, proof_of

T = TypeVar("T")
LICENSES: tuple[License, ...] = ("seat", "none", "none", "guest")
_OPEN: tuple[Status, ...] = ("active",) * 10
REFUSALS = (None, Lifecycle(None, ""), Lifecycle("externalDirectory.scim", ""), Lifecycle("", "managedAccount"))
DAYS = (0, 5, 29, 30, 31, 32, 89, 90, 91, 92, 200, 364, 366, 400, 1000)
"""Days since last seen, many of them around usual thresholds."""


def mostly(rng: Random, usual: T, *rare: T) -> T:
    """The usual value nine times out of ten."""
    return usual if rng.random() < 0.9 else rng.choice(rare)


def activity(rng: Random) -> Activity:
    """Mostly seen."""
    at = AS_OF - timedelta(days=rng.choice(DAYS))
    found: tuple[Activity, ...] = (seen_at(at),) * 8 + (Never(at), Never(None), Unknown("not in the answer"))
    return rng.choice(found)


def organization(rng: Random, hosting: Hosting | None = None, *, seat_limit: bool = True) -> Inventory:
    """A small site of either hosting whose seats follow from its memberships."""
    either: tuple[Hosting, ...] = ("cloud", "datacenter")
    kind: Hosting = hosting if hosting is not None else rng.choice(either)
    directories = ["default"] if kind == "cloud" else ["1", "32769"]
    found = _groups(rng, kind, directories)
    places = tuple(Directory(id=one, name=f"Directory {one}") for one in directories)
    empty = _site(kind, (), found, places)
    accounts = sorted(account_id(kind, one) for one in range(rng.randint(1, 8)))
    people = tuple(_user(rng, account, empty) for account in accounts)
    limit = mostly(rng, None, 1, 3) if seat_limit else None
    return _site(kind, people, found, places, runner=tuple(accounts[: mostly(rng, 0, 1)]), limit=limit)


def _site(
    hosting: Hosting,
    users: tuple[User, ...],
    groups: tuple[Group, ...],
    directories: tuple[Directory, ...],
    *,
    runner: tuple[str, ...] = (),
    limit: int | None = None,
) -> Inventory:
    return Inventory(
        site="acme",
        hosting=hosting,
        as_of=AS_OF,
        users=users,
        groups=groups,
        directories=directories,
        proof=proof_of(len(users), len(groups)),
        runner=runner,
        seat_limit=limit,
    )


def _groups(rng: Random, hosting: Hosting, directories: list[str]) -> tuple[Group, ...]:
    ids = [f"g-{number:02}" for number in range(rng.randint(2, 5))]
    found = []
    for number, one in enumerate(ids):
        gives: License = rng.choice(LICENSES)
        role = Grant("confluence", "guest" if gives == "guest" else "user")
        nested = hosting == "datacenter" and number > 0 and rng.random() < 0.3
        found.append(
            Group(
                id=one,
                name=f"Group {number}",
                directory=rng.choice(directories),
                modifiable=mostly(rng, True, False, None),
                synced=False,
                license=gives,
                admin=mostly(rng, False, True, None),
                grants=() if gives == "none" else mostly(rng, (role,), (role, Grant("jira-software", "user"))),
                parents=(ids[number - 1],) if nested else (),
            )
        )
    return tuple(found)


def _user(rng: Random, account: str, site: Inventory) -> User:
    closed: Status = "suspended" if site.hosting == "cloud" else "disabled"
    directory = rng.choice(site.directories).id
    own = tuple(one.id for one in site.groups if one.directory == directory and rng.random() < 0.6)
    paths: list[SeatPath] = [path for one in own for path in seat_paths(one, site)]
    direct = mostly(rng, (), ("user",), ("guest",), ("admin", "user")) if site.hosting == "cloud" else None
    paths += [RoleSeat(role) for role in direct or ()]
    return User(
        id=account,
        directory=directory,
        status=rng.choice((*_OPEN, closed, closed, closed, "deactivated", "deleting", "absent", "unknown")),
        kind=mostly(rng, "person", "service", "unknown"),
        license=license_of(paths, site),
        managed=mostly(rng, True, False, None),
        synced=False,
        writable=mostly(rng, True, False, None),
        admin=mostly(rng, False, True, True, None),
        domain=rng.choice((*DOMAINS, None)),
        added=mostly(rng, AS_OF - timedelta(days=700), None, AS_OF - timedelta(days=3)),
        seen=activity(rng),
        elsewhere=mostly(rng, (), None, (("jira-software", seen_at(AS_OF - timedelta(days=100))),)),
        groups=mostly(rng, own, None),
        seats=tuple(paths),
        roles=mostly(rng, (), ("organization-admin",), None),
        direct=direct,
        external=mostly(rng, False, True, None),
        has_email=mostly(rng, True, False),
        lifecycle=mostly(rng, Lifecycle("", ""), *REFUSALS),
        tokens=mostly(rng, rng.choice(((), ("t-1",), ("t-1", "t-2"))), None),
    )
