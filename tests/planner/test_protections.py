"""Whom no policy touches: what is not known protects, and what protects nobody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cleanup_gitops.policy.documents import Exemption, Protection
from cleanup_gitops.policy.tree import HasSeat
from tests.planner.test_edge_cases_planner import IDLE, LEAVE, fate, plan_of, policy, site

EXEMPT = Exemption(
    account="a", reason="absence", owner="o", until=date(2026, 11, 22), ticket="T-1", document="d", where="e.yaml:3"
)
UNTOLD: dict[str, Any] = {"groups": None, "seats": [], "license": "seat", "admin": False}


def protecting(**facts: tuple[str, ...]) -> tuple[Protection, ...]:
    return (Protection(name="glass", owner="o", where="p.yaml:1", **facts),)


@pytest.mark.case("E20", "F2")
@pytest.mark.parametrize(
    ("protections", "facts", "expected"),
    [
        (protecting(groups=("guests",)), UNTOLD, ("protected", "protected-group-unknown")),
        (protecting(roles=("site-admin",)), UNTOLD, ("unknown", "groups-unknown")),
        (protecting(groups=("guests",)), {"roles": None}, ("changed", "changed")),
        (protecting(roles=("site-admin",)), {"roles": None}, ("protected", "role-unknown")),
        (protecting(groups=("guests",), roles=("site-admin",)), {"roles": ["site-admin"]},
         ("protected", "protected-role")),
        (protecting(groups=("editors", "guests")), {"groups": ["g-users", "g-editors"]},
         ("protected", "protected-group")),
        ((), UNTOLD, ("unknown", "groups-unknown")),
    ],
)  # fmt: skip
def test_a_protection_over_what_is_not_known_protects_and_no_other_does(
    protections: tuple[Protection, ...], facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    plan = plan_of(site({"id": "a", **facts}), policy(HasSeat(wanted=True), ensure=LEAVE), protections=protections)
    assert fate(plan, "a") == expected
    assert bool(plan.changes) is (expected[0] == "changed")


@pytest.mark.case("E25")
def test_an_account_that_is_protected_or_exempt_and_not_there_is_told() -> None:
    inventory = site({"id": "a"}, {"id": "b"})
    assert plan_of(inventory, policy(IDLE), protections=protecting(accounts=("a",))).warnings == ()
    assert plan_of(inventory, policy(IDLE), exemptions=(EXEMPT,)).warnings == ()
    gone = replace(EXEMPT, account="x")
    assert plan_of(inventory, policy(IDLE), protections=protecting(accounts=("x",)), exemptions=(gone,)).warnings == (
        "p.yaml:1: protected account x is not on this site.",
        "e.yaml:3: exemption for x matches nobody on this site.",
    )


@pytest.mark.case("E25", "E29")
def test_an_exemption_lasts_to_the_end_of_its_day_and_then_says_that_it_ended() -> None:
    past = replace(EXEMPT, until=date(2026, 11, 21))
    plan = plan_of(site({"id": "a"}), policy(IDLE), exemptions=(past,))
    assert plan.warnings == ("e.yaml:3: exemption for a ended on 2026-11-21.",)
    assert fate(plan, "a") == ("changed", "changed")
    assert fate(plan_of(site({"id": "a"}), policy(IDLE), exemptions=(EXEMPT,)), "a") == ("exempt", "absence")


@pytest.mark.case("E30")
def test_a_protected_group_that_is_not_there_makes_the_plan_unsafe() -> None:
    plan = plan_of(site({"id": "a"}), policy(IDLE), protections=protecting(groups=("vips",)))
    assert not plan.applyable
    assert any("vips (p.yaml:1)" in one.message for one in plan.checks if not one.passed)
