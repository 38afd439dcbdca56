"""What counts against a cap: rows of the plan, rows that wait, what ran within a day; and whose domain it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cleanup_gitops.model.memory import BLANK, Applied, Hold, Memory, Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from tests.planner.guarded import DORMANT, broken, check_of, override, people, plan_for, site
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy

CAP = "cap:membership.remove"
SECOND = timedelta(seconds=1)


def ran(number: int, ago: timedelta = timedelta(hours=1), run: str = "r", **facts: Any) -> Applied:  # noqa: ANN401
    """A run that ended so many memberships."""
    return Applied(run=run, at=TODAY - ago, actions={"membership.remove": number}, **facts)


def capped(cap: Cap, action: str = "membership.remove") -> Guardrails:
    return replace(WIDE, caps={**WIDE.caps, action: cap})


def planned(idle: int, memory: Memory = BLANK, cap: Cap = Cap(10), busy: int = 50) -> Plan:  # noqa: B008 - frozen
    """So many rows where 10 are allowed."""
    return plan_for(site(*people(idle, busy)), guardrails=capped(cap), memory=memory)


# -- what ran before -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "recent"), [(timedelta(hours=24) - SECOND, 8), (timedelta(hours=24), 0), (timedelta(hours=24) + SECOND, 0)]
)
def test_what_ran_counts_for_a_day_and_no_longer(ago: timedelta, recent: int) -> None:
    plan = planned(3, Memory(applied=(ran(8, ago),)))
    check = check_of(plan, CAP)
    assert (check.found, check.passed) == (3 + recent, not recent)
    assert check.message.startswith(f"3 planned and {recent} applied in the last 24 hours, 10 allowed (max 10; ")
    assert ("lifts it" in check.message, bool(check.override)) == (False, not check.passed)


def test_a_plan_without_rows_keeps_its_caps_whatever_ran_before() -> None:
    plan = planned(0, Memory(applied=(ran(400),)))
    assert plan.applyable
    for check in plan.checks:
        if check.name.startswith("cap:"):
            assert (check.found, check.lifted) == (0, ())


def sent(plan: Plan, run: str = "r", deadline: datetime | None = None, *, member: bool = False) -> tuple[Settling, ...]:
    """What a run awaits of these rows."""
    return tuple(
        Settling(run=run, address=row.address, user=row.user, at=TODAY, after={"member": member}, deadline=deadline)
        for row in plan.changes
    )


@pytest.mark.parametrize(
    ("deadline", "once"), [(None, True), (TODAY + SECOND, True), (TODAY, True), (TODAY - SECOND, False)]
)
def test_what_may_have_been_sent_and_is_planned_again_counts_once_until_it_is_known_to_have_failed(
    deadline: datetime | None, once: bool
) -> None:
    again = Memory(applied=(ran(9),), settling=sent(planned(6), deadline=deadline))
    plan = planned(6, again)
    assert len(plan.changes) == 6
    assert check_of(plan, CAP).found == (9 if once else 15)
    assert broken(plan) == ([] if once else [CAP])


def test_only_what_the_runs_of_the_last_day_sent_can_be_the_same_change() -> None:
    of_old = Memory(applied=(ran(6, timedelta(days=2), "old"), ran(6)), settling=sent(planned(6), "old"))
    assert check_of(planned(6, of_old), CAP).found == 12
    opposite = Memory(applied=(ran(6),), settling=sent(planned(6), member=True))
    assert check_of(planned(6, opposite), CAP).found == 12


def test_rows_that_wait_count_with_the_plan_and_not_on_top_of_what_ran() -> None:
    users = [f"idle-{number:03}" for number in range(4)]
    holds = tuple(
        Hold(user=one, policy="dormant", until=TODAY.date() + timedelta(days=9), why="restored") for one in users
    )
    assert check_of(planned(6, Memory(holds=holds)), CAP).found == 6
    some = planned(6, Memory(holds=holds, applied=(ran(9),)))
    assert len(some.changes) == 2
    assert check_of(some, CAP).found == 2 + 9
    assert check_of(some, CAP).message.startswith("2 planned, 4 pending and 9 applied in the last 24 hours, 10 allowed")
    assert check_of(planned(4, Memory(holds=holds, applied=(ran(9),))), CAP).found == 4


@pytest.mark.case("F7")
@pytest.mark.parametrize(
    ("number", "whose", "passed"), [(29, None, False), (30, None, True), (19, "dormant", False), (20, "dormant", True)]
)
def test_an_override_counts_what_ran_before_too_and_the_narrowest_is_proposed(
    number: int, whose: str | None, passed: bool
) -> None:
    """Of the 20 that ran 10 are within the limit, and 10 are as many as the policy's Override has room for."""
    memory = Memory(applied=(ran(20),))
    given = (override("membership.remove", number, policy=whose),)
    plan = plan_for(site(*people(10, 50)), guardrails=capped(Cap(10)), memory=memory, overrides=given)
    check = check_of(plan, CAP)
    assert (check.passed, check.found, check.lifted) == (passed, 30, ("exception",) if passed else ())
    alone = check_of(planned(10, memory), CAP).override
    assert "  policy: dormant\n  max: 20 # found: 10 planned and 20 applied in the last 24 hours\n" in alone


# -- never, and those who leave --------------------------------------------------------------------------


@pytest.mark.parametrize("cap", [Cap(0), Cap(50, 0), Cap(0, 50)])
def test_a_cap_of_zero_stops_the_first_row_and_a_termination_too(cap: Cap) -> None:
    disabled, life = policy(IDLE, ensure=Ensure(status="suspended")), {"lifecycle": {"enablement": "", "deletion": ""}}
    users = site(*people(1, 60, **life))
    for asks in (disabled, replace(disabled, termination=True)):
        plan = plan_for(users, asks, guardrails=capped(cap, "user.disable"))
        assert [row.action for row in plan.changes] == ["user.disable"]
        check = check_of(plan, "cap:user.disable")
        assert (check.passed, check.found, check.allowed, check.override) == (False, 1, 0, "")
        assert broken(plan) == ["cap:user.disable"]
    assert plan_for(users, policy(IDLE), guardrails=capped(cap, "user.disable")).applyable


def test_a_day_on_which_many_people_leave_takes_no_room_from_routine_changes() -> None:
    leaves = replace(DORMANT, termination=True)
    plan = plan_for(site(*people(8, 60)), leaves, guardrails=capped(Cap(5)))
    assert plan.applyable
    assert {one.name: one.planned for one in plan.limits if one.planned} == {"termination": 8, "total": 8}
    before = Memory(applied=(ran(8, terminations={"membership.remove": 8}),))
    after = planned(5, before, Cap(5))
    assert after.applyable
    counts = {one.name: one.recent for one in after.limits if one.recent}
    assert counts == {"termination": 8, "total": 8}


# -- domains -------------------------------------------------------------------------------------------


def firm(idle: int, busy: int, name: str = "firm", **facts: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """People of a domain of that name."""
    return [{**one, "id": f"{name}-{one['id']}", "domain": f"{name}.example"} for one in people(idle, busy, **facts)]


def shared(users: Sequence[dict[str, Any]], percent: int = 50, *overrides: int) -> Plan:
    given = tuple(override("per_domain", number) for number in overrides)
    return plan_for(site(*users, *people(0, 40)), guardrails=replace(WIDE, per_domain=percent), overrides=given)


def test_whoever_is_out_already_makes_no_room_for_more_of_the_domain() -> None:
    out = [
        {**one, "id": f"out-{number}", "status": "suspended"}
        for number, one in enumerate(firm(0, 30, groups=["g-users"]))
    ]
    check = check_of(shared([*firm(4, 2), *out]), "cap:per_domain")
    assert (check.passed, check.found, check.allowed) == (False, 4, 3)
    assert check.message.startswith("takes something from 4 of 6 accounts of one e-mail domain, 3 allowed")


@pytest.mark.parametrize(("idle", "passed"), [(9, True), (10, False)])
def test_a_share_of_a_domain_is_rounded_down(idle: int, passed: bool) -> None:
    check = check_of(shared(firm(idle, 11 - idle), 90), "cap:per_domain")
    assert (check.passed, check.found, check.allowed) == (passed, idle, 9)


@pytest.mark.parametrize(
    ("broken_", "told"),
    [(1, ""), (2, "; so is one more domain"), (3, "; 2 more domains are over the cap")],
)
def test_the_domains_that_are_over_the_cap_are_counted(broken_: int, told: str) -> None:
    users = [one for name in ("a", "b", "c")[:broken_] for one in firm(5, 0, name)]
    check = check_of(shared([*users, *firm(2, 2, "small")]), "cap:per_domain")
    assert not check.passed
    assert check.message == (
        "takes something from 5 of 5 accounts of one e-mail domain, 3 allowed (50 % of the accounts of one e-mail"
        f" domain, 3 at least; default){told}"
    )


@pytest.mark.case("F7")
@pytest.mark.parametrize(("number", "passed"), [(3, False), (4, True), (5, True)])
def test_an_override_of_the_domains_holds_from_the_very_number_that_is_found(number: int, passed: bool) -> None:
    check = check_of(shared([*firm(4, 0), *firm(1, 5, "other")], 50, number), "cap:per_domain")
    assert (check.passed, check.lifted) == (passed, ("exception",) if passed else ())
    assert bool(check.override) is not passed
    assert ("which is not enough" in check.message) is not passed
