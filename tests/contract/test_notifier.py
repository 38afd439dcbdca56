"""The laws of a Notifier, for each of them: one mail a notice, a refusal where there is no address, and no names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import get_args

import pytest

from cleanup_gitops.model.errors import CleanupError, RefusedError
from cleanup_gitops.model.people import Person
from cleanup_gitops.model.ports import Notifier
from cleanup_gitops.outbox.notifiers import AnyNotifier, FolderNotifier, MailNotifier, SilentNotifier
from cleanup_gitops.outbox.relay import Relay
from tests.fakes import FakeClock, FakeNotifier
from tests.mail_server import login, serving, trust
from tests.outbox.notices import ADA, ADDRESS, NAME, TEMPLATES, notice, notifications

URL = "https://acme.atlassian.net"
DIGEST = TEMPLATES["soon"].digest


def relays(encryption: str) -> Callable[[Path], Iterator[Notifier]]:
    def make(folder: Path) -> Iterator[Notifier]:
        del folder
        with serving(encryption) as server:
            clock, settings = FakeClock(), server.settings()
            relay = Relay(settings, login(), trust, clock)
            yield MailNotifier(notifications(smtp=settings), settings, "acme", relay, clock)
            relay.close()

    return make


def folders(folder: Path) -> Iterator[Notifier]:
    yield FolderNotifier(notifications(outbox="out"), folder / "out", "acme", URL, FakeClock())


def silence(folder: Path) -> Iterator[Notifier]:
    del folder
    yield SilentNotifier(notifications(silent=True), "acme", URL)


def fakes(folder: Path) -> Iterator[Notifier]:
    del folder
    yield FakeNotifier(templates={"soon": DIGEST})


def silent_fakes(folder: Path) -> Iterator[Notifier]:
    del folder
    yield FakeNotifier(templates={"soon": DIGEST}, silent=True)


TELLING = {"starttls": relays("starttls"), "tls": relays("tls"), "folder": folders, "fake": fakes}
ALL = TELLING | {"silent": silence, "silent fake": silent_fakes}


@pytest.fixture(params=sorted(ALL))
def notifier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notifier]:
    yield from ALL[request.param](tmp_path)


@pytest.fixture(params=sorted(TELLING))
def telling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notifier]:
    """All but the silent ones."""
    yield from TELLING[request.param](tmp_path)


def test_no_notifier_is_left_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        found = {type(stack.enter_context(contextmanager(make)(tmp_path))) for make in ALL.values()}
    assert found == {*get_args(AnyNotifier), FakeNotifier}


def test_it_can_be_asked_first_and_then_sends(notifier: Notifier) -> None:
    notifier.check()
    assert notifier.send(notice(), ADA).message_id


@pytest.mark.case("E71")
def test_the_same_notice_has_the_same_message_id_for_ever_and_no_other_has_it(notifier: Notifier) -> None:
    first = notifier.send(notice(), ADA)
    assert re.fullmatch(r"<[0-9a-f]{32}@[a-z.]+>", first.message_id)
    assert notifier.send(notice(why="In other words.", language="Berlin"), ADA).message_id == first.message_id
    others = [notice("712020:bob"), notice(site="other"), notice(address="stage/712020:ada/dormant-members/notice/2")]
    assert len({first.message_id, *(notifier.send(one, ADA).message_id for one in others)}) == 4


@pytest.mark.case("E69")
@pytest.mark.parametrize("person", [None, Person(NAME), Person(NAME, "")], ids=["nobody", "hidden", "empty"])
def test_who_has_no_address_is_refused_and_the_next_one_is_told(telling: Notifier, person: Person | None) -> None:
    with pytest.raises(RefusedError) as caught:
        telling.send(notice(), person)
    assert "712020:ada" in str(caught.value)
    assert telling.send(notice("712020:bob"), ADA).message_id


@pytest.mark.case("E70")
def test_silence_needs_no_address_and_counts_as_sent() -> None:
    sent = SilentNotifier(notifications(silent=True), "acme", URL).send(notice(), None)
    assert (sent.how, sent.answer) == ("silent", "")


def test_what_a_template_says_has_a_digest_and_no_other_name_has_one(notifier: Notifier) -> None:
    assert notifier.template_digest("soon") == DIGEST
    with pytest.raises(RefusedError):
        notifier.template_digest("later")


def test_an_answer_and_an_error_hold_no_name_and_no_address(notifier: Notifier) -> None:
    said = [str(notifier.send(notice(), ADA))]
    for person in (Person(NAME), Person(NAME, f"{ADDRESS}\nBcc: {ADDRESS}")):
        try:
            said.append(str(notifier.send(notice(), person)))
        except CleanupError as error:
            said += [str(error), repr(error), error.hint]
    assert not [one for one in said if "ovelace" in one or "@people" in one]
