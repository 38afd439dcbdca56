"""Days ahead of worlds of a few people: what a forecast counts, and what it keeps still."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.model.memory import Hold, Memory
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.documents import Exemption
from cleanup_gitops.policy.site import CredentialRef, Credentials, Site
from cleanup_gitops.rehearsal.ahead import Ahead
from cleanup_gitops.rehearsal.forecast import Forecast, ends_on, forecast
from cleanup_gitops.runner.foreseen import choosing
from tests.case_files import Case, folders, read_case
from tests.fakes import FakeSite

SITE = Site(
    name="acme",
    hosting="cloud",
    url="https://acme.example",
    api_url="https://api.example",
    organization="o",
    credentials=Credentials(CredentialRef("KEY"), CredentialRef("USER"), CredentialRef("TOKEN")),
    runner_accounts=(),
    service_accounts=(),
)


def ahead_of(case: Case, regular: int = 0) -> Ahead:
    """The case as a site."""
    return Ahead(
        Live(case.inventory, case.people),
        case.policies,
        case.memory,
        None,
        FakeSite(case.inventory, case.people),
        case.lists,
        regular=regular,
    )


def foreseen(case: Case, days: int = 10, regular: int = 0) -> Forecast:
    """So many days of a case."""
    return forecast(ahead_of(case, regular), SITE, case.inventory.as_of, days, choosing(case.policies))


each_case = pytest.mark.parametrize("folder", [pytest.param(one, id=one.name) for one in folders()])


@each_case
def test_the_first_day_is_the_plan_of_today(folder: Path) -> None:
    case = read_case(folder)
    plan, day = case.plan(), foreseen(case, 1).days[0]
    assert (day.digest, day.planned) == (plan.digest, len(plan.changes))
    assert bool(day.broken) is not plan.applyable
    if plan.applyable and not day.waiting:
        assert {str(action): number for action, number in day.actions.items()} == plan.summary.actions
        assert day.seats == plan.seats.after


@each_case
def test_seats_follow_from_day_to_day_and_a_day_over_a_guard_moves_nothing(folder: Path) -> None:
    case = read_case(folder)
    found = foreseen(case)
    before = found.seats
    for day in found.days:
        if day.broken or not day.actions:
            assert day.seats == before
        before = day.seats


@each_case
def test_what_was_done_is_not_done_again_day_after_day(folder: Path) -> None:
    case = read_case(folder)
    days = foreseen(case, 6).days
    acting = [day for day in days if day.actions]
    digests = [day.digest for day in acting]
    assert len(digests) == len(set(digests))


@each_case
def test_the_same_forecast_twice(folder: Path) -> None:
    case = read_case(folder)
    assert foreseen(case, 4) == foreseen(read_case(folder), 4)


def test_somebody_who_was_invited_takes_a_seat_and_is_not_invited_again() -> None:
    case = next(one for one in map(read_case, folders()) if one.folder.name == "joiners")
    found = foreseen(case, 5)
    invited = [day.actions.get("user.invite", 0) for day in found.days]
    plan = case.plan()
    assert invited[0] == plan.summary.actions["user.invite"] > 0
    assert found.days[0].seats == plan.seats.after
    began = sum(invited)
    assert found.days[-1].seats >= found.days[0].seats
    assert began < 2 * invited[0] + 3


def test_what_counts_for_the_last_time_is_told_by_kind() -> None:
    day = date(2026, 12, 1)
    case = read_case(folders()[0])
    entry = {"reason": "absence", "owner": "hr", "ticket": "T-1"}
    policies = replace(
        case.policies,
        exemptions=tuple(
            Exemption(account=f"712020:{number}", until=until, document=document, **entry)  # type: ignore[arg-type]
            for number, (until, document) in enumerate([(day, "leave"), (day, "leave"), (day, "travel")])
        ),
    )
    site = replace(SITE, credentials=replace(SITE.credentials, token=CredentialRef("TOKEN", day, "site.yaml:4")))
    memory = Memory(holds=(Hold(user="712020:1", policy="dormant", until=day, why="restored"),))
    told = [(one.kind, one.name, one.number) for one in ends_on(day, policies, site, memory)]
    assert told == [
        ("exemptions", "leave", 2),
        ("exemptions", "travel", 1),
        ("credential", "the API token", 1),
        ("holds", "dormant", 1),
    ]
    assert not list(ends_on(day + timedelta(days=1), policies, site, memory))
