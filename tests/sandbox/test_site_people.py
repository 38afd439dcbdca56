"""The Confluence site: users by id, what its edge refuses, its limits, and its second API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import RateLimit
from tests.sandbox.caller import Caller

REST = "/wiki/rest/api"
SECOND = "/wiki/api/v2"


def get(caller: Caller, path: str, **params: object) -> httpx.Response:
    auth = (caller.box.user_email, caller.box.api_token)
    return caller.http.get(f"{REST}/{path}", auth=auth, params=params)  # type: ignore[arg-type]


def post(caller: Caller, path: str, body: object) -> httpx.Response:
    return caller.http.post(f"{SECOND}/{path}", auth=(caller.box.user_email, caller.box.api_token), json=body)


def failed(answer: httpx.Response) -> int:
    body = answer.json()
    assert body["statusCode"] == answer.status_code
    assert set(body["data"]) == {"authorized", "valid", "errors", "successful"}
    assert body["message"]
    return answer.status_code


def test_a_user_is_found_by_id_whatever_their_status(demo: Caller) -> None:
    for status in ("active", "suspended", "deactivated", "not_invited"):
        user = demo.someone(status=status, type="atlassian", email_hidden=False)
        shown = get(demo, "user", accountId=user.id).json()
        assert (shown["accountId"], shown["email"]) == (user.id, user.email)
        assert shown["displayName"] == (f"{user.name} (Deactivated)" if status == "deactivated" else user.name)
        assert not any("status" in name.lower() for name in shown)
    assert failed(get(demo, "user", accountId="nobody")) == 404
    assert failed(get(demo, "user")) == 400


def test_hidden_addresses_are_empty_and_guests_are_marked(demo: Caller) -> None:
    hidden = demo.someone(email_hidden=True)
    assert get(demo, "user", accountId=hidden.id).json()["email"] == ""
    guest = demo.someone(group="confluence-guests-acme")
    shown = get(demo, "user", accountId=guest.id).json()
    assert (shown["isGuest"], shown["isExternalCollaborator"]) == (True, True)
    app = demo.someone(type="app")
    assert get(demo, "user", accountId=app.id).json()["accountType"] == "app"


def test_many_users_at_once_are_a_hundred_at_most(demo: Caller) -> None:
    ids = [user.id for user in demo.box.world.users[:110]]
    page = get(demo, "user/bulk", accountId=["nobody", *ids]).json()
    assert [row["accountId"] for row in page["results"]] == ids[:99]
    assert page["size"] == 99
    assert failed(get(demo, "user/bulk")) == 400


def test_groups_of_a_user_come_in_pages(demo: Caller) -> None:
    user = max(demo.box.world.users, key=lambda one: len(one.groups))
    names: list[str] = []
    url: str | None = f"{REST}/user/memberof?accountId={user.id}&limit=2"
    while url is not None:
        page = demo.site(url).json()
        names += [row["name"] for row in page["results"]]
        following = page["_links"].get("next")
        url = None if following is None else page["_links"]["context"] + following
    assert names == sorted(group.name for group in demo.box.world.groups if group.id in user.groups)
    assert failed(get(demo, "user/memberof", accountId="nobody")) == 404


def test_addresses_are_only_for_approved_apps(demo: Caller) -> None:
    for path in ("user/email", "user/email/bulk"):
        assert failed(get(demo, path, accountId=demo.box.runner_account)) == 501


@pytest.mark.parametrize(
    "path", ["group/by-name", "group/some%20group/member", "group/member", "group/user", "user/bulk/migration"]
)
def test_endpoints_by_name_are_gone(demo: Caller, path: str) -> None:
    answer = get(demo, path)
    assert failed(answer) == 404
    assert "removed" in answer.json()["message"]


def test_a_known_path_does_not_take_every_method_nor_unknown_parameters(demo: Caller) -> None:
    auth = (demo.box.user_email, demo.box.api_token)
    assert failed(demo.http.delete(f"{REST}/user", auth=auth)) == 405
    assert failed(get(demo, "user", accountid="x")) == 400
    assert failed(get(demo, "group", start="-1")) == 400
    assert failed(get(demo, "group", limit="all")) == 400


def test_the_second_api_knows_the_status_of_accounts(demo: Caller) -> None:
    gone = demo.someone(status="deactivated")
    customer = demo.someone(type="customer")
    asked = [gone.id, "nobody", customer.id, gone.id]
    answer = post(demo, "users-bulk", {"accountIds": asked})
    assert [(row["accountId"], row["accountStatus"]) for row in answer.json()["results"]] == [
        (gone.id, "inactive"),
        (customer.id, "active"),
    ]
    assert 'rel="base"' in answer.headers["link"]
    assert post(demo, "users-bulk", {"accountIds": ["nobody"]}).json()["results"] == []


def second_failed(answer: httpx.Response) -> tuple[int, str]:
    (error,) = answer.json()["errors"]
    assert error["status"] == answer.status_code
    return answer.status_code, error["code"]


def test_the_second_api_takes_up_to_250_ids(demo: Caller) -> None:
    users = [user.id for user in demo.box.world.users[:250]]
    assert len(post(demo, "users-bulk", {"accountIds": users}).json()["results"]) == 250
    wrong_ones: list[dict[str, object]] = [
        {"accountIds": [*users, "one more"]},
        {"accountIds": []},
        {},
        {"accountIds": [7]},
    ]
    for body in wrong_ones:
        assert second_failed(post(demo, "users-bulk", body)) == (400, "BAD_REQUEST")
    assert second_failed(post(demo, "elsewhere", {})) == (404, "NOT_FOUND")
    wrong = demo.http.get(f"{SECOND}/users-bulk", auth=(demo.box.user_email, demo.box.api_token))
    assert second_failed(wrong) == (405, "METHOD_NOT_ALLOWED")


def test_invitations_by_address_are_silent_about_what_they_did(caller: Caller) -> None:
    box = caller.box
    suspended = caller.someone(status="suspended")
    emails = ["fresh@acme.com", "nonsense", box.user_email, suspended.email or ""]
    checked = post(caller, "user/access/check-access-by-email", {"emails": emails}).json()
    assert checked == {"emailsWithoutAccess": ["fresh@acme.com", suspended.email], "invalidEmails": ["nonsense"]}
    before = len(box.world.users)
    answer = post(caller, "user/access/invite-by-email", {"emails": emails})
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(box.world.users) == before + 1
    assert box.state.status(suspended) == "suspended"  # an invitation lifts no suspension
    left = post(caller, "user/access/check-access-by-email", {"emails": ["fresh@acme.com"]}).json()
    assert left["emailsWithoutAccess"] == []
    assert second_failed(post(caller, "user/access/invite-by-email", {"emails": []})) == (400, "BAD_REQUEST")


@pytest.fixture
def page_at_the_edge() -> Iterator[Caller]:
    world = seed(users=30)
    world.options.html_at_the_edge = True
    with running(world) as box:
        found = Caller(box)
        with found.http:
            yield found


def test_the_edge_can_answer_with_a_page(page_at_the_edge: Caller) -> None:
    caller = page_at_the_edge
    assert caller.site(f"{REST}/user/current").status_code == 200
    wrong = caller.http.get(f"{REST}/user/current", auth=("x@acme.com", "wrong"))
    caller.control("POST", f"users/{caller.box.runner_account}", {"status": "suspended"})
    barred = caller.site(f"{REST}/user/current")
    for answer, status in ((wrong, 401), (barred, 403)):
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")


def test_over_a_limit_the_site_says_when_to_come_back() -> None:
    world = seed(users=30)
    world.options.rate_limits = [RateLimit(path=r"^/wiki/", limit=5, window_seconds=3600)]
    world.options.virtual_limits = True
    with running(world) as box:
        caller = Caller(box)
        with caller.http:
            answers = [caller.site(f"{REST}/user/current") for _ in range(6)]
            second = post(caller, "users-bulk", {"accountIds": ["x"]})
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    near = [answer.headers.get("x-ratelimit-nearlimit") for answer in answers]
    assert near == [None] * 4 + ["true", "true"]
    assert failed(answers[-1]) == 429
    assert second_failed(second) == (429, "TOO_MANY_REQUESTS")
    told = answers[-1].headers
    reset = datetime.fromisoformat(told["x-ratelimit-reset"])
    assert (reset - parsedate_to_datetime(told["date"])).total_seconds() == int(told["retry-after"])
    assert told["ratelimit-reason"] == "confluence-burst-based"
