"""Protections that the last run had and no document has now: told at everybody who loses one, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner.unprotected import PROTECTION_GONE, protected_by
from cleanup_gitops.policy.documents import Protection, SitePolicies
from tests.planner.guarded import DORMANT, plan_for
from tests.planner.test_edge_cases_planner import site

USERS: tuple[dict[str, Any], ...] = (
    {"id": "a"},
    {"id": "b", "groups": ["g-editors", "g-users"]},
    {"id": "c", "roles": ["site-admin"]},
    {"id": "d"},
)


def protecting(**facts: tuple[str, ...]) -> Protection:
    given: dict[str, Any] = dict(facts)
    return Protection(name="glass", owner="o", **given)


def after(last: Protection, *now: Protection) -> Plan:
    """The plan of today, after a run under another protection."""
    memory = changed(BLANK, protected=protected_by(SitePolicies(site="acme", protections=(last,))))
    inventory = site(*USERS, runner=["d"])
    return plan_for(inventory, replace(DORMANT, include_admins=True), memory=memory, protections=now)


@pytest.mark.case("F14")
@pytest.mark.parametrize(
    ("last", "who", "told"),
    [
        (protecting(accounts=("a",)), "a", "account a"),
        (protecting(groups=("editors",)), "b", "group editors"),
        (protecting(roles=("site-admin",)), "c", "role site-admin"),
        (protecting(accounts=("x", "a")), "a", "accounts a, x"),
        (protecting(accounts=("a",), roles=("none",), groups=("no",)), "a", "account a, group no, role none"),
    ],
)
def test_who_was_protected_by_the_last_run_is_told_of_and_nobody_else(last: Protection, who: str, told: str) -> None:
    plan = after(last)
    assert {one.user: one.note for one in plan.changes if one.note} == {who: "protected by glass until the last run"}
    assert plan.warnings == (f"{PROTECTION_GONE}: {told} (glass).",)
    assert [one.user for one in plan.changes] == ["a", "b", "c"]


@pytest.mark.case("F14")
@pytest.mark.parametrize("kind", ["accounts", "groups", "roles"])
def test_an_entry_that_stands_in_another_document_now_is_not_gone(kind: str) -> None:
    known = {"accounts": "a", "groups": "editors", "roles": "site-admin"}
    last = protecting(**{kind: (known[kind],)})
    plan = after(last, replace(last, name="other"))
    assert not [one for one in plan.warnings if one.startswith(PROTECTION_GONE)]
    assert not [one.note for one in plan.changes if one.note]
    two = protecting(**{kind: (known[kind], "z")})
    assert after(two, replace(last, name="other")).warnings[0].endswith(f"{kind[:-1]} z (glass).")


@pytest.mark.case("F14")
def test_the_note_stands_before_what_the_plan_says_already() -> None:
    harsh = replace(DORMANT, name="harsh", ensure=replace(DORMANT.ensure, groups_absent=None, status="suspended"))
    memory = changed(
        BLANK, protected=protected_by(SitePolicies(site="acme", protections=(protecting(accounts=("a",)),)))
    )
    (change,) = plan_for(site({"id": "a"}), DORMANT, harsh, memory=memory).changes
    assert change.note == "protected by glass until the last run; also asked, but harsher: harsh"


@pytest.mark.case("F14")
def test_what_is_protected_is_remembered_in_order_and_once() -> None:
    both = protecting(accounts=("b", "a", "b"), groups=("z", "y"), roles=("site-admin", "organization-admin"))
    (kept,) = protected_by(SitePolicies(site="acme", protections=(both,)))
    assert (kept.accounts, kept.groups, kept.roles) == (("a", "b"), ("y", "z"), ("organization-admin", "site-admin"))
