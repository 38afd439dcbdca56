"""A credential is typed from the environment to the request, and nothing on the way can show it."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable

import httpx
import msgspec
import pytest
from rich.console import Console
from rich.traceback import Traceback

from cleanup_gitops.model.errors import CredentialError, SiteError
from cleanup_gitops.sites.exchange import Call, Exchange, Limits
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import SHOWN, TELLING, Secret, basic, bearer, blotted, redacted, taken
from tests import canaries
from tests.fakes import FakeClock
from tests.sites.scripted import JSON, Reply, scripted

USER = "ada.example@acme.com"
KEY = Secret(canaries.ORG_KEY, "ORG_KEY")
TOKEN = Secret(canaries.TOKEN, "SITE_TOKEN")
BASIC = basic(Secret(USER, "SITE_USER"), TOKEN)
SECRETS = [KEY, TOKEN, BASIC, bearer(KEY)]
READ = Call(method="GET", template="/thing")


@dataclasses.dataclass
class Holder:
    """Something that has a secret among its fields."""

    secret: Secret


SHOWING: list[Callable[[Secret], object]] = [
    repr,
    str,
    ascii,
    lambda secret: f"{secret}",
    lambda secret: f"{secret!r:>60}",
    lambda secret: f"{secret:>60}",
    lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "{0:x}".format,
    lambda secret: repr([secret, {"key": secret}, (secret,)]),
    lambda secret: repr(Holder(secret)),
    lambda secret: pprint.pformat({"key": secret}),
    lambda secret: str(ValueError("refused", secret)),
    lambda secret: repr(ValueError(secret).args),
    lambda secret: json.dumps({"key": secret}, default=str),
    lambda secret: logging.LogRecord("x", 30, "x", 1, "key %s %r", (secret, secret), None).getMessage(),
    lambda secret: dir(secret) + list(Secret.__slots__),
]


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize("show", SHOWING)
@pytest.mark.parametrize("secret", SECRETS)
def test_whatever_shows_a_secret_shows_three_stars(secret: Secret, show: Callable[[Secret], object]) -> None:
    shown = str(show(secret))
    assert canaries.found(shown) == []
    assert SHOWN in shown or shown.startswith("[")


STORING: list[Callable[[Secret], object]] = [
    pickle.dumps,
    copy.copy,
    copy.deepcopy,
    lambda secret: dataclasses.asdict(Holder(secret)),
    json.dumps,
    msgspec.json.encode,
    msgspec.msgpack.encode,
    msgspec.to_builtins,
    lambda secret: msgspec.json.encode({"key": secret}),
    bytes,  # type: ignore[list-item]
    lambda secret: "Bearer " + secret,  # type: ignore[operator]
    lambda secret: httpx.Headers({"Authorization": secret}),  # type: ignore[arg-type]
    vars,
    list,  # type: ignore[list-item]
]


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize("store", STORING)
def test_a_secret_cannot_be_stored_copied_encoded_or_used_as_a_text(store: Callable[[Secret], object]) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        store(KEY)
    assert canaries.found("".join(traceback.format_exception(caught.value))) == []


@pytest.mark.case("E78")
def test_a_secret_equals_nothing_but_itself_so_that_nothing_can_be_guessed_by_comparing() -> None:
    again = Secret(canaries.ORG_KEY, "ORG_KEY")
    assert KEY == KEY  # noqa: PLR0124 - the one equality that there is
    assert again != KEY
    assert not (KEY == canaries.ORG_KEY)  # type: ignore[comparison-overlap]  # noqa: SIM201
    assert len({KEY, again}) == 2
    with pytest.raises(AssertionError) as caught:
        assert again == KEY
    assert canaries.found(str(caught.value)) == []


@pytest.mark.case("E67", "E78")
@pytest.mark.parametrize("value", ["", " \n", f"{canaries.ORG_KEY}\n{canaries.TOKEN}", f"{canaries.ORG_KEY}\u00e9"])
def test_a_value_that_cannot_be_a_key_is_refused_by_the_name_of_its_variable_alone(value: str) -> None:
    with pytest.raises(CredentialError, match="ORG_KEY"):
        taken({"ORG_KEY": Secret(value, "ORG_KEY")}, "ORG_KEY", "organization API key")
    assert taken({"K": Secret(f" {canaries.TOKEN}\n", "K")}, "K", "token").reveal() == canaries.TOKEN


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize(
    ("sent", "secret"),
    [(bearer(KEY), canaries.ORG_KEY), (BASIC, canaries.TOKEN), (BASIC, BASIC.reveal())],
)
def test_an_error_text_is_rid_of_a_secret_and_of_every_longer_part_of_it(sent: Secret, secret: str) -> None:
    for start in range(len(secret) - TELLING + 1):
        for end in (start + TELLING, len(secret)):
            text = redacted(f"no such key: {secret[start:end]}. Try again.", [sent])
            assert text.replace(f"key:{SHOWN}", f"key: {SHOWN}") == f"no such key: {SHOWN}. Try again."
    assert redacted("no such key. Try again.", [sent]) == "no such key. Try again."


@pytest.mark.case("E78")
def test_a_short_secret_is_taken_out_whole() -> None:
    short = Secret("hunter2", "KEY")
    assert redacted("hunter2 is not it, hunter is", [short]) == f"{SHOWN} is not it, hunter is"


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize("secret", [bearer(KEY), BASIC])
def test_what_a_server_answers_is_rid_of_the_secret_in_every_way_it_is_written(secret: Secret) -> None:
    answer = b" ".join(form for value in secret.values() for form in canaries.forms(value))
    whole = [value.encode() for value in secret.values()]
    cleaned = blotted(answer, secret)
    assert not any(value in cleaned for value in whole)
    assert blotted(b'{"name": "Ada"}', secret) == b'{"name": "Ada"}'


def test_a_word_of_the_data_is_not_taken_for_a_secret() -> None:
    answer = b'{"key": "Basic", "name": "Bearer", "at": ""}'
    for short in (bearer(Secret("key", "KEY")), basic(Secret("", "USER"), Secret("name", "TOKEN")), Secret("", "KEY")):
        assert blotted(answer, short) == answer


@pytest.mark.case("E78", "F21")
def test_a_traceback_with_locals_of_a_failed_call_shows_no_secret() -> None:
    """As a debugger or a crash report would make it; nothing in the tool does."""
    http = Http("http://127.0.0.1:9", BASIC, FakeClock(), limits=Limits(connect=1, attempts=1, connect_attempts=1))
    with pytest.raises(SiteError) as caught:
        http.read(READ, msgspec.json.Decoder(dict[str, int]))
    http.close()
    error: BaseException | None = caught.value
    while error is not None:
        assert "httpcore" not in "".join(traceback.format_tb(error.__traceback__))
        error = error.__context__
    console = Console(record=True, width=200, file=io.StringIO())
    made = Traceback.from_exception(
        type(caught.value), caught.value, caught.value.__traceback__, show_locals=True, locals_max_string=10_000
    )
    console.print(made)
    text = console.export_text()
    assert "locals" in text
    assert canaries.found(text) == []


@pytest.mark.case("E78", "F21")
def test_nothing_of_the_client_shows_the_credential_when_it_is_printed() -> None:
    shown: list[object] = []
    with scripted(Reply(body=b"{}")) as server:
        made = Exchange(server.url, BASIC, Limits())
        made._client.event_hooks = {
            "request": [lambda request: shown.extend([request, request.headers, vars(request)["headers"]])],
            "response": [lambda response: shown.extend([response, response.request, response.headers])],
        }
        answer = made.send(READ)
        assert server.requests[0].headers["Authorization"] == BASIC.reveal()
        shown += [made, vars(made), made._client, made._client.auth, made._client.headers, answer]
        made.close()
    assert canaries.found("\n".join(map(repr, shown))) == []


@pytest.mark.case("E78", "F21")
def test_the_log_of_the_library_shows_neither_what_is_sent_nor_what_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever switches debugging on for everything gets no headers: a server may have repeated the credential there."""
    caplog.set_level(logging.DEBUG)
    echo = Reply(status=400, headers=JSON | {"X-Echo": canaries.TOKEN, "Set-Cookie": f"key={canaries.TOKEN}"})
    with scripted(echo) as server:
        made = Exchange(server.url, BASIC, Limits())
        answer = made.send(READ)
        made.close()
    assert answer.status == 400
    assert canaries.found(repr(answer.headers.get("x-echo"))) == []
    assert canaries.found(caplog.text) == []
