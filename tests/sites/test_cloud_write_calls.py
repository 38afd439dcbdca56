"""Every write there is: as published, in the table, and never the one that ends all tokens of an organization."""

from __future__ import annotations

import posixpath
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cleanup_gitops.model.errors import CleanupError, RefusedError, SiteError
from cleanup_gitops.model.run import Invitation
from cleanup_gitops.sites.cloud import endpoints, write_calls
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.cloud.write_calls import Writes
from cleanup_gitops.sites.cloud.write_rules import BY_ENDPOINT, RULES, WRITE_NAMES, WriteName
from cleanup_gitops.sites.exchange import Call
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import FakeClock
from tests.sites.scripted import Reply, scripted
from tests.sites.test_published_api import operation, published, resolved
from tests.sites.things import LIMITS
from tests.sites.write_table import row, table

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "cloud-writes.md"
PACKAGE = ROOT / "cleanup_gitops"
ALL_TOKENS = re.compile(r"/api-access(/|$)|/orgs/[^/]*/api-tokens")
"""Paths of the endpoints about tokens of a whole organization."""
ARI = "ari:cloud:confluence::site/1"

Build = Callable[[str, str, str, str], Call]
"""A call of organization, directory, group or token, and account."""
BUILDS: dict[WriteName, Build] = {
    "membership.add": lambda org, place, other, account: Writes(org, place, ARI).add_member(other, account),
    "membership.remove": lambda org, place, other, account: Writes(org, place, ARI).remove_member(other, account),
    "role.revoke": lambda org, place, _, account: Writes(org, place, ARI).revoke_role(account, "user"),
    "user.suspend": lambda org, place, _, account: Writes(org, place, ARI).suspend(account),
    "user.restore": lambda org, place, _, account: Writes(org, place, ARI).restore(account),
    "user.remove": lambda org, place, _, account: Writes(org, place, ARI).remove(account),
    "user.deactivate": lambda _org, _place, _other, account: write_calls.deactivate(account),
    "user.reactivate": lambda _org, _place, _other, account: write_calls.reactivate(account),
    "user.delete": lambda _org, _place, _other, account: write_calls.delete(account),
    "user.cancel-delete": lambda _org, _place, _other, account: write_calls.cancel_delete(account),
    "tokens.revoke": lambda _org, _place, other, account: write_calls.revoke_token(account, other),
    "user.invite": lambda org, place, other, account: Writes(org, place, ARI).invite(
        Invitation(account, role="user", groups=(other,))
    ),
    "group.create": lambda org, place, _, account: Writes(org, place, ARI).create_group(account),
    "group.delete": lambda org, place, other, _: Writes(org, place, ARI).delete_group(other),
}
USUAL = ("org-1", "dir-1", "group-1", "712020:4f")
HOSTILE = ["", ".", "..", "-", "/", "%2e%2e", "..%2f..", "a/../..", "a\\..", "a?b", "a#b", "a b", "a\n", "é", "\x00"]
IDS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=12),
    st.text(alphabet="./%2eEfF\\?#;:-_a1", max_size=30),
    st.from_regex(r"(\.\./){1,6}admin/api-access/v1/orgs/o/api-tokens", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9_|:-]{1,40}", fullmatch=True),
)


@pytest.mark.parametrize("name", WRITE_NAMES)
def test_every_write_is_built_from_its_rule(name: WriteName) -> None:
    call = BUILDS[name](*USUAL)
    assert call.endpoint == RULES[name].endpoint
    assert set(re.findall(r"{(\w+)}", call.template)) == set(call.parts)


def test_the_table_has_every_write_once() -> None:
    assert tuple(RULES) == WRITE_NAMES == tuple(BUILDS)
    assert len(BY_ENDPOINT) == len(RULES)


def test_reading_and_writing_share_no_endpoint() -> None:
    texts = (PACKAGE / "sites" / "cloud" / "endpoints.py").read_text("utf-8")
    assert '"DELETE"' not in texts
    posted = set(re.findall(r'"POST",?\s*(?:template=)?f?"([^"]+)"', texts))
    assert posted
    assert all(path.endswith(("/search", "/workspaces")) for path in posted)


# -- as published ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITE_NAMES)
def test_the_vendor_publishes_what_we_call(openapi_contracts: Path, name: WriteName) -> None:
    call = BUILDS[name](*USUAL)
    organizations = call.template.startswith("/admin")
    pattern = "admin-organization.*.json" if organizations else "admin-user-management.*.json"
    api = published(openapi_contracts, pattern)
    told = operation(api, call, "/admin" if organizations else "")
    assert not told.get("deprecated")
    assert {int(status) for status in told["responses"] if status < "300"} == set(RULES[name].accepted)
    for answer in RULES[name].already:
        assert answer.partition(" ")[0] in told["responses"]
    body = told.get("requestBody")
    assert (call.body is not None) == (body is not None)
    if body is not None:
        schema = resolved(api, body["content"]["application/json"]["schema"])
        assert set(schema.get("required", ())) <= set(call.body or ()) <= set(schema["properties"])


def test_the_vendor_publishes_the_roles_that_are_taken_back(openapi_contracts: Path) -> None:
    api = published(openapi_contracts, "admin-organization.*.json")
    roles = set(api["components"]["schemas"]["RoleApiRequest"]["properties"]["role"]["enum"])
    refused = {f"atlassian/{role}" for role in write_calls.PLATFORM_ROLES}
    for role in roles - refused:
        body = Writes("o", "d", ARI).revoke_role("a", role.removeprefix("atlassian/")).body
        assert body == {"role": role, "resource": ARI}
    assert {"atlassian/org-admin", "atlassian/site-admin"} <= roles & refused


@pytest.mark.parametrize("role", ["org-admin", "site-admin", "ai-access", "direct", "", "atlassian/user", "User"])
def test_a_role_of_the_whole_organization_or_without_a_name_is_not_taken_back(role: str) -> None:
    with pytest.raises(RefusedError, match="nothing was sent"):
        Writes("o", "d", ARI).revoke_role("a", role)


# -- what may go out again ---------------------------------------------------------------------------

NEVER_AGAIN = {"user.invite"}
"""Writes that are sent once whatever comes back."""


@pytest.mark.parametrize("name", WRITE_NAMES)
def test_the_table_says_what_may_be_sent_again_and_the_call_knows(name: WriteName) -> None:
    rule = RULES[name]
    assert rule.repeatable == rule.idempotent == (name not in NEVER_AGAIN)
    assert BUILDS[name](*USUAL).idempotent == rule.repeatable


def outcome(name: WriteName, *replies: Reply) -> tuple[int, str]:
    """How often the write was sent, and what came of it."""
    limits = replace(LIMITS, attempts=4)
    with scripted(*replies) as server:
        http = Http(server.url, bearer(Secret("key", "KEY")), FakeClock(), limits=limits)
        try:
            http.write(BUILDS[name](*USUAL))
        except CleanupError as error:
            return len(server.requests), type(error).__name__
        finally:
            http.close()
        return len(server.requests), "done"


DONE = Reply(status=204, body=b"")


@pytest.mark.case("E62", "E63")
@pytest.mark.parametrize("name", WRITE_NAMES)
def test_only_a_refusal_for_the_rate_sends_an_idempotent_write_again(name: WriteName) -> None:
    again = (2, "done") if name not in NEVER_AGAIN else (1, "StatusError")
    assert outcome(name, Reply(status=429), DONE) == again


@pytest.mark.case("E63")
@pytest.mark.parametrize(
    "lost",
    [Reply(reset=True), Reply(status=500), Reply(status=503), Reply(status=408), Reply(body=b'{"errors":[1]}')],
    ids=str,
)
@pytest.mark.parametrize("name", WRITE_NAMES)
def test_no_write_is_sent_again_when_it_may_have_worked(name: WriteName, lost: Reply) -> None:
    assert outcome(name, lost, DONE) == (1, "LostAnswerError")


@pytest.mark.parametrize("name", WRITE_NAMES)
def test_a_write_is_tried_again_without_a_connection_if_a_second_one_does_no_harm(name: WriteName) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    limits = replace(LIMITS, attempts=4, connect_attempts=3)
    http = Http(f"http://127.0.0.1:{port}", bearer(Secret("key", "KEY")), FakeClock(), limits=limits)
    with pytest.raises(SiteError, match=r"nothing was sent\.") as caught:
        http.write(BUILDS[name](*USUAL))
    http.close()
    assert (", 3 tries" in caught.value.message) == (name not in NEVER_AGAIN)


# -- the document ----------------------------------------------------------------------------------


def test_the_document_shows_the_table_of_the_code() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert table() in text, f"docs/cloud-writes.md needs the table that this prints:\n{table()}"
    wide = row(next(iter(RULES.values()))).count("|")
    rows = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == wide]
    assert rows == [row(rule) for rule in RULES.values()]


# -- ids, and the call that must never be made -------------------------------------------------------


def spelled(path: str) -> set[str]:
    """Every path that a server or something in between may take ``path`` for."""
    found, new = {path}, {path}
    while new:
        more = {unquote(one) for one in new} | {one.replace("\\", "/") for one in new}
        more |= {posixpath.normpath(one) for one in new} | {re.sub("/+", "/", one) for one in new}
        more |= {one.partition(mark)[0] for one in new for mark in "?#;"}
        new = more - found
        found |= new
    return found


def test_no_text_of_the_client_names_the_tokens_of_an_organization() -> None:
    for file in PACKAGE.rglob("*.py"):
        if "sandbox" in file.relative_to(PACKAGE).parts:
            continue
        assert not ALL_TOKENS.search(file.read_text("utf-8")), file


def test_no_call_that_is_read_or_written_is_about_the_tokens_of_an_organization() -> None:
    known = [build(*USUAL) for build in BUILDS.values()]
    for make in (endpoints, InDirectory("org-1", "dir-1")):
        known += [value for value in vars(endpoints).values() if isinstance(value, Call)]
        known += list(_calls_of(make))
    assert len(known) > 20
    assert not [call.template for call in known if ALL_TOKENS.search(call.template)]
    tokens = {call.endpoint for call in known if "token" in call.template}
    assert tokens == {
        "GET /users/{account}/manage/api-tokens",
        "DELETE /users/{account}/manage/api-tokens/{token}",
    }


def _calls_of(place: Any) -> list[Call]:  # noqa: ANN401 - a module or an object
    """What the functions of a module or object build from ordinary arguments."""
    found = []
    for name in dir(place):
        make = getattr(place, name)
        if name.startswith("_") or not callable(make) or isinstance(make, type):
            continue
        wanted = make.__annotations__
        if wanted.get("return") != "Call":
            continue
        code = make.__code__
        names = code.co_varnames[: code.co_argcount - len(make.__defaults__ or ())]
        ordinary = {"int": 1}
        found.append(make(*(ordinary.get(wanted[one], "x-1") for one in names if one != "self")))
    return found


@given(account=IDS, token=IDS)
@example(account="712020:4f", token="")
@example(account="", token="")
@example(account="712020:4f", token="../../../../admin/api-access/v1/orgs/o/api-tokens")
@example(account="../admin/api-access/v1/orgs/o/api-tokens?", token="1")
def test_revoking_one_token_is_never_another_call_whatever_the_ids_are(account: str, token: str) -> None:
    try:
        call = write_calls.revoke_token(account, token)
    except RefusedError:
        return
    sent = urlsplit(str(httpx.URL(f"https://api.atlassian.com{call.path}"))).path
    for path in spelled(sent) | spelled(call.path):
        assert re.fullmatch(r"/users/[^/]+/manage/api-tokens/[^/]+", path)
        assert not ALL_TOKENS.search(path)


@given(st.sampled_from(WRITE_NAMES), IDS, IDS, IDS, IDS)
@example("user.remove", "o", "-", "g", "a")
@example("user.remove", "o", "d", "g", "")
@example("group.delete", "o", "d", "..", "a")
def test_no_write_becomes_another_one_whatever_the_ids_are(
    name: WriteName, org: str, place: str, other: str, account: str
) -> None:
    try:
        call = BUILDS[name](org, place, other, account)
    except RefusedError:
        return
    assert "-" not in call.parts.values()
    shape = re.sub(r"{\w+}", "[^/]+", call.template)
    for path in spelled(urlsplit(str(httpx.URL(f"https://api.atlassian.com{call.path}"))).path):
        assert re.fullmatch(shape, path)
        assert not ALL_TOKENS.search(path)


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize("name", WRITE_NAMES)
def test_an_id_that_is_none_is_refused_before_anything_is_sent(name: WriteName, bad: str) -> None:
    rule = RULES[name]
    for number, part in enumerate(("org", "directory", "group", "account")):
        wanted = f"{{{part}}}" in rule.template or (part == "group" and "{token}" in rule.template)
        values = [*USUAL]
        values[number] = bad
        if wanted:
            with pytest.raises(RefusedError, match="nothing was sent"):
                BUILDS[name](*values)


@pytest.mark.parametrize("account", ["557058:0f-1", "712020:4f2a", "5b10a2844c20165700ede21g", "qm:1|2:3_4"])
def test_ids_as_the_vendor_makes_them_are_taken(account: str) -> None:
    assert write_calls.delete(account).parts == {"account": account}
