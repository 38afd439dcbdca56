"""Why a plan does to one user what it does: every policy with what it saw, and what keeps it from acting.

The plan is made for everybody, once; only the one user is explained. Nothing here decides anew: what becomes of the
user stands in the plan, and all parts ask the values that the plan was made with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cleanup_gitops.model.activity import LAG_DAYS, Seen
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Disposition, Handoff, Pending, Plan, StageRow
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import Evaluation
from cleanup_gitops.planner.holds import Held
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.match import Explanation, explain_match
from cleanup_gitops.rehearsal.episode import ExplainedEpisode, explain_episode
from cleanup_gitops.rehearsal.hindrances import Case, Hindrance, Shelter, case_of, hindrances, rules_of
from cleanup_gitops.rehearsal.seat import ExplainedSeat, explain_seat


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPolicy:
    """One policy and the user. ``verdict``: the policy means the user, does not, or (``None``) that is not known.

    ``conditions`` is the tree with what each predicate saw, asked of the user without what the policy's own stages did
    (``taken_back``: that was something). ``acts``: it causes something that the plan does, or hands off, to the user.
    ``hindrances`` keep it from acting, also when it does not mean the user now.
    """

    name: str
    where: str
    why: str
    verdict: bool | None
    conditions: Explanation
    termination: bool = False
    acts: bool = False
    taken_back: bool = False
    hindrances: tuple[Hindrance, ...] = ()
    episode: ExplainedEpisode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One user of one site, explained. ``as_of`` is the instant (UTC) for which ages are counted, ``read`` when it was.

    ``unsafe`` are the guards over which nothing of the plan is carried out. ``holds`` are by policy.
    """

    site: str
    hosting: Hosting
    read: datetime
    as_of: datetime
    user: User
    directory: str
    idle: int | None
    """Days since the last use, after the lag of its source; ``None`` where there was none, or it is not known."""
    disposition: Disposition
    changes: tuple[Change, ...]
    handoffs: tuple[Handoff, ...]
    pending: tuple[Pending, ...]
    unsafe: tuple[str, ...]
    policies: tuple[ExplainedPolicy, ...]
    shelters: tuple[Shelter, ...]
    holds: tuple[tuple[str, Held], ...]
    seat: ExplainedSeat


def explain_user(user: User, plan: Plan, policies: SitePolicies, memory: Memory, evaluation: Evaluation) -> Explained:
    """The user as this plan treats it; ``evaluation`` is that of the plan: the same inventory, policies and memory."""
    return explain_case(case_of(user, plan, policies, memory, evaluation))


def explain_case(case: Case) -> Explained:
    """The same, for what was put together before."""
    user, plan, policies, evaluation = case.user, case.plan, case.policies, case.evaluation
    inventory = evaluation.scope.inventory
    return Explained(
        site=plan.site,
        hosting=plan.hosting,
        read=inventory.as_of,
        as_of=plan.as_of,
        user=user,
        directory=next((one.name for one in inventory.directories if one.id == user.directory), user.directory),
        idle=_idle(user, plan.as_of),
        disposition=plan.dispositions[user.id],
        changes=tuple(one for one in plan.changes if one.user == user.id),
        handoffs=tuple(one for one in plan.handoffs if one.user == user.id),
        pending=tuple(one for one in plan.pending if one.change.user == user.id),
        unsafe=tuple(check.name for check in plan.checks if not check.passed),
        policies=(*(explain_policy(one, case) for one in policies.asking), *_declared(case)),
        shelters=case.shelters,
        holds=tuple(sorted(evaluation.holds.of(user.id).items())),
        seat=explain_seat(user, evaluation.scope),
    )


def _idle(user: User, as_of: datetime) -> int | None:
    seen = user.seen
    if not isinstance(seen, Seen):
        return None
    days = (as_of.astimezone(UTC).date() - seen.latest.astimezone(UTC).date()).days
    return max(0, days - LAG_DAYS[seen.source])


def explain_policy(policy: Policy, case: Case) -> ExplainedPolicy:
    """One policy and the user of ``case``."""
    user, evaluation = case.user, case.evaluation
    course = next((one for one in evaluation.courses if one.policy is policy), None)
    before = course.before(user) if course else user
    conditions = explain_match(policy.match, before, evaluation.scope)
    held = evaluation.holds.of(user.id).get(policy.name)
    return ExplainedPolicy(
        name=policy.name,
        where=policy.where,
        why=policy.why,
        verdict=conditions.verdict,
        conditions=conditions,
        termination=policy.termination,
        acts=_acts(policy, case.plan, user),
        taken_back=before is not user,
        hindrances=hindrances(policy, rules_of(policy, evaluation), case),
        episode=(
            explain_episode(
                course, user, evaluation.scope, _rows(policy, case.plan, user), held.until if held else None
            )
            if course
            else None
        ),
    )


def _acts(policy: Policy, plan: Plan, user: User) -> bool:
    rows: list[Change | Handoff] = [*plan.changes, *plan.handoffs]
    return any(
        cause.policy == policy.name and cause.termination == policy.termination
        for row in rows
        if row.user == user.id
        for cause in row.causes
    )


def _rows(policy: Policy, plan: Plan, user: User) -> tuple[StageRow, ...]:
    return tuple(one for one in plan.lifecycle if one.user == user.id and one.policy == policy.name)


def _declared(case: Case) -> Iterator[ExplainedPolicy]:
    """The entries of Groups documents that ask something of the user."""
    user, scope = case.user, case.evaluation.scope
    for rule in case.evaluation.declared.of(user):
        verdict = rule.verdict(user)
        if verdict is False:
            continue
        yield ExplainedPolicy(
            name=rule.name,
            where=rule.policy.where,
            why=rule.policy.why,
            verdict=verdict,
            conditions=Explanation(f"members of {_groups(rule, case)}", verdict, rule.why(user, scope)),
            acts=_acts(rule.policy, case.plan, user),
            hindrances=(
                *hindrances(rule.policy, [rule], case),
                *((Hindrance(code="adopt"),) if rule.adopting else ()),
            ),
        )


def _groups(rule: Rule, case: Case) -> str:
    """Names of the groups that a declaration is about."""
    groups = case.evaluation.scope.inventory.group_by_id
    found = {one.name for one in rule.present} | {groups[one].name for one in rule.absent}
    return ", ".join(sorted(found)) or "a group that is not there"
