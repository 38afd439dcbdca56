"""Keeping a world and putting it back, and the record of what writes did."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cleanup_gitops.sandbox.options import Lag
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import World
from tests.sandbox.caller import Caller


def suspend(caller: Caller, account: str) -> int:
    return caller.admin("POST", f"{caller.users}/{account}/suspend").status_code


def effects(caller: Caller) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = caller.control("GET", "effects")
    return rows


def remove_member(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-users-acme")
    group = caller.group_id("confluence-users-acme")
    assert caller.admin("DELETE", f"{caller.groups}/{group}/memberships/{user.id}").status_code == 204


def remove_user(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False)
    assert caller.admin("DELETE", f"{caller.users}/{user.id}").status_code == 204
    caller.control("POST", "settle")


def create_group(caller: Caller) -> None:
    assert caller.admin("POST", caller.groups, json={"name": "new-group"}).status_code == 201
    caller.control("POST", "settle")


def delete_group(caller: Caller) -> None:
    assert caller.admin("DELETE", f"{caller.groups}/{caller.group_id('team-001')}").status_code == 204
    caller.control("POST", "settle")


def invite(caller: Caller) -> None:
    path = f"/admin/v2/orgs/{caller.box.org_id}/users/invite"
    body = {"emails": ["new.one@acme.com"], "permissionRules": [], "sendNotification": True}
    assert caller.admin("POST", path, json=body).status_code == 200


def deactivate(caller: Caller) -> None:
    user = caller.someone(status="active", managed=True, source="invited", platform_roles=[], lifecycle_errors={})
    assert caller.admin("POST", f"/users/{user.id}/manage/lifecycle/disable").status_code == 204


def move_clock(caller: Caller) -> None:
    caller.control("POST", "clock", {"advance_days": 40})


def change_by_hand(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False)
    caller.control("POST", f"users/{user.id}", {"groups": [], "roles": {}, "activity": {"confluence": "now"}})


def change_options(caller: Caller) -> None:
    caller.control("POST", "options", {"units": True, "late": {}})


@pytest.mark.parametrize(
    "change",
    [
        remove_member, remove_user, create_group, delete_group, invite, deactivate, move_clock, change_by_hand,
        change_options,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_whatever_happened_a_world_that_is_put_back_is_the_same(
    caller: Caller, change: Callable[[Caller], None]
) -> None:
    before = caller.box.world.encode()
    kept = caller.box.snapshot()
    change(caller)
    assert caller.box.world.encode() != before
    caller.box.restore(kept)
    assert caller.box.world.encode() == before
    fresh = State(msgspec.json.decode(before, type=World))
    for name in ("members", "ordinals", "by_nickname", "group_ranks"):
        assert getattr(caller.box.state, name) == getattr(fresh, name)
    change(caller)
    assert caller.box.world.encode() != before


def test_a_change_on_its_way_is_on_its_way_again(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False)
    caller.box.world.options.late = {"status": Lag(reads=1)}
    suspend(caller, user.id)
    kept = caller.box.snapshot()
    shown = []
    for _ in range(2):
        shown.append([caller.search(accountIds=[user.id])["data"][0]["status"] for _ in range(3)])
        assert effects(caller)[0]["effective"] is True
        caller.box.restore(kept)
        assert effects(caller)[0]["effective"] is None
    assert shown == [["active", "suspended", "suspended"]] * 2


def test_log_effects_mails_and_rules_are_put_back_too(caller: Caller) -> None:
    rule = {"kind": "status", "status": 503, "match": {"path_regex": "search$", "nth": 2}}
    caller.control("POST", "faults", rule)
    caller.search()
    kept = caller.box.snapshot()
    for _ in range(2):
        assert caller.admin("POST", f"{caller.users}/search", json={}).status_code == 503
        suspend(caller, caller.someone(status="active", managed=False).id)
        invite(caller)
        assert len(caller.control("GET", "mails")) == 1
        caller.control("DELETE", "faults")
        caller.box.restore(kept)
        assert caller.control("GET", "mails") == effects(caller) == []
        assert [row["status"] for row in caller.control("GET", "requests")] == [200]


def test_snapshots_have_names_at_the_control_endpoint(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False)
    measures = caller.control("PUT", "snapshots/before")
    assert measures == {"now": "2026-11-22T09:00:00Z", "users": 120, "waiting_changes": 0, "requests": 0, "effects": 0}
    suspend(caller, user.id)
    assert caller.control("GET", "snapshots") == {"before": measures}
    assert caller.control("POST", "snapshots/before") == measures
    assert caller.box.state.status(user) == "active"
    caller.control("DELETE", "snapshots/before")
    assert caller.http.post("/_sandbox/snapshots/before").status_code == 404


def test_the_file_gets_what_was_put_back(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    with running(seed(users=30), path) as box:
        caller = Caller(box)
        kept = box.snapshot()
        suspend(caller, caller.someone(status="active", managed=False).id)
        assert World.load(path).encode() == box.world.encode()
        box.restore(kept)
        assert World.load(path).encode() == box.world.encode() == seed(users=30).encode()
        caller.http.close()


def test_a_ticking_clock_goes_on_from_where_it_was() -> None:
    world = seed(users=3)
    world.options.ticking = True
    with running(world) as box:
        kept = box.snapshot()
        box.state.set_clock(box.state.now().replace(year=2030))
        box.restore(kept)
        assert kept.moment <= box.state.moment()
        assert box.state.moment().year == 2026


def test_what_a_killed_client_sent_has_no_effect_after_the_world_was_put_back(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False)
    kept = caller.box.snapshot()
    head = (
        f"POST {caller.users}/{user.id}/suspend HTTP/1.1\r\nHost: box\r\nAuthorization: {caller.key['Authorization']}"
    )
    host, port = caller.box.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port))) as dying:
            dying.sendall(f"{head}\r\nContent-Length: 0\r\n\r\n".encode())
        caller.box.restore(kept)
        assert caller.search(accountIds=[user.id])["data"][0]["status"] == "active"


def test_a_request_that_was_under_way_ends_without_effect_and_answer(caller: Caller) -> None:
    caller.control("POST", "faults", {"kind": "slow", "seconds": 0.3, "match": {"path_regex": "suspend$"}})
    user = caller.someone(status="active", managed=False)
    kept = caller.box.snapshot()
    problems: list[Exception] = []

    def ask() -> None:
        try:
            suspend(caller, user.id)
        except httpx.TransportError as problem:
            problems.append(problem)

    asking = threading.Thread(target=ask)
    asking.start()
    while not caller.control("GET", "requests"):
        time.sleep(0.005)
    caller.box.restore(kept)
    asking.join()
    assert len(problems) == 1
    assert caller.box.state.status(user) == "active"
    assert effects(caller) == []


def test_every_accepted_write_says_what_it_changed(caller: Caller) -> None:
    caller.box.world.options.late = {}
    user = caller.someone(status="active", managed=False)
    caller.search()
    assert [suspend(caller, user.id), suspend(caller, user.id), suspend(caller, "nobody")] == [204, 204, 404]
    first, second = effects(caller)
    path = f"{caller.users}/{user.id}/suspend"
    assert first == {
        "number": 1,
        "request": 2,
        "method": "POST",
        "path": path,
        "action": "user_suspended_in_directory",
        "about": {"user": user.id},
        "changed": [user.id],
        "effective": True,
    }
    assert (second["request"], second["effective"], second["changed"]) == (3, False, [])
    log = caller.control("GET", "requests")
    assert [log[row["request"] - 1]["path"] for row in (first, second)] == [path, path]


def test_a_write_without_effect_is_told_from_one_that_does_not_show_yet(caller: Caller) -> None:
    rules = [{"kind": "no_effect", "match": {"nth": 1}}, {"kind": "late", "match": {"nth": 2}}]
    caller.control("POST", "faults", rules)
    user = caller.someone(status="active", managed=False)
    suspend(caller, user.id)
    suspend(caller, user.id)
    assert [row["effective"] for row in effects(caller)] == [False, None]
    caller.control("POST", "settle")
    assert [row["effective"] for row in effects(caller)] == [False, True]


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (remove_member, {"user"}), (remove_user, {"user"}), (create_group, {"group"}), (delete_group, {"group"}),
        (invite, {"user"}), (deactivate, {"user"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_effects_name_people_and_groups_by_id(
    caller: Caller, change: Callable[[Caller], None], kinds: set[str]
) -> None:
    change(caller)
    (row,) = effects(caller)
    assert row["effective"] is True
    assert row["changed"] == [row["about"][kind] for kind in kinds]
