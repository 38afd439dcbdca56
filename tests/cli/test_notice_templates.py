"""`notices lint` and `notices preview`, and the Notifier that a Notifications document makes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.cli.telling import telling
from cleanup_gitops.cli.wiring import environment_of_git, only_one, workplaces
from cleanup_gitops.model.errors import CredentialError, RefusedError
from cleanup_gitops.model.people import Person
from tests.fakes import FakeClock
from tests.mail_server import AUTHORITY, PASSWORD, USER, MailServer, serving
from tests.outbox.notices import ADA, ADDRESS, notice
from tests.policy.documents import document, site

EXAMPLE = Path(__file__).parents[2] / "policies" / "templates"
LANGUAGE = "language: {attribute: location, default: en}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    policies = tmp_path / "policies"
    (policies / "templates").mkdir(parents=True)
    for path in EXAMPLE.iterdir():
        (policies / "templates" / path.name).write_bytes(path.read_bytes())
    (policies / "site.yaml").write_text(site())
    notifies(tmp_path, f"{{outbox: out, templates: templates, {LANGUAGE}}}")
    return tmp_path


def notifies(folder: Path, spec: str) -> None:
    (folder / "policies" / "mail.yaml").write_text(document("Notifications", spec, name="mail"))


def test_lint_counts_templates_and_warns_of_what_reaches_nobody(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(folder), "notices", "lint"]) == 0
    said = capsys.readouterr()
    assert said.out == "acme: 1 template in templates/ (also in de), 1 warning.\n"
    assert said.err.startswith("Warning: policies/mail.yaml:1: notices are written to out: people are not told")


def test_lint_fails_for_a_template_that_cannot_be_used_and_says_where(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "policies" / "templates" / "soon.txt.j2").write_text("Subject: x\n\n{{ next_dya }}\n")
    assert run(["-C", str(folder), "notices", "lint"]) == 1
    assert "soon.txt.j2:3:1: there is no variable `next_dya`; did you mean `next_day`?" in capsys.readouterr().err


def test_without_a_document_there_is_nothing_to_check_or_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policies" / "mail.yaml").unlink()
    assert run(["-C", str(folder), "notices", "lint"]) == 0
    assert capsys.readouterr().out == "acme: no Notifications document, so no policy can tell people.\n"
    assert run(["-C", str(folder), "notices", "preview", "inactivity-notice"]) == 1
    assert "No Notifications document is about acme" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Hello Ada Example,"),
        (["--language", "en"], "Hello Ada Example,"),
        (["--language", "de"], "Guten Tag Ada Example,"),
        (["--html"], "<p>Hello Ada Example,</p>"),
        (["--html", "--language", "de"], "<p>Guten Tag Ada Example,</p>"),
    ],
)
def test_a_preview_shows_what_a_made_up_person_would_get(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert run(["-C", str(folder), "notices", "preview", "inactivity-notice", *options]) == 0
    said = capsys.readouterr()
    assert words in said.out
    assert said.out.startswith("<!doctype" if "--html" in options else "Subject: ")
    assert not (folder / "out").exists()


def test_a_preview_as_a_file_is_a_whole_mail(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "notice.eml"
    assert run(["-C", str(folder), "notices", "preview", "inactivity-notice", "--out", str(out)]) == 0
    mail = message_from_bytes(out.read_bytes(), policy=default)
    assert (mail["To"], mail["Auto-Submitted"]) == ("ada@example.com", "auto-generated")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inactivity-notise"], "did you mean `inactivity-notice`?"),
        (["inactivity-notice", "--language", "fr"], "is not written in 'fr'.\n  Languages: de, en."),
    ],
)
def test_a_preview_of_what_there_is_not_says_what_there_is(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["-C", str(folder), "notices", "preview", *arguments]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.case("E70")
def test_validate_says_every_time_that_nobody_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notifies(folder, "{silent: true, templates: templates}")
    assert run(["-C", str(folder), "validate"]) == 0
    assert "notices are silent: people are not told" in capsys.readouterr().err


# -- the wiring ------------------------------------------------------------------------------------


def relay(folder: Path, server: MailServer) -> None:
    """Policies whose notices go to this server, with its authority as one of the company."""
    (folder / "policies" / "ca.pem").write_bytes(AUTHORITY.cert_pem.bytes())
    (folder / "policies" / "site.yaml").write_text(site(more=", tls: {ca_bundle: ca.pem}"))
    smtp = (
        f"{{host: 127.0.0.1, port: {server.port}, starttls: true, user: {{env: SMTP_USER}},"
        " password: {env: SMTP_PASSWORD}, from: wiki@acme.example, rate: 600}"
    )
    notifies(folder, f"{{smtp: {smtp}, templates: templates, escalate: [iam@acme.example]}}")


@pytest.mark.case("E69")
def test_a_document_and_the_environment_make_a_notifier_that_tells_people_and_then_the_team(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        relay(folder, server)
        monkeypatch.setenv("SMTP_USER", USER)
        monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
        place = only_one(workplaces(folder, FakeClock(datetime(2026, 11, 22, tzinfo=UTC)), None))
        with telling(place) as notifier:
            assert notifier is not None
            notifier.check()
            notifier.send(notice(template="inactivity-notice"), ADA)
            with pytest.raises(RefusedError):
                notifier.send(notice("712020:bob", template="inactivity-notice"), Person("Bob"))
        assert [envelope.rcpt_tos for envelope, _ in server.mails] == [[ADDRESS], ["iam@acme.example"]]
        assert not {"SMTP_USER", "SMTP_PASSWORD"} & set(environment_of_git([place.site], [place.policies]))
        assert "SMTP_PASSWORD" in os.environ


def test_a_team_that_cannot_be_told_is_a_warning_and_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        relay(folder, server)
        monkeypatch.setenv("SMTP_USER", USER)
        monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
        server.refuses["iam@acme.example"] = "550 5.1.1 gone"
        with telling(only_one(workplaces(folder, FakeClock(), None))) as notifier:
            assert notifier is not None
            with pytest.raises(RefusedError):
                notifier.send(notice(template="inactivity-notice"), None)
    assert "Warning: the teams under `escalate` could not be told of refused notices." in capsys.readouterr().err


def test_a_variable_that_is_missing_is_named_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        relay(folder, server)
        monkeypatch.setenv("SMTP_USER", USER)
        monkeypatch.delenv("SMTP_PASSWORD", raising=False)
        place = only_one(workplaces(folder, FakeClock(), None))
        with pytest.raises(CredentialError, match="SMTP_PASSWORD") as caught, telling(place):
            pass
    assert "spec.smtp of the Notifications document" in caught.value.hint


def test_a_folder_is_seen_from_the_repository_and_ignored_by_git(folder: Path) -> None:
    with telling(only_one(workplaces(folder, FakeClock(), None))) as notifier:
        assert notifier is not None
        assert notifier.send(notice(template="inactivity-notice"), ADA).how == "folder"
    assert (folder / "out" / ".gitignore").read_text() == "*\n"


def test_without_a_document_there_is_no_notifier(folder: Path) -> None:
    (folder / "policies" / "mail.yaml").unlink()
    with telling(only_one(workplaces(folder, FakeClock(), None))) as notifier:
        assert notifier is None
