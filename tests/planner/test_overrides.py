"""Overrides: one guard, one number, one end; what they lift, and what nothing lifts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cleanup_gitops.model.memory import BLANK, Applied, Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner.guards.exceptions import Demand, Exceptions, Rows, room
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.policy.guarding import GUARDS, OF_A_READING, Guard, Override, ended, running
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.tree import EmailDomain
from tests.planner.guarded import DORMANT, broken, check_of, override, people, plan_for, reading, remembered, site
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy

FIRMS = policy(EmailDomain(("firm.example",)), name="firms", ensure=Ensure(groups_absent=("users",)))


def capped(number: int, **facts: int) -> Guardrails:
    """Wide limits, but for memberships that end."""
    return replace(WIDE, caps={**WIDE.caps, "membership.remove": Cap(number)}, **facts)  # type: ignore[arg-type]


def lifted(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {check.name: check.lifted for check in plan.checks if check.lifted}


# -- one guard -----------------------------------------------------------------------------------------


@pytest.mark.case("F7")
def test_an_override_lifts_its_guard_to_its_number_and_no_further_and_is_told() -> None:
    users = site(*people(30, 70))
    assert broken(plan_for(users, guardrails=capped(20))) == ["cap:membership.remove"]
    short = plan_for(users, guardrails=capped(20), overrides=(override("membership.remove", 29),))
    assert broken(short) == ["cap:membership.remove"]
    assert check_of(short, "cap:membership.remove").message.endswith(
        "; Override exception until 2026-11-29 (first-run, policies/overrides.yaml:1) allows 29, which is not enough"
    )
    enough = plan_for(users, guardrails=capped(20), overrides=(override("membership.remove", 30),))
    assert enough.applyable
    assert lifted(enough) == {"cap:membership.remove": ("exception",)}
    assert check_of(enough, "cap:membership.remove").message == (
        "30 planned and 0 applied in the last 24 hours, 30 allowed by Override exception until 2026-11-29"
        " (first-run, policies/overrides.yaml:1), otherwise 20 (max 20; default)"
    )


@pytest.mark.case("F7")
@pytest.mark.parametrize("guard", [one for one in GUARDS if one != "membership.remove"])
def test_an_override_lifts_no_other_guard(guard: Guard) -> None:
    users = site(*people(30, 70))
    other = override(guard, 50)
    assert broken(plan_for(users, guardrails=capped(20), overrides=(other,))) == ["cap:membership.remove"]


@pytest.mark.case("F7")
@pytest.mark.parametrize(("until", "works"), [("2026-11-21", False), ("2026-11-22", True), ("2026-12-05", True)])
def test_an_override_ends_with_its_last_day_and_is_warned_of_after_it(until: str, works: bool) -> None:
    one = override("membership.remove", 30, until=date.fromisoformat(until))
    plan = plan_for(site(*people(30, 70)), guardrails=capped(20), overrides=(one,), created=TODAY + timedelta(hours=23))
    assert plan.applyable is works
    told = f"policies/overrides.yaml:1: Override exception ended on {until} and lifts nothing any more; remove it."
    assert (told in plan.warnings) is not works
    assert running((one,), TODAY.date()) == ((one,) if works else ())
    assert ended((one,), TODAY.date()) == (() if works else (told,))


@pytest.mark.case("F7")
def test_an_override_that_is_not_needed_is_not_used() -> None:
    plan = plan_for(site(*people(3, 70)), guardrails=capped(20), overrides=(override("membership.remove", 600),))
    assert lifted(plan) == {}
    assert "Override" not in check_of(plan, "cap:membership.remove").message


@pytest.mark.case("F7")
def test_a_cap_of_zero_means_never() -> None:
    plan = plan_for(site(*people(3, 70)), guardrails=capped(0), overrides=(override("membership.remove", 600),))
    assert broken(plan) == ["cap:membership.remove"]


@pytest.mark.case("F6", "F7")
def test_canaries_administrators_dates_and_permissions_are_lifted_by_nothing() -> None:
    everything = tuple(override(guard, 100, name=f"o-{number}") for number, guard in enumerate(GUARDS))
    guardrails = replace(reading(canary_accounts=("gone",)), min_admins=3, allow=frozenset())
    admins = [{"id": f"admin-{n}", "groups": ["g-admins"], "seen": "2026-11-21"} for n in range(2)]
    asks = policy(IDLE, ensure=Ensure(groups_absent=("admins",)), include_admins=True)
    wrong = [{"id": f"w-{n}", "seen": "unknown: the site reported a date in the future"} for n in range(5)]
    inventory = site(*admins, {"id": "admin-idle", "groups": ["g-admins"]}, *wrong, *people(0, 20))
    plan = plan_for(inventory, asks, guardrails=guardrails, overrides=everything)
    assert broken(plan) == ["reading:canaries", "allow:membership.remove", "min-admins", "dates"]
    assert not any(check.override for check in plan.checks)


# -- one policy ----------------------------------------------------------------------------------------


def two_policies(idle: int, others: int, memory: Memory = BLANK, **overrides: int) -> Plan:
    """So many rows of two policies, 20 allowed, with an Override for the policies that are named."""
    users = site(
        *people(idle, 100), *({"id": f"f-{n}", "domain": "firm.example", "seen": "2026-11-21"} for n in range(others))
    )
    given = tuple(override("membership.remove", number, name=name, policy=name) for name, number in overrides.items())
    return plan_for(users, DORMANT, FIRMS, guardrails=capped(20), overrides=given, memory=memory)


@pytest.mark.case("F7")
@pytest.mark.parametrize(
    ("idle", "firms", "passed"), [(50, 20, True), (50, 21, False), (51, 0, False), (50, 0, True), (0, 21, False)]
)
def test_an_override_for_a_policy_leaves_all_others_at_the_usual_limit(idle: int, firms: int, passed: bool) -> None:
    assert two_policies(idle, firms, dormant=50).applyable is passed


def test_what_was_applied_lately_counts_as_the_policys_as_far_as_its_override_has_room() -> None:
    memory = Memory(applied=(Applied(run="r", at=TODAY - timedelta(hours=1), actions={"membership.remove": 40}),))
    assert two_policies(10, 0, memory, dormant=50).applyable
    assert two_policies(10, 20, memory, dormant=50).applyable
    assert not two_policies(10, 21, memory, dormant=50).applyable
    assert two_policies(30, 0, memory, dormant=50).applyable  # 20 of the 40 count against the usual limit
    assert not two_policies(30, 1, memory, dormant=50).applyable


@pytest.mark.case("F7")
def test_what_was_applied_lately_counts_as_the_policys_when_the_plan_has_no_rows_of_it_too() -> None:
    memory = Memory(applied=(Applied(run="r", at=TODAY - timedelta(hours=1), actions={"membership.remove": 50}),))
    assert two_policies(0, 5, memory, dormant=50).applyable
    assert two_policies(0, 20, memory, dormant=50).applyable
    assert not two_policies(0, 21, memory, dormant=50).applyable
    assert not two_policies(0, 20, memory, dormant=49).applyable


def test_an_override_without_rows_is_not_told_where_it_is_not_needed() -> None:
    memory = Memory(applied=(Applied(run="r", at=TODAY - timedelta(hours=1), actions={"membership.remove": 10}),))
    plan = two_policies(35, 0, memory, dormant=45, firms=50)
    assert lifted(plan) == {"cap:membership.remove": ("dormant",)}
    assert lifted(two_policies(0, 15, memory, dormant=40)) == {"cap:membership.remove": ("dormant",)}


def test_several_overrides_do_not_add_up_and_each_policy_has_its_own() -> None:
    assert two_policies(50, 40, dormant=50, firms=40).applyable
    users, limits = site(*people(30, 70)), capped(20)
    two = (override("membership.remove", 25, name="a"), override("membership.remove", 29, name="b"))
    assert not plan_for(users, guardrails=limits, overrides=two).applyable


@given(
    st.dictionaries(st.sampled_from([(), ("p",), ("q",), ("p", "q")]), st.integers(1, 9), max_size=4),
    st.integers(0, 9),
    st.integers(1, 20),
    st.lists(st.tuples(st.sampled_from([None, "p", "q"]), st.integers(1, 30)), max_size=4),
)
def test_an_override_never_makes_a_guard_stricter_and_never_allows_more_than_all_of_it_together(
    rows: dict[tuple[str, ...], int], recent: int, usual: int, given_: list[tuple[str | None, int]]
) -> None:
    counted: Rows = Counter(rows)
    found = counted.total() + recent
    overrides = [override("total", number, policy=name, name=f"o{n}") for n, (name, number) in enumerate(given_)]
    allowed = room(usual, counted, recent, overrides)
    assert allowed.allowed >= usual
    assert allowed.usual == usual
    if found <= usual:
        assert not allowed.used
    best = {name: max((n for other, n in given_ if other == name), default=0) for name in (None, "p", "q")}
    most = max(usual, best[None]) + best["p"] + best["q"]
    assert found <= most or not allowed.holds(found)
    others = counted[()]
    assert others <= max(usual, best[None]) or not allowed.holds(found)


# -- the document that is proposed -------------------------------------------------------------------------


def decided(text: str) -> str:
    """What a person makes of a proposal."""
    lines = [
        "  reason: first-run"
        if line.startswith("  reason: <")
        else "  ticket: CHG-1"
        if line.startswith("  ticket: <")
        else line
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


def loaded(folder: Path, texts: list[str]) -> tuple[Override, ...]:
    """The Overrides of these documents beside two policies of their names."""
    folder.mkdir()
    for name in ("dormant", "firms", "glob"):
        (folder / f"{name}.yaml").write_text(
            "apiVersion: cleanup-gitops/v1\nkind: Policy\nmetadata: {name: NAME, owner: o, why: w}\n"
            "spec: {match: {all: [{has_seat: true}]}, ensure: {groups: {absent: [users]}}}\n".replace("NAME", name)
        )
    (folder / "overrides.yaml").write_text("---\n".join(decided(text) for text in texts))
    return load(folder, today=TODAY.date()).for_site("acme").overrides


def everything_broken() -> tuple[object, ...]:
    """A site, policies, limits and a memory under which every guard that can be lifted is broken."""
    glob = policy(IDLE, name="glob", ensure=Ensure(groups_absent=("edit*",)))
    users = site(
        *people(40, 20),
        *({"id": f"e-{n}", "groups": ["g-editors"]} for n in range(3)),
        *({"id": f"f-{n}", "domain": "firm.example", "seen": "2026-11-21"} for n in range(9)),
        *({"id": f"u-{n:02}", "seen": "unknown: no answer"} for n in range(20)),
    )
    return users, (DORMANT, FIRMS, glob), Guardrails(caps={**DEFAULT_CAPS, "total": Cap(4)})


@pytest.mark.case("F6", "F7")
def test_what_an_unsafe_plan_proposes_is_exactly_what_makes_it_safe(tmp_path: Path) -> None:
    users, policies, guardrails = everything_broken()
    memory = remembered(site(*people(0, 300)))
    plan = plan_for(users, *policies, guardrails=guardrails, memory=memory)  # type: ignore[arg-type, misc]
    names = [
        "reading:drop",
        "reading:known_activity",
        "cap:membership.remove",
        "cap:total",
        "cap:per_domain",
        "empty-groups",
    ]
    assert broken(plan) == names
    proposed = [check.override for check in plan.checks if not check.passed]
    overrides = loaded(tmp_path / "policies", proposed)
    assert len({one.name for one in overrides}) == len(names)
    after = plan_for(users, *policies, guardrails=guardrails, memory=memory, overrides=overrides)  # type: ignore[arg-type, misc]
    assert broken(after) == []
    assert sorted(lifted(after)) == sorted(names)
    for one in overrides:
        if one.policy is None or not [other for other in overrides if other.guard == one.guard and other is not one]:
            less = tuple(replace(other, max=other.max - 1) if other is one else other for other in overrides)
            again = plan_for(users, *policies, guardrails=guardrails, memory=memory, overrides=less)  # type: ignore[arg-type, misc]
            assert len(broken(again)) == 1, one.name


def test_a_proposal_is_for_the_policy_that_is_behind_it_and_ends_soon(tmp_path: Path) -> None:
    plan = two_policies(40, 5)
    text = check_of(plan, "cap:membership.remove").override
    (said,) = loaded(tmp_path / "policies", [text])
    assert said == override(
        "membership.remove",
        40,
        name="membership-remove-2026-11-22",
        policy="dormant",
        where="policies/overrides.yaml:1",
    )
    assert "  max: 40 # found: 45 planned and 0 applied in the last 24 hours\n" in text
    few = check_of(two_policies(40, 5, dormant=30), "cap:membership.remove").override
    assert "  policy: dormant\n  max: 40 #" in few
    last = check_of(two_policies(20, 5), "cap:membership.remove").override
    assert "  policy: firms\n  max: 5 #" in last  # so few of one policy are too many; the others are within the limit
    both = check_of(two_policies(40, 21), "cap:membership.remove").override
    assert "policy:" not in both
    assert "  max: 61 #" in both


def test_a_proposal_has_a_name_of_its_own() -> None:
    old = override("total", 1, name="membership-remove-2026-11-22")
    plan = plan_for(site(*people(30, 70)), guardrails=capped(20), overrides=(old,))
    assert "metadata: {name: membership-remove-2026-11-22-2}" in check_of(plan, "cap:membership.remove").override


# -- laws ----------------------------------------------------------------------------------------------


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 40), st.integers(1, 60))
def test_a_plan_over_any_guard_is_never_applyable_and_one_under_all_of_them_always_is(
    idle: int, busy: int, unknown: int, cap: int, before: int
) -> None:
    users = site(*people(idle, busy), *({"id": f"u-{n:02}", "seen": "unknown: no answer"} for n in range(unknown)))
    memory = remembered(site(*people(0, before)))
    plan = plan_for(users, guardrails=replace(capped(cap), per_domain=50), memory=memory)
    assert plan.applyable is (broken(plan) == [])
    for check in plan.checks:
        if check.found is not None and check.allowed is not None:
            assert check.passed is (check.found <= check.allowed), check.name


ROWS = st.dictionaries(st.sampled_from([(), ("p",), ("q",), ("p", "q"), ("rollback of r",)]), st.integers(1, 9))
OLD = st.lists(st.tuples(st.sampled_from([None, "p", "q"]), st.integers(1, 30)), max_size=3)


@pytest.mark.case("F7")
@given(
    st.tuples(ROWS, st.integers(0, 9)).map(lambda one: [one]) | st.lists(st.tuples(ROWS, st.just(0)), min_size=2),
    st.integers(0, 20),
    OLD,
)
def test_what_is_proposed_is_enough_and_one_less_is_not(
    sets: list[tuple[dict[tuple[str, ...], int], int]], usual: int, old: list[tuple[str | None, int]]
) -> None:
    running_ = tuple(override("total", number, policy=name, name=f"o{n}") for n, (name, number) in enumerate(old))
    exceptions = Exceptions("acme", TODAY.date(), running_, frozenset(one.name for one in running_))
    demands = [Demand(usual, Counter(rows), recent) for rows, recent in sets]
    assume(not all(one.met(running_) for one in demands))
    policy_, number = exceptions.narrowest("total", demands)

    def holds(most: int) -> bool:
        new = override("total", most, policy=policy_, name="new")
        return all(one.met((*running_, new)) for one in demands)

    assert holds(number)
    assert number == 1 or not holds(number - 1)
    if policy_ is None:  # no policy alone would do
        most = max(one.found for one in demands)
        for name in {name for rows, _ in sets for names in rows for name in names if " " not in name}:
            assert not all(one.met((*running_, override("total", most, policy=name, name="new"))) for one in demands)


@pytest.mark.case("F7")
@settings(max_examples=25)
@given(
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(1, 25),
    st.integers(1, 9),
)
def test_all_proposals_of_a_plan_together_make_it_pass_and_none_of_them_is_too_wide(
    idle: int, firms: int, recent: int, cap: int, total: int, share: int
) -> None:
    both = policy(EmailDomain(("firm.example",)), name="both", ensure=Ensure(groups_absent=("users", "edit*")))
    users = site(
        *people(idle, 9),
        *({"id": f"f-{n:02}", "domain": "firm.example", "groups": ["g-users", "g-editors"]} for n in range(firms)),
    )
    caps = {**WIDE.caps, "membership.remove": Cap(cap), "total": Cap(total)}
    guardrails = replace(WIDE, caps=caps, per_domain=10 * share)
    memory = Memory(applied=(Applied(run="r", at=TODAY - timedelta(hours=1), actions={"membership.remove": recent}),))

    def planned(*overrides: Override) -> Plan:
        return plan_for(users, DORMANT, both, guardrails=guardrails, memory=memory, overrides=overrides)

    plan = planned()
    assume(not plan.applyable)
    proposed = [(check.name, parsed(check.override)) for check in plan.checks if not check.passed]
    overrides = [one for _, one in proposed]
    assert planned(*overrides).applyable
    for name, one in proposed:
        less = [replace(other, max=other.max - 1) if other is one else other for other in overrides]
        assert broken(planned(*less)) == [name]


def parsed(text: str) -> Override:
    """A proposal as an Override, as far as a guard asks."""
    said = YAML(typ="safe").load(text)
    spec = said["spec"]
    return override(spec["guard"], spec["max"], policy=spec.get("policy"), name=said["metadata"]["name"])


@given(st.sampled_from(["membership.remove", "total", "per_domain", "reading.max_drop", "reading.min_known_activity"]))
def test_from_one_less_to_what_was_found_flips_exactly_one_check(guard: Guard) -> None:
    users, policies, guardrails = everything_broken()
    memory = remembered(site(*people(0, 300)))
    plan = plan_for(users, *policies, guardrails=guardrails, memory=memory)  # type: ignore[arg-type, misc]
    names = {"reading.max_drop": "reading:drop", "reading.min_known_activity": "reading:known_activity"}
    name = names.get(guard, f"cap:{guard}")
    found = check_of(plan, name).found
    assert found is not None

    def under(number: int) -> list[str]:
        one = override(guard, number)
        assert (one.guard in OF_A_READING) == (guard in names)
        again = plan_for(users, *policies, guardrails=guardrails, memory=memory, overrides=(one,))  # type: ignore[arg-type, misc]
        return broken(again)

    assert under(found - 1) == broken(plan)
    assert under(found) == [other for other in broken(plan) if other != name]


@pytest.mark.case("F1")
@given(st.integers(1, 60), st.integers(1, 100), st.booleans())
def test_an_empty_reading_never_passes_after_a_snapshot_with_people(before: int, percent: int, lifted_: bool) -> None:
    overrides = tuple(override(guard, 100, name=f"o{n}") for n, guard in enumerate(GUARDS)) if lifted_ else ()
    memory = remembered(site(*people(0, before)))
    plan = plan_for(site(), guardrails=reading(max_drop=percent), overrides=overrides, memory=memory)
    assert "reading:drop" in broken(plan)
