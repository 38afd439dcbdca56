"""People who left and whom something spares: who has to act is told, and what can be done here is not lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Hold, Memory
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Handoff, Plan
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.planner import make_plan, questions
from cleanup_gitops.planner.handoffs import overdue_handoffs
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.roster import Leavers, Roster
from cleanup_gitops.policy.roster_rows import roster_rows
from cleanup_gitops.policy.tree import HasLeft, HasSeat, InGroup, Match, Node
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import GROUPS, fate, site
from tests.runner.test_joiners import SOURCE

SLA = timedelta(hours=24)
OVER = datetime(2026, 11, 21, tzinfo=UTC)
"""The end of the last day of those who left on the 20th."""
ADA, BO = "712020:0001", "712020:0002"
PEOPLE = People({ADA: Person("Ada", "ada@acme.com"), BO: Person("Bo", "bo@acme.com")})
OUT = Ensure(no_access=True)


def leaves(*nodes: Node, name: str = "left", ensure: Ensure = OUT, **more: Any) -> Policy:  # noqa: ANN401
    match = Match(all=nodes or (InGroup(("users",)),))
    return Policy(name=name, owner="hr", why="w", match=match, ensure=ensure, termination=True, kinds=match.kinds,
                  **more)  # fmt: skip


BY_ROSTER = leaves(HasLeft("hr", SLA), name="hr")


def policies(*asked: Policy, **more: Any) -> SitePolicies:  # noqa: ANN401 - fields of SitePolicies
    roster = Roster(name="hr", owner="hr", source=SOURCE, leavers=Leavers(OUT, SLA), policy=BY_ROSTER)
    rosters = (roster,) if BY_ROSTER in asked else ()
    return SitePolicies(site="acme", policies=asked, rosters=rosters, guardrails=WIDE, **more)


def plan_of(inventory: Inventory, *asked: Policy, rows: str = "", memory: Memory = BLANK, **more: Any) -> Plan:  # noqa: ANN401
    at = inventory.as_of
    read = {"hr": roster_rows(SOURCE, f"id,mail,from,to\n{rows}\n".encode())} if BY_ROSTER in asked else {}
    return make_plan(inventory, policies(*asked, **more), memory, created=at, as_of=at, tool_version="0",
                     people=PEOPLE, lists=Lists({}, read))  # fmt: skip


# -- accounts of others, robots, and who is not known ---------------------------------------------------


@pytest.mark.case("E46")
@pytest.mark.parametrize(
    ("row", "also", "expected"),
    [
        (",ada@acme.com,,2026-11-20", (), ("handed_off", "account-unmanaged")),
        (f"{ADA},ada@acme.com,,2026-11-20", (), ("changed", "changed")),
        (",ada@acme.com,,2026-11-20", (leaves(),), ("changed", "changed")),
    ],
    ids=["an address alone", "an id", "another policy too"],
)
def test_an_account_of_others_is_closed_out_here_unless_nothing_but_an_address_says_that_it_is_meant(
    row: str, also: tuple[Policy, ...], expected: tuple[str, str]
) -> None:
    plan = plan_of(site({"id": ADA, "managed": False}), BY_ROSTER, *also, rows=row)
    assert fate(plan, ADA) == expected
    assert bool(plan.changes) == (expected[0] == "changed")


@pytest.mark.case("E23")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("service", ("protected", "account-type-service")),
        ("unknown", ("handed_off", "leaver-protected")),
        ("person", ("changed", "changed")),
    ],
)
def test_a_termination_says_nothing_of_programs_and_is_not_silent_of_what_may_be_a_person(
    kind: str, expected: tuple[str, str]
) -> None:
    assert fate(plan_of(site({"id": ADA, "kind": kind}), leaves()), ADA) == expected


@pytest.mark.parametrize(
    ("admin", "kind", "reason"),
    [(True, "person", "leaver-administrator"), (False, "service", "leaver-protected")],
)
def test_whoever_hands_a_leaver_on_says_whether_an_administrator_or_a_program_is_spared(
    admin: bool, kind: str, reason: str
) -> None:
    groups = [*GROUPS, {"id": "g-far", "name": "far", "license": "seat", "modifiable": False}]
    spared = {"id": ADA, "admin": admin, "kind": kind, "groups": ["g-users", "g-far"]}
    plan = plan_of(site(spared, groups=groups), BY_ROSTER, rows=f"{ADA},,,2026-11-20")
    assert (fate(plan, ADA), plan.changes) == (("handed_off", reason), ())
    told = {(one.action, one.label, one.reason) for one in plan.handoffs}
    assert told == {("membership.remove", "users", reason), ("membership.remove", "far", "group-managed-elsewhere")}


@pytest.mark.parametrize(("why", "acts"), [("restored", True), ("rollback", False)])
def test_only_a_rollback_holds_the_end_of_an_access(why: Literal["restored", "rollback"], acts: bool) -> None:
    hold = Hold(user=ADA, policy="left", until=date(2026, 12, 1), why=why, run="r")
    plan = plan_of(site({"id": ADA}), leaves(), memory=msgspec.structs.replace(BLANK, holds=(hold,)))
    assert fate(plan, ADA) == (("changed", "changed") if acts else ("pending", "hold"))
    assert bool(plan.changes) is acts
    routine = replace(leaves(), termination=False)
    kept = plan_of(site({"id": ADA}), routine, memory=msgspec.structs.replace(BLANK, holds=(hold,)))
    assert fate(kept, ADA) == ("pending", "hold")


def test_the_end_of_an_access_is_done_by_nobody_by_halves_and_a_routine_change_is() -> None:
    groups = [*GROUPS, {"id": "g-far", "name": "far", "license": "seat", "modifiable": False}]
    inventory = site({"id": ADA, "groups": ["g-users", "g-far"]}, groups=groups)
    whole = plan_of(inventory, leaves())
    assert (whole.changes, fate(whole, ADA)[0]) == ((), "handed_off")
    assert sorted((one.label, one.reason) for one in whole.handoffs) == [
        ("far", "group-managed-elsewhere"),
        ("users", "leaver-elsewhere"),
    ]
    halves = plan_of(inventory, replace(leaves(), termination=False))
    assert [one.action for one in halves.changes] == ["membership.remove"]
    assert [(one.label, one.reason) for one in halves.handoffs] == [("far", "group-managed-elsewhere")]
    here = plan_of(site({"id": ADA, "groups": ["g-users"]}), leaves())
    assert ([one.action for one in here.changes], here.handoffs) == (["membership.remove"], ())


# -- what has to be asked -------------------------------------------------------------------------------

REVOKED = Ensure(no_access=True, no_tokens=True)


def asked_of(*of: Policy, **more: Any) -> set[str]:  # noqa: ANN401 - fields of SitePolicies
    inventory = site({"id": ADA, "tokens": None})
    return set(questions(inventory, policies(*of, **more), inventory.as_of).get(ADA, ()))


def test_of_a_leaver_whom_something_spares_it_is_asked_all_the_same_what_others_have_to_end() -> None:
    spared = Protection(name="glass", owner="o", accounts=(ADA,))
    exempt = Exemption(account=ADA, reason="absence", owner="o", until=date(2027, 1, 1), ticket="T", document="d")
    left = leaves(ensure=REVOKED)
    assert "tokens" in asked_of(left, protections=(spared,))
    assert "tokens" in asked_of(left, exemptions=(exempt,))
    assert not asked_of(leaves(HasSeat(wanted=False), ensure=REVOKED), protections=(spared,))


def test_of_a_leaver_whom_nothing_spares_nothing_is_asked_for_a_policy_that_is_beaten() -> None:
    mild, harsh = leaves(priority=1), leaves(name="more", ensure=Ensure(status="suspended", no_tokens=True))
    assert "tokens" not in asked_of(mild, harsh)
    assert "tokens" in asked_of(harsh)


# -- deadlines ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "overdue"), [(0, ()), (1, (2,))])
def test_a_row_that_means_nobody_is_overdue_once_its_time_is_over(seconds: int, overdue: tuple[int, ...]) -> None:
    inventory = site({"id": BO}, at=OVER + SLA + timedelta(seconds=seconds))
    (found,) = plan_of(inventory, BY_ROSTER, rows="712020:9,,,2026-11-20").unmatched
    assert (found.lines, found.overdue) == ((2,), overdue)


def test_rows_that_mean_nobody_are_told_beside_other_policies_and_rosters_that_were_not_read() -> None:
    unread = leaves(HasLeft("gone", SLA), name="gone")
    (found,) = plan_of(site({"id": BO}), leaves(name="a"), unread, BY_ROSTER, rows="712020:9,,,2026-11-20").unmatched
    assert (found.policy, found.source, found.lines) == ("hr", "HR", (2,))


@pytest.mark.parametrize(
    ("facts", "lines"),
    [({}, ()), ({"managed": None}, (2,)), ({"added": "2026-11-21"}, (2,))],
    ids=["certain", "perhaps unmanaged", "added later"],
)
def test_a_row_whose_address_is_perhaps_somebody_elses_is_listed_as_nobodys(
    facts: dict[str, Any], lines: tuple[int, ...]
) -> None:
    plan = plan_of(site({"id": ADA, **facts}, {"id": BO}), BY_ROSTER, rows=",ada@acme.com,,2026-11-20")
    assert [one.lines for one in plan.unmatched] == [lines] * bool(lines)
    assert fate(plan, BO)[0] == "unchanged"


@pytest.mark.parametrize(
    ("facts", "state", "due"),
    [
        ({}, "changed", True),
        ({"admin": True}, "handed_off", True),
        ({"status": "unknown"}, "unknown", True),
        ({"groups": [], "seats": []}, "unchanged", False),
    ],
)
def test_of_whoever_left_and_still_has_access_the_plan_says_until_when(
    facts: dict[str, Any], state: str, due: bool
) -> None:
    plan = plan_of(site({"id": ADA, **facts}, {"id": BO}), BY_ROSTER, leaves(), rows=f"{ADA},,,2026-11-20")
    assert (plan.dispositions[ADA].state, plan.dispositions[ADA].due) == (state, OVER + SLA if due else None)
    assert plan.dispositions[BO].due is None


@pytest.mark.case("E25")
@pytest.mark.parametrize(
    ("row", "warned"),
    [
        ("712020:9,x@acme.com,,", True),
        (",x@acme.com,,", True),
        (f"{ADA},x@acme.com,,", False),
        (",ADA@acme.com,,", False),
        ("712020:9,ada@acme.com,,", False),
    ],
)
def test_a_roster_in_which_no_account_stands_by_id_or_by_address_is_warned_of(row: str, warned: bool) -> None:
    told = plan_of(site({"id": ADA}), BY_ROSTER, rows=row).warnings
    assert told == (
        "No account of acme is in HR (1 row), the roster hr: is it the right file, and are `columns` right?",
    ) * warned  # fmt: skip


NOW = datetime(2026, 12, 1, tzinfo=UTC)


def handoff(*dues: datetime | None, termination: bool = False) -> Handoff:
    causes = tuple(Cause(policy="p", where="p:1", why="w", due=due, termination=termination) for due in dues)
    action: Action = "membership.remove"
    return Handoff(address="membership/g/a", user="a", action=action, reason="r", causes=causes)


def test_what_stages_handed_off_is_overdue_after_its_time_and_leavers_are_told_of_apart() -> None:
    second, day = timedelta(seconds=1), timedelta(days=1)
    late, later = NOW - second, NOW - 9 * day
    assert overdue_handoffs([handoff(), handoff(None), handoff(NOW), handoff(NOW + day)], NOW) == ()
    assert overdue_handoffs([handoff(late, termination=True)], NOW) == ()
    (one,) = overdue_handoffs([handoff(NOW + day, late), handoff(NOW)], NOW)
    assert one.startswith("1 change that a stage handed off is overdue, the longest since 2026-11-30: ")
    (two,) = overdue_handoffs([handoff(late), handoff(later), handoff(later, termination=True)], NOW)
    assert two.startswith("2 changes that stages handed off are overdue, the longest since 2026-11-22: ")
