"""Planning knows what snapshots know; snapshots take nothing of it for a fact of the site."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from cleanup_gitops.ledger.rows import read_accounts
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.policy.tree import InStatusFor, Match, StatusIs
from cleanup_gitops.runner.remembering import remembering
from tests.fakes import NOON, FakeSite
from tests.runner.office import DORMANT, SEATS, Office, open_office

ADA = "712020:0001"
DAY = 86400


def later(office: Office, days: int) -> None:
    """So many days pass, for the site as well."""
    office.clock.sleep(days * DAY)
    office.site = FakeSite(msgspec.structs.replace(office.site.read().inventory, as_of=office.clock.now()))


def closed(days: int) -> Office:
    """An office in which somebody suspended a person on the second day, and another run recorded it, days ago."""
    office = open_office(10)
    office.apply()
    later(office, 1)
    office.site.happens(ADA, status="suspended")
    office.apply()
    later(office, days)
    return office


def test_a_reader_joins_history_to_readings_and_to_single_users() -> None:
    office = closed(40)
    reader = remembering(office.site, office.store.read())
    user = reader.read().inventory.user_by_id[ADA]
    assert (user.status_by, user.status_after) == (
        datetime(2026, 11, 23, tzinfo=UTC),
        datetime(2026, 11, 22, tzinfo=UTC),
    )
    again = reader.user(ADA)
    assert again is not None
    assert (again.status_by, again.status_after) == (user.status_by, user.status_after)
    assert reader.told is not None
    assert reader.told.inventory.user_by_id[ADA].status_by is None
    assert reader.user("712020:9999") is None
    assert reader.group_modifiable(SEATS) is True


def test_before_the_first_snapshot_a_reader_adds_nothing() -> None:
    office = open_office(10)
    reader = remembering(office.site, {})
    assert reader.user(ADA) == office.site.user(ADA)
    assert reader.read() == office.site.read()


def test_who_is_closed_for_long_enough_by_the_snapshots_is_planned_and_carried_out() -> None:
    rule = Match(all=(StatusIs(("suspended",)), InStatusFor(30)))
    away = replace(DORMANT, match=rule, ensure=Ensure(groups_absent=("confluence-users-acme",)))
    office = closed(20)
    office.under(policies=(away,))
    assert not office.plan().changes
    later(office, 20)
    run = office.apply(office.plan())
    assert [(one.user, one.result) for one in run.outcomes] == [(ADA, "applied")]


def test_a_snapshot_holds_what_the_site_told_and_history_beside_it() -> None:
    office = closed(40)
    office.apply()
    row = read_accounts(office.store.read())[ADA]
    assert row.seat_since is None
    assert row.status_since is None
    assert row.since is not None
    assert row.since.status_by.isoformat() == "2026-11-23"
    assert row.since.status_after == NOON.date()
