"""What every Reader and Writer must do, run against each adapter and against the fake that other tests use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cleanup_gitops.model.activity import Seen
from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    UserDisable,
    UserEnable,
    membership_address,
    user_address,
)
from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Reader, Writer
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.fakes import FakeSite
from tests.sites.box import connected

USERS = 160


@dataclass
class Adapter:
    """One implementation of both ports, and what it read at first."""

    reader: Reader
    writer: Writer
    inventory: Inventory

    def now(self, user: User) -> User:
        """The user as the site shows it now."""
        found = self.reader.user(user.id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def origin() -> Iterator[Adapter]:
    """A Cloud site over HTTP."""
    with running(seed(users=USERS, seed=7)) as box, connected(box) as site:
        yield Adapter(site.reader, site.writer, site.reader.read().inventory)


@pytest.fixture(params=["cloud", "fake"])
def adapter(request: pytest.FixtureRequest, origin: Adapter) -> Adapter:
    if request.param == "cloud":
        return origin
    fake = FakeSite(origin.inventory)
    return Adapter(fake, fake, origin.inventory)


def remove(user: User, group: str) -> Change:
    address = membership_address(group, user.id, None)
    return MembershipRemove(address=address, user=user.id, directory=user.directory, group=group)


def add(user: User, group: str) -> Change:
    address = membership_address(group, user.id, None)
    return MembershipAdd(address=address, user=user.id, directory=user.directory, group=group)


def somebody(inventory: Inventory) -> User:
    """An active person who used Confluence and has the seat through exactly one group that can be changed."""
    return next(
        user
        for user in inventory.users
        if user.status == "active"
        and user.writable
        and isinstance(user.seen, Seen)
        and isinstance(user.seats, tuple)
        and len(user.seats) == 1
        and isinstance(user.seats[0], GroupSeat)
        and inventory.group_by_id[user.seats[0].chain[0]].modifiable
    )


def seat_group(user: User) -> str:
    assert user.seats is not None
    path = user.seats[0]
    assert isinstance(path, GroupSeat)
    return path.chain[0]


def plain_group(inventory: Inventory, user: User) -> Group:
    """A group that gives nothing, can be changed, and that the user is not in."""
    return next(
        group
        for group in inventory.groups
        if group.modifiable and group.grants == () and not group.admin and group.id not in (user.groups or ())
    )


def test_a_reading_is_complete_and_sorted(adapter: Adapter) -> None:
    inventory = adapter.reader.read().inventory
    assert inventory.proof.flaws() == []
    assert [user.id for user in inventory.users] == sorted(user.id for user in inventory.users)
    assert len(inventory.users) == len(adapter.inventory.users)


def test_two_readings_of_an_unchanged_site_are_equal(adapter: Adapter) -> None:
    assert adapter.reader.read().inventory.digest == adapter.inventory.digest


def test_everybody_alone_has_the_same_facts_as_in_the_whole(adapter: Adapter) -> None:
    alone = {user.id: adapter.reader.user(user.id) for user in adapter.inventory.users}
    assert alone == adapter.inventory.user_by_id


def test_nobody_is_found_under_an_id_that_does_not_exist(adapter: Adapter) -> None:
    assert adapter.reader.user("712020:nobody") is None


def test_every_group_is_modifiable_or_not_as_it_was_read(adapter: Adapter) -> None:
    for group in adapter.inventory.groups:
        assert adapter.reader.group_modifiable(group.id) == group.modifiable


def test_a_group_that_is_gone_cannot_be_modified(adapter: Adapter) -> None:
    assert adapter.reader.group_modifiable("00000000-0000-0000-0000-000000000000") is False


def test_disabling_and_enabling_lead_back_to_the_same_facts(adapter: Adapter) -> None:
    user = somebody(adapter.inventory)
    address = user_address(user.id, None)
    receipt = adapter.writer.write(
        UserDisable(address=address, user=user.id, directory=user.directory, old="active", new="suspended")
    )
    assert 200 <= receipt.status < 300
    assert (receipt.method != "", receipt.endpoint != "") == (True, True)
    closed = adapter.now(user)
    assert (closed.status, closed.billed, closed.groups) == ("suspended", False, user.groups)
    adapter.writer.write(
        UserEnable(address=address, user=user.id, directory=user.directory, old="suspended", new="active")
    )
    assert adapter.now(user) == user


def test_leaving_the_only_seat_group_frees_the_seat_and_joining_takes_it_again(adapter: Adapter) -> None:
    user = somebody(adapter.inventory)
    group = seat_group(user)
    adapter.writer.write(remove(user, group))
    left = adapter.now(user)
    assert group not in (left.groups or ())
    assert (left.license, left.seats, left.billed) == ("none", (), False)
    assert left.seen == user.seen
    adapter.writer.write(add(user, group))
    assert adapter.now(user) == user


def test_a_group_that_gives_nothing_changes_nothing_but_the_membership(adapter: Adapter) -> None:
    user = somebody(adapter.inventory)
    group = plain_group(adapter.inventory, user)
    adapter.writer.write(add(user, group.id))
    joined = adapter.now(user)
    assert set(joined.groups or ()) == {*(user.groups or ()), group.id}
    assert (joined.license, joined.seats, joined.admin) == (user.license, user.seats, user.admin)
    adapter.writer.write(remove(user, group.id))
    assert adapter.now(user) == user


def test_a_member_cannot_be_added_again(adapter: Adapter) -> None:
    user = somebody(adapter.inventory)
    with pytest.raises(RefusedError):
        adapter.writer.write(add(user, seat_group(user)))
    assert adapter.now(user) == user


def test_somebody_who_is_no_member_cannot_be_removed(adapter: Adapter) -> None:
    user = somebody(adapter.inventory)
    with pytest.raises(RefusedError):
        adapter.writer.write(remove(user, plain_group(adapter.inventory, user).id))
    assert adapter.now(user) == user


@pytest.mark.case("E34")
def test_a_membership_that_an_identity_provider_owns_is_refused(adapter: Adapter) -> None:
    synced = next(group for group in adapter.inventory.groups if group.modifiable is False)
    member = next(user for user in adapter.inventory.users if synced.id in (user.groups or ()))
    with pytest.raises(RefusedError):
        adapter.writer.write(remove(member, synced.id))
    assert adapter.now(member) == member


def test_a_write_about_nobody_is_refused(adapter: Adapter) -> None:
    user = somebody(adapter.inventory)
    with pytest.raises(RefusedError):
        adapter.writer.write(
            UserDisable(
                address="user/712020:nobody",
                user="712020:nobody",
                directory=user.directory,
                old="active",
                new="suspended",
            )
        )
