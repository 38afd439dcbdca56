"""Names and e-mail addresses, kept apart from everything that is planned, stored or logged.

No plan, state or ledger type has a field that could hold these values; only views join them at the very end.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

_PURPOSE = b"cleanup-gitops pseudonym 1\0"
_HEX = 32


class Person:
    """How to show one account to a person who may see it."""

    __slots__ = ("email", "name")

    def __init__(self, name: str, email: str | None = None) -> None:
        self.name = name
        self.email = email

    def __repr__(self) -> str:
        return "Person(…)"


class People:
    """Account id -> person. Deliberately no Struct: it has no JSON form, so it cannot be stored by accident.

    ``key`` is the secret under which addresses become pseudonyms; empty: there is none.
    """

    __slots__ = ("_by_id", "_key")

    def __init__(self, by_id: Mapping[str, Person] | None = None, key: bytes = b"") -> None:
        self._by_id = dict(by_id or {})
        self._key = key

    def name(self, account: str) -> str:
        """The display name, or an empty text when it is not known."""
        person = self._by_id.get(account)
        return person.name if person else ""

    def email(self, account: str) -> str | None:
        """The e-mail address, or ``None`` when it is hidden or not known."""
        person = self._by_id.get(account)
        return person.email if person else None

    @property
    def keyed(self) -> bool:
        """Whether there is a key for pseudonyms."""
        return bool(self._key)

    def pseudonym(self, address: str) -> str:
        """What stands for an address (in its normal form) in plan, state and log: 32 hex digits of HMAC-SHA-256.

        The same address has the same pseudonym as long as the key is the same. Raises ``ValueError`` without a key.
        """
        if not self._key:
            raise ValueError("without a key a pseudonym would tell the address to anybody who guesses it")
        return hmac.digest(self._key, _PURPOSE + address.encode(), "sha256").hex()[:_HEX]

    def beside(self, others: Mapping[str, Person]) -> People:
        """The same people and more, under ids that no account has, for views."""
        return People({**self._by_id, **others}, self._key)

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        return f"People({len(self._by_id)})"


NOBODY = People()
