"""Notices: what one person is told before a policy acts, and the proof that it was handed over.

Neither holds a name or an address of a person: only the Notifier joins them, when it sends.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

from msgspec import Struct


class Notice(Struct, frozen=True, kw_only=True):
    """What one stage of one episode tells one user. All days are UTC.

    ``address`` is stage/<id>/<policy>/<stage>/<episode>. ``why`` and ``owner`` are those of the policy's metadata.
    ``last_seen`` and ``days`` (without use, after the source's lag) are ``None`` when there was no use, or it is not
    known to the day. ``next_stage``, ``next_does`` and ``next_day`` say what follows, and when at the earliest; they
    are empty when nothing does.
    """

    address: str
    user: str
    site: str
    url: str
    policy: str
    stage: str
    episode: int
    why: str
    owner: str
    template: str
    as_of: date
    last_seen: date | None
    days: int | None
    next_stage: str
    next_does: str
    next_day: date | None
    language: str = ""
    """Value of the attribute that the Notifications document names; "": the default language."""


class Sent(Struct, frozen=True, kw_only=True):
    """Who took a notice: the mail relay, a folder, or nobody because notices are silent.

    ``answer`` is the reply code of the relay alone: its text may hold an address.
    """

    message_id: str
    how: Literal["relay", "folder", "silent"]
    answer: str


def message_key(site: str, address: str) -> str:
    """What the Message-ID of a notice begins with: the same for ever for one stage of one episode of one user."""
    return hashlib.sha256(f"{site}\n{address}".encode()).hexdigest()[:32]
