"""The lines about stages of policies after a record: where users stand, what stages changed, and what is over. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Closed, Effect, Ended, Mark, Remembered
from cleanup_gitops.model.plan import Handoff, Plan, StageRow
from cleanup_gitops.model.run import ACCEPTED, Outcome

_Key = tuple[str, str]
_FOR_GOOD = frozenset({"tokens.revoke", "notice.send"})
"""Actions whose effect no condition can see."""
_CLOSES: dict[Action, str] = {
    "user.deactivate": "deactivated",
    "user.remove": "absent",
    "user.delete": "deleting",
    "user.enable": "active",
}


def with_stages(
    lines: Iterable[Remembered],
    plan: Plan,
    outcomes: Sequence[Outcome],
    inventory: Inventory,
    *,
    open_: Collection[str],
) -> list[Remembered]:
    """The lines with what a recorded plan says of stages, and with what its run did for them.

    ``inventory`` is the site after the run; ``open_`` are digests of changes that it does not show, or of which nobody
    knows whether they were sent. A stage is done with its last change when all of it was seen.
    """
    kept: list[Remembered] = []
    marks: dict[_Key, dict[str, Mark]] = {}
    closed: dict[_Key, Closed] = {}
    for line in lines:
        if isinstance(line, Mark):
            marks.setdefault((line.user, line.policy), {})[line.stage] = line
        elif isinstance(line, Closed):
            closed[line.user, line.policy] = line
        else:
            kept.append(line)
    for row in plan.lifecycle:
        _take(row, marks, closed, plan.created, inventory)
    for key, effects in _effects(plan, outcomes, inventory, open_).items():
        user, policy, stage = key
        mark = marks.get((user, policy), {}).get(stage)
        if mark is not None:
            marks[user, policy][stage] = replace(mark, effects=_joined(mark.effects, effects))
    _told(plan, outcomes, marks, closed)
    for (user, policy, stage), at in _done(plan, outcomes, open_).items():
        mark = marks.get((user, policy), {}).get(stage)
        if mark is not None and mark.done is None:
            marks[user, policy][stage] = replace(mark, done=at, shut=_shut(user, inventory))
    return [*kept, *closed.values(), *(mark for own in marks.values() for mark in own.values())]


def _shut(account: str, inventory: Inventory) -> bool:
    """Whether somebody is known to have no access; so has who is not there."""
    user = inventory.user_by_id.get(account)
    return user is None or user.license == "none" or user.status in ("absent", "deleting")


def _take(
    row: StageRow,
    marks: dict[_Key, dict[str, Mark]],
    closed: dict[_Key, Closed],
    at: datetime,
    inventory: Inventory,
) -> None:
    """One row of a plan that was made at this time."""
    key = (row.user, row.policy)
    match row.what:
        case "entered":
            closed.pop(key, None)
            mark = Mark(
                user=row.user, policy=row.policy, episode=row.episode, stage=row.stage, entered=at, known=row.known
            )
            marks.setdefault(key, {}).setdefault(row.stage, mark)
        case "done":
            mark_now = marks.get(key, {}).get(row.stage)
            if mark_now is not None and mark_now.done is None:
                marks[key][row.stage] = replace(mark_now, done=at, shut=_shut(row.user, inventory))
        case "closed":
            own = sorted(marks.pop(key, {}).values(), key=lambda one: one.entered)
            before = closed.get(key)
            closed[key] = _ended(row, own, before, at)
        case "free" if key in closed:
            closed[key] = Closed(
                user=row.user, policy=row.policy, episode=row.episode, at=at, why=row.reason or "no-longer-matching"
            )


def _told(
    plan: Plan, outcomes: Iterable[Outcome], marks: dict[_Key, dict[str, Mark]], closed: dict[_Key, Closed]
) -> None:
    """Whoever was sent a notice has entered its stage, where that was not so before, and it is done."""
    due = {row.address: row for row in plan.lifecycle if row.what == "due"}
    sent = [one for one in outcomes if one.action == "notice.send" and one.result == "applied"]
    for one, cause in [(told, cause) for told in sent for cause in told.causes]:
        key, row = (one.user, cause.policy), due.get(one.address)
        closed.pop(key, None)
        fresh = Mark(
            user=one.user,
            policy=cause.policy,
            episode=int(one.address.rpartition("/")[2]),
            stage=cause.stage,
            entered=one.at,
            known=row.known if row else None,
        )
        mark = marks.setdefault(key, {}).setdefault(cause.stage, fresh)
        marks[key][cause.stage] = replace(mark, done=one.at, undelivered=None)


def _ended(row: StageRow, marks: Sequence[Mark], before: Closed | None, at: datetime) -> Closed:
    """Only an episode that is done goes on being asked with its effects taken back."""
    why: Ended = row.reason or "no-longer-matching"
    line = Closed(user=row.user, policy=row.policy, episode=row.episode, at=at, why=why)
    if why != "done":
        return line
    if not marks:
        return before or line
    effects = tuple(effect for mark in marks for effect in mark.effects)
    known = next((mark.known for mark in marks if mark.known), None)
    return replace(line, effects=effects, known=known, shut=any(mark.shut for mark in marks))


def _effects(
    plan: Plan, outcomes: Iterable[Outcome], inventory: Inventory, open_: Collection[str]
) -> dict[tuple[str, str, str], list[Effect]]:
    """What stages changed, or may have, and what they handed off, by user, policy and stage."""
    found: dict[tuple[str, str, str], list[Effect]] = {}
    for one in outcomes:
        sent = one.result in ACCEPTED or one.result == "not_effective" or one.change in open_
        if sent and one.action not in _FOR_GOOD:
            effect = Effect(address=one.address, before=one.before, after=one.after)
            for cause in one.causes:
                if cause.stage:
                    found.setdefault((one.user, cause.policy, cause.stage), []).append(effect)
    for handoff in plan.handoffs:
        asked = _asked(handoff, inventory)
        for cause in handoff.causes if asked else ():
            if asked and cause.stage:
                found.setdefault((handoff.user, cause.policy, cause.stage), []).append(asked)
    return found


def _asked(handoff: Handoff, inventory: Inventory) -> Effect | None:
    """What somebody else was asked to change; ``None`` where no condition can see it."""
    match handoff.action:
        case "membership.add" | "membership.remove":
            wanted = handoff.action == "membership.add"
            return Effect(address=handoff.address, before={"member": not wanted}, after={"member": wanted}, asked=True)
        case "tokens.revoke" | "role.revoke" | "notice.send":
            return None
    user = inventory.user_by_id.get(handoff.user)
    if user is None or user.status == "unknown":
        return None
    closed = "disabled" if inventory.hosting == "datacenter" else "suspended"
    status = _CLOSES.get(handoff.action, closed)
    return Effect(address=handoff.address, before={"status": user.status}, after={"status": status}, asked=True)


def _joined(known: tuple[Effect, ...], new: Iterable[Effect]) -> tuple[Effect, ...]:
    """One effect for each address: the oldest state before, and the newest after. A hand of ours counts as ours."""
    found = {one.address: one for one in known}
    for one in new:
        before = found.get(one.address)
        found[one.address] = one if before is None else replace(one, before=before.before)
    return tuple(found.values())


def _done(plan: Plan, outcomes: Iterable[Outcome], open_: Collection[str]) -> dict[tuple[str, str, str], datetime]:
    """When the stages were done of which the run made, and saw, all that they asked for."""
    left = {
        (one.user, cause.policy, cause.stage)
        for one in (*plan.handoffs, *(row.change for row in plan.pending))
        for cause in one.causes
    }
    made: dict[tuple[str, str, str], list[Outcome]] = {}
    for one in outcomes:
        for cause in one.causes:
            made.setdefault((one.user, cause.policy, cause.stage), []).append(one)
    planned: dict[tuple[str, str, str], set[str]] = {}
    for digest, change in zip(plan.manifest, plan.changes, strict=True):
        for cause in change.causes:
            planned.setdefault((change.user, cause.policy, cause.stage), set()).add(digest)
    found: dict[tuple[str, str, str], datetime] = {}
    for key, own in made.items():
        seen = {one.change for one in own if one.result in ("applied", "already") and one.change not in open_}
        if key[2] and key not in left and planned.get(key, set()) | {one.change for one in own} <= seen:
            found[key] = max(one.verified or one.at for one in own)
    return found


def with_ended(
    lines: Iterable[Remembered], back: Collection[_Key], why: Literal["restored", "rolled-back"], at: datetime
) -> list[Remembered]:
    """The lines after these users got back what these policies had taken, by others or by a rollback.

    An episode that had ended otherwise before stays as it ended.
    """
    kept: list[Remembered] = []
    ended: dict[_Key, int] = {}
    for line in lines:
        over = isinstance(line, Closed) and line.why != "done"
        if isinstance(line, Mark | Closed) and not over and (line.user, line.policy) in back:
            ended[line.user, line.policy] = line.episode
        else:
            kept.append(line)
    return [
        *kept,
        *(
            Closed(user=user, policy=policy, episode=episode, at=at, why=why)
            for (user, policy), episode in ended.items()
        ),
    ]
