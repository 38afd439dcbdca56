"""Secrets as a type that nothing can print by accident.

A value from the environment becomes a `Secret` where it is read and stays one until its bytes go into a request: it is
no text, compares equal to nothing but itself, and cannot be stored, copied or encoded. What a server answers is rid of
it at once (`blotted`); error texts are rid of longer parts of it, too (`redacted`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn
from urllib.parse import quote

from cleanup_gitops.model.errors import CredentialError

SHOWN = "***"
TELLING = 8
"""So many characters of a secret in a row are too many for an error text."""
UNMISTAKABLE = 16
"""Values of so many characters are taken out of data; a shorter one, which no key is, could be a word of it."""


class Secret:
    """A value from the environment variable ``source``. Only `reveal` gives it; all else shows ``***``.

    ``made_of`` are the secrets in it that a reader could take out again.
    """

    __slots__ = ("_made_of", "_value", "source")

    def __init__(self, value: str, source: str, *made_of: Secret) -> None:
        self._value = value
        self._made_of = made_of
        self.source = source

    def reveal(self) -> str:
        """The value itself, to be handed to the HTTP client and to nothing else."""
        return self._value

    def values(self) -> Iterator[str]:
        """The value and those that it is made of: all that a server which was sent it can repeat."""
        yield self._value
        for part in self._made_of:
            yield from part.values()

    def __repr__(self) -> str:
        return SHOWN

    def __str__(self) -> str:
        return SHOWN

    def __format__(self, spec: str) -> str:
        return SHOWN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be stored")


PSEUDONYM_KEY = "CLEANUP_GITOPS_PSEUDONYM_KEY"
"""The environment variable with the key under which addresses become pseudonyms; without it the API key serves."""
SHORTEST_KEY = 32
"""Characters: whoever has pseudonyms and addresses must not be able to guess the key."""


def pseudonym_key(secrets: Mapping[str, Secret], api_key: Secret) -> Secret:
    """The key of pseudonyms. Raises `CredentialError` when the one that is set is too short to be none to guess."""
    if PSEUDONYM_KEY not in secrets:
        return api_key
    if len(secrets[PSEUDONYM_KEY].reveal().strip()) < SHORTEST_KEY:
        raise CredentialError(
            f"The value of the environment variable {PSEUDONYM_KEY} is shorter than {SHORTEST_KEY} characters, so that"
            " it could be guessed.",
            "Set a random value, such as what `openssl rand -hex 32` prints, and the same one in every job.",
        )
    return secrets[PSEUDONYM_KEY]


def taken(
    secrets: Mapping[str, Secret], name: str, purpose: str, place: str = "spec.credentials of the site"
) -> Secret:
    """The secret of the environment variable ``name``, which stands at ``place``; white space around it is dropped.

    Raises `CredentialError` naming the variable, never its value.
    """
    if name not in secrets or not secrets[name].reveal().strip():
        raise CredentialError(
            f"The environment variable {name} ({purpose}) is not set or empty.",
            f"Set {name} in the environment of this command; its name is in {place}.",
        )
    secret = Secret(secrets[name].reveal().strip(), name)
    if not secret.reveal().isprintable() or (not secret.reveal().isascii() and purpose != "site user"):
        raise CredentialError(
            f"The value of the environment variable {name} ({purpose}) holds characters that no key has.",
            "Copy the value again, without line ends or quotation marks.",
        )
    return secret


def bearer(key: Secret) -> Secret:
    """The Authorization header of an organization API key."""
    return Secret(f"Bearer {key.reveal()}", key.source, key)


def basic(user: Secret, token: Secret) -> Secret:
    """The Authorization header of a site user with an API token."""
    coded = Secret(base64.b64encode(f"{user.reveal()}:{token.reveal()}".encode()).decode("ascii"), token.source)
    return Secret(f"Basic {coded.reveal()}", token.source, coded, token)


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` without any of the secrets and without longer parts of them, should a server have echoed one."""
    for secret in secrets:
        for value in secret.values():
            text = _without(text, value) if len(value) > TELLING else text.replace(value, SHOWN)
    return text


def _without(text: str, value: str) -> str:
    """``text`` with every run of `TELLING` or more characters of ``value`` blotted out."""
    parts = {value[at : at + TELLING] for at in range(len(value) - TELLING + 1)}
    kept: list[str] = []
    until = 0
    for at, char in enumerate(text):
        if text[at : at + TELLING] in parts:
            if at >= until:
                kept.append(SHOWN)
            until = at + TELLING
        if at >= until:
            kept.append(char)
    return "".join(kept)


def blotted(data: bytes, secret: Secret) -> bytes:
    """What a server answered without the secret it was sent, as it is or as URLs and JSON write it."""
    for value in secret.values():
        if len(value) >= UNMISTAKABLE:
            for form in (value, quote(value, safe=""), value.replace("/", "\\/")):
                data = data.replace(form.encode(), SHOWN.encode())
    return data
