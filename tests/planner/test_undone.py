"""What others undid of our changes and what nobody undid, and which of several holds on one user counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import REMEMBERED, Flap, Hold, Noticed
from cleanup_gitops.model.user import RoleSeat
from cleanup_gitops.planner.holds import holds_of, noticed
from cleanup_gitops.policy.documents import Ensure
from tests.planner.test_holds import FLAPPED, HELD, RUN, done, holding, planned
from tests.runner.office import DORMANT, POLICIES, ROOMY, SEATS, office_site, replace_struct
from tests.strategies import AS_OF

WHO = "712020:0001"
TODAY = AS_OF.date()


def site_with(**facts: Any) -> Inventory:  # noqa: ANN401 - any field of a user
    site = office_site(100)
    users = tuple(replace_struct(user, **facts) if user.id == WHO else user for user in site.users)
    return replace_struct(site, users=users)  # type: ignore[arg-type, return-value]


# -- what was undone ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "address", "facts", "undone"),
    [
        ({"member": False}, f"membership/{SEATS}/{WHO}", {}, True),
        ({"member": False}, f"membership/{SEATS}/{WHO}", {"groups": ("g-others",)}, False),
        ({"member": True}, f"membership/g-others/{WHO}", {}, True),
        ({"member": True}, f"membership/g-others/{WHO}", {"groups": None}, False),
        ({"member": True}, f"membership/g-others/{WHO}", {"status": "deleting", "groups": ()}, False),
        ({"member": True}, f"membership/g-others/{WHO}", {"status": "absent", "groups": ()}, False),
        ({"member": True}, f"membership/g-others/{WHO}", {"status": "deactivated", "groups": ()}, True),
        ({"member": True}, f"membership/g-others/{WHO}", {"status": "deactivated", "groups": ("g-others",)}, False),
        ({"held": False}, f"role/user/{WHO}", {"direct": ("user",)}, True),
        ({"held": False}, f"role/user/{WHO}", {"direct": ("guest",)}, False),
        ({"held": False}, f"role/user/{WHO}", {"direct": None, "seats": (RoleSeat("user"),)}, True),
        ({"held": False}, f"role/user/{WHO}", {"direct": None, "seats": None}, False),
        ({"status": "suspended"}, f"user/{WHO}", {"direct": ()}, True),
        ({"status": "suspended"}, f"user/{WHO}", {"direct": None}, False),  # a list alone says that it is open
        ({"invited": True}, f"invite/hr/{'0' * 32}", {}, False),
    ],
)
def test_only_what_is_known_not_to_be_so_any_more_was_undone_by_others(
    after: dict[str, str | bool], address: str, facts: dict[str, Any], undone: bool
) -> None:
    found = noticed(holding(done(after, address)), site_with(**facts), AS_OF, 14)
    assert bool(found.undone) is bool(found.holds) is bool(found.flaps) is undone


@pytest.mark.parametrize("member", [True, False])
def test_what_a_termination_ended_is_ended_again_and_what_was_given_under_its_name_is_held(member: bool) -> None:
    mine = done({"member": member}, f"membership/{'g-others' if member else SEATS}/{WHO}")
    found = noticed(holding(mine), site_with(), AS_OF, 14, unbound={"dormant"})
    assert [one.policy for one in found.flaps] == ["dormant"]
    assert [one.until for one in found.holds] == [TODAY + timedelta(days=14)] * member


@pytest.mark.case("E36")
def test_the_first_undo_of_a_leavers_end_is_told_beside_the_change_that_is_made_again() -> None:
    leaves = replace(DORMANT, termination=True)
    (row,) = planned(site_with(), replace(POLICIES, policies=(leaves,)), holding(done({"member": False}))).changes
    assert row.note == f"will probably come back: others undid this once, on {TODAY.isoformat()}"


# -- which hold counts ----------------------------------------------------------------------------------

LONG = replace_struct(HELD, until=date(2026, 12, 20), run="long")  # type: ignore[arg-type]


@pytest.mark.parametrize("first", [True, False])
def test_of_two_holds_on_one_user_the_longer_one_counts(first: bool) -> None:
    lines: list[Any] = [LONG, HELD] if first else [HELD, LONG]
    plan = planned(office_site(100), POLICIES, holding(*lines))
    assert plan.changes == ()
    assert plan.dispositions[WHO].note == "held until 2026-12-20 after the rollback of long"
    assert planned(office_site(100), POLICIES, holding(*lines), days=20).changes == ()


def test_of_two_holds_of_the_same_length_the_one_that_was_there_before_is_told() -> None:
    again = Hold(user=WHO, policy="dormant", until=HELD.until, why="rollback", run="again")
    plan = planned(office_site(100), POLICIES, holding(HELD, again))
    assert plan.dispositions[WHO].note == f"held until 2026-12-06 after the rollback of {RUN}"


def test_a_row_that_several_held_policies_ask_for_waits_for_the_last_of_them() -> None:
    twin = Hold(user=WHO, policy="twin", until=date(2027, 1, 9), why="restored", run="r-2")
    policies = replace(POLICIES, policies=(DORMANT, replace(DORMANT, name="twin")))
    (row,) = planned(office_site(100), policies, holding(HELD, twin)).pending
    assert (row.until, row.note) == (date(2027, 1, 9), "held until 2027-01-09: others undid what r-2 had done")
    assert planned(office_site(100), policies, holding(twin, HELD)).dispositions[WHO].note == row.note


def test_a_policy_that_stopped_for_good_does_not_wait_for_the_end_of_a_rollback() -> None:
    (row,) = planned(office_site(100), POLICIES, holding(HELD, FLAPPED)).pending
    assert (row.reason, row.until) == ("flapping", None)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ((date(2026, 10, 1),), "the day 2026-10-01"),
        ((date(2026, 9, 1), date(2026, 10, 1)), "2 days, last on 2026-10-01"),
    ],
)
def test_whoever_reads_that_a_policy_stopped_learns_on_how_many_days_it_was_undone(
    days: tuple[date, ...], told: str
) -> None:
    strict = replace(POLICIES, guardrails=replace(ROOMY, flapping_after=1))
    (row,) = planned(office_site(100), strict, holding(Flap(user=WHO, policy="dormant", days=days))).pending
    assert row.note == f"others undid this on {told}: look at the identity provider"


@pytest.mark.parametrize(("longer", "counts"), [(0, True), (1, False)])
def test_an_undo_counts_for_as_long_as_undos_are_remembered(longer: int, counts: bool) -> None:
    day = TODAY - REMEMBERED - timedelta(days=longer)
    found = holds_of(holding(Flap(user=WHO, policy="dormant", days=(day,))), Noticed(), AS_OF, 1)
    assert bool(found.by_user) is counts


def test_a_hold_and_a_stop_bind_no_other_user_and_no_other_policy() -> None:
    harsh = replace(DORMANT, name="suspend", ensure=Ensure(status="suspended"), priority=1)
    policies = replace(POLICIES, policies=(DORMANT, harsh))
    plan = planned(office_site(100, 100), policies, holding(HELD, FLAPPED))
    assert [(one.action, one.user) for one in plan.changes] == [
        ("user.disable", WHO),
        ("user.disable", "712020:0002"),
    ]
