"""What Overrides lift together, what is told of them, and the text of the one that is proposed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from cleanup_gitops.planner.guards.exceptions import Demand, Exceptions, room
from cleanup_gitops.policy.guardrails import Cap
from tests.planner.guarded import check_of, override, people, plan_for, site
from tests.planner.site_policies import WIDE

LIMIT = replace(WIDE, caps={**WIDE.caps, "membership.remove": Cap(20)})
REASON = (
    "  reason: <one of contract-end, data-correction, first-run, incident, license-change, migration, reorganization>"
)
SAID = "Override {} until 2026-11-29 (first-run, policies/overrides.yaml:1)"


@pytest.mark.case("F7")
def test_an_override_that_is_not_enough_lifts_nothing_and_the_usual_number_is_told() -> None:
    plan = plan_for(site(*people(30, 70)), guardrails=LIMIT, overrides=(override("membership.remove", 29),))
    check = check_of(plan, "cap:membership.remove")
    assert (check.passed, check.found, check.allowed, check.lifted) == (False, 30, 20, ())
    assert check.message == (
        "30 planned and 0 applied in the last 24 hours, 20 allowed (max 20; default); "
        + SAID.format("exception")
        + " allows 29, which is not enough"
    )


@pytest.mark.parametrize("number", [1, 19, 20])
def test_an_override_of_no_more_than_is_usual_makes_nothing_stricter_and_is_not_told(number: int) -> None:
    one = override("membership.remove", number)
    allowed = room(20, Counter({("p",): 20}), 0, (one,))
    assert (allowed.allowed, allowed.used) == (20, ())
    scoped = override("membership.remove", 10, policy="p", name="scoped")
    both = room(20, Counter({("p",): 10, ("q",): 20}), 0, (one, scoped))
    assert (both.allowed, both.used) == (30, (scoped,))


@pytest.mark.case("F7")
@pytest.mark.parametrize(("others", "holds"), [(20, True), (21, False), (50, False)])
def test_a_row_that_two_policies_ask_for_is_taken_out_of_the_count_once(others: int, holds: bool) -> None:
    overrides = [override("total", 30, policy=name, name=name) for name in ("p", "q")]
    rows = Counter({("p", "q"): 30, ("r",): others})
    assert room(20, rows, 0, overrides).holds(rows.total()) is holds


@pytest.mark.case("F7")
@pytest.mark.parametrize(
    ("rows", "recent", "used"),
    [
        ({("p",): 10, (): 20}, 40, ("p",)),
        ({("p",): 10, (): 20}, 41, ("p", "q")),
        ({("p",): 10, (): 20}, 70, ("p", "q")),
        ({("p",): 10, (): 20}, 71, ()),
        ({(): 20}, 50, ("p",)),
        ({(): 20}, 51, ("p", "q")),
        ({(): 20}, 80, ("p", "q")),
        ({(): 20}, 81, ()),
    ],
)
def test_what_ran_lately_fits_into_the_room_that_policies_have_left_and_no_override_more_is_used(
    rows: dict[tuple[str, ...], int], recent: int, used: tuple[str, ...]
) -> None:
    overrides = [override("total", number, policy=name, name=name) for name, number in (("p", 50), ("q", 30))]
    allowed = room(20, Counter(rows), recent, overrides)
    assert (allowed.lifted, allowed.holds(sum(rows.values()) + recent)) == (used, bool(used))


def test_what_each_override_allows_is_told() -> None:
    whole, scoped = override("total", 1200, name="whole"), override("total", 30, policy="p", name="scoped")
    allowed = room(1000, Counter({("p",): 30, ("q",): 1190}), 0, (scoped, whole))
    assert allowed.lifted == ("whole", "scoped")
    assert allowed.words("max 1000") == (
        f"1,200 allowed by {SAID.format('whole')}, otherwise 1,000 (max 1000), and 30 for p by {SAID.format('scoped')}"
    )
    alone = room(1000, Counter({("p",): 30, ("q",): 1000}), 0, (scoped,))
    assert alone.words("max 1000") == f"1,000 allowed (max 1000), and 30 for p by {SAID.format('scoped')}"
    assert room(10, Counter({(): 40}), 0, (override("reading.max_drop", 40),)).words("max_drop 10 %", " %") == (
        f"40 % allowed by {SAID.format('exception')}, otherwise 10 % (max_drop 10 %)"
    )


def proposed(site_: str, policy: str = "p", names: frozenset[str] = frozenset()) -> list[str]:
    """The lines of the Override that would let 30 rows of a policy pass."""
    exceptions = Exceptions(site_, date(2026, 11, 25), (), names)
    return exceptions.proposal("membership.remove", [Demand(20, Counter({(policy,): 30}))], "rows").splitlines()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("acme", "acme"),
        ("eu", "eu"),
        ("acme-2", "acme-2"),
        ("y", '"y"'),
        ("no", '"no"'),
        ("off", '"off"'),
        ("null", '"null"'),
        ("1e3", '"1e3"'),
        ("Acme", '"Acme"'),
    ],
)
def test_a_name_that_yaml_may_take_for_something_else_is_proposed_in_quotes(name: str, written: str) -> None:
    assert proposed(name) == [
        "apiVersion: cleanup-gitops/v1",
        "kind: Override",
        f"sites: [{written}]",
        "metadata: {name: membership-remove-2026-11-25}",
        "spec:",
        "  guard: membership.remove",
        '  policy: "p"',
        "  max: 30 # rows",
        "  until: 2026-12-02",
        REASON,
        "  ticket: <where the decision is recorded>",
    ]
    assert f"  policy: {written}" in proposed("acme", name)


def test_a_name_is_proposed_that_no_override_has_yet() -> None:
    base = "membership-remove-2026-11-25"
    for taken, name in (((), base), ((base,), f"{base}-2"), ((base, f"{base}-2"), f"{base}-3")):
        assert f"metadata: {{name: {name}}}" in proposed("acme", names=frozenset(taken))
