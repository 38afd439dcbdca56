"""What keeps a policy from acting on one user, whatever its conditions say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import Evaluation
from cleanup_gitops.planner.in_force import spent_by
from cleanup_gitops.planner.leavers import asking_of_spared
from cleanup_gitops.planner.protect import speakable
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import Beaten, Settled, settle, unblocked
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.expiry import has_ended
from cleanup_gitops.policy.missing import lacking

BEATEN: dict[Beaten, str] = {
    "routine": "beaten-by-termination",
    "of lower priority": "beaten-by-priority",
    "harsher": "beaten-by-milder",
}
"""Codes for why a policy that matches does not count beside another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """One reason why a policy does nothing to the user, as a code.

    ``until`` is the last UTC day on which it holds, where it has one; ``document`` is what says so; ``policies`` are
    the others that a conflict is with, or that win; ``note`` is for people.
    """

    code: str
    document: str = ""
    until: date | None = None
    policies: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelter:
    """What keeps all policies from the user: a protection, or an exemption that runs or has ended.

    ``through`` is the group or role by which a Protection document means the user. ``until`` is the last UTC day;
    ``running`` is False once it is over.
    """

    code: str
    document: str = ""
    where: str = ""
    through: str = ""
    until: date | None = None
    running: bool = True


def shelters(user: User, evaluation: Evaluation, policies: SitePolicies) -> tuple[Shelter, ...]:
    """Protection and exemptions of the user; that of administrators and of no persons depends on the policy."""
    return tuple(_shelters(user, evaluation, policies))


def _shelters(user: User, evaluation: Evaluation, policies: SitePolicies) -> Iterator[Shelter]:
    shield, groups = evaluation.shield, evaluation.scope.inventory.group_by_id
    if found := shield.protection(user):
        code, document = found
        through = ""
        if code == "protected-group":
            through = next(groups[one].name for one in user.groups or () if one in shield.groups)
        elif code == "protected-role":
            through = next(one for one in user.roles or () if one in shield.roles)
        where = next((one.where for one in policies.protections if document and one.name == document), "")
        yield Shelter(code=code, document=document, where=where, through=through)
    running = shield.exempt.get(user.id)
    for one in policies.exemptions:
        if one.account == user.id:
            yield Shelter(
                code=one.reason, document=one.document, where=one.where, until=one.until, running=one == running
            )


@dataclass(frozen=True, slots=True)
class Contest:
    """The enforced rules that match the user, settled: who wins, and who does not count.

    ``leaver``: somebody who leaves and whom nobody here may touch, so that only policies about leavers are heard.
    """

    known: tuple[Rule, ...]
    settled: Settled
    leaver: bool = False

    @property
    def winners(self) -> frozenset[Rule]:
        """The rules that count."""
        beaten = {rule for rule, _ in self.settled.listed}
        return frozenset(rule for rule in self.known if rule not in beaten)


def contest_of(user: User, evaluation: Evaluation) -> Contest:
    """Which rules speak about the user and match, settled as the planner does."""
    rules = evaluation.shortlist(user)
    if user.admin or user.kind != "person":
        rules = speakable(user, rules)
    known = unblocked([rule for rule in rules if not rule.report and rule.verdict(user)])
    spared = asking_of_spared(user, evaluation.rules, evaluation.shield, evaluation.scope)
    return Contest(tuple(known), settle(known, user), bool(spared))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is asked about one user, whichever the policy."""

    user: User
    plan: Plan
    policies: SitePolicies
    memory: Memory
    evaluation: Evaluation
    contest: Contest
    shelters: tuple[Shelter, ...]

    @property
    def as_of(self) -> datetime:
        """The instant (UTC) for which ages are counted."""
        return self.plan.as_of


def case_of(user: User, plan: Plan, policies: SitePolicies, memory: Memory, evaluation: Evaluation) -> Case:
    """All about one user; ``evaluation`` is that of the plan: the same inventory, policies and memory."""
    return Case(
        user=user,
        plan=plan,
        policies=policies,
        memory=memory,
        evaluation=evaluation,
        contest=contest_of(user, evaluation),
        shelters=shelters(user, evaluation, policies),
    )


def rules_of(policy: Policy, evaluation: Evaluation) -> list[Rule]:
    """The rules that were made of a policy; a Roster has one of its name for leavers, and one for joiners."""
    named = (one for one in evaluation.rules if one.name == policy.name and not one.declared)
    return [one for one in named if one.termination == policy.termination]


def hindrances(policy: Policy, rules: Sequence[Rule], case: Case) -> tuple[Hindrance, ...]:
    """All that keeps the policy from acting on the user, were its conditions met; ``rules`` are those made of it.

    First what holds for everybody, then what is about the user, last what other policies do. What is told of a plan as
    a whole, such as a guard, is not among it.
    """
    return (
        *_for_everybody(policy, rules, case),
        *_for_the_user(policy, rules, case),
        *_beside_others(policy, rules, case),
    )


def _for_everybody(policy: Policy, rules: Sequence[Rule], case: Case) -> Iterator[Hindrance]:
    spent = spent_by(case.policies, case.memory).get(policy.name)
    if has_ended(policy, case.as_of.date()):
        yield Hindrance(code="ended", until=policy.until)
    elif spent:
        yield Hindrance(code="spent", note=f"run {spent.run} completed it on {spent.at.date().isoformat()}")
    if policy.report:
        yield Hindrance(code="report")
    missing = tuple(dict.fromkeys(one for rule in rules for one in rule.missing))
    if missing:
        yield Hindrance(code="blocked", note=lacking(missing))


def _for_the_user(policy: Policy, rules: Sequence[Rule], case: Case) -> Iterator[Hindrance]:
    user = case.user
    if user.kind != "unknown" and user.kind not in policy.kinds:
        yield Hindrance(code="kind", note=user.kind)
    if user.admin and not policy.include_admins:
        yield Hindrance(code="administrator")
    for one in case.shelters:
        if one.running:
            code = "protection" if one.until is None else "exemption"
            yield Hindrance(code=code, document=one.document, until=one.until, note=one.code)
    nowhere = sorted({name for rule in rules for name in rule.unreachable(user)})
    if nowhere:
        yield Hindrance(code="group-not-in-directory", note=", ".join(nowhere))
    holds = case.evaluation.holds
    held = (holds.of_leaver(user.id) if policy.termination else holds.of(user.id)).get(policy.name)
    if held:
        yield Hindrance(code=held.reason, until=held.until, note=held.note)


def _beside_others(policy: Policy, rules: Sequence[Rule], case: Case) -> Iterator[Hindrance]:
    settled, found = case.contest.settled, case.plan.dispositions[case.user.id]
    beaten = next((BEATEN[why] for rule, why in settled.listed if rule in rules), "")
    winners = sorted({rule.name for rule in case.contest.winners if rule.level} - {policy.name})
    if not beaten and any(_passed_over(rule, case) for rule in rules):
        beaten = "beaten-by-further"
    if not beaten and case.contest.leaver and found.state == "handed_off" and not policy.termination:
        beaten, winners = "beaten-by-termination", list(found.policies)
    if beaten:
        yield Hindrance(code=beaten, policies=tuple(winners))
    stops = found.state in ("conflict", "unknown") or found.reason == "last-administrator"
    concerned = policy.name in found.policies or any(rule in case.contest.known for rule in rules)
    if stops and concerned and not any(rule.missing for rule in rules):
        others = tuple(one for one in found.policies if one != policy.name)
        note = f"{found.reason}: {found.note}" if found.note else found.reason
        yield Hindrance(code=found.state, policies=others, note=note)


def _passed_over(rule: Rule, case: Case) -> bool:
    """Whether the rule counts, and what it asks is contained in what another one asks: of several statuses one is."""
    if rule not in case.contest.winners or case.contest.settled.conflict:
        return False
    asked = case.contest.settled.asked
    wanted = rule.requirements(case.user)
    return bool(wanted) and not any(rule in asked.get(one, ()) for one in wanted)


def rivals(rules: Sequence[Rule], case: Case) -> tuple[Hindrance, ...]:
    """What the policies that mean the user now would do to another one if it meant the user as well.

    ``rules`` are those of that one; the first asks for what begins.
    """
    if not rules or rules[0].report or rules[0] in case.contest.known:
        return ()
    rule = rules[0]
    settled = settle(unblocked([*case.contest.known, rule]), case.user)
    if settled.conflict:
        others = tuple(sorted({one.name for one in settled.parties if one is not rule}))
        return (Hindrance(code="conflict", policies=others, note=f"policies-disagree: {settled.conflict}"),)
    beaten = dict(settled.listed)
    if rule not in beaten:
        return ()
    winners = sorted({one.name for one in case.contest.known if one not in beaten and one.level})
    return (Hindrance(code=BEATEN[beaten[rule]], policies=tuple(winners)),)
