"""Every endpoint in use exists in the published descriptions, with the method, parameters and body keys we send."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.sites.cloud import direct, endpoints
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.exchange import Call

PLACE = InDirectory("org", "dir")
ADMIN = [
    endpoints.organization("org"),
    endpoints.directories("org", None),
    endpoints.directories("org", "c"),
    PLACE.search_users(),
    PLACE.search_users("c", expand=True, filters={"accountIds": ["a"]}),
    PLACE.search_users(filters={"resourceIds": ["r"], "roleIds": ["atlassian/admin"]}),
    PLACE.count_users(),
    PLACE.search_groups("c", filters={"groupIds": ["g"]}),
    PLACE.search_groups(filters={"resourceIds": ["r"]}),
    PLACE.role_assignments("g"),
    PLACE.role_assignments("g", "c"),
    endpoints.domains("org"),
    endpoints.domains("org", "c"),
    endpoints.workspaces("org"),
    endpoints.workspaces("org", "c"),
    PLACE.search_users(filters={"claimStatus": "managed", "emailDomains": ["d"], "mfaEnabled": True, "status": ["s"]}),
    PLACE.count_users({"claimStatus": "managed", "emailDomains": ["d"], "mfaEnabled": True, "status": ["s"]}),
    PLACE.user_roles("a", "ari"),
    PLACE.user_roles("a", "ari", "c"),
    PLACE.last_active_dates("a"),
    PLACE.last_active_dates("a", "c"),
]
MANAGEMENT = [endpoints.manageable("a"), endpoints.api_tokens("a")]
CONFLUENCE = [endpoints.CURRENT_USER, endpoints.SYSTEM_INFO, endpoints.contributions("a"), endpoints.audit(0, 1, 0)]


def published(folder: Path, pattern: str) -> dict[str, Any]:
    (file,) = sorted(folder.glob(pattern))
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def resolved(api: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = api
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operation(api: dict[str, Any], call: Call, prefix: str) -> dict[str, Any]:
    ours = re.sub(r"\{\w+\}", "{}", call.template.removeprefix(prefix))
    for path, methods in api["paths"].items():
        if re.sub(r"\{\w+\}", "{}", path) == ours and call.method.lower() in methods:
            found: dict[str, Any] = methods[call.method.lower()]
            return found
    pytest.fail(f"{call.endpoint} is not published")


@pytest.mark.parametrize("call", ADMIN, ids=lambda call: call.endpoint)
def test_the_organizations_api_has_what_we_call(openapi_contracts: Path, call: Call) -> None:
    api = published(openapi_contracts, "admin-organization.*.json")
    told = operation(api, call, "/admin")
    assert not told.get("deprecated")
    parameters = {resolved(api, one)["name"] for one in told.get("parameters", [])}
    assert {name for name, _ in call.query} <= parameters
    if call.body is None:
        return
    schema = resolved(api, told["requestBody"]["content"]["application/json"]["schema"])
    assert set(call.body) <= set(schema["properties"])
    for name in ("expand", "roleIds"):
        allowed = resolved(api, schema["properties"].get(name, {})).get("items", {})
        assert set(call.body.get(name, ())) <= set(resolved(api, allowed).get("enum", call.body.get(name, ())))


def test_all_roles_that_we_ask_for_are_published(openapi_contracts: Path) -> None:
    api = published(openapi_contracts, "admin-organization.*.json")
    known = set(
        api["components"]["schemas"]["MultiDirectoryUserSearchRequest"]["properties"]["roleIds"]["items"]["enum"]
    )
    asked = {f"atlassian/{name}" for name in (*direct.SEAT_ROLES, *direct.GUEST_ROLES, *direct.ADMIN_ROLES)}
    assert asked <= known
    # What is left are roles of the organization and the site, and one that is no access to a product.
    assert known - asked == {"atlassian/org-admin", "atlassian/site-admin", "atlassian/ai-access"}


@pytest.mark.parametrize("call", CONFLUENCE, ids=lambda call: call.endpoint)
def test_confluence_has_what_we_call(openapi_contracts: Path, call: Call) -> None:
    api = published(openapi_contracts, "confluence-cloud-v1.*.json")
    told = operation(api, call, "")
    assert {name for name, _ in call.query} <= {resolved(api, one)["name"] for one in told.get("parameters", [])}


@pytest.mark.parametrize("call", MANAGEMENT, ids=lambda call: call.endpoint)
def test_user_management_has_what_we_ask(openapi_contracts: Path, call: Call) -> None:
    api = published(openapi_contracts, "admin-user-management.*.json")
    parameters = {resolved(api, one)["name"]: resolved(api, one) for one in operation(api, call, "")["parameters"]}
    for name, value in call.query:
        assert value in parameters[name]["schema"]["items"]["enum"]
