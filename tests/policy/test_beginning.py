"""Who begins by a roster: from the first day on by its clocks, for some weeks, and until the last day is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.beginning import beginning
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.match import Scope, compile_match, explain_match
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows
from cleanup_gitops.policy.tree import Begins, Match
from tests.policy.users import NOW, group, inventory, user

ADA, OTHER = "712020:1", "712020:2"
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)
"""When the 21st of November begins in Oslo."""
FIRST = date(2026, 11, 21)
MOMENT = timedelta(microseconds=1)


def begins(*rows: RosterRow, at: datetime) -> list[date]:
    return [one.starts for one in beginning(RosterRows("HR", rows, "", "Europe/Oslo"), at, {}, (ADA,)).people]


@pytest.mark.case("E18")
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (MIDNIGHT - MOMENT, []),
        (MIDNIGHT, [FIRST]),
        (MIDNIGHT + timedelta(days=30) - MOMENT, [FIRST]),
        (MIDNIGHT + timedelta(days=30), []),
    ],
)
def test_somebody_begins_for_thirty_days_from_the_first_midnight_by_the_clocks_of_the_roster(
    at: datetime, expected: list[date]
) -> None:
    long_there = RosterRow(2, "bo@acme.com")
    assert begins(long_there, RosterRow(3, "ada@acme.com", starts=FIRST), at=at) == expected


def test_whose_last_day_is_over_begins_no_more() -> None:
    short = RosterRow(2, "ada@acme.com", starts=FIRST, ends=FIRST)
    over = MIDNIGHT + timedelta(days=1)
    assert begins(short, at=over - MOMENT) == [FIRST]
    assert begins(short, at=over) == []
    again = RosterRow(3, "ada@acme.com", starts=FIRST + timedelta(days=1))
    assert begins(short, again, at=over) == [again.starts]


def test_who_begins_is_asked_alike_by_both_readings_and_can_be_printed_by_none() -> None:
    rows = (RosterRow(2, "ada@acme.com", starts=FIRST), RosterRow(3, "", "712020:7", starts=FIRST))
    lists = Lists(rosters={"hr": RosterRows("HR", rows, "", "UTC")})
    someone, other = user(), User(id=OTHER, directory="default", status="active")
    here = inventory(group(1, "wiki"), users=(someone, other))
    where = Scope(NOW, here, People({ADA: Person("Ada", "Ada@acme.com"), OTHER: Person("B", "b@acme.com")}), lists)
    match = Match(all=(Begins("hr"),))
    for account, expected in ((someone, True), (other, False)):
        assert compile_match(match, where).verdict(account) is expected
        assert explain_match(match, account, where).verdict is expected
    found = where.beginning("hr")
    assert found is not None
    assert [one.accounts for one in found.people] == [(ADA,), ()]
    assert repr(found) == "Beginning()"
    assert not [one for one in map(repr, found.people) if "acme" in one or "712020:7" in one]
