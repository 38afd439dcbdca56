"""What the pure parts ask of the world. Adapters implement these; tests run one contract suite against each.

Reader and Writer are separate on purpose: whatever plans holds no Writer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.notices import Notice, Sent
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.run import Invitation, Invited, Receipt
from cleanup_gitops.model.user import Question, User


class Clock(Protocol):
    """Time as a port. The command line holds the only real one."""

    def now(self) -> datetime:
        """The present moment, UTC, whole seconds."""
        ...

    def elapsed(self) -> float:
        """Seconds since some fixed moment, for measuring how long something takes: finer than `now`, never back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Progress(Protocol):
    """Where long work says how far it is. Texts never hold names."""

    def step(self, what: str, done: int, total: int | None) -> None:
        """``done`` of ``total`` (``None``: not known) of ``what``."""
        ...


class Live(Struct, frozen=True):
    """A site as it was read now: the facts, and beside them the people they are about."""

    inventory: Inventory
    people: People


class Reader(Protocol):
    """Reads one site.

    Must: prove completeness or raise ``IncompleteReadingError``; raise ``CredentialError`` when a credential is the
    reason; say unknown for what was not in an answer. Must not: change anything; turn a failed read into an empty
    answer; put a name or address into an error.
    """

    def read(self) -> Live:
        """The whole site now."""
        ...

    def ask(self, inventory: Inventory, questions: Mapping[str, frozenset[Question]]) -> Inventory:
        """The same inventory with the answers about these accounts, each asked one by one.

        A question that a site is not set up for, or that means nothing for an account, is left out. A question that
        was not answered leaves the fact unknown: for "content" the activity itself.
        """
        ...

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        """One account now, with the same facts as in ``read`` and those asked for; ``None`` when it is gone.

        Raises ``RefusedError`` when only this account cannot be read.
        """
        ...

    def find(self, email: str) -> tuple[str, ...]:
        """Ids of the accounts of the directory that the site finds by exactly this address, shown or hidden."""
        ...

    def group_modifiable(self, group: str) -> bool | None:
        """Whether memberships of the group can be changed here now; ``None`` when the site does not say."""
        ...


class Writer(Protocol):
    """Writes one change to one site.

    Must: make at most one effective write per call. Raises ``RefusedError`` (nothing changed), ``LostAnswerError``
    (unknown whether it changed), ``CredentialError`` (stop everything), ``SiteError`` (the site fails; stop).
    Must not: decide whether a change is allowed, or retry a write whose answer was lost.
    """

    def write(self, change: Change) -> Receipt:
        """Carry the change out and return what the site answered."""
        ...

    def invite(self, invitation: Invitation) -> Invited:
        """Invite one person. Raises as above; what was refused in part stands in the answer."""
        ...

    def create_group(self, name: str) -> Receipt:
        """Create an empty group. The site may show it late, and does not tell its id here."""
        ...

    def delete_group(self, group: str) -> Receipt:
        """Delete a group by its id."""
        ...


class Notifier(Protocol):
    """Tells people what policies are about to do.

    Must: give the same notice the same message id for ever. Must not: decide whether somebody is told, put a name or an
    address into an error, or send again what may have been sent.
    """

    def check(self) -> None:
        """Make sure, before anything is written, that notices can be sent.

        Raises ``CredentialError`` and ``SiteError``.
        """
        ...

    def send(self, notice: Notice, person: Person | None) -> Sent:
        """Tell one person, and return who took the notice. ``person`` is ``None`` when nobody is known.

        Raises ``RefusedError`` (nothing was sent: no address, a refused recipient, a template that fails),
        ``LostAnswerError`` (nobody knows whether it was sent), ``CredentialError`` and ``SiteError`` (no notice can be
        sent now; other changes may go on).
        """
        ...

    def template_digest(self, template: str) -> str:
        """``sha256:…`` over all files of a template: what was approved with a notice. Raises ``RefusedError``."""
        ...


class Store(Protocol):
    """The recorded state of one site: files relative to ``state/<site>/``, as the newest commit has them.

    Must: make ``commit`` atomic (all files or none become the recorded state), and never throw away what somebody else
    recorded; leave everything as it was when it raises. Raises ``StateError`` when what is recorded cannot be trusted,
    ``StoreError`` when it cannot be read or written, each with what to do.
    """

    @property
    def place(self) -> str:
        """Where records go, for people: a branch, or the branch of a remote."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """One apply at a time on this machine, for as long as the block lasts. Raises ``LeaseHeldError``."""
        ...

    def read(self, *, fresh: bool = True) -> dict[str, bytes]:
        """The recorded files without those of single runs; empty before the first record.

        ``fresh``: as everybody sees them now. Raises ``StoreError`` when that cannot be found out or what is here is
        older or other, ``LeaseTakenError`` when it is because another run is under way. Otherwise what is here
        counts, which will do for looking.
        """
        ...

    def run_files(self, run: str) -> dict[str, bytes]:
        """The files of one run, as they were at the last ``read``; empty when there is no such run."""
        ...

    def leases(self) -> dict[str, bytes]:
        """All leases of all sites that are recorded together, by path below ``state/``, as at the last ``read``."""
        ...

    def still_has(self, files: Mapping[str, bytes]) -> bool:
        """Whether the newest record of the site has these files as they are here, such as the leases of a run.

        What was read last stays what was read. Raises as ``read`` does when it cannot be found out.
        """
        ...

    def check_writable(self) -> None:
        """Make sure, as far as can be told, that a commit will succeed.

        Asked before the first write to a site: what cannot be recorded must not be done.
        """
        ...

    def commit(
        self,
        files: Mapping[str, bytes | None],
        subject: str,
        trailers: Mapping[str, str],
        *,
        free: Collection[str] = (),
    ) -> str:
        """Record these files (``None`` deletes one) on top of what was read last, and return the id of the commit.

        ``free`` are lease files, such as ``leases/default.json``, that no site recorded here may have at that moment.
        Raises ``LeaseTakenError`` when one is there, and ``StateMovedError`` when the state of this site is no longer
        the one that was read last; what else was committed meanwhile stays, and does not matter.
        """
        ...

    def policy_commit(self) -> str:
        """The commit of the working tree that holds the policies; "" when there is none or it has local edits."""
        ...
