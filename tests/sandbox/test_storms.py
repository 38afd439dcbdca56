"""Storms: faults by chance that are the same every time."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, get_args

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.sandbox.asked import Asked
from cleanup_gitops.sandbox.faults import Fault, Kind, Match, applies
from cleanup_gitops.sandbox.options import Options
from cleanup_gitops.sandbox.storms import STANDARD, Met, Rules, Storm, load_rules, read_rules
from cleanup_gitops.sandbox.world import SandboxError
from tests.sandbox.caller import Caller

PAGE = Path(__file__).parent.parent.parent / "docs" / "sandbox.md"
STORM = {"kind": "storm", "seed": 7, "rate": 0.5}
QUICK = [{"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "html", "weight": 2}]


def paths(caller: Caller) -> list[str]:
    people = [user for user in caller.box.world.users if user.source == "invited" and user.type == "atlassian"]
    return [f"{caller.users}/{user.id}" for user in people[:20]]


def outcome(caller: Caller, path: str) -> str:
    try:
        answer = caller.admin("GET", path)
    except httpx.TransportError:
        return "reset"
    return f"{answer.status_code} {answer.headers['content-type'].partition(';')[0]}"


def in_turn(caller: Caller, order: list[str]) -> dict[tuple[str, int], str]:
    """What each request met, by path and number."""
    times: Counter[str] = Counter()
    met = {}
    for path in order:
        times[path] += 1
        met[path, times[path]] = outcome(caller, path)
    return met


def side_by_side(caller: Caller, order: list[str]) -> dict[tuple[str, int], str]:
    """The same from threads, each of which asks some paths."""
    met: dict[tuple[str, int], str] = {}

    def ask(mine: list[str]) -> None:
        met.update(in_turn(caller, mine))

    every = sorted(set(order))
    threads = [
        threading.Thread(target=ask, args=([path for path in order if every.index(path) % 4 == number],))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return met


def test_the_same_calls_meet_the_same_in_any_order_and_from_threads(caller: Caller) -> None:
    caller.control("POST", "faults", STORM | {"faults": QUICK})
    before = caller.box.snapshot()
    order = paths(caller) * 3
    first = in_turn(caller, order)
    assert len(set(first.values())) == 4
    for number in range(2):
        caller.box.restore(before)
        Random(number).shuffle(order)
        assert in_turn(caller, order) == first
    caller.box.restore(before)
    assert side_by_side(caller, order) == first


def test_another_seed_is_another_storm(caller: Caller) -> None:
    found = []
    for number in (7, 8):
        caller.control("DELETE", "faults")
        caller.control("POST", "faults", STORM | {"faults": QUICK, "seed": number})
        found.append(in_turn(caller, paths(caller)))
    assert found[0] != found[1]


def test_what_was_met_is_told_as_rules_that_repeat_it(caller: Caller) -> None:
    storm = STORM | {"faults": QUICK}
    caller.control("POST", "faults", [storm, {"kind": "skew", "seconds": 60, "match": {"after": 50}}])
    order = paths(caller) * 3
    first = in_turn(caller, order)
    log = [row["fault"] for row in caller.control("GET", "requests")]
    done = caller.control("GET", "faults/done")
    assert len(done) == sum(len(str(name).split("+")) for name in log if name)
    assert all(rule["match"].keys() == {"identity", "nth"} for rule in done)
    caller.control("DELETE", "faults")
    assert caller.control("GET", "faults/done") == []
    caller.control("POST", "faults", done)
    caller.control("DELETE", "requests")
    assert in_turn(caller, order) == first
    assert [row["fault"] for row in caller.control("GET", "requests")] == log
    assert caller.control("GET", "faults/done") == done


def test_pages_of_one_search_meet_their_own_faults(caller: Caller) -> None:
    caller.control("POST", "faults", STORM | {"faults": [{"kind": "status", "status": 503}], "rate": 0.4})
    before = caller.box.snapshot()
    bodies = [{"limit": number} for number in range(1, 30)]

    def ask() -> dict[str, int]:
        path = f"{caller.users}/search"
        return {str(body): caller.admin("POST", path, json=body).status_code for body in bodies}

    first = ask()
    assert set(first.values()) == {200, 503}
    caller.box.restore(before)
    bodies.reverse()
    assert ask() == first


def test_no_request_fails_for_ever_when_so_asked(caller: Caller) -> None:
    caller.control("POST", "faults", STORM | {"rate": 1.0, "faults": QUICK, "most_in_a_row": 2})
    path = paths(caller)[0]
    met = [outcome(caller, path) for _ in range(9)]
    assert [one == "200 application/json" for one in met] == [False, False, True] * 3


@given(
    number=st.integers(0, 2**63),
    rate=st.floats(0, 1),
    most=st.integers(0, 4),
    order=st.lists(st.sampled_from(["a", "b", "c"]), max_size=40),
)
def test_never_more_in_a_row_than_asked_whatever_the_storm(
    number: int, rate: float, most: int, order: list[str]
) -> None:
    rules = Rules()
    rules.add([Storm("storm", seed=number, rate=rate, most_in_a_row=most)])
    rows: Counter[str] = Counter()
    for path in order:
        met = rules.choose(Asked("POST", path), "")
        rows[path] = 0 if met.fault is None else rows[path] + 1
        assert rows[path] <= most


@given(number=st.integers(0, 2**63), rate=st.floats(0, 1), data=st.data())
def test_order_between_requests_changes_nothing(number: int, rate: float, data: st.DataObject) -> None:
    order = data.draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=30))
    shuffled = data.draw(st.permutations(order))
    assert met_in(order, number, rate) == met_in(shuffled, number, rate)


def met_in(order: list[str], number: int, rate: float) -> dict[tuple[str, int], Met]:
    rules = Rules()
    rules.add([Storm("storm", seed=number, rate=rate, most_in_a_row=2)])
    times: Counter[str] = Counter()
    met = {}
    for path in order:
        times[path] += 1
        met[path, times[path]] = rules.choose(Asked("GET", path), "")
    return met


def test_so_many_go_wrong_as_the_rate_says_and_kinds_as_they_weigh() -> None:
    storm = Storm("storm", seed=3, rate=0.3, faults=[Fault("reset", weight=3), Fault("html")])
    found = Counter(
        None if one is None else one.kind
        for one in (storm.draw(Asked("GET", f"/{number}"), 1, 0) for number in range(4000))
    )
    assert abs(found[None] / 4000 - 0.7) < 0.03
    assert abs(found["reset"] / (found["reset"] + found["html"]) - 0.75) < 0.04


def test_a_storm_does_to_a_request_only_what_can_be_done_to_it() -> None:
    read, write = Asked("POST", "/admin/x/users/search"), Asked("POST", "/admin/x/users/1/suspend")
    page = Asked("POST", "/admin/x/users/search", b"", b'{"cursor": "x"}')
    for asked in (read, write, page):
        storm = Storm("storm", seed=1, rate=1)
        kinds = {one.kind for one in (storm.draw(asked, nth, 0) for nth in range(600)) if one is not None}
        assert kinds == {one.kind for one in STANDARD if applies(one.kind, asked)}
    assert not applies("cursor_loop", read)
    assert applies("cursor_loop", page)
    assert applies("late", write)
    assert not applies("late", page)


def test_the_standard_storm_has_every_kind_but_those_that_it_names() -> None:
    left_out = {"drop_rows", "revoked", "vanish"}
    assert {one.kind for one in STANDARD} == set(get_args(Kind)) - left_out
    assert not any(one.endless for one in STANDARD)


def test_a_storm_is_about_what_matches_from_one_request_until_another(caller: Caller) -> None:
    match = {"path_regex": "/count$", "after": 1, "times": 2}
    caller.control("POST", "faults", STORM | {"rate": 1, "faults": QUICK[:1], "match": match})
    answers = [caller.admin("GET", f"{caller.users}/count").status_code for _ in range(5)]
    assert answers == [200, 503, 503, 200, 200]
    assert caller.admin("GET", "/admin/v1/orgs").status_code == 200


def test_rules_before_a_storm_win_and_count_as_its_faults(caller: Caller) -> None:
    first: dict[str, Any] = {"kind": "status", "status": 500, "match": {"nth": 1}}
    caller.control("POST", "faults", [first, STORM | {"rate": 1, "faults": QUICK[:1], "most_in_a_row": 1}])
    assert [caller.admin("GET", "/admin/v1/orgs").status_code for _ in range(3)] == [500, 200, 503]


def test_reads_and_writes_under_the_whole_storm_end_as_they_were_asked(caller: Caller) -> None:
    """A client that tries again and looks again: with a bound nothing is left undone."""
    caller.control("POST", "faults", STORM | {"rate": 0.6, "most_in_a_row": 2})
    people = [user for user in caller.box.world.users if caller.box.state.status(user) == "active"]
    people = [user for user in people if user.id != caller.box.runner_account][:15]
    for user in people:
        for _ in range(12):
            if shown(caller, user.id) == "suspended":
                break
            outcome_of_write(caller, f"{caller.users}/{user.id}/suspend")
    caller.control("DELETE", "faults")
    caller.control("POST", "settle")
    assert {caller.box.state.status(user) for user in people} == {"suspended"}
    effective = Counter(row.about["user"] for row in caller.box.effects() if row.effective)
    assert set(effective.values()) == {1}


def shown(caller: Caller, account: str) -> str:
    """The status that a read shows, as soon as one is a whole answer."""
    for _ in range(6):
        try:
            answer = caller.admin("POST", f"{caller.users}/search", json={"accountIds": [account]})
            if answer.headers["content-type"] == "application/json":
                return str(answer.json()["data"][0]["status"])
        except (httpx.TransportError, json.JSONDecodeError, KeyError, TypeError):
            continue
    raise AssertionError(account)


def outcome_of_write(caller: Caller, path: str) -> None:
    try:
        caller.admin("POST", path)
    except httpx.TransportError:
        return


def test_faults_of_a_file_are_in_force_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([STORM, {"kind": "reset", "match": {"nth": 3}}]))
    storm, rule = load_rules(file)
    assert isinstance(storm, Storm)
    assert rule == Fault("reset", Match(nth=3))


@pytest.mark.parametrize(("text", "problem"), [("{", "not a list of faults"), ('{"kind": "storm"}', "seed")])
def test_a_file_that_holds_no_faults_is_named(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text)
    with pytest.raises(SandboxError, match=problem) as caught:
        load_rules(file)
    assert str(file) in str(caught.value)


def test_the_rules_and_limits_of_the_description_are_ones() -> None:
    text = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rules = [read_rules(one.encode()) for one in examples if '"kind"' in one]
    assert [len(one) for one in rules] == [4, 1]
    limits = [msgspec.json.decode(one, type=Options) for one in examples if '"rate_limits"' in one]
    assert [one.law for one in limits[0].rate_limits] == ["bucket", "bucket"]


def test_a_file_of_faults_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"missing\.json: cannot read the faults"):
        load_rules(tmp_path / "missing.json")


def test_identities_hold_no_address(caller: Caller) -> None:
    caller.admin("POST", f"{caller.users}/search", json={"emails": ["kari@acme.com"]})
    (row,) = caller.control("GET", "requests")
    assert row["identity"].startswith(f"POST {caller.users}/search #")
    assert "kari" not in str(row)
