"""The Confluence site: who wrote what, searches for users, and the audit log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.records import AuditRecord, Page
from cleanup_gitops.sandbox.world import format_time, parse_time
from tests.sandbox.caller import Caller

REST = "/wiki/rest/api"


def get(caller: Caller, path: str, **params: Any) -> httpx.Response:  # noqa: ANN401 - handed on
    return caller.http.get(f"{REST}/{path}", auth=(caller.box.user_email, caller.box.api_token), params=params)


def failed(answer: httpx.Response) -> int:
    assert answer.json()["statusCode"] == answer.status_code
    return answer.status_code


def visible(caller: Caller) -> list[Page]:
    return [page for page in caller.box.world.content if not page.restricted]


def titles(caller: Caller, cql: str, path: str = "search") -> set[str]:
    answer = get(caller, path, cql=cql, limit=250)
    assert answer.status_code == 200, answer.text
    return {row["title"] for row in answer.json()["results"]}


def test_the_last_contribution_of_somebody_is_one_call(demo: Caller) -> None:
    account = next(iter(visible(demo)[0].edits))
    cql = f'contributor="{account}" order by lastmodified desc'
    found = get(demo, "search", cql=cql, limit=1, expand="content.version").json()
    mine = [page for page in visible(demo) if account in page.edits]
    assert found["totalSize"] == len(mine)
    latest = max(mine, key=lambda page: (page.modified()[0], page.id))
    (row,) = found["results"]
    assert (row["lastModified"], row["content"]["id"]) == (latest.modified()[0], latest.id)
    assert row["content"]["version"]["by"]["accountId"] == latest.modified()[1]
    assert row["entityType"] == "content"


def test_restricted_content_is_out_of_sight(demo: Caller) -> None:
    hidden = next(page for page in demo.box.world.content if page.restricted)
    assert titles(demo, f'title = "{hidden.title}"') == set()


@pytest.mark.parametrize("path", ["search", "content/search"])
def test_searches_are_continued_by_cursor_only(demo: Caller, path: str) -> None:
    cql = "type = page order by created"
    expected = [page.id for page in sorted(visible(demo), key=lambda one: (one.created, one.id)) if page.type == "page"]
    found: list[str] = []
    url: str | None = f"{REST}/{path}?cql={cql}&limit=40"
    while url is not None:
        page = demo.site(url).json()
        found += [row.get("content", row)["id"] for row in page["results"]]
        following = page["_links"].get("next")
        url = None if following is None else page["_links"]["context"] + following
        assert following is None or following.startswith(f"/rest/api/{path}?cql=")
    assert found == expected
    assert failed(get(demo, path, cql=cql, cursor="x")) == 400
    other = get(demo, path, cql=cql, limit=1).json()["_links"]["next"].replace("created", "title")
    assert failed(demo.site("/wiki" + other)) == 400


def test_start_changes_nothing(demo: Caller) -> None:
    first = get(demo, "search", cql="type=page", limit=2).json()["results"]
    assert get(demo, "search", cql="type=page", limit=2, start=2).json()["results"] == first


def test_queries_combine_people_places_and_times(demo: Caller) -> None:
    pages, now = visible(demo), demo.box.world.clock()
    one, two = pages[0], pages[1]
    assert titles(demo, f'creator in ("{one.creator}", "{two.creator}")') == {
        page.title for page in pages if page.creator in (one.creator, two.creator)
    }
    recent = {page.title for page in pages if parse_time(page.modified()[0]) >= now - timedelta(days=30)}
    assert 0 < len(recent) < len(pages)
    assert titles(demo, 'lastmodified >= now("-30d")') == recent
    assert titles(demo, 'not lastmodified >= now("-30d")') == {page.title for page in pages} - recent
    assert titles(demo, 'type in (page, blogpost) and (space = ENG or space = "OPS") and space != OPS') == {
        page.title for page in pages if page.type in ("page", "blogpost") and page.space == "ENG"
    }
    assert titles(demo, "type not in (page, comment)") == {page.title for page in pages if page.type == "blogpost"}
    assert titles(demo, f'title ~ "{one.title}*"', "content/search") == {
        page.title for page in pages if one.title in page.title
    }
    assert titles(demo, "contributor = currentUser()") == {
        page.title for page in pages if demo.box.runner_account in page.edits
    }


def test_dates_are_those_of_the_caller(lab: Caller) -> None:
    runner = lab.box.state.user(lab.box.runner_account)
    assert runner is not None
    runner.time_zone = "Asia/Tokyo"
    page = Page("9", "Late note", "ENG", runner.id, "2026-03-01T14:59:00Z", {runner.id: "2026-03-01T15:30:00Z"})
    lab.box.world.content.append(page)
    assert "Late note" in titles(lab, 'lastmodified = "2026-03-02"')
    assert "Late note" not in titles(lab, 'lastmodified = "2026-03-01"')
    assert "Late note" in titles(lab, 'created = "2026/03/01 23:59"')
    assert "Late note" in titles(lab, 'created < "2026-03-02" and created > "2026-03-01"')
    runner.time_zone = "nowhere at all"
    assert "Late note" in titles(lab, 'lastmodified = "2026-03-01 15:30"')


@pytest.mark.parametrize(
    "cql",
    [
        "contributor",
        "contributor=",
        'contributor="x',
        "contributor ~ x",
        "watcher = x",
        "user = x",
        'user.fullname ~ "x"',
        "type = page and",
        "type = page order by",
        "type = page order by shoe size",
        "(type = page",
        "type = page)",
        "type in page",
        "type not page",
        'lastmodified > "yesterday"',
        'lastmodified ~ "2026-01-01"',
        'lastmodified > now("-999999y")',
        'lastmodified = "0001-01-01"',
        "type = page or or type = page",
        "!",
        "(" * 200,
        "not " * 200 + "type = page",
    ],
)
def test_a_query_that_cannot_be_understood_is_refused(demo: Caller, cql: str) -> None:
    for path in ("search", "content/search"):
        answer = get(demo, path, cql=cql)
        assert failed(answer) == 400
        assert answer.json()["message"].startswith("Could not parse cql")
    assert failed(get(demo, "search")) == 400


def found_users(caller: Caller, cql: str, **params: object) -> list[str]:
    answer = get(caller, "search/user", cql=cql, limit=250, **params)
    assert answer.status_code == 200, answer.text
    return [row["user"]["accountId"] for row in answer.json()["results"]]


def test_users_are_licensed_ones_unless_asked_otherwise(demo: Caller) -> None:
    state, world = demo.box.state, demo.box.world
    seats = {
        user.id
        for user in world.users
        if state.status(user) == "active"
        and {"atlassian/user", "atlassian/admin"} & state.roles(user).get("confluence", set())
    }
    page = get(demo, "search/user", cql="type=user", limit=250).json()
    assert page["totalSize"] == len(seats) == state.seats("confluence")
    rest = demo.site("/wiki" + page["_links"]["next"]).json()
    everybody = [row["user"]["accountId"] for row in (*page["results"], *rest["results"])]
    assert set(everybody) == seats
    assert len(everybody) == len(seats)
    guests = found_users(demo, "type=user", sitePermissionTypeFilter="externalCollaborator")
    assert guests
    assert all(get(demo, "user", accountId=account).json()["isGuest"] for account in guests[:3])
    total = get(demo, "search/user", cql="type=user", sitePermissionTypeFilter="all").json()["totalSize"]
    assert total == len(seats) + len(guests)


def test_users_are_found_by_id_and_by_name(demo: Caller) -> None:
    runner = demo.box.runner_account
    assert found_users(demo, f'user = "{runner}"') == [runner]
    assert found_users(demo, f'user.accountid in ("{runner}", "nobody")') == [runner]
    assert found_users(demo, "user.fullname ~ clean*") == [runner]
    assert found_users(demo, 'user.fullname = "cleanup runner"') == [runner]
    assert runner not in found_users(demo, f'type = user and user != "{runner}"')
    suspended = demo.someone(status="suspended")
    assert found_users(demo, f'user = "{suspended.id}"', sitePermissionTypeFilter="all") == []
    for cql in ('contributor = "x"', "type = page", "user ~ x"):
        assert failed(get(demo, "search/user", cql=cql)) == 400
    assert failed(get(demo, "search/user", cql="type=user", sitePermissionTypeFilter="some")) == 400


def milliseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def test_the_audit_log_is_newest_first_and_forgets_after_a_year(demo: Caller) -> None:
    world = demo.box.world
    page = get(demo, "audit").json()
    kept = [record for record in world.audit if parse_time(record.at) >= world.clock() - timedelta(days=365)]
    assert 0 < len(kept) < len(world.audit)
    dates = [row["creationDate"] for row in page["results"]]
    assert dates == sorted(dates, reverse=True)
    assert (page["size"], page["limit"]) == (len(kept), 1000)
    assert get(demo, "audit/retention").json() == {"number": 365, "units": "DAYS"}


def test_the_audit_log_is_searched_by_time_and_text(demo: Caller) -> None:
    clock = demo.box.world.clock()
    rows = get(demo, "audit").json()["results"]
    first, last = rows[8]["creationDate"], rows[3]["creationDate"]
    between = get(demo, "audit", startDate=str(first), endDate=str(last)).json()["results"]
    assert between == [row for row in rows if first <= row["creationDate"] <= last]
    pages = get(demo, "audit", start=2, limit=3).json()
    assert pages["results"] == rows[2:5]
    assert pages["_links"]["next"] == "/rest/api/audit?start=5&limit=3"
    apps = get(demo, "audit", searchString="APP INST").json()["results"]
    assert {row["summary"] for row in apps} == {"App installed"}
    month = get(demo, "audit/since", number=30, units="DAYS").json()["results"]
    assert month == [row for row in rows if row["creationDate"] >= int(milliseconds(clock - timedelta(days=30)))]
    assert get(demo, "audit/since", number=999999999, units="CENTURIES").json()["results"] == rows
    assert failed(get(demo, "audit", startDate="2026-01-01")) == 400
    assert failed(get(demo, "audit/since", units="FORTNIGHTS")) == 400
    assert failed(get(demo, "audit/since", number="x")) == 400


def test_the_system_is_an_author_too(caller: Caller) -> None:
    now = format_time(caller.box.world.clock())
    caller.box.world.audit.append(AuditRecord(now, "Indexed", "System", "Index", "Site", associated={"A": "User"}))
    row = get(caller, "audit").json()["results"][0]
    assert row["author"]["displayName"] == "System"
    assert row["associatedObjects"] == [{"name": "A", "objectType": "User"}]


def test_only_confluence_administrators_see_the_audit_log(caller: Caller) -> None:
    runner = caller.box.state.user(caller.box.runner_account)
    assert runner is not None
    runner.platform_roles = []
    caller.box.state.remove_member(runner, caller.group_id("org-admins"))
    assert get(caller, "audit").status_code == 200  # confluence-admins are enough
    caller.box.state.remove_member(runner, caller.group_id("confluence-admins-acme"))
    for path in ("audit", "audit/since", "audit/retention"):
        assert failed(get(caller, path)) == 403
