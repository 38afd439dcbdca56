"""Letters: nothing of a person gets into a header or becomes HTML, and the same notice is the same bytes."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from cleanup_gitops.model.errors import RefusedError, SiteError
from cleanup_gitops.model.people import Person
from cleanup_gitops.outbox.letters import Letter, notice_letter
from cleanup_gitops.outbox.notifiers import FolderNotifier
from tests.fakes import NOON, FakeClock
from tests.outbox.notices import ADA, ADDRESS, notice, notifications

SENDER = "wiki@acme.example"
HOSTILE = [
    "Eve\r\nBcc: eve@evil.example",
    "Eve\nSubject: You have won\n\nPay here",
    '</p><script>alert(1)</script><a href="javascript:1">',
    "\u202egnp.evE",
    "=HYPERLINK(1)\x00\x1b[2J",
    "\u2028\u2029\x85Bcc: x",
    "{{ owner }}{% for a in b %}",
    "E" * 5000,
]


def letter(person: Person = ADA, *, language: str = "") -> Letter:
    return notice_letter(notice(language=language), person, notifications(), SENDER, NOON)


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.case("E80")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_header_no_recipient_and_no_line(name: str) -> None:
    usual, mail = parsed(letter().data), parsed(letter(Person(name, ADDRESS)).data)
    assert mail.keys() == usual.keys()
    assert (mail["To"], mail["From"], mail["Reply-To"]) == (usual["To"], usual["From"], usual["Reply-To"])
    subject = str(mail["Subject"])
    assert len(subject) <= 200
    assert subject.isprintable()
    assert subject.endswith("need acme?")
    texts = [one.get_body(("plain",)) for one in (mail, usual)]
    lines = [one.get_content().splitlines() for one in texts if one is not None]
    assert len(lines[0]) == len(lines[1])
    assert lines[0][1:] == lines[1][1:]


@pytest.mark.case("E80")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_html(name: str) -> None:
    page = parsed(letter(Person(name, ADDRESS)).data).get_body(("html",))
    assert page is not None
    content = page.get_content()
    assert content.count("<") == content.count(">") == 2
    assert "\u202e" not in content


@pytest.mark.case("E69")
@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "ada@",
        "@people.example",
        "ada@people",
        "a da@people.example",
        "ada@people.example, eve@evil.example",
        "ada@people.example\r\nBcc: eve@evil.example",
        "Ada <ada@people.example>",
        '"ada\\"@people.example',
        "ада@people.example",
        "a" * 65 + "@people.example",
    ],
)
def test_an_address_that_is_not_one_plain_address_is_none(address: str) -> None:
    with pytest.raises(RefusedError, match="no mail can be sent to the address of the account") as caught:
        letter(Person("Ada", address))
    assert "people" not in str(caught.value)


def test_an_address_in_another_alphabet_is_sent_to_by_its_ascii_form() -> None:
    assert letter(Person("Ada", "Ada@Bücher.example")).to == ("Ada@xn--bcher-kva.example",)


def test_the_same_notice_is_the_same_bytes() -> None:
    assert letter().data == letter().data
    assert letter().data.isascii()


@pytest.mark.parametrize(
    ("value", "spoken", "words"), [("", "en", "Hello"), ("BERLIN", "de", "Grüße"), ("fr", "en", "Hell")]
)
def test_people_are_told_in_their_language_and_in_the_default_one_otherwise(
    value: str, spoken: str, words: str
) -> None:
    mail = parsed(letter(language=value).data)
    assert mail["Content-Language"] == spoken
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith(words)


def test_a_letter_shows_neither_recipients_nor_text() -> None:
    assert "people" not in repr(letter())
    assert "Ada" not in repr(letter())


@pytest.mark.case("E71")
def test_a_second_writing_of_a_notice_replaces_the_first_file(tmp_path: Path) -> None:
    notifier = FolderNotifier(notifications(), tmp_path / "out", "acme", "https://acme.atlassian.net", FakeClock())
    first = notifier.send(notice(), ADA)
    notifier.send(notice(), Person("Ada King", ADDRESS))
    (file,) = (tmp_path / "out").glob("*.eml")
    assert first.message_id == f"<{file.stem}@acme.atlassian.net>"
    assert parsed(file.read_bytes())["To"] == ADDRESS
    assert b"Ada King" in file.read_bytes()
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [".gitignore", file.name]
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.case("E69")
def test_what_the_teams_would_be_told_is_a_file_too(tmp_path: Path) -> None:
    notifier = FolderNotifier(notifications(), tmp_path, "acme", "https://acme.atlassian.net", FakeClock())
    with pytest.raises(RefusedError):
        notifier.send(notice(), Person("Ada"))
    assert notifier.escalate() is not None
    (file,) = tmp_path.glob("*.eml")
    assert parsed(file.read_bytes())["To"] == "iam@acme.example, desk@acme.example"


def test_a_folder_that_cannot_be_written_stops_all_notices(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    notifier = FolderNotifier(notifications(), tmp_path / "out", "acme", "https://acme.atlassian.net", FakeClock())
    for call in (notifier.check, lambda: notifier.send(notice(), ADA)):
        with pytest.raises(SiteError, match="Notices cannot be written to"):
            call()
