"""Where everything lies under ``state/<site>/``. Paths are relative to that folder and use "/".

Names of groups become file names that are safe on every file system; two names that would share a file on one
that ignores case get a suffix made from the group's id.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Group

STATE = "state"
MANIFEST = "manifest.json"
MEMORY = "memory.jsonl"
ACCOUNTS = "accounts/"
GROUPS = "groups/"
LEDGER = "ledger/"
RUNS = "runs/"
LEASES = "leases/"
PLAN, APPROVED, INTENT = "plan.json", "approved.json", "intent.json"
OUTCOMES, DRIFT = "outcomes.jsonl", "drift.jsonl"
PARTS = {"accounts": ACCOUNTS, "groups": GROUPS, "memory": MEMORY}
"""The parts of the state, each with the beginning of its paths."""

_SHARDS = tuple(f"{ACCOUNTS}{first:02x}.jsonl" for first in range(256))

_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
"""Device names that Windows keeps for itself, with any extension."""
_SLUG_LENGTH = 60
_SUFFIXES = (0, 8, 16, 64)


def site_folder(site: str) -> str:
    """``state/<site>``. Raises ``StateError`` for a site name that is no folder name."""
    if not _SITE.fullmatch(site):
        raise StateError(
            f"A site named {site!r} cannot have a folder for its state.",
            "Use letters, digits, dots, underscores and dashes in the name of the Site document.",
        )
    return f"{STATE}/{site}"


def shard(account: str) -> str:
    """The file of an account: by the first byte of the SHA-256 of its id, 256 files in all."""
    return _SHARDS[hashlib.sha256(account.encode()).digest()[0]]


def ledger_file(at: datetime) -> str:
    """The part of the hash chain that holds the entries of a month (UTC)."""
    return f"{LEDGER}{at:%Y-%m}.jsonl"


def ledger_files(paths: Iterable[str]) -> list[str]:
    """The files of the hash chain among these paths, oldest first."""
    return sorted(path for path in paths if path.startswith(LEDGER))


def run_file(run: str, name: str) -> str:
    """A file of one run, such as ``plan.json`` or ``outcomes.jsonl``."""
    return f"{RUNS}{run}/{name}"


def lease_file(directory: str) -> str:
    """The lease of a directory (Cloud) or of a whole site (Data Center), whatever its name is made of."""
    name = slug(directory)
    safe = name if name == directory else f"{name or 'directory'}-{hashlib.sha256(directory.encode()).hexdigest()[:16]}"
    return f"{LEASES}{safe}.json"


def is_state(path: str) -> bool:
    """Whether the state digest covers the file: accounts, groups and memory."""
    return path.startswith((ACCOUNTS, GROUPS)) or path == MEMORY


def group_files(groups: Iterable[Group]) -> dict[str, str]:
    """The file of each group, by group id: unique even where case is ignored, and safe for any name.

    Depends on the set of groups alone, not on their order.
    """
    slugs = {group.id: slug(group.name) for group in groups}
    waiting = slugs
    names: dict[str, str] = {}
    for length in _SUFFIXES:
        wanted = {one: _suffixed(base, one, length) for one, base in waiting.items()}
        often = Counter(wanted.values())
        taken = set(names.values())
        names |= {one: n for one, n in wanted.items() if n and often[n] == 1 and n not in taken}
        waiting = {one: base for one, base in waiting.items() if one not in names}
    return {one: f"{GROUPS}{names[one]}.txt" for one in slugs}


def slug(name: str) -> str:
    """A group's name as lower-case ASCII letters, digits, dots, underscores and dashes; "" when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    safe = _UNSAFE.sub("-", plain)[:_SLUG_LENGTH].strip("-.")
    return "" if _RESERVED.fullmatch(safe) else safe


def _suffixed(base: str, group: str, length: int) -> str:
    if not length:
        return base
    return f"{base or 'group'}-{hashlib.sha256(group.encode()).hexdigest()[:length]}"
