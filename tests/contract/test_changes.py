"""What every Writer must do with whole accounts, roles, tokens, seats, groups and invitations.

Each test takes somebody new, so that what one has changed is nobody else's business.
"""

from __future__ import annotations

import contextlib

import pytest

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import CredentialError, LostAnswerError, RefusedError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.run import Invitation
from cleanup_gitops.model.user import GroupSeat, RoleSeat, User
from tests.contract.adapters import Adapter, Cloud
from tests.contract.changes import (
    add,
    deactivate,
    delete,
    disable,
    enable,
    remove,
    revoke_role,
    revoke_token,
    take_out,
)


def ordinary(user: User) -> bool:
    """Active, managed, not synced: everything may be done to the account."""
    return (
        user.status == "active"
        and user.managed is True
        and user.writable is True
        and user.lifecycle is not None
        and user.lifecycle.enablement == user.lifecycle.deletion == ""
        and not user.admin
    )


def refused(adapter: Adapter, change: Change, user: User) -> None:
    """The change is refused, and nothing about the user has changed."""
    before = adapter.now(user)
    with pytest.raises(RefusedError):
        adapter.writer.write(change)
    assert adapter.now(user) == before


def group_named(adapter: Adapter, name: str) -> Group | None:
    found = adapter.reader.read().inventory.groups_by_name.get(name.casefold(), ())
    return found[0] if found else None


# -- whole accounts --------------------------------------------------------------------------------


def test_deactivating_and_reactivating_lead_back_to_the_same_facts(adapter: Adapter) -> None:
    user = adapter.find(ordinary)
    adapter.writer.write(deactivate(user))
    closed = adapter.now(user)
    assert (closed.status, closed.billed, closed.groups, closed.seats) == (
        "deactivated",
        False,
        user.groups,
        user.seats,
    )
    adapter.writer.write(deactivate(user))
    assert adapter.now(user) == closed
    for _ in range(2):
        adapter.writer.write(enable(user, "deactivated"))
        assert adapter.now(user) == user


def test_a_deletion_can_be_asked_for_and_cancelled(adapter: Adapter) -> None:
    user = adapter.find(ordinary)
    for _ in range(2):
        adapter.writer.write(delete(user))
        assert adapter.now(user).status == "deleting"
    refused(adapter, enable(user, "deactivated"), user)
    adapter.writer.write(enable(user, "deleting"))
    assert adapter.now(user) == user
    refused(adapter, enable(user, "deleting"), user)


@pytest.mark.case("E43", "E44")
def test_an_account_that_the_organization_does_not_manage_is_not_closed(adapter: Adapter) -> None:
    user = adapter.find(lambda user: user.managed is False and user.status == "active" and user.kind == "person")
    for change in (deactivate(user), delete(user), enable(user, "deactivated"), revoke_token(user, "t-1")):
        refused(adapter, change, user)


@pytest.mark.case("E45")
def test_an_account_that_an_identity_provider_syncs_is_not_closed(adapter: Adapter) -> None:
    user = adapter.find(
        lambda user: (
            user.status == "active" and user.lifecycle and user.lifecycle.enablement == "externalDirectory.scim"
        )
    )
    refused(adapter, deactivate(user), user)
    refused(adapter, delete(user), user)


@pytest.mark.case("E47")
def test_a_removed_account_is_gone_and_cannot_be_removed_again(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and user.groups)
    adapter.writer.write(take_out(user))
    assert adapter.shows(lambda: adapter.reader.user(user.id) is None)
    assert user.id not in adapter.reader.read().inventory.user_by_id
    for change in (take_out(user), disable(user), add(user, (user.groups or ("",))[0])):
        with pytest.raises(RefusedError):
            adapter.writer.write(change)
    assert adapter.reader.user(user.id) is None


@pytest.mark.case("E47")
def test_nothing_can_be_done_to_an_account_that_does_not_exist(adapter: Adapter) -> None:
    user = adapter.find(ordinary)
    ghost = User(id="712020:00000000-0000-4000-8000-000000000000", directory=user.directory, status="active")
    for change in (
        deactivate(ghost),
        delete(ghost),
        take_out(ghost),
        enable(ghost, "deactivated"),
        enable(ghost, "deleting"),
        revoke_role(ghost, "user"),
        revoke_token(ghost, "t-1"),
    ):
        with pytest.raises(RefusedError):
            adapter.writer.write(change)


# -- roles and tokens ------------------------------------------------------------------------------


@pytest.mark.case("E37")
def test_taking_back_a_role_leaves_the_seat_that_a_group_gives(adapter: Adapter) -> None:
    user = adapter.find(
        lambda user: user.direct == ("user",) and any(isinstance(path, GroupSeat) for path in user.seats or ())
    )
    adapter.writer.write(revoke_role(user, "user"))
    assert adapter.shows(lambda: adapter.now(user).direct == ())
    left = adapter.now(user)
    assert left.license == "seat"
    assert left.seats == tuple(path for path in user.seats or () if isinstance(path, GroupSeat))
    assert left.groups == user.groups


def test_taking_back_the_only_role_frees_the_seat_and_a_second_time_changes_nothing(adapter: Adapter) -> None:
    user = adapter.find(lambda user: user.direct == ("user",) and user.seats == (RoleSeat("user"),))
    adapter.writer.write(revoke_role(user, "user"))
    assert adapter.shows(lambda: adapter.now(user).direct == ())
    left = adapter.now(user)
    assert (left.license, left.seats, left.billed, left.groups) == ("none", (), False, user.groups)
    with contextlib.suppress(RefusedError):
        adapter.writer.write(revoke_role(user, "user"))
    assert adapter.now(user) == left


def test_one_token_ends_and_no_other_one(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and len(user.tokens or ()) > 1)
    before = adapter.everybody()
    first, *others = user.tokens or ()
    adapter.writer.write(revoke_token(user, first))
    after = adapter.everybody()
    assert after.user_by_id[user.id].tokens == tuple(others)
    assert [one for one in before.users if one.id != user.id] == [one for one in after.users if one.id != user.id]
    refused(adapter, revoke_token(user, first), user)


def test_a_token_without_a_proper_id_reaches_no_site(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and user.tokens)
    before = adapter.writes()
    for token in ("", ".", "..", "../../../admin/api-access/v1/orgs/o/api-tokens", "%2e%2e"):
        refused(adapter, revoke_token(user, token), user)
    assert adapter.writes() == before


# -- seats -----------------------------------------------------------------------------------------


def test_no_seat_is_given_when_all_are_taken(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and len(user.seats or ()) == 1 and not user.direct)
    (path,) = user.seats or ()
    assert isinstance(path, GroupSeat)
    adapter.writer.write(remove(user, path.chain[0]))
    adapter.sell(0)
    refused(adapter, add(user, path.chain[0]), user)
    with pytest.raises(RefusedError):
        adapter.writer.invite(Invitation("somebody.new@acme.com", groups=(path.chain[0],)))
    adapter.sell(1)
    adapter.writer.write(add(user, path.chain[0]))
    assert adapter.now(user) == user


def test_nobody_is_restored_when_all_seats_are_taken(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and user.license == "seat")
    adapter.writer.write(disable(user))
    adapter.sell(0)
    refused(adapter, enable(user, "suspended"), user)
    adapter.sell(1)
    adapter.writer.write(enable(user, "suspended"))
    assert adapter.now(user) == user


# -- late, lost, without effect ----------------------------------------------------------------------


def test_a_change_that_shows_late_is_accepted_and_shows_later(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and user.groups)
    group = next(one for one in user.groups or () if adapter.reader.group_modifiable(one))
    adapter.be_late()
    assert 200 <= adapter.writer.write(remove(user, group)).status < 300
    assert adapter.now(user) == user
    adapter.settle()
    assert group not in (adapter.now(user).groups or ())


@pytest.mark.case("E66")
def test_a_change_that_was_accepted_and_not_made_is_told_by_reading_only(adapter: Adapter) -> None:
    user = adapter.find(ordinary)
    adapter.be_deaf()
    assert 200 <= adapter.writer.write(disable(user)).status < 300
    adapter.settle()
    assert adapter.now(user) == user


@pytest.mark.case("E63")
def test_a_write_whose_answer_is_lost_is_made_once_and_told_by_reading(adapter: Adapter) -> None:
    user = adapter.find(lambda user: ordinary(user) and user.groups)
    group = next(one for one in user.groups or () if adapter.reader.group_modifiable(one))
    before = adapter.writes()
    adapter.lose_the_next_answer()
    with pytest.raises(LostAnswerError):
        adapter.writer.write(remove(user, group))
    assert adapter.writes() == before + 1
    assert group not in (adapter.now(user).groups or ())


def test_each_change_is_one_write(adapter: Adapter) -> None:
    user = adapter.find(ordinary)
    for change in (disable(user), enable(user, "suspended"), deactivate(user), enable(user, "deactivated")):
        before = adapter.writes()
        adapter.writer.write(change)
        assert adapter.writes() == before + 1


# -- groups and invitations --------------------------------------------------------------------------


def test_a_group_is_created_shows_late_and_can_be_deleted(adapter: Adapter) -> None:
    assert 200 <= adapter.writer.create_group("Cleaned up").status < 300
    assert adapter.shows(lambda: group_named(adapter, "Cleaned up") is not None)
    group = group_named(adapter, "Cleaned up")
    assert group is not None
    assert (group.license, group.grants, group.modifiable, group.admin) == ("none", (), True, False)
    with pytest.raises(RefusedError):
        adapter.writer.create_group("cleaned UP")
    user = adapter.find(ordinary)
    adapter.writer.write(add(user, group.id))
    assert group.id in (adapter.now(user).groups or ())
    adapter.writer.delete_group(group.id)
    assert adapter.shows(lambda: group_named(adapter, "Cleaned up") is None)
    assert adapter.now(user) == user
    with pytest.raises(RefusedError):
        adapter.writer.delete_group(group.id)


@pytest.mark.case("E34")
def test_a_group_that_an_identity_provider_owns_or_that_administers_stays(adapter: Adapter) -> None:
    groups = adapter.reader.read().inventory.groups
    kept = [group for group in groups if group.modifiable is False or group.admin]
    assert {group.modifiable for group in kept} == {True, False}
    for group in kept:
        with pytest.raises(RefusedError):
            adapter.writer.delete_group(group.id)
    assert adapter.reader.read().inventory.groups == groups


def test_somebody_new_is_invited_into_a_group_and_found_again_by_the_same_address(adapter: Adapter) -> None:
    inventory = adapter.reader.read().inventory
    group = next(one for one in inventory.groups if one.license == "seat" and one.modifiable and not one.admin)
    invited = adapter.writer.invite(Invitation("Brand.New@acme.com", groups=(group.id,)))
    assert (invited.refused, invited.account in inventory.user_by_id) == ((), False)
    user = adapter.reader.user(invited.account)
    assert user is not None
    assert (user.groups, user.license, user.status) == ((group.id,), "seat", "active")
    again = adapter.writer.invite(Invitation("brand.new@ACME.com", groups=(group.id,)))
    assert again.account == invited.account
    assert adapter.reader.user(invited.account) == user
    assert "brand" not in repr(invited).casefold()


@pytest.mark.case("E32")
def test_an_account_is_found_by_its_address_in_any_case_and_by_no_part_of_it(adapter: Adapter) -> None:
    group = next(one for one in adapter.inventory.groups if one.grants == () and one.modifiable and not one.admin)
    assert adapter.reader.find("found.here@acme.com") == ()
    invited = adapter.writer.invite(Invitation("Found.Here@acme.com", groups=(group.id,)))
    assert adapter.reader.find("found.here@ACME.com") == (invited.account,)
    assert adapter.reader.find("found.here@acme") == ()
    assert adapter.reader.find("found@acme.com") == ()


def test_somebody_is_invited_with_a_role(adapter: Adapter) -> None:
    invited = adapter.writer.invite(Invitation("role.holder@acme.com", role="user"))
    user = adapter.reader.user(invited.account)
    assert user is not None
    assert (invited.refused, user.license) == ((), "seat")


@pytest.mark.case("E34")
def test_an_invitation_into_a_group_that_cannot_be_changed_is_refused_in_that_part(adapter: Adapter) -> None:
    inventory = adapter.reader.read().inventory
    synced = next(group for group in inventory.groups if group.modifiable is False)
    plain = next(group for group in inventory.groups if group.modifiable and group.grants == ())
    invited = adapter.writer.invite(Invitation("in.part@acme.com", groups=(plain.id, synced.id)))
    assert invited.refused == (f"group {synced.id}: refused",)
    user = adapter.reader.user(invited.account)
    assert user is not None
    assert user.groups == (plain.id,)


# -- what only this vendor does ------------------------------------------------------------------------


def test_an_account_that_owns_something_is_not_closed_and_the_refusal_says_why(cloud: Cloud) -> None:
    user = cloud.find(ordinary)
    owner = next(one for one in cloud.box.world.users if one.id == user.id)
    owner.lifecycle_errors = {"owns.site": "Ada Example owns acme.atlassian.net"}
    for change in (deactivate(user), delete(user)):
        with pytest.raises(RefusedError, match=r"owns a site \(409, conflict.lifecycleErrors, owns.site;"):
            cloud.writer.write(change)
    assert cloud.now(user) == user


@pytest.mark.case("E67")
def test_a_key_with_scopes_manages_no_account(cloud: Cloud) -> None:
    user = cloud.find(ordinary)
    cloud.box.world.credentials.org_api_key_scopes = ["read:accounts:admin"]
    try:
        with pytest.raises(CredentialError, match="was made with scopes"):
            cloud.writer.write(deactivate(user))
    finally:
        cloud.box.world.credentials.org_api_key_scopes = []
    assert cloud.now(user) == user


@pytest.mark.parametrize("vague", [True, False])
def test_what_atlassian_leaves_open_makes_no_difference(cloud: Cloud, vague: bool) -> None:
    options = cloud.box.world.options
    options.vague_conflicts, options.repeated_status, options.remove_non_member = vague, 400, 204
    user = cloud.find(lambda user: ordinary(user) and user.groups)
    group = next(one for one in user.groups or () if cloud.reader.group_modifiable(one))
    try:
        with pytest.raises(RefusedError, match="in the group already, or no seat is left"):
            cloud.writer.write(add(user, group))
        with pytest.raises(RefusedError, match="not possible for the account"):
            cloud.writer.write(enable(user, "suspended"))
        for _ in range(2):
            cloud.writer.write(remove(user, group))
        assert group not in (cloud.now(user).groups or ())
    finally:
        options.vague_conflicts, options.repeated_status, options.remove_non_member = False, 204, 404
