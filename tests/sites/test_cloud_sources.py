"""What a reading takes in beside users and groups: the audit log, a CSV list, domains, seats."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import IN_FUTURE, Never, seen_at
from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.policy.site import ActivityCsv, ActivitySource
from cleanup_gitops.sandbox.records import AuditRecord
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox
from cleanup_gitops.sandbox.world import Domain, User, World, format_time
from cleanup_gitops.sites.cloud import connect
from cleanup_gitops.sites.cloud.around import cursor_in
from tests.fakes import FakeClock, FakeProgress
from tests.sites.box import NOW, QUICK, connected, disturb, requests, secrets_of, site_of

AUDIT: tuple[ActivitySource, ...] = ("directory", "audit")
LONG_AGO = "2026-01-05T08:00:00Z"


@pytest.fixture
def world() -> World:
    found = seed(users=120, seed=3)
    found.audit = []
    return found


def idle(world: World, count: int) -> list[User]:
    """People whose last use the directory knows and that is long ago."""
    found = [user for user in world.users if user.managed and user.activity and user.directories][:count]
    for user in found:
        user.activity = {"confluence": LONG_AGO}
    return found


def record(author: str | None, at: datetime, summary: str = "Page edited", **fields: Any) -> AuditRecord:  # noqa: ANN401
    values: dict[str, Any] = {"category": "Pages", "object_name": "Page", "object_type": "Page"}
    return AuditRecord(at=format_time(at), summary=summary, author=author, **(values | fields))


def asked_for_audit(box: RunningSandbox) -> int:
    return sum(one["path"].endswith("/audit") for one in requests(box))


# -- the audit log -----------------------------------------------------------------------------------


@pytest.mark.case("E8", "E16")
def test_whoever_did_something_was_there_and_nobody_else(world: World, box: RunningSandbox) -> None:
    doer, target, victim, gone = idle(world, 4)
    lately = NOW - timedelta(days=3)
    world.audit = [
        record(doer.id, lately),
        record(doer.id, lately - timedelta(days=50)),
        record(doer.id, lately, "User suspended", object_name=target.name, associated={target.name: "User"}),
        record(None, lately, "User added to group", object_name=target.name),
        record(victim.id, lately, "User login failed"),
        record(victim.id, lately, "Failed to log in"),
        record(gone.id, NOW - timedelta(days=400)),
        record("712020:no-longer-here", lately),
    ]
    with connected(box, sources=AUDIT) as site:
        live = site.reader.read().inventory
        found = live.user_by_id
        assert {user.id: site.reader.user(user.id) for user in (doer, target)} == {
            user.id: found[user.id] for user in (doer, target)
        }
    old = seen_at(datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert found[doer.id].seen == seen_at(lately, "audit")
    assert [found[user.id].seen for user in (target, victim, gone)] == [old] * 3
    (reading,) = [one for one in live.proof.readings if one.what == "audit entries"]
    assert (reading.items, reading.ended) == (7, True)


def test_without_being_named_the_audit_log_is_not_read(box: RunningSandbox) -> None:
    with connected(box) as site:
        site.reader.read()
    assert asked_for_audit(box) == 0


def test_a_long_log_is_read_to_its_end_page_by_page(world: World, box: RunningSandbox) -> None:
    first, last = idle(world, 2)
    start = NOW - timedelta(days=300)
    world.audit = [record(first.id, start + timedelta(minutes=number)) for number in range(1500)]
    world.audit[0] = record(last.id, start)
    with connected(box, sources=AUDIT) as site:
        found = site.reader.read().inventory.user_by_id
    assert asked_for_audit(box) == 2
    assert found[last.id].seen == seen_at(start, "audit")
    assert found[first.id].seen == seen_at(start + timedelta(minutes=1499), "audit")


@pytest.mark.case("E6")
def test_before_a_write_only_what_is_new_in_the_log_is_read(world: World, box: RunningSandbox) -> None:
    (back,) = idle(world, 1)
    clock = FakeClock(NOW)
    with connect(replace(site_of(box), sources=AUDIT), secrets_of(box), clock, limits=QUICK) as site:
        before = site.reader.read().inventory.user_by_id[back.id]
        world.audit = [record(back.id, NOW + timedelta(minutes=5)), record(back.id, NOW - timedelta(days=30))]
        world.now = format_time(NOW + timedelta(minutes=10))
        box.refresh()
        clock.sleep(600)
        now = site.reader.user(back.id)
    assert now is not None
    assert (before.seen, now.seen) == (
        seen_at(datetime(2026, 1, 5, 8, tzinfo=UTC)),
        seen_at(NOW + timedelta(minutes=5), "audit"),
    )


@pytest.mark.case("E67")
def test_whoever_is_no_administrator_of_confluence_is_told_which_permission_is_missing(
    world: World, box: RunningSandbox
) -> None:
    runner = next(user for user in world.users if user.id == box.runner_account)
    runner.platform_roles = []
    runner.groups = [group.id for group in world.groups if group.name == "confluence-users-acme"]
    box.refresh()
    with connected(box, sources=AUDIT) as site, pytest.raises(CredentialError) as caught:
        site.reader.read()
    assert "may not read the audit log" in caught.value.message
    assert "Confluence administrator" in caught.value.message
    assert "spec.activity.sources" in caught.value.hint


AUDIT_PAGE: dict[str, Any] = {"results": [{"creationDate": 1, "summary": "x"}], "limit": 1, "_links": {"next": "/more"}}


@pytest.mark.case("E61")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "html"},
        {"kind": "not_json", "status": 200, "body": "{}"},
        {"kind": "not_json", "status": 200, "body": msgspec.json.encode(AUDIT_PAGE).decode()},
        {"kind": "not_json", "status": 200, "body": msgspec.json.encode(AUDIT_PAGE | {"results": []}).decode()},
    ],
    ids=["503", "html", "no entries", "circle", "empty before the end"],
)
def test_a_log_that_cannot_be_read_to_its_end_is_no_inventory(box: RunningSandbox, fault: dict[str, Any]) -> None:
    with connected(box, sources=AUDIT) as site:
        disturb(box, fault | {"match": {"path_regex": "/audit$"}})
        with pytest.raises(IncompleteReadingError):
            site.reader.read()


@pytest.mark.case("E17")
def test_an_entry_of_the_future_makes_its_author_unknown(world: World, box: RunningSandbox) -> None:
    (user,) = idle(world, 1)
    at = int((NOW + timedelta(days=2)).timestamp() * 1000)
    entry = {"creationDate": at, "author": {"accountId": user.id}, "summary": "x"}
    answer = {"results": [entry, entry | {"creationDate": 1_790_000_000_000}], "limit": 1000}
    disturb(
        box,
        {
            "kind": "not_json",
            "status": 200,
            "body": msgspec.json.encode(answer).decode(),
            "match": {"path_regex": "/audit$"},
        },
    )
    with connected(box, sources=AUDIT) as site:
        assert site.reader.read().inventory.user_by_id[user.id].seen == IN_FUTURE


# -- a list from elsewhere -----------------------------------------------------------------------------


def listed(**where: str) -> dict[str, Any]:
    return {"sources": ("directory", "csv"), "csv": ActivityCsv(**where)}


@pytest.mark.case("E14")
def test_the_newer_of_list_and_directory_counts_and_strangers_are_counted(
    world: World, box: RunningSandbox, tmp_path: Path
) -> None:
    newer, older, word = idle(world, 3)
    never = next(user for user in world.users if user.directories and user.groups and not user.activity)
    rows = [
        f"{newer.id},2026-11-01T08:00:00Z",
        f"{older.id},2020-01-01",
        f"{word.id},Never accessed",
        f"{never.id},2026-10-01T00:00:00Z",
        "712020:stranger,2026-10-01",
    ]
    (tmp_path / "seen.csv").write_text("\n".join(["account,last_seen_utc", *rows]))
    site_ = site_of(box, **listed(path="seen.csv"))
    progress = FakeProgress()
    with connect(site_, secrets_of(box), FakeClock(NOW), progress, limits=QUICK, folder=tmp_path) as site:
        found = site.reader.read().inventory.user_by_id
        assert site.reader.user(newer.id) == found[newer.id]
    old = seen_at(datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert found[newer.id].seen == seen_at(datetime(2026, 11, 1, 8, tzinfo=UTC), "csv")
    assert (found[older.id].seen, found[word.id].seen) == (old, old)
    assert found[never.id].seen == seen_at(datetime(2026, 10, 1, tzinfo=UTC), "csv")
    assert ("accounts of the activity list that are not in the directory", 1, None) in progress.steps


@pytest.mark.case("E14")
def test_a_wrong_list_stops_before_the_site_is_read(box: RunningSandbox, tmp_path: Path) -> None:
    file = tmp_path / "seen.csv"
    file.write_text("account,last_seen_utc\n712020:1,Not active in the last 180 days\n")
    secrets = secrets_of(box, SEEN_CSV=str(file))
    with connect(site_of(box, **listed(env="SEEN_CSV")), secrets, FakeClock(NOW), limits=QUICK) as site:
        before = len(requests(box))
        with pytest.raises(SiteError, match=r"seen\.csv:2: column 'last_seen_utc' holds no date") as caught:
            site.reader.read()
    assert caught.value.exit_code == 1
    assert len(requests(box)) == before


def test_the_variable_with_the_path_of_the_list_is_named_when_it_is_not_set(box: RunningSandbox) -> None:
    with pytest.raises(SiteError, match=r"environment variable SEEN_CSV .* is not set") as caught:
        connect(site_of(box, **listed(env="SEEN_CSV")), secrets_of(box), FakeClock(NOW), limits=QUICK)
    assert "spec.activity.csv" in caught.value.hint
    assert requests(box) == []


# -- domains and seats ---------------------------------------------------------------------------------


def test_verified_domains_are_read_over_all_pages(world: World, box: RunningSandbox) -> None:
    world.domains = [Domain(id=f"d{number:03d}", name=f"D{number:03d}.Example") for number in range(120)]
    world.domains[7].status = "unverified"
    world.domains[8].status = "deleted"
    box.refresh()
    with connected(box) as site:
        found = site.reader.read().inventory.claimed_domains
    assert found == tuple(f"d{number:03d}.example" for number in range(120) if number not in (7, 8))
    assert sum(one["path"].endswith("/domains") for one in requests(box)) > 1


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        (None, None),
        ("", None),
        ("abc==", "abc=="),
        ("https://api.atlassian.com/admin/v1/orgs/o/domains?cursor=a%2Bb", "a+b"),
        ("/admin/v1/orgs/o/domains?x=1&cursor=ab", "ab"),
        ("https://api.atlassian.com/admin/v1/orgs/o/domains?page=2", "https://api.atlassian.com/admin/v1/orgs/o/domains?page=2"),
    ],
)  # fmt: skip
def test_the_next_page_is_named_by_url_or_by_cursor_and_never_silently_lost(
    link: str | None, cursor: str | None
) -> None:
    assert cursor_in(link) == cursor


@pytest.mark.case("E51")
def test_the_seats_that_were_bought_are_those_of_this_site(world: World, box: RunningSandbox) -> None:
    (wiki,) = [one for one in world.resources if one.name == "confluence"]
    world.resources.append(
        msgspec.structs.replace(wiki, name="other", id="ari:cloud:confluence::site/other", capacity=7)
    )
    wiki.capacity = 50
    box.refresh()
    with connected(box) as site:
        assert site.reader.read().inventory.seat_limit == 50
        wiki.capacity = None
        assert site.reader.read().inventory.seat_limit is None


@pytest.mark.case("E51")
@pytest.mark.parametrize("status", [403, 404])
def test_domains_and_seats_that_the_key_may_not_read_are_unknown(box: RunningSandbox, status: int) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": status, "match": {"path_regex": "/(domains|workspaces)$"}})
        found = site.reader.read().inventory
    assert (found.seat_limit, found.claimed_domains) == (None, None)


@pytest.mark.case("E61")
@pytest.mark.parametrize("path", ["/domains$", "/workspaces$"])
def test_domains_or_seats_that_fail_are_no_inventory(box: RunningSandbox, path: str) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 500, "match": {"path_regex": path}})
        with pytest.raises(IncompleteReadingError):
            site.reader.read()


# -- two directories, guests, invitations in the whole -------------------------------------------------


@pytest.mark.case("E15", "E48")
def test_guests_and_open_invitations_are_told_apart(world: World, box: RunningSandbox) -> None:
    guests = next(group for group in world.groups if group.name == "confluence-guests-acme")
    guest = next(user for user in world.users if guests.id in user.groups)
    seat = next(group for group in world.groups if group.name == "confluence-users-acme")
    invited = next(user for user in world.users if user.type == "atlassian" and seat.id in user.groups)
    invited.activity, invited.groups = {}, [seat.id]
    invited.email_verified = False
    box.refresh()
    with connected(box) as site:
        found = site.reader.read().inventory
    one = found.user_by_id[guest.id]
    assert (one.license, one.billed) == ("guest", False)
    assert one.seats == (GroupSeat((guests.id,)),)
    assert found.user_by_id[invited.id].accepted is False
    assert isinstance(found.user_by_id[invited.id].seen, Never)
    assert {user.accepted for user in found.users if not isinstance(user.seen, Never)} <= {True, None}
