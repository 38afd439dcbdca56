"""What a group gives, from its role assignments."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.sites.cloud.grants import group_of
from cleanup_gitops.sites.cloud.wire import GroupRow, RoleRow

HERE = "ari:cloud:confluence::site/1"
OTHER = "ari:cloud:confluence::site/2"
JIRA = "ari:cloud:jira-software::site/1"
ORG = "ari:cloud:platform::org/o"


def given(resource: str, owner: str | None, *roles: str) -> RoleRow:
    return RoleRow(resource, owner, [f"atlassian/{role}" for role in roles])


def group(*roles: RoleRow, **fields: Any) -> Group:  # noqa: ANN401 - any field of the answer
    row = msgspec.convert({"id": "g", "name": "somebody", **fields}, GroupRow)
    return group_of(row, roles, "d", HERE)


@pytest.mark.case("E48")
@pytest.mark.parametrize(
    ("roles", "license_", "admin"),
    [
        ((), "none", False),
        ((given(HERE, "confluence", "user"),), "seat", False),
        ((given(HERE, "confluence", "admin"),), "seat", True),
        ((given(HERE, "confluence", "guest"),), "guest", False),
        ((given(HERE, "confluence", "guest", "user"),), "seat", False),
        ((given(HERE, "confluence", "user-access-admin"),), "none", True),
        ((given(HERE, "confluence", "a-role-to-come"),), "seat", False),
        ((given(OTHER, "confluence", "user"),), "none", False),
        ((given(OTHER, "confluence", "admin"),), "none", False),
        ((given(JIRA, "jira-software", "admin"),), "none", False),
        ((given(ORG, "platform", "org-admin"),), "none", True),
        ((given(ORG, "platform", "site-admin"),), "none", True),
        ((RoleRow(HERE, "confluence"),), "unknown", None),
        ((RoleRow(JIRA, "jira-software"), given(HERE, "confluence", "user")), "seat", None),
    ],
)
def test_license_and_administration_follow_from_the_roles(
    roles: tuple[RoleRow, ...],
    license_: str,
    admin: bool | None,
) -> None:
    found = group(*roles)
    assert (found.license, found.admin) == (license_, admin)


@pytest.mark.case("E38")
def test_every_product_is_named_and_another_confluence_is_another_product() -> None:
    found = group(
        given(JIRA, "jira-software", "user"),
        given(HERE, "confluence", "user"),
        given(OTHER, "confluence", "guest", "user"),
        given("ari:cloud:trello::site/1", None, "user"),
    )
    assert found.grants == (
        Grant("confluence", "user"),
        Grant("confluence:2", "guest"),
        Grant("confluence:2", "user"),
        Grant("jira-software", "user"),
        Grant("trello", "user"),
    )


@pytest.mark.case("E38")
def test_roles_on_fewer_resources_than_the_site_counts_make_what_is_given_unknown() -> None:
    seat, jira = given(HERE, "confluence", "user"), given(JIRA, "jira-software", "user")
    whole = group(seat, jira, counts={"resources": 2})
    assert (whole.grants, whole.license, whole.admin) == (
        (Grant("confluence", "user"), Grant("jira-software", "user")),
        "seat",
        False,
    )
    for roles, license_ in (((jira,), "unknown"), ((jira, jira), "unknown"), ((), "unknown"), ((seat,), "seat")):
        found = group(*roles, counts={"resources": 2})
        assert (found.grants, found.license, found.admin) == (None, license_, None)
    assert group(seat, jira, counts={"resources": 1}) == whole


def test_a_group_with_access_whose_roles_do_not_say_which_is_unknown() -> None:
    row = msgspec.convert({"id": "g"}, GroupRow)
    found = group_of(row, [given(JIRA, "jira-software", "user")], "d", HERE, gives_access=True)
    assert (found.grants, found.license, found.admin) == (None, "unknown", None)


def test_roles_that_were_not_told_make_all_grants_unknown() -> None:
    assert group(RoleRow(JIRA, "jira-software"), given(HERE, "confluence", "user")).grants is None


@pytest.mark.case("E20")
@pytest.mark.parametrize("name", ["org-admins", "Site-Admins"])
def test_the_administrators_groups_are_known_by_name(name: str) -> None:
    assert group(name=name).admin is True


@pytest.mark.parametrize(
    ("fields", "synced"),
    [
        ({}, None),
        ({"managedBy": "external"}, True),
        ({"externalSynced": True}, True),
        ({"externalSynced": False}, False),
        ({"managedBy": "admins"}, False),
    ],
)
def test_who_syncs_a_group_is_known_or_not(fields: dict[str, Any], synced: bool | None) -> None:
    assert group(**fields).synced is synced


def test_a_group_without_name_and_directory_is_in_the_directory_that_was_asked() -> None:
    found = group(name=None)
    assert (found.name, found.directory) == ("", "d")
    assert group(directoryId="e").directory == "e"
