"""The HTTP client: patient with reads, careful with writes, and silent about secrets."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
import pytest
import trustme
from msgspec import Struct

from cleanup_gitops.model.errors import CleanupError, LostAnswerError, RefusedError, SiteError
from cleanup_gitops.sites.bodies import reason_code
from cleanup_gitops.sites.exchange import Answer, Call, Limits
from cleanup_gitops.sites.gates import Interrupted
from cleanup_gitops.sites.http import Http, StatusError
from cleanup_gitops.sites.secret import Secret, bearer
from tests import canaries
from tests.fakes import NOON, FakeClock, FakeProgress
from tests.sites.scripted import JSON, Reply, scripted

CANARY = canaries.STRAY
IN_URL = quote(CANARY, safe="")
PERSON = "ada.example@acme.com"
LIMITS = Limits(connect=2, read=2, total=6, attempts=3, connect_attempts=2, waiting=100)
GET = Call(method="GET", template="/things/{thing}", parts={"thing": "712020:4f/x"})
POST = Call(method="POST", template="/things/{thing}", parts={"thing": "1"}, body={"a": [1]})


class Thing(Struct):
    """What the scripted servers hand out."""

    id: int


THING = msgspec.json.Decoder(Thing)
GOOD = Reply(body=b'{"id": 7, "more": true}')


def client(
    url: str, *, clock: FakeClock | None = None, limits: Limits = LIMITS, progress: FakeProgress | None = None
) -> Http:
    secret = bearer(Secret(CANARY, "KEY"))
    return Http(url, secret, clock or FakeClock(), limits=limits, progress=progress)


@contextmanager
def failing(kind: type[CleanupError]) -> Iterator[list[str]]:
    """The texts of the error that the block raises; in no part of it is a secret or a person."""
    texts: list[str] = []
    with pytest.raises(kind) as caught:
        yield texts
    error = caught.value
    assert type(error) is kind
    shown = "".join(traceback.format_exception(error)) + repr(error) + error.message + error.hint
    assert canaries.found(shown) == []
    assert PERSON not in shown
    assert error.__suppress_context__ or error.__context__ is None
    texts += [error.message, error.hint]


def read(http: Http, call: Call = GET) -> Thing:
    try:
        return http.read(call, THING)
    finally:
        http.close()


def write(http: Http) -> Answer:
    try:
        return http.write(POST)
    finally:
        http.close()


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
    slow = Reply(before=lambda: time.sleep(0.5))
    limits = Limits(connect=2, read=0.1, total=6, attempts=2)
    with scripted(slow, GOOD) as server:
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


# -- writes ----------------------------------------------------------------------------------------


def test_a_write_is_sent_once_and_gives_the_answer() -> None:
    with scripted(Reply(status=204, body=b"", headers={"X-Request-Id": "r1"})) as server:
        answer = write(client(server.url))
    assert (answer.status, answer.headers["x-request-id"]) == (204, "r1")
    assert [request.body for request in server.requests] == [b'{"a":[1]}']


@pytest.mark.case("E63")
@pytest.mark.parametrize(
    "reply",
    [Reply(reset=True), Reply(promised=50), Reply(status=500), Reply(status=502), Reply(status=503), Reply(status=408)],
)
def test_a_write_whose_answer_is_lost_is_not_repeated(reply: Reply) -> None:
    with scripted(reply, Reply(status=204, body=b"")) as server, failing(LostAnswerError) as texts:
        write(client(server.url))
    assert len(server.requests) == 1
    assert "not known" in texts[1]


@pytest.mark.case("E63")
def test_a_write_that_times_out_is_not_repeated() -> None:
    slow = Reply(before=lambda: time.sleep(0.5))
    limits = Limits(connect=2, read=0.1, total=6)
    with scripted(slow, Reply(status=204)) as server, failing(LostAnswerError):
        write(client(server.url, limits=limits))
    assert len(server.requests) == 1


@pytest.mark.case("E62")
def test_a_write_that_was_not_carried_out_for_the_rate_is_sent_again_after_the_wait() -> None:
    clock = FakeClock()
    busy = Reply(status=429, headers=JSON | {"X-RateLimit-Reset": "2026-11-22T12:01Z"})
    busy.headers["Date"] = "Sun, 22 Nov 2026 12:00:30 GMT"
    with scripted(busy, Reply(status=204, body=b"")) as server:
        assert write(client(server.url, clock=clock)).status == 204
    assert len(server.requests) == 2
    assert (clock.now() - NOON).total_seconds() == 30


ERRORS = [
    b'{"errors":[{"code":"ADMIN-500-1","detail":"ada.example@acme.com"}]}',
    b'{"error":"Internal Server Error"}',
    b'{"error":{"message":"canary-5b1d-secret"}}',
    b'{"statusCode":503,"message":"ada.example@acme.com"}',
    b'{"status":500,"id":7}',
    b'{"status":"500"}',
    b'{"code":429,"message":"slow down"}',
    b'{"key":"forbidden.action","context":{}}',
    b'{"id":"1","status":"200","code":"ADMIN-200-1","title":"Error","detail":"ada.example@acme.com"}',
]
"""Bodies of errors behind a status of success."""
LOGIN = Reply(body=b"<!DOCTYPE html><p>ada.example@acme.com", headers={"Content-Type": "text/html"})


@pytest.mark.parametrize("body", ERRORS)
def test_an_error_behind_a_success_is_an_error_of_a_read(body: bytes) -> None:
    anything = msgspec.json.Decoder()
    with scripted(Reply(body=body)) as server, failing(SiteError) as texts:
        http = client(server.url)
        try:
            http.read(GET, anything)
        finally:
            http.close()
    assert "answered 200 to GET /things/{thing}, but with an error" in texts[0]
    assert len(server.requests) == LIMITS.connect_attempts


@pytest.mark.case("E63", "E66")
@pytest.mark.parametrize("reply", [*(Reply(body=body) for body in ERRORS), LOGIN], ids=str)
def test_an_error_behind_a_success_leaves_the_effect_of_a_write_open(reply: Reply) -> None:
    with scripted(reply) as server, failing(LostAnswerError) as texts:
        write(client(server.url))
    assert len(server.requests) == 1
    assert "not known until the account is read again" in texts[1]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"errors":[]}', b'{"error":null}', b'{"data":[{"errors":[1]}]}', b'{"status":"active"}']
)
def test_what_is_no_error_is_not_taken_for_one(body: bytes) -> None:
    with scripted(Reply(body=body)) as server:
        assert write(client(server.url)).body == body


@pytest.mark.parametrize("bad", [LOGIN, Reply(body=b'{"id":'), Reply(body=b""), Reply(body=ERRORS[0])], ids=str)
def test_a_read_is_repeated_when_its_answer_makes_no_sense(bad: Reply) -> None:
    with scripted(bad, GOOD) as server:
        assert read(client(server.url)) == Thing(7)


def test_json_under_another_content_type_is_taken_for_what_it_is() -> None:
    for kind in ("text/plain", "text/html; charset=utf-8", "image/png"):
        with scripted(Reply(body=GOOD.body, headers={"Content-Type": kind})) as server:
            assert read(client(server.url)) == Thing(7)


def test_an_answer_of_another_shape_is_not_asked_for_again() -> None:
    with scripted(Reply(body=b'{"id":"seven"}')) as server, failing(SiteError):
        read(client(server.url))
    assert len(server.requests) == 1


@pytest.mark.case("E62")
def test_a_storm_of_refusals_is_sat_out_and_nothing_is_done_twice() -> None:
    storm = [Reply(status=429)] * 2
    with scripted(*storm, GOOD, *storm, Reply(status=204, body=b"")) as server:
        http = client(server.url)
        assert http.read(GET, THING) == Thing(7)
        assert write(http).status == 204
    assert [request.method for request in server.requests] == ["GET"] * 3 + ["POST"] * 3


@pytest.mark.case("E62", "E63")
def test_a_write_that_is_not_idempotent_is_never_sent_again() -> None:
    once = dataclasses.replace(POST, idempotent=False)
    with scripted(Reply(status=429), Reply(status=204, body=b"")) as server, failing(StatusError):
        http = client(server.url)
        try:
            http.write(once)
        finally:
            http.close()
    assert len(server.requests) == 1


def test_a_refused_write_names_the_reason_and_no_free_text() -> None:
    body = msgspec.json.encode({"errors": [{"code": "ADMIN-409-28", "detail": f"{PERSON} {CANARY}"}]})
    with scripted(Reply(status=409, body=body)) as server, failing(RefusedError) as texts:
        write(client(server.url))
    assert texts[0] == "The site refused POST /things/{thing} (409, ADMIN-409-28)."
    assert len(server.requests) == 1


def test_a_write_that_could_not_be_sent_changed_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with failing(SiteError) as texts:
        write(client(f"http://127.0.0.1:{port}"))
    assert texts[0].endswith("(POST /things/{thing}, 2 tries); nothing was sent.")


def test_a_redirected_write_stops_everything() -> None:
    moved = Reply(status=307, headers=JSON | {"Location": "/elsewhere"})
    with scripted(moved) as server, failing(StatusError):
        write(client(server.url))
    assert len(server.requests) == 1


# -- secrets ---------------------------------------------------------------------------------------


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
