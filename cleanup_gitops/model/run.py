"""One apply and its record: approval, intent and lease, outcome of every change, ledger entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cleanup_gitops.model.change import Action, Need
from cleanup_gitops.model.requirement import Cause

Moment = Annotated[datetime, Meta(tz=True)]
"""An instant. Read back from a file it has a time zone, or the file is refused: no other can be compared with it."""

Result = Literal["applied", "already", "superseded", "settling", "not_effective", "failed", "not_attempted"]
"""``already``: the wished state was there. ``superseded``: a need no longer held, so nothing was written.
``settling``: accepted, not visible yet. ``not_effective``: accepted, and still not so when read back; of a notice,
whose effect nothing shows: sent, and nobody knows whether the relay took it."""
FINISHED: frozenset[Result] = frozenset({"applied", "already", "superseded"})
"""Results after which a row of an approval is consumed. The others may be retried while the plan is young enough."""
ACCEPTED: frozenset[Result] = frozenset({"applied", "settling", "not_effective"})
"""Results of writes that the site accepted, whatever it showed: they may still take effect, and count for the caps."""
WRITTEN: frozenset[Result] = ACCEPTED | {"failed"}
"""Results of changes that were sent to the site."""


class Approval(Struct, frozen=True, kw_only=True):
    """Who allowed the run, or one change of it. ``by`` is an account id, ``ref`` the envelope digest, ``at`` UTC.

    ``plan``: a saved plan was handed to apply. ``auto``: the plan was made and applied in one go.

    ``standing``: policies were approved as a whole. Of a change, ``by`` is the fingerprint of the key that signed
    (``SHA256:…``), ``at`` when, and ``ref`` the tag; where several policies ask for it, keys and tags stand side by
    side, sorted and with spaces, at the time of the newest. Of a run, ``by`` are all keys that its rows needed ("" for
    none), ``at`` is when it was planned, and ``ref`` the envelope digest.

    ``second``: somebody else approved the deletions of a saved plan; ``by`` and ``ref`` are the key and the tag.
    """

    kind: Literal["plan", "auto", "standing", "second"]
    by: str
    at: Moment
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
    at: Moment
    before: dict[str, str | bool]
    after: dict[str, str | bool]
    causes: tuple[Cause, ...] = ()
    detail: str = ""
    unmet: tuple[Need, ...] = ()
    receipt: Receipt | None = None
    verified: Moment | None = None
    """When the wished state was seen on the site (UTC); ``None``: it was not seen."""
    deadline: Moment | None = None
    """Until when what the site accepted may show late (UTC); after that it is without effect."""
    account: str = ""
    """Of an invitation: the account that it made or found, as soon as the site tells it."""


_MINUTES = timedelta(minutes=5)
SETTLES_WITHIN: Mapping[Action, timedelta] = {
    "tokens.revoke": timedelta(minutes=1),  # shows at once
    "role.revoke": timedelta(minutes=2),  # documented: within 30 seconds
    "membership.add": _MINUTES,  # the directory shows these at once, what Confluence makes of them after minutes
    "membership.remove": _MINUTES,
    "user.enable": _MINUTES,
    "user.disable": _MINUTES,
    "user.deactivate": _MINUTES,
    "user.delete": _MINUTES,
    "user.invite": _MINUTES,  # documented nowhere; seen at once or seconds later
    "user.remove": timedelta(hours=1),  # put into a queue, of which no length is documented
    "notice.send": timedelta(0),  # shows nowhere: what the relay answers is all that is known
}
"""How long after a write its effect may be missing before it counts as none; see docs/cloud-writes.md."""


def deadline_of(one: Outcome) -> datetime:
    """Until when the effect of a write may show late (UTC), also in a list that lags behind a look at the account."""
    return one.deadline or (one.verified or one.at) + SETTLES_WITHIN[one.action]


class OutcomeRecord(Outcome, frozen=True, kw_only=True, omit_defaults=True):
    """An outcome as it is recorded: a line that says by itself who did what, when, why, and who allowed it.

    ``number`` counts from 1 within the run; ``actor`` is the account that acted (the owner of the credentials).
    """

    number: int
    run: str
    site: str
    actor: str
    approval: Approval
    plan: str
    policy_commit: str
    tool_version: str


class Intent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run is about to do, committed before its first write.

    ``changes`` are the digests of the rows that it may carry out, sorted; they stand in the plan beside it.
    ``digests`` are the SHA-256 of the files of the run that were committed with the intent.
    """

    format: int
    run: str
    site: str
    directories: tuple[str, ...]
    holder: str
    since: Moment
    lineage: str
    serial: int
    plan: str
    envelope: str
    approval: Approval
    policy_commit: str
    tool_version: str
    changes: tuple[str, ...]
    digests: dict[str, str]
    place: str = ""
    actor: str = ""
    """The account that acts, where ``approval`` does not name it."""
    approvals: dict[str, Approval] = {}
    """Standing approvals by policy: those that ``changes`` need."""
    second: Approval | None = None
    """Who else approved, where accounts are deleted."""


class Lease(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claim that one run is under way on one directory.

    ``holder`` names the account and the process that work, ``place`` where that is (such as the address of a job), and
    ``intent`` is the SHA-256 of the committed intent.
    """

    format: int
    directory: str
    site: str
    run: str
    holder: str
    since: Moment
    intent: str
    place: str = ""


Kind = Literal[
    "run", "void", "drift", "recovery", "rollback", "override", "review", "heartbeat", "roll-over", "undelivered"
]
"""What an entry of the ledger is about. ``void``: a run that could not be trusted to act, such as an incomplete
reading. ``drift``: what others changed. ``recovery``: the end of a run that was cut off. ``rollback``: a run that took
back what another one did. ``override``: guards that hold because of Overrides alone. ``roll-over``: the record goes on
here from an earlier repository. ``undelivered``: it was said that notices came back, or are to be sent again."""
ACTING: frozenset[Kind] = frozenset({"run", "recovery", "rollback"})
"""Kinds that carry out a plan: with its digest, an approval, and outcomes."""


EXPLAINED: frozenset[Kind] = frozenset({"void", "override", "undelivered"})
"""Kinds whose entries say why they were made."""


class Reason(Struct, frozen=True, kw_only=True):
    """Why an entry was made: a code such as ``incomplete-reading``, and a sentence that never holds a name.

    The code of an ``override`` are the names of the Overrides that lifted something, that of ``undelivered`` is
    ``came-back`` or ``again``.
    """

    code: str
    text: str


class Origin(Struct, frozen=True, kw_only=True):
    """The end of the earlier record that a roll-over goes on from: its last commit and ledger head (SHA-256)."""

    commit: str
    head: str


class LedgerEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the hash chain. ``prev`` is the SHA-256 over the stored bytes of the line before (64 zeros first).

    ``digests`` maps files of the record, relative to the site's state folder, to their SHA-256; ``state`` is the digest
    over accounts, groups and memory after it, ``parts`` the same for each of the three. ``serial`` counts the entries
    that came with a snapshot. ``run`` names the record. ``accounts`` is the number of accounts that were evaluated.
    """

    format: int
    seq: int
    prev: str
    time: Moment
    kind: Kind
    run: str
    site: str
    lineage: str
    serial: int
    tool_version: str
    state: str
    parts: dict[str, str]
    digests: dict[str, str]
    accounts: int
    results: dict[str, int]
    actions: dict[str, int]
    """Changes applied, by action."""
    snapshot: str = ""
    """SHA-256 of ``manifest.json`` as it is after the entry; empty before the first snapshot."""
    policy_commit: str = ""
    policy_digest: str = ""
    plan: str = ""
    envelope: str = ""
    approval: Approval | None = None
    intent: str = ""
    """SHA-256 of the intent that this entry ends; empty where nothing was to be written."""
    found: dict[str, int] = {}
    """Differences that others made, by what they are: before the record (drift), or while its run was under way."""
    reason: Reason | None = None
    origin: Origin | None = None
    left: dict[str, int] = {}
    """Changes that were planned and left for later, by why (a code such as ``soak``)."""
