"""Two versions of the policies on one inventory: every user is told once, and nobody of whom nothing differs."""

from __future__ import annotations

from dataclasses import replace as with_fields
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import LAG_DAYS, Seen
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.rehearsal.comparison import SORTS, Comparison, Part, compare, comparison_of
from tests.case_files import folders, read_case
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.test_laws import holding
from tests.rehearsal.edited import by_sort, case, compared, edited
from tests.strategies import AS_OF


@pytest.mark.parametrize("folder", folders(), ids=lambda one: one.name)
def test_nothing_differs_between_policies_that_mean_the_same(folder: Path, tmp_path: Path) -> None:
    one = read_case(folder)
    moved = edited(one, tmp_path, ("apiVersion", "# a line more\napiVersion"))
    found = compared(one, moved)
    assert not found.differs
    assert found.shifts == ()
    assert set(found.counts.values()) == {0}
    assert found.alike == len({change.user for change in found.before.changes})
    assert found.before.digest == found.after.digest == one.plan().digest


def test_a_higher_threshold_drops_exactly_those_between_the_two(tmp_path: Path) -> None:
    one = case("boundary")
    found = compared(one, edited(one, tmp_path, ("inactive_for: 90d", "inactive_for: 120d")))
    before = {change.user for change in one.plan().changes}

    def days(user: User) -> int:
        assert isinstance(user.seen, Seen)
        return (one.inventory.as_of.date() - user.seen.latest.date()).days - LAG_DAYS[user.seen.source]

    kept = {account for account in before if days(one.inventory.user_by_id[account]) > 120}
    assert before - kept
    assert {shift.account for shift in found.shifts if shift.sort == "dropped"} == before - kept
    (other,) = (shift for shift in found.shifts if shift.sort != "dropped")
    assert (other.sort, other.before.fate[0], other.after.fate[0]) == ("untouched", "unknown", "unchanged")
    assert found.alike == len(kept)
    assert found.before.seats.after - found.after.seats.after == -len(before - kept)


def test_usual_edits_have_the_effect_that_they_look_like(tmp_path: Path) -> None:
    one = case("usual-clean-up")
    raised = edited(one, tmp_path / "raised", ("inactive_for: 90d", "inactive_for: 100d"))
    assert by_sort(compared(one, raised)) == {"dropped": ["bob"]}
    lowered = edited(one, tmp_path / "lowered", ("never_active_for: 60d", "never_active_for: 10d"))
    assert by_sort(compared(one, lowered)) == {"added": ["eve"]}
    renamed = edited(one, tmp_path / "renamed", ("name: dormant-members", "name: idle-members"))
    assert by_sort(compared(one, renamed)) == {"moved": ["ada", "bob"]}
    entry = '{account: "712020:ada", reason: absence, until: 2027-03-01, ticket: HR-4712}'
    exempt = edited(one, tmp_path / "exempt", ("spec:\n  - {account", f"spec:\n  - {entry}\n  - {{account"))
    found = compared(one, exempt)
    assert by_sort(found) == {"dropped": ["ada"]}
    (ada,) = found.shifts
    assert (ada.before.fate, ada.after.fate) == (("changed", "changed"), ("exempt", "absence"))


def test_an_untouched_user_with_another_reason_is_told_apart_from_the_touched(tmp_path: Path) -> None:
    one = case("usual-clean-up")
    ended = edited(one, tmp_path / "ended", ("  groups: [break-glass]", '  accounts: ["712020:bob", "712020:cleo"]'))
    found = compared(one, ended)
    assert by_sort(found) == {"dropped": ["bob"], "untouched": ["cleo"], "added": ["gus"]}
    fates = {shift.account: (shift.before.fate[0], shift.after.fate[0]) for shift in found.shifts}
    assert fates == {
        "712020:bob": ("changed", "protected"),
        "712020:cleo": ("unchanged", "protected"),
        "712020:gus": ("protected", "changed"),
    }


def test_another_action_on_the_same_user_is_a_move(tmp_path: Path) -> None:
    one = case("usual-clean-up")
    leaves = "    groups:\n      absent: [confluence-users-acme]\n"
    same = compared(one, edited(one, tmp_path / "same", (leaves, "    product_access: absent\n")))
    assert by_sort(same) == {}
    idle = f"      - inactive_for: 90d\n  ensure:\n{leaves}"
    other = "      - inactive_for: {for: 90d, product: any}\n  ensure: {status: suspended}\n"
    found = compared(one, edited(one, tmp_path / "other", (idle, other)))
    assert by_sort(found) == {"moved": ["ada", "bob"]}
    assert [[row.action for row in shift.after.changes] for shift in found.shifts] == [["user.disable"]] * 2


def test_a_stage_that_comes_later_keeps_people_where_they_are(tmp_path: Path) -> None:
    one = case("stages")
    slower = compared(one, edited(one, tmp_path / "slower", ("after: 14d", "after: 30d")))
    assert by_sort(slower) == {"dropped": ["cleo"], "untouched": ["gil"]}
    (cleo, _) = slower.shifts
    assert cleo.after.fate == ("pending", "waiting-stage")
    assert {change.causes[0].name for change in cleo.before.changes} == {"dormant/suspend"}
    quicker = compared(one, edited(one, tmp_path / "quicker", ("after: 14d", "after: 7d")))
    assert by_sort(quicker)["added"] == ["bob", "dan"]
    renamed = compared(one, edited(one, tmp_path / "renamed", ("name: suspend", "name: close")))
    assert "cleo" in by_sort(renamed)["moved"]


def test_an_episode_that_ends_with_the_policy_is_told_though_nobody_is_touched(tmp_path: Path) -> None:
    one = case("stages")
    found = compared(one, edited(one, tmp_path, ("name: dormant\n", "name: idle\n")))
    bob = next(shift for shift in found.shifts if shift.account == "712020:bob")
    assert [(row.what, row.policy, row.reason) for row in bob.after.stages] == [("closed", "dormant", "orphaned")]


def test_guards_that_break_or_hold_again_are_told_with_those_that_stay_broken(tmp_path: Path) -> None:
    one = case("usual-clean-up")
    tight = edited(one, tmp_path, ("max: 10, percent: 20}", "max: 1, percent: 20}"))
    found = compared(one, tight)
    assert found.shifts == ()
    assert found.differs
    assert {check.name for check in found.broken} == {"cap:membership.remove", "cap:total"}
    assert found.healed == found.still_broken == ()
    back = compared(one, one.policies, before=tight)
    assert {check.name for check in back.healed} == {"cap:membership.remove", "cap:total"}
    assert back.broken == ()
    still = compared(one, tight, before=tight)
    assert not still.differs
    assert {check.name for check in still.still_broken} == {"cap:membership.remove", "cap:total"}


def test_a_policy_that_names_a_missing_group_is_told_by_its_name_wherever_it_stands(tmp_path: Path) -> None:
    one = case("usual-clean-up")
    rest = "\n---\napiVersion: cleanup-gitops/v1\nkind: Policy"
    lame = edited(one, tmp_path, (f"absent: [confluence-users-acme]{rest}", f"absent: [no-such-group]{rest}"))
    found = compared(one, lame)
    assert [text.partition(" (")[0] for text in found.blocked] == ["dormant-members"]
    assert found.unblocked == ()
    assert compared(one, one.policies, before=lame).unblocked == found.blocked
    assert by_sort(found)["dropped"] == ["ada", "bob"]
    below = with_fields(lame, policies=tuple(with_fields(p, where="policies/x.yaml:99") for p in lame.policies))
    assert not compared(one, below, before=lame).differs


def test_people_who_are_to_be_invited_have_no_account_and_are_compared_all_the_same(tmp_path: Path) -> None:
    one = case("joiners")
    other = edited(one, tmp_path, ("groups: [confluence-users-acme, newcomers]", "groups: [confluence-users-acme]"))
    found = compared(one, other)
    invited = {change.user for change in one.plan().changes if change.action == "user.invite"}
    told = {shift.account: shift for shift in found.shifts if shift.account in invited}
    assert told.keys() == invited
    assert {shift.sort for shift in told.values()} == {"moved"}
    assert {(shift.domain, shift.groups, shift.department) for shift in told.values()} == {(None, None, None)}
    none = with_fields(one.policies, rosters=(), policies=())
    gone = compared(one, none)
    assert {shift.sort for shift in gone.shifts if shift.account in invited} == {"dropped"}


def test_users_are_counted_by_policy_department_domain_and_group() -> None:
    one = case("usual-clean-up")
    facts: dict[str, dict[str, Any]] = {
        "712020:ada": {"attributes": (("department", "Sales"), ("title", "x"))},
        "712020:bob": {"attributes": (("department", "Sales"),), "domain": "globex.example"},
        "712020:dan": {"domain": None},
    }
    users = tuple(replace(user, **facts.get(user.id, {})) for user in one.inventory.users)
    site = replace(one.inventory, users=users)
    found = compared(one, with_fields(one.policies, policies=()), site)
    assert by_sort(found)["dropped"] == ["ada", "bob", "dan"]

    def dropped(parts: tuple[Part, ...]) -> list[tuple[str | None, int]]:
        return [(part.name, part.counts["dropped"]) for part in parts if part.counts["dropped"]]

    assert dropped(found.by_policy) == [("dormant-members", 2), ("never-used", 1)]
    assert dropped(found.by_department) == [("Sales", 2), (None, 1)]
    assert dropped(found.by_domain) == [("acme.com", 1), ("globex.example", 1), (None, 1)]
    assert dropped(found.by_group) == [("confluence-users-acme", 3)]
    assert all(part.total == sum(part.counts.values()) and set(part.counts) == set(SORTS) for part in found.by_group)
    assert compared(one, with_fields(one.policies, policies=())).by_department == ()


# -- laws ---------------------------------------------------------------------------------------


def invented(seed: int) -> tuple[Inventory, SitePolicies, SitePolicies]:
    """An organization and two versions of policies, alike but for a few documents."""
    rng = Random(seed)
    inventory = organization(rng)
    one, two = (site_policies(rng, inventory) for _ in range(2))
    kept = {
        name: getattr(one, name)
        for name in ("policies", "protections", "exemptions", "guardrails")
        if rng.random() < 0.5
    }
    if rng.random() < 0.3:
        caps = dict(one.guardrails.caps, **{"total": Cap(0), "membership.remove": Cap(0)})
        kept["guardrails"] = with_fields(one.guardrails, caps=caps)
    return inventory, one, with_fields(two, **kept)


CASES = st.integers(0, 2**32).map(invented)


def both(inventory: Inventory, before: SitePolicies, after: SitePolicies) -> Comparison:
    return comparison_of(before, after, Live(inventory, NOBODY), holding(inventory, before), AS_OF)


def touched(plan: Plan) -> set[str]:
    return {change.user for change in plan.changes}


@settings(max_examples=300)
@given(CASES)
def test_every_user_counts_once_and_is_touched_as_the_plans_say(
    case: tuple[Inventory, SitePolicies, SitePolicies],
) -> None:
    inventory, before, after = case
    found = both(inventory, before, after)
    old, new = touched(found.before), touched(found.after)
    accounts = {sort: {one.account for one in found.shifts if one.sort == sort} for sort in SORTS}
    assert accounts["added"] == new - old
    assert accounts["dropped"] == old - new
    assert accounts["moved"] <= old & new
    assert found.alike == len(old & new) - len(accounts["moved"])
    assert not accounts["untouched"] & (old | new)
    states = {user.id: (found.before.dispositions[user.id].state, found.after.dispositions[user.id].state)
              for user in inventory.users}  # fmt: skip
    open_ = {account for account, both_states in states.items() if both_states == ("unknown", "unknown")}
    assert found.unknown == len(open_ - set().union(*accounts.values()))
    assert [one.account for one in found.shifts] == sorted(set().union(*accounts.values()))
    assert found.counts == {sort: len(one) for sort, one in accounts.items()}
    memory = holding(inventory, before)
    plan = make_plan(inventory, after, memory, created=AS_OF, as_of=AS_OF, tool_version="")
    assert found.after.digest == plan.digest
    for part in (found.by_domain, found.by_department):
        assert not part or sum(one.total for one in part) == len(found.shifts)


@given(CASES)
def test_the_way_back_is_the_same_the_other_way_round(case: tuple[Inventory, SitePolicies, SitePolicies]) -> None:
    inventory, before, after = case
    memory = holding(inventory, before)
    live = Live(inventory, NOBODY)
    there = comparison_of(before, after, live, memory, AS_OF)
    back = comparison_of(after, before, live, memory, AS_OF)
    turned = {"added": "dropped", "dropped": "added"}
    assert [(one.account, turned.get(one.sort, one.sort)) for one in there.shifts] == [
        (one.account, one.sort) for one in back.shifts
    ]
    assert (there.alike, there.differs) == (back.alike, back.differs)
    assert (there.broken, there.healed) == (back.healed, back.broken)
    assert (there.blocked, there.unblocked) == (back.unblocked, back.blocked)


@given(CASES)
def test_whoever_is_left_out_is_treated_the_same(case: tuple[Inventory, SitePolicies, SitePolicies]) -> None:
    inventory, before, after = case
    found = both(inventory, before, after)
    told = {one.account for one in found.shifts}

    def rows(plan: Plan) -> set[tuple[object, ...]]:
        return {
            (one.action, one.address, tuple(cause.name for cause in one.causes))
            for one in plan.changes
            if one.user not in told
        }

    assert rows(found.before) == rows(found.after)
    for user in inventory.users:
        if user.id not in told and user.id not in touched(found.after):
            was, now = (plan.dispositions[user.id] for plan in (found.before, found.after))
            assert (was.state, was.reason) == (now.state, now.reason)


def test_only_the_instant_does_not_make_a_difference() -> None:
    one = case("usual-clean-up")
    plan = one.plan()
    later = replace(plan, created=plan.created + timedelta(hours=1))
    assert not compare(plan, later, one.inventory).differs
