"""Names and e-mail addresses, kept apart from everything that is planned, stored or logged.

No plan, state or ledger type has a field that could hold these values; only views join them at the very end.
"""

from __future__ import annotations

from collections.abc import Mapping


class Person:
    """How to show one account to a person who may see it."""

    __slots__ = ("email", "name")

    def __init__(self, name: str, email: str | None = None) -> None:
        self.name = name
        self.email = email

    def __repr__(self) -> str:
        return "Person(…)"


class People:
    """Account id -> person. Deliberately no Struct: it has no JSON form, so it cannot be stored by accident."""

    __slots__ = ("_by_id",)

    def __init__(self, by_id: Mapping[str, Person] | None = None) -> None:
        self._by_id = dict(by_id or {})

    def name(self, account: str) -> str:
        """The display name, or an empty text when it is not known."""
        person = self._by_id.get(account)
        return person.name if person else ""

    def email(self, account: str) -> str | None:
        """The e-mail address, or ``None`` when it is hidden or not known."""
        person = self._by_id.get(account)
        return person.email if person else None

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        return f"People({len(self._by_id)})"


NOBODY = People()
