"""A reader that joins what earlier snapshots know to what a site tells, for whoever decides about users."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date

from cleanup_gitops.ledger.since import History, history_of, with_history
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Live, Reader
from cleanup_gitops.model.user import Question, User


class Remembering:
    """``reader`` with history. See ``model.ports.Reader``.

    ``told`` is the last reading of the whole site as the site told it: that is what may be recorded, for a snapshot
    must not take for a fact of the site what was only concluded from snapshots.
    """

    def __init__(self, reader: Reader, history: History | None) -> None:
        self._reader = reader
        self._history = history
        self._today: date | None = None
        self.told: Live | None = None

    def read(self) -> Live:
        """The whole site now, with history."""
        self.told = self._reader.read()
        inventory = self.told.inventory
        self._today = inventory.as_of.astimezone(UTC).date()
        return Live(with_history(inventory, self._history), self.told.people)

    def ask(self, inventory: Inventory, questions: Mapping[str, frozenset[Question]]) -> Inventory:
        """Answers replace single facts; history stays."""
        return self._reader.ask(inventory, questions)

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        """One account now, with history as of the day of the last reading."""
        user = self._reader.user(account, questions)
        if user is None or self._history is None or self._today is None:
            return user
        return self._history.joined(user, self._today)

    def find(self, email: str) -> tuple[str, ...]:
        """As the site says."""
        return self._reader.find(email)

    def group_modifiable(self, group: str) -> bool | None:
        """As the site says."""
        return self._reader.group_modifiable(group)


def remembering(reader: Reader, files: Mapping[str, bytes]) -> Remembering:
    """``reader`` with the history that these recorded files hold. Raises ``StateError`` when they cannot be read."""
    return Remembering(reader, history_of(files))
