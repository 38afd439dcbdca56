"""What is asked about single users before a plan: all that may change what is done to them, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from cleanup_gitops.model.memory import BLANK, Done, Memory
from cleanup_gitops.planner import questions
from cleanup_gitops.planner.undo import Undo
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.tree import (
    ActiveOnlyOnce,
    AttributeIs,
    HasSeat,
    InactiveFor,
    InGroup,
    NeverActiveFor,
    Node,
    SeatVia,
)
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, LEAVE, TODAY, policy, site
from tests.planner.test_stage_rows import ASKED, RELEASE, SUSPEND, closed, known, mark, staged
from tests.planner.test_undoing import DISABLED, LEFT, undoing

SUSPENDED, CLOSED, NO_TOKENS = Ensure(status="suspended"), Ensure(status="deactivated"), Ensure(no_tokens=True)
UNTOLD: dict[str, Any] = {"direct": None}
ROLES = frozenset({"roles"})
NODE = InGroup(("users",))
SALES = AttributeIs("department", ("sales",))


def asked(
    *policies: Policy,
    users: tuple[dict[str, Any], ...] = (),
    memory: Memory = BLANK,
    undo: Undo | None = None,
    accounts: tuple[str, ...] | None = None,
    hosting: str = "cloud",
    **facts: Any,  # noqa: ANN401 - any JSON
) -> dict[str, set[str]]:
    """The questions about users of whom it is not told which roles they hold directly."""
    inventory = site(*users or ({"id": "a", **UNTOLD, **facts},), hosting=hosting)
    rules = SitePolicies(site="acme", policies=policies, guardrails=WIDE)
    found = questions(inventory, rules, TODAY, memory=memory, undo=undo, accounts=accounts)
    return {account: set(one) for account, one in found.items()}


def reporting(one: Policy) -> Policy:
    return replace(one, report=True)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (NODE, {"roles"}),
        (InactiveFor(90), {"roles", "content"}),
        (InactiveFor(90, "any"), {"roles", "content", "products"}),
        (InactiveFor(90, "jira-software"), {"roles", "products"}),
    ],
)
def test_when_somebody_last_wrote_is_asked_where_a_policy_asks_about_use(node: Node, expected: set[str]) -> None:
    elsewhere = {"jira-software": "2026-01-01"}
    assert asked(policy(node, ensure=LEAVE), elsewhere=elsewhere) == {"a": expected}


@pytest.mark.parametrize("node", [NeverActiveFor(30), ActiveOnlyOnce(wanted=True), InactiveFor(30)])
def test_a_policy_about_use_may_bring_in_whom_another_policy_means(node: Node) -> None:
    """Whoever wrote something is in use, and so may come under the policy that is about those who are."""
    assert asked(policy(NODE), policy(SALES, node, name="use")) == {"a": {"roles", "content"}}
    assert asked(policy(NODE), seen="unknown: not read") == {"a": {"roles"}}
    assert asked(policy(NODE), policy(SALES, node, name="use"), seen="unknown: not read")["a"] == {"roles"}


def test_of_several_policies_that_count_each_gets_its_answers() -> None:
    many = (policy(NODE, name="1"), policy(NODE, name="2"), policy(NODE, ensure=NO_TOKENS, name="3"))
    assert asked(*many) == {"a": {"roles", "tokens"}}
    assert asked(*many, tokens=[]) == {"a": {"roles"}}
    assert asked(policy(NODE), reporting(policy(NODE, ensure=CLOSED, name="trial"))) == {"a": {"roles", "lifecycle"}}
    assert asked(policy(NODE), policy(NODE, ensure=CLOSED, name="harsher")) == {"a": {"roles"}}
    assert asked(policy(NODE), policy(SALES, ensure=CLOSED, name="perhaps")) == {"a": {"roles", "lifecycle"}}


@pytest.mark.parametrize("status", ["active", "deactivated", "deleted"])
def test_beside_a_policy_that_asks_for_roles_a_whole_account_is_asked_about(status: Any) -> None:  # noqa: ANN401
    closed_: dict[str, Any] = {"status": "deactivated"} if status == "active" else {}
    trial = reporting(policy(NODE, ensure=Ensure(status=status), name="trial"))
    assert asked(policy(NODE), trial, **closed_) == {"a": {"roles", "lifecycle"}}


def test_nothing_is_asked_where_no_answer_helps() -> None:
    nowhere = policy(InGroup(("nowhere",)), name="typo")
    assert asked(policy(NODE), nowhere) == {}
    assert asked(policy(NODE), reporting(nowhere)) == {"a": {"roles"}}
    assert asked(policy(NODE, ensure=CLOSED), managed=None) == {}
    assert asked(policy(NODE), groups=[]) == {}
    assert asked(policy(HasSeat(wanted=True)), groups=None, license="seat", seats=[], admin=False) == {}
    kept = asked(policy(HasSeat(wanted=True), ensure=NO_TOKENS), groups=None, license="seat", seats=[], admin=False)
    assert kept == {"a": {"tokens"}}


@pytest.mark.parametrize(("facts", "expected"), [({"admin": True}, {}), ({"kind": "service"}, {}), ({}, {"a": ROLES})])
def test_nothing_is_asked_about_whom_no_policy_names(facts: dict[str, Any], expected: dict[str, set[str]]) -> None:
    assert asked(policy(NODE), **facts) == expected
    assert asked(policy(NODE, include_admins=True), admin=True) == {"a": ROLES}


@pytest.mark.parametrize(
    ("ensure", "facts", "expected"),
    [
        (SUSPENDED, {}, ROLES),
        (SUSPENDED, {"writable": False}, None),
        (SUSPENDED, {"direct": []}, None),
        (LEAVE, {"direct": []}, None),
        (Ensure(groups_absent=("editors",)), {"groups": ["g-editors", "g-users"]}, None),
        (LEAVE, {"groups": ["g-guests", "g-users"]}, ROLES),
        (LEAVE, {"groups": ["g-guests", "g-users"], "direct": []}, None),
        (Ensure(groups_present=("editors",)), {}, None),
        (NO_TOKENS, {"groups": ["g-users", "g-guests"]}, {"tokens"}),
        (NO_TOKENS, {"license": "unknown"}, {"roles", "tokens"}),
        (NO_TOKENS, {"license": "unknown", "direct": []}, {"tokens"}),
    ],
)
def test_roles_are_asked_where_they_may_keep_an_access_or_forbid_the_change(
    ensure: Ensure, facts: dict[str, Any], expected: set[str] | None
) -> None:
    found = asked(policy(NODE, ensure=ensure), **facts)
    assert found == ({"a": set(expected)} if expected else {})


def test_an_account_of_a_data_center_holds_no_role_directly() -> None:
    assert asked(policy(NODE, ensure=Ensure(status="disabled")), hosting="datacenter") == {}


def test_what_the_match_itself_needs_is_asked_while_it_is_not_decided() -> None:
    via = policy(SeatVia(direct=True), ensure=NO_TOKENS)
    by_role: dict[str, Any] = {"seats": None, "license": "seat"}
    assert asked(via, **by_role) == {"a": {"roles", "tokens"}}
    assert asked(policy(NODE, ensure=NO_TOKENS), **by_role) == {"a": {"tokens"}}


def test_only_the_named_accounts_are_asked_about() -> None:
    users = tuple({"id": one, **UNTOLD} for one in ("a", "b", "c"))
    assert asked(policy(NODE), users=users, accounts=("a", "c", "x")) == {"a": ROLES, "c": ROLES}
    assert asked(policy(NODE), users=users, accounts=()) == {}
    assert set(asked(policy(NODE), users=users)) == {"a", "b", "c"}


# -- who may be suspended already ------------------------------------------------------------------------

OFF = {"status": "suspended"}


def done(**facts: Any) -> Done:  # noqa: ANN401 - fields of a Done
    given: dict[str, Any] = {
        "run": "r",
        "address": "user/a",
        "user": "a",
        "policies": ("x",),
        "at": TODAY,
        "after": OFF,
    }
    return Done(**given | facts)


OFF_ASKED = changed(ASKED, address="user/a", before={"status": "active"}, after=OFF)
LEAVER = staged(RELEASE, SUSPEND, termination=True)
BESIDE = staged(RELEASE, SUSPEND, name="beside")


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (known(done()), {"a": ROLES}),
        (known(done(after={"status": "deactivated"})), {}),
        (known(done(user="nobody")), {}),
        (known(mark(policy="x", effects=(OFF_ASKED,), shut=False)), {"a": ROLES}),
        (known(closed(policy="x", effects=(OFF_ASKED,), shut=False)), {"a": ROLES}),
        (known(mark(policy="x", effects=(changed(OFF_ASKED, after={"status": "absent"}),), shut=False)), {}),
        (known(mark(effects=())), {"a": ROLES}),
        (known(closed(effects=())), {"a": ROLES}),
        (known(mark(policy="beside", effects=(), shut=False)), {}),
        (known(closed(policy="beside", effects=(), shut=False)), {}),
        (known(mark(policy="gone", effects=())), {}),
    ],
)
def test_whom_a_list_shows_as_active_though_a_run_had_them_suspended_is_looked_at(
    memory: Memory, expected: dict[str, set[str]]
) -> None:
    away: dict[str, Any] = {"seen": "2026-11-21"}
    plain = replace(policy(IDLE, name="plain"), termination=True)
    assert asked(LEAVER, BESIDE, plain, memory=memory, **away) == expected
    assert asked(LEAVER, BESIDE, plain, memory=memory, **away, direct=[]) == {}
    assert asked(LEAVER, BESIDE, plain, memory=memory, **away, status="suspended") == {}
    assert asked(LEAVER, BESIDE, memory=memory, hosting="datacenter", **away) == {}


def test_who_may_be_suspended_already_is_asked_what_the_policies_need_as_well() -> None:
    tokens = policy(NODE, ensure=NO_TOKENS)
    assert asked(tokens, memory=known(done())) == {"a": {"roles", "tokens"}}
    users = ({"id": "a", **UNTOLD}, {"id": "b", **UNTOLD})
    both = known(done(), done(user="b", address="user/b"))
    assert asked(users=users, memory=both, accounts=("b",)) == {"b": ROLES}


def test_before_a_rollback_those_are_looked_at_whom_its_run_suspended() -> None:
    other = changed(DISABLED, address="user/b", user="b")
    users = ({"id": "a", **UNTOLD}, {"id": "b", **UNTOLD}, {"id": "c", **UNTOLD})
    assert asked(users=users, undo=undoing(DISABLED, other)) == {"a": ROLES, "b": ROLES}
    assert asked(users=users, undo=undoing(DISABLED, other, users=("b", "c"))) == {"b": ROLES}
    assert asked(users=users, undo=undoing(DISABLED, other), accounts=("a",)) == {"a": ROLES}
    assert asked(users=users, undo=undoing(LEFT), memory=known(done(user="c"))) == {}
    by_now: tuple[dict[str, Any], ...] = ({"direct": []}, {"status": "suspended"}, {"status": "absent"})
    for facts in by_now:
        assert asked(users=({"id": "a", **UNTOLD, **facts},), undo=undoing(DISABLED)) == {}


def test_of_a_leaver_nobody_here_may_touch_it_is_known_that_the_policy_matches() -> None:
    by_role: dict[str, Any] = {"groups": [], "seats": [{"by": "role", "role": "user"}], "admin": True}
    leaves = replace(policy(SeatVia(direct=True), ensure=NO_TOKENS), termination=True)
    assert asked(leaves, **by_role) == {"a": {"tokens"}}
