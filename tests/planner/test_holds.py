"""Whom a policy leaves alone: after a rollback, after an undo by others, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.ledger.remember import Ran, remember
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Done, Flap, Hold, Memory, Remembered, Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.planner import assume, make_plan
from cleanup_gitops.planner.assume import assume_user
from cleanup_gitops.planner.holds import holds_of, noticed
from cleanup_gitops.planner.undo import Did, Undo
from cleanup_gitops.policy.documents import Ensure, SitePolicies
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.test_laws import UNKNOWN
from tests.runner.office import DORMANT, OTHERS, POLICIES, ROOMY, SEATS, office_site, replace_struct
from tests.strategies import AS_OF

MANY = settings(max_examples=120)
SEEDS = st.integers(0, 2**32)
RUN = "20261122T091500Z-aaaaaaaa"
TODAY = AS_OF.date()


def invented(seed: int) -> tuple[Inventory, SitePolicies]:
    rng = Random(seed)
    inventory = organization(rng, seat_limit=False)
    return inventory, site_policies(rng, inventory)


def planned(
    inventory: Inventory, policies: SitePolicies, memory: Memory = BLANK, *, days: int = 0, undo: Undo | None = None
) -> Plan:
    at = AS_OF + timedelta(days=days)
    return make_plan(inventory, policies, memory, created=at, as_of=at, tool_version="0", undo=undo)


def applied(changes: Iterable[Change]) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(
            address=one.address,
            action=one.action,
            change=change_digest(one),
            user=one.user,
            result="applied",
            at=AS_OF,
            before=one.before,
            after=one.after,
            causes=one.causes,
            verified=AS_OF,
        )
        for one in changes
    )


def known(lines: Iterable[Remembered]) -> Memory:
    """What the next run knows."""
    told = list(lines)
    return msgspec.structs.replace(
        BLANK,
        done=tuple(one for one in told if isinstance(one, Done)),
        holds=tuple(one for one in told if isinstance(one, Hold)),
        flaps=tuple(one for one in told if isinstance(one, Flap)),
        settling=tuple(one for one in told if isinstance(one, Settling)),
    )


def after_run(plan: Plan) -> Memory:
    return known(remember([], Ran(run=RUN, at=AS_OF, envelope="e", outcomes=applied(plan.changes))))


def undo_of(plan: Plan) -> Undo:
    did = zip(plan.changes, applied(plan.changes), strict=True)
    return Undo(
        run=RUN, time=AS_OF, did=tuple(Did(change=change, outcome=outcome, where="o:1") for change, outcome in did)
    )


def asks(plan: Plan) -> set[tuple[str, str, str]]:
    """What is done, to what, and for whom."""
    return {(one.action, one.address, cause.policy) for one in plan.changes for cause in one.causes}


def by_user(changes: Iterable[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for one in changes:
        found.setdefault(one.user, []).append(one)
    return found


# -- laws ----------------------------------------------------------------------------------------


@MANY
@given(SEEDS, st.randoms(use_true_random=False), st.integers(0, 14))
def test_what_others_undid_is_not_redone_while_the_hold_lasts(seed: int, rng: Random, days: int) -> None:
    """A revoked token never comes back. Whoever was removed has lost groups by our own hand, whoever invites them."""
    inventory, policies = invented(seed)
    routine = tuple(replace(one, termination=False) for one in policies.policies)
    policies = replace(policies, policies=routine)
    plan = planned(inventory, policies)
    kept = by_user(one for one in plan.changes if one.action == "tokens.revoke" or rng.random() < 0.5)
    touched = by_user(plan.changes)
    undone = [one for one in plan.changes if one not in kept.get(one.user, ())]
    users = tuple(
        assume_user(user, kept.get(user.id, ()), inventory) if user.id in touched else user for user in inventory.users
    )
    site = msgspec.structs.replace(inventory, users=users)
    memory = after_run(plan)
    found = noticed(memory, site, AS_OF, 14)
    later = msgspec.structs.replace(memory, done=(), holds=found.holds, flaps=found.flaps)
    removed = {one.user for one in plan.changes if one.action == "user.remove"}
    redone = [one for one in undone if one.action == "user.remove" or one.user not in removed]
    again = {(one.action, one.address, cause.policy) for one in redone for cause in one.causes}
    assert not again & asks(planned(site, policies, memory))
    assert not again & asks(planned(site, policies, later, days=days))


@MANY
@given(SEEDS)
def test_what_is_as_a_run_made_it_was_undone_by_nobody(seed: int) -> None:
    inventory, policies = invented(seed)
    plan = planned(inventory, policies)
    assert not noticed(after_run(plan), assume(inventory, plan), AS_OF, 14).undone


@MANY
@given(SEEDS, st.sampled_from(sorted(UNKNOWN)))
def test_a_fact_that_is_not_known_shows_no_undo(seed: int, fact: str) -> None:
    inventory, policies = invented(seed)
    memory = after_run(planned(inventory, policies))
    dark = tuple(replace_struct(user, **{fact: UNKNOWN[fact]}) for user in inventory.users)
    less = noticed(memory, msgspec.structs.replace(inventory, users=dark), AS_OF, 14).undone
    assert {one.address for one in less} <= {one.address for one in noticed(memory, inventory, AS_OF, 14).undone}


@MANY
@given(SEEDS, st.integers(0, 14))
def test_a_rollback_is_no_flap_and_holds_what_it_took_back(seed: int, days: int) -> None:
    inventory, policies = invented(seed)
    plan = planned(inventory, policies)
    site = assume(inventory, plan)
    back = planned(site, policies, after_run(plan), undo=undo_of(plan))
    assert back.rollback is not None
    ran = Ran(run="later", at=AS_OF, envelope="b", outcomes=applied(back.changes), rollback=back.rollback)
    memory = known(remember(after_run(plan).done, ran))
    restored = assume(site, back)
    assert not noticed(memory, restored, AS_OF, 14).undone
    lasting = {one.user for one in back.rollback.irreversible}
    assert {one.user for one in memory.holds} == {one.user for one in back.changes} | lasting
    reversed_ = {one.address for one in back.changes}
    gone = {(one.action, one.address, cause.policy) for one in plan.changes for cause in one.causes}
    again = {one for one in asks(planned(restored, policies, memory, days=days)) if one[1] in reversed_}
    assert not again & gone
    assert not planned(restored, policies, memory, undo=undo_of(plan)).changes


@MANY
@given(SEEDS)
def test_whoever_a_rollback_restores_completely_is_as_before(seed: int) -> None:
    inventory, policies = invented(seed)
    plan = planned(inventory, policies)
    site = assume(inventory, plan)
    back = planned(site, policies, undo=undo_of(plan))
    assert back.rollback is not None
    open_ = {one.user for one in (*back.rollback.irreversible, *back.rollback.left)}
    open_ |= {one.user for one in back.handoffs}
    open_ |= {user for user, one in back.dispositions.items() if one.state in ("conflict", "unknown")}
    restored = assume(site, back)
    for account in {one.user for one in plan.changes} - open_:
        was, now = inventory.user_by_id[account], restored.user_by_id[account]
        assert (was.status, was.groups) == (now.status, now.groups)
    exempt = {one.account for one in policies.exemptions if one.until >= TODAY}
    listed = {account for one in policies.protections for account in one.accounts}
    assert not {one.user for one in back.changes} & (listed | exempt)  # nobody whom the run never touched
    assert {one.user for one in back.changes} <= {one.user for one in plan.changes}


def test_the_invented_rollbacks_reach_every_reason_that_assumed_sites_can_give() -> None:
    """A law that holds because nothing happens says nothing."""
    actions, reasons = set(), set()
    for seed in range(500):
        inventory, policies = invented(seed)
        plan = planned(inventory, policies)
        back = planned(assume(inventory, plan), policies, undo=undo_of(plan))
        assert back.rollback is not None
        actions |= {one.action for one in back.changes}
        reasons |= {one.reason for one in (*back.rollback.irreversible, *back.rollback.left)}
    assert actions >= {"user.enable", "membership.add", "membership.remove"}
    assert reasons >= {"needs-invitation", "role-not-granted-here", "token-gone"}


# -- single cases --------------------------------------------------------------------------------

HELD = Hold(user="712020:0001", policy="dormant", until=date(2026, 12, 6), why="rollback", run=RUN)


def holding(*lines: Hold | Flap | Done | Settling) -> Memory:
    return known(lines)


@pytest.mark.parametrize(("day", "held"), [(13, True), (14, True), (15, False)])
def test_a_hold_lasts_up_to_and_including_its_last_day(day: int, held: bool) -> None:
    plan = planned(office_site(100), POLICIES, holding(HELD), days=day)
    assert bool(plan.changes) is not held
    assert bool(plan.pending) is held


def test_a_held_user_is_pending_and_the_row_stands_outside_the_manifest() -> None:
    plan = planned(office_site(100, 100), POLICIES, holding(HELD))
    assert [one.user for one in plan.changes] == ["712020:0002"]
    assert [(one.change.user, one.reason, one.until) for one in plan.pending] == [
        ("712020:0001", "hold", date(2026, 12, 6))
    ]
    disposition = plan.dispositions["712020:0001"]
    assert (disposition.state, disposition.reason, disposition.policies) == ("pending", "hold", ("dormant",))
    assert disposition.note == f"held until 2026-12-06 after the rollback of {RUN}"
    assert plan.summary.states["pending"] == 1
    assert len(plan.manifest) == 1


def test_a_hold_binds_one_policy_and_another_one_acts() -> None:
    policies = replace(POLICIES, policies=(DORMANT, OTHERS))
    plan = planned(office_site(100), policies, holding(HELD))
    assert {(one.action, one.causes[0].policy) for one in plan.changes if one.user == "712020:0001"} == {
        ("membership.add", "others")
    }
    assert [one.change.action for one in plan.pending] == ["membership.remove"]
    assert plan.dispositions["712020:0001"].state == "changed"


def test_a_row_that_a_free_policy_asks_for_too_is_made_for_that_one_alone() -> None:
    twin = replace(DORMANT, name="twin")
    plan = planned(office_site(100), replace(POLICIES, policies=(DORMANT, twin)), holding(HELD))
    (row,) = plan.changes
    assert [cause.policy for cause in row.causes] == ["twin"]
    assert not plan.pending


def test_a_hold_on_the_mild_policy_does_not_set_free_the_harsh_one() -> None:
    harsh = replace(DORMANT, name="harsh", ensure=Ensure(status="suspended"))
    policies = replace(POLICIES, policies=(DORMANT, harsh))
    plan = planned(office_site(100), policies, holding(HELD))
    assert plan.changes == ()
    assert plan.dispositions["712020:0001"].state == "pending"


def test_a_hold_on_one_of_two_changes_never_makes_a_guest_of_somebody_with_a_paid_seat() -> None:
    site = office_site(100)
    guests = Group(
        id="g-guests",
        name="guests",
        directory="default",
        modifiable=True,
        license="guest",
        admin=False,
        grants=(Grant("confluence", "guest"),),
    )
    seats = (GroupSeat((SEATS,)), GroupSeat(("g-guests",)))
    users = tuple(
        replace_struct(user, groups=("g-guests", SEATS), seats=seats) if user.id == HELD.user else user
        for user in site.users
    )
    both = msgspec.structs.replace(site, users=users, groups=(guests, *site.groups))
    ensure = Ensure(groups_absent=("guests",), where_groups="p.yaml:1")
    policies = replace(POLICIES, policies=(DORMANT, replace(DORMANT, name="no-guests", ensure=ensure)))
    assert len(planned(both, policies).changes) == 2
    held = planned(both, policies, holding(msgspec.structs.replace(HELD, policy="no-guests")))
    assert held.changes == ()
    assert held.dispositions[HELD.user].reason == "seat-to-guest"


def test_rows_that_wait_count_for_the_caps() -> None:
    tight = Guardrails(caps={**ROOMY.caps, "membership.remove": Cap(1)}, allow=ROOMY.allow)
    free = planned(office_site(100), replace(POLICIES, guardrails=tight), holding(HELD))
    assert free.applyable
    over = planned(office_site(100, 100), replace(POLICIES, guardrails=tight), holding(HELD))
    assert not over.applyable
    assert any("1 planned, 1 pending and 0 applied" in one.message for one in over.checks if not one.passed)


def done(after: dict[str, str | bool], address: str = f"membership/{SEATS}/712020:0001") -> Done:
    return Done(run=RUN, address=address, user="712020:0001", policies=("dormant",), at=AS_OF, after=after)


def test_what_may_show_late_is_not_taken_for_undone() -> None:
    mine = done({"member": False})
    late = Settling(run=RUN, address=mine.address, user=mine.user, at=AS_OF, after={"member": False})
    assert noticed(holding(mine), office_site(100), AS_OF, 14).undone == (mine,)
    assert not noticed(holding(mine, late), office_site(100), AS_OF, 14).undone
    assert planned(office_site(100), POLICIES, holding(mine, late)).changes


def shown(**fields: object) -> Settling:
    """What awaits a change that a look at the account had shown."""
    mine = done({"member": False})
    line = Settling(run=RUN, address=mine.address, user=mine.user, at=AS_OF, after=mine.after, verified=AS_OF)
    return msgspec.structs.replace(line, **{"deadline": AS_OF + timedelta(minutes=5), **fields})


@pytest.mark.parametrize(("minutes", "undone"), [(0, False), (5, False), (6, True)])
def test_what_had_shown_and_shows_no_more_once_its_time_is_over_was_undone(minutes: int, undone: bool) -> None:
    mine, now = done({"member": False}), AS_OF + timedelta(minutes=minutes)
    found = noticed(holding(mine, shown()), office_site(100), now, 14)
    assert found.undone == ((mine,) if undone else ())
    assert not noticed(holding(mine, shown(verified=None)), office_site(100), now, 14).undone
    assert not noticed(holding(mine, shown(deadline=None)), office_site(100), now, 14).undone


@pytest.mark.parametrize(("direct", "undone"), [(None, False), ((), True)])
def test_a_list_that_shows_a_suspended_account_as_active_tells_of_no_undo_until_it_is_asked(
    direct: tuple[str, ...] | None, undone: bool
) -> None:
    """The account may be active in another directory."""
    site = office_site(100)
    users = tuple(replace_struct(user, direct=direct) for user in site.users)
    mine = done({"status": "suspended"}, "user/712020:0001")
    line = shown(address=mine.address, after=mine.after)
    later = AS_OF + timedelta(hours=1)
    assert bool(noticed(holding(mine, line), msgspec.structs.replace(site, users=users), later, 14).undone) is undone


@pytest.mark.parametrize(
    ("after", "status", "undone"),
    [
        ("suspended", "active", True),
        ("suspended", "deactivated", False),
        ("suspended", "unknown", False),
        ("active", "suspended", True),
        ("active", "active", False),
        ("absent", "active", True),
        ("deleting", "deactivated", True),
    ],
)
def test_only_a_step_away_from_what_was_wanted_is_an_undo(after: str, status: str, undone: bool) -> None:
    site = office_site(100)
    users = tuple(replace_struct(user, status=status) if user.id.endswith("1") else user for user in site.users)
    mine = done({"status": after}, "user/712020:0001")
    found = noticed(holding(mine), msgspec.structs.replace(site, users=users), AS_OF, 14)
    assert bool(found.undone) is undone


def test_a_membership_that_ended_with_its_group_was_undone_by_nobody() -> None:
    mine = done({"member": True}, "membership/g-gone/712020:0001")
    assert not noticed(holding(mine), office_site(100), AS_OF, 14).undone


def test_an_account_that_is_gone_shows_no_undo() -> None:
    mine = Done(run=RUN, address="user/712020:9", user="712020:9", policies=("p",), at=AS_OF, after={"status": "x"})
    assert not noticed(holding(mine), office_site(100), AS_OF, 14).undone


def test_the_same_undo_counts_once_a_day() -> None:
    first = noticed(holding(done({"member": False})), office_site(100), AS_OF, 14)
    again = noticed(holding(done({"member": False}), *first.flaps), office_site(100), AS_OF, 14)
    later = noticed(holding(done({"member": False}), *first.flaps), office_site(100), AS_OF + timedelta(days=32), 14)
    assert again.flaps[0].days == (TODAY,)
    assert later.flaps[0].days == (TODAY, date(2026, 12, 24))
    assert later.holds[0].until == date(2027, 1, 7)


FLAPPED = Flap(user="712020:0001", policy="dormant", days=(date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)))


@pytest.mark.case("E35")
def test_after_some_rounds_a_policy_stops_for_good_and_says_who_has_to_act() -> None:
    plan = planned(office_site(100, 100), POLICIES, holding(FLAPPED))
    assert [one.user for one in plan.changes] == ["712020:0002"]
    (row,) = plan.pending
    assert (row.reason, row.until) == ("flapping", None)
    assert row.note == "others undid this on 3 days, last on 2026-10-01: look at the identity provider"
    assert any(text.startswith("dormant leaves 1 user alone for good") for text in plan.warnings)
    relaxed = replace(POLICIES, guardrails=replace(ROOMY, flapping_after=4))
    assert len(planned(office_site(100, 100), relaxed, holding(FLAPPED)).changes) == 2


@pytest.mark.case("E36")
def test_a_change_that_was_undone_before_says_that_the_person_will_probably_return() -> None:
    once = msgspec.structs.replace(FLAPPED, days=(date(2026, 10, 1),))
    (row,) = planned(office_site(100), POLICIES, holding(once)).changes
    assert row.note == "will probably come back: others undid this once, on 2026-10-01"
    twice = msgspec.structs.replace(FLAPPED, days=FLAPPED.days[1:])
    (row,) = planned(office_site(100), POLICIES, holding(twice)).changes
    assert row.note == "will probably come back: others undid this on 2 days, last on 2026-10-01"


def test_an_undo_of_long_ago_no_longer_counts() -> None:
    old = msgspec.structs.replace(FLAPPED, days=(date(2024, 8, 1), date(2024, 9, 1), date(2026, 10, 1)))
    assert not holds_of(holding(old), noticed(BLANK, office_site(100), AS_OF, 14), AS_OF, 3).by_user
