"""What follows from one row of the users' list: pure, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import Unknown, seen_at
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.sites.cloud.facts import status_of
from cleanup_gitops.sites.cloud.grants import bare_id, modifiable
from cleanup_gitops.sites.cloud.wire import GroupRow, UserRow
from tests.sites.user_rows import (
    ACCESS,
    GUEST,
    IN_2025,
    PLAIN,
    SEAT,
    SECOND,
    UNTOLD,
    group,
    member_of,
    row,
    translator,
    user,
)


def test_a_full_row_gives_all_facts() -> None:
    assert user() == User(
        id="712020:1",
        directory="d",
        status="active",
        kind="person",
        license="seat",
        managed=True,
        synced=False,
        writable=True,
        admin=False,
        domain="acme.com",
        added=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        seen=seen_at(IN_2025),
        elsewhere=(),
        groups=("seat",),
        seats=(GroupSeat(("seat",)),),
        attributes=(("department", "Talent"), ("location", "Oslo")),
        roles=(),
        external=False,
        has_email=True,
        accepted=True,
    )


@pytest.mark.case("F2")
def test_a_row_with_nothing_but_an_id_is_unknown_in_everything() -> None:
    bare = translator().user(UserRow(account_id="1"))
    assert bare == User(id="1", directory="d", seen=Unknown("not in the answer"))
    assert bare.billed is None


@pytest.mark.parametrize(
    ("composite", "account", "membership", "status"),
    [
        ("active", "active", "active", "active"),
        ("suspended", "active", "suspended", "suspended"),
        ("not_invited", "active", "no_membership", "absent"),
        ("deactivated", "inactive", "active", "deactivated"),
        ("deactivated", "inactive", "no_membership", "deactivated"),
        ("for_deletion", "inactive", "active", "deleting"),
        ("for_deletion", "closed", "no_membership", "deleting"),
        ("active", ..., ..., "active"),
        ("suspended", None, None, "suspended"),
        (..., "active", "active", "active"),
        (..., "active", "suspended", "suspended"),
        (..., "inactive", "active", "deactivated"),
        (..., "closed", "active", "deleting"),
        (..., "active", "no_membership", "absent"),
        (..., "active", ..., "unknown"),
        (..., ..., "active", "unknown"),
        (..., ..., ..., "unknown"),
        ("active", "inactive", "active", "unknown"),
        ("active", "active", "suspended", "unknown"),
        ("suspended", "active", "active", "unknown"),
        ("deactivated", "active", "active", "unknown"),
        ("frozen", "active", "active", "unknown"),
        ("active", "dormant", "active", "unknown"),
    ],
)
def test_the_status_is_what_all_words_agree_on(
    composite: object, account: object, membership: object, status: str
) -> None:
    assert status_of(row(status=composite, accountStatus=account, membershipStatus=membership)) == status


def test_a_scheduled_deletion_contradicts_an_active_account() -> None:
    assert status_of(row(forDeletion=True)) == "unknown"
    assert status_of(row(forDeletion=False)) == "active"


@pytest.mark.case("E23")
@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "person"),
        ({"accountType": "app"}, "app"),
        ({"accountType": "customer"}, "customer"),
        ({"accountType": "robot"}, "unknown"),
        ({"accountType": ...}, "unknown"),
        ({"email": "x@ServiceAccount.atlassian.com"}, "service"),
        ({"accountType": "app", "email": "x@serviceaccount.atlassian.com"}, "service"),
        ({"email": "x@not-serviceaccount.atlassian.com"}, "person"),
        ({"email": "SVC-backup@acme.com"}, "service"),
        ({"accountId": "svc-1"}, "service"),
        ({"email": "svc-backup@acme.com", "claimStatus": "unmanaged"}, "service"),
        ({"email": "svc-backup@example.org"}, "service"),
        ({"email": "svc-backup@example.org", "claimStatus": ...}, "service"),
        ({"email": "ada@svc-x.com"}, "person"),
        ({"name": ..., "nickname": ..., "email": ...}, "person"),
    ],
)
def test_the_kind_comes_from_the_account_type_and_the_site_s_service_accounts(
    fields: dict[str, Any], kind: str
) -> None:
    assert user(**fields).kind == kind


@pytest.mark.case("E23")
@pytest.mark.parametrize(
    "fields",
    [
        {"nickname": "svc-me"},
        {"name": "svc-me"},
        {"name": "svc-me", "nickname": "svc-me", "email": ...},
        {"email": "svc-me@example.org", "claimStatus": "unmanaged"},
    ],
)
def test_nobody_becomes_a_service_account_by_what_they_can_edit_themselves(fields: dict[str, Any]) -> None:
    assert user(**fields).kind == "person"


@pytest.mark.parametrize(
    ("claim", "source", "facts"),
    [
        ("managed", "invited", (True, False, True)),
        ("managed", "synced", (True, True, False)),
        ("managed", None, (True, None, None)),
        ("unmanaged", None, (False, None, True)),
        ("unmanaged", "synced", (False, True, False)),
        (..., ..., (None, None, None)),
        ("maybe", "guessed", (None, None, None)),
    ],
)
def test_who_owns_the_account_decides_who_may_change_its_status(claim: object, source: object, facts: object) -> None:
    found = user(claimStatus=claim, managementSource=source)
    assert (found.managed, found.synced, found.writable) == facts


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("roles", "groups", "admin"),
    [
        ([], [PLAIN], False),
        (["atlassian/org-admin"], [PLAIN], True),
        (["atlassian/site-admin"], [PLAIN], True),
        (["atlassian/user-access-admin"], [PLAIN], True),
        (["atlassian/ai-access"], [PLAIN], False),
        ([], [PLAIN, ACCESS], True),
        (..., [ACCESS], True),
        (..., [PLAIN], None),
        (None, [PLAIN], None),
        ([], [UNTOLD], None),
        ([], ..., None),
        (["atlassian/org-admin"], ..., True),
    ],
)
def test_an_administrator_is_one_by_role_or_group_and_unknown_without_roles(
    roles: object,
    groups: Any,  # noqa: ANN401 - a list, or ... for "not told"
    admin: bool | None,
) -> None:
    told = groups if groups is ... else member_of(*groups)
    assert user(platformRoles=roles, groups=told).admin is admin


@pytest.mark.case("E37", "E48")
@pytest.mark.parametrize(
    ("groups", "license_", "paths"),
    [
        ([SEAT], "seat", ["seat"]),
        ([SEAT, SECOND, PLAIN], "seat", ["seat", "second"]),
        ([GUEST], "guest", ["guest"]),
        ([GUEST, SEAT], "seat", ["guest", "seat"]),
        ([ACCESS], "none", []),
        ([PLAIN], "none", []),
        ([], "none", []),
        ([SEAT, UNTOLD], "seat", ["seat"]),
        ([GUEST, UNTOLD], "unknown", None),
        ([UNTOLD], "unknown", None),
        ([group("never-read")], "unknown", None),
    ],
)
def test_every_way_to_the_license_is_listed(groups: list[Group], license_: str, paths: list[str] | None) -> None:
    found = user(groups=member_of(*groups))
    assert found.license == license_
    assert found.groups == tuple(sorted(one.id for one in groups))
    assert found.seats == (None if paths is None else tuple(GroupSeat((one,)) for one in paths))


def test_groups_that_were_not_told_are_unknown_and_not_none() -> None:
    found = user(groups=...)
    assert (found.groups, found.license, found.seats, found.billed) == (None, "unknown", None, None)


@pytest.mark.parametrize("told", ["seat", "ari:cloud:identity::group/seat"])
def test_group_ids_come_bare_or_wrapped(told: str) -> None:
    assert user(groups=[{"id": told}]).groups == ("seat",)
    assert bare_id(told) == "seat"


@pytest.mark.case("E32", "E33")
@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@acme.com", "acme.com"),
        ("Ada+wiki@ACME.Com", "acme.com"),
        ("ada@eu.acme.com", "eu.acme.com"),
        ("ada@bücher.example", "xn--bcher-kva.example"),
        ("a@b@acme.com", "acme.com"),
        ("", None),
        ("ada", None),
        ("@acme.com", None),
        ("ada@", None),
        ("ada@..", None),
        (..., None),
        (None, None),
    ],
)
def test_the_domain_is_normalised_or_unknown(email: object, domain: str | None) -> None:
    assert user(email=email).domain == domain


def test_names_and_addresses_are_in_people_alone() -> None:
    person = translator().person(row())
    assert (person.name, person.email) == ("Ada Example", "ada@acme.com")
    assert "Ada" not in repr(user())
    assert "ada@" not in repr(user())
    assert translator().person(row(name=None, email=...)).name == "ada"


# -- groups ----------------------------------------------------------------------------------------


@pytest.mark.case("E34")
@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, None),
        ({"managementAccess": {"modifiable": True}}, True),
        ({"managementAccess": {"modifiable": False}}, False),
        ({"managementAccess": {}}, None),
        ({"managedBy": "admins"}, True),
        ({"managedBy": "external"}, False),
        ({"externalSynced": True}, False),
        ({"externalSynced": False}, True),
        ({"managementAccess": {"modifiable": True}, "externalSynced": True}, False),
        ({"managementAccess": {"modifiable": True}, "managedBy": "external"}, False),
        ({"managementAccess": {"modifiable": False}, "managedBy": "admins", "externalSynced": False}, False),
    ],
)
def test_a_group_is_modifiable_when_nothing_speaks_against_it(fields: dict[str, Any], verdict: bool | None) -> None:
    assert modifiable(msgspec.convert({"id": "g", **fields}, GroupRow)) is verdict
