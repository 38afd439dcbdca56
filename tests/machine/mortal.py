"""A process that may die at any instant: all ports behind a switch that, once thrown, lets nothing through any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Live, Reader, Store, Writer
from cleanup_gitops.model.run import Invitation, Invited, Receipt
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.runner.journal import Header, Journal, Journals, Line


class Killed(BaseException):  # no error: nothing can handle it
    """The end of a process, as its own code sees it: not at all."""


class Life:
    """How long a process lives: to the instant of this number (from 1), or for ever (0).

    ``then`` maps numbers of instants to what happens at them, such as a signal.
    """

    def __init__(self, ends: int = 0, then: Mapping[int, Callable[[], None]] | None = None) -> None:
        self._ends = ends
        self._then = then or {}
        self._lock = threading.Lock()
        self.passed: list[str] = []
        self.dead = False

    def pulse(self, where: str) -> None:
        """One more instant goes by; it is the last one, or life was over before. Raises ``Killed``."""
        with self._lock:
            self.passed.append(where)
            number = len(self.passed)
            self.dead = self.dead or number == self._ends
        if self.dead:
            raise Killed
        self._then.get(number, _nothing)()


def _nothing() -> None:
    """What happens at most instants."""


class MortalReader:
    """A reader in a mortal process. ``then`` is called once, after the first reading of the whole site."""

    def __init__(self, reader: Reader, life: Life, then: Callable[[], None]) -> None:
        self._reader = reader
        self._life = life
        self._then: Callable[[], None] | None = then

    def read(self) -> Live:
        self._life.pulse("read")
        live = self._reader.read()
        then, self._then = self._then, None
        if then is not None:
            then()
        return live

    def ask(self, inventory: Inventory, questions: Mapping[str, frozenset[Question]]) -> Inventory:
        self._life.pulse("ask")
        return self._reader.ask(inventory, questions)

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        self._life.pulse("user")
        return self._reader.user(account, questions)

    def find(self, email: str) -> tuple[str, ...]:
        self._life.pulse("user")
        return self._reader.find(email)

    def group_modifiable(self, group: str) -> bool | None:
        self._life.pulse("group")
        return self._reader.group_modifiable(group)


class MortalWriter:
    """A writer in a mortal process, which may die before a write and after it."""

    def __init__(self, writer: Writer, life: Life) -> None:
        self._writer = writer
        self._life = life

    def write(self, change: Change) -> Receipt:
        self._life.pulse("before a write")
        receipt = self._writer.write(change)
        self._life.pulse("after a write")
        return receipt

    def invite(self, invitation: Invitation) -> Invited:
        self._life.pulse("before a write")
        invited = self._writer.invite(invitation)
        self._life.pulse("after a write")
        return invited

    def create_group(self, name: str) -> Receipt:
        return self._writer.create_group(name)

    def delete_group(self, group: str) -> Receipt:
        return self._writer.delete_group(group)


class MortalJournals:
    """Journals in a mortal process, which may die before a line is written and after it."""

    def __init__(self, journals: Journals, life: Life) -> None:
        self._journals = journals
        self._life = life

    def place(self, run: str) -> str:
        return self._journals.place(run)

    def check(self) -> None:
        self._journals.check()

    def begin(self, header: Header) -> Journal:
        return _MortalJournal(self._journals.begin(header), self._life)

    def read(self, run: str) -> bytes | None:
        return self._journals.read(run)

    def end(self, run: str) -> None:
        self._life.pulse("before the journal ends")
        self._journals.end(run)


class _MortalJournal:
    def __init__(self, journal: Journal, life: Life) -> None:
        self._journal = journal
        self._life = life

    def add(self, line: Line) -> None:
        self._life.pulse("before a line")
        self._journal.add(line)
        self._life.pulse("after a line")


class MortalStore:
    """A store in a mortal process, which may die before a commit and after it."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store = store
        self._life = life

    @property
    def place(self) -> str:
        return self._store.place

    def exclusive(self) -> AbstractContextManager[None]:
        return self._store.exclusive()

    def read(self, *, fresh: bool = True) -> dict[str, bytes]:
        self._life.pulse("before the record is read")
        return self._store.read(fresh=fresh)

    def run_files(self, run: str) -> dict[str, bytes]:
        return self._store.run_files(run)

    def leases(self) -> dict[str, bytes]:
        return self._store.leases()

    def still_has(self, files: Mapping[str, bytes]) -> bool:
        self._life.pulse("before a look at the leases")
        return self._store.still_has(files)

    def check_writable(self) -> None:
        self._store.check_writable()

    def commit(
        self,
        files: Mapping[str, bytes | None],
        subject: str,
        trailers: Mapping[str, str],
        *,
        free: Collection[str] = (),
    ) -> str:
        self._life.pulse("before a commit")
        commit = self._store.commit(files, subject, trailers, free=free)
        self._life.pulse("after a commit")
        return commit

    def policy_commit(self) -> str:
        return self._store.policy_commit()
