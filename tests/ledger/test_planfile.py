from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from cleanup_gitops.ledger.planfile import kept_plan_bytes, plan_bytes, read_plan
from cleanup_gitops.model.canonical import digest
from cleanup_gitops.model.change import (
    GroupModifiable,
    MemberIs,
    MembershipRemove,
    NotSeenAfter,
    RoleRevoke,
    StatusIs,
    TokenRevoke,
    UserDisable,
    role_address,
    token_address,
)
from cleanup_gitops.model.errors import ApprovalError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Disposition, Plan, summarize
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.user import User
from tests import strategies as some

CAUSES = (Cause(policy="dormant", where="policies/dormant.yaml:31", why="204 days"),)


def a_plan() -> Plan:
    """One removal and one suspension, with every kind of need."""
    inventory = Inventory(
        site="acme",
        hosting="cloud",
        as_of=some.AS_OF,
        users=(User(id="712020:1", directory="default"), User(id="712020:2", directory="default")),
        groups=(Group(id="g-1", name="wiki", directory="default"),),
        directories=(),
        proof=some.proof_of(2, 1),
    )
    changes = (
        UserDisable(
            address="user/712020:1",
            user="712020:1",
            directory="default",
            causes=CAUSES,
            needs=(StatusIs("active"), NotSeenAfter("confluence", some.AS_OF - timedelta(days=204))),
            old="active",
            new="suspended",
        ),
        MembershipRemove(
            address="membership/g-1/712020:2",
            user="712020:2",
            directory="default",
            causes=CAUSES,
            needs=(MemberIs("g-1", member=True), GroupModifiable("g-1"), NotSeenAfter("any", None)),
            group="g-1",
            label="wiki",
        ),
    )
    memory = Memory(lineage="sha256:" + "1" * 64, serial=7)
    return some.plan_of(inventory, changes, memory=memory)


@given(some.plans())
def test_a_plan_survives_its_file(plan: Plan) -> None:
    data = plan_bytes(plan)
    again = read_plan(data)
    assert again == plan
    assert plan_bytes(again) == data


@given(some.plans())
def test_a_plan_file_that_was_indented_anew_is_still_the_plan(plan: Plan) -> None:
    assert read_plan(msgspec.json.format(plan_bytes(plan), indent=0)) == plan


def test_a_change_shows_what_it_does_and_a_user_takes_one_line() -> None:
    text = plan_bytes(a_plan()).decode()
    first = msgspec.json.decode(text)["changes"][0]
    assert first["action"] == "user.disable"
    assert first["before"] == {"status": "active"}
    assert first["after"] == {"status": "suspended"}
    assert first["digest"] == a_plan().manifest[0]
    assert '\n    "712020:1": {"reason":"policy","state":"changed"},\n' in text
    assert text.endswith("}\n")


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all values that hold no others."""
    if isinstance(value, dict) and value:
        return [place for key in value for place in places(value[key], (*path, key))]
    if isinstance(value, list) and value:
        return [place for at, one in enumerate(value) for place in places(one, (*path, at))]
    return [path]


def other(value: object) -> object:
    """Some other value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1:] != "1" else "2")
    return ["odd"] if isinstance(value, list) else {"odd": 1} if isinstance(value, dict) else "odd"


def altered(path: tuple[str | int, ...]) -> dict[str, Any]:
    """The document of a plan with one value changed."""
    document: dict[str, Any] = msgspec.json.decode(plan_bytes(a_plan()))
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = other(inner[path[-1]])
    return document


def resealed(document: dict[str, Any]) -> bytes:
    """The document with a file digest that fits, as somebody writes it who knows how."""
    rest = {key: value for key, value in document.items() if key != "file_digest"}
    return msgspec.json.encode(rest | {"file_digest": digest(rest)})


ALL_PLACES = places(msgspec.json.decode(plan_bytes(a_plan())))


@pytest.mark.case("E57")
@pytest.mark.parametrize("path", ALL_PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_plan_file_with_any_one_value_altered_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(ApprovalError) as caught:
        read_plan(msgspec.json.encode(altered(path)))
    assert caught.value.exit_code == 4
    assert caught.value.hint


SEALED_ELSEWHERE = {"label", "where", "why", "note", "directory"}
"""What no digest that an approval names covers: texts for people, and what the address repeats."""


@pytest.mark.case("E57")
@pytest.mark.parametrize(
    "path",
    [
        path
        for path in ALL_PLACES
        if (path[0] == "changes" and path[-1] not in SEALED_ELSEWHERE)
        or path[0] in {"site", "created", "digest", "envelope"}
        or path in {("inputs", "lineage"), ("inputs", "serial")}
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_what_an_approval_names_cannot_be_altered_even_with_a_fitting_file_digest(
    path: tuple[str | int, ...],
) -> None:
    with pytest.raises(ApprovalError):
        read_plan(resealed(altered(path)))


def edit(change: Callable[[dict[str, Any]], object]) -> bytes:
    document: dict[str, Any] = msgspec.json.decode(plan_bytes(a_plan()))
    change(document)
    return resealed(document)


@pytest.mark.case("E57")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format_version": "1.9", "more": ' + b"[" * 100_000, "nested too deeply"),
        (b"[]", "no format_version"),
        (b"{}", "no format_version"),
        (b'{"format_version": "1.0"}', "does not hold a plan: Object missing required field"),
        (b'{"format_version": "2.0"}', "has format 2.0; this version reads 1.0"),
        (b'{"format_version": null}', "has format None"),
        (edit(lambda plan: plan["changes"].pop()), "its digest does not fit its changes"),
        (
            edit(lambda plan: plan["changes"][1].update(user="712020:9")),
            r"changes\[1\] \(membership/g-1/712020:2\) names another user, group, role, token or stage",
        ),
        (
            edit(lambda plan: plan["changes"][1].update(group="g-9")),
            r"changes\[1\] \(membership/g-1/712020:2\) names another user, group, role, token or stage",
        ),
        (
            edit(lambda plan: plan["changes"][0]["needs"].pop()),
            r"changes\[0\] \(user/712020:1\) does not fit its digest",
        ),
        (
            edit(lambda plan: plan["changes"][0]["after"].update(status="active")),
            r"changes\[0\].after.status does not fit",
        ),
        (edit(lambda plan: plan.update(created="2026-11-23T00:00:00Z")), "its envelope does not fit"),
        (edit(lambda plan: plan.update(created="2026-11-22T09:15:00")), "created has no time zone"),
        (edit(lambda plan: plan.update(as_of="2026-11-22T09:15:00")), "as_of has no time zone"),
        (edit(lambda plan: plan["dispositions"].pop("712020:1")), "its summary does not count"),
        (edit(lambda plan: plan.update(surprise=1)), "surprise does not fit"),
        (
            msgspec.json.encode(altered(("changes", 1, "label"))),
            "its file_digest does not fit its content",
        ),
        (
            plan_bytes(a_plan()).replace(b'"site": "acme"', b'"site": "other", "site": "acme"'),
            "a key stands twice",
        ),
    ],
)
def test_a_file_that_is_not_the_plan_is_refused_with_the_place(data: bytes, message: str) -> None:
    with pytest.raises(ApprovalError, match=message):
        read_plan(data)


def test_a_file_of_the_first_format_has_fewer_keys_and_is_read_all_the_same() -> None:
    data = edit(lambda plan: plan.update(format_version="1.0"))
    assert b'"found"' not in data
    assert read_plan(data) == msgspec.structs.replace(a_plan(), format_version="1.0")


def test_a_later_minor_format_may_have_more_keys() -> None:
    def later(plan: dict[str, Any]) -> None:
        plan["format_version"] = "1.7"
        plan["drift"] = []
        plan["changes"][0]["reach"] = "everywhere"

    assert read_plan(edit(later)).changes == a_plan().changes


def test_a_later_minor_format_may_not_have_fewer_keys() -> None:
    def later(plan: dict[str, Any]) -> None:
        plan["format_version"] = "1.7"
        del plan["changes"][0]["before"]

    with pytest.raises(ApprovalError, match=r"changes\[0\].before"):
        read_plan(edit(later))


@pytest.mark.case("E57")
@pytest.mark.parametrize(("number", "key"), [(0, "role"), (1, "token"), (0, "user"), (1, "user")])
def test_a_role_or_token_that_does_not_fit_its_address_is_refused(number: int, key: str) -> None:
    facts: dict[str, Any] = {"user": "712020:1", "directory": "default", "causes": CAUSES}
    changes = (
        RoleRevoke(address=role_address("user", "712020:1"), role="user", **facts),
        TokenRevoke(address=token_address("712020:1", "t-1"), token="t-1", **facts),
    )
    site = Inventory(
        site="acme",
        hosting="cloud",
        as_of=some.AS_OF,
        users=(User(id="712020:1", directory="default"),),
        groups=(),
        directories=(),
        proof=some.proof_of(1, 0),
    )
    data = plan_bytes(some.plan_of(site, changes))
    assert read_plan(data).changes == changes
    document = msgspec.json.decode(data)
    document["changes"][number][key] = "another"
    with pytest.raises(ApprovalError, match=rf"changes\[{number}\] .* names another user, group, role, token or stage"):
        read_plan(resealed(document))


def as_planned(plan: Plan) -> Plan:
    """The generated plan with users who are told to be what the planner makes of them: changed when they are."""
    touched = {change.user: Disposition("changed", "policy") for change in plan.changes}
    users = plan.dispositions | touched
    return msgspec.structs.replace(plan, dispositions=users, summary=summarize(plan.changes, users))


@given(some.plans())
def test_the_kept_form_reads_back_with_everybody_who_is_not_unchanged(generated: Plan) -> None:
    plan = as_planned(generated)
    others = {user: one for user, one in plan.dispositions.items() if one.state != "unchanged"}
    again = read_plan(kept_plan_bytes(plan))
    assert again == msgspec.structs.replace(plan, dispositions=others)
    assert kept_plan_bytes(again) == plan_bytes(again) == kept_plan_bytes(plan)


def a_kept_plan() -> bytes:
    """The kept form of a plan for four users: two changed, one unknown, one unchanged and so left out."""
    plan = a_plan()
    users = plan.dispositions | {
        "712020:3": Disposition("unknown", "activity"),
        "712020:4": Disposition("unchanged", "matches"),
    }
    return kept_plan_bytes(
        msgspec.structs.replace(plan, dispositions=users, summary=summarize(plan.changes, users)),
    )


def test_the_kept_form_leaves_out_who_is_unchanged_and_still_counts_them() -> None:
    document = msgspec.json.decode(a_kept_plan())
    assert list(document["dispositions"]) == ["712020:1", "712020:2", "712020:3"]
    assert document["summary"]["users"] == 4
    assert document["summary"]["states"] == {"changed": 2, "unchanged": 1, "unknown": 1}


KEPT_PLACES = places(msgspec.json.decode(a_kept_plan()))


@pytest.mark.case("E57")
@pytest.mark.parametrize("path", KEPT_PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_kept_plan_with_any_one_value_altered_is_refused(path: tuple[str | int, ...]) -> None:
    document: Any = msgspec.json.decode(a_kept_plan())
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = other(inner[path[-1]])
    with pytest.raises(ApprovalError):
        read_plan(msgspec.json.encode(document))


def without_a_changed_user(plan: dict[str, Any]) -> None:
    """Counted as if the user had never been there."""
    del plan["dispositions"]["712020:1"]
    plan["summary"]["states"]["changed"] -= 1
    plan["summary"]["users"] -= 1


def with_a_changed_user_among_the_unchanged(plan: dict[str, Any]) -> None:
    del plan["dispositions"]["712020:1"]
    plan["summary"]["states"]["changed"] -= 1
    plan["summary"]["states"]["unchanged"] += 1


@pytest.mark.case("E57")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan["dispositions"].pop("712020:1"), "its summary does not count"),
        (lambda plan: plan["dispositions"].pop("712020:3"), "its summary does not count"),
        (lambda plan: plan["summary"].update(users=5), "its summary does not count"),
        (lambda plan: plan["summary"]["states"].update(unchanged=2), "its summary does not count"),
        (lambda plan: plan["summary"]["states"].update(unchanged=0), "its summary does not count"),
        (lambda plan: plan["summary"]["states"].update(unchanged=-1), "its summary does not count"),
        (lambda plan: plan["summary"]["states"].pop("unchanged"), "its summary does not count"),
        (without_a_changed_user, "user/712020:1 is to change, but nothing says what becomes of its user"),
        (
            with_a_changed_user_among_the_unchanged,
            "user/712020:1 is to change, but nothing says what becomes of its user",
        ),
    ],
)
def test_a_kept_plan_that_leaves_out_others_or_counts_wrongly_is_refused_even_with_a_fitting_file_digest(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    document: dict[str, Any] = msgspec.json.decode(a_kept_plan())
    change(document)
    with pytest.raises(ApprovalError, match=message):
        read_plan(resealed(document))


@pytest.mark.case("E57")
def test_a_kept_plan_that_lists_one_unchanged_user_of_several_is_refused() -> None:
    document: dict[str, Any] = msgspec.json.decode(a_kept_plan())
    document["dispositions"]["712020:4"] = {"reason": "matches", "state": "unchanged"}
    document["summary"] |= {"users": 5, "states": {"changed": 2, "unchanged": 2, "unknown": 1}}
    with pytest.raises(ApprovalError, match="its summary does not count"):
        read_plan(resealed(document))
