"""The status that is asked of an account against the one it has: nobody is closed twice, or without the right to."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.model.change import LifecycleAllowed
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.policy.tree import InactiveFor
from tests.planner.test_edge_cases_planner import IDLE, fate, plan_of, policy, site

ALLOWED = {"enablement": "", "deletion": ""}
DISABLE, DEACTIVATE, REMOVE, DELETE = "user.disable", "user.deactivate", "user.remove", "user.delete"


def planned(wanted: Any, hosting: str = "cloud", **facts: Any) -> Plan:  # noqa: ANN401 - a status, and any JSON
    given = {"lifecycle": ALLOWED} | facts
    return plan_of(site({"id": "a", **given}, hosting=hosting), policy(IDLE, ensure=Ensure(status=wanted)))


@pytest.mark.parametrize(
    ("status", "further"),
    [
        ("active", [DISABLE, DEACTIVATE, REMOVE, DELETE]),
        ("suspended", [None, DEACTIVATE, REMOVE, DELETE]),
        ("deactivated", [None, None, REMOVE, DELETE]),
        ("absent", [None, None, None, DELETE]),
        ("deleting", [None, None, None, None]),
    ],
)
def test_an_account_is_only_ever_closed_further(status: str, further: list[str | None]) -> None:
    asked = ("suspended", "deactivated", "removed", "deleted")
    found = [planned(one, status=status).changes for one in asked]
    assert [one[0].action if one else None for one in found] == further


@pytest.mark.parametrize(("status", "acts"), [("active", ["user.disable"]), ("disabled", [])])
def test_an_account_of_a_data_center_is_disabled_once(status: str, acts: list[str]) -> None:
    plan = planned("disabled", "datacenter", status=status)
    assert [(one.action, one.after) for one in plan.changes] == [(one, {"status": "disabled"}) for one in acts]


@pytest.mark.case("E43", "E45")
@pytest.mark.parametrize(
    ("wanted", "status", "privilege"),
    [
        ("deactivated", "active", "enablement"),
        ("deleted", "active", "deletion"),
        ("deleted", "deactivated", "deletion"),
        ("active", "deactivated", "enablement"),
        ("active", "deleting", "deletion"),
    ],
)
def test_a_whole_account_is_changed_by_the_right_to_do_just_that(wanted: str, status: str, privilege: str) -> None:
    (other,) = {"enablement", "deletion"} - {privilege}
    given = planned(wanted, status=status, lifecycle={privilege: "", other: "managedAccount"})
    assert [one.privilege for one in given.changes[0].needs if isinstance(one, LifecycleAllowed)] == [privilege]
    refused = planned(wanted, status=status, lifecycle={privilege: "managedAccount", other: ""})
    assert fate(refused, "a") == ("conflict", "lifecycle-refused")
    assert refused.dispositions["a"].note == "managedAccount"
    untold = planned(wanted, status=status, lifecycle={other: ""})
    assert fate(untold, "a") == ("unknown", "lifecycle-unknown")


@pytest.mark.parametrize(
    ("wanted", "status"), [("suspended", "active"), ("removed", "active"), ("active", "suspended")]
)
def test_a_change_in_the_directory_alone_takes_no_right_over_the_whole_account(wanted: str, status: str) -> None:
    found = planned(wanted, status=status, lifecycle=None)
    assert [one for one in found.changes[0].needs if isinstance(one, LifecycleAllowed)] == []


@pytest.mark.case("E51")
@pytest.mark.parametrize(
    ("limit", "facts", "expected"),
    [
        (2, {}, ("changed", "changed")),
        (1, {}, ("conflict", "no-seat-left")),
        (1, {"groups": []}, ("changed", "changed")),
        (1, {"groups": ["g-guests"]}, ("changed", "changed")),
        (1, {"license": "unknown"}, ("conflict", "no-seat-left")),
        (1, {"writable": False}, ("handed_off", "account-managed-elsewhere")),
        (1, {"writable": None}, ("conflict", "no-seat-left")),
        (None, {}, ("changed", "changed")),
    ],
)
def test_who_is_opened_again_needs_a_seat_only_where_the_account_brings_one(
    limit: int | None, facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    inventory = site({"id": "a", "status": "suspended", **facts}, {"id": "b", "seen": "2026-11-22"}, seat_limit=limit)
    plan = plan_of(inventory, policy(InactiveFor(90), ensure=Ensure(status="active")))
    assert fate(plan, "a") == expected


def test_of_whom_the_status_is_not_known_nothing_is_changed() -> None:
    for wanted in ("active", "suspended", "deactivated", "removed", "deleted"):
        assert fate(planned(wanted, status="unknown"), "a") == ("unknown", "status-unknown")
