"""What is wrong with policy files: every problem of one run, each with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cleanup_gitops.model.errors import CleanupError

_HARMLESS = re.compile(r"[\w.*?:,+/ -]{1,40}")
# A long run of letters and digits, as in keys and tokens that were pasted into the wrong place.
_TOKEN = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{16}")


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One mistake. ``line`` and ``col`` count from 1; 1:1 also stands for a file or folder as a whole."""

    file: str
    line: int
    col: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}: {self.message}"


class PolicyError(CleanupError):
    """The policies cannot be used. ``problems`` are all that were found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def shown(value: object) -> str:
    """A value as a message may repeat it.

    What could be an e-mail address, a secret or a way to disturb a terminal is left out: a person finds it by its
    place.
    """
    text = str(value)
    return f"`{text}`" if _HARMLESS.fullmatch(text) and not _TOKEN.search(text) else "this value"


def named(key: str) -> str:
    """`` `key` `` with a space before it, or nothing where the key must not be repeated."""
    text = shown(key)
    return f" {text}" if text.startswith("`") else ""


def _same_end(word: str, known: str) -> bool:
    """Whether what follows ``user.`` is alike too: nobody who writes ``user.nuke`` means ``user.remove``."""
    head, dot, end = word.rpartition(".")
    if not dot or not known.startswith(f"{head}."):
        return True
    return bool(difflib.get_close_matches(end, [known.removeprefix(f"{head}.")], cutoff=0.6))


_SHORT = 40
"""So many words at most are listed: of hundreds nobody finds the right one."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean `x`?``, or the list of what is known where that is short, or nothing."""
    words = sorted(known)
    # A long word is no typing mistake of a short one, and comparing it would take long.
    folded = word.casefold().replace("-", "_") if len(word) <= 60 else ""
    by_folded = {one.casefold().replace("-", "_"): one for one in words}
    close = difflib.get_close_matches(folded, by_folded, n=3, cutoff=0.6) if folded else []
    meant = next((one for one in close if _same_end(folded, one)), None)
    if meant:
        return f"; did you mean `{by_folded[meant]}`?"
    return f"; known here: {', '.join(words)}" if 0 < len(words) <= _SHORT else ""
