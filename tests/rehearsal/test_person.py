"""One user explained: the same as the plan says, with every policy and what keeps it from acting."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Memory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import Evaluation, evaluation_now, make_plan
from cleanup_gitops.planner.courses import is_met
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.match import compile_match
from cleanup_gitops.rehearsal.person import Explained, ExplainedPolicy, explain_user
from tests import golden
from tests.case_files import Case, folders, read_case
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies

FOLDERS = [pytest.param(one, id=one.name) for one in folders()]


def evaluation_of(
    plan: Plan,
    inventory: Inventory,
    policies: SitePolicies,
    memory: Memory = BLANK,
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
) -> Evaluation:
    return evaluation_now(
        inventory, policies, memory, created=plan.created, as_of=plan.as_of, people=people, lists=lists
    )


def explained(case: Case) -> dict[str, Explained]:
    """Everybody of a case."""
    plan = case.plan()
    evaluation = evaluation_of(plan, case.inventory, case.policies, case.memory, case.people, case.lists)
    return {one.id: explain_user(one, plan, case.policies, case.memory, evaluation) for one in case.inventory.users}


def of_case(name: str, account: str) -> Explained:
    return explained(read_case(golden.CASES / name))[f"712020:{account}"]


def policy(found: Explained, name: str) -> ExplainedPolicy:
    return next(one for one in found.policies if one.name == name)


def codes(found: Explained, name: str) -> list[str]:
    return [one.code for one in policy(found, name).hindrances]


@pytest.mark.parametrize("folder", FOLDERS)
def test_whatever_is_explained_is_what_the_plan_does(folder: Path) -> None:
    case = read_case(folder)
    plan = case.plan()
    for account, found in explained(case).items():
        assert found.disposition == plan.dispositions[account]
        assert found.changes == tuple(one for one in plan.changes if one.user == account)
        assert found.handoffs == tuple(one for one in plan.handoffs if one.user == account)
        assert found.pending == tuple(one for one in plan.pending if one.change.user == account)
        acting = {one.name for one in found.policies if one.acts}
        assert acting == {cause.policy for row in (*found.changes, *found.handoffs) for cause in row.causes}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_policy_is_shown_with_the_verdict_that_the_planner_acts_on(folder: Path) -> None:
    case = read_case(folder)
    plan = case.plan()
    evaluation = evaluation_of(plan, case.inventory, case.policies, case.memory, case.people, case.lists)
    courses = {one.policy.name: one for one in evaluation.courses}
    asked = case.policies.asking
    verdicts = [compile_match(one.match, evaluation.scope).verdict for one in asked]
    for account, found in explained(case).items():
        user = case.inventory.user_by_id[account]
        shown = found.policies[: len(asked)]
        assert [one.name for one in shown] == [one.name for one in asked]
        for one, verdict in zip(shown, verdicts, strict=True):
            before = courses[one.name].before(user) if one.name in courses else user
            assert one.verdict is one.conditions.verdict is verdict(before)


@given(st.integers(0, 2**32))
def test_a_policy_that_means_somebody_acts_is_hindered_or_has_nothing_left_to_ask(seed: int) -> None:
    rng = Random(seed)
    inventory = organization(rng)
    policies = site_policies(rng, inventory)
    as_of = inventory.as_of
    plan = make_plan(inventory, policies, BLANK, created=as_of, as_of=as_of, tool_version="")
    evaluation = evaluation_of(plan, inventory, policies)
    rules = {rule.name: rule for rule in evaluation.rules}
    for user in inventory.users:
        found = explain_user(user, plan, policies, BLANK, evaluation)
        assert found.disposition == plan.dispositions[user.id]
        for one in found.policies:
            if one.verdict and not one.acts and not one.hindrances:
                assert is_met(rules[one.name], user, inventory), (user.id, one.name)
            if one.hindrances and one.acts:
                assert plan.dispositions[user.id].state == "handed_off"  # a leaver nobody here may touch


def test_who_wins_is_said_where_several_policies_mean_somebody() -> None:
    found = of_case("mildest-wins", "ada")
    beaten = policy(found, "idle-everywhere").hindrances
    assert [(one.code, one.policies) for one in beaten] == [("beaten-by-milder", ("dormant",))]
    assert not codes(found, "dormant")


def test_policies_that_disagree_name_each_other() -> None:
    found = of_case("policies-disagree", "ada")
    (one,) = policy(found, "team-edits").hindrances
    assert (one.code, one.policies, one.note) == (
        "conflict",
        ("idle-do-not-edit",),
        "policies-disagree: group editors",
    )


def test_an_exemption_hinders_every_policy_until_its_day_and_is_named_with_its_document() -> None:
    found = of_case("stages", "hal")
    (shelter,) = found.shelters
    assert (shelter.code, shelter.document, str(shelter.until), shelter.running) == (
        "absence",
        "leave",
        "2027-03-01",
        True,
    )
    assert codes(found, "dormant") == codes(found, "long-gone") == ["exemption"]


def test_an_exemption_that_is_over_is_told_and_hinders_nothing() -> None:
    case = read_case(golden.CASES / "exemptions")
    over = [one for one in case.policies.exemptions if one.until < case.inventory.as_of.date()]
    assert over
    for one in over:
        if one.account in case.inventory.user_by_id:
            found = explained(case)[one.account]
            assert [shelter.running for shelter in found.shelters if shelter.until == one.until] == [False]
            assert not [code for other in found.policies for code in other.hindrances if code.code == "exemption"]


def test_what_a_hold_and_an_undo_by_others_do_to_an_episode_is_told() -> None:
    found = of_case("stages", "finn")
    assert codes(found, "dormant") == ["hold"]
    assert [name for name, _ in found.holds] == ["dormant"]
    episode = policy(found, "dormant").episode
    assert episode is not None
    assert [(row.what, row.reason) for row in episode.today] == [("closed", "restored")]
    assert [one.earliest for one in episode.stages] == [None, None]


@pytest.mark.parametrize(
    ("account", "done", "earliest"),
    [
        ("ada", None, ["2026-11-22", "2026-12-06"]),
        ("bob", "2026-11-15", ["None", "2026-11-29"]),
        ("cleo", "2026-11-08", ["None", "2026-11-22"]),
    ],
)
def test_the_next_stage_has_the_day_from_which_on_it_may_be_entered(
    account: str, done: str | None, earliest: list[str]
) -> None:
    episode = policy(of_case("stages", account), "dormant").episode
    assert episode is not None
    assert [str(one.earliest) for one in episode.stages] == earliest
    assert episode.stages[0].done is None if done is None else str(episode.stages[0].done) == done


def test_what_the_stages_of_a_policy_did_is_taken_back_before_its_conditions_are_asked() -> None:
    found = of_case("stages", "cleo")
    assert found.seat.billed is False
    one = policy(found, "dormant")
    assert one.taken_back
    assert one.verdict


def test_a_seat_held_twice_is_free_only_when_both_ways_end() -> None:
    found = of_case("seat-held-twice", "ada")
    ways = found.seat.ways
    assert ways is not None
    assert [(one.groups, one.hands) for one in ways] == [
        (("confluence-users-acme",), "here"),
        (("engineering",), "here"),
    ]
    assert found.seat.closing == ("here", "")


def test_a_group_of_an_identity_provider_is_changed_by_others() -> None:
    elsewhere = [
        (way.hands, way.reason)
        for found in explained(read_case(golden.CASES / "synced")).values()
        for way in found.seat.ways or ()
        if way.hands != "here"
    ]
    assert elsewhere
    assert set(elsewhere) == {("elsewhere", "group-managed-elsewhere")}
