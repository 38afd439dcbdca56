"""The JSON Schema takes every document that the loader takes, refuses what an editor can see to be wrong, and says
what each key means."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.policy.documents import KINDS
from cleanup_gitops.policy.schema import json_schema
from cleanup_gitops.policy.yaml_text import read_documents
from tests.policy.documents import VALID, document, policy, site
from tests.policy.json_schema import is_valid

SCHEMA = json_schema()


def documents(text: str) -> list[Any]:
    """The documents as JSON, with days as text."""
    reading = read_documents(text.encode(), "f")
    assert not reading.problems
    return [json.loads(json.dumps(one, default=str)) for one in reading.documents]


@pytest.mark.parametrize("path", sorted(VALID.glob("*.yaml")), ids=lambda path: path.stem)
def test_valid_documents_fit(path: Path) -> None:
    found = documents(path.read_text("utf-8"))
    assert found
    assert all(is_valid(one, SCHEMA, SCHEMA) for one in found)


def test_the_helpers_documents_fit() -> None:
    billed = site(more=", license: {billing: monthly, period_day: 31, renews: 2027-03-01}")
    assert all(is_valid(one, SCHEMA, SCHEMA) for text in (site(), billed, policy()) for one in documents(text))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "kind: Policy",
        policy().replace("kind: Policy", "kind: Polcy"),
        policy().replace("/v1", "/v2"),
        policy().replace("owner: iam, ", ""),
        policy().replace("spec: {", "spec: {stages: [], "),
        policy(name="Quiet People"),
        policy().replace("spec: {", "spec: {approval: always, "),
        policy().replace("spec: {", "spec: {approval: standing, standing: {after: 24h}, "),
        policy().replace("spec: {", "spec: {class: usual, "),
        policy().replace("spec: {", "spec: {priority: 1001, "),
        policy().replace("spec: {", "spec: {approval: standing, standing: {max_per_day: 0}, "),
        policy().replace("spec: {", "spec: {approval: standing, standing: {max_per_day: 4, after: 24}, "),
        site(more=", approvers: {env: lower}"),
        site(more=", license: {billing: yearly}"),
        site(more=", license: {billing: monthly, period_day: 0}"),
        policy("{}"),
        policy("{include_admins: true}"),
        policy("{none: [{has_seat: true}]}"),
        policy("{all: []}"),
        policy("{all: [{}]}"),
        policy("{has_seat: true}"),
        policy("{all: [{has_seat: 1}]}"),
        policy("{all: [{has_seat: true, inactive_for: 90d}]}"),
        policy("{all: [{has_seat: true, all: [{has_seat: true}]}]}"),
        policy("{all: [{inactive_for: 90}]}"),
        policy("{all: [{inactive_for: 090d}]}"),
        policy("{all: [{inactive_for: 3m}]}"),
        policy("{all: [{inactive_for: {product: any}}]}"),
        policy("{all: [{inactive_for: {for: 90d, product: ANY}}]}"),
        policy("{all: [{inactive_for: {for: 90d, products: any}}]}"),
        policy("{all: [{in_group: []}]}"),
        policy("{all: [{in_group: '*'}]}"),
        policy("{all: [{in_group: [a, a]}]}"),
        policy("{all: [{kind: unknown}]}"),
        policy("{all: [{email_domain: '@acme.example'}]}"),
        policy("{all: [{email_domain: acme}]}"),
        policy(ensure="{}"),
        policy(ensure="{status: gone}"),
        policy(ensure="{product_access: present}"),
        policy(ensure="{api_tokens: absent}"),
        policy(ensure="{allow_shared_groups: true}"),
        policy("{all: [{status: gone}]}"),
        policy("{all: [{license: unknown}]}"),
        policy("{all: [{managed: 1}]}"),
        policy("{all: [{email: hidden}]}"),
        policy("{all: [{name: '**'}]}"),
        policy("{all: [{account: ada@acme.example}]}"),
        policy("{all: [{has_role: admin}]}"),
        policy("{all: [{seat_via: {}}]}"),
        policy("{all: [{seat_via: []}]}"),
        policy("{all: [{seat_via: '*'}]}"),
        policy("{all: [{seat_via: {role: user}}]}"),
        policy("{all: [{seat_via: {groups: []}}]}"),
        policy("{all: [{attribute: {}}]}"),
        policy("{all: [{attribute: Sales}]}"),
        policy("{all: [{attribute: {team: Sales}}]}"),
        policy("{all: [{attribute: {department: Sales, location: Oslo}}]}"),
        policy("{all: [{listed_in: {}}]}"),
        policy("{all: [{listed_in: LEAVERS}]}"),
        policy("{all: [{listed_in: {env: LEAVERS}}]}"),
        policy("{all: [{listed_in: {account: id}}]}"),
        policy("{all: [{listed_in: {env: LEAVERS, path: ../x, account: id}}]}"),
        policy("{all: [{listed_in: {env: LEAVERS, account: id, email: mail}}]}"),
        policy("{all: [{listed_in: {env: lower, account: id}}]}"),
        policy("{all: [{in_status_for: 30}]}"),
        policy("{all: [{added_for: 30 days}]}"),
        policy(ensure="{groups: {}}"),
        policy(ensure="{groups: {exactly: []}}"),
        policy(ensure="{groups: {present: ['a*']}}"),
        policy(top="sites: []\n"),
        policy(top="sites: acme\n"),
        site(more=", critical: true"),
        site().replace("hosting: cloud", "hosting: datacenter"),
        site().replace("env: KEY", "env: lower-case"),
        site().replace("['712020:01']", "[]"),
        site().replace("'712020:01'", "ada@acme.example"),
        document("Protection", "{}"),
        document("Exemptions", "[]"),
        document("Exemptions", "[{account: a, reason: holiday, until: 2027-03-01, ticket: T}]"),
        document("Exemptions", "[{account: a, reason: absence, ticket: T}]"),
        document("Guardrails", "{}"),
        document("Guardrails", "{plan_ttl: 72}"),
        document("Guardrails", "{caps: {user.erase: {max: 1}}}"),
        document("Guardrails", "{allow: []}"),
        document("Guardrails", "{allow: [user.erase]}"),
        document("Guardrails", "{allow: [total]}"),
        document("Protection", "{roles: []}"),
        document("Protection", "{roles: [administrator]}"),
        site(more=", activity: {sources: []}"),
        site(more=", activity: {sources: [logs]}"),
        site(more=", activity: {csv: {}}"),
        site(more=", activity: {csv: {env: A, path: b}}"),
        site(more=", activity: {csv: {env: lower}}"),
        document("Guardrails", "{caps: {total: {percent: 1}}}"),
        document("Guardrails", "{caps: {per_domain: {max: 1}}}"),
        document("Guardrails", "{min_admins: 0}"),
        document("Guardrails", "{reading: {}}"),
        document("Guardrails", "{reading: {max_drop: 10}}"),
        document("Guardrails", "{reading: {max_drop: 101%}}"),
        document("Guardrails", "{reading: {canaries: {}}}"),
        document("Override", "{guard: total, max: 1, until: 2026-12-01, reason: first-run}"),
        document("Override", "{guard: total, until: 2026-12-01, reason: first-run, ticket: T}"),
        document("Override", "{guard: canaries, max: 1, until: 2026-12-01, reason: first-run, ticket: T}"),
        document("Override", "{guard: total, max: 0, until: 2026-12-01, reason: first-run, ticket: T}"),
        document("Override", "{guard: total, max: 1, until: 2026-12-01, reason: because, ticket: T}"),
        document("Guardrails", "{caps: {total: {max: -1}}}"),
        document("Guardrails", "{caps: {total: {max: 1, percent: -1}}}"),
        document("Guardrails", "{caps: {total: {max: 1, percent: 101}}}"),
    ],
)
def test_wrong_shapes_do_not_fit(text: str) -> None:
    assert not any(is_valid(one, SCHEMA, SCHEMA) for one in documents(text))


def test_the_schema_is_of_the_draft_that_it_names_and_is_json() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert json_schema() == SCHEMA


def test_the_schema_in_the_repository_is_this_one() -> None:
    """Run `cleanup-gitops schema > policies/schema.json` after a change."""
    assert json.loads((Path(__file__).parents[2] / "policies" / "schema.json").read_text("utf-8")) == SCHEMA


def test_one_shape_for_each_kind() -> None:
    assert SCHEMA["properties"]["kind"]["enum"] == list(KINDS)
    assert set(SCHEMA["discriminator"]["mapping"]) == set(KINDS)
    kinds = [
        SCHEMA["$defs"][one["$ref"].removeprefix("#/$defs/")]["properties"]["kind"]["const"] for one in SCHEMA["oneOf"]
    ]
    assert sorted(kinds) == sorted(KINDS)


def test_every_shape_is_closed_and_described() -> None:
    for name, definition in SCHEMA["$defs"].items():
        assert definition["additionalProperties"] is False, name
        assert definition["title"], name
        assert definition["description"].endswith("."), name
        assert "\n" not in definition["description"], name


def test_every_key_with_a_simple_value_is_described() -> None:
    for name, definition in SCHEMA["$defs"].items():
        for key, value in definition["properties"].items():
            if "$ref" not in value and key not in ("kind", "spec"):
                assert value.get("description"), f"{name}.{key}"


def test_the_reference_has_a_row_for_every_key_and_for_no_other() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "policy-reference.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `([^`]+)` \|", reference, flags=re.MULTILINE))
    expected = {key for definition in SCHEMA["$defs"].values() for key in definition["properties"]}
    codes = {
        code
        for definition in SCHEMA["$defs"].values()
        for value in definition["properties"].values()
        for one in (value, *value.get("anyOf", ()))
        for code in (*one.get("enum", ()), *one.get("items", {}).get("enum", ()))
    }
    assert expected <= rows
    assert rows <= expected | codes | set(KINDS)
