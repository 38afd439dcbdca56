"""Taking a run back: an ordinary plan, made again by apply from the record, with holds after it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

import msgspec
import pytest

from cleanup_gitops.ledger.memory import memory_of, read_lines
from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.ledger.undone import recount
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.errors import ApprovalError, CleanupError, SiteError, StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Done, Flap, Hold
from cleanup_gitops.model.plan import Disposition, Lost, Pending, Plan
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.model.user import Lifecycle, Question, User
from cleanup_gitops.planner import evaluate, make_plan
from cleanup_gitops.planner.holds import Held, Holds
from cleanup_gitops.policy.documents import Ensure, Exemption, Protection
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.runner import Run, Stop, read_with_answers
from cleanup_gitops.runner.approval import Choice, command_of
from cleanup_gitops.runner.desk import BrokenGuardsError
from cleanup_gitops.runner.reading import Questions
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.resume import Resumed, resumed
from cleanup_gitops.runner.rollback import _did, undo_of
from tests.fakes import FakeSite
from tests.runner.office import DORMANT, OTHERS, RUNNER, SEATS, Office, open_office
from tests.runner.test_accounts import DIRECT, TOKENS, Asked, office_of

ONE, TWO = "712020:0001", "712020:0002"
SUSPENDED = Ensure(status="suspended")


def rollback(office: Office, run: Run | str, *users: str) -> Plan:
    """The plan that takes a run back, as it comes out of its file."""
    now = office.clock.now()
    files = office.store.read()
    memory = memory_of(files)
    name = run if isinstance(run, str) else run.id
    undo = undo_of(office.store, files, memory, site="acme", run=name, users=users)
    live, _ = read_with_answers(remembering(office.site, files), office.policies, now, undo=undo)
    plan = make_plan(
        live.inventory, office.policies, memory, created=now, as_of=now, tool_version=office.version, undo=undo
    )
    return read_plan(plan_bytes(plan))


def later(office: Office, **span: float) -> None:
    office.clock.sleep(timedelta(**span).total_seconds())


def people(office: Office) -> dict[str, User]:
    return dict(office.site.read().inventory.user_by_id)


def lines(office: Office, sort: type[Any]) -> list[Any]:
    return [line for line in read_lines(office.store.read()) if isinstance(line, sort)]


def told(rows: tuple[Lost, ...]) -> dict[str, str]:
    return {row.address: row.reason for row in rows}


def parts(plan: Plan) -> tuple[dict[str, str], dict[str, str]]:
    assert plan.rollback is not None
    return told(plan.rollback.irreversible), told(plan.rollback.left)


def acts(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.address) for one in plan.changes]


# -- the whole way -------------------------------------------------------------------------------


def test_a_run_is_taken_back_held_and_planned_again_when_the_hold_has_ended() -> None:
    office = office_of(SUSPENDED, open_office(100, 200, 3).site)
    before = people(office)
    run = office.apply()
    assert len(run.outcomes) == 2
    later(office, hours=1)
    plan = rollback(office, run)
    assert acts(plan) == [("user.enable", f"user/{ONE}"), ("user.enable", f"user/{TWO}")]
    (cause,) = plan.changes[0].causes
    assert cause.policy == f"rollback of {run.id}"
    assert cause.where == f"state/acme/runs/{run.id}/outcomes.jsonl:1"
    assert cause.why == "dormant had it closed on 2026-11-22"
    undone = office.apply(plan)
    assert [one.result for one in undone.outcomes] == ["applied", "applied"]
    assert people(office) == before
    assert [entry.kind for entry in office.entries()] == ["run", "rollback"]
    assert lines(office, Hold) == [
        Hold(user=user, policy="dormant", until=date(2026, 12, 6), why="rollback", run=run.id) for user in (ONE, TWO)
    ]
    assert not lines(office, Done)
    held = office.plan()
    assert held.changes == ()
    assert {one.note for one in held.pending} == {f"held until 2026-12-06 after the rollback of {run.id}"}
    assert {held.dispositions[user].state for user in (ONE, TWO)} == {"pending"}
    assert office.apply().outcomes == ()
    assert not lines(office, Flap)
    later(office, days=14)
    assert office.plan().changes == ()
    later(office, days=1)
    assert acts(office.plan()) == [("user.disable", f"user/{ONE}"), ("user.disable", f"user/{TWO}")]


def test_a_seat_that_was_given_back_counts_as_given_and_the_plan_says_that_it_is_on_hold() -> None:
    office = open_office(100)
    run = office.apply()
    plan = rollback(office, run)
    assert acts(plan) == [("membership.add", f"membership/{SEATS}/{ONE}")]
    office.apply(plan)
    held = office.plan()
    assert (held.changes, held.pending) == ((), ())
    disposition = held.dispositions[ONE]
    assert (disposition.state, disposition.reason) == ("unchanged", "hold")
    assert disposition.note == f"held until 2026-12-06 after the rollback of {run.id}"
    later(office, days=90)
    assert office.plan().changes == ()
    later(office, days=2)
    assert ("membership.remove", f"membership/{SEATS}/{ONE}") in acts(office.plan())


GONE = replace(DORMANT, ensure=replace(DORMANT.ensure, status="suspended"))


def test_what_a_run_did_of_an_earlier_one_that_was_interrupted_is_taken_back_too() -> None:
    office = open_office(100, 110, 3)
    office.under(policies=(GONE,))
    saved, stop, write = office.plan(), Stop(), office.site.write

    def interrupted(change: Change) -> Receipt:
        stop.ask()
        return write(change)

    office.site.write = interrupted  # type: ignore[method-assign]
    office.apply(saved, stop)
    office.site.write = write  # type: ignore[method-assign]
    later(office, minutes=1)
    between = people(office)
    run = office.apply(saved)
    assert f"user/{ONE}" in {one.address for one in run.outcomes}
    assert f"user/{ONE}" not in {one.address for one in run.plan.changes}
    plan = rollback(office, run)
    assert {address for _, address in acts(plan)} == {f"user/{ONE}", f"user/{TWO}", f"membership/{SEATS}/{TWO}"}
    assert acts(rollback(office, run, ONE)) == [("user.enable", f"user/{ONE}")]
    assert {one.result for one in office.apply(plan).outcomes} == {"applied"}
    assert people(office) == between


@pytest.mark.parametrize("gone", [True, False])
def test_an_approved_plan_that_is_not_the_recorded_one_is_not_taken_back(gone: bool) -> None:
    office = open_office(100)
    run = office.apply(office.plan())
    office.store.read()
    files = dict(office.store.run_files(run.id))
    path = f"runs/{run.id}/approved.json"
    files[path] += b" "
    if gone:
        del files[path]
    assert run.record.entry is not None
    with pytest.raises(StateError, match=r"approved\.json is not the file that the ledger names for this run"):
        recount(run.record.entry, files)


def test_a_change_that_stands_in_no_plan_of_the_run_is_never_left_out() -> None:
    office = open_office(100, 200)
    run = office.apply()
    path = f"runs/{run.id}/outcomes.jsonl"
    office.store.read()
    files = dict(office.store.run_files(run.id))
    files[path] = files[path].replace(run.outcomes[1].change.encode(), b"sha256:0")
    assert run.record.entry is not None
    digests = {**run.record.entry.digests, path: sha256(files[path])}
    entry = msgspec.structs.replace(run.record.entry, digests=digests)
    with pytest.raises(StateError, match=r"outcomes\.jsonl:2 tells of a change that stands in no plan of the run"):
        tuple(_did(recount(entry, files), "acme"))


def test_only_some_people_are_taken_back_and_the_rest_is_not_even_asked_about() -> None:
    office = open_office(100, 200)
    run = office.apply()
    plan = rollback(office, run, ONE)
    assert acts(plan) == [("membership.add", f"membership/{SEATS}/{ONE}")]
    undone = office.apply(plan)
    assert undone.choice.not_approved == ()
    assert [one.user for one in lines(office, Hold)] == [ONE]
    assert [one.user for one in lines(office, Done)] == [TWO]


def test_what_others_changed_since_is_left_alone_and_listed() -> None:
    office = office_of(SUSPENDED, open_office(100, 200, 300).site)
    run = office.apply()
    office.site.happens(ONE, status="active")
    office.site.happens(TWO, status="deactivated")
    plan = rollback(office, run)
    irreversible, left = parts(plan)
    assert irreversible == {}
    assert left == {f"user/{ONE}": "as-before", f"user/{TWO}": "changed-meanwhile"}
    assert acts(plan) == [("user.enable", "user/712020:0003")]


@pytest.mark.case("E56", "F8", "F10")
def test_what_changes_after_the_review_is_superseded_and_nothing_new_is_done() -> None:
    office = office_of(SUSPENDED, open_office(100, 200).site)
    run = office.apply()
    plan = rollback(office, run)
    office.site.happens(ONE, status="deactivated")
    undone = office.apply(plan)
    assert {one.user: one.result for one in undone.outcomes} == {ONE: "superseded", TWO: "applied"}
    assert people(office)[ONE].status == "deactivated"
    assert [one.user for one in lines(office, Hold)] == [TWO]


def test_a_change_that_a_later_run_made_again_is_not_taken_for_that_of_the_first_one() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    first = office.apply()
    later(office, hours=1)
    office.site.happens(ONE, status="active")
    office.under(guardrails=replace(office.policies.guardrails, grace=1))
    office.apply()
    later(office, days=3)
    second = office.apply()
    assert [one.result for one in second.outcomes] == ["applied"]
    assert parts(rollback(office, first))[1] == {f"user/{ONE}": "changed-by-a-later-run"}
    assert acts(rollback(office, second)) == [("user.enable", f"user/{ONE}")]


def test_nothing_is_taken_from_who_has_become_an_administrator_since_the_site_was_read() -> None:
    office = open_office(10, 20)
    office.under(policies=(OTHERS,))
    plan = rollback(office, office.apply(), ONE)
    assert acts(plan) == [("membership.remove", f"membership/g-others/{ONE}")]
    look, written = office.site.user, len(office.site.written)

    def promoted(account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        office.site.happens(ONE, admin=True)
        return look(account, questions)

    office.site.user = promoted  # type: ignore[method-assign]
    (outcome,) = office.apply(plan).outcomes
    assert (outcome.result, outcome.detail) == ("superseded", "the user is protected by now")
    assert len(office.site.written) == written


def test_what_was_given_is_taken_back_but_from_no_administrator_and_nobody_exempt() -> None:
    office = open_office(1, 2, 3)
    office.under(policies=(OTHERS,))
    run = office.apply()
    assert len(run.outcomes) == 3
    office.site.happens(ONE, admin=True)
    exempt = Exemption(account=TWO, reason="absence", owner="hr", until=date(2027, 1, 1), ticket="HR-1", document="x")
    office.under(exemptions=(exempt,))
    plan = rollback(office, run)
    assert acts(plan) == [("membership.remove", "membership/g-others/712020:0003")]
    assert parts(plan)[1] == {
        f"membership/g-others/{ONE}": "administrator",
        f"membership/g-others/{TWO}": "exempt",
    }


def test_nobody_who_is_protected_by_now_is_touched_and_an_exemption_stops_no_way_back() -> None:
    office = open_office(100, 200)
    run = office.apply()
    exempt = Exemption(account=TWO, reason="absence", owner="hr", until=date(2027, 1, 1), ticket="HR-1", document="x")
    office.under(protections=(Protection(name="vip", owner="s", accounts=(ONE,)),), exemptions=(exempt,))
    plan = rollback(office, run)
    assert acts(plan) == [("membership.add", f"membership/{SEATS}/{TWO}")]
    assert parts(plan)[1] == {f"membership/{SEATS}/{ONE}": "protected"}
    assert [one.result for one in office.apply(plan).outcomes] == ["applied"]


def test_no_more_seats_are_given_back_than_there_are() -> None:
    office = open_office(100, 200)
    run = office.apply()
    office.site.sells(2)
    plan = rollback(office, run)
    assert not plan.applyable
    assert [one.name for one in plan.checks if not one.passed] == ["seats"]


@pytest.mark.case("F7")
def test_a_rollback_is_under_the_same_caps_and_proposes_an_override_that_can_be_written() -> None:
    office = open_office(100, 200, 300)
    run = office.apply()
    caps = {**office.policies.guardrails.caps, "membership.add": Cap(1)}
    office.under(guardrails=replace(office.policies.guardrails, caps=caps))
    plan = rollback(office, run)
    assert not plan.applyable
    (check,) = [one for one in plan.checks if not one.passed]
    assert check.name == "cap:membership.add"
    assert "  max: 3" in check.override
    assert "policy:" not in check.override  # what a rollback asks for is no policy's
    with pytest.raises(ApprovalError, match="unsafe") as caught:
        office.apply(plan)
    assert f"`cleanup-gitops rollback {run.id} --out undo.json`" in caught.value.hint
    some = rollback(office, run, ONE, TWO)
    assert command_of(some) == f"cleanup-gitops rollback {run.id} --user {ONE} --user {TWO}"


def test_a_rollback_that_is_over_a_limit_when_it_is_applied_says_how_to_take_back_less() -> None:
    office = open_office(100, 200, 300)
    run = office.apply()
    plan = rollback(office, run)
    assert plan.applyable
    caps = {**office.policies.guardrails.caps, "membership.add": Cap(1)}
    office.under(guardrails=replace(office.policies.guardrails, caps=caps))
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply(plan)
    assert "Take back less at a time" in caught.value.hint
    assert "Narrow the policies" not in caught.value.hint


# -- what cannot be taken back -------------------------------------------------------------------


@pytest.mark.case("E73")
def test_a_group_that_was_deleted_is_not_made_again_and_the_rest_is_restored() -> None:
    office = open_office(100)
    two = replace(DORMANT, ensure=Ensure(groups_absent=("confluence-users-acme", "others"), where_groups="p.yaml:1"))
    office.under(policies=(two,))
    office.site.happens(ONE, groups=("g-others", SEATS))
    run = office.apply()
    assert len(run.outcomes) == 2
    office.site.delete_group("g-others")
    plan = rollback(office, run)
    assert acts(plan) == [("membership.add", f"membership/{SEATS}/{ONE}")]
    assert plan.rollback is not None
    (lost,) = plan.rollback.irreversible
    assert (lost.reason, lost.label) == ("group-gone", "others")
    assert [one.result for one in office.apply(plan).outcomes] == ["applied"]
    assert people(office)[ONE].groups == (SEATS,)


@pytest.mark.case("E74")
def test_a_removal_says_before_its_approval_that_it_takes_an_invitation_and_so_does_its_rollback() -> None:
    office = office_of(Ensure(status="removed"), Asked({}))
    planned = office.plan()
    assert planned.changes[0].note == "coming back takes a new invitation, new groups and new roles"
    run = office.apply(planned)
    plan = rollback(office, run)
    assert parts(plan)[0] == {f"user/{ONE}": "needs-invitation"}
    assert plan.changes == ()


@pytest.mark.parametrize(
    ("ensure", "facts", "reasons"),
    [
        (Ensure(no_access=True), DIRECT, {f"role/user/{ONE}": "role-not-granted-here"}),
        (Ensure(no_tokens=True), TOKENS, {f"token/{ONE}/t-1": "token-gone", f"token/{ONE}/t-2": "token-gone"}),
    ],
)
def test_roles_and_tokens_are_listed(ensure: Ensure, facts: dict[str, Any], reasons: dict[str, str]) -> None:
    office = office_of(ensure, Asked(facts))
    run = office.apply()
    assert {one.result for one in run.outcomes} == {"applied"}
    assert parts(rollback(office, run))[0] == reasons


@pytest.mark.parametrize("status", ["deactivated", "deleted"])
def test_a_whole_account_is_opened_again_when_the_organization_may(
    status: Literal["deactivated", "deleted"],
) -> None:
    office = office_of(Ensure(status=status), Asked({}))
    run = office.apply(office.plan())
    later(office, days=13)
    plan = rollback(office, run)
    assert acts(plan) == [("user.enable", f"user/{ONE}")]
    assert [one.result for one in office.apply(plan).outcomes] == ["applied"]
    assert people(office)[ONE].status == "active"


def test_a_deletion_can_be_stopped_for_fourteen_days() -> None:
    office = office_of(Ensure(status="deleted"), Asked({}))
    run = office.apply(office.plan())
    later(office, days=14)
    assert parts(rollback(office, run))[0] == {f"user/{ONE}": "deletion-final"}
    office.site.leaves(ONE)
    assert parts(rollback(office, run))[0] == {f"user/{ONE}": "account-gone"}


def test_an_account_that_was_closed_before_the_run_as_well_is_not_opened() -> None:
    office = office_of(Ensure(status="deactivated"), Asked({}))
    office.site.happens(ONE, status="suspended")
    office.under(
        policies=(replace(DORMANT, match=replace(DORMANT.match, all=()), ensure=Ensure(status="deactivated")),)
    )
    office.under(protections=(Protection(name="me", owner="s", accounts=(RUNNER,)),))
    run = office.apply()
    assert people(office)[ONE].status == "deactivated"
    plan = rollback(office, run)
    assert plan.changes == ()
    assert parts(plan)[0] == {f"user/{ONE}": "was-closed-before"}


def test_a_refusal_of_the_organization_is_a_conflict_that_the_plan_names() -> None:
    office = office_of(Ensure(status="deactivated"), Asked({}))
    run = office.apply()
    office.site.happens(ONE, lifecycle=Lifecycle("managedAccount", ""))
    plan = rollback(office, run)
    assert plan.changes == ()
    assert plan.dispositions[ONE].reason == "lifecycle-refused"


# -- late, cut off, unknown ----------------------------------------------------------------------


def test_what_showed_late_is_taken_back_and_what_never_showed_is_left() -> None:
    office = open_office(100)
    office.site.late = True
    run = office.apply()
    assert [one.result for one in run.outcomes] != ["applied"]
    assert parts(rollback(office, run))[1] == {f"membership/{SEATS}/{ONE}": "may-still-show"}
    later(office, hours=1)
    assert parts(rollback(office, run))[1] == {f"membership/{SEATS}/{ONE}": "as-before"}
    office.site.settle()
    office.site.late = False
    assert acts(rollback(office, run)) == [("membership.add", f"membership/{SEATS}/{ONE}")]


class Broken(FakeSite):
    """A site that ends a run in the middle of its first write, after it took effect."""

    def write(self, change: Change) -> Receipt:
        super().write(change)
        raise KeyboardInterrupt


def test_a_rollback_that_was_cut_off_holds_what_its_recovery_finds_in_effect() -> None:
    office = open_office(100)
    run = office.apply()
    plan = rollback(office, run)
    whole, office.site = office.site, Broken(office.site.read().inventory)
    with pytest.raises(KeyboardInterrupt):
        office.apply(plan)
    del whole
    (lease,) = (json.loads(data) for path, data in office.store.read().items() if path.startswith("leases/"))
    with pytest.raises(CleanupError, match="is under way or was cut off"):
        rollback(office, lease["run"])
    later(office, hours=1)
    office.recover(lease["run"])
    assert [entry.kind for entry in office.entries()] == ["run", "recovery"]
    assert [one.why for one in lines(office, Hold)] == ["rollback"]
    office.site = FakeSite(office.site.read().inventory)
    assert office.plan().changes == ()
    with pytest.raises(CleanupError, match="was a rollback itself"):
        rollback(office, lease["run"])


def test_a_run_that_was_recovered_can_be_taken_back() -> None:
    office = open_office(100, 200)
    office.site = Broken(office.site.read().inventory)
    with pytest.raises(KeyboardInterrupt):
        office.apply()
    (lease,) = (json.loads(data) for path, data in office.store.read().items() if path.startswith("leases/"))
    later(office, hours=1)
    office.recover(lease["run"])
    assert acts(rollback(office, lease["run"])) == [("membership.add", f"membership/{SEATS}/{ONE}")]


def test_a_run_that_is_not_there_or_did_nothing_is_refused() -> None:
    office = open_office(100)
    run = office.apply()
    with pytest.raises(CleanupError, match="There is no record of a run nowhere of acme"):
        rollback(office, "nowhere")
    with pytest.raises(CleanupError, match=f"{run.id} changed nothing of {TWO}"):
        rollback(office, run, TWO)
    empty = office.apply()
    with pytest.raises(CleanupError, match="changed nothing, so there is nothing"):
        rollback(office, empty)
    office.site.broken["read"] = [SiteError("The site answered 503.")]
    with pytest.raises(SiteError):
        office.apply()
    with pytest.raises(CleanupError, match="is a record of kind void"):
        rollback(office, office.entries()[-1].run)


def test_outcomes_that_are_not_those_of_the_ledger_are_refused() -> None:
    office = open_office(100)
    run = office.apply()
    repository = office.store.repository  # type: ignore[attr-defined]
    path = f"acme/runs/{run.id}/outcomes.jsonl"
    repository.files[path] = repository.files[path].replace(b'"applied"', b'"settling"')
    with pytest.raises(StateError, match="is not the file that the ledger names for this run"):
        rollback(office, run)


def test_apply_makes_the_rollback_again_and_refuses_one_whose_run_is_not_recorded() -> None:
    office = open_office(100)
    plan = rollback(office, office.apply())
    elsewhere = open_office(100)
    elsewhere.site = office.site
    with pytest.raises(CleanupError):
        elsewhere.apply(plan)
    assert len(office.site.written) == 1


# -- undone by others ----------------------------------------------------------------------------


def returns(office: Office) -> None:
    """An identity provider puts the person back."""
    office.site.happens(ONE, groups=(SEATS,), license="seat", seats=people(open_office(100))[ONE].seats)


@pytest.mark.case("E35", "E36")
def test_a_person_who_is_put_back_again_and_again_is_left_alone_and_named() -> None:
    office = open_office(100)
    forever = replace(DORMANT, match=replace(DORMANT.match, all=DORMANT.match.all[:1]))
    office.under(policies=(forever,), protections=(Protection(name="me", owner="s", accounts=(RUNNER,)),))
    for number in (1, 2, 3):
        assert [one.result for one in office.apply().outcomes] == ["applied"]
        later(office, hours=1)
        returns(office)
        assert [one.reason for one in office.plan().pending] == ["hold" if number < 3 else "flapping"]
        assert office.apply().outcomes == ()
        assert len(lines(office, Flap)[0].days) == number
        later(office, days=15)
    assert office.plan().changes == ()
    assert any("Look at the identity provider" in text for text in office.plan().warnings)
    later(office, days=300)
    assert office.apply().outcomes == ()


def test_what_was_undone_is_noticed_whoever_recorded_the_drift_before() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    first = office.apply()
    office.site.happens(ONE, status="active")
    plan = office.plan()
    assert plan.changes == ()
    assert [one.note for one in plan.pending] == [f"held until 2026-12-06: others undid what {first.id} had done"]
    run = office.apply()
    assert run.found is not None
    assert [entry.kind for entry in office.entries()] == ["run", "drift", "run"]
    assert [one.why for one in lines(office, Hold)] == ["restored"]
    assert not lines(office, Done)
    assert office.apply().found is None
    assert len(lines(office, Flap)[0].days) == 1


def test_what_shows_late_is_neither_an_undo_nor_forgotten() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    office.site.late = True
    office.apply()
    assert len(lines(office, Done)) == 1
    assert office.plan().pending == ()
    office.site.settle()
    office.site.late = False
    office.apply()
    assert not lines(office, Flap)
    assert len(lines(office, Done)) == 1
    office.site.happens(ONE, status="active")
    assert len(office.plan().pending) == 1


def test_what_never_showed_is_given_up_with_the_wait_for_it() -> None:
    office = open_office(100)
    office.site.deaf = True
    office.apply()
    assert len(lines(office, Done)) == 1
    later(office, days=31)
    office.under(policies=())
    office.apply()
    assert not lines(office, Done)


def test_a_stopped_rollback_holds_only_what_it_reached() -> None:
    office = open_office(100, 200)
    plan = rollback(office, office.apply())
    stop = Stop()

    class Stopping(FakeSite):
        def write(self, change: Change) -> Receipt:
            stop.ask()
            return super().write(change)

    office.site = Stopping(office.site.read().inventory)
    run = office.apply(plan, stop)
    assert sorted(one.result for one in run.outcomes) == ["applied", "not_attempted"]
    assert len(lines(office, Hold)) == 1


HELD = {"hold": Held("hold", date(2026, 12, 6), "held"), "flapping": Held("flapping", None, "often")}


@pytest.mark.parametrize(("reason", "goes_on"), [("no-policy-matches", True), ("hold", False), ("flapping", False)])
def test_what_is_left_of_somebody_is_not_gone_on_with_while_policies_hold_still(reason: str, goes_on: bool) -> None:
    office = open_office(100)
    office.under(policies=(replace(DORMANT, ensure=replace(DORMANT.ensure, status="suspended")),))
    saved = office.plan()
    leave, suspend = sorted(saved.changes, key=lambda one: one.action)
    office.site.write(leave)
    current = msgspec.structs.replace(
        office.plan(), changes=(), dispositions={ONE: Disposition("unchanged", reason)}, inputs=saved.inputs
    )
    choice = Choice(changes=(), superseded=(suspend,), consumed=(leave,))
    site, made = office.site.read().inventory, {change_digest(leave)}
    holds = Holds({ONE: {DORMANT.name: HELD[reason]}} if reason in HELD else {})
    evaluation = evaluate(site, office.policies, office.clock.now(), holds=holds)

    def ask(inventory: Inventory, accounts: frozenset[str]) -> tuple[Inventory, Questions]:
        return inventory, {one: frozenset() for one in accounts}

    found = resumed(choice, saved, current, site, office.site, ask, evaluation, made)
    assert (found.choice.changes, set(found.begun)) == (((suspend,), {ONE}) if goes_on else ((), set()))
    waiting = msgspec.structs.replace(current, pending=(Pending(change=suspend, reason="hold"),))
    assert resumed(choice, saved, waiting, site, office.site, ask, evaluation, made) == Resumed(choice)
