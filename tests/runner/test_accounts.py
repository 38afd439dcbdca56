"""Whole accounts, direct roles and API tokens: asked again before each write, read back after it, recorded by id."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import ApprovalError, RefusedError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.model.standing import Missing
from cleanup_gitops.model.user import GroupSeat, Lifecycle, Question, RoleSeat, User
from cleanup_gitops.policy.documents import Ensure, Exemption
from cleanup_gitops.policy.guardrails import DEFAULT_ALLOW
from cleanup_gitops.runner.desk import BrokenGuardsError
from tests.fakes import NOON, FakeSite
from tests.runner.office import DORMANT, ROOMY, SEATS, SECOND, Office, office_site, open_office

ACCOUNT = "712020:0001"


def truth(facts: dict[str, Any]) -> Inventory:
    """The office with one dormant person; what must be asked is known, and this of the person."""
    found = office_site(100)
    told: dict[str, Any] = {"direct": (), "lifecycle": Lifecycle("", ""), "tokens": (), "roles": ()}
    users = (msgspec.structs.replace(user, **(told | facts if user.id == ACCOUNT else told)) for user in found.users)
    return msgspec.structs.replace(found, users=tuple(users))


class Asked(FakeSite):
    """A site that must be asked, on which ``meanwhile`` happens to the person after the plan was made."""

    def __init__(self, facts: dict[str, Any], meanwhile: dict[str, Any] | None = None) -> None:
        super().__init__(office_site(100), asked=truth(facts))
        self.meanwhile = meanwhile

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        if self.meanwhile is not None:
            self.happens(ACCOUNT, **self.meanwhile)
            self.meanwhile = None
        return super().user(account, questions)


def office_of(ensure: Ensure, site: FakeSite) -> Office:
    """An office in which everybody who is dormant has to be in this state."""
    office = open_office()
    office.site = site
    office.under(policies=(replace(DORMANT, ensure=ensure),))
    return office


DIRECT = {"direct": ("user",), "seats": (GroupSeat((SEATS,)), RoleSeat("user"))}
TOKENS = {"tokens": ("t-1", "t-2")}
DEACTIVATED = Ensure(status="deactivated")
DELETED = Ensure(status="deleted")
REMOVED = Ensure(status="removed")
NO_ACCESS = Ensure(no_access=True)
NO_TOKENS = Ensure(no_tokens=True)


@pytest.mark.parametrize(
    ("ensure", "facts", "done"),
    [
        (DEACTIVATED, {}, ["user.deactivate"]),
        (REMOVED, {}, ["user.remove"]),
        (DELETED, {}, ["user.delete"]),
        (NO_ACCESS, DIRECT, ["role.revoke", "membership.remove"]),
        (NO_TOKENS, TOKENS, ["tokens.revoke", "tokens.revoke"]),
        (replace(DEACTIVATED, no_tokens=True, no_access=True), DIRECT | TOKENS,
         ["tokens.revoke", "tokens.revoke", "role.revoke", "membership.remove", "user.deactivate"]),
    ],
)  # fmt: skip
def test_every_change_is_made_seen_and_not_planned_again(
    ensure: Ensure, facts: dict[str, Any], done: list[str]
) -> None:
    office = office_of(ensure, Asked(facts))
    run = office.apply(office.plan())
    assert [(one.action, one.result, one.verified) for one in run.outcomes] == [(one, "applied", NOON) for one in done]
    assert not office.plan().changes
    assert office.apply().commit


@pytest.mark.parametrize(
    ("ensure", "facts", "meanwhile", "result", "why"),
    [
        (DEACTIVATED, {}, {"lifecycle": Lifecycle("externalDirectory.scim", "")}, "superseded",
         "the account may no longer be changed by its organization, or the site no longer tells"),
        (DEACTIVATED, {}, {"lifecycle": None}, "superseded",
         "the account may no longer be changed by its organization, or the site no longer tells"),
        (DELETED, {}, {"lifecycle": Lifecycle("", "managedAccount")}, "superseded",
         "the account may no longer be changed by its organization, or the site no longer tells"),
        (DEACTIVATED, {}, {"status": "deactivated"}, "already", ""),
        (DELETED, {}, {"status": "deleting"}, "already", ""),
        (REMOVED, {}, {"status": "absent"}, "already", ""),
        (DEACTIVATED, {}, {"status": "suspended"}, "superseded", "the status is no longer active"),
        (NO_TOKENS, {"tokens": ("t-1",)}, {"tokens": ()}, "already", ""),
        (NO_TOKENS, {"tokens": ("t-1",)}, {"tokens": None}, "superseded",
         "the API token is gone, or the site no longer tells"),
    ],
)  # fmt: skip
def test_what_changed_meanwhile_is_not_overrun(
    ensure: Ensure, facts: dict[str, Any], meanwhile: dict[str, Any], result: str, why: str
) -> None:
    office = office_of(ensure, Asked(facts, meanwhile))
    run = office.apply(office.plan() if ensure == DELETED else None)
    assert [(one.result, one.detail) for one in run.outcomes] == [(result, why)]
    assert not office.site.written


@pytest.mark.case("E6")
def test_somebody_who_wrote_something_meanwhile_has_come_back() -> None:
    office = office_of(DEACTIVATED, Asked({}, {"seen": seen_at(NOON, "content")}))
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["superseded"]
    assert "seen again in confluence" in run.outcomes[0].detail
    assert not office.site.written
    before_the_write = [one for account, one in office.site.questions if account == ACCOUNT][1:]
    assert before_the_write == [frozenset({"content", "lifecycle"})]


def test_a_question_without_an_answer_before_the_write_stops_that_row() -> None:
    site = Asked(DIRECT)
    office = office_of(NO_ACCESS, site)
    saved = office.plan()

    class Mute(Asked):
        def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
            self.silent = {(ACCOUNT, "roles")}
            return super().user(account, questions)

    office.site = Mute(DIRECT)
    run = office.apply(saved)
    assert [(one.action, one.result) for one in run.outcomes] == [
        ("role.revoke", "superseded"),
        ("membership.remove", "superseded"),
    ]
    assert not office.site.written


@pytest.mark.case("E47")
@pytest.mark.parametrize(
    ("ensure", "result"), [(REMOVED, "already"), (DELETED, "already"), (DEACTIVATED, "superseded")]
)
def test_an_account_that_is_gone_is_done_when_it_was_to_go(ensure: Ensure, result: str) -> None:
    office = office_of(ensure, Asked({}))
    saved = office.plan()

    class Gone(Asked):
        def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
            self.leaves(account)
            return super().user(account, questions)

    office.site = Gone({})
    assert [one.result for one in office.apply(saved).outcomes] == [result]
    assert not office.site.written


@pytest.mark.case("E66")
@pytest.mark.parametrize(
    ("ensure", "facts"), [(NO_ACCESS, DIRECT), (NO_TOKENS, TOKENS), (DEACTIVATED, {}), (REMOVED, {})]
)
@pytest.mark.parametrize("shows", [True, False])
def test_a_late_effect_is_looked_for_at_the_end_of_the_run(ensure: Ensure, facts: dict[str, Any], shows: bool) -> None:
    class Slow(Asked):
        def read(self) -> Live:
            if self.written and shows:
                self.settle()
            live = super().read()
            if self.written:
                office.clock.sleep(2 * 3600)
                live = Live(msgspec.structs.replace(live.inventory, as_of=office.clock.now()), live.people)
            return live

    office = office_of(ensure, Slow(facts))
    office.site.late = True
    run = office.apply()
    assert {one.result for one in run.outcomes} == ({"applied"} if shows else {"not_effective"})
    assert run.failed is not shows
    assert run.commit


@pytest.mark.case("E45")
def test_a_refusal_of_one_account_is_said_and_stops_nobody_else() -> None:
    class Refusing(Asked):
        def write(self, change: Change) -> Receipt:
            if change.action == "user.deactivate":
                raise RefusedError("The site refused: externalDirectory.google.")
            return super().write(change)

    office = office_of(replace(DEACTIVATED, no_tokens=True), Refusing(TOKENS))
    run = office.apply()
    assert [(one.action, one.result) for one in run.outcomes] == [
        ("tokens.revoke", "applied"),
        ("tokens.revoke", "applied"),
        ("user.deactivate", "failed"),
    ]


def test_nobody_is_deleted_without_a_plan_that_somebody_has_seen() -> None:
    office = office_of(DELETED, Asked({}))
    with pytest.raises(ApprovalError, match="would delete 1 account: that takes a saved plan") as caught:
        office.apply()
    assert caught.value.exit_code == 4
    assert not office.site.written
    assert not office.store.read()
    assert [one.result for one in office.apply(office.plan()).outcomes] == ["applied"]


@pytest.mark.case("E75")
def test_nobody_is_deleted_when_nobody_else_has_approved_it() -> None:
    office = office_of(replace(DELETED, no_tokens=True), Asked(TOKENS))
    saved = office.plan()
    run = office.apply(saved, second=Missing("there is no tag"))
    assert not office.site.written
    assert run.choice.unseconded
    assert {(one.change.action, one.code, one.until) for one in run.choice.left} == {
        ("tokens.revoke", "not-approved", None),
        ("user.delete", "not-approved", None),
    }
    assert "deleting takes a second approval: there is no tag" in {one.why for one in run.choice.left}
    assert run.commit
    again = office.apply(saved)  # nothing of the saved plan is consumed
    assert [one.result for one in again.outcomes] == ["applied"] * 3
    assert again.intent
    assert again.intent.second == SECOND


@pytest.mark.case("E75")
def test_who_is_not_to_be_deleted_does_not_wait_for_a_second_approval() -> None:
    office = office_of(DEACTIVATED, Asked({}))
    run = office.apply(office.plan(), second=Missing("there is no tag"))
    assert [one.action for one in run.outcomes] == ["user.deactivate"]
    assert run.intent
    assert run.intent.second is None


@pytest.mark.parametrize("ensure", [REMOVED, DELETED])
def test_what_cannot_be_taken_back_needs_a_line_in_guardrails(ensure: Ensure) -> None:
    office = office_of(ensure, Asked({}))
    office.under(guardrails=replace(ROOMY, allow=DEFAULT_ALLOW))
    with pytest.raises(BrokenGuardsError, match=r"write under spec of a Guardrails document: allow: \[user\."):
        office.apply()
    assert not office.site.written


@pytest.mark.case("E46")
def test_accounts_are_never_joined_by_their_address() -> None:
    """Somebody came back with a new account: the old one is dormant, and what is said about one is not said of both."""
    people = People({one: Person("Ada Example", "ada@acme.com") for one in (ACCOUNT, "712020:0002")})
    office = open_office(100, 0)
    office.site = FakeSite(office_site(100, 0), people)
    leave = Exemption(
        account="712020:0002", reason="absence", owner="o@acme.com", until=NOON.date(), ticket="T-1", document="leave"
    )
    office.under(exemptions=(leave,))
    run = office.apply()
    assert [(one.user, one.result) for one in run.outcomes] == [(ACCOUNT, "applied")]
    assert run.plan.dispositions["712020:0002"].state == "exempt"
    recorded = b"".join(office.store.read().values())
    assert b"ada@acme.com" not in recorded
    assert b"Ada" not in recorded
    rows = [json.loads(line) for path, data in office.store.read().items() if path.startswith("accounts/")
            for line in data.splitlines()]  # fmt: skip
    assert {row["id"] for row in rows} >= {ACCOUNT, "712020:0002"}
