"""The validation finds what it is there to find, and blames the client for nothing that a test did on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cleanup_gitops.sandbox import server
from cleanup_gitops.sandbox.seed import seed
from tests.openapi import exchanges, plugin
from tests.openapi.exchanges import CLIENT, Exchange

USERS = "/admin/v2/orgs/o/directories/d/users"
SEARCH = "POST /v2/orgs/{orgId}/directories/{directoryId}/users/search"
JSON = "application/json"
Verdicts = Any
"""Imported where the published files are at hand: openapi-core is slow to import."""


@pytest.fixture
def verdicts(openapi_contracts: Path) -> Verdicts:
    from tests.openapi.verdicts import Verdicts  # noqa: PLC0415 - see above

    return Verdicts(openapi_contracts)


def exchange(body: object = None, answer: object = None, **other: Any) -> Exchange:  # noqa: ANN401 - any field
    """A search for users by the client that is in order, with other fields where named."""
    usual: dict[str, Any] = {
        "method": "POST",
        "path": f"{USERS}/search",
        "query": "",
        "agent": f"{CLIENT}1.0",
        "scheme": "Bearer",
        "content_type": JSON,
        "body": msgspec.json.encode({} if body is None else body),
        "status": 200,
        "answer_type": JSON,
        "answer": msgspec.json.encode({"data": []} if answer is None else answer),
    }
    return Exchange(**(usual | other))


def reading(path: str, answer: object, **other: Any) -> Exchange:  # noqa: ANN401 - any field
    return msgspec.structs.replace(exchange(answer=answer, method="GET", path=path, **other), body=b"", content_type="")


def found(verdicts: Verdicts, one: Exchange) -> list[str]:
    return [problem.partition(" ('")[0].removesuffix(" (admin-organization)") for problem in verdicts.problems([one])]


def test_an_exchange_as_published_has_no_problem(verdicts: Verdicts) -> None:
    asked = {"limit": 100, "status": ["active"], "expand": ["groups"]}
    user = {"accountId": "a", "status": "active", "groups": [{"id": "g", "name": "n"}]}
    assert found(verdicts, exchange(asked, {"data": [user], "links": {"next": "c"}})) == []


def test_an_invalid_request_is_found(verdicts: Verdicts) -> None:
    assert found(verdicts, exchange({"limit": "many", "statuses": ["active"]})) == [
        f"request of {SEARCH}: whole: additionalProperties: Additional properties are not allowed",
        f"request of {SEARCH}: limit: type: 'many' is not of type 'integer'",
    ]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"content_type": "text/plain"}, "media-type"),
        ({"scheme": ""}, "security"),
        ({"query": "limit=3"}, "parameter"),
    ],
)
def test_what_is_wrong_around_a_body_is_found(verdicts: Verdicts, fields: dict[str, Any], rule: str) -> None:
    (problem,) = found(verdicts, msgspec.structs.replace(exchange(), **fields))
    assert problem.startswith(f"request of {SEARCH}: ")
    assert f": {rule}: " in problem


def test_a_body_where_none_is_published_is_found(verdicts: Verdicts) -> None:
    suspend = "/v2/orgs/{orgId}/directories/{directoryId}/users/{accountId}/suspend"
    assert found(verdicts, exchange({}, path=f"{USERS}/u/suspend", status=0)) == [
        f"request of POST {suspend}: whole: body: none is published"
    ]


def test_a_parameter_that_is_wrong_or_not_published_is_found(verdicts: Verdicts) -> None:
    count = "GET /v2/orgs/{orgId}/directories/{directoryId}/users/count"
    assert found(verdicts, reading(f"{USERS}/count", {"count": 1}, query="claimStatus=owned&sort=up")) == [
        f"request of {count}: query claimStatus: enum: 'owned' is not one of ['managed', 'unmanaged']",
        f"request of {count}: sort: parameter: is not published",
    ]


def test_an_invalid_answer_is_found(verdicts: Verdicts) -> None:
    user = {"accountId": 7, "status": "asleep", "shoeSize": 44}
    problems = found(verdicts, exchange(answer={"data": [{"status": "active"}, user]}))
    assert [problem.removeprefix(f"response of {SEARCH} -> 200: data.*") for problem in problems] == [
        ": additionalProperties: Additional properties are not allowed",
        ".accountId: type: 7 is not of type 'string'",
        ".status: enum: 'asleep' is not one of ['active', 'suspended', 'not_invited', 'deactivated', 'for_deletion']",
    ]


def test_an_answer_that_is_no_json_is_found(verdicts: Verdicts) -> None:
    (problem,) = found(verdicts, exchange(answer_type="text/html; charset=utf-8"))
    assert problem.startswith(f"response of {SEARCH} -> 200: whole: media-type: ")
    (problem,) = found(verdicts, msgspec.structs.replace(exchange(), answer=b"<"))
    assert problem.startswith(f"response of {SEARCH} -> 200: whole: body: ")


def test_a_path_that_is_not_published_is_found(verdicts: Verdicts) -> None:
    assert found(verdicts, reading("/admin/v1/orgs/o1/people", {})) == [
        "request of GET /admin/v1/orgs/{}/people: whole: path: is not published",
        "response of GET /admin/v1/orgs/{}/people -> 200: whole: path: is not published, and yet answered",
    ]


def test_a_method_that_is_not_published_is_found(verdicts: Verdicts) -> None:
    assert found(verdicts, exchange(method="PUT", status=405)) == [
        f"request of {SEARCH.replace('POST', 'PUT')}: whole: method: is not published"
    ]


def test_a_status_that_is_not_published_is_found(verdicts: Verdicts) -> None:
    assert found(verdicts, exchange(status=418)) == [f"response of {SEARCH} -> 418: whole: status: is not published"]


def test_an_error_inside_the_sandbox_is_found(verdicts: Verdicts) -> None:
    assert found(verdicts, exchange(crash="KeyError('x')", status=0)) == [
        f"response of {SEARCH} -> 500: whole: crash: KeyError('x')"
    ]


def test_a_test_may_ask_wrongly_but_has_to_be_answered_rightly(verdicts: Verdicts) -> None:
    assert found(verdicts, exchange({"limit": "many"}, agent="python-httpx/1")) == []
    assert found(verdicts, reading("/admin/v1/nothing", {}, status=404, agent="python-httpx/1")) == []
    (problem,) = found(verdicts, exchange({"limit": "many"}, {"data": [], "rows": []}, agent="python-httpx/1"))
    assert problem.startswith("response of ")


def test_a_problem_is_told_once(verdicts: Verdicts) -> None:
    assert len(found(verdicts, exchange(status=418))) == 1
    assert found(verdicts, exchange({"limit": 1}, status=418)) == []


def test_only_what_shows_something_new_is_validated(verdicts: Verdicts) -> None:
    def page(*statuses: str) -> Exchange:
        return exchange(answer={"data": [{"status": status, "name": status.upper()} for status in statuses]})

    seen = []
    for one in (page("active"), page("active"), page("suspended"), page("active", "suspended"), page("suspended")):
        verdicts.problems([one])
        seen.append(verdicts.distinct)
    assert seen == [1, 1, 2, 3, 3]
    assert len(found(verdicts, page("active", "asleep"))) == 1


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """What is said to sandboxes that this test starts."""
    told: list[Exchange] = []
    monkeypatch.setattr(server, "create_app", server.create_app)
    exchanges.listen(server, told.append)
    return told


def ask(fault: str | None = None) -> str:
    """One request to a sandbox of its own, in which something may go wrong; returns the secret that was sent."""
    with server.running(seed(users=1)) as box, httpx.Client(base_url=box.url, verify=False, timeout=120) as http:
        if fault:
            http.post("/_sandbox/faults", json=[{"kind": fault}]).raise_for_status()
        with suppress(httpx.TransportError):
            http.get("/admin/v1/orgs", headers={"Authorization": f"Bearer {box.org_api_key}"})
        return box.org_api_key


def test_everything_but_the_controls_is_heard_without_its_secret(heard: list[Exchange]) -> None:
    secret = ask("slow")
    (one,) = heard
    assert (one.method, one.path, one.status, one.scheme, one.ours) == ("GET", "/admin/v1/orgs", 200, "Bearer", False)
    assert b'"data"' in one.answer
    assert secret not in str(one)


@pytest.mark.parametrize("kind", ["html", "not_json", "status", "reset"])
def test_an_answer_that_a_planted_fault_makes_up_is_not_heard(heard: list[Exchange], kind: str) -> None:
    ask(kind)
    (one,) = heard
    assert (one.path, one.status, one.answer, one.crash) == ("/admin/v1/orgs", 0, b"", "")


def test_an_answer_that_a_planted_fault_spoils_is_heard_as_it_was(heard: list[Exchange]) -> None:
    ask("truncate")
    (one,) = heard
    assert one.status == 200
    assert msgspec.json.decode(one.answer)["data"]


CHILD = """
import httpx
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
with running(seed(users=1)) as box:
    httpx.get(f"{box.url}/admin/v1/orgs", headers={"Authorization": "Bearer wrong"}, verify=False, timeout=120)
"""


@pytest.mark.parametrize("count", [False, True])
def test_a_process_that_a_test_starts_is_heard_too(tmp_path: Path, count: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != exchanges.COUNT_VARIABLE}
    environment |= {exchanges.FOLDER_VARIABLE: str(tmp_path)} | ({exchanges.COUNT_VARIABLE: "1"} if count else {})
    subprocess.run([sys.executable, "-c", CHILD], env=environment, check=True)
    (one,) = exchanges.read(tmp_path)
    assert one is None if count else one is not None and one.status == 401
    assert list(exchanges.read(tmp_path)) == []


RUN = """
import httpx
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running

def test_good():
    ask("cleanup-gitops/1")

def test_bad():
    ask("cleanup-gitops/1", limit=3)

def ask(agent, **query):
    with running(seed(users=1)) as box:
        key = {"Authorization": f"Bearer {box.org_api_key}", "User-Agent": agent}
        assert httpx.get(f"{box.url}/admin/v1/orgs", headers=key, params=query, verify=False).status_code == 200
"""
CONFTEST = """
from tests.openapi import plugin

def pytest_configure(config):
    plugin.register(config)
"""


def pytest_in(folder: Path, contracts: Path | None) -> subprocess.CompletedProcess[str]:
    """A test run of its own over two tests, the second of which lets the client send something wrong."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_two.py").write_text(RUN)
    environment = {name: value for name, value in os.environ.items() if name != plugin.CONTRACTS_VARIABLE}
    environment |= {"PYTHONPATH": str(plugin.ROOT)} | ({plugin.CONTRACTS_VARIABLE: str(contracts)} if contracts else {})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-q", "."]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_test_that_caused_a_problem_fails(tmp_path: Path, openapi_contracts: Path) -> None:
    done = pytest_in(tmp_path, openapi_contracts)
    assert done.returncode == 1
    assert "ERROR test_two.py::test_bad - Failed: not as published:" in done.stdout
    assert "test_good" not in done.stdout
    assert "OpenAPI: 2 exchanges, 2 distinct, validated; 0 known deviations, problems: 1" in done.stdout
    assert "OpenAPI: request of GET /v1/orgs: limit: parameter: is not published" in done.stdout


def test_without_the_published_files_the_exchanges_are_counted(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, None)
    assert done.returncode == 0, done.stdout
    assert f"OpenAPI: 2 exchanges not validated: {plugin.CONTRACTS_VARIABLE} is not set" in done.stdout
