"""The HTTP client: patient with reads, careful with writes, and silent about secrets."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import trustme

from cleanup_gitops.model.errors import LostAnswerError, SiteError
from cleanup_gitops.sites.exchange import Limits
from cleanup_gitops.sites.http import StatusError
from tests.fakes import FakeClock, FakeProgress
from tests.patience import STALLED
from tests.sites.scripted import JSON, Reply, scripted, silence
from tests.sites.things import CANARY, GET, GOOD, PERSON, THING, Thing, client, failing, read, write


def test_a_read_sends_credential_version_and_encoded_path_and_takes_json() -> None:
    with scripted(GOOD) as server:
        assert read(client(server.url)) == Thing(7)
    request = server.requests[0]
    assert request.path == "/things/712020%3A4f%2Fx"
    assert request.headers["Authorization"] == f"Bearer {CANARY}"
    assert request.headers["User-Agent"].startswith("cleanup-gitops/0.")
    assert request.headers["Accept"] == "application/json"


def test_cookies_of_the_server_are_never_sent_back() -> None:
    with scripted(Reply(body=GOOD.body, headers=JSON | {"Set-Cookie": "session=1; Path=/"})) as server:
        http = client(server.url)
        http.read(GET, THING)
        read(http)
    assert "Cookie" not in server.requests[1].headers


@pytest.mark.case("E62")
def test_a_read_waits_as_long_as_the_server_says_and_goes_on() -> None:
    busy = Reply(status=429, headers=JSON | {"Retry-After": "40"})
    clock, progress = FakeClock(), FakeProgress()
    with scripted(busy, GOOD) as server:
        assert read(client(server.url, clock=clock, progress=progress)) == Thing(7)
    assert len(server.requests) == 2
    assert sum(clock.slept) == pytest.approx(40)
    assert max(clock.slept) <= 1
    assert progress.steps == [("waiting 40 s for the site's rate limit", 0, None)]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_read_is_repeated_after_a_gateway_error(status: int) -> None:
    with scripted(Reply(status=status), GOOD) as server:
        assert read(client(server.url)) == Thing(7)


def test_a_read_is_repeated_after_a_lost_connection_and_half_an_answer() -> None:
    half = Reply(body=b'{"id": 7', promised=100)
    with scripted(Reply(reset=True), half, GOOD) as server:
        assert read(client(server.url)) == Thing(7)
    assert len(server.requests) == 3


def test_a_read_is_repeated_after_a_timeout() -> None:
    again = threading.Event()
    limits = Limits(connect=STALLED, read=0.1, total=STALLED, attempts=15)
    with scripted(silence(again), Reply(body=GOOD.body, before=again.set)) as server:
        assert read(client(server.url, limits=limits)) == Thing(7)


def test_a_read_gives_up_after_the_last_try_and_says_so() -> None:
    with scripted(Reply(status=503)) as server, failing(StatusError) as texts:
        read(client(server.url))
    assert len(server.requests) == 3
    assert "answered 503 to GET /things/{thing}, 3 tries." in texts[0]
    assert "status.atlassian.com" in texts[1]


def test_a_read_gives_up_at_once_when_the_wait_is_unbearable() -> None:
    clock = FakeClock()
    with (
        scripted(Reply(status=429, headers=JSON | {"Retry-After": "3600"})) as server,
        failing(StatusError) as texts,
    ):
        read(client(server.url, clock=clock))
    assert (len(server.requests), clock.slept) == (1, [])
    assert "asks to wait 3600 s" in texts[1]


@pytest.mark.parametrize("status", [400, 404, 409, 500, 501])
def test_other_statuses_are_not_tried_again(status: int) -> None:
    body = msgspec.json.encode({"errors": [{"code": "ADMIN-1", "title": "Oh", "detail": PERSON}]})
    with scripted(Reply(status=status, body=body)) as server, failing(StatusError) as texts:
        read(client(server.url))
    assert len(server.requests) == 1
    assert f"answered {status} (ADMIN-1) to GET /things/{{thing}}." in texts[0]


def test_html_is_named_as_such() -> None:
    page = Reply(body=f"<!DOCTYPE html><p>{PERSON}".encode(), headers={"Content-Type": "text/html"})
    with scripted(page) as server, failing(SiteError) as texts:
        read(client(server.url))
    assert texts[0].endswith("answered GET /things/{thing} with HTML, not JSON.")
    assert "proxy" in texts[1]


@pytest.mark.parametrize(
    "body",
    [b"", b"not json " + PERSON.encode(), b'{"id": "7"}', b"[]", b'{"id":', b"\xff\xfe", b"[" * 100_000],
)
def test_whatever_is_not_the_documented_answer_is_an_error(body: bytes) -> None:
    with scripted(Reply(body=body)) as server, failing(SiteError) as texts:
        read(client(server.url))
    assert "GET /things/{thing} with something other than documented" in texts[0]


def test_a_broken_compression_is_an_error() -> None:
    bad = Reply(body=b"no gzip at all", headers=JSON | {"Content-Encoding": "gzip"})
    with scripted(bad) as server, failing(SiteError) as texts:
        read(client(server.url))
    assert "compression is broken" in texts[0]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_error_and_the_credential_goes_nowhere_else(status: int) -> None:
    with scripted(GOOD) as elsewhere:
        moved = Reply(status=status, headers=JSON | {"Location": elsewhere.url})
        with scripted(moved) as server, failing(StatusError) as texts:
            read(client(server.url))
        assert elsewhere.requests == []
    assert "Redirects are not followed" in texts[1]


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with failing(SiteError) as texts:
        read(client(f"http://127.0.0.1:{port}"))
    assert f"127.0.0.1:{port} refused the connection (GET /things/{{thing}}, 2 tries)." == texts[0]


def test_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, f"{CANARY} {PERSON}")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with failing(SiteError) as texts:
        read(client("https://nowhere.invalid"))
    assert "nowhere.invalid: there is no such host (DNS)" in texts[0]


def test_a_certificate_that_nobody_trusts_is_said_once_and_clearly() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with scripted(GOOD, tls=tls) as server, failing(SiteError) as texts:
        read(client(server.url))
    assert server.requests == []
    assert "the TLS certificate could not be verified" in texts[0]
    assert "tries" not in texts[0]


def test_a_certificate_that_the_system_trusts_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with scripted(GOOD, tls=tls) as server:
        assert read(client(server.url)) == Thing(7)


@pytest.mark.parametrize("url", ["http://acme.atlassian.net", "ftp://127.0.0.1", "acme.atlassian.net", ""])
def test_credentials_go_over_https_only(url: str) -> None:
    with failing(SiteError) as texts:
        client(url)
    assert "https only" in texts[0]


@pytest.mark.parametrize("url", ["https://user:pw@acme.example", "https://acme.example/?a=1"])
def test_a_base_url_has_no_credential_and_no_query(url: str) -> None:
    with failing(SiteError):
        client(url)


def test_an_answer_that_never_ends_is_cut_off() -> None:
    drip = Reply(body=b" " * 3, promised=10_000, before=lambda: time.sleep(0.05))
    limits = Limits(connect=2, read=2, total=0.01, attempts=1)
    with scripted(drip) as server, failing(SiteError) as texts:
        read(client(server.url, limits=limits))
    assert "did not finish its answer within 0.01 s" in texts[0]


@contextmanager
def dripping(head: bytes, pieces: bytes) -> Iterator[str]:
    """A server that sends a head and then one byte after the other, for ever."""
    stop = threading.Event()

    def serve(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                with near, contextlib.suppress(OSError):
                    near.recv(65536)
                    near.sendall(head)
                    for piece in itertools.cycle(pieces):
                        near.sendall(bytes([piece]))
                        stop.wait(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@pytest.mark.parametrize(
    "encoding", [b"", b"Content-Encoding: gzip\r\n"], ids=["plain", "compressed, and nothing comes out of it"]
)
@pytest.mark.parametrize("writing", [True, False])
def test_a_slow_drip_is_cut_off_at_the_bound_of_the_whole_answer(encoding: bytes, writing: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n" + encoding + b"\r\n"
    kept_back = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03" + b"x" * 1000 if encoding else b" "
    limits = Limits(connect=2, read=2, total=0.3, attempts=1)
    with dripping(head, kept_back) as url, failing(LostAnswerError if writing else SiteError) as texts:
        http = client(url, limits=limits)
        _ = write(http) if writing else read(http)
    assert "did not finish its answer within 0.3 s" in texts[0]
