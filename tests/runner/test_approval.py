"""What an approval covers, and when it covers nothing."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.change import MembershipRemove, change_digest
from cleanup_gitops.model.errors import ApprovalError, RefusedError
from cleanup_gitops.model.memory import Consumed, Memory
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from cleanup_gitops.policy.tree import EmailDomain, Match
from cleanup_gitops.runner.approval import choose
from cleanup_gitops.runner.desk import BrokenGuardsError, Stop
from tests.fakes import NOON
from tests.runner.office import DORMANT, OTHERS, POLICIES, RUNNER, open_git_office, open_office, person

EMPTY = open_office().plan()


def test_a_saved_plan_is_applied_as_it_was_approved() -> None:
    office = open_office(10, 100, 200)
    run = office.apply(read_plan(plan_bytes(office.plan())))
    assert [one.result for one in run.outcomes] == ["applied", "applied"]
    assert run.approval.kind == "plan"
    assert not office.plan().changes


@pytest.mark.case("E55")
def test_a_plan_older_than_its_time_to_live_is_refused_before_anything_is_read() -> None:
    office = open_office(100)
    saved = office.plan()
    office.clock.sleep(timedelta(hours=72).total_seconds() + 1)
    office.site.broken["read"] = [AssertionError("read")]  # type: ignore[list-item]
    with pytest.raises(ApprovalError, match="a plan lives 72 hours"):
        office.apply(saved)
    assert not office.site.written


@pytest.mark.case("E55")
def test_a_plan_at_the_end_of_its_life_still_counts() -> None:
    office = open_office(100)
    saved = office.plan()
    office.clock.sleep(timedelta(hours=72).total_seconds())
    assert office.apply(saved).outcomes[0].result == "applied"


@pytest.mark.case("E55")
def test_a_plan_from_the_future_is_refused() -> None:
    office = open_office(100)
    office.clock.sleep(3600)
    saved = office.plan()
    office.clock.sleep(-3600)
    with pytest.raises(ApprovalError, match="made at"):
        office.apply(saved)


@pytest.mark.case("E55", "F8")
def test_after_a_change_of_policy_only_rows_with_equal_digests_are_applied() -> None:
    """The row of the policy that is still the same is applied; the new policy's rows wait."""
    office = open_office(10, 100)
    saved = office.plan()
    office.under(policies=(DORMANT, OTHERS))
    run = office.apply(saved)
    assert [(one.action, one.result) for one in run.outcomes] == [("membership.remove", "applied")]
    assert {change.action for change in run.choice.not_approved} == {"membership.add"}


@pytest.mark.case("E55")
def test_rows_of_a_policy_that_was_renamed_are_no_longer_approved() -> None:
    office = open_office(100)
    saved = office.plan()
    office.under(policies=(replace(DORMANT, name="sleepers"),))
    run = office.apply(saved)
    assert run.nothing_in_common
    assert [one.result for one in run.outcomes] == ["superseded"]
    assert not office.site.written
    office.under(policies=(DORMANT,))
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)


@pytest.mark.case("E56", "F10")
def test_who_came_back_after_the_review_is_left_alone_and_recorded() -> None:
    office = open_office(100, 200)
    saved = office.plan()
    office.site.happens("712020:0001", seen=seen_at(office.clock.now()))
    run = office.apply(saved)
    assert {one.user: one.result for one in run.outcomes} == {"712020:0001": "superseded", "712020:0002": "applied"}
    assert [one.user for one in office.site.written] == ["712020:0002"]


@pytest.mark.case("E56", "F10")
def test_of_a_row_that_is_not_planned_any_more_the_record_says_what_became_of_the_user() -> None:
    office = open_office(*[100] * 4)
    saved = office.plan()
    office.site.happens("712020:0001", seen=seen_at(office.clock.now()))
    office.site.happens("712020:0002", admin=True)
    office.site.happens("712020:0003", seen=seen_at(office.clock.now() - timedelta(days=95)))
    del office.site._users["712020:0004"]
    run = office.apply(saved)
    assert {one.user: one.detail for one in run.outcomes} == {
        "712020:0001": "no longer planned: unchanged (no-policy-matches)",
        "712020:0002": "no longer planned: protected (administrator)",
        "712020:0003": "no longer planned in the approved form",
        "712020:0004": "the account is gone",
    }


@pytest.mark.case("E56", "F8")
def test_who_became_dormant_after_the_review_waits_for_the_next_one() -> None:
    office = open_office(100, 91)
    saved = office.plan()
    office.clock.sleep(timedelta(days=1).total_seconds())
    run = office.apply(saved)
    assert [one.user for one in run.outcomes] == ["712020:0001"]
    assert [one.user for one in run.choice.not_approved] == ["712020:0002"]


@given(st.data())
@pytest.mark.case("F8", "F11")
def test_what_is_carried_out_is_approved_and_planned_and_not_spent(data: st.DataObject) -> None:
    """For any approved, current and spent rows: their sets alone decide, and every row is told once."""
    rows = [
        MembershipRemove(address=f"membership/{group}/{user}", user=user, directory="d", group=group)
        for user in ("u1", "u2", "u3")
        for group in ("g1", "g2")
    ]
    some = st.lists(st.sampled_from(rows), unique_by=lambda one: one.address)
    saved, current = (msgspec.structs.replace(EMPTY, changes=tuple(data.draw(some))) for _ in range(2))
    spent = {change_digest(one) for one in data.draw(some)}
    others = {change_digest(one) for one in data.draw(some)}
    memory = Memory(
        consumed=(
            Consumed(envelope=saved.envelope, at=NOON, rows=tuple(spent)),
            Consumed(envelope="sha256:another", at=NOON, rows=tuple(others)),
        )
    )
    choice = choose(saved, current, memory)
    approved, planned = set(saved.manifest), set(current.manifest)
    assert [change_digest(one) for one in choice.changes] == [
        one for one in current.manifest if one in approved and one not in spent
    ]
    assert {change_digest(one) for one in choice.superseded} == approved - planned - spent
    assert {change_digest(one) for one in choice.consumed} == approved & spent
    assert {change_digest(one) for one in choice.not_approved} == planned - approved


@pytest.mark.case("F8", "F10")
def test_a_row_with_the_same_address_and_other_needs_is_not_the_one_that_was_approved() -> None:
    """The user was seen a little later than the plan read, and is dormant all the same."""
    office = open_office(200)
    saved = office.plan()
    office.site.happens("712020:0001", seen=seen_at(office.clock.now() - timedelta(days=150)))
    run = office.apply(saved)
    assert [(one.address, one.result) for one in run.outcomes] == [(saved.changes[0].address, "superseded")]
    assert [one.address for one in run.choice.not_approved] == [saved.changes[0].address]
    assert not office.site.written


@pytest.mark.case("E55", "F8")
def test_another_version_of_the_tool_carries_out_what_it_plans_in_the_same_form() -> None:
    office = open_office(100)
    saved = office.plan()
    office.version = "1"
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


def test_rows_that_were_not_attempted_may_be_carried_out_while_the_plan_lives() -> None:
    office = open_office(100, 200)
    saved = office.plan()
    stop = Stop()
    stop.ask()
    assert {one.result for one in office.apply(saved, stop).outcomes} == {"not_attempted"}
    office.clock.sleep(timedelta(hours=71).total_seconds())
    assert {one.result for one in office.apply(saved).outcomes} == {"applied"}
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)


@pytest.mark.case("F11")
def test_one_approval_is_consumed_once_even_before_there_is_any_state() -> None:
    office = open_office(100)
    saved = office.plan()
    assert saved.inputs.lineage == ""
    office.apply(saved)
    again = person(1, 100)
    office.site.happens(again.id, groups=again.groups, seats=again.seats, license=again.license)
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)
    assert len(office.site.written) == 1


def test_failed_rows_of_an_approval_may_be_tried_again() -> None:
    office = open_office(100, 200)
    saved = office.plan()
    office.site.broken["write"] = [RefusedError("The site answered 403.")]
    first = office.apply(saved)
    assert [one.result for one in first.outcomes] == ["failed", "applied"]
    assert first.failed
    second = office.apply(saved)
    assert [(one.user, one.result) for one in second.outcomes] == [("712020:0001", "applied")]


def test_a_plan_of_another_state_is_refused(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    office = open_git_office(here, 100)
    other = open_git_office(there, 10)
    other.apply()
    elsewhere = other.plan()
    with pytest.raises(ApprovalError, match="another state"):
        office.apply(elsewhere)


def test_a_plan_made_before_the_state_was_born_under_another_plan_is_refused() -> None:
    office = open_office(100)
    saved = office.plan()
    office.clock.sleep(60)
    office.apply()
    with pytest.raises(ApprovalError, match="another state"):
        office.apply(saved)


def test_a_plan_of_a_newer_state_than_the_recorded_one_is_refused(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 10)
    office.apply()
    office.clock.sleep(60)
    office.apply()
    saved = office.plan()
    subprocess.run(["git", "-C", str(tmp_path), "reset", "-q", "--hard", "HEAD~1"], check=True)
    with pytest.raises(ApprovalError, match="newer than the recorded state"):
        office.apply(saved)


def test_a_plan_for_another_site_is_refused() -> None:
    office = open_office(100)
    saved = office.plan()
    office.policies = replace(POLICIES, site="globex")
    with pytest.raises(ApprovalError, match="is for acme, not for globex"):
        office.apply(saved)


@pytest.mark.case("E57")
def test_a_plan_file_that_was_edited_is_refused() -> None:
    office = open_office(100, 10)
    data = plan_bytes(office.plan())
    assert b"712020:0001" in data
    with pytest.raises(ApprovalError, match="altered"):
        read_plan(data.replace(b"712020:0001", b"712020:0002"))


@pytest.mark.case("E59", "F5")
def test_a_plan_over_a_cap_stops_before_any_write_and_names_the_numbers() -> None:
    office = open_office(100, 200, 300)
    caps = {**dict(POLICIES.guardrails.caps), "membership.remove": Cap(2)}
    office.under(guardrails=Guardrails(caps=caps, where="policies/guardrails.yaml:9"))
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply()
    assert caught.value.exit_code == 3
    assert "3 planned and 0 applied in the last 24 hours, 2 allowed (max 2; policies/guardrails.yaml:9)" in str(
        caught.value
    )
    assert not office.site.written
    assert memory_of(office.store.read()).last.keys() == {"void"}


@pytest.mark.case("E59")
def test_a_saved_plan_that_was_unsafe_stays_unsafe() -> None:
    office = open_office(100, 200, 300)
    office.under(guardrails=Guardrails(caps={**dict(POLICIES.guardrails.caps), "total": Cap(2)}))
    saved = office.plan()
    office.under(guardrails=POLICIES.guardrails)
    with pytest.raises(ApprovalError, match="unsafe") as refused:
        office.apply(saved)
    assert "merge the Override that it shows" in refused.value.hint


@pytest.mark.case("E59")
def test_a_cap_counts_what_was_applied_in_the_last_day() -> None:
    office = open_office(100, 200, 91)
    office.under(guardrails=Guardrails(caps={**dict(POLICIES.guardrails.caps), "membership.remove": Cap(2)}))
    office.apply()
    office.clock.sleep(timedelta(hours=13).total_seconds())
    with pytest.raises(BrokenGuardsError, match="1 planned and 2 applied in the last 24 hours"):
        office.apply()
    office.clock.sleep(timedelta(hours=11).total_seconds())
    assert office.apply().outcomes[0].result == "applied"


@pytest.mark.case("E58")
def test_an_empty_plan_is_a_success_and_leaves_a_record() -> None:
    office = open_office(10)
    run = office.apply(office.plan())
    assert run.outcomes == ()
    assert not run.failed
    assert run.commit
    assert memory_of(office.store.read()).serial == 1
    assert office.entries()[0].accounts == 2


@pytest.mark.case("F5", "F8")
def test_rows_that_nobody_approved_make_no_room_for_those_that_are() -> None:
    """The newcomer would keep the group from being empty, and is not approved."""
    leave = replace(DORMANT, ensure=Ensure(groups_absent=("confluence-*",)))
    joins = Ensure(groups_present=("confluence-users-acme",))
    join = replace(DORMANT, name="join", match=Match(all=(EmailDomain(("new.example",)),)), ensure=joins)
    office = open_office(100, 1)
    office.under(policies=(leave, join))
    saved = office.plan()
    assert [one.action for one in saved.changes] == ["membership.remove"]
    office.site.happens("712020:0002", groups=(), seats=(), license="none", domain="new.example")
    office.site.happens(RUNNER, groups=(), seats=(), license="none")
    now = office.plan()
    assert now.applyable
    assert [one.action for one in now.changes] == ["membership.remove", "membership.add"]
    with pytest.raises(BrokenGuardsError, match="empty-groups"):
        office.apply(saved)
    assert not office.site.written
