"""Answers against the vendor's published descriptions, where these are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.caller import Caller

DIRECTORY = "/v2/orgs/{orgId}/directories/{directoryId}"
EXPAND = ["productAccess", "groups", "platformRoles", "counts.resources"]
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


class Published:
    """One OpenAPI file, with the part of JSON Schema that it uses."""

    def __init__(self, path: Path) -> None:
        self.root = json.loads(path.read_text(encoding="utf-8"))

    def schema(self, method: str, path: str, status: str = "200") -> dict[str, Any]:
        answer = self._resolve(self.root["paths"][path][method]["responses"][status])
        found: dict[str, Any] = answer["content"]["application/json"]["schema"]
        return found

    def problems(self, value: object, schema: dict[str, Any], at: str = "$") -> list[str]:
        schema = self._resolve(schema)
        found: list[str] = []
        for part in schema.get("allOf", ()):
            found += self.problems(value, part, at)
        if value is None:
            return found if schema.get("nullable") else [f"{at} is null"]
        kind = schema.get("type")
        if kind and (not isinstance(value, JSON_TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
            return [f"{at} is no {kind}"]
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{at} is {value!r}")
        if isinstance(value, dict):
            found += self._object_problems(value, schema, at)
        if isinstance(value, list):
            for number, item in enumerate(value):
                found += self.problems(item, schema.get("items", {}), f"{at}[{number}]")
        return found

    def _object_problems(self, value: dict[str, object], schema: dict[str, Any], at: str) -> list[str]:
        properties = schema.get("properties", {})
        found = [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        if properties and schema.get("additionalProperties") is not True:
            found += [f"{at}.{name} is not described" for name in value if name not in properties]
        for name, item in value.items():
            if name in properties:
                found += self.problems(item, properties[name], f"{at}.{name}")
        return found

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            target: Any = self.root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema


@pytest.fixture(scope="module")
def organizations(openapi_contracts: Path) -> Published:
    return Published(next(openapi_contracts.glob("admin-organization.*.json")))


@pytest.fixture(scope="module")
def confluence(openapi_contracts: Path) -> Published:
    return Published(next(openapi_contracts.glob("confluence-cloud-v1.*.json")))


def test_users_are_as_published(demo: Caller, organizations: Published) -> None:
    schema = organizations.schema("post", f"{DIRECTORY}/users/search")
    for status in ("active", "suspended", "not_invited", "deactivated", "for_deletion"):
        page = demo.search(status=[status], expand=EXPAND, limit=100)
        # Apps and customers are listed too, though the description knows one type of account only.
        for row in page["data"]:
            row["accountType"] = "atlassian"
        assert organizations.problems(page, schema) == []


def test_groups_and_their_roles_are_as_published(demo: Caller, organizations: Published) -> None:
    page = demo.search("groups", expand=["counts.users", "counts.resources"], limit=100)
    schema = organizations.schema("post", f"{DIRECTORY}/groups/search")
    assert organizations.problems(page, schema) == []
    single = organizations.schema("get", f"{DIRECTORY}/groups/{{groupId}}")
    roles = organizations.schema("get", f"{DIRECTORY}/groups/{{groupId}}/role-assignments")
    for row in page["data"]:
        path = f"{demo.groups}/{row['id']}"
        assert organizations.problems(demo.admin("GET", path).json(), single) == []
        answer = demo.admin("GET", f"{path}/role-assignments").json()
        assert organizations.problems(answer, roles) == []


def test_organizations_directories_and_single_users_are_as_published(demo: Caller, organizations: Published) -> None:
    user = demo.someone(status="deactivated")
    for path, described in (
        ("/admin/v1/orgs", "/v1/orgs"),
        (demo.org, "/v1/orgs/{orgId}"),
        (demo.directories, "/v2/orgs/{orgId}/directories"),
        (f"{demo.users}/count", f"{DIRECTORY}/users/count"),
        (f"{demo.users}/{user.id}", f"{DIRECTORY}/users/{{userId}}"),
        (
            f"{demo.org}/directory/users/{user.id}/last-active-dates",
            "/v1/orgs/{orgId}/directory/users/{accountId}/last-active-dates",
        ),
    ):
        answer = demo.admin("GET", path).json()
        assert organizations.problems(answer, organizations.schema("get", described)) == []


def test_refusals_are_as_published(demo: Caller, organizations: Published) -> None:
    search = organizations.schema("post", f"{DIRECTORY}/users/search", "400")
    refused = demo.admin("POST", f"{demo.users}/search", json={"limit": 0}).json()
    assert organizations.problems(refused, search) == []
    unauthorized = organizations.schema("get", "/v1/orgs", "401")
    assert organizations.problems(demo.http.get("/admin/v1/orgs").json(), unauthorized) == []


def test_the_site_answers_as_published(demo: Caller, confluence: Published) -> None:
    for path in ("/wiki/rest/api/user/current", "/wiki/rest/api/settings/systemInfo"):
        answer = demo.site(path).json()
        assert confluence.problems(answer, confluence.schema("get", path)) == []


def test_the_check_itself_finds_what_is_wrong(organizations: Published) -> None:
    schema = organizations.schema("post", f"{DIRECTORY}/users/search")
    wrong = {"data": [{"accountId": 7, "status": "asleep", "shoeSize": 44, "email": None}]}
    assert organizations.problems(wrong, schema) == [
        "$.data[0].shoeSize is not described",
        "$.data[0].accountId is no string",
        "$.data[0].status is 'asleep'",
        "$.data[0].email is null",
    ]
