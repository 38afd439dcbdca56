"""What a relay gets, and what each way in which it can fail means."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cleanup_gitops.model.errors import CredentialError, LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.people import Person
from cleanup_gitops.outbox.notifiers import MailNotifier
from cleanup_gitops.outbox.relay import Relay
from tests.fakes import NOON, FakeClock
from tests.mail_server import OTHER_AUTHORITY, SENDER, MailServer, login, serving, trust
from tests.outbox.notices import ADA, ADDRESS, NAME, notice, notifications


def notifier_for(server: MailServer, clock: FakeClock | None = None, **changes: Any) -> MailNotifier:  # noqa: ANN401
    settings, clock = server.settings(**changes), clock or FakeClock()
    relay = Relay(settings, login(), trust, clock)
    return MailNotifier(notifications(smtp=settings), settings, "acme", relay, clock)


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_one_mail_reaches_one_person_with_everything_that_it_needs(encryption: str) -> None:
    with serving(encryption) as server:
        notifier = notifier_for(server)
        sent = notifier.send(notice(), ADA)
        notifier.close()
    ((envelope, mail),) = server.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [ADDRESS])
    assert {name: mail[name] for name in ("From", "To", "Reply-To", "Message-ID", "Auto-Submitted", "Precedence")} == {
        "From": SENDER,
        "To": ADDRESS,
        "Reply-To": "iam@acme.example",
        "Message-ID": sent.message_id,
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
    }
    assert mail["Date"].datetime == NOON
    assert mail["Subject"] == "Ada Lovelace, do you still need acme?"
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "\n".join(text.get_content().splitlines()) == (
        "Hello Ada Lovelace,\n\non 2026-12-06 at the earliest: access to Confluence ends.\n.Why: Seats cost money."
    )
    assert page.get_content().strip() == "<p>Hello Ada Lovelace, on 2026-12-06: access to Confluence ends.</p>"
    assert (sent.how, sent.answer) == ("relay", "250")


def test_one_connection_serves_many_and_one_that_was_closed_meanwhile_is_made_anew() -> None:
    with serving() as server:
        notifier = notifier_for(server)
        notifier.check()
        for number in range(3):
            notifier.send(notice(f"712020:{number}"), ADA)
        before = server.connections
        server.hangs_up = "DATA"
        with pytest.raises(LostAnswerError):
            notifier.send(notice("712020:3"), ADA)
        server.hangs_up = ""
        notifier.send(notice("712020:4"), ADA)
        notifier.close()
    assert (before, server.connections) == (2, 4)  # a server counts EHLO before and after STARTTLS
    assert len(server.mails) == 5


def test_threads_share_the_connection_and_every_mail_comes_once() -> None:
    with serving() as server:
        notifier = notifier_for(server)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: notifier.send(notice(f"712020:{number}"), ADA), range(16)))
        notifier.close()
    assert len({mail["Message-ID"] for _, mail in server.mails}) == len(server.mails) == 16


def test_so_many_mails_a_minute_and_no_more() -> None:
    clock = FakeClock()
    with serving() as server:
        notifier = notifier_for(server, clock, rate=20)
        for number in range(4):
            notifier.send(notice(f"712020:{number}"), ADA)
        notifier.close()
    assert clock.slept == [3.0, 3.0, 3.0]


@pytest.mark.case("E69")
@pytest.mark.parametrize("answer", ["550 5.1.1 <ada.lovelace+wiki@people.example> unknown", "450 4.2.0 greylisted"])
def test_a_refused_recipient_concerns_that_person_alone(answer: str) -> None:
    with serving() as server:
        notifier = notifier_for(server)
        server.refuses[ADDRESS] = answer
        with pytest.raises(RefusedError) as caught:
            notifier.send(notice(), ADA)
        assert notifier.send(notice("712020:bob"), Person("Bob", "bob@people.example")).answer == "250"
        notifier.close()
    code = answer[:9]
    assert str(caught.value).startswith(
        f"The notice stage/712020:ada/dormant-members/notice/1 was not sent: the relay refused the recipient ({code})."
    )
    assert len(server.mails) == 1


@pytest.mark.parametrize("answer", ["552 5.3.4 too big for ada.lovelace+wiki@people.example", "451 4.7.1 later"])
def test_a_mail_that_the_relay_does_not_take_was_not_sent(answer: str) -> None:
    with serving() as server:
        notifier = notifier_for(server)
        server.answers["DATA"] = answer
        with pytest.raises(RefusedError, match="the relay did not take the mail"):
            notifier.send(notice(), ADA)
        del server.answers["DATA"]
        notifier.send(notice("712020:bob"), ADA)
        notifier.close()


def test_a_connection_that_is_lost_after_the_text_leaves_it_open_whether_the_mail_went_out() -> None:
    with serving() as server:
        notifier = notifier_for(server)
        server.hangs_up = "DATA"
        with pytest.raises(LostAnswerError, match=r"not known whether the notice stage/712020:ada/.* was sent"):
            notifier.send(notice(), ADA)
        notifier.close()
    assert len(server.mails) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_connection_that_is_lost_before_the_text_has_sent_nothing(command: str) -> None:
    with serving() as server:
        notifier = notifier_for(server)
        server.hangs_up = command
        with pytest.raises(SiteError, match="ended the connection; nothing was sent") as caught:
            notifier.send(notice(), ADA)
        assert type(caught.value) is SiteError
        notifier.close()
    assert server.mails == []


@pytest.mark.parametrize("answer", ["421 4.3.2 shutting down", "550 5.7.1 wiki@acme.example may not send"])
def test_a_relay_that_takes_nothing_from_us_stops_all_notices(answer: str) -> None:
    with serving() as server:
        notifier = notifier_for(server)
        server.answers["MAIL"] = answer
        for call in (notifier.check, lambda: notifier.send(notice(), ADA)):
            with pytest.raises(SiteError) as caught:
                call()
            assert type(caught.value) is SiteError
        notifier.close()


def test_a_wrong_password_is_found_before_anything_is_sent_and_not_repeated_in_words() -> None:
    with serving() as server:
        server.password = "another"
        notifier = notifier_for(server)
        with pytest.raises(CredentialError, match=r"wants another user or password \(535\)") as caught:
            notifier.check()
        assert "SMTP_PASSWORD" in caught.value.hint
        notifier.close()


def test_a_relay_that_wants_a_password_where_none_is_said_is_a_matter_of_credentials() -> None:
    with serving() as server:
        settings = server.settings(user=None, password=None)
        relay = Relay(settings, None, trust, FakeClock())
        with pytest.raises(CredentialError, match="530"):
            relay.check()
        relay.close()


UNTRUSTED = {
    "another authority": ("127.0.0.1", lambda: trust(OTHER_AUTHORITY)),
    "another name": ("mail.other.example", trust),
}


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
@pytest.mark.parametrize("why", sorted(UNTRUSTED))
def test_a_certificate_that_cannot_be_trusted_ends_it_before_the_password(encryption: str, why: str) -> None:
    host, authorities = UNTRUSTED[why]
    with serving(encryption, host=host) as server:
        relay = Relay(server.settings(), login(), authorities, FakeClock())
        with pytest.raises(SiteError, match="has a certificate that cannot be trusted; nothing was sent"):
            relay.check()
        relay.close()


def test_a_relay_without_starttls_gets_neither_password_nor_mail() -> None:
    with serving("", password=False) as server:
        relay = Relay(server.settings(encryption="starttls"), login(), trust, FakeClock())
        with pytest.raises(SiteError, match="offers no STARTTLS; nothing was sent, as it would go in the clear"):
            relay.check()
        relay.close()
    assert server.mails == []


def test_a_relay_nearby_may_be_told_in_the_clear_where_that_is_said() -> None:
    with serving("", password=False) as server:
        settings = server.settings(encryption="", user=None, password=None)
        relay, clock = Relay(settings, None, trust, FakeClock()), FakeClock()
        notifier = MailNotifier(notifications(smtp=settings), settings, "acme", relay, clock)
        assert notifier.send(notice(), ADA).answer == "250"
        notifier.close()


def test_a_relay_that_is_not_there_says_where_it_was_looked_for() -> None:
    with serving() as server:
        settings = server.settings()
    relay = Relay(settings, login(), trust, FakeClock())
    with pytest.raises(SiteError, match=rf"127.0.0.1:{settings.port} \(policies/mail.yaml:6\) cannot be reached"):
        relay.check()
    relay.close()


@pytest.mark.case("E69")
def test_the_teams_get_one_mail_with_those_who_were_not_told_and_no_names() -> None:
    with serving() as server:
        notifier = notifier_for(server)
        server.refuses[ADDRESS] = "550 5.1.1 unknown"
        for account, person in (("712020:ada", ADA), ("712020:bob", Person("Bob Example"))):
            with pytest.raises(RefusedError):
                notifier.send(notice(account), person)
        assert notifier.escalate() is not None
        assert notifier.escalate() is None
        notifier.close()
    ((envelope, mail),) = server.mails
    assert envelope.rcpt_tos == ["iam@acme.example", "desk@acme.example"]
    assert mail["Subject"] == "2 notices could not be delivered (acme)"
    text = mail.get_content()
    assert "712020:ada/dormant-members/notice/1 was not sent: the relay refused the recipient (550 5.1.1)." in text
    assert "stage/712020:bob/dormant-members/notice/1 was not sent: the account has no e-mail address" in text
    assert not [word for word in ("Ada", "Bob", "@people") if word in mail.as_string()]


def failures(server: MailServer) -> list[Callable[[], None]]:
    """Ways in which a relay can fail, each with a text that names the person."""

    def says(command: str, answer: str) -> Callable[[], None]:
        return lambda: server.answers.update({command: answer})

    told = f"{ADDRESS} ({NAME})"
    return [
        *(says(command, f"{code} {told}") for command in ("MAIL", "RCPT", "DATA") for code in (421, 450, 530, 554)),
        lambda: setattr(server, "hangs_up", "DATA"),
    ]


@pytest.mark.case("E78", "F21")
def test_no_error_says_who_was_to_be_told_or_repeats_words_of_the_relay() -> None:
    heard: list[str] = []
    with serving() as server:
        for number in range(len(failures(server))):
            server.answers, server.hangs_up = {}, ""
            failures(server)[number]()
            notifier = notifier_for(server)
            with pytest.raises(SiteError) as caught:
                notifier.send(notice(), ADA)
            heard += [str(caught.value), repr(caught.value)]
            notifier.close()
    assert len(heard) == 26
    assert not [one for one in heard if "ovelace" in one or "@people" in one]
