"""A file of allowed signers: which principals stand beside a key. Format: ``man ssh-keygen``, ALLOWED SIGNERS."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from itertools import pairwise

from cleanup_gitops.policy.patterns import glob

_PART = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+')
_KEY_TYPE = re.compile(r"(sk-)?(ssh|ecdsa|webauthn)-[A-Za-z0-9@.-]+")


def principals_of(text: str, fingerprint: str) -> frozenset[str]:
    """All principals, as written and in lower case, of the lines with the key of this fingerprint (``SHA256:…``).

    They are compared and never shown: they are people's addresses.
    """
    found: set[str] = set()
    for line in text.splitlines():
        parts = _PART.findall(line)
        if parts and not parts[0].startswith("#") and fingerprint in _fingerprints(parts[1:]):
            found.update(one for one in parts[0].replace('"', "").casefold().split(",") if one)
    return frozenset(found)


def _fingerprints(parts: list[str]) -> list[str]:
    """Of the key in a line: the word after its type."""
    return [fingerprint_of(key) for kind, key in pairwise(parts) if _KEY_TYPE.fullmatch(kind)]


def fingerprint_of(key: str) -> str:
    """``SHA256:…`` of a public key in base64, as ssh-keygen prints it; "" for what is none."""
    try:
        data = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def among(addresses: Iterable[str], principals: Iterable[str]) -> bool:
    """Whether one of the addresses is one of the principals, which may be patterns. What a ``!`` excludes counts."""
    patterns = [glob(one.removeprefix("!")) for one in principals]
    return any(one.fullmatch(address.strip().casefold()) for address in addresses for one in patterns)
