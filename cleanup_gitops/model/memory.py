"""All the planner and the runner know of ``state/``: lineage, serial, counts, what was applied, consumed, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from cleanup_gitops.model.activity import Never, Seen
from cleanup_gitops.model.run import Kind, Moment


class Consumed(Struct, frozen=True, kw_only=True, tag="consumed", tag_field="kind"):
    """Rows (change digests) of one approval (envelope digest) that were carried out or superseded, until ``at``."""

    envelope: str
    at: Moment
    rows: tuple[str, ...]


class Applied(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="applied", tag_field="kind"):
    """How many changes of each action one earlier run applied, at a UTC time. Caps count the last 24 hours.

    What may have been sent counts, also where nobody knows whether it was. ``seats`` are those that were in use when
    the run was planned: a percent is of them, for the run itself may have freed some. ``terminations`` are those among
    ``actions`` that policies asked for which end the access of people who leave.
    """

    run: str
    at: Moment
    actions: dict[str, int]
    seats: int = 0
    terminations: dict[str, int] = {}


class Effect(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a stage changed, or had somebody else asked to change: managed fields of ``address``, before and after."""

    address: str
    before: dict[str, str | bool]
    after: dict[str, str | bool]
    asked: bool = False
    """Whether it was handed off."""


class Known(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was known of a user when an episode opened, and may not be told any more after its own changes.

    ``seen`` is the last use, to the week; ``status_by``: the status was the same since that UTC day at the latest.
    """

    seen: Seen | Never | None = None
    status_by: date | None = None


class Mark(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="mark", tag_field="kind"):
    """Where a user stands in one episode of a policy: the stage, entered and (once all of it was seen) done, UTC.

    One line for each stage that was entered, while the episode is open. Episodes of one user and policy count from 1.
    """

    user: str
    policy: str
    episode: int
    stage: str
    entered: Moment
    done: Moment | None = None
    effects: tuple[Effect, ...] = ()
    known: Known | None = None
    """Of the first stage that was entered alone."""
    undelivered: Moment | None = None
    """Of a stage that tells the user: when it was said that the mail came back (UTC). Then it is not done."""
    shut: bool = False
    """Whether the user had no access to Confluence when the stage was done."""


Ended = Literal[
    "done",
    "returned",
    "no-longer-matching",
    "protected",
    "exempt",
    "restored",
    "rolled-back",
    "orphaned",
]
"""Why an episode is over."""


class Closed(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="closed", tag_field="kind"):
    """The newest episode of a user in a policy is over, and since when (UTC); it takes the place of the marks.

    After ``done`` no other one opens until the user once did not match, with ``effects`` taken back. ``shut``:
    after one of its stages the user had no access.
    """

    user: str
    policy: str
    episode: int
    at: Moment
    why: Ended
    effects: tuple[Effect, ...] = ()
    known: Known | None = None
    shut: bool = False


class Hold(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="hold", tag_field="kind"):
    """A user whom one policy leaves alone up to and including a UTC day.

    ``restored``: somebody undid by hand what the policy did. ``rollback``: the run that did it was rolled back.
    """

    user: str
    policy: str
    until: date
    why: Literal["restored", "rollback"]
    run: str = ""


class Flap(Struct, frozen=True, kw_only=True, tag="flap", tag_field="kind"):
    """The UTC days on which others undid what a policy had done to a user, oldest first."""

    user: str
    policy: str
    days: tuple[date, ...]


class Settling(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="settling", tag_field="kind"):
    """A write that the site accepted and the snapshot of its run does not show: seen later, it is ours and no drift.

    Also one of which nobody knows whether it was sent or had shown, because its run was cut off.

    ``after`` are the managed fields of ``address`` as they are to become; ``at`` is UTC. What does not show after
    ``deadline`` is without effect, unless a look at the account alone had shown it (``verified``, UTC): then others
    have undone it. Without a ``deadline`` nobody knows which. Of an invitation, ``user`` is the account that the site
    told, or as long as it told none the pseudonym in ``address``.
    """

    run: str
    address: str
    user: str
    at: Moment
    after: dict[str, str | bool]
    deadline: Moment | None = None
    verified: Moment | None = None


class Done(Struct, frozen=True, kw_only=True, tag="done", tag_field="kind"):
    """A change that a run made for some policies, remembered so that an undo by others is recognised.

    ``after`` are the managed fields of ``address`` as the run made them; ``at`` is UTC. One line for each address: the
    newest change.
    """

    run: str
    address: str
    user: str
    policies: tuple[str, ...]
    at: Moment
    after: dict[str, str | bool]


class Noticed(Struct, frozen=True, kw_only=True):
    """What a reading of the site tells of earlier changes: those that others undid, and what follows from it.

    ``holds`` are new, ``flaps`` are whole lines that take the place of those before.
    """

    undone: tuple[Done, ...] = ()
    holds: tuple[Hold, ...] = ()
    flaps: tuple[Flap, ...] = ()


NOTHING_NOTICED = Noticed()
REMEMBERED = timedelta(days=400)
"""So long an undo by others is recognised, and counts as one more of its kind."""


class Waiting(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="waiting", tag_field="kind"):
    """A change that a policy with a standing approval asks for, and since when (UTC) runs have recorded it as pending.

    ``change`` is its digest, ``meaning`` that of the policy's document. A run that no longer plans it drops the line,
    and so does one under a policy that means something else by now: the time begins anew.
    """

    change: str
    policy: str
    since: Moment
    meaning: str = ""


class Daily(Struct, frozen=True, kw_only=True, tag="daily", tag_field="kind"):
    """How many changes were made for one policy under its standing approval on one UTC day, as far as is known.

    What may have been sent counts, also where nobody knows whether it was.
    """

    policy: str
    day: date
    changes: int


class Spent(Struct, frozen=True, kw_only=True, tag="spent", tag_field="kind"):
    """A policy that acts once, and the run (UTC) that left nothing of it.

    ``digest`` is that of what the policy meant: one that was changed since is another one.
    """

    policy: str
    digest: str
    run: str
    at: Moment


class Served(Struct, frozen=True, kw_only=True, tag="served", tag_field="kind"):
    """Up to when (UTC) the times of a policy's schedule need no run any more; what came after is due."""

    policy: str
    at: Moment


class Protected(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="protected", tag_field="kind"):
    """What one Protection document protected at the last recorded run: ids, names or globs of groups, roles; sorted."""

    protection: str
    accounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class Handed(Struct, frozen=True, kw_only=True, tag="handed", tag_field="kind"):
    """How many rows a list of people or a roster has, by its variable or path, and since when runs found so (UTC)."""

    name: str
    rows: int
    at: Moment


class Adopted(Struct, frozen=True, kw_only=True, tag="adopted", tag_field="kind"):
    """A group (id) whose members are declared as a whole and from which people may be taken out, since ``at`` (UTC).

    ``asked``: somebody said so. ``clean``: the run found nobody to take out. ``name`` is the one that was declared. The
    line lasts as long as a document declares all members.
    """

    group: str
    name: str
    run: str
    at: Moment
    why: Literal["asked", "clean"]


Remembered = (
    Applied
    | Consumed
    | Settling
    | Mark
    | Closed
    | Hold
    | Flap
    | Done
    | Waiting
    | Daily
    | Spent
    | Served
    | Protected
    | Adopted
    | Handed
)
"""What one line of ``memory.jsonl`` may hold."""


class Baseline(Struct, frozen=True, kw_only=True):
    """Counts of the last recorded reading, to compare the next one with.

    ``known`` is the number of accounts of whose last use anything was known; ``members`` are direct members by group.
    """

    as_of: datetime
    accounts: int
    seats: int
    known: int
    members: Mapping[str, int]


class Since(Struct, frozen=True, gc=False, omit_defaults=True):
    """What only a row of snapshots knows about one account (UTC days).

    ``status_by``: the status is the same since that day at the latest; ``status_after``: on that day it was still
    another one (``None``: it was never seen otherwise). ``seat``: the first snapshot with a seat after one without.
    ``restored``: the first snapshot in which an account that had been closed was active again.
    """

    status_by: date
    status_after: date | None = None
    seat: date | None = None
    restored: date | None = None


class Memory(Struct, frozen=True, kw_only=True):
    """What earlier runs left. Before the first run everything is empty and ``lineage`` is "".

    ``lineage`` is the envelope digest under which the state was born; ``head`` is the SHA-256 of the last ledger line.
    """

    lineage: str = ""
    serial: int = 0
    head: str = ""
    sequence: int = 0
    """Ledger entries written so far."""
    state: str = ""
    """Digest over accounts, groups and memory."""
    baseline: Baseline | None = None
    """``None`` before the first snapshot."""
    applied: tuple[Applied, ...] = ()
    consumed: tuple[Consumed, ...] = ()
    settling: tuple[Settling, ...] = ()
    marks: tuple[Mark, ...] = ()
    closed: tuple[Closed, ...] = ()
    holds: tuple[Hold, ...] = ()
    flaps: tuple[Flap, ...] = ()
    done: tuple[Done, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    daily: tuple[Daily, ...] = ()
    spent: tuple[Spent, ...] = ()
    served: tuple[Served, ...] = ()
    protected: tuple[Protected, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    handed: tuple[Handed, ...] = ()
    last: Mapping[Kind, datetime] = {}
    """When the newest entry of each kind was made, as far as the two newest months of the ledger tell."""


BLANK = Memory()
"""Before the first run."""
