"""What a policy would have done on the recorded past: whom it would have hit, who came back, and how many seats.

The policy alone is replayed, with the site's Protections and Exemptions as they are written now. Nothing is known of
the past but what snapshots kept: what they did not keep is unknown, and hits nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from cleanup_gitops.ledger.past import Past
from cleanup_gitops.ledger.snapshots import RecordedDay
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.plan import State
from cleanup_gitops.model.user import UNNAMED_ROLE, Lifecycle, RoleSeat, User
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.match import Scope, explain_match
from cleanup_gitops.policy.tree import (
    Begins,
    HasLeft,
    InactiveFor,
    ListedIn,
    Match,
    NameIs,
    Node,
    asked_for,
    predicates,
)
from cleanup_gitops.rehearsal.hits import SEQUELS, Hit, Sequel
from cleanup_gitops.rehearsal.replay import Replay, Replayed
from cleanup_gitops.rehearsal.undecided import Undecided, reasons_of
from cleanup_gitops.rehearsal.verdicts import FINEST

THRESHOLDS = (30, 45, 60, 90, 120)
"""Days of idleness that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The policy with another number of days of idleness: how often it would have hit, and what came after.

    ``freed`` is how many seats fewer would be in use at the end of the record. ``own``: the number is that of the
    policy as it is written.
    """

    days: int
    hits: int
    sequels: Mapping[Sequel, int]
    freed: int
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A policy on the recorded days, oldest first (at least one).

    ``first`` is how many were hit on the first day: those who had met the conditions before the record began.
    ``thresholds`` is empty where the policy asks for no idleness; ``several`` are then the different days that it asks
    for, if that is why. ``acted`` is how many changes the runs of that time made: whom they took something from cannot
    come back, and is not hit here. ``known`` is the smallest share (percent) of accounts of whose last use anything was
    known on a day. ``limit`` is the number of seats that the license allowed at the end, where that is known.
    ``spared`` counts those who met the conditions and were left alone, by what became of them and why (codes), the most
    first.
    ``alone``: what other products know of use was left out.
    """

    site: str
    policy: Policy
    days: tuple[Replayed, ...]
    hits: tuple[Hit, ...]
    thresholds: tuple[Threshold, ...] = ()
    several: tuple[int, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    spared: tuple[tuple[State, str, int], ...] = ()
    acted: int = 0
    known: int = 100
    limit: int | None = None
    alone: bool = False

    @property
    def begin(self) -> date:
        """The first recorded UTC day."""
        return self.days[0].day

    @property
    def end(self) -> date:
        """The last recorded UTC day."""
        return self.days[-1].day

    @property
    def span(self) -> int:
        """UTC days from the first to the last, both included."""
        return (self.end - self.begin).days + 1

    @property
    def gap(self) -> tuple[int, date]:
        """The longest row of days without a snapshot, and the recorded day before it; 0 when there is none."""
        pairs = zip(self.days, self.days[1:], strict=False)
        return max((((later.day - one.day).days - 1, one.day) for one, later in pairs), default=(0, self.begin))

    @property
    def sequels(self) -> Mapping[Sequel, int]:
        """What came after the hits, all sorts."""
        return sequels_of(self.hits, self.end)

    @property
    def mistakes(self) -> tuple[Hit, ...]:
        """Hits of users who came back soon, by day."""
        return tuple(one for one in self.hits if one.sequel(self.end) == "back")


def sequels_of(hits: Iterable[Hit], end: date) -> Mapping[Sequel, int]:
    """What came after these hits in a record that ends on this UTC day, all sorts."""
    found = Counter(one.sequel(end) for one in hits)
    return {sort: found[sort] for sort in SEQUELS}


@collector_paused()
def backtest(
    policy: Policy,
    policies: SitePolicies,
    days: Iterable[tuple[RecordedDay, Mapping[str, bytes | None]]],
    *,
    thresholds: Sequence[int] = THRESHOLDS,
    alone: bool = False,
    acted: int = 0,
    step: Callable[[int], None] = lambda _done: None,
) -> Backtest:
    """Replay the policy, and the same with other days of idleness, on these recorded days.

    With ``alone`` idleness in Confluence is taken for idleness in every product, which snapshots do not keep. ``step``
    is told how many days are done. Raises ``CleanupError`` for a policy that the record cannot tell anything about, and
    ``StateError`` when it cannot be read.
    """
    check_answerable(policy)
    own, several = thresholds_of(policy)
    variants = {one: Replay(with_threshold(policy, own, one), policies) for one in thresholds if own not in (None, one)}
    main = Replay(policy, policies)
    past = Past(_answered_alone if alone else _answered)
    told: list[Replayed] = []
    freed: dict[int, int] = {}
    undecided = _Undecided(policy.match)
    known = 100
    for done, (_, files) in enumerate(days, start=1):
        past.take(files)
        told.append(main.day(past))
        undecided.look(main, past)
        for number, one in variants.items():
            found = one.day(past)
            freed[number] = found.recorded - found.seats
        counts = past.manifest.counts
        known = min(known, 100 * counts.known // max(1, counts.accounts))
        step(done)
    if not told:
        raise CleanupError("There is no snapshot of these days.", "Choose others: --since, --until.")
    end = told[-1].day
    rows = [
        Threshold(days=number, hits=len(one.hits), sequels=sequels_of(one.hits, end), freed=freed[number])
        for number, one in variants.items()
    ]
    if own is not None and rows:
        last = told[-1].recorded - told[-1].seats
        mine = Threshold(days=own, hits=len(main.hits), sequels=sequels_of(main.hits, end), freed=last, own=True)
        rows = sorted([*rows, mine], key=lambda one: one.days)
    return Backtest(
        site=policies.site,
        policy=policy,
        days=tuple(told),
        hits=tuple(main.hits),
        thresholds=tuple(rows),
        several=several,
        undecided=undecided.told(),
        spared=_counted(main),
        acted=acted,
        known=known,
        limit=past.manifest.seat_limit,
        alone=alone,
    )


def _counted(replay: Replay) -> tuple[tuple[State, str, int], ...]:
    found = Counter(replay.spared.values())
    return tuple(
        (state, why, number) for (state, why), number in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    )


# -- what the record can tell ------------------------------------------------------------------------


def check_answerable(policy: Policy) -> None:
    """Raise ``CleanupError`` for a policy of which no snapshot could tell whom it means."""
    where = f"{policy.name} ({policy.where})"
    for one in (node for match in policy.conditions for node in predicates(match)):
        if isinstance(one, InactiveFor) and one.days < FINEST:
            raise CleanupError(
                f"{where} asks for {one.days} days of idleness, and snapshots keep no day of a use in the last"
                f" {FINEST + 1} days: whom it would have hit cannot be told.",
                f"A back-test needs {FINEST} days or more. `cleanup-gitops forecast` looks at the days to come.",
            )
        if isinstance(one, ListedIn | HasLeft | Begins):
            what = f"the list {one.source}" if isinstance(one, ListedIn) else f"the roster {one.roster}"
            raise CleanupError(
                f"{where} needs {what}, and who stood in it on an earlier day was not recorded.",
                "`cleanup-gitops effect` and `forecast` use the list as it is now.",
            )
        if isinstance(one, NameIs):
            raise CleanupError(
                f"{where} asks for names, and no name is ever recorded.", "`cleanup-gitops effect` uses the live site."
            )


def thresholds_of(policy: Policy) -> tuple[int | None, tuple[int, ...]]:
    """The days of idleness that bring people in; ``None`` with all of them where there are several, or none."""
    found = sorted(
        {one.days for match in policy.conditions for one in asked_for(match) if isinstance(one, InactiveFor)}
    )
    return (found[0], ()) if len(found) == 1 else (None, tuple(found))


def with_threshold(policy: Policy, old: int | None, new: int) -> Policy:
    """The policy with ``new`` days of idleness wherever it brings people in after ``old`` days."""

    def changed(node: Node) -> Node:
        match node:
            case Match():
                return tree(node)
            case InactiveFor() if node.days == old:
                return replace(node, days=new)
            case _:
                return node

    def tree(match: Match) -> Match:
        return Match(tuple(map(changed, match.all)), tuple(map(changed, match.any)), match.none)

    stages = tuple(replace(one, when=tree(one.when)) if one.when else one for one in policy.stages)
    return replace(policy, match=tree(policy.match), stages=stages)


def _answered(user: User) -> User:
    """The user as if the site had been asked about it alone, and nothing stood in the way: no snapshot keeps that."""
    roles = [path.role for path in user.seats or () if isinstance(path, RoleSeat)]
    direct = None if user.seats is None or UNNAMED_ROLE in roles else tuple(sorted(roles))
    return msgspec.structs.replace(user, direct=direct, lifecycle=Lifecycle("", ""), tokens=())


def _answered_alone(user: User) -> User:
    return msgspec.structs.replace(_answered(user), elsewhere=())


class _Undecided:
    """Why conditions could not be decided, each user counted once for each condition and reason."""

    def __init__(self, match: Match) -> None:
        self._match = match
        self._before: set[str] = set()
        self._found: dict[tuple[str, str], set[str]] = {}

    def look(self, replay: Replay, past: Past) -> None:
        """Whoever cannot be decided since this day."""
        now = {account for account, met in replay.met.items() if met is None}
        new = now - self._before
        scope = Scope(past.as_of, past.inventory()) if new else None
        for account in new:
            user = past.user(account)
            if user is not None and scope is not None:
                for key in reasons_of(explain_match(self._match, user, scope), user, recorded=True):
                    self._found.setdefault(key, set()).add(account)
        self._before = now

    def told(self) -> tuple[Undecided, ...]:
        """The most first."""
        found = [Undecided(asked, why, len(users)) for (asked, why), users in self._found.items()]
        return tuple(sorted(found, key=lambda one: (-one.users, one.asked, one.reason)))
