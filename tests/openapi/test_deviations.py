"""The table of deviations: every row is needed, and covers no more than it has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox import server
from cleanup_gitops.sandbox.options import RateLimit
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox
from tests.openapi import exchanges
from tests.openapi.exchanges import CLIENT, Exchange
from tests.openapi.fuzz import authorization
from tests.patience import STALLED

OURS = {"User-Agent": f"{CLIENT}0"}
"""Whose requests have to be in order."""
REST, SECOND = "/wiki/rest/api", "/wiki/api/v2"


class Asking:
    """Asks a sandbox."""

    def __init__(self, box: RunningSandbox, http: httpx.Client) -> None:
        self.box = box
        self.http = http
        self.world = box.world
        self.org = f"/admin/v1/orgs/{box.org_id}"
        self.users = f"/admin/v2/orgs/{box.org_id}/directories/default/users"
        self.manage = f"/users/{box.runner_account}/manage"
        self.scim = f"/scim/directory/{self.world.scim_directories[0].id}"

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        prefix = "/" + path.split("/")[1]
        told = {"Authorization": authorization(self.box, prefix)} | headers
        return self.http.request(method, path, json=body, headers={key: text for key, text in told.items() if text})

    def options(self, **changed: object) -> None:
        self.http.post("/_sandbox/options", json=changed).raise_for_status()


def published_elsewhere(ask: Asking) -> None:
    ask("GET", f"/admin/api-access/v1/orgs/{ask.box.org_id}/api-tokens")
    ask("GET", f"/admin/user-provisioning/v1/org/{ask.box.org_id}/user/{ask.box.runner_account}/get-scim-links")


def organizations(ask: Asking) -> None:
    ask("POST", f"{ask.users}/search", {"limit": 100})
    ask("GET", f"{ask.users}/{ask.box.runner_account}/role-assignments")
    ask("GET", f"{ask.users}/{ask.box.runner_account}/role-assignments", Authorization="Bearer wrong")
    role = {"role": "atlassian/user", "resource": ask.world.resources[0].id}
    ask("POST", f"{ask.org}/users/{ask.box.runner_account}/roles/revoke", role, **OURS)
    ask.world.foreign_organizations.append("f")
    ask("GET", "/admin/v1/orgs/f")
    ask("GET", "/admin/v1/orgs/none/domains")
    ask("GET", "/admin/v1/orgs/none/domains/d")
    suspended = next(user for user in ask.world.users if ask.box.state.status(user) == "suspended")
    ask.options(restore_checks_seats=True)
    for resource in ask.world.resources:
        resource.capacity = 0
    ask("POST", f"{ask.users}/{suspended.id}/restore")


def user_management(ask: Asking) -> None:
    ask("GET", f"{ask.manage}/profile", **OURS)
    ask.world.credentials.org_api_key_scopes = ["read:accounts:admin"]
    ask("GET", ask.manage)


def user_provisioning(ask: Asking) -> None:
    for what in ("ResourceTypes", "Schemas", "ServiceProviderConfig"):
        ask("GET", f"{ask.scim}/{what}")
    ask("GET", f"{ask.scim}/Users/{ask.world.scim_users[0].id}?attributes=name&excludedAttributes=name")
    group = ask("POST", f"{ask.scim}/Groups", {"displayName": "one"}).json()["id"]
    ask("PUT", f"{ask.scim}/Groups/{group}", {"displayName": "another"})


def site(ask: Asking) -> None:
    ask("GET", f"{REST}/user/current", Authorization="")
    ask("GET", f"{REST}/user/memberof?accountId=nobody")


def too_many(ask: Asking) -> None:
    ask.options(throttled_body="application")
    for path in ("/admin/v1/orgs", f"{REST}/user/current"):
        for _ in range(3):
            ask("GET", path)
    ask("POST", f"{SECOND}/users-bulk", {"accountIds": ["a"]})


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """All of the above, heard."""
    told: list[Exchange] = []
    monkeypatch.setattr(server, "create_app", server.create_app)
    exchanges.listen(server, told.append)
    for limits, steps in (
        ([], (published_elsewhere, organizations, user_provisioning, user_management, site)),
        ([RateLimit(path="^/", limit=1, window_seconds=86400)], (too_many,)),
    ):
        world = seed()
        world.options.rate_limits, world.options.late = limits, {}
        with (
            server.running(world) as box,
            httpx.Client(base_url=box.url, trust_env=False, verify=False, timeout=STALLED) as http,
        ):
            for step in steps:
                step(Asking(box, http))
    return told


def test_no_row_of_the_table_is_superfluous(openapi_contracts: Path, heard: list[Exchange]) -> None:
    from tests.openapi.deviations import DEVIATIONS  # noqa: PLC0415 - openapi-core is slow to import
    from tests.openapi.published import Published  # noqa: PLC0415 - see above

    published = Published(openapi_contracts)
    problems = [problem for exchange in heard for problem in published.problems(exchange)]
    assert [str(problem) for problem in problems if not any(row.covers(problem) for row in DEVIATIONS)] == []
    assert [row for row in DEVIATIONS if not any(row.covers(problem) for problem in problems)] == []


def test_every_row_has_a_reason_and_none_covers_everything(openapi_contracts: Path) -> None:  # noqa: ARG001 - else there are no rows
    from tests.openapi.deviations import DEVIATIONS  # noqa: PLC0415 - see above

    table: tuple[Any, ...] = DEVIATIONS
    assert all(len(row.reason.split()) > 4 for row in table)
    assert not [row for row in table if "*" in row.rule]
    assert len(set(table)) == len(table)
