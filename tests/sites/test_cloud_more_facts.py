"""Facts of one row beside status, license and activity: roles, belonging, invitation, attributes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import IN_FUTURE, Activity, Never, Seen, Source, Unknown, seen_at
from cleanup_gitops.model.group import Grant
from cleanup_gitops.model.user import GroupSeat, RoleSeat, User
from cleanup_gitops.policy.match import Match, compile_match
from cleanup_gitops.policy.tree import InactiveFor
from cleanup_gitops.sites.cloud.activity import NOT_KNOWN, Sightings, with_sighting
from cleanup_gitops.sites.cloud.belonging import Belongings
from cleanup_gitops.sites.cloud.facts import Translator
from cleanup_gitops.sites.cloud.later import settled, with_roles
from tests.policy.users import scope
from tests.sites.user_rows import (
    ACCESS,
    ALL,
    GUEST,
    HERE,
    JIRA,
    NOW,
    ORG_ADMINS,
    PLAIN,
    SEAT,
    UNTOLD,
    entry,
    group,
    member_of,
    row,
    user,
)

ADMINS = group("admins", license="seat", admin=True, grants=(Grant("confluence", "admin"),))
JIRA_ADMINS = group("jira-admins", grants=(Grant("jira-software", "admin"),))
BY_NAME = group("Site-Admins", admin=True)
EVERY = ALL | {one.id: one for one in (ADMINS, JIRA_ADMINS, BY_NAME)}


def at(*internal: str, claimed: tuple[str, ...] | None = ("acme.com",), suspend: bool = False) -> Translator:
    return Translator(
        directory="d",
        groups=EVERY,
        sightings=Sightings(HERE, NOW),
        service_accounts=(),
        internal_domains=internal,
        claimed_domains=claimed,
        suspend_synced=suspend,
    )


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("told", "groups", "roles"),
    [
        ([], [SEAT], ()),
        (["atlassian/org-admin"], [SEAT], ("organization-admin",)),
        (["atlassian/site-admin", "atlassian/user-access-admin"], [], ("site-admin", "user-access-admin")),
        (["atlassian/ai-access"], [], ()),
        ([], [ORG_ADMINS], ("organization-admin",)),
        ([], [BY_NAME], ("site-admin",)),
        ([], [ADMINS], ("confluence-admin",)),
        ([], [ACCESS], ("confluence-admin",)),
        ([], [JIRA_ADMINS], ()),
        (["atlassian/org-admin"], [ADMINS, ORG_ADMINS], ("confluence-admin", "organization-admin")),
        ([], [UNTOLD], None),
        (["atlassian/org-admin"], [UNTOLD], None),
        (..., [SEAT], None),
    ],
)
def test_administrative_roles_come_from_the_organization_and_from_groups(
    told: object, groups: list[Any], roles: tuple[str, ...] | None
) -> None:
    assert at().user(row(platformRoles=told, groups=member_of(*groups))).roles == roles


def test_roles_are_not_known_when_the_groups_are_not() -> None:
    assert at().user(row(groups=...)).roles is None


@pytest.mark.case("E32", "E33", "E50")
@pytest.mark.parametrize(
    ("fields", "internal", "claimed", "external"),
    [
        ({}, ["acme.com"], ("acme.com",), False),
        ({"email": "x@ACME.com"}, ["acme.com"], None, False),
        ({"email": "x@eu.acme.com"}, ["acme.com"], ("acme.com",), True),
        ({"email": "x@eu.acme.com"}, ["acme.com", "eu.acme.com"], ("acme.com",), False),
        ({"email": "x@example.org"}, ["acme.com"], None, True),
        ({"email": "x@example.org"}, [], ("acme.com",), None),
        ({"email": ..., "claimStatus": "managed"}, ["acme.com"], None, False),
        ({"email": ..., "claimStatus": "unmanaged"}, ["acme.com"], ("acme.com", "b.com"), True),
        ({"email": ..., "claimStatus": "unmanaged"}, ["acme.com", "eu.acme.com"], ("acme.com",), None),
        ({"email": ..., "claimStatus": "unmanaged"}, ["acme.com"], None, None),
        ({"email": ..., "claimStatus": ...}, ["acme.com"], ("acme.com",), None),
    ],
)
def test_somebody_is_external_by_domain_or_by_not_being_managed(
    fields: dict[str, Any], internal: list[str], claimed: tuple[str, ...] | None, external: bool | None
) -> None:
    assert at(*internal, claimed=claimed).user(row(**fields)).external is external


@pytest.mark.case("E33")
@pytest.mark.parametrize(
    ("fields", "has"),
    [
        ({}, True),
        ({"email": ...}, False),
        ({"email": ""}, False),
        ({"email": ..., "name": ..., "nickname": ...}, None),
    ],
)
def test_an_address_is_shown_hidden_or_not_known(fields: dict[str, Any], has: bool | None) -> None:
    assert user(**fields).has_email is has


@pytest.mark.parametrize(
    ("fields", "suspend", "writable"),
    [
        ({"managementSource": "synced"}, False, False),
        ({"managementSource": "synced"}, True, True),
        ({"managementSource": "invited"}, True, True),
        ({"managementSource": ..., "claimStatus": "managed"}, False, None),
        ({"managementSource": ..., "claimStatus": "managed"}, True, True),
    ],
)
def test_synced_accounts_are_suspended_here_where_the_site_document_says_so(
    fields: dict[str, Any], suspend: bool, writable: bool | None
) -> None:
    found = at(suspend=suspend).user(row(**fields))
    assert found.writable is writable
    assert found.synced is {"synced": True, "invited": False}.get(fields["managementSource"])


@pytest.mark.parametrize(
    ("fields", "since"),
    [
        ({"status": "deactivated", "accountStatus": "inactive", "deactivatedOn": "2026-10-01T08:00:00Z"}, 1),
        ({"status": "deactivated", "accountStatus": "inactive", "deactivatedOn": None}, None),
        ({"status": "suspended", "membershipStatus": "suspended", "deactivatedOn": "2026-10-01T08:00:00Z"}, None),
        ({"deactivatedOn": "2026-10-01T08:00:00Z"}, None),
    ],
)
def test_the_day_of_deactivation_is_told_of_deactivated_accounts_alone(
    fields: dict[str, Any], since: int | None
) -> None:
    expected = None if since is None else datetime(2026, 10, since, 8, tzinfo=UTC)
    assert user(**fields).status_since == expected


def test_attributes_are_those_that_say_something() -> None:
    full = row(department="Sales", jobTitle=" Clerk ", location=None, organization="")
    assert at().user(full).attributes == (("department", "Sales"), ("job_title", "Clerk"))


SEEN, NEVER = seen_at(datetime(2026, 1, 1, tzinfo=UTC)), Never(None)
OPEN = Unknown("not in the answer")


@pytest.mark.case("E15")
@pytest.mark.parametrize(
    ("verified", "seen", "elsewhere", "accepted"),
    [
        (False, NEVER, (), False),
        (False, NEVER, (("jira", NEVER),), False),
        (False, SEEN, (), True),
        (False, NEVER, (("jira", SEEN),), True),
        (False, NEVER, (("jira", OPEN),), None),
        (False, NEVER, None, None),
        (False, OPEN, (), None),
        (True, NEVER, (), True),
        (None, NEVER, (), None),
        (None, SEEN, (), True),
    ],
)
def test_an_invitation_is_open_when_nothing_was_verified_and_nothing_was_used(
    verified: bool | None, seen: Activity, elsewhere: tuple[tuple[str, Activity], ...] | None, accepted: bool | None
) -> None:
    told = ... if verified is None else verified
    listed = at().user(row(emailVerified=told, productAccess=[]))
    assert listed.accepted is verified
    later = User(id="1", directory="d", seen=seen, elsewhere=elsewhere, accepted=listed.accepted)
    assert settled(later).accepted is accepted


@pytest.mark.case("E15")
def test_whoever_used_another_product_has_accepted() -> None:
    assert user(emailVerified=False, productAccess=[entry(JIRA, "jira-software", "2026-01-01T00:00:00Z")]).accepted


# -- roles that were asked for -----------------------------------------------------------------------


@pytest.mark.case("E37", "E48")
@pytest.mark.parametrize(
    ("groups", "direct", "license_", "seats"),
    [
        ([SEAT], (), "seat", ["seat"]),
        ([SEAT], ("user",), "seat", ["seat", "+user"]),
        ([SEAT, GUEST], ("guest", "user"), "seat", ["guest", "seat", "+guest", "+user"]),
        ([GUEST], ("user",), "seat", ["guest", "+user"]),
        ([GUEST], ("guest",), "guest", ["guest", "+guest"]),
        ([PLAIN], ("guest",), "guest", ["+guest"]),
        ([], ("user-access-admin",), "none", []),
        ([], ("ai-access",), "none", []),
        ([], (), "none", []),
        ([UNTOLD], ("user",), "seat", ["+user"]),
        ([UNTOLD], ("guest",), "unknown", None),
        ([UNTOLD], (), "unknown", None),
    ],
)
def test_roles_given_directly_are_ways_to_the_license_beside_the_groups(
    groups: list[Any], direct: tuple[str, ...], license_: str, seats: list[str] | None
) -> None:
    belonging = Belongings(EVERY).of(one.id for one in groups)
    found = with_roles(user(groups=member_of(*groups)), direct, belonging)
    expected = (
        None if seats is None else tuple(RoleSeat(one[1:]) if one[0] == "+" else GroupSeat((one,)) for one in seats)
    )
    assert (found.license, found.seats, found.direct) == (license_, expected, direct)


def test_a_role_whose_name_was_not_known_gets_its_name() -> None:
    before = User(id="1", directory="d", groups=(), license="seat", seats=(RoleSeat("direct"),))
    found = with_roles(before, ("contributor",), Belongings(EVERY).of(()))
    assert (found.license, found.seats) == ("seat", (RoleSeat("contributor"),))


@pytest.mark.case("E20")
def test_a_direct_administrator_is_one() -> None:
    found = with_roles(user(), ("admin",), Belongings(EVERY).of(["seat"]))
    assert (found.admin, found.roles) == (True, ("confluence-admin",))


# -- several sources ---------------------------------------------------------------------------------

OLD = seen_at(datetime(2025, 1, 1, tzinfo=UTC), "csv")
NEW = seen_at(datetime(2026, 11, 1, tzinfo=UTC), "audit")


@pytest.mark.case("E8", "E17")
@pytest.mark.parametrize(
    ("directory", "other", "together"),
    [
        (SEEN, NEW, NEW),
        (SEEN, OLD, SEEN),
        (NEVER, OLD, OLD),
        (OPEN, OLD, OPEN),
        (NOT_KNOWN, NEW, NOT_KNOWN),
        (IN_FUTURE, NEW, IN_FUTURE),
        (SEEN, IN_FUTURE, IN_FUTURE),
    ],
)
def test_another_source_makes_somebody_more_active_and_never_proves_idleness(
    directory: Activity, other: Activity, together: Activity
) -> None:
    assert with_sighting(directory, other) == together


@pytest.mark.case("E5")
@given(
    st.integers(-2, 2),
    st.integers(0, 47),
    st.sampled_from([0, 1, 24 * 3600 - 1, 3 * 24 * 3600]),
    st.sampled_from(["content", "audit", "csv"]),
)
def test_another_source_makes_nobody_idle_sooner(days: int, hours: int, width: int, source: Source) -> None:
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    seen = seen_at(now - timedelta(days=91 + days))
    at = seen.latest + timedelta(hours=hours)
    idle = compile_match(Match(all=(InactiveFor(90),)), scope(as_of=now)).verdict
    known = User(id="1", directory="d", added=datetime(2020, 1, 1, tzinfo=UTC), seen=seen)
    more = replace(known, seen=with_sighting(seen, Seen(at - timedelta(seconds=width), at, source)))
    assert idle(known) or not idle(more)
