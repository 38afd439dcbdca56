"""Rows of the Organizations API, and what they are translated with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.model.user import User
from cleanup_gitops.sites.cloud.activity import Sightings
from cleanup_gitops.sites.cloud.facts import Translator
from cleanup_gitops.sites.cloud.wire import UserRow

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HERE = "ari:cloud:confluence::site/11111111-aaaa"
JIRA = "ari:cloud:jira-software::site/11111111-aaaa"
SIGHTINGS = Sightings(HERE, NOW)
IN_2025 = datetime(2025, 11, 6, 23, 7, 29, tzinfo=UTC)


def group(id_: str, **facts: Any) -> Group:  # noqa: ANN401 - any field of a group
    values: dict[str, Any] = {"license": "none", "admin": False, "grants": (), "modifiable": True}
    return Group(id=id_, name=id_, directory="d", **(values | facts))


SEAT = group("seat", license="seat", grants=(Grant("confluence", "user"),))
SECOND = group("second", license="seat", grants=(Grant("confluence", "user"),))
GUEST = group("guest", license="guest", grants=(Grant("confluence", "guest"),))
ACCESS = group("access", admin=True, grants=(Grant("confluence", "user-access-admin"),))
UNTOLD = group("untold", license="unknown", admin=None, grants=None)
PLAIN = group("plain")
WITH_JIRA = group("with-jira", grants=(Grant("jira-software", "user"),))
DESK = group("desk", grants=(Grant("jira-servicedesk", "user"),))
ORG_ADMINS = group("org-admins", admin=True, grants=(Grant("platform", "org-admin"),))
SUITE = group("suite", license="seat", grants=(Grant("confluence", "user"), Grant("confluence:22222222-bbbb", "user")))
ALL = {one.id: one for one in (SEAT, SECOND, GUEST, ACCESS, UNTOLD, PLAIN, WITH_JIRA, DESK, ORG_ADMINS, SUITE)}


def row(**fields: Any) -> UserRow:  # noqa: ANN401 - any field of the answer
    """A full row; fields in the API's spelling, ``...`` leaves one out."""
    full: dict[str, Any] = {
        "accountId": "712020:1",
        "accountType": "atlassian",
        "status": "active",
        "accountStatus": "active",
        "membershipStatus": "active",
        "addedToOrg": "2024-01-02T03:04:05.678Z",
        "name": "Ada Example",
        "nickname": "ada",
        "email": "ada@acme.com",
        "emailVerified": True,
        "department": " Talent ",
        "jobTitle": "",
        "location": "Oslo",
        "organization": None,
        "claimStatus": "managed",
        "managementSource": "invited",
        "platformRoles": [],
        "productAccess": [entry(HERE, "confluence", "2025-11-06T23:07:29.936941226Z")],
        "groups": [{"id": "seat", "name": "seat"}],
    } | fields
    known = {name: value for name, value in full.items() if value is not ...}
    return msgspec.json.decode(msgspec.json.encode(known), type=UserRow)


def entry(ari: str, key: str, at: str | None) -> dict[str, str | None]:
    return {"id": ari, "key": key, "lastActiveTimestamp": at}


def member_of(*groups: Group) -> list[dict[str, str]]:
    return [{"id": one.id} for one in groups]


def translator(*service_accounts: str) -> Translator:
    return Translator(
        directory="d",
        groups=ALL,
        sightings=SIGHTINGS,
        service_accounts=service_accounts,
        internal_domains=("acme.com",),
    )


def user(**fields: Any) -> User:  # noqa: ANN401
    return translator("svc-*").user(row(**fields))
