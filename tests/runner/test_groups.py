"""Declared groups over several runs: adoption, renaming, a group made anew, and what others undo."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.memory import Adopted
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.runner.desk import BrokenGuardsError
from tests.runner.office import ROOMY, SEATS, Office, open_office
from tests.runner.test_rollback import rollback

ONE, TWO, THREE = "712020:0001", "712020:0002", "712020:0003"
CREW = "g-others"


def entry(*accounts: str, name: str = "others", exactly: bool = True, previously: tuple[str, ...] = ()) -> GroupEntry:
    return GroupEntry(name=name, accounts=accounts, exactly=exactly, previously=previously, where="policies/g.yaml:5")


def declaring(*entries: GroupEntry) -> SitePolicies:
    document = Groups(name="declared", owner="iam@acme.com", entries=entries, where="policies/g.yaml:1")
    return SitePolicies(site="acme", groups=(document,), guardrails=ROOMY)


def office_of(*entries: GroupEntry, members: tuple[str, ...] = ()) -> Office:
    office = open_office(1, 2, 3)
    for one in members:
        office.site.happens(one, groups=(SEATS, CREW))
    office.policies = declaring(*entries)
    return office


def does(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.user) for one in plan.changes]


def adopted(office: Office) -> list[tuple[str, str]]:
    return [(one.group, one.why) for one in memory_of(office.store.read()).adopted]


def in_crew(office: Office) -> list[str]:
    users = office.site.read().inventory.users
    return [user.id for user in users if CREW in (user.groups or ())]


@pytest.mark.case("F3")
def test_a_new_group_only_grows_until_somebody_adopts_it() -> None:
    office = office_of(entry(ONE), members=(TWO, THREE))
    assert does(office.apply().plan) == [("membership.add", ONE)]
    office.later(1)
    quiet = office.apply()
    assert does(quiet.plan) == []
    assert in_crew(office) == [ONE, TWO, THREE]
    assert adopted(office) == []
    saved = read_plan(plan_bytes(office.plan(adopt=frozenset({"others"}))))
    assert does(saved) == [("membership.remove", TWO), ("membership.remove", THREE)]
    assert adopted(office) == []
    run = office.apply(saved)
    assert [one.result for one in run.outcomes] == ["applied", "applied"]
    assert in_crew(office) == [ONE]
    assert adopted(office) == [(CREW, "asked")]
    (line,) = memory_of(office.store.read()).adopted
    assert line == Adopted(group=CREW, name="others", run=run.id, at=line.at, why="asked")


@pytest.mark.case("F3")
def test_a_run_that_finds_nobody_to_take_out_adopts_the_group() -> None:
    office = office_of(entry(ONE))
    run = office.apply()
    assert does(run.plan) == [("membership.add", ONE)]
    assert adopted(office) == [(CREW, "clean")]
    office.site.happens(TWO, groups=(SEATS, CREW))
    office.later(1)
    assert does(office.apply().plan) == [("membership.remove", TWO)]
    assert in_crew(office) == [ONE]


@pytest.mark.case("F3")
def test_a_plan_alone_adopts_nothing_and_a_run_with_the_wish_does() -> None:
    office = office_of(entry(ONE), members=(TWO,))
    office.plan(adopt=frozenset({"others"}))
    assert adopted(office) == []
    run = office.apply(adopt=frozenset({"others"}))
    assert does(run.plan) == [("membership.remove", TWO), ("membership.add", ONE)]
    assert adopted(office) == [(CREW, "asked")]
    assert in_crew(office) == [ONE]


@pytest.mark.case("F3", "F6")
def test_who_falls_out_of_an_adopted_group_counts_against_the_caps() -> None:
    office = office_of(entry(ONE, TWO, THREE), members=(ONE, TWO, THREE))
    office.apply()
    office.under(groups=declaring(entry(ONE)).groups)
    caps = {**ROOMY.caps, "membership.remove": Cap(1)}
    office.under(guardrails=replace(ROOMY, caps=caps))
    with pytest.raises(BrokenGuardsError):
        office.apply()
    assert in_crew(office) == [ONE, TWO, THREE]


@pytest.mark.case("F3")
def test_a_group_that_is_not_declared_as_a_whole_for_a_while_is_adopted_anew() -> None:
    office = office_of(entry(ONE), members=(ONE,))
    office.apply()
    assert adopted(office) == [(CREW, "clean")]
    office.under(groups=declaring(entry(ONE, exactly=False)).groups)
    office.later(1)
    office.apply(sparing=True)
    assert adopted(office) == []
    office.site.happens(TWO, groups=(SEATS, CREW))
    office.under(groups=declaring(entry(ONE)).groups)
    office.later(1)
    assert does(office.apply().plan) == []
    assert adopted(office) == []


@pytest.mark.case("F8", "F15")
def test_a_saved_plan_adopts_the_group_that_it_shows_and_none_of_the_same_name() -> None:
    office = office_of(entry(ONE), members=(TWO,))
    saved = read_plan(plan_bytes(office.plan(adopt=frozenset({"others"}))))
    office.site.group_becomes(CREW, name="attic")
    anew = Group(id="g-anew", name="others", directory="default", modifiable=True, admin=False, grants=())
    office.site.group_begins(anew)
    office.site.happens(THREE, groups=(SEATS, "g-anew"))
    assert {one.result for one in office.apply(saved).outcomes} == {"superseded"}
    assert adopted(office) == []
    plan = office.plan()
    assert does(plan) == [("membership.add", ONE)]
    assert [(one.change.user, one.reason) for one in plan.pending] == [(THREE, "adopt")]


@pytest.mark.case("F15")
def test_a_renamed_group_stays_adopted_and_one_made_anew_does_not() -> None:
    office = office_of(entry(ONE), members=(ONE,))
    office.apply()
    office.under(groups=declaring(entry(ONE, name="crew", previously=("others",))).groups)
    office.later(1)
    assert does(office.apply().plan) == []
    assert adopted(office) == [(CREW, "clean")]
    office.site.group_becomes(CREW, name="Crew")
    office.site.happens(TWO, groups=(SEATS, CREW))
    office.under(groups=declaring(entry(ONE, name="crew")).groups)
    office.later(1)
    assert does(office.apply().plan) == [("membership.remove", TWO)]
    assert adopted(office) == [(CREW, "clean")]
    office.site.group_becomes(CREW, name="attic")
    office.site.group_begins(
        Group(id="g-anew", name="crew", directory="default", modifiable=True, admin=False, grants=())
    )
    office.site.happens(ONE, groups=(SEATS,))
    office.site.happens(THREE, groups=(SEATS, "g-anew"))
    office.later(1)
    plan = office.plan()
    assert does(plan) == [("membership.add", ONE)]
    assert [(one.change.user, one.reason) for one in plan.pending] == [(THREE, "adopt")]


def test_what_somebody_undid_by_hand_is_left_alone_for_the_grace_period() -> None:
    office = office_of(entry(ONE, exactly=False))
    office.apply()
    office.site.happens(ONE, groups=(SEATS,))
    office.later(1)
    run = office.apply()
    assert does(run.plan) == []
    assert [(one.change.action, one.reason) for one in run.plan.pending] == [("membership.add", "hold")]
    office.later(15)
    assert does(office.apply().plan) == [("membership.add", ONE)]


def test_a_rollback_takes_people_out_again_and_the_document_waits() -> None:
    office = office_of(entry(ONE), members=(ONE, TWO))
    run = office.apply(adopt=frozenset({"others"}))
    assert in_crew(office) == [ONE]
    office.later(1)
    office.apply(rollback(office, run.id))
    assert in_crew(office) == [ONE, TWO]
    assert adopted(office) == [(CREW, "asked")]
    office.later(1)
    plan = office.plan()
    assert does(plan) == []
    assert [(one.change.user, one.reason) for one in plan.pending] == [(TWO, "hold")]


def test_a_quiet_run_is_recorded_when_it_adopts_something() -> None:
    office = office_of(entry(ONE, exactly=False), members=(ONE,))
    office.apply()
    office.later(0.1)
    assert office.apply(sparing=True).quiet
    office.under(groups=declaring(entry(ONE)).groups)
    assert not office.apply(sparing=True).quiet
    assert adopted(office) == [(CREW, "clean")]
