"""Edge cases of guests, grace, wrong dates, shared groups, several directories and what Guardrails allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cleanup_gitops.model.plan import Check, Disposition, Plan
from cleanup_gitops.planner import assume
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection
from cleanup_gitops.policy.guardrails import DEFAULT_ALLOW, Guardrails
from cleanup_gitops.policy.tree import AddedFor, InGroup, KindIs, NeverActiveFor
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, LEAVE, TODAY, fate, plan_of, policy, site

NO_ACCESS = Ensure(no_access=True)
GUEST = Ensure(groups_present=("guests",))
ROLE = {"by": "role", "role": "user"}


def check_of(plan: Plan, name: str) -> Check:
    return next(check for check in plan.checks if check.name == name)


# -- guests --------------------------------------------------------------------------------------------


@pytest.mark.case("E49")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ("conflict", "seat-to-guest")),
        ({"status": "suspended"}, ("conflict", "seat-to-guest")),
        ({"groups": [], "seat_since": "2026-01-01"}, ("conflict", "seat-to-guest")),
        ({"license": "unknown"}, ("unknown", "license-unknown")),
        ({"groups": []}, ("changed", "changed")),
    ],
)
def test_nobody_who_has_or_had_a_seat_is_made_a_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    plan = plan_of(site({"id": "a", **facts}), policy(KindIs(("person",)), ensure=GUEST))
    assert fate(plan, "a") == expected


@pytest.mark.case("E48", "E49")
@pytest.mark.parametrize(
    ("facts", "ensure", "expected"),
    [
        ({"groups": ["g-guests", "g-users"]}, LEAVE, ("conflict", "seat-to-guest")),
        ({"groups": ["g-guests"], "seats": [{"by": "group", "chain": ["g-guests"]}, ROLE]}, NO_ACCESS,
         ("changed", "changed")),
        ({"groups": ["g-guests", "g-users"]}, NO_ACCESS, ("changed", "changed")),
        ({"groups": ["g-guests", "g-users"]}, Ensure(groups_absent=("users", "guests")), ("changed", "changed")),
        ({"groups": ["g-guests"]}, NO_ACCESS, ("changed", "changed")),
    ],
)  # fmt: skip
def test_a_seat_goes_together_with_guest_access_or_not_at_all(
    facts: dict[str, Any], ensure: Ensure, expected: tuple[str, str]
) -> None:
    inventory = site({"id": "a", **facts})
    plan = plan_of(inventory, policy(IDLE, ensure=ensure))
    assert fate(plan, "a") == expected
    if plan.changes:
        assert assume(inventory, plan).user_by_id["a"].license == "none"


# -- never used ----------------------------------------------------------------------------------------


NEVER = policy(NeverActiveFor(30), name="never")


@pytest.mark.case("E3", "E1")
@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, Disposition("unchanged", "new", ("never",), "32 days left")),
        (30, Disposition("unchanged", "new", ("never",), "2 days left")),
        (31, Disposition("unchanged", "new", ("never",), "1 day left")),
        (32, Disposition("changed", "changed", ("never",))),
    ],
)
def test_who_is_new_keeps_the_seat_and_the_days_left_are_shown(days: int, expected: Disposition) -> None:
    added = (TODAY - timedelta(days=days)).date().isoformat()
    plan = plan_of(site({"id": "a", "seen": "never", "added": added}), NEVER)
    assert plan.dispositions["a"] == expected


@pytest.mark.case("E3")
def test_days_are_left_only_where_nothing_but_the_age_is_missing() -> None:
    new = {"seen": "never", "added": "2026-11-20"}
    inventory = site({"id": "a", **new}, {"id": "b", **new, "groups": ["g-editors"]}, {"id": "c", "seen": "2026-11-20"})
    plan = plan_of(
        inventory,
        policy(NeverActiveFor(60), InGroup(("users",)), name="slow"),
        policy(NeverActiveFor(30), InGroup(("users",)), none=InGroup(("guests",)), name="fast"),
    )
    assert plan.dispositions["a"] == Disposition("unchanged", "new", ("fast",), "30 days left")
    assert plan.dispositions["b"] == plan.dispositions["c"] == Disposition("unchanged", "no-policy-matches")


@pytest.mark.case("E3")
@pytest.mark.parametrize(("days", "days_left"), [(31, "1 day left"), (32, ""), (60, "")])
def test_no_days_are_left_to_whom_another_condition_on_the_age_spares(days: int, days_left: str) -> None:
    added = (TODAY - timedelta(days=days)).date().isoformat()
    plan = plan_of(site({"id": "a", "seen": "never", "added": added}), policy(NeverActiveFor(30), AddedFor(90)))
    assert plan.dispositions["a"].note == days_left


@pytest.mark.case("E2")
def test_never_used_and_of_unknown_age_is_nobody_s_case() -> None:
    plan = plan_of(site({"id": "a", "seen": {"is": "never", "since": None}, "added": None}), NEVER)
    assert fate(plan, "a") == ("unknown", "policy-undecided")


# -- what page views do not show -------------------------------------------------------------------------


@pytest.mark.case("E8", "E9")
def test_use_that_leaves_no_page_view_is_warned_of() -> None:
    inventory = site(
        {"id": "a", "seen": "never"},
        {"id": "b", "tokens": ["t-1", "t-2"]},
        {"id": "c", "seen": {"is": "never", "since": "2024-01-01T00:00:00Z", "source": "database"}},
    )
    plan = plan_of(inventory, policy(IDLE), NEVER)
    assert {change.user: change.note for change in plan.changes} == {
        "a": "",
        "b": "has 2 API tokens: use through the API does not count as seen",
        "c": "",
    }
    (warning,) = plan.warnings
    assert warning == (
        "1 user counts as idle and never viewed a page: use through the API, a phone or an integration alone is not"
        " recorded. Exempt those who work that way, or name service accounts in the Site document."
    )
    assert not plan_of(inventory, policy(InGroup(("users",)))).warnings


@pytest.mark.case("E22", "E24")
def test_whoever_is_idle_by_design_is_kept_with_an_owner_and_a_date_on_record() -> None:
    inventory = site({"id": "glass"}, {"id": "mailbox"})
    kept = tuple(
        Exemption(
            account=account,
            reason=reason,  # type: ignore[arg-type]
            owner="security@acme.com",
            until=(TODAY + timedelta(days=90)).date(),
            ticket="SEC-1",
            document="kept",
        )
        for account, reason in (("glass", "break-glass"), ("mailbox", "service-account"))
    )
    plan = plan_of(inventory, policy(IDLE), exemptions=kept)
    assert not plan.changes
    assert plan.dispositions["glass"] == Disposition(
        "exempt", "break-glass", ("dormant",), "break-glass until 2027-02-20"
    )
    assert plan.dispositions["mailbox"].state == "exempt"


# -- dates ---------------------------------------------------------------------------------------------


FUTURE = "unknown: the site reported a date in the future"


@pytest.mark.case("E17")
@pytest.mark.parametrize(("wrong", "right", "passed"), [(2, 0, True), (3, 297, True), (3, 296, False), (3, 0, False)])
@pytest.mark.parametrize("facts", [{"seen": FUTURE}, {"added": "2026-11-24"}, {"elsewhere": {"trello": FUTURE}}])
def test_a_few_wrong_dates_leave_their_people_alone_and_many_stop_the_plan(
    facts: dict[str, Any], wrong: int, right: int, passed: bool
) -> None:
    bad = [{"id": f"bad-{number}", **facts} for number in range(wrong)]
    good = [{"id": f"good-{number:03}", "seen": "2026-11-22"} for number in range(right)]
    plan = plan_of(site(*bad, *good), policy(replace(IDLE, product="any")))
    assert not plan.changes
    found = check_of(plan, "dates")
    assert found.passed is plan.applyable is passed
    assert found.message.startswith(f"{wrong} of {wrong + right} users have a date in the future")


@pytest.mark.case("E17")
def test_the_difference_of_two_clocks_is_no_wrong_date_and_the_past_is_not_the_future() -> None:
    inventory = site(*({"id": f"a-{number}", "added": "2026-11-22"} for number in range(5)))
    assert check_of(plan_of(inventory, policy(IDLE)), "dates").message == "0 of 5 users have a date in the future"


# -- what Guardrails and protections say -----------------------------------------------------------------


def narrow(*policies: Policy, users: tuple[dict[str, Any], ...], allow: frozenset[Any]) -> Plan:
    guardrails = Guardrails(caps=WIDE.caps, allow=allow, where="policies/guardrails.yaml:2")
    return plan_of(site(*users), *policies, guardrails=guardrails)


def test_a_plan_has_only_actions_that_are_allowed() -> None:
    users = ({"id": "a"}, {"id": "b", "groups": ["g-editors"], "seats": [ROLE], "license": "seat"})
    leave = policy(IDLE, ensure=NO_ACCESS)
    plan = narrow(leave, users=users, allow=DEFAULT_ALLOW - {"role.revoke"})
    found = check_of(plan, "allow:role.revoke")
    assert not found.passed
    assert not plan.applyable
    assert found.message == (
        "1 planned, which Guardrails do not allow (policies/guardrails.yaml:2); if it is meant, write under spec of a"
        " Guardrails document: allow: [user.deactivate, user.disable, role.revoke, membership.remove, tokens.revoke,"
        " user.enable, membership.add, notice.send, user.invite]"
    )
    assert check_of(plan, "allow:membership.remove").passed
    at_work = ({"id": "c", "seen": "2026-11-21"},)
    assert narrow(leave, users=users + at_work, allow=DEFAULT_ALLOW).applyable


def test_removing_somebody_from_the_directory_is_not_allowed_by_itself() -> None:
    users = ({"id": "a"}, {"id": "b", "seen": "2026-11-21"})
    plan = narrow(policy(IDLE, ensure=Ensure(status="removed")), users=users, allow=DEFAULT_ALLOW)
    assert [check.name for check in plan.checks if not check.passed] == ["allow:user.remove"]


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["organization-admin"], ("protected", "protected-role")),
        (None, ("protected", "role-unknown")),
        (["site-admin"], ("changed", "changed")),
        ([], ("changed", "changed")),
    ],
)
def test_holders_of_a_protected_role_are_not_touched(roles: list[str] | None, expected: tuple[str, str]) -> None:
    shield = Protection(name="glass", owner="s@acme.com", roles=("organization-admin",))
    inventory = site({"id": "a", "roles": roles, "admin": True}, {"id": "root", "admin": True, "seen": "2026-11-22"})
    plan = plan_of(inventory, policy(IDLE, include_admins=True), protections=(shield,))
    assert fate(plan, "a") == expected


@pytest.mark.case("E20")
@pytest.mark.parametrize("status", ["suspended", "deactivated", "removed", "deleted"])
def test_the_last_administrator_stays_whatever_is_asked(status: Any) -> None:  # noqa: ANN401 - a status
    life = {"lifecycle": {"enablement": "", "deletion": ""}}
    inventory = site({"id": "a", "admin": True, **life}, {"id": "b", "admin": True, **life})
    plan = plan_of(inventory, policy(IDLE, ensure=Ensure(status=status), include_admins=True))
    assert fate(plan, "a") == fate(plan, "b") == ("protected", "last-administrator")


def test_a_role_that_administers_is_not_revoked_unless_the_policy_says_so() -> None:
    admin = {"seats": [{"by": "role", "role": "admin"}], "groups": [], "admin": False}
    inventory = site({"id": "a", **admin}, {"id": "root", "admin": True, "seen": "2026-11-22"})
    assert fate(plan_of(inventory, policy(IDLE, ensure=NO_ACCESS)), "a") == ("conflict", "administrator-role")
    named = plan_of(inventory, policy(IDLE, ensure=NO_ACCESS, include_admins=True))
    assert [change.action for change in named.changes] == ["role.revoke"]


# -- groups and directories -----------------------------------------------------------------------------


@pytest.mark.case("E38")
@pytest.mark.parametrize(
    ("first", "second", "leaves"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_shared_group_is_left_only_when_all_who_ask_allow_it(first: bool, second: bool, leaves: bool) -> None:
    suite = {
        "id": "g-suite",
        "name": "suite",
        "license": "seat",
        "grants": [{"product": "confluence", "role": "user"}, {"product": "jira-software", "role": "user"}],
    }
    inventory = site({"id": "a", "groups": ["g-suite"]}, groups=[suite])
    one = replace(policy(IDLE, ensure=NO_ACCESS, name="one"), allow_shared_groups=first)
    two = replace(policy(IDLE, ensure=Ensure(groups_absent=("suite",)), name="two"), allow_shared_groups=second)
    plan = plan_of(inventory, one, two)
    assert fate(plan, "a") == (("changed", "changed") if leaves else ("conflict", "shared-group"))
    assert [tuple(cause.policy for cause in change.causes) for change in plan.changes] == [("one", "two")] * leaves


@pytest.mark.case("E42")
def test_a_change_names_the_directory_of_its_user() -> None:
    directories = [{"id": "one", "name": "One"}, {"id": "two", "name": "Two"}]
    group = {"id": "g-users", "name": "users", "license": "seat"}
    inventory = site(
        {"id": "a", "directory": "one"},
        {"id": "b", "directory": "two", "groups": [], "seats": [ROLE]},
        {"id": "c", "directory": "two", "status": "suspended"},
        groups=[{**group, "directory": "one"}],
        directories=directories,
    )
    plan = plan_of(inventory, policy(IDLE, ensure=NO_ACCESS), policy(IDLE, ensure=Ensure(status="suspended"), name="z"))
    assert {change.user: change.directory for change in plan.changes} == {"a": "one", "b": "two", "c": "two"}


# -- whole accounts --------------------------------------------------------------------------------------


ALLOWED = {"enablement": "", "deletion": ""}


@pytest.mark.case("E43", "E44", "E45", "E47")
@pytest.mark.parametrize(
    ("status", "facts", "expected"),
    [
        ("deactivated", {"managed": False}, ("handed_off", "account-unmanaged")),
        ("deactivated", {"managed": None}, ("unknown", "managed-unknown")),
        ("deactivated", {}, ("unknown", "lifecycle-unknown")),
        ("deactivated", {"lifecycle": {"deletion": ""}}, ("unknown", "lifecycle-unknown")),
        ("deactivated", {"lifecycle": {"enablement": "externalDirectory.google"}},
         ("handed_off", "externalDirectory.google")),
        ("deactivated", {"lifecycle": {"enablement": "managedAccount"}}, ("conflict", "lifecycle-refused")),
        ("deactivated", {"status": "deactivated"}, ("unchanged", "already-so")),
        ("deactivated", {"status": "absent", "groups": []}, ("unchanged", "already-so")),
        ("deleted", {"lifecycle": ALLOWED}, ("changed", "changed")),
        ("deleted", {"status": "deleting"}, ("unchanged", "already-so")),
        ("deleted", {"managed": False}, ("handed_off", "account-unmanaged")),
        ("removed", {"synced": True, "writable": False}, ("handed_off", "account-managed-elsewhere")),
        ("removed", {"synced": True, "writable": True}, ("handed_off", "account-managed-elsewhere")),
        ("removed", {"synced": None, "writable": True}, ("unknown", "writability-unknown")),
        ("removed", {"synced": None, "managed": False, "writable": True}, ("changed", "changed")),
        ("removed", {"writable": None}, ("unknown", "writability-unknown")),
        ("removed", {"status": "absent"}, ("unchanged", "already-so")),
        ("removed", {"status": "deactivated"}, ("changed", "changed")),
        ("suspended", {"status": "deactivated"}, ("unchanged", "already-so")),
        ("active", {"status": "deactivated", "lifecycle": ALLOWED}, ("changed", "changed")),
        ("active", {"status": "deleting", "lifecycle": ALLOWED}, ("changed", "changed")),
        ("active", {"status": "deactivated"}, ("unknown", "lifecycle-unknown")),
        ("active", {"status": "deleting", "managed": False}, ("handed_off", "account-unmanaged")),
        ("active", {"status": "absent"}, ("handed_off", "account-absent")),
    ],
)  # fmt: skip
def test_an_account_is_changed_as_a_whole_only_by_its_organization(
    status: Any,  # noqa: ANN401 - a status
    facts: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    plan = plan_of(site({"id": "a", **facts}), policy(IDLE, ensure=Ensure(status=status)))
    assert fate(plan, "a") == expected


@pytest.mark.parametrize("status", ["deactivated", "deleting"])
def test_an_account_is_opened_again_only_when_a_seat_is_left(status: str) -> None:
    inventory = site(
        {"id": "a", "status": status, "lifecycle": ALLOWED}, {"id": "b", "seen": "2026-11-22"}, seat_limit=1
    )
    plan = plan_of(inventory, policy(IDLE, ensure=Ensure(status="active")))
    assert fate(plan, "a") == ("conflict", "no-seat-left")


def test_the_mildest_of_all_kinds_wins_and_the_harsher_ones_are_told() -> None:
    kinds = ("suspended", "deactivated", "removed", "deleted")
    harsh = [policy(IDLE, ensure=Ensure(status=one), name=one) for one in kinds]  # type: ignore[arg-type]
    inventory = site({"id": "a", "lifecycle": ALLOWED, "tokens": ["t-1"]})
    plan = plan_of(inventory, policy(IDLE, ensure=Ensure(no_tokens=True)), *harsh)
    assert [change.action for change in plan.changes] == ["tokens.revoke"]
    assert plan.dispositions["a"].note == "also asked, but harsher: deactivated, deleted, removed, suspended"
    for number, action in enumerate(("user.disable", "user.deactivate", "user.remove", "user.delete")):
        assert [change.action for change in plan_of(inventory, *harsh[number:]).changes] == [action]


def test_access_that_is_given_and_denied_is_a_conflict_that_names_both() -> None:
    gives = policy(IDLE, ensure=Ensure(groups_present=("users",)), name="gives")
    plan = plan_of(site({"id": "a"}), policy(IDLE, ensure=NO_ACCESS), gives)
    assert plan.dispositions["a"] == Disposition("conflict", "policies-disagree", ("dormant", "gives"), "group users")
    opens = policy(IDLE, ensure=Ensure(status="active"), name="opens")
    plan = plan_of(site({"id": "a", "status": "suspended"}), policy(IDLE, ensure=Ensure(status="removed")), opens)
    assert fate(plan, "a") == ("conflict", "policies-disagree")
