"""Letters: a notice, or a list of those that could not be delivered, as the bytes of one mail.

Everything that comes from a person is one line without hidden characters before it goes into a subject, and escaped in
HTML (`policy.template_text`). Addresses are taken as they are or not at all, so that none can add a header or a second
recipient. The same notice gives the same bytes but for the date, and has the same Message-ID for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from msgspec.structs import asdict

from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.notices import Notice, message_key
from cleanup_gitops.model.people import Person
from cleanup_gitops.policy.notifying import Body, Notifications, Template, sendable
from cleanup_gitops.policy.patterns import normal_domain
from cleanup_gitops.policy.template_text import UnusableTemplateError, Value, one_line, render

LONGEST_NAME = 100
LONGEST_SUBJECT = 200
MOST_LISTED = 200
"""Notices that a letter to a team lists; the record of the run has all of them."""

_MAIL = SMTP.clone(cte_type="7bit")  # a relay need not take anything else


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, ready to be handed over. Shows neither its recipients nor its text."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    data: bytes

    def __repr__(self) -> str:
        return f"Letter({self.message_id})"


def message_id(site: str, address: str, sender: str) -> str:
    """The id of a notice, which is that of its address: sent twice, it is the same mail."""
    return f"<{message_key(site, address)}@{sender.rpartition('@')[2]}>"


def _digits(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def no_relay_sender(url: str) -> str:
    """Who sends where no relay does, so that nobody can answer: an address at the site itself."""
    return f"cleanup-gitops@{urlsplit(url).hostname or 'localhost'}"


def refused(notice: Notice, reason: str, hint: str = "") -> RefusedError:
    """A notice that was not sent. Says the account id, and nothing else of the person."""
    return RefusedError(f"The notice {notice.address} was not sent: {reason}.", hint)


def recipient(notice: Notice, person: Person | None) -> str:
    """Where a notice goes. Raises ``RefusedError`` when that is nowhere."""
    if person is None or not person.email:
        raise refused(
            notice,
            "the account has no e-mail address that can be seen here",
            "Tell the person by hand and exempt the account, or see that its address is visible.",
        )
    local, _, domain = person.email.strip().rpartition("@")
    address = f"{local}@{normal_domain(domain) or ''}"
    if not sendable(address):
        raise refused(
            notice, "no mail can be sent to the address of the account", "Correct it where accounts are kept."
        )
    return address


def notice_letter(notice: Notice, person: Person | None, found: Notifications, sender: str, now: datetime) -> Letter:
    """A notice to one person. Raises ``RefusedError``."""
    to = recipient(notice, person)
    name = one_line(person.name if person else "", LONGEST_NAME)
    message = rendered(notice, name, template_of(notice, found), found)
    for header, value in _headers(sender, now, message_id(notice.site, notice.address, sender)):
        message[header] = value
    message["To"] = to
    if sendable(notice.owner):
        message["Reply-To"] = notice.owner
    return _letter(message, sender, (to,))


def template_of(notice: Notice, found: Notifications) -> Template:
    """The template of a notice. Raises ``RefusedError``."""
    try:
        return found.templates[notice.template]
    except KeyError:
        raise refused(notice, f"there is no template {notice.template!r}") from None


def rendered(notice: Notice, name: str, template: Template, found: Notifications) -> EmailMessage:
    """The mail with its subject and its texts, and without anything else. Raises ``RefusedError``."""
    wanted = found.languages.of(notice.language) if found.languages else ""
    language, body = template.body(wanted)
    values: dict[str, Value] = asdict(notice) | {"name": name}
    message = EmailMessage(policy=_MAIL)
    try:
        subject, text, page = _texts(body, values)
    except UnusableTemplateError as error:
        reason = f"the template {template.name} {error.flaw.message}"
        raise refused(notice, reason, "`cleanup-gitops notices lint` says where.") from None
    message["Subject"] = subject
    message.set_content(text)
    if page is not None:
        message.add_alternative(page, subtype="html")
        message.set_boundary(f"=_{_digits('boundary', notice.site, notice.address)}")
    if spoken := language or (found.languages.default if found.languages else ""):
        message["Content-Language"] = spoken
    return message


def _texts(body: Body, values: dict[str, Value]) -> tuple[str, str, str | None]:
    subject = one_line(render(body.subject, values, html=False), LONGEST_SUBJECT)
    page = None if body.html is None else render(body.html, values, html=True)
    return subject, render(body.text, values, html=False), page


def undelivered_letter(
    failures: Sequence[RefusedError], found: Notifications, site: str, sender: str, now: datetime
) -> Letter:
    """To the teams that are told of notices which could not be delivered (E69). Account ids, no names."""
    number = len(failures)
    lines = sorted(error.message for error in failures)
    message = EmailMessage(policy=_MAIL)
    many = f"{number} notice{'' if number == 1 else 's'}"
    message["Subject"] = f"{many} could not be delivered ({site})"
    more = [f"... and {number - MOST_LISTED} more; the record of the run has all of them."]
    text = [
        f"{many} of policies for {site} could not be delivered. Those concerned were not told, so for them nothing has",
        "begun: no clock runs, and the next run tries again.",
        "",
        *lines[:MOST_LISTED],
        *(more if number > MOST_LISTED else []),
        "",
        "Whose account it is: `cleanup-gitops users --where 'account: ...'`.",
        "This mail was sent by a program.",
    ]
    message.set_content("\n".join(text) + "\n")
    own = f"<{_digits('undelivered', site, now.date().isoformat(), *lines)}@{sender.rpartition('@')[2]}>"
    for header, value in _headers(sender, now, own):
        message[header] = value
    message["To"] = ", ".join(found.escalate)
    return _letter(message, sender, found.escalate)


def _headers(sender: str, now: datetime, own: str) -> tuple[tuple[str, str], ...]:
    """What every mail says. No machine is to answer, and none is to take the mail for a person's."""
    return (
        ("From", sender),
        ("Date", format_datetime(now)),
        ("Message-ID", own),
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
    )


def _letter(message: EmailMessage, sender: str, to: tuple[str, ...]) -> Letter:
    return Letter(str(message["Message-ID"]), sender, to, message.as_bytes())
