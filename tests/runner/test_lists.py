"""An apply with a list of people: it stays the same all through, and who is meant is decided anew before a write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.policy.lists import Lists, user_list
from cleanup_gitops.policy.tree import ListedIn, Match, NameIs, Node
from cleanup_gitops.runner import Run, Stop, execute
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.desk import Desk
from tests.fakes import FakeProgress, FakeSite
from tests.runner.office import DORMANT, Office, office_site, open_office

ADA, BO = "712020:0001", "712020:0002"
PEOPLE = People({ADA: Person("Ada Example", "ada@acme.com"), BO: Person("Bo Example", "bo@acme.com")})
BY_EMAIL = ListedIn("mail", "email", env="LEAVERS")
LISTED = Lists({BY_EMAIL: user_list(BY_EMAIL, b"mail\nada@acme.com\ngone@acme.com\n")})


class Meddled(FakeSite):
    """A site on which something happens to Ada between the plan and the look before the write."""

    def __init__(self, **meanwhile: Any) -> None:  # noqa: ANN401 - any field of a user
        super().__init__(office_site(0, 0), PEOPLE)
        self.meanwhile = meanwhile

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        facts, self.meanwhile = self.meanwhile, {}
        self.happens(ADA, **facts)
        return super().user(account, questions)


def office_of(site: FakeSite, node: Node) -> Office:
    office = open_office()
    office.site = site
    office.under(policies=(replace(DORMANT, match=Match(all=(node,))),))
    return office


def apply(office: Office) -> Run:
    hands = Hands(office.site, office.site, office.clock, FakeProgress())
    desk = Desk(office.policies, hands, office.store, "0", frozenset({"acme.com"}), lists=LISTED)
    return execute(desk, saved=None, stop=Stop())


def results(run: Run) -> list[tuple[str, str, str]]:
    return [(one.user, one.result, one.detail) for one in run.outcomes]


@pytest.mark.case("E79", "F21")
def test_who_is_listed_is_changed_and_the_ledger_keeps_the_list_without_its_people() -> None:
    office = office_of(Meddled(), BY_EMAIL)
    run = apply(office)
    assert results(run) == [(ADA, "applied", "")]
    files = office.store.read() | office.store.run_files(run.id)
    (plan,) = (data for path, data in files.items() if path.endswith("/plan.json"))
    listed = read_plan(plan).inputs.lists
    assert listed
    assert [(one.name, one.rows) for one in listed] == [("LEAVERS", 2)]
    recorded = b"".join(files.values())
    assert b"@acme.com" not in recorded.replace(b"iam@acme.com", b"")
    assert b"Example" not in recorded


@pytest.mark.case("E46")
@pytest.mark.parametrize("managed", [False, None])
def test_an_account_that_is_no_longer_managed_is_left_alone(managed: bool | None) -> None:
    office = office_of(Meddled(managed=managed), BY_EMAIL)
    ((user, result, detail),) = results(apply(office))
    assert (user, result) == (ADA, "superseded")
    assert detail == "no longer planned: unknown (policy-undecided)"
    assert not office.site.written


def test_a_condition_on_a_name_holds_from_the_plan_to_the_write() -> None:
    office = office_of(Meddled(), NameIs(("bo *",)))
    assert results(apply(office)) == [(BO, "applied", "")]
    assert b"Bo Example" not in b"".join(office.store.read().values())
