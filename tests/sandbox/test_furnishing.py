"""What a generated organization has beside people and groups."""

from __future__ import annotations

import msgspec

from cleanup_gitops.sandbox.records import Page, ScimUser
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.world import World, parse_time


def test_nobody_writes_after_their_last_use_of_confluence() -> None:
    world = seed()
    users = {user.id: user for user in world.users}
    assert len(world.content) > 100
    for page in world.content:
        assert page.created <= page.modified()[0]
        for account, at in page.edits.items():
            assert parse_time(at) < parse_time(users[account].activity["confluence"])
    for record in world.audit:
        if record.author is not None:
            assert parse_time(record.at) <= parse_time(users[record.author].activity["confluence"])


def test_there_is_something_of_everything() -> None:
    world = seed()
    assert {user.id for user in world.users if user.source == "synced"} == {one.account for one in world.scim_users}
    assert all((group.scim is not None) == group.external_synced for group in world.groups)
    assert any(page.restricted for page in world.content)
    assert sum(bool(user.lifecycle_errors) for user in world.users) == 1
    reasons = {reason for user in world.users for reason in user.restrictions.values()}
    assert reasons == {"externalDirectory.google", "blocked.exportControl"}
    tokens = [token for user in world.users for token in user.tokens]
    assert 10 < len(tokens) == len({token.id for token in tokens})


def test_a_world_with_records_of_nobody_is_not_served() -> None:
    world = seed(users=20)
    assert world.problem() is None
    stranger = ScimUser("s1", world.scim_directories[0].id, "x", world.now, world.now, "nobody")
    world.scim_users.append(stranger)
    assert "SCIM user s1" in (world.problem() or "")
    world.scim_users.remove(stranger)
    world.content.append(Page("7", "Note", "ENG", "nobody", world.now, {"nobody": world.now}))
    assert "content 7" in (world.problem() or "")


def test_a_world_without_any_of_it_can_be_read() -> None:
    world = seed(users=20)
    world.scim_directories, world.scim_users, world.content, world.audit = [], [], [], []
    text = world.encode().decode()
    for name in ("scim_directories", "scim_users", "content", "audit"):
        text = text.replace(f',\n"{name}": []', "")
    assert '"audit"' not in text
    assert msgspec.json.decode(text, type=World).problem() is None
