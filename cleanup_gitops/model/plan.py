"""A plan: the ordered changes, one disposition for every user, handoffs, checks, and what an approval names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from cleanup_gitops.model.canonical import digest, manifest_digest
from cleanup_gitops.model.change import Action, Change, change_digest
from cleanup_gitops.model.inventory import Hosting, Proof
from cleanup_gitops.model.memory import Ended, Known
from cleanup_gitops.model.requirement import Cause

FORMAT_VERSION = "1.3"
"""Of the plan file. A minor step adds keys; a reader refuses an unknown major."""

State = Literal["protected", "exempt", "conflict", "changed", "handed_off", "pending", "unknown", "unchanged"]
"""What becomes of one user, the first that applies."""
STATES: tuple[State, ...] = (
    "protected",
    "exempt",
    "conflict",
    "changed",
    "handed_off",
    "pending",
    "unknown",
    "unchanged",
)


class Disposition(Struct, frozen=True, gc=False, omit_defaults=True):
    """What becomes of one user and why.

    ``reason`` is a code such as ``administrator``, ``listed-milder``; ``policies`` are the policies concerned; ``note``
    is one short sentence for people and never holds a name.
    """

    state: State
    reason: str
    policies: tuple[str, ...] = ()
    note: str = ""
    due: datetime | None = None
    """Of somebody who has left, as a Roster says, and has access: until when (UTC) that should end."""


class Handoff(Struct, frozen=True, gc=False, kw_only=True):
    """A change that only somebody else can make, for example in the identity provider."""

    address: str
    user: str
    action: Action
    reason: str
    label: str = ""
    causes: tuple[Cause, ...] = ()


class Pending(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A change that policies ask for and that is not made now: it stands outside ``changes`` and the manifest.

    ``reason`` is a code. ``hold``: a policy leaves the user alone up to and including the UTC day ``until``.
    ``flapping``: others undid it so often that the policy has stopped by itself, without an end. ``report``: the
    policy only says what it would change. ``adopt``: the group is new to the record, and nobody is taken out of it yet.
    """

    change: Change
    reason: Literal["hold", "flapping", "report", "adopt"]
    until: date | None = None
    note: str = ""


class StageRow(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What happens to a user's episode in a policy; recorded with the run, and nothing on the site depends on it.

    ``entered``: the stage is due. ``due``: so is one that tells the user, which is entered and done when its notice was
    sent. ``done``: all that it asks for is seen on the site. ``closed``: the episode is over,
    for ``reason``. ``free``: after an episode that was done, the policy may begin anew with this user. ``since`` is the
    UTC day on which the episode opened.
    """

    address: str
    user: str
    policy: str
    stage: str
    episode: int
    what: Literal["entered", "due", "done", "closed", "free"]
    since: date
    reason: Ended | None = None
    known: Known | None = None
    """Of the row that opens an episode: what to remember of the user."""


class Adoption(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What a plan changes about whether people may be taken out of a declared group; remembered with the run.

    ``asked``: somebody asked for it when the plan was made. ``clean``: there is nobody to take out. ``dropped``: no
    document declares all members of the group any more. ``name`` is the one that the document gives.
    """

    group: str
    name: str
    policy: str
    what: Literal["asked", "clean", "dropped"]


class Unmatched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows of a Roster about people who have left and whom no account of the site means for certain.

    ``lines`` are those of the file ``source`` (a variable or a path), from 1; the deadline of ``overdue`` has passed.
    """

    policy: str
    source: str
    lines: tuple[int, ...]
    overdue: tuple[int, ...] = ()


class Lost(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A change of a run that its rollback does not take back, and why: a code such as ``needs-invitation``.

    ``label`` is the name of a group, for people; ``note`` one short sentence that never holds a name.
    """

    address: str
    user: str
    action: Action
    reason: str
    label: str = ""
    note: str = ""


class Rollback(Struct, frozen=True, kw_only=True):
    """What a plan is that takes back what a run did.

    ``run`` was recorded at ``time`` (UTC); with ``users`` only what it did to these is taken back, else all of it.
    ``irreversible`` cannot be taken back from here, ``left`` is not as the run made it any more, or may not be touched.
    ``holds`` are the policies that leave each user alone for a while once the plan has been applied.
    """

    run: str
    time: datetime
    irreversible: tuple[Lost, ...]
    left: tuple[Lost, ...]
    holds: dict[str, tuple[str, ...]]
    until: date
    """The last UTC day of the holds, as of when the plan was made."""
    users: tuple[str, ...] = ()


class Check(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One guard or precondition of the whole plan. A failed one makes the plan unsafe.

    ``found`` and ``allowed`` are the numbers of a guard that counts something: it holds as long as not more was found.
    """

    name: str
    passed: bool
    message: str
    found: int | None = None
    allowed: int | None = None
    lifted: tuple[str, ...] = ()
    """Names of the Overrides without which the guard would be broken."""
    override: str = ""
    """Of a broken guard that may be lifted: the Override that would do it, as YAML for a file among the policies."""


class Limit(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One cap as it was applied: rows of this plan, rows applied in the last 24 hours, and how many may be.

    ``pending`` rows are asked for and wait.
    """

    name: str
    planned: int
    recent: int
    allowed: int
    rule: str
    pending: int = 0


class Seats(Struct, frozen=True, gc=False, kw_only=True):
    """Paid seats before and after the plan; ``limit`` is ``None`` when the license does not tell."""

    before: int
    after: int
    limit: int | None = None
    saves_from: date | UnsetType = UNSET
    """The first UTC day of the next billing period, where seats are freed and it is known: none saves before."""
    regained: int | UnsetType = UNSET
    """Users whose seat was freed in this billing period and who have one all the same: that saves nothing."""


class ListInput(Struct, frozen=True, gc=False, kw_only=True):
    """A list of people from outside the repository, and nothing of what it holds.

    ``name`` is the variable or path by which policies name it, ``rows`` counts those below its header, ``digest`` is
    the SHA-256 of its bytes.
    """

    name: str
    rows: int
    digest: str


class Inputs(Struct, frozen=True, gc=False, kw_only=True):
    """What the plan was made from. ``policy_commit`` is empty outside a git repository or with local edits."""

    policy_digest: str
    inventory_digest: str
    proof: Proof
    lineage: str
    serial: int
    tool_version: str
    policy_commit: str = ""
    lists: tuple[ListInput, ...] | UnsetType = UNSET
    """Left out where no policy asks for a list."""


class Summary(Struct, frozen=True, gc=False, kw_only=True):
    """Counts: changes by action, users by disposition."""

    users: int
    actions: dict[str, int]
    states: dict[str, int]


class Plan(Struct, frozen=True, kw_only=True, dict=True):
    """The difference between desired and live state of one site, as data.

    ``created`` is when the plan was made and ``as_of`` the instant for which ages were counted (both UTC).
    ``dispositions`` holds every user of the inventory, sorted by id. ``digest`` is the digest of the manifest,
    ``envelope`` that of digest, site, lineage, serial and created: what an approval names.
    """

    format_version: str = FORMAT_VERSION
    site: str
    hosting: Hosting
    created: datetime
    as_of: datetime
    changes: tuple[Change, ...]
    handoffs: tuple[Handoff, ...]
    dispositions: dict[str, Disposition]
    checks: tuple[Check, ...]
    limits: tuple[Limit, ...]
    blocked: tuple[str, ...]
    """Policies that name a group the site does not have; they act on nobody."""
    warnings: tuple[str, ...]
    """Sentences for people about what is odd but does not stop the plan, such as an exemption that ended."""
    seats: Seats
    summary: Summary
    inputs: Inputs
    applyable: bool
    complete: bool
    digest: str
    envelope: str
    pending: tuple[Pending, ...] = ()
    """Rows that wait, in the order of changes. The file leaves the key out where nothing waits."""
    rollback: Rollback | None = None
    """Only of a plan that takes back what a run did; else the file has no such key."""
    lifecycle: tuple[StageRow, ...] = ()
    """What happens in the stages of policies, outside the manifest; the file leaves the key out where nothing does."""
    adoption: tuple[Adoption, ...] = ()
    """Which declared groups are adopted with this plan; the file leaves the key out where none is."""
    unmatched: tuple[Unmatched, ...] = ()
    """People who left and are nobody here; the file leaves the key out where there are none."""

    @cached_property
    def manifest(self) -> tuple[str, ...]:
        """Digests of the changes, in the order of the changes."""
        return tuple(change_digest(change) for change in self.changes)


def plan_digest(changes: Iterable[Change]) -> str:
    """Digest of the manifest of these changes."""
    return manifest_digest(change_digest(change) for change in changes)


def envelope_digest(*, plan: str, site: str, lineage: str, serial: int, created: datetime) -> str:
    """What an approval names: this plan digest, of this site, on this state, made at this time."""
    return digest({"created": created, "lineage": lineage, "plan": plan, "serial": serial, "site": site})


def summarize(changes: Iterable[Change], dispositions: dict[str, Disposition]) -> Summary:
    """Count a plan."""
    actions = Counter(change.action for change in changes)
    states = Counter(one.state for one in dispositions.values())
    return Summary(
        users=len(dispositions),
        actions=dict(sorted(actions.items())),
        states=dict(sorted(states.items())),
    )
