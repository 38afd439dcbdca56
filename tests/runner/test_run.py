"""Carrying out: needs before, read-back after, one bad user stops nobody, a failing site stops all."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.activity import Unknown, seen_at
from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    UserDisable,
    UserEnable,
    execution_order,
)
from cleanup_gitops.model.errors import CredentialError, LostAnswerError, RefusedError, SiteError, StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.model.user import GroupSeat, Question, User
from cleanup_gitops.policy.documents import Ensure, Protection
from cleanup_gitops.policy.guarding import Override
from cleanup_gitops.policy.tree import InGroup
from cleanup_gitops.runner import Stop
from cleanup_gitops.runner.desk import UnrecordedError
from tests.fakes import NOON, FakeSite
from tests.runner.office import DORMANT, SEATS, Office, office_site, open_git_office, open_office


def results(office: Office, stop: Stop | None = None) -> dict[str, tuple[str, str]]:
    run = office.apply(stop=stop)
    return {one.user[-4:]: (one.result, one.detail) for one in run.outcomes}


class Meddled(FakeSite):
    """A site on which somebody acts between the plan and the look before the write."""

    def __init__(self, *idle: int, **facts: object) -> None:
        super().__init__(office_site(*idle))
        self.facts = facts
        self.looked = False

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        if not self.looked:
            self.looked = True
            self.happens("712020:0001", **self.facts)
        return super().user(account, questions)


@pytest.mark.parametrize(
    ("facts", "result", "why"),
    [
        ({"status": "suspended"}, "superseded", "the status is no longer active"),
        (
            {"seen": seen_at(office_site().as_of)},
            "superseded",
            "the user was seen again in confluence, or the site no longer tells",
        ),
        (
            {"seen": Unknown("no answer")},
            "superseded",
            "the user was seen again in confluence, or the site no longer tells",
        ),
        ({"groups": None}, "superseded", "the membership was changed meanwhile"),
        ({"groups": ()}, "already", ""),
    ],
)
@pytest.mark.case("E6", "E56", "F10")
def test_what_changed_meanwhile_is_not_overrun(facts: dict[str, object], result: str, why: str) -> None:
    office = open_office(100)
    office.site = Meddled(100, **facts)
    assert results(office) == {"0001": (result, why)}
    assert not office.site.written


def test_a_group_that_can_no_longer_be_changed_is_not_tried() -> None:
    office = open_office(100)

    class Locked(FakeSite):
        def group_modifiable(self, group: str) -> bool | None:
            del group
            return None

    office.site = Locked(office_site(100))
    assert results(office) == {"0001": ("superseded", "the group can no longer be changed here")}


@pytest.mark.case("F16")
def test_one_refusal_stops_nobody_else() -> None:
    office = open_office(100, 200, 300)
    office.site.broken["write"] = [None, RefusedError("The site answered 403 ADMIN-403-5.")]
    assert results(office) == {
        "0001": ("applied", ""),
        "0002": ("failed", "The site answered 403 ADMIN-403-5."),
        "0003": ("applied", ""),
    }


def test_a_refusal_because_somebody_was_faster_is_no_failure() -> None:
    office = open_office(100)

    class Faster(FakeSite):
        def write(self, change: Change) -> Receipt:
            super().write(change)
            raise RefusedError("The site answered 409.")

    office.site = Faster(office_site(100))
    assert results(office) == {"0001": ("already", "The site answered 409.")}


@pytest.mark.case("E63")
def test_a_lost_answer_is_read_back_and_never_sent_again() -> None:
    office = open_office(100, 200)

    class Lossy(FakeSite):
        def write(self, change: Change) -> Receipt:
            super().write(change)
            raise LostAnswerError("No answer to POST.")

    office.site = Lossy(office_site(100, 200))
    assert results(office) == {"0001": ("applied", ""), "0002": ("applied", "")}
    assert len(office.site.written) == 2


@pytest.mark.case("E63")
def test_a_lost_answer_without_a_visible_effect_stays_open_and_can_be_tried_again() -> None:
    office = open_office(100)
    office.site.broken["write"] = [LostAnswerError("No answer to POST")]
    saved = office.plan()
    run = office.apply(saved)
    assert run.outcomes[0].result == "settling"
    assert run.outcomes[0].detail == "No answer to POST: the answer was lost, but not visible yet"
    assert run.failed
    office.clock.sleep(600)
    assert office.apply(saved).outcomes[0].result == "applied"


@pytest.mark.case("E63")
def test_a_lost_answer_is_judged_by_the_last_reading() -> None:
    office = open_office(100)

    class Late(FakeSite):
        def write(self, change: Change) -> Receipt:
            super().write(change)
            raise LostAnswerError("No answer")

        def read(self) -> Live:
            self.settle()
            return super().read()

    office.site = Late(office_site(100))
    office.site.late = True
    assert results(office) == {"0001": ("applied", "")}


def test_an_account_that_cannot_be_read_stops_nobody_else() -> None:
    office = open_office(100, 200)
    office.site.broken["user"] = [RefusedError("The site answered 400 for 712020:0001.")]
    assert results(office) == {
        "0001": ("failed", "The site answered 400 for 712020:0001."),
        "0002": ("applied", ""),
    }


def test_a_defect_of_ours_in_the_middle_loses_no_record() -> None:
    office = open_office(100, 200, 300)
    office.site.broken["write"] = [None, KeyError("ours")]  # type: ignore[list-item]
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied", "settling", "not_attempted"]
    assert "a defect of cleanup-gitops (KeyError)" in run.outcomes[2].detail
    assert run.commit


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"groups": (SEATS, "g-others")}, "the user is protected by now"),
        ({"groups": (SEATS, "g-new")}, "the user is in a group that is newer than the plan"),
        ({"directory": "second"}, "the account is in another directory by now"),
        ({"admin": True}, "the user is protected by now"),
        ({"admin": None}, "the user is protected by now"),
        ({"kind": "service"}, "the user is protected by now"),
        ({"license": "guest"}, "no longer planned: unchanged (no-policy-matches)"),
    ],
)
@pytest.mark.case("E56", "F10")
def test_the_policies_decide_again_about_the_user_as_read_before_the_write(facts: dict[str, object], why: str) -> None:
    office = open_office(100)
    office.site = Meddled(100, **facts)
    protection = Protection(name="others", owner="s@acme.com", groups=("others",))
    office.under(protections=(protection,))
    assert results(office) == {"0001": ("superseded", why)}
    assert not office.site.written


def test_nothing_is_written_to_a_site_when_nothing_could_be_recorded(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100)
    lock = tmp_path / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(StateError, match="Another git command"):
        office.apply()
    lock.unlink()
    (tmp_path / "state").write_text("a file where the folder belongs")
    with pytest.raises(StateError):
        office.apply()
    assert not office.site.written


def test_a_detached_head_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100, 10)
    office.site.happens("712020:0001", seen=seen_at(office.clock.now()))
    office.apply()
    subprocess.run(["git", "-C", str(tmp_path), "checkout", "-q", "--detach"], check=True)
    with pytest.raises(StateError, match="detached"):
        office.apply()


def test_a_store_with_a_relative_path_records_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = open_git_office(tmp_path / "here", 100)
    monkeypatch.chdir(tmp_path)
    office.store = GitStore(Path("here"), "acme")
    assert office.apply().commit


def test_a_plan_for_one_directory_says_nothing_about_another() -> None:
    office = open_office(100)
    saved = office.plan()
    moved = tuple(msgspec.structs.replace(user, directory="other") for user in office_site(100).users)
    groups = tuple(msgspec.structs.replace(group, directory="other") for group in office_site(100).groups)
    office.site = FakeSite(msgspec.structs.replace(office_site(100), users=moved, groups=groups))
    run = office.apply(saved)
    assert run.nothing_in_common
    assert not office.site.written


def test_one_user_is_done_before_the_next_and_loses_no_access_in_between() -> None:
    changes: list[Change] = [
        UserDisable(address="user/u", user="u", directory="d", old="active", new="suspended"),
        MembershipRemove(address="membership/g/u", user="u", directory="d", group="g"),
        MembershipAdd(address="membership/h/u", user="u", directory="d", group="h"),
        UserEnable(address="user/t", user="t", directory="d", old="suspended", new="active"),
    ]
    done = sorted(changes, key=execution_order)
    assert [(one.user, one.action) for one in done] == [
        ("t", "user.enable"),
        ("u", "membership.add"),
        ("u", "membership.remove"),
        ("u", "user.disable"),
    ]


def test_a_bad_credential_stops_everything_and_says_what_was_not_attempted() -> None:
    office = open_office(100, 200, 300)
    office.site.broken["write"] = [None, CredentialError("The key was refused (401).")]
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied", "not_attempted", "not_attempted"]
    assert "The key was refused (401)." in run.outcomes[2].detail
    assert run.failed
    assert run.commit


def test_a_clean_end_finishes_the_change_under_way_and_records_the_rest() -> None:
    office = open_office(100, 200)
    stop = Stop()

    class Interrupting(FakeSite):
        def write(self, change: Change) -> Receipt:
            stop.ask()
            return super().write(change)

    office.site = Interrupting(office_site(100, 200))
    office.site.broken["read"] = [None, AssertionError("read again")]  # type: ignore[list-item]
    run = office.apply(stop=stop)
    assert [(one.result, one.detail) for one in run.outcomes] == [
        ("applied", ""),
        ("not_attempted", "the run was interrupted"),
    ]
    assert run.unread == "the run was interrupted."
    assert [step for step in office.progress.steps if step[0] == "applying"] == [("applying", 1, 2)]
    assert run.commit
    office.site.broken.clear()
    assert office.apply().found is None  # what was done is known as ours


@pytest.mark.case("F17")
def test_an_effect_that_shows_late_is_settling_and_counts_when_the_last_reading_shows_it() -> None:
    office = open_office(100)
    office.site.late = True
    assert results(office) == {"0001": ("settling", "accepted, but not visible yet")}
    assert office.clock.slept == [1.0, 2.0, 4.0]
    office.site.settle()
    assert not office.plan().changes


@pytest.mark.case("E66", "F17")
def test_a_change_that_was_accepted_and_never_shows_is_not_effective() -> None:
    office = open_office(100)

    class Slow(FakeSite):
        def read(self) -> Live:
            live = super().read()
            if self.written:
                office.clock.sleep(600)
                late = msgspec.structs.replace(live.inventory, as_of=office.clock.now())
                live = Live(late, live.people)
            return live

    office.site = Slow(office_site(100))
    office.site.late = True
    run = office.apply()
    assert run.outcomes[0].result == "not_effective"
    assert run.failed


def test_a_site_that_cannot_be_read_again_keeps_the_reading_before_and_says_so() -> None:
    office = open_office(100)
    office.site.broken["read"] = [None, SiteError("The site answered 503.")]
    run = office.apply()
    assert run.unread == "The site answered 503."
    assert run.outcomes[0].result == "applied"
    assert SEATS in (run.live.inventory.user_by_id["712020:0001"].groups or ())
    assert run.commit


class Shrinking(FakeSite):
    """A site whose lists come back short from the second reading on."""

    def __init__(self, *idle: int) -> None:
        super().__init__(office_site(*idle))
        self.readings = 0

    def read(self) -> Live:
        self.readings += 1
        live = super().read()
        if self.readings < 2:
            return live
        return Live(msgspec.structs.replace(live.inventory, users=live.inventory.users[-10:]), live.people)


@pytest.mark.case("F1")
def test_a_short_reading_after_the_run_is_not_what_the_next_one_is_compared_with() -> None:
    office = open_office()
    office.site = Shrinking(*[100] * 2, *[3] * 39)
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied"] * 2
    assert run.unread.startswith("the reading after the run looks like a fault of the data: ")
    assert "accounts 42 -> 10 (77 % fewer)" in run.unread
    assert len(run.live.inventory.users) == 42
    baseline = memory_of(office.store.read()).baseline
    assert baseline is not None
    assert baseline.accounts == 42
    assert [check.name for check in office.plan().checks if not check.passed] == ["reading:drop"]


@pytest.mark.case("F1")
def test_no_override_of_the_drop_lets_in_what_fell_within_a_run() -> None:
    office = open_office()
    office.site = Shrinking(*[100] * 2, *[3] * 39)
    until = (office.clock.now() + timedelta(days=3)).date()
    lifted = Override(
        name="first", guard="reading.max_drop", max=90, until=until, reason="first-run", ticket="CHG-1", where="o:1"
    )
    office.under(overrides=(lifted,))
    assert "accounts 42 -> 10" in office.apply().unread


@pytest.mark.case("F1")
@pytest.mark.parametrize("status", [None, "suspended", "removed"])
def test_what_the_run_did_itself_is_no_drop(status: Literal["suspended", "removed"] | None) -> None:
    office = open_office(*[100] * 30, *[3] * 10)
    ensure = DORMANT.ensure if status is None else Ensure(status=status)
    office.under(policies=(replace(DORMANT, ensure=ensure),))
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied"] * 30
    assert run.unread == ""
    baseline = memory_of(office.store.read()).baseline
    assert baseline is not None
    assert (baseline.accounts, baseline.seats) == (11 if status == "removed" else 41, 11)


def test_a_defect_of_ours_in_the_last_reading_loses_no_record() -> None:
    office = open_office(100)
    office.site.broken["read"] = [None, KeyError("ours")]  # type: ignore[list-item]
    run = office.apply()
    assert run.unread == "a defect of cleanup-gitops (KeyError)."
    assert run.outcomes[0].result == "applied"
    assert run.commit


def test_after_a_refusal_the_next_change_of_the_same_user_is_decided_anew() -> None:
    office = open_office(100)
    office.under(policies=(DORMANT, replace(DORMANT, name="others-too", ensure=Ensure(groups_absent=("others",)))))

    class Refusing(FakeSite):
        def write(self, change: Change) -> Receipt:
            del change
            self.happens("712020:0001", license="guest")
            raise RefusedError("The site answered 403.")

    office.site = Refusing(office_site(100))
    office.site.happens("712020:0001", groups=("g-others", SEATS))
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["failed", "superseded"]
    assert run.outcomes[1].detail == "no longer planned: unchanged (no-policy-matches)"


MOVE = replace(DORMANT, ensure=Ensure(groups_present=("others",), groups_absent=("confluence-users-acme",)))


@pytest.mark.parametrize("refused", [True, False])
def test_from_whom_does_not_get_what_comes_first_nothing_is_taken(refused: bool) -> None:
    """Who is to go from one group to the other is never left without both."""
    office = open_office(100)
    office.under(policies=(MOVE,))

    class Refusing(FakeSite):
        def write(self, change: Change) -> Receipt:
            if change.action == "membership.add" and refused:
                raise RefusedError("The site answered 403.")
            return super().write(change)

    office.site = Refusing(office_site(100))
    run = office.apply(office.plan())
    assert [one.result for one in run.outcomes] == (["failed", "not_attempted"] if refused else ["applied"] * 2)
    assert office.site.read().inventory.user_by_id["712020:0001"].groups == ((SEATS,) if refused else ("g-others",))


def test_when_what_was_to_come_first_is_planned_no_longer_nothing_is_taken() -> None:
    office = open_office(100)
    office.under(policies=(MOVE,))
    saved = office.plan()
    office.site = FakeSite(regrouped(office_site(100), "g-others", "g-others-made-anew"))
    run = office.apply(saved)
    assert {one.action: one.result for one in run.outcomes} == {
        "membership.remove": "not_attempted",
        "membership.add": "superseded",
    }
    assert not office.site.written


def regrouped(site: Inventory, old: str, new: str) -> Inventory:
    """The site after somebody deleted a group and made it again."""
    groups = tuple(msgspec.structs.replace(one, id=new) if one.id == old else one for one in site.groups)
    return msgspec.structs.replace(site, groups=groups)


SUSPEND = replace(
    DORMANT,
    match=replace(DORMANT.match, none=(InGroup(("others",)),)),
    ensure=Ensure(status="suspended", groups_absent=("confluence-users-acme",)),
)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"groups": (SEATS,), "seats": (GroupSeat((SEATS,)),), "license": "seat"}, "undone meanwhile"),
        ({"groups": ("g-others",)}, "no longer planned: unchanged"),
        ({"seen": seen_at(NOON)}, "seen again"),
    ],
)
def test_between_two_changes_of_a_user_others_are_listened_to(facts: dict[str, object], why: str) -> None:
    office = open_office(100)
    office.under(policies=(SUSPEND,))

    class Interfering(FakeSite):
        looks = 0

        def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
            self.looks += bool(self.written)
            if self.looks == 2:  # the first look is the one that sees the change in effect
                self.happens(account, **facts)
            return super().user(account, questions)

    office.site = Interfering(office_site(100))
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied", "superseded"]
    assert why in run.outcomes[1].detail


def test_between_two_changes_of_a_user_nobody_else_touched_nothing_changes() -> None:
    office = open_office(100)
    office.under(policies=(SUSPEND,))
    assert [one.result for one in office.apply().outcomes] == ["applied", "applied"]


def test_a_record_that_cannot_be_committed_is_not_lost(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100)

    class Interfering(FakeSite):
        def write(self, change: Change) -> Receipt:
            (tmp_path / "state" / "acme").mkdir(parents=True, exist_ok=True)
            (tmp_path / "state" / "acme" / "note.txt").write_text("mine")
            return super().write(change)

    office.site = Interfering(office_site(100))
    with pytest.raises(UnrecordedError, match="carried out but not recorded") as caught:
        office.apply()
    assert isinstance(caught.value, StateError)
    assert caught.value.run.outcomes[0].result == "applied"
    assert any(path.endswith("outcomes.jsonl") for path in caught.value.run.record.files)


def test_the_record_says_who_what_why_before_and_after(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100)
    run = office.apply(office.plan())
    folder = tmp_path / "state" / "acme" / "runs" / run.id
    (line,) = (folder / "outcomes.jsonl").read_text().splitlines()
    outcome = json.loads(line)
    assert outcome["user"] == "712020:0001"
    assert (outcome["before"], outcome["after"]) == ({"member": True}, {"member": False})
    assert outcome["causes"][0]["policy"] == "dormant"
    assert outcome["verified"] == "2026-11-22T12:00:00Z"
    assert outcome["receipt"]["status"] == 204
    assert {path.name for path in folder.iterdir()} == {"approved.json", "intent.json", "outcomes.jsonl", "plan.json"}
    log = subprocess.run(["git", "-C", str(tmp_path), "log", "-1"], check=True, capture_output=True, text=True).stdout
    assert f"Run-Id: {run.id}" in log
    assert "Approved-by: 712020:runner" in log
