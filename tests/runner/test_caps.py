"""What counts for the caps of the last 24 hours, and of how many seats a percent is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cleanup_gitops.ledger.memory import read_lines
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.memory import Applied
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.policy.documents import Exemption
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.runner import Stop
from cleanup_gitops.runner.desk import BrokenGuardsError
from tests.fakes import NOON
from tests.runner.office import ROOMY, Office, open_office
from tests.runner.test_lease import KilledError, Mortal
from tests.runner.test_recover import killed, open_run
from tests.runner.test_rollback import later


def capped(office: Office, cap: Cap) -> None:
    """Wide limits, but for memberships that end."""
    office.under(guardrails=replace(ROOMY, caps={**ROOMY.caps, "membership.remove": cap}))


def applied(office: Office) -> list[dict[str, int]]:
    return [dict(one.actions) for one in read_lines(office.store.read()) if isinstance(one, Applied)]


def falls_idle(office: Office, *numbers: int) -> None:
    for number in numbers:
        office.site.happens(f"712020:{number:04}", seen=seen_at(NOON - timedelta(days=200)))


def exempt(number: int) -> Exemption:
    until = date(2027, 1, 1)
    account = f"712020:{number:04}"
    return Exemption(account=account, reason="absence", owner="hr", until=until, ticket="HR-1", document="x")


def interrupted(office: Office, after: int) -> None:
    """Apply until so many changes were made."""
    stop, write = Stop(), office.site.write
    left = after

    def last(change: Change) -> Receipt:
        nonlocal left
        left -= 1
        if left == 0:
            stop.ask()
        return write(change)

    office.site.write = last  # type: ignore[method-assign]
    office.apply(stop=stop)
    office.site.write = write  # type: ignore[method-assign]


# -- what may have been sent ---------------------------------------------------------------------------


@pytest.mark.case("F5", "F12")
def test_what_may_have_been_sent_by_a_run_that_was_cut_off_counts() -> None:
    office, _ = killed(100, 200, 300, 1, 1, at=2)
    office.recover(open_run(office))
    assert applied(office) == [{"membership.remove": 3}]  # one is seen, of two nobody knows
    capped(office, Cap(3))
    office.under(exemptions=tuple(map(exempt, (2, 3))))
    falls_idle(office, 4, 5)
    with pytest.raises(BrokenGuardsError, match="2 planned and 3 applied in the last 24 hours, 3 allowed"):
        office.apply()
    later(office, hours=24)
    assert len(office.apply().outcomes) == 2


@pytest.mark.case("F5", "F12")
def test_what_may_have_been_sent_and_is_sent_again_counts_once_so_that_the_run_can_go_on() -> None:
    office, saved = killed(100, 200, 300, at=2)
    office.recover(open_run(office))
    capped(office, Cap(3))
    again = office.plan()
    (limit,) = [one for one in again.limits if one.name == "membership.remove"]
    assert (limit.planned, limit.recent) == (2, 1)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied", "applied"]
    assert len(office.site.written) == 3


@pytest.mark.case("F5", "F12")
def test_a_run_that_is_cut_off_twice_goes_on_under_the_same_cap() -> None:
    office, saved = killed(*[100] * 6, at=2)
    office.recover(open_run(office))
    capped(office, Cap(6))
    site = office.site
    assert isinstance(site, Mortal)
    site.at = 3
    with pytest.raises(KilledError):
        office.apply(saved)
    later(office, minutes=5)
    office.recover(open_run(office))
    assert applied(office) == [{"membership.remove": 1}, {"membership.remove": 5}]  # no change counts in two runs
    assert {one.result for one in office.apply(saved).outcomes} == {"applied"}
    assert sum(one["membership.remove"] for one in applied(office)) == 6
    assert len(site.written) == 6


# -- of how many seats a percent is --------------------------------------------------------------------


@pytest.mark.case("F5")
def test_a_percent_is_of_the_seats_before_the_changes_that_count_against_it() -> None:
    office = open_office(*[100] * 5, *[1] * 4)  # ten seats with the runner's
    capped(office, Cap(1000, 50))
    interrupted(office, after=2)
    rest = office.plan()
    (check,) = [one for one in rest.checks if one.name == "cap:membership.remove"]
    assert (check.found, check.allowed) == (5, 5)
    assert "50 % of 10 seats in use before that" in check.message
    assert len(office.apply().outcomes) == 3
    falls_idle(office, 9)
    with pytest.raises(BrokenGuardsError, match="1 planned and 5 applied in the last 24 hours, 5 allowed"):
        office.apply()
    later(office, hours=24)
    (check,) = [one for one in office.plan().checks if one.name == "cap:membership.remove"]
    assert (check.found, check.allowed) == (1, 2)
    assert "50 % of 5 seats" in check.message
