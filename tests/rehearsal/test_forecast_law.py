"""A forecast is the sequence of the plans that are really made and applied day by day, where nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.since import history_of
from cleanup_gitops.model.activity import midnight
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.loader import load
from cleanup_gitops.rehearsal.ahead import Ahead
from cleanup_gitops.rehearsal.forecast import Day, forecast
from cleanup_gitops.runner.desk import BrokenGuardsError
from cleanup_gitops.runner.foreseen import choosing
from cleanup_gitops.sandbox.world import World, format_time, parse_time
from tests.machine.books import InMemory
from tests.machine.house import House, small_world


def foreseen(house: House, days: int, regular: int = 0) -> tuple[Day, ...]:
    """The forecast from now on."""
    files = house.books.open().read()
    live = house.site.reader.read()
    ahead = Ahead(live, house.policies, memory_of(files), history_of(files), house.site.reader, regular=regular)
    return forecast(ahead, house.document, house.clock.now(), days, choosing(house.policies)).days


def lived(house: House) -> tuple[str, dict[str, int], int, tuple[str, ...]]:
    """One real day: the digest of the plan, what was carried out, seats in use after it, guards that are broken."""
    try:
        run = house.apply()
    except BrokenGuardsError as error:
        return error.plan.digest, {}, error.plan.seats.before, error.broken
    done: dict[str, int] = {}
    for one in run.outcomes:
        assert one.result == "applied", one
        done[one.action] = done.get(one.action, 0) + 1
    return run.plan.digest, done, run.live.inventory.seats_used, ()


def told(day: Day) -> tuple[str, dict[str, int], int, tuple[str, ...]]:
    """The same, as foreseen."""
    actions = {str(action): number for action, number in day.actions.items()}
    return day.digest, actions, day.seats, tuple(name for name, _ in day.broken)


def compare(
    world: World,
    policies: SitePolicies | None,
    days: int,
    *,
    regular: int = 0,
    before: int = 0,
    meanwhile: Callable[[House], None] = lambda _: None,
) -> tuple[Day, ...]:
    """Foresee so many days, then live them; ``before``: days with a run each that came before the forecast.

    ``meanwhile`` happens after these, and is not recorded yet when the forecast is made.

    Whoever was there in the last ``regular`` days is there again each day, at the same distance from the day.
    """
    with House(InMemory(), world) as house:
        if policies:
            house.policies = policies
        for _ in range(before):
            lived(house)
            house.clock.sleep(86_400)
        meanwhile(house)
        start = house.clock.now()
        used = activity_of(world, start, regular)
        written, found = len(house.effects.found), foreseen(house, days, regular)
        assert len(house.effects.found) == written, "a forecast writes nothing"
        for number, day in enumerate(found):
            house.clock.sleep(number * 86_400 - (house.clock.now() - start).total_seconds())
            for account, times in used.items() if number else ():
                later = {name: format_time(at + timedelta(days=number)) for name, at in times.items()}
                house.happens(account, activity=later, lag_hours=0)
            assert told(day) == lived(house), f"day {number}"
    return found


def activity_of(world: World, now: datetime, regular: int) -> dict[str, dict[str, datetime]]:
    """By account, what was used so lately. The directory may be late by a day."""
    first = midnight(now) - timedelta(days=regular + 1)
    found: dict[str, dict[str, datetime]] = {}
    for user in world.users if regular else ():
        times = {name: parse_time(at) for name, at in user.activity.items()}
        lately = {name: at for name, at in times.items() if at >= first}
        if lately:
            found[user.id] = lately
    return found


@pytest.mark.parametrize("number", [1, 2])
def test_twelve_days_are_as_foreseen(number: int) -> None:
    days = compare(small_world(number), None, 12)
    assert sum(day.changes for day in days) > 3


STAGES = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: dormant, owner: iam@acme.com, why: seats}
spec:
  match: {all: [{has_seat: true}, {inactive_for: 85d}]}
  stages:
    - {name: suspend, ensure: {status: suspended}}
    - {name: release, after: 3d, ensure: {product_access: absent}}
---
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: gone, owner: iam@acme.com, why: order}
spec:
  match: {all: [{status: suspended}, {in_status_for: 5d}]}
  ensure: {status: removed}
  schedule: {cron: ["0 6 * * 1,4"], time_zone: Europe/Oslo}
---
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: never, owner: iam@acme.com, why: seats}
spec:
  match: {all: [{never_active_for: 30d}]}
  ensure: {product_access: absent}
  until: 2026-11-27
---
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: once, owner: iam@acme.com, why: tidy}
spec:
  match: {all: [{in_group: jira-users-acme}]}
  ensure: {groups: {present: [dept-finance]}}
  once: true
  until: 2026-12-31
---
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: trial, owner: iam@acme.com, why: tidy}
spec:
  match: {all: [{inactive_for: 40d}]}
  ensure: {status: suspended}
  mode: report
"""
ROOMY = """\
---
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: roomy, owner: security@acme.com}
spec:
  allow: [user.remove, user.disable, membership.remove, membership.add, role.revoke]
  reading: {max_drop: 60%, min_known_activity: 1%}
  caps:
    membership.remove: {max: 50, percent: 100}
    user.disable: {max: 50, percent: 100}
    user.remove: {max: 50, percent: 100}
    role.revoke: {max: 50, percent: 100}
    total: {max: 100, percent: 100}
"""


def written(folder: Path, text: str) -> SitePolicies:
    """These policies."""
    (folder / "policies.yaml").write_text(text)
    return load(folder, today=date(2026, 11, 22)).for_site("acme")


def test_stages_schedules_ends_and_what_snapshots_know_are_foreseen(tmp_path: Path) -> None:
    days = compare(small_world(3), written(tmp_path, STAGES + ROOMY), 12)
    assert {stage for day in days for _, stage in day.entered} == {"suspend", "release"}
    assert {action for day in days for action in day.actions} >= {"user.disable", "membership.remove", "user.remove"}
    assert {code for day in days for code in day.waiting} == {"schedule"}
    ends = {day.at.date(): one.name for day in days for one in day.ends}
    assert ends == {date(2026, 11, 27): "never"}


def test_a_forecast_goes_on_from_what_earlier_runs_left(tmp_path: Path) -> None:
    days = compare(small_world(5), written(tmp_path, STAGES + ROOMY), 8, before=2)
    assert {stage for day in days for _, stage in day.entered} >= {"release"}


@pytest.mark.slow
def test_what_others_did_since_the_last_run_is_seen_as_the_next_run_sees_it(tmp_path: Path) -> None:
    def undo(house: House) -> None:
        """Somebody restores an account that a run suspended, and suspends one that no run has touched."""
        suspended = [one for one in house.world.users if one.directories.get("default") == "suspended"]
        active = [one for one in house.world.users if one.activity and one.directories.get("default") == "active"]
        house.happens(suspended[-1].id, status="active")
        house.happens(active[-1].id, status="suspended")

    days = compare(small_world(5), written(tmp_path, STAGES + ROOMY), 20, before=2, meanwhile=undo)
    assert sum(day.changes for day in days) > 3


@pytest.mark.slow
def test_whoever_is_usually_there_goes_on_being_there(tmp_path: Path) -> None:
    soon = STAGES.replace("inactive_for: 85d", "inactive_for: 20d")
    policies = written(tmp_path, soon + ROOMY)
    days = compare(small_world(3), policies, 25, regular=14)
    fault = "reading:all_inactive"
    assert not [day for day in days if fault in dict(day.broken)]
    with House(InMemory(), small_world(3)) as house:
        house.policies = policies
        assert [day for day in foreseen(house, 45) if fault in dict(day.broken)], "that nobody is seen again"


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 4])
def test_sixty_days_are_as_foreseen(number: int, tmp_path: Path) -> None:
    world = small_world(number)
    for name in ("org_api_key_expires", "api_token_expires"):
        setattr(world.credentials, name, "2028-01-01T00:00:00Z")
    compare(world, written(tmp_path, STAGES + ROOMY), 60)


def test_a_day_over_a_guard_is_foreseen_and_nothing_happens_from_there_on(tmp_path: Path) -> None:
    narrow = ROOMY.replace("user.disable: {max: 50", "user.disable: {max: 4")
    days = compare(small_world(3), written(tmp_path, STAGES + narrow), 12)
    assert any(day.broken for day in days)
