"""The world file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.world import RateLimit, SandboxError, World, format_time, parse_time


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world = seed(users=50)
    world.save(path)
    again = World.load(path)
    assert again == world
    assert again.encode() == path.read_bytes()
    assert [item.name for item in tmp_path.iterdir()] == ["world.json"]


def test_the_file_has_one_user_a_line_and_is_json(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    seed(users=50).save(path)
    text = path.read_text(encoding="utf-8")
    assert sum(line.startswith('{"id":') for line in text.splitlines()) > 50
    assert len(json.loads(text)["users"]) == 50


def test_a_world_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot write the world"):
        seed(users=1).save(tmp_path / "nowhere" / "world.json")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(SandboxError, match="cannot write the world"):
        seed(users=1).save(tmp_path / "folder")
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a sandbox world"),
        ('{"format": 1}', "not a sandbox world"),
        ('{"unknown": 1}', "not a sandbox world"),
    ],
)
def test_a_file_that_is_no_world_is_named_with_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(text)
    with pytest.raises(SandboxError, match=message) as caught:
        World.load(path)
    assert str(path) in str(caught.value)
    assert "sandbox seed" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"missing\.json: cannot read the world"):
        World.load(tmp_path / "missing.json")


def _break_format(world: World) -> None:
    world.format = "other/9"


def _break_clock(world: World) -> None:
    world.now = "yesterday"


def _break_limit(world: World) -> None:
    world.options.rate_limits.append(RateLimit(path="(", limit=1))


def _repeat_user(world: World) -> None:
    world.users.append(world.users[0])


def _repeat_group(world: World) -> None:
    world.groups.append(world.groups[0])


def _lose_group(world: World) -> None:
    world.users[0].groups.append("nowhere")


def _lose_resource(world: World) -> None:
    world.groups[0].roles = {"nowhere": ["atlassian/user"]}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_break_format, "format 'other/9' is not known"),
        (_break_clock, "'yesterday' is not an ISO 8601 instant"),
        (_break_limit, "rate limit path"),
        (_repeat_user, "two users have the same account id"),
        (_repeat_group, "two groups have the same id"),
        (_lose_group, "names an unknown group"),
        (_lose_resource, "names an unknown directory or resource"),
    ],
)
def test_a_damaged_world_is_not_served(tmp_path: Path, damage: Callable[[World], None], message: str) -> None:
    world = seed(users=20)
    damage(world)
    path = tmp_path / "world.json"
    world.save(path)
    with pytest.raises(SandboxError, match=message):
        World.load(path)


def test_times_keep_their_second_whatever_the_fraction_and_the_zone() -> None:
    assert format_time(parse_time("2026-11-22T10:00:00.123456789+01:00")) == "2026-11-22T09:00:00Z"
