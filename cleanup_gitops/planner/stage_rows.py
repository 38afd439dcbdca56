"""What a reading changes in the stages of policies, for everybody, and what counts of earlier runs for that. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from cleanup_gitops.model.change import stage_address
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Closed, Effect, Ended, Mark, Memory, Noticed
from cleanup_gitops.model.plan import StageRow
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.access import GONE
from cleanup_gitops.planner.courses import Course, Episodes
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.holds import had_shown, is_undone
from cleanup_gitops.planner.lifecycle import Episode, current, episodes_of, over
from cleanup_gitops.policy.documents import SitePolicies

_AT_THE_END = frozenset({"removed", "deleted"})
"""Statuses after which an account may be gone."""


def episodes_known(
    memory: Memory, found: Noticed, policies: SitePolicies, inventory: Inventory, now: datetime
) -> Episodes:
    """What counts for the stages of these policies: episodes, and what this reading shows to have been undone."""
    unbound = frozenset(one.name for one in policies.policies if one.termination)
    undone = {(one.user, one.policy) for one in found.flaps}
    late = frozenset(_late(memory, inventory, now))
    return Episodes(by_user=episodes_of(memory), undone=undone, unbound=unbound, late=late)


def _late(memory: Memory, inventory: Inventory, now: datetime) -> Iterator[str]:
    """Users of whom something that was sent may be late, without effect, or missing in lists."""
    users = inventory.user_by_id
    for one in memory.settling:
        if one.user in users and not had_shown(one, users[one.user], inventory, now):
            yield one.user


def regained(
    memory: Memory, policies: SitePolicies, inventory: Inventory, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Users and policies of stages that are undone, as something else tells than a change of a run.

    That is where a stage had ended all access and there is some again, in whatever way (a policy that asks for that
    only by now had not ended it); and where somebody gave back what had been handed off and was done. Not while
    something that was sent for the user may be late, without effect, or missing in lists.
    """
    ends = {
        one.name: {stage.name for stage in one.stages if stage.ensure.no_access}
        for one in policies.policies
        if not one.report and any(stage.ensure.no_access for stage in one.stages)
    }
    done = {(one.user, one.policy) for one in memory.marks if one.shut and one.stage in ends.get(one.policy, ())}
    done |= {(one.user, one.policy) for one in memory.closed if one.shut and one.policy in ends}
    kept: tuple[Mark | Closed, ...] = (*memory.marks, *memory.closed)
    done -= {(one.user, one.policy) for one in kept if any(map(_gives, one.effects))}
    users, late = inventory.user_by_id, frozenset(_late(memory, inventory, now))
    found = {(user, policy) for user, policy in done if user in users and _has_access(users[user])}
    found |= {(user, policy) for user, policy, one in asked_and_done(memory) if _given_back(one, user, inventory)}
    return tuple(key for key in sorted(found) if key[0] not in late)


def asked_and_done(memory: Memory) -> Iterator[tuple[str, str, Effect]]:
    """What stages handed off that was done, by user and policy; not what a run of ours has changed since."""
    if not (memory.marks or memory.closed):
        return
    newest: dict[tuple[str, str, str], tuple[Effect, bool]] = {}
    lines: tuple[Mark | Closed, ...] = (*memory.closed, *memory.marks)
    for line in lines:
        done = isinstance(line, Closed) or line.done is not None
        for one in line.effects:
            newest[line.user, line.policy, one.address] = (one, done)
    ours = {one.address for one in memory.done}
    for (user, policy, address), (one, done) in newest.items():
        if one.asked and done and address not in ours:
            yield user, policy, one


def _given_back(effect: Effect, account: str, inventory: Inventory) -> bool:
    user = inventory.user_by_id.get(account)
    return user is not None and is_undone(effect, user, inventory)


def _gives(effect: Effect) -> bool:
    """Whether it may give access itself."""
    return effect.after.get("member") is True or effect.after.get("status") == "active"


def _has_access(user: User) -> bool:
    """Whether it is known that the user holds a license."""
    return user.license in ("seat", "guest") and user.status != "unknown" and user.status not in GONE


def stage_rows(evaluation: Evaluation) -> tuple[StageRow, ...]:
    """What this reading changes, by user, policy and episode; within one, in the order in which it happens."""
    found = [row for course in evaluation.courses for row in _of_course(course, evaluation)]
    found += _orphaned(evaluation)
    return tuple(sorted(found, key=lambda one: (one.user, one.policy, one.episode)))


def _of_course(course: Course, evaluation: Evaluation) -> Iterator[StageRow]:
    first, by_id = course.stages[0], evaluation.scope.inventory.user_by_id
    for user in evaluation.scope.inventory.users:
        if user.id not in course.episodes and first in evaluation.shortlist(user) and first.verdict(user):
            yield from course.rows(user)
    for account, episode in sorted(course.episodes.items()):
        if account in by_id:
            yield from course.rows(by_id[account])
        elif episode.open or episode.finished:
            yield _of_somebody_gone(course, account, episode)


def _of_somebody_gone(course: Course, account: str, episode: Episode) -> StageRow:
    """An account that is not on the site any more: the end that a stage wanted, or one that nobody here made."""
    stages = course.policy.stages
    number, entered, _ = current(stages, episode) if episode.open else (len(stages), False, None)
    wanted = number == len(stages) or (entered and stages[number].ensure.status in _AT_THE_END)
    stage = stages[min(number, len(stages) - 1)].name
    return StageRow(
        address=stage_address(account, course.policy.name, stage, episode.number, None),
        user=account,
        policy=course.policy.name,
        stage=stage,
        episode=episode.number,
        what="closed" if episode.open else "free",
        since=episode.opened or course.today,
        reason="done" if wanted and episode.open else "no-longer-matching",
    )


def _orphaned(evaluation: Evaluation) -> Iterator[StageRow]:
    """Episodes whose policy is gone, has no stages any more, or only reports."""
    names = frozenset(course.policy.name for course in evaluation.courses)
    today = evaluation.scope.as_of.date()
    for user, policy, episode in over(evaluation.episodes.by_user, names):
        stage = episode.marks[-1].stage if episode.marks else ""
        why: Ended = "orphaned"
        yield StageRow(
            address=stage_address(user, policy, stage, episode.number, None),
            user=user,
            policy=policy,
            stage=stage,
            episode=episode.number,
            what="closed" if episode.open else "free",
            since=episode.opened or today,
            reason=why,
        )


def orphans(rows: Iterable[StageRow]) -> tuple[str, ...]:
    """A warning for each policy that is gone while users were in the middle of its stages."""
    numbers = Counter(row.policy for row in rows if row.reason == "orphaned" and row.what == "closed")
    return tuple(
        f"{policy} leads nobody through stages any more: {number} {'user is' if number == 1 else 'users are'}"
        " orphaned in the middle of them. Nothing is done about it: what was done to them stays as it is."
        for policy, number in sorted(numbers.items())
    )
