"""Where mail may go, how it gets there, and in which language people are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.notifying import Body, Languages, Notifications, Smtp, Template, sendable, told_nobody
from tests.policy.documents import document, load_texts, policy, problems, site

SAFE = "Subject: About {{ site }}\n\n{% if next_day %}{{ next_day }}: {{ next_does }}{% endif %} {{ owner }}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Policies with one template."""
    found = tmp_path / "policies"
    (found / "templates").mkdir(parents=True)
    (found / "templates" / "notice.txt.j2").write_text(SAFE)
    return found


def mail(spec: str, *, sites: str = "", name: str = "mail") -> str:
    return document("Notifications", spec, name=name, top=f"sites: [{sites}]\n" if sites else "")


def told(folder: Path, spec: str) -> list[str]:
    return [one.split(": ", 1)[1] for one in problems(folder, mail(spec))]


def relay(*parts: str) -> str:
    said = ", ".join(("host: mail.acme.example", "from: wiki@acme.example", *parts))
    return f"{{smtp: {{{said}}}, templates: templates}}"


USER, PASSWORD = "user: {env: SMTP_USER}", "password: {env: SMTP_PASSWORD}"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("starttls: true",), ""),
        (("starttls: false",), ""),
        (("tls: true",), ""),
        (("starttls: true", USER, PASSWORD), ""),
        (("tls: true", USER, PASSWORD), ""),
        ((), "`smtp` needs `starttls: true` or `tls: true`"),
        (("starttls: true", "tls: true"), "`starttls` begins in the clear and `tls` does not"),
        (("tls: true", USER), "`user` needs `password` beside it"),
        (("tls: true", PASSWORD), "`password` needs `user` beside it"),
        (("starttls: false", USER, PASSWORD), "a password is never sent in the clear"),
        (("tls: true", "port: 0"), "`port` must be at least 1"),
        (("tls: true", "port: 65536"), "`port` must be at most 65535"),
        (("tls: true", "rate: 0"), "`rate` must be at least 1"),
        (("tls: true", "rate: 6001"), "`rate` must be at most 6000"),
    ],
)
def test_a_relay_is_encrypted_unless_somebody_says_otherwise_and_never_without_for_a_password(
    folder: Path, parts: tuple[str, ...], message: str
) -> None:
    found = told(folder, relay(*parts))
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


@pytest.mark.parametrize(
    ("parts", "smtp"),
    [
        (("tls: true",), Smtp(host="mail.acme.example", port=465, encryption="tls", sender="wiki@acme.example")),
        (
            ("starttls: true",),
            Smtp(host="mail.acme.example", port=587, encryption="starttls", sender="wiki@acme.example"),
        ),
        (("starttls: false",), Smtp(host="mail.acme.example", port=25, encryption="", sender="wiki@acme.example")),
        (
            ("tls: true", "port: 1", "rate: 6000", USER, PASSWORD),
            Smtp(
                host="mail.acme.example",
                port=1,
                encryption="tls",
                sender="wiki@acme.example",
                user="SMTP_USER",
                password="SMTP_PASSWORD",
                rate=6000,
            ),
        ),
    ],
)
def test_a_relay_has_the_port_of_its_encryption(folder: Path, parts: tuple[str, ...], smtp: Smtp) -> None:
    found = load_texts(folder, mail(relay(*parts))).for_site("acme").notifications
    assert found is not None
    assert found.smtp is not None
    assert found.smtp.where == "policies/00.yaml:4"
    assert (found.smtp.host, found.smtp.port, found.smtp.encryption) == (smtp.host, smtp.port, smtp.encryption)
    assert (found.smtp.user, found.smtp.password, found.smtp.rate) == (smtp.user, smtp.password, smtp.rate)
    assert (found.outbox, found.silent, found.escalate, found.languages) == (None, False, (), None)


def test_of_mails_there_are_thirty_a_minute_where_nothing_is_said(folder: Path) -> None:
    """Large providers take no more from one sender."""
    found = load_texts(folder, mail(relay("tls: true"))).for_site("acme").notifications
    assert found is not None
    assert found.smtp is not None
    assert found.smtp.rate == 30


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{outbox: out, templates: templates}", ""),
        ("{outbox: ../out, templates: templates}", ""),
        ("{silent: true, templates: templates}", ""),
        ("{silent: true, outbox: out, templates: templates/}", ""),
        ("{templates: templates}", "`spec` needs `smtp`, a relay, or `outbox`"),
        ("{silent: false, templates: templates}", "`spec` needs `smtp`, a relay, or `outbox`"),
        ("{outbox: policies/out, templates: templates}", "`outbox` leads into policies/"),
        ("{outbox: state, templates: templates}", "`outbox` leads into state/"),
        ("{outbox: out/../state/x, templates: templates}", "`outbox` leads into state/"),
        ("{outbox: .git/x, templates: templates}", "`outbox` leads into .git/"),
        ("{outbox: link/x, templates: templates}", "`outbox` leads into state/"),
        ("{outbox: ., templates: templates}", "`outbox` must be a folder of its own"),
        ("{outbox: .., templates: templates}", "`outbox` must be a folder of its own"),
        ("{outbox: out, templates: .}", "`templates` must be a folder below the policies' folder"),
        ("{outbox: out, templates: ..}", "`templates` must be a folder below the policies' folder"),
        ("{outbox: out, templates: templates/notice.txt.j2}", "`templates` names no folder"),
        ("{outbox: out, templates: none}", "`templates` names no folder"),
    ],
)
def test_mail_with_names_in_it_never_lies_where_it_would_be_recorded(folder: Path, spec: str, message: str) -> None:
    (folder.parent / "state").mkdir()
    (folder.parent / "link").symlink_to(folder.parent / "state")
    found = told(folder, spec)
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("{Berlin: de, Wien: de}", ""),
        ("{}", "`values` says nothing"),
        ("{' ': de}", "an entry of `values` must not be empty"),
        ("{Berlin: de, ' BERLIN ': en}", "this value stands twice in `values`"),
        ("{'São  Paulo': pt-br, são paulo: en}", "this value stands twice in `values`"),
    ],
)
def test_a_value_means_one_language(folder: Path, values: str, message: str) -> None:
    language = f"language: {{attribute: location, default: en, values: {values}}}"
    found = told(folder, f"{{outbox: out, templates: templates, {language}}}")
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


def test_the_language_of_somebody_is_the_one_that_the_attribute_stands_for() -> None:
    languages = Languages("location", "en", {"são paulo": "pt-br"})
    assert languages.of("São  Paulo ") == "pt-br"
    assert languages.of("DE") == "de"
    body = {tag: Body(subject=tag, text="", file="") for tag in ("", "de", "pt-br")}
    template = Template(name="notice", bodies=body, digest="")
    for wanted, used in (("de", "de"), ("de-at", "de"), ("pt-br", "pt-br"), ("pt", ""), ("", ""), ("fr", "")):
        assert template.body(wanted) == (used, body[used])


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("ada@acme.example", True),
        ("ada.b+wiki@ACME.example", True),
        ("x" * 64 + "@acme.example", True),
        ("x" * 65 + "@acme.example", False),
        ("x" * 32 + "." + "y" * 32 + "@acme.example", False),
        (f"ada@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 59}.example"[:254], True),
        (f"ada@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example", False),
        ("ada", False),
        ("@acme.example", False),
        ("ada@", False),
        ("ada@acme", False),
        (".ada@acme.example", False),
        ("a..b@acme.example", False),
        ("ada@bücher.example", False),
        ("bø@acme.example", False),
        ("a b@acme.example", False),
        ("a,b@acme.example", False),
        ("Ada <ada@acme.example>", False),
        ("ada@acme.example\nBcc: x@y.example", False),
    ],
)
def test_mail_goes_to_one_bare_address_and_nothing_that_means_more(address: str, good: bool) -> None:
    assert sendable(address) is good


# -- between documents -----------------------------------------------------------------------------


def telling(name: str = "one", *, sites: str = "acme", template: str = "notice") -> str:
    stages = f"[{{name: notice, notify: {template}}}, {{name: end, after: 14d, ensure: {{product_access: absent}}}}]"
    spec = f"{{match: {{all: [{{has_seat: true}}]}}, stages: {stages}}}"
    return document("Policy", spec, name=name, top=f"sites: [{sites}]\n")


def welcoming(template: str = "notice") -> str:
    source = "source: {env: HR, columns: {email: mail, starts: from}, time_zone: UTC}"
    spec = f"{{{source}, joiners: {{groups: [wiki], notify: {template}}}}}"
    return document("Roster", spec, name="hr", top="sites: [acme]\n")


OUT = "{outbox: out, templates: templates}"


def said(folder: Path, *texts: str) -> list[str]:
    return [one.split(": ", 1)[1] for one in problems(folder, site(), site("beta"), *texts)]


def test_who_tells_needs_somebody_who_sends(folder: Path) -> None:
    left = "says how mail is sent: write one, or leave this stage out"
    roster = "says how mail is sent: write one, or leave `notify` out"
    assert said(folder, telling()) == [f"no Notifications document of acme {left}"]
    assert said(folder, telling(sites="acme, beta")) == [f"no Notifications document of acme, beta {left}"]
    assert said(folder, telling(sites="acme, beta"), mail(OUT, sites="beta")) == [
        f"no Notifications document of acme {left}"
    ]
    assert said(folder, welcoming(), mail(OUT, sites="beta")) == [f"no Notifications document of acme {roster}"]


def test_who_tells_and_has_somebody_who_sends_is_taken(folder: Path) -> None:
    plain = policy(top="sites: [acme]\n", name="plain")
    assert said(folder, plain, telling(), welcoming(), mail(OUT, sites="acme")) == []


def test_one_document_may_send_for_every_site(folder: Path) -> None:
    assert said(folder, mail(OUT, sites="'*'"), telling(sites="acme, beta")) == []


@pytest.mark.parametrize("text", [telling(template="notise"), welcoming("notise")])
def test_a_template_that_is_not_there_is_told_with_its_folder(folder: Path, text: str) -> None:
    assert said(folder, text, mail(OUT, sites="acme")) == [
        "there is no template `notise` in `templates`; did you mean `notice`?"
    ]


def test_templates_are_those_of_the_site(folder: Path) -> None:
    (folder / "others").mkdir()
    (folder / "others" / "other.txt.j2").write_text(SAFE)
    both = [
        mail(OUT, sites="acme"),
        mail(OUT.replace("templates: templates", "templates: others"), sites="beta", name="b"),
    ]
    assert said(folder, *both, telling()) == []
    (found,) = said(folder, *both, telling(sites="beta"))
    assert found.startswith("there is no template `notice` in `others`")


def test_templates_that_cannot_be_read_are_told_once(folder: Path) -> None:
    assert said(folder, telling(), mail("{outbox: out, templates: none}", sites="acme")) == [
        "`templates` names no folder; the path starts in the policies' folder"
    ]


def test_a_file_that_cannot_be_read_may_hold_the_document_that_sends(folder: Path) -> None:
    found = said(folder, telling(), "kind: [")
    assert len(found) == 1
    assert found[0].startswith("not valid YAML")


@pytest.mark.case("E70")
def test_nobody_is_said_to_be_told_who_is_not() -> None:
    sent = Notifications(name="a", folder="b", smtp=Smtp(host="h", port=25, encryption="", sender="a@b.example"))
    assert told_nobody(sent) == ""
    assert "written to out" in told_nobody(Notifications(name="a", folder="b", outbox="out"))
    assert "are silent" in told_nobody(Notifications(name="a", folder="b", outbox="out", silent=True))
