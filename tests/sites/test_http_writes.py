"""Writes over HTTP: sent once, and what counts as an answer."""

from __future__ import annotations

import dataclasses
import socket
import threading

import msgspec
import pytest

from cleanup_gitops.model.errors import LostAnswerError, RefusedError, SiteError
from cleanup_gitops.sites.exchange import Call, Exchange, Limits, Unanswered
from cleanup_gitops.sites.http import StatusError
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import NOON, FakeClock
from tests.patience import STALLED
from tests.sites.scripted import JSON, Reply, scripted, silence
from tests.sites.things import CANARY, GET, GOOD, LIMITS, PERSON, POST, THING, Thing, client, failing, read, write


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
    given_up = threading.Event()
    limits = Limits(connect=STALLED, read=0.1, total=STALLED)
    with scripted(silence(given_up), Reply(status=204)) as server:
        with failing(LostAnswerError):
            write(client(server.url, limits=limits))
        given_up.set()
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


def test_a_call_after_the_end_is_no_defect_and_may_have_been_sent() -> None:
    """Threads may still be about to send when a run ends: what they were about to send is looked up, not repeated."""
    made = Exchange("http://127.0.0.1:9", bearer(Secret("x", "KEY")), Limits())
    made.close()
    with pytest.raises(Unanswered, match="was closed here") as told:
        made.send(Call(method="POST", template="/x"))
    assert told.value.sent
