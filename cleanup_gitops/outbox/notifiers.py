"""The Notifiers: a mail relay, a folder of files that nobody gets, and silence."""

from __future__ import annotations

import os
import tempfile
import threading
from datetime import datetime
from pathlib import Path

from cleanup_gitops.model.errors import LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.notices import Notice, Sent
from cleanup_gitops.model.people import Person
from cleanup_gitops.model.ports import Clock
from cleanup_gitops.outbox.letters import (
    Letter,
    message_id,
    no_relay_sender,
    notice_letter,
    refused,
    undelivered_letter,
)
from cleanup_gitops.outbox.relay import Relay
from cleanup_gitops.policy.notifying import Notifications, Smtp


class _Known:
    """What all of them know: the templates, and which notices were refused."""

    def __init__(self, found: Notifications, site: str) -> None:
        self._found = found
        self._site = site
        self._refused: dict[str, RefusedError] = {}
        self._lock = threading.Lock()

    def template_digest(self, template: str) -> str:
        """``sha256:…`` over all files of a template."""
        if template not in self._found.templates:
            raise RefusedError(f"There is no template {template!r} in {self._found.folder}.")
        return self._found.templates[template].digest

    def _letter(self, notice: Notice, person: Person | None, sender: str, now: datetime) -> Letter:
        try:
            return notice_letter(notice, person, self._found, sender, now)
        except RefusedError as error:
            self._note(notice, error)
            raise

    def _note(self, notice: Notice, error: RefusedError) -> None:
        with self._lock:
            self._refused[notice.address] = error

    def _undelivered(self, sender: str, now: datetime) -> Letter | None:
        """What the teams are to be told, once."""
        with self._lock:
            failures, self._refused = list(self._refused.values()), {}
        if not failures or not self._found.escalate:
            return None
        return undelivered_letter(failures, self._found, self._site, sender, now)


class MailNotifier(_Known):
    """Tells people by mail through a relay. Safe between threads."""

    def __init__(self, found: Notifications, smtp: Smtp, site: str, relay: Relay, clock: Clock) -> None:
        super().__init__(found, site)
        self._sender = smtp.sender
        self._relay = relay
        self._clock = clock

    def check(self) -> None:
        """Connect and log in."""
        self._relay.check()

    def send(self, notice: Notice, person: Person | None) -> Sent:
        """Hand the notice over to the relay."""
        letter = self._letter(notice, person, self._sender, self._clock.now())
        try:
            return Sent(message_id=letter.message_id, how="relay", answer=self._relay.deliver(letter))
        except RefusedError as error:
            failure = refused(notice, error.message, "The log of the relay says more.")
            self._note(notice, failure)
            raise failure from None
        except LostAnswerError as error:
            lost = f"It is not known whether the notice {notice.address} was sent: {error.message}."
            raise LostAnswerError(
                lost,
                "The next run sends it again, with the same Message-ID. The log of the relay says more.",
            ) from None

    def escalate(self) -> Sent | None:
        """Tell the teams which notices were refused since this was asked last; ``None``: nothing to tell, or nobody.

        Raises what ``send`` raises.
        """
        letter = self._undelivered(self._sender, self._clock.now())
        if letter is None:
            return None
        return Sent(message_id=letter.message_id, how="relay", answer=self._relay.deliver(letter))

    def close(self) -> None:
        """End the connection."""
        self._relay.close()


class FolderNotifier(_Known):
    """Writes each notice as a file named after its Message-ID, so that a second sending replaces the first."""

    def __init__(self, found: Notifications, folder: Path, site: str, url: str, clock: Clock) -> None:
        super().__init__(found, site)
        self._sender = no_relay_sender(url)
        self._folder = folder
        self._clock = clock

    def check(self) -> None:
        """Make the folder, which git is told to leave alone, and see whether files can be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            ignored = self._folder / ".gitignore"
            if not ignored.exists():
                ignored.write_text("*\n", encoding="ascii")
            tempfile.TemporaryFile(dir=self._folder).close()
        except OSError as error:
            raise self._unwritable(error) from None

    def send(self, notice: Notice, person: Person | None) -> Sent:
        """Write the notice."""
        return self._write(self._letter(notice, person, self._sender, self._clock.now()))

    def escalate(self) -> Sent | None:
        """Write what the teams would be told; ``None``: nothing to tell, or nobody."""
        letter = self._undelivered(self._sender, self._clock.now())
        return self._write(letter) if letter else None

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, letter: Letter) -> Sent:
        name = letter.message_id[1:].partition("@")[0]
        try:
            self.check()
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(letter.data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self._folder / f"{name}.eml")
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._unwritable(error) from None
        return Sent(message_id=letter.message_id, how="folder", answer="")

    def _unwritable(self, error: OSError) -> SiteError:
        why = error.strerror or type(error).__name__
        return SiteError(
            f"Notices cannot be written to {self._folder} ({why}).", "See `outbox` of the Notifications document."
        )


class SilentNotifier(_Known):
    """Tells nobody (E70). Stages go on as if everybody had been told."""

    def __init__(self, found: Notifications, site: str, url: str) -> None:
        super().__init__(found, site)
        self._sender = found.smtp.sender if found.smtp else no_relay_sender(url)

    def check(self) -> None:
        """Nothing is needed."""

    def send(self, notice: Notice, person: Person | None) -> Sent:
        """Send nothing, to nobody: an address is not needed either."""
        del person
        return Sent(message_id=message_id(notice.site, notice.address, self._sender), how="silent", answer="")

    def escalate(self) -> Sent | None:
        """Nothing was refused."""
        return None

    def close(self) -> None:
        """Nothing is open."""


AnyNotifier = MailNotifier | FolderNotifier | SilentNotifier
