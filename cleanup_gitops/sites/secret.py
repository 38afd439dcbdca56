"""Secrets as a type that nothing can print by accident."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import NoReturn

from cleanup_gitops.model.errors import CredentialError

SHOWN = "***"


class Secret:
    """A value from the environment variable ``source``. Only `reveal` gives it; all else shows ``***``."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The value itself, to be handed to the HTTP client and to nothing else."""
        return self._value

    def __repr__(self) -> str:
        return SHOWN

    def __str__(self) -> str:
        return SHOWN

    def __format__(self, spec: str) -> str:
        return SHOWN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be stored")


def taken(secrets: Mapping[str, str], name: str, purpose: str) -> Secret:
    """The secret of the environment variable ``name``; white space around it is dropped.

    Raises `CredentialError` naming the variable, never its value.
    """
    value = secrets.get(name, "").strip()
    if not value:
        raise CredentialError(
            f"The environment variable {name} ({purpose}) is not set or empty.",
            f"Set {name} in the environment of this command; its name is in spec.credentials of the site.",
        )
    if not value.isprintable() or (not value.isascii() and purpose != "site user"):
        raise CredentialError(
            f"The value of the environment variable {name} ({purpose}) holds characters that no key has.",
            "Copy the value again, without line ends or quotation marks.",
        )
    return Secret(value, name)


def bearer(key: Secret) -> Secret:
    """The Authorization header of an organization API key."""
    return Secret(f"Bearer {key.reveal()}", key.source)


def basic(user: Secret, token: Secret) -> Secret:
    """The Authorization header of a site user with an API token."""
    pair = f"{user.reveal()}:{token.reveal()}".encode()
    return Secret(f"Basic {base64.b64encode(pair).decode('ascii')}", token.source)


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` without any of the secrets, should a server have echoed one."""
    for secret in secrets:
        for part in {secret.reveal(), secret.reveal().partition(" ")[2]} - {""}:
            text = text.replace(part, SHOWN)
    return text
