"""Groups whose members are declared: who is added, who leaves, and what a group is meant by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Adopted, Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from cleanup_gitops.policy.tree import InGroup
from tests.case_files import read_inventory
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import policy
from tests.strategies import AS_OF

Facts = Mapping[str, object]
GROUPS: tuple[Facts, ...] = (
    {"id": "g-users", "name": "users", "license": "seat"},
    {"id": "g-crew", "name": "crew"},
    {"id": "g-leads", "name": "leads"},
)


def site(*users: Facts, groups: tuple[Facts, ...] = GROUPS) -> Inventory:
    rows = [{"seen": "2026-11-20", "groups": [], **one} for one in users]
    told = {"about": "a test", "as_of": AS_OF, "groups": groups, "users": rows}
    return read_inventory(msgspec.json.encode(told))[1]


def entry(name: str, *accounts: str, exactly: bool = False, previously: tuple[str, ...] = ()) -> GroupEntry:
    return GroupEntry(
        name=name, accounts=accounts, exactly=exactly, previously=previously, where=f"policies/groups.yaml:{len(name)}"
    )


def declared(*entries: GroupEntry, policies: tuple[Policy, ...] = (), guardrails: Guardrails = WIDE) -> SitePolicies:
    document = Groups(name="declared", owner="iam@acme.com", entries=entries, where="policies/groups.yaml:1")
    return SitePolicies(site="acme", policies=policies, groups=(document,), guardrails=guardrails)


def adopted(*groups: str) -> Memory:
    lines = tuple(Adopted(group=one, name=one[2:], run="r", at=AS_OF, why="clean") for one in groups)
    return msgspec.structs.replace(BLANK, adopted=lines)


def plan_of(
    inventory: Inventory, policies: SitePolicies, memory: Memory = BLANK, adopt: frozenset[str] = frozenset()
) -> Plan:
    return make_plan(inventory, policies, memory, created=AS_OF, as_of=AS_OF, tool_version="0", adopt=adopt)


def acts(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.address) for one in plan.changes]


def test_at_least_adds_who_is_named_and_leaves_all_others_in() -> None:
    plan = plan_of(site({"id": "a"}, {"id": "b", "groups": ["g-crew"]}), declared(entry("crew", "a")))
    assert acts(plan) == [("membership.add", "membership/g-crew/a")]
    (cause,) = plan.changes[0].causes
    assert (cause.name, cause.where, cause.why) == ("declared", "policies/groups.yaml:4", "declared by account id")
    assert plan.dispositions["b"].reason == "no-policy-matches"


def test_exactly_adds_who_is_named_and_takes_out_everybody_else_once_adopted() -> None:
    here = site({"id": "a"}, {"id": "b", "groups": ["g-crew"]}, {"id": "c", "groups": ["g-leads"]})
    plan = plan_of(here, declared(entry("crew", "a", exactly=True)), adopted("g-crew"))
    assert acts(plan) == [("membership.remove", "membership/g-crew/b"), ("membership.add", "membership/g-crew/a")]
    assert plan.adoption == ()


@pytest.mark.case("F3")
def test_a_group_that_is_new_to_the_record_is_only_added_to() -> None:
    here = site({"id": "a"}, {"id": "b", "groups": ["g-crew"]})
    policies = declared(entry("crew", "a", exactly=True))
    plan = plan_of(here, policies)
    assert acts(plan) == [("membership.add", "membership/g-crew/a")]
    (row,) = plan.pending
    assert (row.change.action, row.change.user, row.reason, row.until) == ("membership.remove", "b", "adopt", None)
    assert (plan.dispositions["b"].state, plan.dispositions["b"].reason) == ("pending", "adopt")
    assert plan.adoption == ()
    assert "cleanup-gitops plan --adopt crew" in plan.warnings[-1]
    asked = plan_of(here, policies, adopt=frozenset({"crew"}))
    assert acts(asked)[0] == ("membership.remove", "membership/g-crew/b")
    assert [(one.group, one.name, one.policy, one.what) for one in asked.adoption] == [
        ("g-crew", "crew", "declared", "asked")
    ]
    assert not asked.warnings


@pytest.mark.case("F3")
def test_a_group_with_nobody_to_take_out_is_adopted_by_itself() -> None:
    protected = {"id": "boss", "groups": ["g-crew"], "admin": True}
    clean = plan_of(site({"id": "a"}, protected), declared(entry("crew", "a", exactly=True)))
    assert [one.what for one in clean.adoption] == ["clean"]


@pytest.mark.parametrize(
    "facts",
    [
        {"groups": None, "admin": False},
        {"groups": None},
        {"groups": ["g-crew"], "status": "unknown"},
        {"groups": ["g-crew"], "admin": None},
        {"groups": ["g-crew"], "kind": "unknown"},
    ],
)
def test_a_group_is_not_adopted_by_itself_while_something_of_a_member_is_unknown(facts: Facts) -> None:
    plan = plan_of(site({"id": "a"}, {"id": "b", **facts}), declared(entry("crew", "a", exactly=True)))
    assert plan.adoption == ()
    assert plan.dispositions["b"].reason.endswith("-unknown")


@pytest.mark.case("F3")
def test_what_no_document_declares_as_a_whole_is_new_again_later() -> None:
    here, memory = site({"id": "a", "groups": ["g-crew"]}), adopted("g-crew")
    assert [one.what for one in plan_of(here, declared(entry("crew", "a")), memory).adoption] == ["dropped"]
    assert plan_of(here, declared(entry("crew", "a", exactly=True)), memory).adoption == ()
    gone = site({"id": "a"}, groups=(GROUPS[0],))
    assert plan_of(gone, declared(entry("crew", "a", exactly=True)), memory).adoption == ()


@pytest.mark.case("F15", "F3")
def test_a_group_that_was_made_anew_under_its_name_is_new_to_the_record() -> None:
    anew = (GROUPS[0], {"id": "g-other", "name": "crew"})
    here = site({"id": "a"}, {"id": "b", "groups": ["g-other"]}, groups=anew)
    plan = plan_of(here, declared(entry("crew", "a", exactly=True)), adopted("g-crew"))
    assert acts(plan) == [("membership.add", "membership/g-other/a")]
    assert [one.reason for one in plan.pending] == ["adopt"]


@pytest.mark.case("F15")
def test_a_renamed_group_is_the_same_group() -> None:
    one = entry("captains", "a", exactly=True, previously=("leads",))
    before = site({"id": "a"}, {"id": "b", "groups": ["g-leads"]})
    plan = plan_of(before, declared(one), adopted("g-leads"))
    assert acts(plan) == [("membership.remove", "membership/g-leads/b"), ("membership.add", "membership/g-leads/a")]
    assert plan.warnings == (
        "policies/groups.yaml:8: group captains is still called leads on acme; it is meant all the same.",
    )
    renamed = (*GROUPS[:2], {"id": "g-leads", "name": "Captains"})
    after = site({"id": "a"}, {"id": "b", "groups": ["g-leads"]}, groups=renamed)
    again = plan_of(after, declared(one), adopted("g-leads"))
    assert acts(again) == acts(plan)
    assert not again.warnings


@pytest.mark.case("E30", "F15")
@pytest.mark.parametrize("previously", [(), ("old",), ("crew", "leads")])
def test_a_group_that_cannot_be_told_blocks_its_entry_alone(previously: tuple[str, ...]) -> None:
    here = site({"id": "a"}, {"id": "b", "groups": ["g-crew"]}, {"id": "c"})
    lame = entry("nowhere", "a", exactly=True, previously=previously)
    plan = plan_of(here, declared(lame, entry("users", "c")), adopted("g-crew"))
    assert acts(plan) == [("membership.add", "membership/g-users/c")]
    assert plan.dispositions["a"].reason == "blocked"
    assert plan.dispositions["b"].reason == ("blocked" if "crew" in previously else "no-policy-matches")
    assert not plan.complete
    (told,) = plan.blocked
    assert told.startswith("declared (policies/groups.yaml:7): ")


def test_who_is_declared_and_kept_out_by_a_policy_is_in_conflict() -> None:
    out = policy(InGroup(("leads",)), ensure=Ensure(groups_absent=("crew",)), name="out")
    for groups in (["g-leads"], ["g-leads", "g-crew"]):
        plan = plan_of(site({"id": "a", "groups": groups}), declared(entry("crew", "a"), policies=(out,)))
        assert acts(plan) == []
        assert plan.dispositions["a"].reason == "policies-disagree"
        assert plan.dispositions["a"].policies == ("declared", "out")
        assert plan.dispositions["a"].note == "group crew"


def test_whom_a_policy_brings_and_a_declaration_keeps_out_is_in_conflict_and_never_goes_in_and_out() -> None:
    brings = policy(InGroup(("leads",)), ensure=Ensure(groups_present=("crew",)), name="brings")
    policies = declared(entry("crew", "a", exactly=True), policies=(brings,))
    for groups in (["g-leads"], ["g-leads", "g-crew"]):
        plan = plan_of(site({"id": "a"}, {"id": "b", "groups": groups}), policies, adopted("g-crew"))
        assert acts(plan) == [("membership.add", "membership/g-crew/a")]
        assert plan.dispositions["b"].reason == "policies-disagree"


@pytest.mark.case("E20", "E21", "E23")
def test_protected_people_and_programs_are_never_taken_out() -> None:
    members: list[Facts] = [
        {"id": "app", "groups": ["g-crew"], "kind": "app"},
        {"id": "admin", "groups": ["g-crew"], "admin": True},
        {"id": "odd", "groups": ["g-crew"], "kind": "unknown"},
        {"id": "svc", "groups": ["g-crew"], "kind": "service"},
    ]
    plan = plan_of(site({"id": "a"}, *members), declared(entry("crew", "a", exactly=True)), adopted("g-crew"))
    assert acts(plan) == [("membership.add", "membership/g-crew/a")]
    assert {plan.dispositions[one].state for one in ("app", "admin", "odd", "svc")} == {"protected"}


def test_a_program_that_is_named_comes_in_and_an_administrator_does_not() -> None:
    here = site({"id": "admin", "admin": True}, {"id": "svc", "kind": "service"})
    plan = plan_of(here, declared(entry("crew", "admin", "svc")))
    assert acts(plan) == [("membership.add", "membership/g-crew/svc")]
    assert plan.dispositions["admin"].reason == "administrator"


@pytest.mark.case("E25")
def test_strange_and_closed_accounts_are_told_of_and_not_added() -> None:
    here = site({"id": "shut", "status": "suspended"}, {"id": "in", "status": "suspended", "groups": ["g-crew"]})
    plan = plan_of(here, declared(entry("crew", "shut", "in", "nobody", exactly=True)))
    assert acts(plan) == []
    assert plan.warnings == (
        "policies/groups.yaml:4: account nobody is declared for crew and not on this site.",
        "policies/groups.yaml:4: account shut is declared for crew and closed: closed accounts are not added.",
    )
    many = plan_of(site({"id": "a"}), declared(entry("crew", *(f"x{one}" for one in range(7)))))
    assert "7 accounts (x0, x1, x2, x3, x4 and 2 more) are declared" in many.warnings[0]
    five = plan_of(site({"id": "a"}), declared(entry("crew", *(f"x{one}" for one in range(5)))))
    assert "5 accounts (x0, x1, x2, x3, x4) are declared" in five.warnings[0]


def test_an_account_whose_status_is_not_known_is_neither_closed_nor_added() -> None:
    plan = plan_of(site({"id": "odd", "status": "unknown"}), declared(entry("crew", "odd")))
    assert (acts(plan), plan.warnings) == ([], ())
    assert (plan.dispositions["odd"].state, plan.dispositions["odd"].reason) == ("unknown", "status-unknown")


@pytest.mark.case("E28")
def test_what_a_declaration_gives_competes_with_nobody_and_what_it_takes_is_mild() -> None:
    closes = policy(InGroup(("leads",)), ensure=Ensure(status="suspended"), name="closes")
    here = site({"id": "in", "groups": ["g-leads"]}, {"id": "out", "groups": ["g-leads", "g-crew"]})
    plan = plan_of(here, declared(entry("crew", "in", exactly=True), policies=(closes,)), adopted("g-crew"))
    assert acts(plan) == [
        ("user.disable", "user/in"),
        ("membership.remove", "membership/g-crew/out"),
        ("membership.add", "membership/g-crew/in"),
    ]
    assert plan.dispositions["out"].note == "also asked, but harsher: closes"


@pytest.mark.case("E34")
def test_a_synced_group_is_handed_off_and_before_its_adoption_only_what_is_added() -> None:
    synced = (*GROUPS[:2], {"id": "g-idp", "name": "idp", "modifiable": False, "synced": True})
    here = site({"id": "a"}, {"id": "b", "groups": ["g-idp"]}, groups=synced)
    policies = declared(entry("idp", "a", exactly=True))
    plan = plan_of(here, policies, adopted("g-idp"))
    assert acts(plan) == []
    assert [(one.action, one.user, one.reason) for one in plan.handoffs] == [
        ("membership.add", "a", "group-managed-elsewhere"),
        ("membership.remove", "b", "group-managed-elsewhere"),
    ]
    new = plan_of(here, policies)
    assert [one.action for one in new.handoffs] == ["membership.add"]
    assert new.dispositions["b"].reason == "adopt"
    assert "plan --adopt idp" in new.warnings[-1]


def test_a_group_with_seats_gives_only_seats_that_there_are() -> None:
    full = msgspec.structs.replace(site({"id": "a"}, {"id": "b", "groups": ["g-users"]}), seat_limit=1)
    assert plan_of(full, declared(entry("users", "a"))).dispositions["a"].reason == "no-seat-left"
    free = msgspec.structs.replace(full, seat_limit=2)
    assert plan_of(free, declared(entry("users", "a"))).seats.after == 2


@pytest.mark.case("E37")
def test_leaving_one_of_two_groups_with_seats_says_that_no_seat_is_freed() -> None:
    two = (GROUPS[0], {"id": "g-more", "name": "more", "license": "seat"})
    here = site({"id": "a"}, {"id": "b", "groups": ["g-users", "g-more"]}, groups=two)
    plan = plan_of(here, declared(entry("more", "a", exactly=True)), adopted("g-more"))
    (row,) = [one for one in plan.changes if one.action == "membership.remove"]
    assert "no seat freed" in row.note


@pytest.mark.case("E38")
def test_a_group_of_another_product_too_is_left_only_where_the_entry_allows_it() -> None:
    suite = {"id": "g-suite", "name": "suite", "grants": [{"product": "jira-software", "role": "user"}]}
    here = site({"id": "a"}, {"id": "b", "groups": ["g-suite"]}, groups=(GROUPS[0], suite))
    one = entry("suite", "a", exactly=True)
    assert plan_of(here, declared(one), adopted("g-suite")).dispositions["b"].reason == "shared-group"
    allowed = GroupEntry(name="suite", accounts=("a",), exactly=True, allow_shared_groups=True, where="p:1")
    assert ("membership.remove", "membership/g-suite/b") in acts(plan_of(here, declared(allowed), adopted("g-suite")))


def test_caps_count_what_leaves_and_not_what_waits_for_an_adoption() -> None:
    here = site(*({"id": f"u{one}", "groups": ["g-crew"]} for one in range(9)), {"id": "a"})
    tight = replace(WIDE, caps={**WIDE.caps, "membership.remove": Cap(3)})
    policies = declared(entry("crew", "a", exactly=True), guardrails=tight)
    assert plan_of(here, policies).applyable
    asked = plan_of(here, policies, adopt=frozenset({"crew"}))
    assert [one.name for one in asked.checks if not one.passed] == ["cap:membership.remove"]


def test_a_group_that_would_be_emptied_is_guarded() -> None:
    here = site({"id": "shut", "status": "suspended"}, {"id": "b", "groups": ["g-crew"]})
    plan = plan_of(here, declared(entry("crew", "shut", exactly=True)), adopted("g-crew"))
    assert [one.name for one in plan.checks if not one.passed and one.name == "empty-groups"] == ["empty-groups"]


def test_two_entries_of_one_document_wait_apart() -> None:
    here = site({"id": "a"}, {"id": "b", "groups": ["g-crew", "g-leads"]})
    both = declared(entry("crew", "a", exactly=True), entry("leads", "a", exactly=True))
    plan = plan_of(here, both, adopted("g-crew"))
    assert [one.address for one in plan.changes if one.user == "b"] == ["membership/g-crew/b"]
    assert [one.change.address for one in plan.pending] == ["membership/g-leads/b"]


def test_what_a_policy_takes_away_too_does_not_wait_for_the_adoption() -> None:
    out = policy(InGroup(("leads",)), ensure=Ensure(groups_absent=("crew",)), name="out")
    here = site({"id": "a"}, {"id": "b", "groups": ["g-crew", "g-leads"]})
    plan = plan_of(here, declared(entry("crew", "a", exactly=True), policies=(out,)))
    (row,) = [one for one in plan.changes if one.user == "b"]
    assert [one.policy for one in row.causes] == ["out"]
    assert not plan.pending
