"""One SMTP relay: a connection that is kept, a pace, and what each of its answers means.

Errors hold the code of an answer and never its text, which may name people. What smtplib raises is let go before our
own error begins, as its frames hold addresses and the password.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
from collections.abc import Callable
from functools import partial

from cleanup_gitops.model.errors import CredentialError, LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.ports import Clock
from cleanup_gitops.outbox.letters import Letter
from cleanup_gitops.policy.notifying import Smtp
from cleanup_gitops.sites.secret import Secret

CONNECTING = 30.0
"""Seconds to connect, and for each answer before the text is sent."""
TAKING = 300.0
"""Seconds for the answer after the text: relays look for viruses meanwhile."""
_CREDENTIAL = frozenset({530, 534, 535, 538})
_DOT = re.compile(rb"(?m)^\.")
_DETAIL = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})\b")


class Relay:
    """Hands letters over, one after the other, whichever thread brings them. Every call may connect anew."""

    def __init__(
        self, smtp: Smtp, login: tuple[Secret, Secret] | None, trust: Callable[[], ssl.SSLContext], clock: Clock
    ) -> None:
        self._smtp = smtp
        self._login = login
        self._trust = trust
        self._clock = clock
        self._client: smtplib.SMTP | None = None
        self._lock = threading.Lock()
        self._next = 0.0
        self._name = f"The mail relay {smtp.host}:{smtp.port} ({smtp.where})"

    def check(self) -> None:
        """Connect, log in and ask whether the sender may send. Raises ``CredentialError`` and ``SiteError``."""
        with self._lock:
            client = self._ready()
            self._begin(client, self._smtp.sender)
            self._ask(client.rset)

    def deliver(self, letter: Letter) -> str:
        """Hand a letter over, and return the code with which the relay took it.

        Raises ``RefusedError`` (it was not taken), ``LostAnswerError`` (nobody knows), ``CredentialError`` and
        ``SiteError`` (it was not taken, and no other would be).
        """
        with self._lock:
            self._wait()
            client = self._ready()
            self._begin(client, letter.sender)
            self._name_recipients(client, letter)
            code, detail = self._ask(lambda: client.docmd("DATA"))
            if code != 354:
                raise self._not_taken(code, detail)
            return self._hand_over(client, letter)

    def close(self) -> None:
        """Say goodbye. Never raises."""
        with self._lock:
            client, self._client = self._client, None
            if client is not None:
                try:
                    client.quit()
                except (OSError, smtplib.SMTPException):
                    client.close()

    # -- one letter ----------------------------------------------------------------------------

    def _begin(self, client: smtplib.SMTP, sender: str) -> None:
        code, detail = self._ask(lambda: client.mail(sender))
        if code in _CREDENTIAL:
            raise self._credential(code, detail)
        if code != 250:
            self._drop()
            raise SiteError(
                f"{self._name} takes nothing from the sender ({_told(code, detail)}); nothing was sent.",
                "See whether it is busy, and whether `from` may send through it.",
            )

    def _name_recipients(self, client: smtplib.SMTP, letter: Letter) -> None:
        """Raises ``RefusedError`` when the relay takes none of them."""
        refusals: list[tuple[int, str]] = []
        for one in letter.to:
            code, detail = self._ask(partial(client.rcpt, one))
            if code in _CREDENTIAL:
                raise self._credential(code, detail)
            if code not in (250, 251, 252):
                refusals.append((code, detail))
        if len(refusals) == len(letter.to):
            code, detail = refusals[0]
            raise RefusedError(f"the relay refused the recipient ({_told(code, detail)})")

    def _hand_over(self, client: smtplib.SMTP, letter: Letter) -> str:
        """From here on a lost connection says nothing of what the relay has."""
        payload = _DOT.sub(b"..", letter.data)
        payload += b".\r\n" if payload.endswith(b"\r\n") else b"\r\n.\r\n"
        code, detail = -1, ""
        try:
            if client.sock is not None:
                client.sock.settimeout(TAKING)
            client.send(payload)
            code, text = client.getreply()
            detail = _detail(text)
            if client.sock is not None:
                client.sock.settimeout(CONNECTING)
        except (OSError, smtplib.SMTPException):
            code = -1
        if code < 200:
            self._drop()
            raise LostAnswerError("the connection to the relay was lost before it said whether it took the mail")
        if code >= 300:
            raise self._not_taken(code, detail)
        return str(code)

    def _not_taken(self, code: int, detail: str) -> SiteError:
        self._drop()
        return RefusedError(f"the relay did not take the mail ({_told(code, detail)})")

    def _credential(self, code: int, detail: str) -> CredentialError:
        self._drop()
        return CredentialError(
            f"{self._name} wants another user or password ({_told(code, detail)}); nothing was sent.",
            f"See the environment variables {self._smtp.user} and {self._smtp.password}."
            if self._smtp.user
            else "Write `user` and `password` into the Notifications document.",
        )

    # -- the connection ------------------------------------------------------------------------

    def _wait(self) -> None:
        """Keep the pace: so many mails a minute."""
        late = self._next - self._clock.elapsed()
        if late > 0:
            self._clock.sleep(late)
        self._next = max(self._next, self._clock.elapsed()) + 60 / self._smtp.rate

    def _ready(self) -> smtplib.SMTP:
        """A connection on which a letter may begin. One that the relay has closed meanwhile is made anew."""
        client = self._client
        if client is not None:
            try:
                if client.rset()[0] == 250:
                    return client
            except (OSError, smtplib.SMTPException):
                pass
            self._drop()
        client = self._connected()
        self._client = client
        self._encrypt(client)
        self._ask(lambda: _greet(client))
        self._log_in(client)
        return client

    def _connected(self) -> smtplib.SMTP:
        smtp, problem = self._smtp, ""
        own = smtp.sender.rpartition("@")[2]  # what else smtplib would tell is the name of this machine
        try:
            if smtp.encryption == "tls":
                return smtplib.SMTP_SSL(
                    smtp.host, smtp.port, local_hostname=own, timeout=CONNECTING, context=self._trust()
                )
            return smtplib.SMTP(smtp.host, smtp.port, local_hostname=own, timeout=CONNECTING)
        except ssl.SSLError as error:
            problem = _tls_words(error)
        except smtplib.SMTPConnectError as error:
            problem = f"does not take mail now ({_told(error.smtp_code, '')})"
        except (OSError, smtplib.SMTPException) as error:
            problem = f"cannot be reached ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise SiteError(
            f"{self._name} {problem}; nothing was sent.", "See `smtp.host` and `smtp.port`, and the network."
        )

    def _encrypt(self, client: smtplib.SMTP) -> None:
        """STARTTLS where it is asked for: without it nothing goes on."""
        if self._smtp.encryption != "starttls":
            return
        problem = ""
        try:
            client.starttls(context=self._trust())
        except ssl.SSLError as error:
            problem = _tls_words(error)
        except smtplib.SMTPNotSupportedError:
            problem = "offers no STARTTLS"
        except (OSError, smtplib.SMTPException):
            problem = "broke off STARTTLS"
        if problem:
            self._drop()
            raise SiteError(
                f"{self._name} {problem}; nothing was sent, as it would go in the clear.",
                "See `smtp.port` and the certificate of the relay; `tls.ca_bundle` of the Site names own authorities.",
            )

    def _log_in(self, client: smtplib.SMTP) -> None:
        if self._login is None:
            return
        user, password = self._login
        code, problem = 0, ""
        try:
            client.login(user.reveal(), password.reveal())
        except smtplib.SMTPAuthenticationError as error:
            code = error.smtp_code
        except smtplib.SMTPNotSupportedError:
            problem = "offers no way to log in"
        except (OSError, smtplib.SMTPException):
            problem = "broke off the log in"
        if code >= 500:
            raise self._credential(code, "")
        if code or problem:
            self._drop()
            told = problem or f"cannot check the password now ({_told(code, '')})"
            raise SiteError(f"{self._name} {told}; nothing was sent.", "See whether it takes mail on this port.")

    def _ask(self, command: Callable[[], tuple[int, bytes]]) -> tuple[int, str]:
        """The code of an answer, and the detail in figures. Raises ``SiteError`` when there is none, or it hangs up."""
        code, detail = -1, ""
        try:
            code, text = command()
            detail = _detail(text)
        except (OSError, smtplib.SMTPException):
            code = -1
        if code in (-1, 421):
            self._drop()
            raise SiteError(f"{self._name} ended the connection; nothing was sent.", "Try again later.")
        return code, detail

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _greet(client: smtplib.SMTP) -> tuple[int, bytes]:
    """Say who we are, also after the connection was encrypted."""
    client.ehlo_or_helo_if_needed()
    return 250, b""


def _detail(text: bytes) -> str:
    found = _DETAIL.match(text)
    return found[1].decode("ascii") if found else ""


def _told(code: int, detail: str) -> str:
    return f"{code} {detail}".strip()


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "has a certificate that cannot be trusted"
    return "does not speak TLS as asked for"
