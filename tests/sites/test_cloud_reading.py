"""Reading a Cloud site over HTTP, and every way in which the site can fail at that."""

from __future__ import annotations

import re
import ssl
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import msgspec
import pytest
import trustme

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.change import UserDisable, user_address
from cleanup_gitops.model.errors import (
    CleanupError,
    CredentialError,
    IncompleteReadingError,
    RefusedError,
    SiteError,
)
from cleanup_gitops.model.user import RoleSeat
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import Directory, RateLimit, User, World
from cleanup_gitops.sites.cloud import connect
from cleanup_gitops.sites.gates import Interrupted
from cleanup_gitops.sites.http import StatusError
from cleanup_gitops.sites.secret import Secret
from tests import canaries
from tests.fakes import FakeClock, FakeProgress
from tests.sites.box import (
    KEY,
    NOW,
    QUICK,
    TOKEN,
    USER,
    connected,
    disturb,
    happens,
    requests,
    secrets_of,
    site_of,
)
from tests.sites.scripted import Reply, scripted

USERS_SEARCH = "users/search$"
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """Users on three pages."""
    return seed(users=250, seed=3)


def refused(box: RunningSandbox, error: CleanupError) -> str:
    """The text of an error, after making sure that it holds no secret and nobody's name or address."""
    shown = "".join(traceback.format_exception(error)) + error.message + error.hint
    assert canaries.found(shown) == []
    assert box.user_email not in shown
    for user in box.world.users:
        assert user.email is None or user.email not in shown
    return str(error)


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
        ("guest", direct, False),
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
    limit = RateLimit(path="last-active-dates$", limit=4, window_seconds=1.0)
    world.options.rate_limits = [limit]
    with running(world) as box:
        with connect(site_of(box), secrets_of(box), SystemClock(), limits=QUICK) as site:
            site.reader.read()
        asked = [one["status"] for one in requests(box) if one["path"].endswith("last-active-dates")]
    assert asked.count(200) > 2 * limit.limit
    assert asked.count(429) <= asked.count(200)


# -- completeness (E61) ----------------------------------------------------------------------------


@pytest.mark.case("E61", "F1")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 400, "code": "ADMIN-400-1"},
        {"kind": "reset"},
        {"kind": "truncate"},
        {"kind": "html"},
        {"kind": "not_json"},
    ],
)
def test_a_page_that_fails_midway_is_no_end_of_the_list(box: RunningSandbox, fault: dict[str, object]) -> None:
    with connected(box) as site:
        # Two lists of users have several pages and are read side by side: usually one of them breaks off midway.
        disturb(box, fault | {"match": {"path_regex": USERS_SEARCH, "after": 4}})
        with pytest.raises(IncompleteReadingError) as caught:
            site.reader.read()
    text = refused(box, caught.value)
    assert "broke off" in text
    assert caught.value.exit_code == 3


@pytest.mark.case("E61", "F1")
@pytest.mark.parametrize("kind", ["cursor_loop", "repeat_page", "drop_rows"])
def test_a_list_that_loops_repeats_or_loses_rows_is_never_a_plan(box: RunningSandbox, kind: str) -> None:
    with connected(box) as site:
        disturb(box, {"kind": kind, "match": {"path_regex": USERS_SEARCH, "after": 1}})
        with pytest.raises(IncompleteReadingError) as caught:
            site.reader.read()
    refused(box, caught.value)


@pytest.mark.case("E61")
def test_a_list_that_lost_a_row_once_is_read_a_second_time(box: RunningSandbox) -> None:
    with connected(box) as site:
        whole = site.reader.read().inventory
        disturb(box, {"kind": "drop_rows", "match": {"path_regex": USERS_SEARCH, "nth": 1}})
        assert site.reader.read().inventory.digest == whole.digest


@pytest.mark.case("E61")
@pytest.mark.parametrize("path", ["groups/search$", "role-assignments$", "last-active-dates$"])
def test_whatever_else_fails_for_good_there_is_no_inventory(box: RunningSandbox, path: str) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 503, "match": {"path_regex": path}})
        with pytest.raises(SiteError) as caught:
            site.reader.read()
    assert "503" in refused(box, caught.value)


def test_a_hiccup_is_not_even_noticed(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(
            box,
            {"kind": "status", "status": 503, "match": {"path_regex": USERS_SEARCH, "nth": 2}},
            {"kind": "reset", "match": {"path_regex": "groups/search$", "nth": 1}},
            {"kind": "truncate", "match": {"path_regex": "role-assignments$", "nth": 3}},
        )
        assert site.reader.read().inventory.proof.flaws() == []


def test_somebody_whose_last_activity_the_organization_does_not_know_is_unknown(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 404, "match": {"path_regex": "last-active-dates$"}})
        users = site.reader.read().inventory.users
    reasons = {getattr(user.seen, "reason", "") for user in users if user.license in ("seat", "guest")}
    assert reasons == {"", "the organization knows no activity of this account"}


def test_an_answer_about_somebody_else_is_an_error(box: RunningSandbox) -> None:
    with connected(box) as site:
        somebody = next(one.id for one in site.reader.read().inventory.users if not one.admin)
        # The last of the three searches about the runner has the runner's row: it administers.
        disturb(box, {"kind": "repeat_page", "match": {"path_regex": USERS_SEARCH, "after": 3}})
        assert site.reader.user(box.runner_account) is not None
        with pytest.raises(SiteError, match="other accounts"):
            site.reader.user(somebody)


# -- fail at the start, with the reason (E67) --------------------------------------------------------


@pytest.mark.case("E67")
@pytest.mark.parametrize("name", [KEY, USER, TOKEN])
@pytest.mark.parametrize("value", ["", "  \n", None])
def test_a_missing_variable_is_named(box: RunningSandbox, name: str, value: str | None) -> None:
    secrets = secrets_of(box)
    if value is None:
        del secrets[name]
    else:
        secrets[name] = Secret(value, name)
    with pytest.raises(CredentialError, match=f"variable {name} "):
        connect(site_of(box), secrets, FakeClock())
    assert requests(box) == []


@pytest.mark.case("E67", "E78")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (KEY, r"The organization API key in \$ORG_KEY was refused \(401\): wrong, revoked or expired."),
        (TOKEN, r"The API token in \$SITE_TOKEN was refused by .* \(401\)"),
        (USER, r"The API token in \$SITE_TOKEN was refused by .* \(401\).* the user in \$SITE_USER"),
    ],
)
def test_a_wrong_credential_is_named_by_its_variable(box: RunningSandbox, name: str, text: str) -> None:
    with pytest.raises(CredentialError) as caught:
        connect(site_of(box), secrets_of(box, **{name: canaries.STRAY}), FakeClock(), limits=QUICK)
    assert re.search(text, refused(box, caught.value))
    assert canaries.found("".join(traceback.format_exception(caught.value))) == []
    assert caught.value.exit_code == 1


@pytest.mark.case("E67")
def test_a_key_with_a_line_end_inside_is_refused_before_it_is_sent(box: RunningSandbox) -> None:
    with pytest.raises(CredentialError, match="characters that no key has"):
        connect(site_of(box), secrets_of(box, **{KEY: f"{canaries.STRAY}\ndef"}), FakeClock())


@pytest.mark.case("E67")
@pytest.mark.parametrize("which", ["org_api_key_expires", "api_token_expires"])
def test_an_expired_credential_stops_the_start(world: World, which: str) -> None:
    setattr(world.credentials, which, "2026-11-01T00:00:00Z")
    with running(world) as box, pytest.raises(CredentialError, match=r"\(401\)"):
        connected(box)


@pytest.mark.case("E67")
def test_a_key_that_dies_while_reading_is_a_matter_of_the_key(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(
            box,
            {"kind": "status", "status": 401, "shape": "gateway", "match": {"path_regex": USERS_SEARCH, "after": 3}},
        )
        with pytest.raises(CredentialError, match=r"\(401\)"):
            site.reader.read()


@pytest.mark.case("E67")
def test_a_key_with_too_few_scopes_is_told_to_be_replaced(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 403, "match": {"path_regex": USERS_SEARCH}})
        with pytest.raises(CredentialError) as caught:
            site.reader.read()
    assert "may not manage the directory of acme (403" in caught.value.message
    assert "without scopes" in caught.value.hint


@pytest.mark.case("E67")
def test_an_organization_of_somebody_else_is_named(world: World) -> None:
    foreign = "0f5e0000-0000-0000-0000-00000000ffff"
    world.foreign_organizations.append(foreign)
    with running(world) as box:
        with pytest.raises(CredentialError, match=f"may not manage the organization {foreign}"):
            connected(box, organization=foreign)
        with pytest.raises(SiteError) as caught:
            connected(box, organization="0f5e0000-0000-0000-0000-000000000bad")
    assert "Check spec.cloud.organization" in caught.value.hint


def two_directories(world: World) -> World:
    world.directories.append(Directory(id="second-id", name="Second"))
    world.directories.append(Directory(id="hidden-id", name="Hidden", manageable=False))
    return world


@pytest.mark.case("E42")
def test_of_several_directories_one_must_be_named(world: World) -> None:
    with running(two_directories(world)) as box:
        with pytest.raises(SiteError) as caught:
            connected(box)
        assert "2 directories" in caught.value.message
        assert "Second (second-id), default (default)" in caught.value.message
        assert "spec.cloud.directory" in caught.value.hint
        for name in ("second-id", "Second", "SECOND"):
            connected(box, directory=name).close()


def test_a_directory_that_the_key_may_not_manage_is_named_before_anything_is_read(world: World) -> None:
    with running(two_directories(world)) as box:
        for name in ("hidden-id", "Hidden", "no such"):
            with pytest.raises(SiteError, match="is not a directory that the key may manage"):
                connected(box, directory=name)
        assert not any(re.search(USERS_SEARCH, one["path"]) for one in requests(box))


def test_an_account_without_confluence_cannot_be_the_site_user(world: World) -> None:
    runner = next(user for user in world.users if user.id == world.credentials.runner_account)
    runner.directories = dict.fromkeys(runner.directories, "suspended")
    with running(world) as box, pytest.raises(CredentialError, match="may not use the Confluence"):
        connected(box)


def test_an_anonymous_answer_is_no_login(box: RunningSandbox) -> None:
    with (
        scripted(Reply(body=b'{"type": "anonymous"}')) as wiki,
        pytest.raises(CredentialError, match="anonymous"),
    ):
        connect(site_of(box, url=wiki.url), secrets_of(box), FakeClock(), limits=QUICK)


def test_a_url_of_something_else_is_said_to_be_wrong(box: RunningSandbox) -> None:
    with scripted(Reply(status=404)) as other:
        for fields, text in (({"url": other.url}, "spec.url"), ({"api_url": other.url}, "spec.cloud.organization")):
            with pytest.raises(SiteError) as caught:
                connect(site_of(box, **fields), secrets_of(box), FakeClock(), limits=QUICK)
            assert text in caught.value.hint


@pytest.mark.parametrize("path", ["user/current$", "systemInfo$", "orgs/[^/]+$", "directories$"])
def test_html_at_the_start_is_one_clear_line(box: RunningSandbox, path: str) -> None:
    disturb(box, {"kind": "html", "match": {"path_regex": path}})
    with pytest.raises(SiteError) as caught:
        connected(box)
    assert "with HTML, not JSON" in refused(box, caught.value)
    assert caught.value.exit_code == 1


def test_a_site_behind_a_certificate_that_nobody_trusts(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tls")
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    with (
        running(world, ssl_certfile=folder / "both.pem", ssl_keyfile=folder / "both.pem") as box,
        pytest.raises(SiteError, match="TLS certificate could not be verified"),
    ):
        connected(box)
    assert ssl.OPENSSL_VERSION  # the message above comes from it


def test_a_site_url_may_end_in_wiki(box: RunningSandbox) -> None:
    site = replace(site_of(box), url=f"{box.url}/wiki")
    connect(site, secrets_of(box), FakeClock(), limits=QUICK).close()


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
