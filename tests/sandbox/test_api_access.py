"""API tokens of the whole organization."""

from __future__ import annotations

import pytest

from cleanup_gitops.sandbox.records import Token
from cleanup_gitops.sandbox.tokens import PAGE
from tests.sandbox.caller import Caller


@pytest.fixture
def path(caller: Caller) -> str:
    return f"/admin/api-access/v1/orgs/{caller.box.org_id}/api-tokens"


def held(caller: Caller) -> int:
    return sum(len(user.tokens) for user in caller.box.world.users if user.managed)


def test_tokens_of_managed_accounts_are_listed_and_counted(caller: Caller, path: str) -> None:
    outsider = next(user for user in caller.box.world.users if not user.managed)
    outsider.tokens = [Token("t-out", "theirs", "2026-01-01T00:00:00Z")]
    rows = caller.admin("GET", path).json()["data"]
    assert len(rows) == held(caller) > 1
    assert caller.admin("GET", f"{path}/count").json() == {"count": len(rows)}
    mine = next(row for row in rows if row["user"]["id"] == caller.box.runner_account)
    assert (mine["label"], mine["status"]) == ("cleanup-gitops", "ALLOWED")
    assert mine["user"]["orgId"] == caller.box.org_id
    only = caller.admin("GET", path, params={"q": caller.box.user_email}).json()["data"]
    assert [row["id"] for row in only] == [mine["id"]]


def test_pages_are_linked_by_whole_urls(caller: Caller, path: str) -> None:
    user = next(one for one in caller.box.world.users if one.managed)
    user.tokens = [Token(f"t{number}", "many", "2026-01-01T00:00:00Z") for number in range(PAGE + 5)]
    first = caller.admin("GET", path).json()
    assert len(first["data"]) == PAGE
    assert first["links"]["next"].startswith(caller.box.url)
    rest = caller.admin("GET", first["links"]["next"]).json()
    assert "next" not in rest["links"]
    ids = [row["id"] for row in (*first["data"], *rest["data"])]
    assert len(ids) == len(set(ids)) == held(caller)


def test_one_call_revokes_the_tokens_of_everybody(caller: Caller, path: str) -> None:
    outsider = next(user for user in caller.box.world.users if not user.managed)
    outsider.tokens = [Token("t-out", "theirs", "2026-01-01T00:00:00Z")]
    assert held(caller) > 1
    assert caller.admin("DELETE", path).status_code == 204
    assert held(caller) == 0
    assert len(outsider.tokens) == 1


def test_a_key_with_scopes_needs_the_right_one(caller: Caller, path: str) -> None:
    scopes = caller.box.world.credentials.org_api_key_scopes
    scopes.append("read:tokens:admin")
    assert caller.admin("GET", path).status_code == 200
    before = held(caller)
    refused = caller.admin("DELETE", path)
    assert refused.status_code == 403
    assert "delete:tokens:admin" in refused.text
    assert held(caller) == before
    scopes[:] = ["read:accounts:admin"]
    assert caller.admin("GET", f"{path}/count").status_code == 403


def test_what_cannot_be_understood_is_refused(caller: Caller, path: str) -> None:
    assert caller.admin("GET", path, params={"state": "old"}).status_code == 400
    assert caller.admin("GET", path, params={"cursor": "x"}).status_code == 400
    assert caller.http.get(path).status_code == 401
    assert caller.admin("GET", path.replace(caller.box.org_id, "none")).status_code == 404
    assert caller.admin("GET", "/admin/api-access/v1/elsewhere").status_code == 404
