"""One site on one screen."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Unknown, seen_at
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Flap, Hold, Memory
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.run import Approval, Kind, Lease, LedgerEntry
from cleanup_gitops.policy.documents import Exemption, SitePolicies
from cleanup_gitops.policy.site import CredentialRef, Credentials, Site
from cleanup_gitops.views.open_runs import OpenRun, render_open_runs
from cleanup_gitops.views.status import (
    Recorded,
    SiteStatus,
    on_hold,
    render_status,
    render_status_json,
    seat_count,
    site_status,
)
from tests.golden import check
from tests.policy.users import ago, group, inventory, user

GOLDEN = Path(__file__).parent / "golden"
TODAY = date(2026, 11, 22)
SITE = Site(
    name="acme",
    hosting="cloud",
    url="https://acme.atlassian.net",
    organization="0f5e",
    credentials=Credentials(CredentialRef("KEY", date(2026, 12, 1)), CredentialRef("USER"), CredentialRef("TOKEN")),
    runner_accounts=(),
)
LAST = LedgerEntry(
    format=1,
    seq=3,
    prev="0" * 64,
    time=datetime(2026, 11, 21, 7, 17, tzinfo=UTC),
    kind="run",
    run="20261121T071700Z-0a1b2c3d",
    site="acme",
    lineage="sha256:0",
    serial=3,
    tool_version="0.1.0",
    policy_commit="",
    policy_digest="",
    plan="",
    envelope="",
    approval=Approval(kind="plan", by="712020:1", at=datetime(2026, 11, 21, 7, tzinfo=UTC), ref=""),
    accounts=8,
    results={"applied": 4, "not_effective": 1},
    actions={"membership.remove": 4},
    digests={},
    state="",
    parts={},
)
LEASE = Lease(
    format=1,
    directory="default",
    site="acme",
    run="20261122T080000Z-5e6f7a8b",
    holder="712020:1, process 4242",
    since=datetime(2026, 11, 22, 8, tzinfo=UTC),
    intent="sha256:0",
    place="https://github.com/acme/people/actions/runs/7",
)
TIMES: dict[Kind, datetime] = {
    "run": LAST.time,
    "void": datetime(2026, 11, 20, 7, 17, tzinfo=UTC),
    "drift": datetime(2026, 11, 19, 7, 17, tzinfo=UTC),
}
RECORDED = Recorded(
    last=LAST, serial=3, times=TIMES, now=datetime(2026, 11, 22, 9, 15, tzinfo=UTC), place="origin/main"
)


def exemption(account: str, until: str) -> Exemption:
    return Exemption(
        account=account,
        reason="absence",
        owner="hr-ops@acme.com",
        until=date.fromisoformat(until),
        ticket="HR-1",
        document="leave",
        where="policies/exemptions.yaml:16",
    )


POLICIES = SitePolicies(
    site="acme",
    exemptions=(
        exemption("712020:b", "2026-12-22"),
        exemption("712020:a", "2026-11-22"),
        exemption("712020:d", "2026-12-23"),
        exemption("712020:c", "2026-11-01"),
    ),
)


def organization(*, seat_limit: int | None = None) -> Inventory:
    """Five seats in use, one of unknown use, two closed, a guest."""
    facts: list[dict[str, Any]] = [
        {"seen": seen_at(ago(3)), "external": False, "admin": True},
        {"seen": seen_at(ago(300)), "external": False, "admin": False},
        {"seen": seen_at(ago(1)), "external": True, "admin": False},
        {"seen": Never(ago(400)), "admin": False, "accepted": False},
        {"seen": Unknown("not in the answer"), "admin": None},
        {"status": "unknown"},
        {"status": "suspended", "seen": seen_at(ago(400))},
        {"status": "deactivated", "seen": seen_at(ago(500))},
        {"license": "guest", "seen": seen_at(ago(4)), "external": True},
        {"license": "none", "kind": "app"},
    ]
    people = [replace(user(**one), id=f"712020:{number}") for number, one in enumerate(facts)]
    return replace(inventory(group(1, "wiki-users"), users=people), seat_limit=seat_limit)


def status(seat_limit: int | None = None, recorded: Recorded | None = None, site: Site = SITE) -> SiteStatus:
    return site_status(site, POLICIES, organization(seat_limit=seat_limit), recorded or RECORDED, TODAY)


def test_the_screen_reads_as_agreed() -> None:
    people = People({"712020:a": Person("Ragnhild\nSolberg", "r@acme.com")})
    check(GOLDEN / "status.txt", render_status(status(20), people))
    check(GOLDEN / "status.json", render_status_json(status(20)))


@pytest.mark.case("E51")
def test_an_unknown_number_of_seats_is_said_and_not_guessed() -> None:
    text = render_status(status(None))
    assert "Seats           5 used; the site does not tell how many there are\n" in text
    document = json.loads(render_status_json(status(None)))
    assert document["seats"] == {"used": 5, "limit": None, "free": None, "undecided": 1, "closed": 2}


@pytest.mark.case("E51")
@pytest.mark.parametrize(
    ("limit", "free", "said"),
    [
        (7, 2, "5 used of 7, 2 free"),
        (5, 0, "5 used of 5, 0 free"),
        (3, -2, "5 used of 3: 2 more than there are"),
        (0, -5, "5 used of 0: 5 more than there are"),
    ],
)
def test_more_seats_in_use_than_there_are_is_a_negative_number(limit: int, free: int, said: str) -> None:
    assert seat_count(organization(seat_limit=limit)).free == free
    assert f"Seats           {said}\n" in render_status(status(limit))
    assert json.loads(render_status_json(status(limit)))["seats"]["free"] == free


@pytest.mark.case("E51")
def test_closed_accounts_and_those_of_unknown_status_stand_apart_from_seats_in_use() -> None:
    text = render_status(status(10))
    assert "not counted: 2 accounts with a license that are suspended or closed" in text
    assert "not counted: 1 account that may use one; its status or license is not known" in text


def test_exemptions_are_named_from_thirty_days_before_their_end() -> None:
    assert [(one.account, one.days) for one in status().exemptions] == [
        ("712020:c", -21),
        ("712020:a", 0),
        ("712020:b", 30),
    ]


def test_a_credential_that_ends_is_named() -> None:
    assert "expires on 2026-12-01, in 9 days" in render_status(status())


def test_nothing_recorded_and_a_broken_record_are_different_things() -> None:
    assert "nothing yet; the first apply records the site" in render_status(status(recorded=Recorded()))
    broken = status(recorded=Recorded(problem="manifest.json is missing."))
    assert "cannot be used: manifest.json is missing." in render_status(broken)
    assert json.loads(render_status_json(broken))["recorded"]["problem"] == "manifest.json is missing."


@pytest.mark.case("E65")
def test_a_run_that_is_open_is_told_with_its_holder_its_age_and_the_way_out() -> None:
    found = status(recorded=replace_recorded(runs=(OpenRun((LEASE,), "", lives=None),)))
    text = render_status(found)
    assert (
        "A run is under way or was cut off:\n"
        "  directory default: run 20261122T080000Z-5e6f7a8b of acme by 712020:1, process 4242 at"
        " https://github.com/acme/people/actions/runs/7, since 2026-11-22 08:00 UTC (1 h 15 min)\n"
        "Whether its process lives is not known here: it began on another machine or in another clone.\n"
        "If it no longer works, end it with: cleanup-gitops recover 20261122T080000Z-5e6f7a8b --site acme\n"
    ) in text
    (lease,) = json.loads(render_status_json(found))["recorded"]["leases"]
    assert (lease["directory"], lease["since"]) == ("default", "2026-11-22T08:00:00Z")
    assert lease["process_lives"] is None
    assert "under way" not in render_status(status())


def test_open_runs_are_listed_with_what_is_known_of_their_processes() -> None:
    other = msgspec.structs.replace(LEASE, run="20261122T090000Z-6f7a8b9c", directory="guests")
    both = (other, msgspec.structs.replace(other, directory="staff"))
    journal = ".cleanup-gitops/acme/20261122T090000Z-6f7a8b9c.journal.jsonl"
    runs = [OpenRun((LEASE,), "", lives=None), OpenRun(both, journal, lives=False), OpenRun((LEASE,), journal, True)]
    check(GOLDEN / "open-runs.txt", render_open_runs(runs, datetime(2026, 11, 22, 9, 15, tzinfo=UTC)))
    check(GOLDEN / "open-runs-none.txt", render_open_runs([], datetime(2026, 11, 22, 9, 15, tzinfo=UTC)))


def test_who_is_left_alone_for_good_has_no_end_and_is_counted_apart() -> None:
    now = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
    hold = Hold(user="712020:1", policy="dormant", until=date(2026, 12, 6), why="rollback", run=LAST.run)
    days = tuple(date(2026, 10, day) for day in (1, 2, 3))
    stopped = Flap(user="712020:2", policy="dormant", days=days)
    memory = Memory(
        holds=(hold, Hold(user="712020:2", policy="dormant", until=date(2026, 12, 1), why="restored", run=LAST.run)),
        flaps=(stopped, Flap(user="712020:3", policy="dormant", days=days[:2])),
    )
    found = on_hold(memory, now, 3)
    assert found == (hold, stopped)
    shown = status(recorded=replace_recorded(holds=found))
    assert (
        "on hold after a rollback: 1 user, until 2026-12-06 at the latest\n"
        "                left alone for good, because others undid again and again what a policy did: 1 user\n"
    ) in render_status(shown)
    restored = Hold(user="712020:4", policy="dormant", until=date(2026, 12, 4), why="restored", run=LAST.run)
    assert (
        "on hold after a rollback, or after others undid what a policy did: 2 users, until 2026-12-06 at the latest\n"
    ) in render_status(status(recorded=replace_recorded(holds=(hold, restored))))
    told = json.loads(render_status_json(shown))["recorded"]["holds"]
    assert [(one["user"], one["until"], one["why"]) for one in told] == [
        ("712020:1", "2026-12-06", "rollback"),
        ("712020:2", None, "flapping"),
    ]


@pytest.mark.case("E84")
def test_a_snapshot_of_another_version_is_named() -> None:
    text = render_status(status(recorded=replace_recorded(version="0.0.9")))
    assert "the last snapshot is by version 0.0.9" in text


def test_a_site_of_which_only_void_runs_are_recorded_has_no_run() -> None:
    text = render_status(status(recorded=Recorded(times={"void": TIMES["void"]})))
    assert "Recorded        serial 0, no run\n" in text
    assert "last run that was void, so that nothing was done: 2026-11-20 07:17:00 UTC" in text


def replace_recorded(**facts: object) -> Recorded:
    return dataclasses.replace(RECORDED, **facts)  # type: ignore[arg-type]


def test_a_quiet_site_has_no_lists_of_what_ends() -> None:
    bare = Site(
        name="acme",
        hosting="cloud",
        url=SITE.url,
        organization="0f5e",
        credentials=Credentials(CredentialRef("KEY"), CredentialRef("USER"), CredentialRef("TOKEN")),
        runner_accounts=(),
    )
    found = site_status(bare, SitePolicies(site="acme"), inventory(), Recorded(), TODAY)
    text = render_status(found)
    assert "ended" not in text
    assert "Credentials" not in text
    assert "Status          nobody\n" in text


@pytest.mark.case("E80")
def test_no_name_breaks_the_screen_and_none_stands_in_its_json() -> None:
    people = People({"712020:a": Person("\x1b[31mcrimson\n::error::x")})
    text = render_status(status(), people)
    assert "\x1b" not in text
    assert "\\x1b[31mcrimson\\n" in text
    assert "crimson" not in render_status_json(status())
