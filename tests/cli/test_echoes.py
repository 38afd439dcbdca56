"""Servers that repeat the credential, proxies and git remotes with a password in their address: none of it gets out.

The plugin of the test run looks into all that is printed and left behind; the tests here make sure that there is
something to be found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import canaries
from tests.canaries import places
from tests.cli.test_recover import killed
from tests.cli.workspace import Said, Workspace
from tests.sites.echoing import Echo, Echoing, echoing, in_headers, in_html, in_json, in_text
from tests.sites.scripted import Reply, scripted

IN_URL = quote(canaries.STRAY, safe="")
READING = r"POST \S+/users/search|GET \S+/(memberships|groups|users)|POST \S+/groups/search"
COMMANDS = [("plan",), ("apply", "--auto-approve"), ("drift",), ("users",), ("groups",), ("status",)]
SITE, ORGANIZATION, USERS = "user/current", "workspaces|directories", READING
ECHOES = (
    (SITE, in_json(401)),
    (SITE, in_json(400)),
    (SITE, in_html(200)),
    (SITE, in_headers(302)),
    (ORGANIZATION, in_json(403)),
    (ORGANIZATION, in_json(404)),
    (ORGANIZATION, in_headers(401)),
    (USERS, in_json(400)),
    (USERS, in_json(200)),
    (USERS, in_html(403)),
    (USERS, in_text(200)),
)


@pytest.fixture
def server(workspace: Workspace) -> Iterator[Echoing]:
    """Stands in front of the sandbox, for the organization and for the site."""
    with echoing(workspace.box.url) as between:
        workspace.site(url=between.url)
        yield between


def clean(said: Said) -> str:
    """What was printed, which holds no canary."""
    text = said.out + said.err
    assert canaries.found(text) == []
    assert "elsewhere.example" not in text
    return text


@pytest.mark.slow
@pytest.mark.case("E78", "F21")
def test_a_server_that_repeats_the_credential_gets_it_into_no_error(workspace: Workspace, server: Echoing) -> None:
    for pattern, echo in ECHOES:
        server.answer(pattern, echo)
        said = workspace.run("plan")
        assert said.code in (1, 3), said.out + said.err
        assert server.heard
        assert "Error: " in clean(said)


@pytest.mark.slow
@pytest.mark.case("E78", "F21")
def test_every_command_that_connects_keeps_the_credential_to_itself(workspace: Workspace, server: Echoing) -> None:
    assert workspace.run("apply", "--auto-approve").code == 0
    for args, echo in zip(COMMANDS, cycle((in_json(403), in_headers(400))), strict=False):
        server.answer(READING, echo)
        said = workspace.run(*args)
        assert said.code in (1, 3)
        assert "Error: " in clean(said)
        assert server.heard
    assert places.finds_below(workspace.folder) == []


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize(
    ("status", "echo", "code"),
    [
        (500, in_json(500), 0),
        pytest.param(204, in_headers(204), 0, marks=pytest.mark.slow),
        pytest.param(400, in_json(400), 5, marks=pytest.mark.slow),
        pytest.param(403, in_headers(403), 5, marks=pytest.mark.slow),
    ],
)
def test_a_write_whose_answer_repeats_the_credential_is_recorded_without_it(
    workspace: Workspace, server: Echoing, status: int, echo: Echo, code: int
) -> None:
    server.answer(r"DELETE \S+/memberships/|DELETE \S+/groups/", echo, carry_out=status in (204, 500))
    said = workspace.run("apply", "--auto-approve")
    assert said.code == code, said.out + said.err
    assert server.heard
    clean(said)
    (outcomes,) = (workspace.folder / "state/acme/runs").glob("*/outcomes.jsonl")
    rows = [json.loads(line) for line in outcomes.read_text().splitlines()]
    assert rows
    assert not any((row.get("receipt") or {}).get("request_id") for row in rows)
    assert places.finds_below(workspace.folder) == []


@pytest.mark.slow
@pytest.mark.case("E78", "F21")
def test_a_run_is_recovered_from_a_server_that_repeats_the_credential(workspace: Workspace, server: Echoing) -> None:
    run = killed(workspace)
    server.answer(READING, in_json(403))
    said = workspace.run("recover", run)
    assert said.code in (1, 3), said.out + said.err
    assert "Error: " in clean(said)


@pytest.mark.slow
@pytest.mark.case("E78", "F21")
def test_the_password_of_a_proxy_is_not_shown(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    workspace.site(url="https://acme.atlassian.net")
    refusal = Reply(status=407, body=canaries.STRAY.encode(), headers={"Proxy-Authenticate": canaries.STRAY})
    with scripted(refusal) as proxy:
        place = proxy.url.removeprefix("http://")
        for address, args in (
            (f"http://user:{IN_URL}@{place}", ("plan",)),
            (f"socks5://user:{IN_URL}@{place}", ("apply", "--auto-approve")),
            (IN_URL, ("users",)),
        ):
            monkeypatch.setenv("HTTPS_PROXY", address)
            said = workspace.run(*args)
            assert said.code == 1
            assert "HTTPS_PROXY" in clean(said)


REMOTE_COMMANDS = [("plan",), ("apply", "--auto-approve"), ("drift",), ("recover",), ("audit", "verify")]


@pytest.mark.slow
@pytest.mark.case("E77", "E78", "F21")
def test_the_password_in_the_address_of_a_git_remote_is_not_shown(workspace: Workspace) -> None:
    assert workspace.run("apply", "--auto-approve").code == 0
    branch = workspace.git("symbolic-ref", "--short", "HEAD").strip()
    words = f"fatal: the token {canaries.STRAY} of https://user:{IN_URL}@host/x?token={IN_URL} is not valid\n"
    told = {"Content-Type": "text/plain", "WWW-Authenticate": f'Basic realm="{canaries.STRAY}"'}
    shown = ""
    for status in (200, 401, 403):
        with scripted(Reply(status=status, body=words.encode() * 3, headers=told)) as host:
            address = host.url.replace("://", f"://user:{IN_URL}@")
            workspace.git("config", "remote.origin.url", f"{address}/x.git")
            workspace.git("config", f"branch.{branch}.remote", "origin")
            workspace.git("config", f"branch.{branch}.merge", f"refs/heads/{branch}")
            shown += "".join(clean(workspace.run(*args)) for args in REMOTE_COMMANDS)
            assert host.requests
    assert f"origin/{branch} cannot be fetched" in shown
    assert places.finds_below(workspace.folder) == []


@pytest.mark.case("E78", "F21")
def test_an_address_in_place_of_the_name_of_a_remote_is_not_repeated(workspace: Workspace) -> None:
    branch = workspace.git("symbolic-ref", "--short", "HEAD").strip()
    workspace.git("config", f"branch.{branch}.remote", f"https://user:{IN_URL}@127.0.0.1:1/x.git")
    workspace.git("config", f"branch.{branch}.merge", f"refs/heads/{branch}")
    for args in REMOTE_COMMANDS:
        clean(workspace.run(*args))


@pytest.mark.case("E78")
def test_what_git_starts_is_not_given_the_credentials_of_the_site(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "ssh.sh"
    script.write_text(f'#!/bin/sh\nenv >> "{tmp_path}/seen.txt"\nexit 1\n')
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    branch = workspace.git("symbolic-ref", "--short", "HEAD").strip()
    for name, value in ((f"branch.{branch}.remote", "origin"), (f"branch.{branch}.merge", f"refs/heads/{branch}")):
        workspace.git("config", name, value)
    workspace.git("config", "remote.origin.url", "ssh://host.invalid/x.git")
    for args in (("plan",), ("recover",), ("apply", "--auto-approve")):
        assert f"origin/{branch} cannot be" in clean(workspace.run(*args))
    seen = (tmp_path / "seen.txt").read_text()
    assert "PATH=" in seen
    assert not any(name in seen for name in ("ORG_KEY", "SITE_USER", "SITE_TOKEN"))
