"""What accounts have in common is encoded and read once: that is never seen in what is written or read."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.ledger import layout, lines
from cleanup_gitops.ledger.accounts import Accounts
from cleanup_gitops.ledger.lines import Kept, Lines
from cleanup_gitops.ledger.rows import AccountPast, AccountRow, read_accounts, read_past
from cleanup_gitops.ledger.snapshot import snapshot
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.strategies import AS_OF

GROUPS = ("g-1", "g-2")
MEAN = ('"', '"id":""', '","id":"', '"added":"2000-01-01"', "\\", "\n", "id", "added", "{", "ü", "\u202e")
"""Texts that look like JSON or like keys of a row."""
FACTS = [name for name in User.__struct_fields__ if name != "id"]
KEPT = ("department", "id", "added", "since", '","id":"')

texts = st.sampled_from(MEAN) | st.text(st.sampled_from('"\\:,{}\nid '), max_size=6)
sinces = st.none() | st.builds(Since, st.sampled_from([date(2000, 1, 1), date(2026, 5, 4)]))


@st.composite
def users(draw: st.DrawFn) -> User:
    user = draw(some.users("1", "cloud", GROUPS))
    facts = {"id": draw(texts), "directory": draw(texts)}
    names = st.lists(st.tuples(st.sampled_from(KEPT), texts), max_size=3, unique_by=lambda one: one[0])
    return replace(user, **facts, attributes=tuple(sorted(draw(names))))


@st.composite
def alike(draw: st.DrawFn) -> list[User]:
    """A user, another one, and users who differ from the first in one fact, of which some are the same again."""
    one, other = draw(users()), draw(users())
    found = [one, *(replace(one, **{name: getattr(other, name)}) for name in FACTS), other, one]
    return [replace(user, id=f"{user.id}{number}") for number, user in enumerate(found)]


def kept(since: dict[str, Since]) -> Kept:
    return Kept(frozenset({"acme.com"}), frozenset(KEPT), since)


@pytest.mark.parametrize("many", [2, 20_000])
@given(alike(), sinces)
def test_a_line_is_the_same_whatever_was_written_before_it(many: int, found: list[User], since: Since | None) -> None:
    history = {user.id: since for user in found[::2]} if since else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_MANY", many)  # what is remembered is forgotten every other user
        made = Lines(AS_OF, kept(history))
        for user in found:
            assert made.line(user) == Lines(AS_OF, kept(history)).line(user)


@given(users(), sinces)
def test_a_line_is_the_canonical_form_of_a_row_with_the_id_and_the_day(user: User, since: Since | None) -> None:
    line = Lines(AS_OF, kept({user.id: since} if since else {})).line(user).encode()
    row = msgspec.json.decode(line, type=AccountRow)
    assert canonical(row) == line
    assert row.id == user.id
    assert row.directory == user.directory
    assert row.added == (user.added.date() if user.added else None)
    assert row.attributes == dict(user.attributes)
    assert row.since == since


@given(alike(), sinces)
def test_a_row_is_the_same_account_whatever_was_read_before_it(found: list[User], since: Since | None) -> None:
    history = {user.id: since for user in found[::2]} if since else {}
    made = Lines(AS_OF, kept(history))
    rows = [msgspec.json.decode(made.line(user), type=AccountRow) for user in found]
    together = Accounts(AS_OF, AS_OF.date(), GROUPS)
    for row in rows:
        alone = Accounts(AS_OF, AS_OF.date(), GROUPS).account(row)
        assert together.account(row).named(row, ["g-1"]) == alone.named(row, ["g-1"])
        assert set(together.account(row).steps) == set(alone.steps)


@given(some.inventories(), sinces)
def test_what_matters_to_history_is_read_as_it_stands_in_the_rows(inventory: Inventory, since: Since | None) -> None:
    history = {user.id: since for user in inventory.users[::2]} if since else {}
    files = snapshot(inventory, domains=frozenset(), since=history).files
    assert read_past(files) == {
        account: AccountPast(**{name: getattr(row, name) for name in AccountPast.__struct_fields__})
        for account, row in read_accounts(files).items()
    }
    assert {layout.shard(user.id) for user in inventory.users} == {path for path in files if path.startswith("acc")}
