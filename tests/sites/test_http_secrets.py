"""What an exchange must never tell: secrets, addresses and bodies."""

from __future__ import annotations

import socket
import sys
from urllib.parse import quote

import httpx
import msgspec
import pytest

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sites.bodies import reason_code
from cleanup_gitops.sites.gates import Interrupted
from cleanup_gitops.sites.http import Http, StatusError
from tests.fakes import FakeClock
from tests.sites.scripted import JSON, Reply, scripted
from tests.sites.things import CANARY, GOOD, PERSON, Thing, client, failing, read, write

IN_URL = quote(CANARY, safe="")


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_server_that_echoes_the_credential_does_not_get_it_into_an_error(status: int) -> None:
    body = msgspec.json.encode({"errors": [{"code": CANARY, "title": f"Bearer {CANARY}"}], "message": PERSON})
    echo = Reply(status=status, body=body, headers=JSON | {"Retry-After": "9999", "X-Echo": CANARY})
    with scripted(echo) as server, failing(StatusError) as texts:
        read(client(server.url))
    assert str(status) in texts[0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"errors":[{"code":"ADMIN-404-8","title":"User not found"}]}', "ADMIN-404-8"),
        (b'{"errors":[{"title":"Not Found"}]}', "Not Found"),
        (b'{"errors":[{"title":"Ada Example"}]}', ""),
        (b'{"errors":[{"code":"Ada Example"}]}', ""),
        (b'{"error":"Ada"}', ""),
        (b'{"code":429,"message":"slow down"}', ""),
        (b'{"key":"forbidden.action","context":{}}', "forbidden.action"),
        (b'{"status":403,"error":"Forbidden","message":"ada"}', "Forbidden"),
        (b'{"errors":[{"title":"ada@acme.com is known"}]}', ""),
        (b'{"errors":["text"]}', ""),
        (b'{"errors":[]}', ""),
        (b"<html>", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
        (b"null", ""),
    ],
)
def test_the_reason_code_is_taken_from_all_known_shapes_and_nothing_else(body: bytes, code: str) -> None:
    assert reason_code(body) == code


def test_the_machine_itself_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with scripted(GOOD) as server:
        assert read(client(server.url)) == Thing(7)


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxy settings, and a way to make some."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_refuses_is_named_by_its_variable(proxies: pytest.MonkeyPatch, name: str) -> None:
    with scripted(Reply(status=407)) as proxy:
        proxies.setenv(name, proxy.url.replace("://", f"://user:{IN_URL}@"))
        with failing(SiteError) as texts:
            read(client("https://acme.example"))
    assert texts[0].startswith(f"The proxy for acme.example ({name.upper()} is set) refused to connect")
    assert "NO_PROXY" in texts[1]


@pytest.mark.parametrize(("path", "problem"), [("127.0.0.1:{port}", "refused"), ("nowhere.invalid", "no such host")])
def test_a_proxy_that_is_not_there_is_not_taken_for_the_site(
    proxies: pytest.MonkeyPatch, path: str, problem: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    proxies.setenv("HTTPS_PROXY", f"http://user:{IN_URL}@" + path.format(port=port))
    with failing(SiteError) as texts:
        read(client("https://acme.example"))
    assert texts[0].startswith("The proxy for acme.example (HTTPS_PROXY is set)")
    assert problem in texts[0]


def test_a_host_without_a_proxy_is_not_blamed_on_one(proxies: pytest.MonkeyPatch) -> None:
    proxies.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    proxies.setenv("NO_PROXY", "nowhere.invalid")
    with failing(SiteError) as texts:
        read(client("https://nowhere.invalid"))
    assert texts[0].startswith("nowhere.invalid: there is no such host")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("HTTPS_PROXY", f"socks9://user:{IN_URL}@proxy.example:1080", "HTTPS_PROXY names a SOCKS proxy"),
        ("all_proxy", f"socks9://{IN_URL}", "ALL_PROXY names a SOCKS proxy"),
        ("HTTPS_PROXY", f"ftp://user:{IN_URL}@proxy.example", "HTTPS_PROXY holds no address of a proxy"),
        ("HTTP_PROXY", f"http://user:{IN_URL}@proxy.example:port", "HTTP_PROXY holds no address of a proxy"),
        ("NO_PROXY", f"acme.example:{IN_URL}", "NO_PROXY holds something that is no host name"),
    ],
)
def test_proxy_settings_that_cannot_be_used_are_one_clear_line(
    proxies: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    proxies.setenv(name, value)
    with failing(SiteError) as texts:
        client("https://acme.example")
    assert texts[0].startswith(problem)
    assert "HTTPS_PROXY" in texts[1]


def test_a_socks_proxy_without_its_library_is_one_clear_line(proxies: pytest.MonkeyPatch) -> None:
    proxies.setitem(sys.modules, "socksio", None)
    proxies.setenv("HTTPS_PROXY", f"socks5://user:{IN_URL}@proxy.example:1080")
    with failing(SiteError) as texts:
        client("https://acme.example")
    assert texts[0].startswith("HTTPS_PROXY names a SOCKS proxy")


@pytest.mark.case("E62")
@pytest.mark.parametrize("writing", [True, False])
def test_a_wait_for_the_rate_ends_when_the_run_is_asked_to_stop(writing: bool) -> None:
    busy = Reply(status=429, headers=JSON | {"Retry-After": "60"})
    clock = StoppedClock()
    with scripted(busy, GOOD) as server, failing(Interrupted) as texts:
        http = clock.http = client(server.url, clock=clock)
        _ = write(http) if writing else read(http)
    assert texts[0] == "The wait for the site's rate limit was interrupted; nothing was sent."
    assert len(server.requests) == 1
    assert sum(clock.slept) == 1


class StoppedClock(FakeClock):
    """The first second of waiting is the last: somebody asks to stop."""

    http: Http

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.http.stop_waiting()


def test_an_unforeseen_failure_of_the_library_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object, **__: object) -> httpx.Response:
        raise httpx.RemoteProtocolError(f"{CANARY} {PERSON}")

    monkeypatch.setattr(httpx.Client, "send", send)
    with failing(SiteError) as texts:
        read(client("https://acme.example"))
    assert "closed the connection before its answer was complete" in texts[0]
