"""Questions about single accounts, asked of the sandbox: answers, and what no answer means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace as with_fields
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import QUESTIONS, GroupSeat, Lifecycle, Question, RoleSeat
from cleanup_gitops.policy.site import ActivitySource
from cleanup_gitops.sandbox.records import Page, Token
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import Directory, User, World
from cleanup_gitops.sites.cloud import CloudSite, connect
from tests.fakes import FakeClock, FakeProgress
from tests.sites.box import NOW, QUICK, connected, disturb, requests, secrets_of, site_of

EVERYTHING: tuple[ActivitySource, ...] = ("directory", "content")


@pytest.fixture
def world() -> World:
    found = seed(users=120, seed=3)
    found.content, found.audit = [], []
    return found


@pytest.fixture
def site(box: RunningSandbox) -> Iterator[CloudSite]:
    with connected(box, sources=EVERYTHING) as found:
        yield found


def people(world: World) -> list[User]:
    """Managed people who used Confluence, with a seat through one group and nothing else."""
    seat = next(group.id for group in world.groups if group.name == "confluence-users-acme")
    found = [
        user
        for user in world.users
        if user.type == "atlassian" and user.managed and user.email_verified
        and user.directories == {"default": "active"}
        and user.account == "active" and not user.platform_roles and user.source == "invited"
        and user.activity.keys() == {"confluence"}
    ]  # fmt: skip
    for user in found:
        user.groups, user.roles, user.tokens, user.restrictions = [seat], {}, [], {}
    return found


def asked(box: RunningSandbox, site: CloudSite, *accounts: str, what: frozenset[Question] = QUESTIONS) -> Inventory:
    """The answers, which must be the same for one account alone."""
    box.refresh()
    found = site.reader.ask(site.reader.read().inventory, dict.fromkeys(accounts, what))
    assert {account: site.reader.user(account, what) for account in accounts} == {
        account: found.user_by_id[account] for account in accounts
    }
    return found


@pytest.mark.case("E37")
def test_a_role_beside_the_groups_is_found_when_it_is_asked_for(
    world: World, box: RunningSandbox, site: CloudSite
) -> None:
    both, plain = people(world)[:2]
    both.roles = {"confluence": ["atlassian/user", "atlassian/ai-access"]}
    box.refresh()
    before = site.reader.read().inventory.user_by_id
    assert (before[both.id].direct, before[both.id].seats) == (None, (GroupSeat((both.groups[0],)),))
    found = asked(box, site, both.id, plain.id).user_by_id
    assert found[both.id].direct == ("ai-access", "user")
    assert found[both.id].seats == (GroupSeat((both.groups[0],)), RoleSeat("user"))
    assert (found[plain.id].direct, found[plain.id].seats) == ((), before[plain.id].seats)


def test_a_role_through_no_group_gets_its_name(world: World, box: RunningSandbox, site: CloudSite) -> None:
    alone = people(world)[0]
    alone.groups, alone.roles = [], {"confluence": ["atlassian/user"]}
    box.refresh()
    assert site.reader.read().inventory.user_by_id[alone.id].seats == (RoleSeat("direct"),)
    found = asked(box, site, alone.id).user_by_id[alone.id]
    assert (found.direct, found.seats, found.license) == (("user",), (RoleSeat("user"),), "seat")


@pytest.mark.case("E42")
def test_whoever_is_suspended_here_and_active_in_another_directory_is_suspended_here(world: World) -> None:
    both = people(world)[0]
    both.directories = {"default": "suspended", "second-id": "active"}
    world.directories.append(Directory(id="second-id", name="Second"))
    with running(world) as box, connected(box, directory="default") as site:
        assert site.reader.read().inventory.user_by_id[both.id].status == "active", "a list knows only: active anywhere"
        assert asked(box, site, both.id).user_by_id[both.id].status == "suspended"
        live = site.reader.read().inventory
        day = live.as_of.replace(hour=0, minute=0, second=0)
        known = replace(live, users=tuple(replace(user, status_by=day, status_after=day) for user in live.users))
        told = site.reader.ask(known, {both.id: QUESTIONS}).user_by_id
        assert (told[both.id].status_by, told[both.id].status_after) == (None, None), "they are about being active"
        assert all(user.status_by == day for user in told.values() if user.id != both.id)


@pytest.mark.case("E43", "E44", "E45")
def test_what_may_be_done_to_a_whole_account_is_told_with_the_reason(
    world: World, box: RunningSandbox, site: CloudSite
) -> None:
    free, scim, google, outsider = people(world)[:4]
    scim.source = "synced"
    google.restrictions = {"lifecycle": "externalDirectory.google"}
    outsider.managed = False
    found = asked(box, site, *(user.id for user in (free, scim, google, outsider))).user_by_id
    assert found[free.id].lifecycle == Lifecycle("", "")
    assert found[scim.id].lifecycle == Lifecycle("externalDirectory.scim", "externalDirectory.scim")
    assert found[google.id].lifecycle == Lifecycle("externalDirectory.google", "externalDirectory.google")
    assert found[outsider.id].lifecycle is None
    assert found[outsider.id].tokens is None


def test_nothing_is_asked_about_the_account_of_an_outsider(world: World, box: RunningSandbox, site: CloudSite) -> None:
    outsider = people(world)[0]
    outsider.managed = False
    asked(box, site, outsider.id, what=frozenset({"lifecycle", "tokens"}))
    assert not any(one["path"].startswith("/users/") for one in requests(box))


def test_tokens_are_listed_by_id(world: World, box: RunningSandbox, site: CloudSite) -> None:
    some, none = people(world)[:2]
    some.tokens = [Token(id=one, label="x", created="2026-01-01T00:00:00Z") for one in ("t2", "t1")]
    found = asked(box, site, some.id, none.id).user_by_id
    assert (found[some.id].tokens, found[none.id].tokens) == (("t1", "t2"), ())


def page(number: int, **edits: str) -> Page:
    first = min(edits, key=lambda account: edits[account])
    return Page(id=str(number), title=f"Page {number}", space="A", creator=first, created=edits[first], edits=edits)


@pytest.mark.case("E8", "E9")
def test_whoever_wrote_something_was_there(world: World, box: RunningSandbox, site: CloudSite) -> None:
    writer, reader, edited, old, hidden = people(world)[:5]
    for user in (writer, reader, edited, old, hidden):
        user.activity["confluence"] = "2026-03-01T08:00:00Z"
    at, before, late = "2026-11-20T08:00:00Z", "2026-02-01T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)
    spring = datetime(2026, 3, 1, 8, tzinfo=UTC)
    world.content = [
        page(1, **{writer.id: at}),
        page(2, **{writer.id: "2026-05-01T08:00:00Z"}),
        page(3, **{edited.id: "2026-05-01T08:00:00Z", reader.id: at}),
        page(4, **{old.id: before}),
        replace(page(5, **{hidden.id: at}), restricted=True),
    ]
    found = asked(box, site, *(user.id for user in (writer, reader, edited, old, hidden))).user_by_id
    assert found[writer.id].seen == seen_at(late, "content")
    assert found[reader.id].seen == seen_at(late, "content")
    assert found[edited.id].seen == Seen(spring, late, "content"), "somebody else changed it last: some time in between"
    assert found[old.id].seen == seen_at(spring)
    assert found[hidden.id].seen == seen_at(spring), "what the caller may not see is no evidence of idleness"


@pytest.mark.case("E1")
def test_whoever_never_opened_a_page_and_wrote_one_was_seen(world: World, box: RunningSandbox, site: CloudSite) -> None:
    user = people(world)[0]
    user.activity = {}
    box.refresh()
    world.content = [page(1, **{user.id: "2026-11-20T08:00:00Z"})]
    assert isinstance(site.reader.read().inventory.user_by_id[user.id].seen, Never)
    assert isinstance(asked(box, site, user.id).user_by_id[user.id].seen, Seen)


@pytest.mark.case("E17")
def test_content_of_the_future_makes_the_activity_unknown(world: World, box: RunningSandbox, site: CloudSite) -> None:
    user = people(world)[0]
    world.content = [page(1, **{user.id: "2027-11-20T08:00:00Z"})]
    assert asked(box, site, user.id).user_by_id[user.id].seen == Unknown("the site reported a date in the future")


def test_authorship_is_not_asked_for_where_the_site_document_does_not_name_it(
    world: World, box: RunningSandbox
) -> None:
    user = people(world)[0]
    with connected(box) as site:
        assert (
            asked(box, site, user.id).user_by_id[user.id].seen == site.reader.read().inventory.user_by_id[user.id].seen
        )
    assert not any(one["path"].endswith("/search") and one["path"].startswith("/wiki") for one in requests(box))


# -- no answer ---------------------------------------------------------------------------------------


@pytest.mark.case("E7")
def test_a_product_that_the_lists_leave_out_is_found_when_it_is_asked_for(
    world: World, box: RunningSandbox, site: CloudSite
) -> None:
    user = people(world)[0]
    box.refresh()
    before = site.reader.read().inventory
    known = before.user_by_id[user.id]
    assert known.elsewhere == ()
    used = {"id": "j", "key": "jira-software", "last_active_timestamp": "2026-11-21T10:00:00Z"}
    body = json.dumps({"data": {"product_access": [used]}})
    there = {"path_regex": f"{re.escape(user.id)}/last-active-dates$"}
    disturb(box, {"kind": "not_json", "status": 200, "body": body, "match": there})
    what: dict[str, frozenset[Question]] = {user.id: frozenset({"products"})}
    found = site.reader.ask(before, what).user_by_id[user.id]
    assert found == replace(known, elsewhere=(("jira-software", seen_at(datetime(2026, 11, 21, 10, tzinfo=UTC))),))
    assert site.reader.user(user.id, what[user.id]) == found


@pytest.mark.case("F2")
@pytest.mark.parametrize("status", [400, 404, 409])
def test_what_is_refused_for_one_account_stays_unknown(
    world: World, box: RunningSandbox, site: CloudSite, status: int
) -> None:
    user = people(world)[0]
    before = site.reader.read().inventory
    for path in (r"users/[^/]+/role-assignments$", r"^/users/", r"/last-active-dates$", r"^/wiki/rest/api/search$"):
        if status != 404 or "wiki" not in path:
            disturb(box, {"kind": "status", "status": status, "match": {"path_regex": path}})
    found = site.reader.ask(before, {user.id: QUESTIONS}).user_by_id[user.id]
    assert (found.direct, found.lifecycle, found.tokens, found.elsewhere) == (None, None, None, None)
    assert found.seats == before.user_by_id[user.id].seats
    if status != 404:
        assert found.seen == Unknown("authorship was not answered")


@pytest.mark.case("F2")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (r"users/[^/]+/role-assignments$", '{"data": [{"resourceId": "ARI"}]}'),
        (
            r"users/[^/]+/role-assignments$",
            '{"data": [{"resourceId": "ARI", "roleAssignments": [{"role": "a/user"}]}]}',
        ),
        (r"/manage$", "{}"),
    ],
)
def test_an_answer_that_leaves_out_what_was_asked_is_no_answer(
    world: World, box: RunningSandbox, site: CloudSite, path: str, body: str
) -> None:
    user = people(world)[0]
    before = site.reader.read().inventory
    answer = body.replace("ARI", f"ari:cloud:confluence::site/{world.site.cloud_id}")
    disturb(box, {"kind": "not_json", "status": 200, "body": answer, "match": {"path_regex": path}})
    found = site.reader.ask(before, {user.id: frozenset({"roles", "lifecycle"})}).user_by_id[user.id]
    assert found.direct is None if "role" in path else found.lifecycle == Lifecycle(None, None)


@pytest.mark.case("F1", "F2")
def test_an_answer_without_a_role_that_is_held_takes_no_license_away(
    world: World, box: RunningSandbox, site: CloudSite
) -> None:
    alone, grouped, unseated = people(world)[:3]
    alone.groups, alone.roles = [], {"confluence": ["atlassian/user"]}
    unseated.groups = []
    box.refresh()
    before = site.reader.read().inventory
    disturb(box, {"kind": "drop_rows", "rows": 9, "match": {"path_regex": r"users/[^/]+/role-assignments$"}})
    three = [user.id for user in (alone, grouped, unseated)]
    found = site.reader.ask(before, dict.fromkeys(three, frozenset({"roles"}))).user_by_id
    assert [found[one] for one in three[:2]] == [before.user_by_id[one] for one in three[:2]]
    assert (found[alone.id].license, found[alone.id].direct, found[unseated.id].direct) == ("seat", None, ())


def test_a_reason_that_is_no_code_may_hold_a_name_and_is_not_kept(
    world: World, box: RunningSandbox, site: CloudSite
) -> None:
    user = people(world)[0]
    before = site.reader.read().inventory
    rule = '{"allowed": false, "reason": {"key": "externalDirectory.of Ada <ada@acme.com>"}}'
    body = f'{{"lifecycle.enablement": {rule}, "lifecycle.delete": {rule}}}'
    disturb(box, {"kind": "not_json", "status": 200, "body": body, "match": {"path_regex": "/manage$"}})
    found = site.reader.ask(before, {user.id: frozenset({"lifecycle"})}).user_by_id[user.id]
    assert found.lifecycle == Lifecycle("refused", "refused")


@pytest.mark.case("E61")
@pytest.mark.parametrize("path", [r"users/[^/]+/role-assignments$", r"/manage$", r"/api-tokens$", r"/api/search$"])
@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "html"}])
def test_a_site_that_fails_gives_no_inventory(
    world: World, box: RunningSandbox, site: CloudSite, path: str, fault: dict[str, object]
) -> None:
    user = people(world)[0]
    before = site.reader.read().inventory
    disturb(box, fault | {"match": {"path_regex": path}})
    with pytest.raises(IncompleteReadingError, match=f"Questions about {user.id} failed"):
        site.reader.ask(before, {user.id: QUESTIONS})
    with pytest.raises(SiteError):
        site.reader.user(user.id, QUESTIONS)


@pytest.mark.case("E67")
def test_a_key_with_scopes_is_said_once_with_what_to_do(world: World) -> None:
    world.credentials.org_api_key_scopes = ["read:accounts:admin"]
    accounts = [user.id for user in people(world)[:9]]
    with running(world) as box, connected(box) as site:
        inventory = site.reader.read().inventory
        both: tuple[frozenset[Question], ...] = (frozenset({"lifecycle"}), frozenset({"tokens"}))
        for questions in both:
            with pytest.raises(CredentialError) as caught:
                site.reader.ask(inventory, dict.fromkeys(accounts, questions))
            assert "$ORG_KEY was made with scopes" in caught.value.message
            assert "Make a key without scopes" in caught.value.hint


@pytest.mark.case("E67")
def test_a_key_that_ends_between_reading_and_asking_is_a_matter_of_the_key(world: World, box: RunningSandbox) -> None:
    with connected(box) as site:
        inventory = site.reader.read().inventory
        world.credentials.org_api_key_expires = "2026-11-01T00:00:00Z"
        with pytest.raises(CredentialError, match=r"\(401\)"):
            site.reader.ask(inventory, {people(world)[0].id: frozenset({"lifecycle", "tokens"})})


def test_accounts_that_are_not_in_the_inventory_are_left_out(box: RunningSandbox, site: CloudSite) -> None:
    inventory = site.reader.read().inventory
    before = len(requests(box))
    assert site.reader.ask(inventory, {"712020:nobody": QUESTIONS, inventory.users[0].id: frozenset()}) == inventory
    assert len(requests(box)) == before


@pytest.mark.case("E62")
def test_a_limit_in_between_is_waited_for_and_progress_is_told(world: World, box: RunningSandbox) -> None:
    progress = FakeProgress()
    some = [user.id for user in people(world)[:4]]
    clock = FakeClock(NOW)
    with connect(with_fields(site_of(box), sources=EVERYTHING), secrets_of(box), clock, progress, limits=QUICK) as site:
        inventory = site.reader.read().inventory
        busy = {
            "kind": "status",
            "status": 429,
            "headers": {"X-RateLimit-Reset": "2026-11-22T09:00Z", "Date": "Sun, 22 Nov 2026 08:59:53 GMT"},
        }
        disturb(box, busy | {"match": {"path_regex": "/manage$", "times": 1}})
        disturb(box, busy | {"headers": {"Retry-After": "7"}, "match": {"path_regex": "/api/search$", "times": 1}})
        found = site.reader.ask(inventory, dict.fromkeys(some, QUESTIONS)).user_by_id
    assert all(found[account].lifecycle for account in some)
    assert sum(clock.slept) >= 7
    assert ("asking about candidates", 4, 4) in progress.steps
