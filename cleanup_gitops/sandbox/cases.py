"""Who is in a generated organization, as data: tune the numbers here.

`FIXED` people exist once in every world. `CASES` say how many accounts of each case there are in a
world of 480; together with `FIXED` they add up to 480, and other sizes get the same shares.
"""

from __future__ import annotations

from typing import NamedTuple

RUNNER = "712020:9a000000-0000-4000-8000-000000000001"
BREAK_GLASS = (
    "712020:01000000-0000-4000-8000-000000000001",
    "712020:01000000-0000-4000-8000-000000000002",
)
ON_LEAVE = "712020:e2000000-0000-4000-8000-000000000001"
ORG_ADMIN = "atlassian/org-admin"
SITE_ADMIN = "atlassian/site-admin"

Days = tuple[int, int]


class Fixed(NamedTuple):
    """One account that exists once in every world; days since the last use, None for never."""

    name: str
    local_part: str
    groups: tuple[str, ...]
    confluence_days: int
    jira_days: int | None = None
    platform_roles: tuple[str, ...] = ()
    account_id: str | None = None


WIKI = ("confluence-users",)
WIKI_AND_JIRA = ("confluence-users", "jira-users")
SUITE = ("product-suite",)
WIKI_AND_SUITE = ("confluence-users", "product-suite")
IDP = ("wiki-users-idp",)
GUESTS = ("confluence-guests",)

FIXED = (
    Fixed(
        "Cleanup Runner",
        "cleanup-runner",
        ("confluence-users", "confluence-admins", "org-admins"),
        0,
        platform_roles=(ORG_ADMIN,),
        account_id=RUNNER,
    ),
    Fixed("Ingrid Haugen", "ingrid.haugen", (*WIKI_AND_JIRA, "org-admins"), 1, 2, (ORG_ADMIN,)),
    Fixed("Omar Haddad", "omar.haddad", (*WIKI, "org-admins"), 203, None, (ORG_ADMIN,)),
    Fixed(
        "Break Glass One",
        "break-glass-1",
        (*WIKI, "break-glass", "org-admins"),
        341,
        platform_roles=(ORG_ADMIN,),
        account_id=BREAK_GLASS[0],
    ),
    Fixed(
        "Break Glass Two",
        "break-glass-2",
        (*WIKI, "break-glass"),
        410,
        account_id=BREAK_GLASS[1],
    ),
    Fixed("Petra Novak", "petra.novak", (*WIKI_AND_JIRA, "site-admins"), 3, 5, (SITE_ADMIN,)),
    Fixed(
        "Kofi Mensah",
        "kofi.mensah",
        (*WIKI, "site-admins"),
        12,
        platform_roles=(SITE_ADMIN, "atlassian/user-access-admin"),
    ),
    Fixed("Tove Berg", "tove.berg", (*WIKI, "confluence-admins"), 6),
    Fixed("Diego Castro", "diego.castro", ("confluence-admins",), 131),
    Fixed("Hana Sato", "hana.sato", (*WIKI_AND_JIRA, "jira-admins"), 9, 0),
    Fixed("Ragnhild Solberg", "ragnhild.solberg", WIKI_AND_JIRA, 143, 150, account_id=ON_LEAVE),
)


class Case(NamedTuple):
    """`per_480` accounts of one kind in a world of 480.

    `kind` selects how the account looks (see ``people.Maker``), `groups` and `direct` (resource
    and role) how it holds its seat. `seen` and `jira` are ranges of days since the last use of
    Confluence and Jira, None for never; `added` is a range of days since the account was added,
    None for a missing date. Of a `hostile` case every fourth account gets a name that is meant to
    break things.
    """

    name: str
    per_480: int
    kind: str = "person"
    groups: tuple[str, ...] = WIKI
    seen: Days | None = (0, 60)
    jira: Days | None = None
    added: Days | None = (520, 2600)
    status: str = "active"
    direct: tuple[str, str] | None = None
    hostile: bool = False


_DIRECT = ("confluence", "atlassian/user")
_PORTAL = ("jira-service", "atlassian/customer")
_IDLE = (100, 170)

CASES = (
    # Active members with a seat; the first case takes what rounding leaves over.
    Case("regular", 152, groups=WIKI_AND_JIRA, jira=(0, 45), hostile=True),
    Case("regular, Confluence only", 96, hostile=True),
    Case("active today", 12, groups=WIKI_AND_JIRA, seen=(0, 0), jira=(0, 3)),
    Case("active, added date missing", 2, added=None),
    Case("seen 89 days ago", 2, seen=(89, 89)),
    Case("seen 90 days ago", 2, seen=(90, 90)),
    Case("seen 91 days ago", 2, seen=(91, 91)),
    Case("seat by the suite group", 17, groups=SUITE, jira=(0, 60)),
    Case("seat by the identity provider's group", 24, "synced", IDP),
    Case("seat by two groups", 7, groups=WIKI_AND_SUITE, jira=(0, 60)),
    Case("seat by a direct role", 5, groups=(), direct=_DIRECT),
    Case("contractor", 14, "contractor", WIKI, (0, 40), added=(100, 600)),
    Case("external", 12, "external", WIKI, (0, 50), added=(100, 900)),
    Case("hidden e-mail", 4, "hidden", WIKI, (0, 50)),
    Case("service account with a seat", 4, "service", seen=None, added=(200, 900)),
    # Dormant: a seat, and no Confluence for more than 90 days.
    Case("seen 92 days ago", 2, seen=(92, 92), hostile=True),
    Case("dormant", 5, seen=(95, 175), hostile=True),
    Case("dormant, busy in Jira", 5, "person", WIKI_AND_JIRA, (95, 300), (0, 30), hostile=True),
    Case("dormant everywhere", 4, "invited", seen=(190, 480), hostile=True),
    Case("dormant everywhere, Jira too", 2, "person", WIKI_AND_JIRA, (200, 480), (185, 400)),
    Case("dormant contractor", 3, "contractor", seen=_IDLE, added=(200, 600)),
    Case("dormant external", 2, "external", seen=_IDLE, added=(250, 900)),
    Case("dormant, hidden e-mail", 1, "hidden", seen=_IDLE),
    Case("dormant, suite group", 2, "person", SUITE, _IDLE, (3, 60)),
    Case("dormant, direct role", 1, groups=(), seen=_IDLE, direct=_DIRECT),
    Case("dormant, two groups", 2, "person", WIKI_AND_SUITE, _IDLE, (3, 60)),
    Case("dormant, identity provider's group", 3, "synced", IDP, _IDLE),
    # A seat that was never used.
    Case("never used", 8, seen=None, added=(62, 500), hostile=True),
    Case("never used, busy in Jira", 2, "person", WIKI_AND_JIRA, None, (0, 30), (90, 500)),
    Case("never used, new", 3, seen=None, added=(2, 25)),
    Case("never used, added date missing", 1, seen=None, added=None),
    # No seat.
    Case("Jira only", 13, groups=("jira-users",), seen=None, jira=(0, 45)),
    Case("guest", 9, "guest", GUESTS, (0, 85), added=(110, 900)),
    Case("guest, idle", 3, "guest", GUESTS, (190, 420), added=(430, 900)),
    Case("guest, never used", 1, "guest", GUESTS, None, added=(70, 300)),
    Case("app", 8, "app", (), None, added=(100, 1500)),
    Case("service account", 2, "service", (), None, added=(100, 900)),
    Case("customer", 12, "customer", (), None, added=(10, 900), direct=_PORTAL),
    Case("suspended", 8, seen=(100, 400), status="suspended"),
    Case("deactivated", 6, seen=(120, 500), status="deactivated"),
    Case("for deletion", 2, seen=(200, 500), status="for_deletion"),
    Case("not invited", 4, "invited", (), None, added=None, status="not_invited"),
)


class Extra(NamedTuple):
    """What sets single accounts of a case apart, by their place in it.

    ``direct``: the seat is held by a role too, beside the group; ``synced``: the identity provider
    knows the account; ``pending``: invited, and the invitation was never accepted.
    """

    case: str
    places: tuple[int, ...]
    trait: str


EXTRAS = (
    Extra("regular, Confluence only", (2, 6), "direct"),
    Extra("not invited", (0,), "synced"),
    Extra("never used", (0, 2), "pending"),
    Extra("never used, new", (0,), "pending"),
)
"""They change nothing about how many accounts are of which case."""
