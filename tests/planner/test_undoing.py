"""Taking a run back, row by row: what is asked for, of whom nothing is, and why the rest is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserInvite,
    UserRemove,
    change_digest,
)
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Disposition, Plan
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.planner import evaluate, make_plan
from cleanup_gitops.planner.undo import Did, Undo
from cleanup_gitops.policy.documents import Exemption, Protection, SitePolicies
from tests.case_files import FOLDER, read_case
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy, site

RUN, BEFORE = "20261121T000000Z-aaaaaaaa", TODAY - timedelta(days=1)
OWN: dict[str, Any] = {"user": "a", "directory": "default"}
DISABLED = UserDisable(address="user/a", old="active", new="suspended", **OWN)
LEFT = MembershipRemove(address="membership/g-users/a", group="g-users", label="users", **OWN)
JOINED = MembershipAdd(address="membership/g-editors/a", group="g-editors", label="editors", **OWN)
OPENED = UserEnable(address="user/a", old="suspended", new="active", **OWN)
REMOVED = UserRemove(address="user/a", old="active", new="absent", **OWN)
DELETED = UserDelete(address="user/a", old="active", new="deleting", **OWN)
REVOKED = RoleRevoke(address="role/user/a", role="user", **OWN)
TOLD = NoticeSend(
    address="stage/a/p/s/1", policy="p", stage="s", episode=1, template="t", template_digest="sha256:0", **OWN
)
LIFE = {"enablement": "", "deletion": ""}


def did(change: Change, at: datetime = BEFORE, causes: tuple[str, ...] = ("dormant",)) -> Did:
    outcome = Outcome(
        address=change.address,
        action=change.action,
        change=change_digest(change),
        user=change.user,
        result="applied",
        at=at,
        before=change.before,
        after=change.after,
        causes=tuple(Cause(policy=one) for one in causes),
    )
    return Did(change=change, outcome=outcome, where="outcomes.jsonl:1")


def undoing(*changes: Change | Did, **more: Any) -> Undo:  # noqa: ANN401 - fields of an Undo
    return Undo(run=RUN, time=BEFORE, did=tuple(one if isinstance(one, Did) else did(one) for one in changes), **more)


def back(undo: Undo, inventory: Inventory, **more: Any) -> Plan:  # noqa: ANN401 - fields of SitePolicies
    """The plan that takes this back, while a policy would take everybody out of ``users``."""
    given: dict[str, Any] = {"site": "acme", "policies": (policy(IDLE),), "guardrails": WIDE} | more
    at = inventory.as_of
    return make_plan(inventory, SitePolicies(**given), BLANK, created=at, as_of=at, tool_version="0", undo=undo)


def acts(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.address) for one in plan.changes]


def reasons(plan: Plan) -> tuple[dict[str, str], dict[str, str]]:
    """What cannot be taken back, and what is left, with the reasons."""
    assert plan.rollback is not None
    told = ({one.address: one.reason for one in some} for some in (plan.rollback.irreversible, plan.rollback.left))
    lost, left = told
    return lost, left


DEACTIVATED = UserDeactivate(address="user/a", old="active", new="deactivated", **OWN)


@pytest.mark.parametrize(
    ("change", "facts", "action"),
    [
        (LEFT, {"groups": []}, "membership.add"),
        (JOINED, {"groups": ["g-editors", "g-users"]}, "membership.remove"),
        (DISABLED, {"status": "suspended"}, "user.enable"),
        (DEACTIVATED, {"status": "deactivated", "lifecycle": LIFE}, "user.enable"),
        (DELETED, {"status": "deleting", "lifecycle": LIFE}, "user.enable"),
        (OPENED, {}, "user.disable"),
        (UserEnable(address="user/a", old="deactivated", new="active", **OWN), {"lifecycle": LIFE}, "user.deactivate"),
    ],
)
def test_what_is_still_as_the_run_made_it_is_taken_back(change: Change, facts: dict[str, Any], action: str) -> None:
    plan = back(undoing(change), site({"id": "a", **facts}, {"id": "b"}))
    assert acts(plan) == [(action, change.address)]
    assert reasons(plan) == ({}, {})
    (cause,) = plan.changes[0].causes
    assert (cause.policy, cause.where) == (f"rollback of {RUN}", "outcomes.jsonl:1")
    assert plan.dispositions["b"] == Disposition("unchanged", "not-of-this-run")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (LEFT, "dormant had it removed on 2026-11-21"),
        (JOINED, "dormant had it added on 2026-11-21"),
        (OPENED, "dormant had it opened on 2026-11-21"),
    ],
)
def test_the_plan_says_who_had_it_done_and_when(change: Change, why: str) -> None:
    groups = [] if change is LEFT else ["g-editors", "g-users"]
    plan = back(undoing(change), site({"id": "a", "groups": groups}))
    assert plan.changes[0].causes[0].why == why
    nobody = back(undoing(did(change, causes=())), site({"id": "a", "groups": groups}))
    assert nobody.changes[0].causes[0].why == why.replace("dormant", "the run")


@pytest.mark.parametrize(
    ("change", "facts", "reason"),
    [
        (TokenRevoke(address="token/a/t", token="t", **OWN), {}, "token-gone"),
        (TOLD, {}, "notice-sent"),
        (UserInvite(address="invite/hr/0", role="user", **OWN), {}, "invitation-sent"),
        (REMOVED, {"status": "absent"}, "needs-invitation"),
        (LEFT, {"status": "absent", "groups": []}, "needs-invitation"),
        (DISABLED, {"status": "absent"}, "needs-invitation"),
        (REVOKED, {"direct": []}, "role-not-granted-here"),
        (REVOKED, {"direct": None}, "role-not-granted-here"),
        (MembershipRemove(address="membership/g-x/a", group="g-x", label="x", **OWN), {}, "group-gone"),
        (UserDeactivate(address="user/a", old="suspended", new="deactivated", **OWN), {"status": "deactivated"},
         "was-closed-before"),
        (UserEnable(address="user/a", old="deleting", new="active", **OWN), {}, "not-closed-again"),
    ],
)  # fmt: skip
def test_what_nobody_can_take_back_from_here_is_told_and_policies_are_held_off_the_person(
    change: Change, facts: dict[str, Any], reason: str
) -> None:
    plan = back(undoing(change), site({"id": "a", **facts}))
    assert not plan.changes
    assert reasons(plan) == ({change.address: reason}, {})
    assert plan.rollback is not None
    assert plan.rollback.holds == {"a": ("dormant",)}
    (lost,) = plan.rollback.irreversible
    assert (lost.label, lost.note) == (getattr(change, "label", ""), "")


@pytest.mark.parametrize(("change", "reason"), [(REMOVED, "needs-invitation"), (LEFT, "account-gone")])
def test_an_account_that_is_gone_gets_nothing_back(change: Change, reason: str) -> None:
    plan = back(undoing(change), site({"id": "b"}))
    assert not plan.changes
    assert reasons(plan)[0] == {change.address: reason}


@pytest.mark.parametrize(
    ("change", "facts", "reason"),
    [
        (LEFT, {}, "as-before"),
        (JOINED, {}, "as-before"),
        (DISABLED, {}, "as-before"),
        (REMOVED, {}, "as-before"),
        (REVOKED, {"direct": ["user"]}, "as-before"),
        (DISABLED, {"status": "deactivated"}, "changed-meanwhile"),
        (DISABLED, {"status": "unknown"}, "status-unknown"),
        (LEFT, {"groups": None}, "groups-unknown"),
    ],
)
def test_what_is_not_as_the_run_made_it_any_more_is_left_alone_and_nobody_is_held(
    change: Change, facts: dict[str, Any], reason: str
) -> None:
    plan = back(undoing(change), site({"id": "a", **facts}))
    assert not plan.changes
    assert reasons(plan) == ({}, {change.address: reason})
    assert plan.rollback is not None
    assert plan.rollback.holds == {}


@pytest.mark.parametrize(("seconds", "final"), [(-1, False), (0, True)])
def test_a_deletion_is_stopped_as_long_as_the_vendor_waits(seconds: int, final: bool) -> None:
    at = TODAY - timedelta(days=14, seconds=seconds)
    plan = back(undoing(did(DELETED, at)), site({"id": "a", "status": "deleting", "lifecycle": LIFE}))
    assert acts(plan) == ([] if final else [("user.enable", "user/a")])
    assert reasons(plan)[0] == ({"user/a": "deletion-final"} if final else {})
    older = did(DISABLED, TODAY - timedelta(days=400))
    assert acts(back(undoing(older), site({"id": "a", "status": "suspended"}))) == [("user.enable", "user/a")]


@pytest.mark.parametrize("who", [{"later": {LEFT.address: "run 9"}}, {"others": frozenset({LEFT.address})}])
def test_what_is_the_work_of_somebody_else_by_now_is_theirs_even_where_it_looks_the_same(
    who: Mapping[str, Any],
) -> None:
    plan = back(undoing(LEFT, **who), site({"id": "a", "groups": []}))
    assert not plan.changes
    assert plan.rollback is not None
    (left,) = plan.rollback.left
    later = "later" in who
    told = ("changed-by-a-later-run", "run 9") if later else ("changed-by-others", "")
    assert (left.reason, left.note, left.label) == (*told, "users")
    if not later:
        assert reasons(back(undoing(LEFT, **who), site({"id": "a"})))[1] == {LEFT.address: "as-before"}


@pytest.mark.parametrize(("seconds", "reason"), [(0, "may-still-show"), (1, "as-before")])
def test_what_may_still_show_is_not_called_unchanged(seconds: int, reason: str) -> None:
    late = {LEFT.address: TODAY - timedelta(seconds=seconds)}
    assert reasons(back(undoing(LEFT, late=late), site({"id": "a"})))[1] == {LEFT.address: reason}
    shown = back(undoing(LEFT, late=late), site({"id": "a", "groups": []}))
    assert acts(shown) == [("membership.add", LEFT.address)]
    other = undoing(LEFT, late={"membership/g-users/b": TODAY})
    assert reasons(back(other, site({"id": "a"})))[1] == {LEFT.address: "as-before"}


# -- whom it may touch -----------------------------------------------------------------------------------

LISTED = (Protection(name="vip", owner="o", accounts=("a",)),)
EXEMPT = (Exemption(account="a", reason="absence", owner="o", until=date(2027, 1, 1), ticket="T-1", document="d"),)
BOTH = ["g-editors", "g-users"]


@pytest.mark.parametrize(
    ("facts", "more", "taken", "given"),
    [
        ({}, {}, "", ""),
        ({}, {"protections": LISTED}, "protected", "protected"),
        ({"kind": "unknown"}, {}, "protected", "protected"),
        ({"admin": None}, {}, "protected", "protected"),
        ({}, {"exemptions": EXEMPT}, "exempt", ""),
        ({"admin": True}, {}, "administrator", ""),
        ({"kind": "service"}, {}, "administrator", ""),
    ],
)
def test_everybody_gets_back_what_was_taken_and_loses_only_what_may_be_taken(
    facts: dict[str, Any], more: dict[str, Any], taken: str, given: str
) -> None:
    joined = back(undoing(JOINED), site({"id": "a", **facts, "groups": BOTH}), **more)
    assert acts(joined) == ([] if taken else [("membership.remove", JOINED.address)])
    assert reasons(joined) == ({}, {JOINED.address: taken} if taken else {})
    opened = back(undoing(OPENED), site({"id": "a", **facts}), **more)
    assert reasons(opened) == ({}, {"user/a": taken} if taken else {})
    for change, now in ((LEFT, {"groups": []}), (DISABLED, {"status": "suspended"})):
        plan = back(undoing(change), site({"id": "a", **facts, **now}), **more)
        assert bool(plan.changes) is not bool(given)
        assert reasons(plan) == ({}, {change.address: given} if given else {})


def test_whom_nobody_asked_about_is_neither_touched_nor_listed() -> None:
    other = MembershipRemove(address="membership/g-users/b", user="b", directory="default", group="g-users")
    inventory = site({"id": "a", "groups": []}, {"id": "b", "groups": []})
    plan = back(undoing(other, LEFT, users=("a",)), inventory)
    assert acts(plan) == [("membership.add", LEFT.address)]
    assert plan.rollback is not None
    assert (plan.rollback.users, plan.rollback.holds) == (("a",), {"a": ("dormant",)})
    assert plan.dispositions["b"] == Disposition("unchanged", "not-of-this-run")
    assert [address for _, address in acts(back(undoing(LEFT, other), inventory))] == [LEFT.address, other.address]


def test_a_policy_is_held_off_for_the_days_of_grace_and_nobody_where_no_policy_asked() -> None:
    inventory = site({"id": "a", "groups": []})
    plan = back(undoing(did(LEFT, causes=("dormant", "away")), TokenRevoke(address="t", token="t", **OWN)), inventory)
    assert plan.rollback is not None
    assert plan.rollback.holds == {"a": ("away", "dormant")}
    assert plan.rollback.until == TODAY.date() + timedelta(days=WIDE.grace)
    nobody = back(undoing(did(LEFT, causes=())), inventory)
    assert nobody.rollback is not None
    assert (nobody.rollback.holds, len(nobody.changes)) == ({}, 1)
    assert [one.address for one in plan.rollback.irreversible] == ["t"]


def test_of_whom_the_groups_are_not_known_nothing_is_changed() -> None:
    plan = back(
        undoing(DISABLED), site({"id": "a", "status": "suspended", "groups": None, "seats": [], "admin": False})
    )
    assert not plan.changes
    assert plan.dispositions["a"] == Disposition("unknown", "groups-unknown", (f"rollback of {RUN}",))


def test_a_group_that_gives_other_products_too_is_left_again() -> None:
    suite = {"id": "g-editors", "name": "editors", "grants": [{"product": "jira-software", "role": "user"}]}
    plan = back(undoing(JOINED), site({"id": "a", "groups": ["g-editors"]}, groups=[suite]))
    assert acts(plan) == [("membership.remove", JOINED.address)]


def test_a_change_is_forbidden_when_the_user_may_not_lose_it_by_the_time_it_is_made() -> None:
    policies = SitePolicies(site="acme", policies=(policy(IDLE),), guardrails=WIDE)
    now = site({"id": "a", "groups": BOTH}, {"id": "b"})
    a, b = now.users
    evaluation = evaluate(now, policies, TODAY, undo=undoing(JOINED))
    name = f"rollback of {RUN}"
    assert not evaluation.forbids(a, [name])
    assert evaluation.forbids(b, [name])
    admin = site({"id": "a", "groups": BOTH, "admin": True}).users[0]
    assert evaluation.forbids(admin, [name])


def test_an_account_of_a_data_center_is_enabled_again() -> None:
    disabled = UserDisable(address="user/1/a", user="a", directory="1", old="active", new="disabled")
    inventory = site(
        {"id": "a", "status": "disabled", "direct": None},
        hosting="datacenter",
        directories=[{"id": "1", "name": "One", "writable": True}],
    )
    assert acts(back(undoing(disabled), inventory)) == [("user.enable", "user/1/a")]


def test_a_rollback_invites_nobody() -> None:
    case = read_case(FOLDER / "joiners")
    assert "user.invite" in {one.action for one in case.plan().changes}
    at = case.inventory.as_of
    undo = undoing(did(LEFT, at))
    plan = make_plan(
        case.inventory, case.policies, case.memory, created=at, as_of=at, tool_version="0", people=case.people,
        lists=case.lists, undo=undo,
    )  # fmt: skip
    assert not plan.changes
    assert reasons(plan)[0] == {LEFT.address: "account-gone"}
