"""Reading a Cloud site over HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import httpx
import msgspec
import pytest

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.change import UserDisable, user_address
from cleanup_gitops.model.errors import (
    CleanupError,
    CredentialError,
    RefusedError,
    SiteError,
)
from cleanup_gitops.model.user import RoleSeat
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import RateLimit, User, World
from cleanup_gitops.sites.cloud import connect
from cleanup_gitops.sites.exchange import WORKERS
from cleanup_gitops.sites.gates import Interrupted
from cleanup_gitops.sites.http import StatusError
from tests.fakes import FakeClock, FakeProgress
from tests.patience import STALLED
from tests.sites.box import (
    NOW,
    QUICK,
    SharedClock,
    connected,
    disturb,
    happens,
    requests,
    secrets_of,
    site_of,
)
from tests.sites.broken import USERS_SEARCH, refused

DAY = timedelta(days=1)


# -- what is read ----------------------------------------------------------------------------------


def test_the_whole_directory_is_read_with_its_proof(box: RunningSandbox) -> None:
    with connected(box) as site:
        live = site.reader.read()
    inventory = live.inventory
    default = box.world.directories[0].id
    inside = {user.id: user for user in box.world.users if default in user.directories}
    assert set(inventory.user_by_id) == set(inside)
    reading = inventory.proof.readings[0]
    assert (reading.items, reading.reported_before, reading.reported_after) == (len(inside),) * 3
    assert reading.pages == 3
    assert inventory.runner == (box.runner_account,)
    for account, known in inside.items():
        assert set(inventory.user_by_id[account].groups or ()) == set(known.groups)
        assert live.people.name(account) == known.name
        assert live.people.email(account) == (None if known.email_hidden else known.email)


def test_no_name_and_no_address_gets_into_the_inventory(box: RunningSandbox) -> None:
    with connected(box) as site:
        facts = msgspec.json.encode(site.reader.read().inventory.users).decode()
    for user in box.world.users:
        assert user.email is None or user.email not in facts
        assert f'"{user.name}"' not in facts


def test_seats_are_those_that_the_site_counts(box: RunningSandbox) -> None:
    with connected(box) as site:
        assert site.reader.read().inventory.seats_used == box.state.seats("confluence")


def test_wrapped_group_ids_change_nothing(world: World) -> None:
    with running(world) as box, connected(box) as site:
        bare = site.reader.read().inventory
        world.options.group_ids_as_ari = True
        box.refresh()
        assert site.reader.read().inventory.digest == bare.digest


def test_roles_given_directly_give_seats_and_administration(world: World) -> None:
    inside = [user for user in world.users if user.directories and user.type == "atlassian"]
    seat, guest, admin, access, strange = inside[50:55]
    given = (seat, guest, admin, access, strange)
    for user, role in zip(given, ("user", "guest", "admin", "user-access-admin", "viewer"), strict=True):
        user.groups, user.platform_roles = [], []
        user.roles = {"confluence": [f"atlassian/{role}"]}
    with running(world) as box, connected(box) as site:
        found = site.reader.read().inventory.user_by_id
        alone = {user.id: site.reader.user(user.id) for user in given}
    direct = (RoleSeat("direct"),)
    facts = [(one.license, one.seats, one.admin) for one in (found[user.id] for user in given)]
    assert facts == [
        ("seat", direct, False),
        ("guest", (RoleSeat("guest"),), False),
        ("seat", direct, True),
        ("none", (), True),
        ("unknown", None, False),
    ]
    assert alone == {account: found[account] for account in alone}


def test_a_group_made_since_the_reading_is_read_before_its_member_is_judged(box: RunningSandbox) -> None:
    with connected(box) as site:
        inventory = site.reader.read().inventory
        user = next(one for one in inventory.users if one.license == "seat")
        late = next(group for group in box.world.groups if group.name == "product-suite-acme")
        fresh = msgspec.structs.replace(late, id="99999999-0000-4000-8000-000000000000", name="brand-new")
        box.world.groups.append(fresh)
        box.refresh()
        happens(box, user.id, groups=["brand-new"])
        again = site.reader.user(user.id)
    assert again is not None
    assert (again.license, again.groups) == ("seat", (fresh.id,))


def test_progress_is_told_and_names_nobody(box: RunningSandbox) -> None:
    progress = FakeProgress()
    with connect(site_of(box), secrets_of(box), FakeClock(NOW), progress, limits=QUICK) as site:
        site.reader.read()
    whats = {what for what, _, _ in progress.steps}
    assert whats >= {"reading groups", "reading what groups give", "reading users", "asking last-active dates"}
    users = [(done, total) for what, done, total in progress.steps if what == "reading users"]
    assert users[-1][0] == users[-1][1]


def test_reading_one_account_is_no_progress(world: World) -> None:
    direct = next(user for user in world.users if user.roles.get("confluence"))
    progress = FakeProgress()
    with (
        running(world) as box,
        connect(site_of(box), secrets_of(box), FakeClock(NOW), progress, limits=QUICK) as site,
    ):
        assert site.reader.user(direct.id) is not None  # reads the groups as well
        assert site.reader.user(direct.id) is not None
    assert progress.steps == []


# -- other products: silence is not "never" ----------------------------------------------------------


@pytest.fixture
def jira_members(world: World) -> list[User]:
    """Three who may use Jira and never did: idle in Confluence, back in Confluence, and idle with hidden products."""
    groups = {group.name: group.id for group in world.groups}
    found = [user for user in world.users if user.activity.keys() == {"confluence", "jira-software"}][:2]
    for user, at in zip(found, ("2026-03-01T08:00:00Z", "2026-11-20T08:00:00Z"), strict=True):
        user.groups = [groups["confluence-users-acme"], groups["jira-users-acme"]]
        user.activity = {"confluence": at}
    return found


@pytest.mark.case("E7")
def test_an_idle_member_of_another_product_is_asked_about_and_an_active_one_is_not(
    world: World, jira_members: list[User]
) -> None:
    idle, active = jira_members
    with running(world) as box, connected(box) as site:
        found = site.reader.read().inventory.user_by_id
        asked = {one["path"].split("/")[-2] for one in requests(box) if one["path"].endswith("last-active-dates")}
        assert {user.id: site.reader.user(user.id) for user in jira_members} == {
            user.id: found[user.id] for user in jira_members
        }
    assert found[idle.id].elsewhere == (("jira-software", Never(found[idle.id].added)),)
    assert found[active.id].elsewhere == (("jira-software", Unknown("not in the answer")),)
    assert idle.id in {unquote(one) for one in asked}
    assert active.id not in {unquote(one) for one in asked}
    lately = [user for user in found.values() if isinstance(user.seen, Seen) and user.seen.latest > NOW - 30 * DAY]
    assert not {unquote(one) for one in asked} & {user.id for user in lately}


@pytest.mark.case("E7")
def test_a_use_that_the_list_leaves_out_is_found_before_anybody_counts_as_idle(
    world: World, jira_members: list[User]
) -> None:
    idle, _ = jira_members
    used = {"id": "j", "key": "jira-software", "last_active_timestamp": "2026-11-21T10:00:00Z"}
    answer = msgspec.json.encode({"data": {"product_access": [used]}}).decode()
    with running(world) as box, connected(box) as site:
        disturb(
            box,
            {
                "kind": "not_json",
                "status": 200,
                "body": answer,
                "match": {"path_regex": f"{re.escape(idle.id)}/last-active-dates$"},
            },
        )
        found = site.reader.read().inventory.user_by_id[idle.id]
        assert site.reader.user(idle.id) == found
    assert found.elsewhere == (("jira-software", seen_at(datetime(2026, 11, 21, 10, tzinfo=UTC))),)
    assert found.seen == seen_at(datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.mark.case("E38", "E61")
def test_a_lost_row_of_what_a_group_gives_makes_the_group_unknown_and_gives_nobody_a_direct_role(
    box: RunningSandbox,
) -> None:
    suite = next(group for group in box.world.groups if group.name == "product-suite-acme")
    with connected(box) as site:
        whole = site.reader.read().inventory
        match = {"path_regex": f"{suite.id}/role-assignments$"}
        disturb(box, {"kind": "drop_rows", "match": match | {"nth": 1}})
        partly = site.reader.read().inventory
        disturb(box, {"kind": "drop_rows", "match": match, "rows": 2})
        nothing = site.reader.read().inventory
    assert [grant.product for grant in whole.group_by_id[suite.id].grants or ()] == ["confluence", "jira-software"]
    for inventory, license_ in ((partly, "seat"), (nothing, "unknown")):
        group = inventory.group_by_id[suite.id]
        assert (group.grants, group.license, group.admin) == (None, license_, None)
    members = [user for user in nothing.users if user.groups and suite.id in user.groups]
    assert members
    for user in members:
        assert not any(isinstance(path, RoleSeat) for path in user.seats or ())
        assert user.license in ("seat", "unknown")
        assert user.elsewhere is None or isinstance(user.seen, Seen | Never)


# -- one account that cannot be told of is not the whole site ------------------------------------------


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_account_that_the_site_refuses_to_tell_of_is_refused_alone(box: RunningSandbox, status: int) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": status, "match": {"path_regex": USERS_SEARCH}})
        with pytest.raises(RefusedError) as caught:
            site.reader.user(box.runner_account)
    assert f"{box.runner_account} ({status}, POST " in refused(box, caught.value)


@pytest.mark.parametrize("status", [400, 410])
def test_dates_that_the_site_refuses_to_tell_of_one_account_are_refused_alone(box: RunningSandbox, status: int) -> None:
    with connected(box) as site:
        never = next(one.id for one in site.reader.read().inventory.users if isinstance(one.seen, Never))
        disturb(box, {"kind": "status", "status": status, "match": {"path_regex": "last-active-dates$"}})
        with pytest.raises(RefusedError, match=rf"{never} \({status}, GET .*last-active-dates\)"):
            site.reader.user(never)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialError),
        (403, CredentialError),
        (404, SiteError),  # the directory is not known
        (429, StatusError),
        (500, StatusError),
        (503, StatusError),
    ],
)
def test_trouble_of_the_site_is_not_laid_to_one_account(
    box: RunningSandbox, status: int, kind: type[SiteError]
) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": status, "match": {"path_regex": USERS_SEARCH}})
        with pytest.raises(SiteError) as caught:
            site.reader.user(box.runner_account)
    assert type(caught.value) is kind


def test_groups_that_cannot_be_read_are_not_laid_to_one_account(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 400, "match": {"path_regex": "groups/search$"}})
        with pytest.raises(StatusError):
            site.reader.user(box.runner_account)


# -- asked to stop ---------------------------------------------------------------------------------


@pytest.mark.case("E62")
def test_a_site_that_was_asked_to_stop_waits_no_more_until_it_is_read_as_a_whole(box: RunningSandbox) -> None:
    busy = {"kind": "status", "status": 429, "headers": {"Retry-After": "20"}}
    with connected(box) as site:
        site.stop_waiting()
        assert site.reader.user(box.runner_account) is not None  # needs no wait
        disturb(box, busy | {"match": {"path_regex": USERS_SEARCH, "times": 2}})
        with pytest.raises(Interrupted):
            site.reader.user(box.runner_account)
        assert site.reader.read().inventory.users


def test_no_endpoint_that_has_ended_and_no_wildcard_directory_is_called(box: RunningSandbox) -> None:
    with connected(box) as site:
        site.reader.read()
        site.reader.user(box.runner_account)
        site.reader.group_modifiable(box.world.groups[0].id)
    for request in requests(box):
        assert request["status"] == 200
        assert "/directories/-/" not in request["path"]
        if request["path"].startswith("/admin/v1/"):
            assert re.search(r"/orgs/[^/]+(/domains|/directory/users/[^/]+/last-active-dates)?$", request["path"])


@pytest.mark.case("E62", "E83")
def test_the_limit_of_last_active_dates_is_waited_for_with_next_to_no_refusals(world: World) -> None:
    limit = RateLimit(path="last-active-dates$", limit=4, window_seconds=20.0)
    world.options.rate_limits, world.options.virtual_limits = [limit], True
    with running(world) as box, httpx.Client(base_url=box.url, verify=False, timeout=STALLED) as client:
        with connect(site_of(box), secrets_of(box), SharedClock(client, NOW), limits=QUICK) as site:
            site.reader.read()
        asked = [one["status"] for one in requests(box) if one["path"].endswith("last-active-dates")]
    assert asked.count(200) > 2 * limit.limit
    assert asked.count(429) <= WORKERS - limit.limit, "only what went out before anything was known"


# -- writing ---------------------------------------------------------------------------------------


def test_a_receipt_has_the_site_s_date_and_trace(box: RunningSandbox) -> None:
    trace = {"atl-traceid": "8f2c", "Date": "Sun, 22 Nov 2026 09:00:00 GMT"}
    disturb(
        box,
        {
            "kind": "status",
            "status": 204,
            "shape": "empty",
            "headers": trace,
            "carry_out": True,
            "match": {"path_regex": "suspend$"},
        },
    )
    with connected(box) as site:
        user = next(one for one in site.reader.read().inventory.users if one.status == "active" and one.writable)
        receipt = site.writer.write(
            UserDisable(
                address=user_address(user.id, None),
                user=user.id,
                directory=user.directory,
                old="active",
                new="suspended",
            )
        )
        after = site.reader.user(user.id)
    assert (receipt.method, receipt.status, receipt.request_id) == ("POST", 204, "8f2c")
    assert receipt.endpoint == "/admin/v2/orgs/{org}/directories/{directory}/users/{account}/suspend"
    assert "GMT" in receipt.server_date
    assert after is not None
    assert after.status == "suspended"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "ADMIN-401-2", CredentialError),
        (403, "ADMIN-403-3", CredentialError),
    ],
)
def test_a_write_that_fails_for_the_credential_stops_everything(
    box: RunningSandbox, status: int, code: str, kind: type[CleanupError]
) -> None:
    disturb(box, {"kind": "status", "status": status, "code": code, "match": {"path_regex": "suspend$"}})
    with connected(box) as site, pytest.raises(kind):
        site.writer.write(UserDisable(address="user/x", user="x", directory="default", old="active", new="suspended"))
