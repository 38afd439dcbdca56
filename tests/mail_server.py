"""A real mail server in this process: STARTTLS or TLS, a password, and what goes wrong with relays."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from cleanup_gitops.policy.notifying import Smtp
from cleanup_gitops.sites.exchange import trusted
from cleanup_gitops.sites.secret import Secret
from tests import canaries
from tests.patience import STALLED

USER, PASSWORD = "wiki-mailer", canaries.TOKEN
SENDER = "wiki@acme.example"
AUTHORITY = trustme.CA()
OTHER_AUTHORITY = trustme.CA()


class MailServer:
    """What the server has, and what it does instead of taking mail.

    ``answers`` are replies by command ("MAIL", "RCPT", "DATA"), ``refuses`` recipients. ``hangs_up`` after: "" never,
    "MAIL", "RCPT", or "DATA", when it has the mail (``mails`` has it too).
    """

    def __init__(self, encryption: str) -> None:
        self.encryption = encryption
        self.port = 0
        self.mails: list[tuple[Envelope, EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self.refuses: dict[str, str] = {}
        self.hangs_up = ""
        self.connections = 0
        self.password = PASSWORD

    def settings(self, **changes: Any) -> Smtp:  # noqa: ANN401 - any field
        """The relay as a Notifications document says it."""
        usual: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "encryption": self.encryption,
            "sender": SENDER,
            "user": "SMTP_USER",
            "password": "SMTP_PASSWORD",
            "rate": 6000,
            "where": "policies/mail.yaml:6",
        }
        return Smtp(**(usual | changes))

    # -- the hooks of aiosmtpd -----------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._reply(server, "MAIL")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        if address in self.refuses:
            return self.refuses[address]
        reply = self._reply(server, "RCPT")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del session
        reply = self._reply(server, "DATA")
        if reply.startswith("250"):
            data = envelope.content
            assert isinstance(data, bytes)
            message = message_from_bytes(data, policy=default)
            assert isinstance(message, EmailMessage)
            self.mails.append((envelope, message))
        return reply

    def _reply(self, server: SMTP, command: str) -> str:
        if self.hangs_up == command:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return self.answers.get(command, "250 2.0.0 taken")


def login() -> tuple[Secret, Secret]:
    """User and password as the wiring hands them over."""
    return Secret(USER, "SMTP_USER"), Secret(PASSWORD, "SMTP_PASSWORD")


def trust(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    """What the product checks certificates with, and one more authority."""
    context = trusted()
    context.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    return context


@contextmanager
def serving(encryption: str = "starttls", *, host: str = "127.0.0.1", password: bool = True) -> Iterator[MailServer]:
    """A server on a port of its own; ``host`` is what its certificate says."""
    server = MailServer(encryption)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server.port = free.getsockname()[1]

    def check(smtp: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:  # noqa: ANN401
        del smtp, session, envelope, mechanism
        assert isinstance(given, LoginPassword)
        known = given.login == USER.encode() and given.password == server.password.encode()
        return AuthResult(success=known, handled=False)

    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=context if encryption == "tls" else None,
        tls_context=context if encryption == "starttls" else None,
        require_starttls=encryption == "starttls",
        authenticator=check if password else None,
        auth_required=password and encryption == "starttls",  # with TLS it takes that for no encryption
        auth_require_tls=encryption == "starttls",
        ready_timeout=STALLED,
    )
    controller.start()
    server.connections = 0
    try:
        yield server
    finally:
        controller.stop()
