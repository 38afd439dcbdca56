"""Names with ``*`` and ``?``, and e-mail domains in one normal form."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def is_glob(pattern: str) -> bool:
    """Whether the text holds ``*`` (any characters) or ``?`` (one character); nothing else is special."""
    return "*" in pattern or "?" in pattern


@lru_cache(maxsize=1024)
def glob(pattern: str) -> re.Pattern[str]:
    """A compiled pattern for casefolded names, to be used with ``fullmatch``; takes linear time on every name."""
    first, *rest = (_one_part(part) for part in re.sub(r"\*+", "*", pattern.casefold()).split("*"))
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    # Atomic groups: each part takes its first place for good, so nothing is ever tried twice.
    text = first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last
    return re.compile(text, re.DOTALL)


def _one_part(part: str) -> str:
    return "".join("." if char == "?" else re.escape(char) for char in part)


def normal_domain(text: str) -> str | None:
    """A domain in lower case and in its ASCII form, or ``None`` when it cannot be a domain of two or more labels.

    The dot that may end a domain is taken off.
    """
    try:
        ascii_form = text.casefold().encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        return None
    labels = ascii_form.split(".")
    if len(labels) < 2 or len(ascii_form) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return None
    return ascii_form


# Every id of the vendor holds a digit; words for "none" in any language do not.
_ACCOUNT = re.compile(r"(?=[^0-9]*[0-9])[^\s@/*?,;\"'#]{1,128}")


def account_id(cell: str) -> str | None:
    """What stands in a cell, where it can be an account id, or ``None``."""
    return cell if cell.isprintable() and _ACCOUNT.fullmatch(cell) else None


_LOCAL = re.compile(r"[^\s@<>(),:;\"\\\[\]]{1,64}")


def normal_email(text: str) -> str | None:
    """An address in lower case and with its domain in the ASCII form, or ``None`` when it cannot be one.

    What stands before the @ is kept in full: ``+tag`` and dots make other addresses.
    """
    local, _, domain = text.rpartition("@")
    local = unicodedata.normalize("NFC", local).lower()
    normal = normal_domain(domain)
    return f"{local}@{normal}" if normal and _LOCAL.fullmatch(local) and local.isprintable() else None
