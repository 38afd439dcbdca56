"""The lines of memory after a record: what a run did and noticed comes, what is seen, consumed or undone goes. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from cleanup_gitops.ledger.episodes import with_ended
from cleanup_gitops.ledger.late_effects import effect_of
from cleanup_gitops.model.change import is_invite_address
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.memory import (
    NOTHING_NOTICED,
    Applied,
    Consumed,
    Done,
    Flap,
    Hold,
    Noticed,
    Remembered,
    Settling,
)
from cleanup_gitops.model.plan import Rollback
from cleanup_gitops.model.run import ACCEPTED, FINISHED, Outcome

_FOR_GOOD = frozenset({"tokens.revoke", "notice.send"})
"""Actions whose effect nobody can undo."""


class Ran(Struct, frozen=True, kw_only=True):
    """What of a run memory depends on. See ``ledger.record.record_run`` for ``unseen`` and ``unsure``."""

    run: str
    at: datetime
    envelope: str
    outcomes: Sequence[Outcome]
    unseen: Collection[str] = ()
    unsure: Collection[str] = ()
    noticed: Noticed = NOTHING_NOTICED
    rollback: Rollback | None = None
    seats: int = 0
    """Seats in use when the run was planned."""


def remember(lines: Iterable[Remembered], ran: Ran) -> list[Remembered]:
    """The lines of memory after a run."""
    kept = with_noticed(lines, ran.noticed, ran.at)
    kept = _with_done(kept, ran)
    if ran.rollback:
        holds = _held_by(ran.rollback, ran)
        kept = with_ended(kept, {(one.user, one.policy) for one in holds}, "rolled-back", ran.at)
        kept = _with_holds(kept, holds)
    return _with_counts(kept, ran)


def _awaited(ran: Ran) -> list[Outcome]:
    """What may show on the site later, and is ours then. A notice shows nowhere."""
    return [
        one
        for one in ran.outcomes
        if one.action != "notice.send"
        and (
            one.result in ("settling", "not_effective")
            or (one.result == "applied" and one.change in ran.unseen)
            or one.change in ran.unsure
        )
    ]


def _with_counts(lines: Iterable[Remembered], ran: Ran) -> list[Remembered]:
    rows = {one.change for one in ran.outcomes if one.result in FINISHED}
    awaited = _awaited(ran)
    seen = [one for one in ran.outcomes if one.result in ("applied", "already") and one.change not in ran.unseen]
    again = {one.address for one in (*awaited, *seen)}
    sent = [one for one in ran.outcomes if one.result in ACCEPTED or one.change in ran.unsure]
    kept: list[Remembered] = []
    for line in _counted_once(lines, sent):
        if isinstance(line, Consumed) and line.envelope == ran.envelope:
            rows.update(line.rows)
        elif not (isinstance(line, Settling) and line.address in again):
            kept.append(line)
    if rows:
        kept.append(Consumed(envelope=ran.envelope, at=ran.at, rows=tuple(sorted(rows))))
    if sent:
        leavers = [one for one in sent if _leaves(one)]
        kept.append(
            Applied(run=ran.run, at=ran.at, actions=_actions(sent), seats=ran.seats, terminations=_actions(leavers))
        )
    return [*kept, *(effect_of(ran.run, one, unsure=one.change in ran.unsure) for one in awaited)]


def _leaves(one: Outcome) -> bool:
    """Whether the change was to end the access of somebody who leaves."""
    return any(cause.termination for cause in one.causes)


def _actions(outcomes: Iterable[Outcome]) -> dict[str, int]:
    return dict(sorted(Counter(one.action for one in outcomes).items()))


def _counted_once(lines: Iterable[Remembered], sent: Iterable[Outcome]) -> list[Remembered]:
    """What an earlier run may have sent and this one has sent again is one change: it counts as this one's alone."""
    made = {one.address: one for one in sent}
    everything, again = list(lines), defaultdict[str, list[Outcome]](list)
    for line in everything:
        if isinstance(line, Settling) and line.deadline is None and line.address in made:
            one = made[line.address]
            again[line.run] += [one] if line.after == one.after else []
    left = [
        _less(line, again[line.run]) if isinstance(line, Applied) and line.run in again else line for line in everything
    ]
    return [line for line in left if not isinstance(line, Applied) or line.actions]


def _less(line: Applied, again: Iterable[Outcome]) -> Applied:
    """The line without these changes."""
    rows = list(again)
    leavers = _actions(one for one in rows if _leaves(one))
    return replace(
        line,
        actions=dict(Counter(line.actions) - Counter(_actions(rows))),
        terminations=dict(Counter(line.terminations) - Counter(leavers)),
    )


def with_noticed(lines: Iterable[Remembered], noticed: Noticed, at: datetime) -> list[Remembered]:
    """Changes that others undid are neither done nor awaited any more; their policies hold still, and it is counted.

    Episodes of these users in these policies are over, since this time (UTC).
    """
    undone = {(one.run, one.address) for one in noticed.undone}
    counted = {(one.user, one.policy) for one in noticed.flaps}
    kept = [
        line
        for line in lines
        if not (isinstance(line, Done | Settling) and (line.run, line.address) in undone)
        and not (isinstance(line, Flap) and (line.user, line.policy) in counted)
    ]
    kept = with_ended(kept, counted, "restored", at) if counted else kept
    return _with_holds([*kept, *noticed.flaps], noticed.holds)


def _with_done(lines: Iterable[Remembered], ran: Ran) -> list[Remembered]:
    """What the run did for policies, or may have done. What a rollback took back is done no longer.

    An account that left its directory has left its groups and roles with it.
    """
    made = [one for one in ran.outcomes if one.result == "applied"]
    made = [*made, *(one for one in _awaited(ran) if one not in made)]
    addresses = {one.address for one in made}
    left = {one.user for one in made if one.action == "user.remove"}
    kept = [line for line in lines if not (isinstance(line, Done) and (line.address in addresses or line.user in left))]
    if ran.rollback:
        return kept
    return [
        *kept,
        *(
            Done(
                run=ran.run,
                address=one.address,
                user=one.account or one.user,
                policies=tuple(cause.policy for cause in one.causes),
                at=one.at,
                after=one.after,
            )
            for one in made
            if one.causes and one.action not in _FOR_GOOD and (one.action == "user.remove" or one.user not in left)
        ),
    ]


def _held_by(rollback: Rollback, ran: Ran) -> list[Hold]:
    """The holds of a rollback, for those to whom it gave something back, or may have, or from here cannot."""
    reached = ACCEPTED | {"already"}
    users = {one.user for one in ran.outcomes if one.result in reached or one.change in ran.unsure}
    users |= {one.user for one in rollback.irreversible}
    return [
        Hold(user=user, policy=policy, until=rollback.until, why="rollback", run=rollback.run)
        for user, policies in rollback.holds.items()
        if user in users
        for policy in policies
    ]


def _with_holds(lines: Iterable[Remembered], new: Iterable[Hold]) -> list[Remembered]:
    """One hold for each user and policy: the one that lasts longest, of equal ones the newest."""
    holds: dict[tuple[str, str], Hold] = {}
    kept: list[Remembered] = []
    for line in (*lines, *new):
        if not isinstance(line, Hold):
            kept.append(line)
        elif (line.user, line.policy) not in holds or holds[line.user, line.policy].until <= line.until:
            holds[line.user, line.policy] = line
    return [*kept, *holds.values()]


def without_seen(lines: Iterable[Remembered], differences: Iterable[Difference]) -> list[Remembered]:
    """The lines without the late effects that were seen now.

    The end of a role shows in facts of its user alone, and an invitation in the account that appears.
    """
    late = [one for one in differences if one.run]
    seen = {(one.address, one.run) for one in late}
    users = {(one.user, one.run) for one in late}
    return [
        line
        for line in lines
        if not isinstance(line, Settling)
        or not ((line.address, line.run) in seen or ((line.user, line.run) in users and _shows_elsewhere(line.address)))
    ]


def _shows_elsewhere(address: str) -> bool:
    return address.startswith("role/") or is_invite_address(address)
