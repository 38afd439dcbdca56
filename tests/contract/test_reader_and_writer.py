"""What every Reader must do, and every Writer with changes that lead back, whichever site is behind them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Seen, Unknown
from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import QUESTIONS, GroupSeat, Question, RoleSeat, User
from tests.contract.adapters import Adapter
from tests.contract.changes import add, disable, enable, remove

ONE_BY_ONE: dict[Question, tuple[str, ...]] = {
    "roles": ("direct", "seats", "license"),
    "lifecycle": ("lifecycle",),
    "tokens": ("tokens",),
    "content": ("seen",),
    "products": ("elsewhere",),
}
"""The facts that the answer to a question may change."""


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
        and not user.direct
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


# -- reading ---------------------------------------------------------------------------------------


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
    assert adapter.reader.user("712020:nobody", QUESTIONS) is None


def test_every_group_is_modifiable_or_not_as_it_was_read(adapter: Adapter) -> None:
    for group in adapter.inventory.groups:
        assert adapter.reader.group_modifiable(group.id) == group.modifiable


def test_a_group_that_is_gone_cannot_be_modified(adapter: Adapter) -> None:
    assert adapter.reader.group_modifiable("00000000-0000-0000-0000-000000000000") is False


# -- asking ----------------------------------------------------------------------------------------


def test_a_reading_of_the_whole_does_not_tell_what_must_be_asked(adapter: Adapter) -> None:
    users = adapter.reader.read().inventory.users
    assert all(user.lifecycle is None and user.tokens is None for user in users)
    held = [user for user in adapter.asked.users if user.direct and any(map(is_group_seat, user.seats or ()))]
    assert held
    assert all(adapter.inventory.user_by_id[user.id].direct is None for user in held)


def is_group_seat(path: object) -> bool:
    return isinstance(path, GroupSeat)


@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_an_answer_changes_nothing_but_what_was_asked(adapter: Adapter, question: Question) -> None:
    users = adapter.inventory.users[::7]
    answered = adapter.reader.ask(adapter.inventory, {user.id: frozenset({question}) for user in users})
    told = {*ONE_BY_ONE[question]} | ({"accepted"} if question == "content" else set())
    for before, after in zip(adapter.inventory.users, answered.users, strict=True):
        changed = {name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)}
        assert changed <= (told if before in users else set())
    assert replace(answered, users=()) == replace(adapter.inventory, users=())


def test_all_answers_together_are_those_of_each_account_alone(adapter: Adapter) -> None:
    assert adapter.everybody().user_by_id == adapter.asked.user_by_id
    for user in adapter.asked.users[::5]:
        assert adapter.reader.user(user.id, QUESTIONS) == user


def test_the_site_has_somebody_for_every_answer(adapter: Adapter) -> None:
    users = adapter.asked.users
    lifecycles = [user.lifecycle for user in users if user.lifecycle]
    assert {"", "externalDirectory.scim"} <= {one.enablement for one in lifecycles}
    assert any(user.direct and user.groups for user in users)
    assert any(user.tokens for user in users)
    assert any(user.tokens == () for user in users)
    assert any(isinstance(user.seen, Seen) and user.seen.source == "content" for user in users)


@pytest.mark.case("E43", "E44")
def test_what_an_organization_does_not_manage_is_not_known_to_be_changeable(adapter: Adapter) -> None:
    strangers = [user for user in adapter.asked.users if user.managed is False]
    assert strangers
    assert all(user.lifecycle is None and user.tokens is None for user in strangers)


@pytest.mark.case("E8", "E9")
def test_whoever_writes_by_token_or_integration_only_is_seen_by_what_was_written(adapter: Adapter) -> None:
    moved = [
        (before, after)
        for before, after in zip(adapter.inventory.users, adapter.asked.users, strict=True)
        if before.seen != after.seen
    ]
    assert moved
    for before, after in moved:
        assert isinstance(after.seen, Seen)
        assert after.seen.source == "content"
        assert not isinstance(before.seen, Seen) or after.seen.latest > before.seen.latest


@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_a_question_that_is_not_answered_leaves_the_fact_unknown(adapter: Adapter, question: Question) -> None:
    known: dict[Question, Callable[[User], object]] = {
        "roles": lambda user: user.direct and user.groups,
        "lifecycle": lambda user: user.lifecycle,
        "tokens": lambda user: user.tokens,
        "content": lambda user: isinstance(user.seen, Seen),
        "products": lambda user: user.elsewhere,
    }
    user = next(user for user in adapter.asked.users if known[question](user))
    before = adapter.inventory.user_by_id[user.id]
    adapter.silence(user.id, question)
    asked = adapter.reader.ask(adapter.inventory, {user.id: frozenset({question})})
    alone = adapter.reader.user(user.id, frozenset({question}))
    for after in (asked.user_by_id[user.id], alone):
        assert after is not None
        match question:
            case "roles":
                assert (after.direct, after.seats, after.license) == (None, before.seats, before.license)
            case "lifecycle":
                assert after.lifecycle is None
            case "tokens":
                assert after.tokens is None
            case "content":
                assert isinstance(after.seen, Unknown)
            case "products":
                assert after.elsewhere is None
    assert len(asked.users) == len(adapter.inventory.users)


def test_an_account_that_is_gone_is_asked_about_without_an_answer(adapter: Adapter) -> None:
    stranger = replace(adapter.inventory.users[0], id="000000:gone", groups=(), seats=())
    users = tuple(sorted((*adapter.inventory.users, stranger), key=lambda user: user.id))
    readings = tuple(
        replace(one, reported_before=None, reported_after=None) for one in adapter.inventory.proof.readings
    )
    inventory = replace(adapter.inventory, users=users, proof=replace(adapter.inventory.proof, readings=readings))
    asked = adapter.reader.ask(inventory, {stranger.id: frozenset({"roles", "lifecycle", "tokens"})})
    found = asked.user_by_id[stranger.id]
    assert (found.direct or (), found.lifecycle, found.tokens) == ((), None, None)


# -- writing what leads back -----------------------------------------------------------------------


def test_disabling_and_enabling_lead_back_to_the_same_facts(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    receipt = adapter.writer.write(disable(user))
    assert 200 <= receipt.status < 300
    assert (receipt.method != "", receipt.endpoint != "") == (True, True)
    closed = adapter.now(user)
    assert (closed.status, closed.billed, closed.groups, closed.seats) == ("suspended", False, user.groups, user.seats)
    adapter.writer.write(enable(user, "suspended"))
    assert adapter.now(user) == user


def test_suspending_and_restoring_twice_is_the_same_as_once(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    for _ in range(2):
        adapter.writer.write(disable(user))
    assert adapter.now(user).status == "suspended"
    for _ in range(2):
        adapter.writer.write(enable(user, "suspended"))
    assert adapter.now(user) == user


def test_leaving_the_only_seat_group_frees_the_seat_and_joining_takes_it_again(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    group = seat_group(user)
    adapter.writer.write(remove(user, group))
    left = adapter.now(user)
    assert group not in (left.groups or ())
    assert (left.license, left.seats, left.billed) == ("none", (), False)
    assert left.seen == user.seen
    adapter.writer.write(add(user, group))
    assert adapter.now(user) == user


@pytest.mark.case("E37")
def test_leaving_a_seat_group_frees_no_seat_that_is_held_by_a_role_too(adapter: Adapter) -> None:
    user = next(
        user
        for user in adapter.asked.users
        if user.direct
        and user.seats
        and any(adapter.reader.group_modifiable(path.chain[0]) for path in user.seats if isinstance(path, GroupSeat))
    )
    group = seat_group(user)
    adapter.writer.write(remove(user, group))
    for left in (adapter.now(user), adapter.reader.read().inventory.user_by_id[user.id]):
        assert (left.license, left.billed) == ("seat", True)
        assert left.seats
        assert all(isinstance(path, RoleSeat) for path in left.seats)
    adapter.writer.write(add(user, group))
    assert adapter.now(user) == user


def test_a_group_that_gives_nothing_changes_nothing_but_the_membership(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    group = plain_group(adapter.inventory, user)
    adapter.writer.write(add(user, group.id))
    joined = adapter.now(user)
    assert set(joined.groups or ()) == {*(user.groups or ()), group.id}
    assert (joined.license, joined.seats, joined.admin) == (user.license, user.seats, user.admin)
    adapter.writer.write(remove(user, group.id))
    assert adapter.now(user) == user


def test_a_member_cannot_be_added_again(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    with pytest.raises(RefusedError):
        adapter.writer.write(add(user, seat_group(user)))
    assert adapter.now(user) == user


def test_somebody_who_is_no_member_cannot_be_removed(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    with pytest.raises(RefusedError):
        adapter.writer.write(remove(user, plain_group(adapter.inventory, user).id))
    assert adapter.now(user) == user


@pytest.mark.case("E34")
def test_a_membership_that_an_identity_provider_owns_is_refused(adapter: Adapter) -> None:
    synced = next(group for group in adapter.inventory.groups if group.modifiable is False)
    member = next(user for user in adapter.asked.users if synced.id in (user.groups or ()))
    with pytest.raises(RefusedError):
        adapter.writer.write(remove(member, synced.id))
    assert adapter.now(member) == member
    with pytest.raises(RefusedError):
        adapter.writer.write(add(somebody(adapter.asked), synced.id))


def test_a_write_about_nobody_or_in_no_group_is_refused(adapter: Adapter) -> None:
    user = somebody(adapter.asked)
    for change in (
        disable(replace(user, id="712020:nobody")),
        enable(replace(user, id="712020:nobody"), "suspended"),
        add(user, "00000000-0000-0000-0000-000000000000"),
        remove(user, "00000000-0000-0000-0000-000000000000"),
    ):
        with pytest.raises(RefusedError):
            adapter.writer.write(change)
    assert adapter.now(user) == user
