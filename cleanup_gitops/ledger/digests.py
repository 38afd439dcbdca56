"""Digests over the files of a state: all of it, and each of its parts.

A digest is the SHA-256 over the sorted lines ``<sha256>  <path>`` of the files, each ended by LF: the same lines, and
so the same digest, come from ``sha256sum`` in the site's folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.canonical import sha256


def hashes_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 (hex) of each file."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def state_digest_of(hashes: Mapping[str, str]) -> str:
    """The digest over accounts, groups and memory among these hashes of files."""
    return _digest({path: found for path, found in hashes.items() if layout.is_state(path)})


def parts_of(hashes: Mapping[str, str]) -> dict[str, str]:
    """The digest over each part of the state."""
    return {
        part: _digest({path: found for path, found in hashes.items() if path.startswith(start)})
        for part, start in layout.PARTS.items()
    }


def _digest(hashes: Mapping[str, str]) -> str:
    lines = sorted(f"{found}  {path}\n" for path, found in hashes.items())
    return sha256("".join(lines).encode())
