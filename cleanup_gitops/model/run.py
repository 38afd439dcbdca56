"""One apply and its record: approval, outcome of every change, ledger entry."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from cleanup_gitops.model.change import Action, Need
from cleanup_gitops.model.requirement import Cause

Result = Literal["applied", "already", "superseded", "settling", "not_effective", "failed", "not_attempted"]
"""``already``: the wished state was there. ``superseded``: a need no longer held, so nothing was written.
``settling``: accepted, not visible yet. ``not_effective``: accepted, and still not so when read back."""
FINISHED: frozenset[Result] = frozenset({"applied", "already", "superseded"})
"""Results after which a row of an approval is spent. The others may be retried while the plan is young enough."""


class Approval(Struct, frozen=True, kw_only=True):
    """Who allowed the run. ``by`` is an account id, ``ref`` the envelope digest, ``at`` UTC.

    ``plan``: a saved plan was handed to apply. ``auto``: the plan was made and applied in one go.
    """

    kind: Literal["plan", "auto"]
    by: str
    at: datetime
    ref: str


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the site answered to a write. ``server_date`` is its Date header, ``request_id`` its trace id, if any."""

    method: str
    endpoint: str
    status: int
    request_id: str = ""
    server_date: str = ""


class Invitation:
    """Whom to invite. Deliberately no Struct, because it holds an address: it cannot be stored by accident.

    ``role`` is the bare name of a role in this Confluence, ``groups`` are ids; ``notify``: the site sends a mail.
    """

    __slots__ = ("email", "groups", "notify", "role")

    def __init__(
        self, email: str, *, role: str | None = None, groups: tuple[str, ...] = (), notify: bool = False
    ) -> None:
        self.email = email
        self.role = role
        self.groups = groups
        self.notify = notify

    def __repr__(self) -> str:
        return "Invitation(…)"


class Invited(Struct, frozen=True, kw_only=True):
    """What came of an invitation: the account, and what was refused, such as ``group <id>: <reason>``."""

    receipt: Receipt
    account: str
    refused: tuple[str, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one change. The line of ``outcomes.jsonl``: who, what, when, why, before, after, verified."""

    address: str
    action: Action
    change: str
    """Digest of the change."""
    user: str
    result: Result
    at: datetime
    before: dict[str, str | bool]
    after: dict[str, str | bool]
    causes: tuple[Cause, ...] = ()
    detail: str = ""
    unmet: tuple[Need, ...] = ()
    receipt: Receipt | None = None
    verified: bool = False
    """Whether the wished state was read back after the write."""


class LedgerEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the hash chain. ``prev`` is the SHA-256 over the stored bytes of the line before (64 zeros first).

    ``digests`` maps files of the run, relative to the site's state folder, to their SHA-256; ``state`` is the digest
    over accounts, groups and memory after the run.
    """

    format: int
    seq: int
    prev: str
    time: datetime
    kind: Literal["run"]
    run: str
    site: str
    lineage: str
    serial: int
    tool_version: str
    policy_commit: str
    policy_digest: str
    plan: str
    envelope: str
    approval: Approval
    accounts: int
    results: dict[str, int]
    actions: dict[str, int]
    """Changes applied, by action."""
    digests: dict[str, str]
    state: str
