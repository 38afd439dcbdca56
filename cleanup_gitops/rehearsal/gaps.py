"""What no policy test touches: policies, stages, and conditions of which one outcome never comes about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.explain import find
from cleanup_gitops.policy.groups import Groups
from cleanup_gitops.policy.scope import Scope
from cleanup_gitops.policy.tree import Predicate, predicates
from cleanup_gitops.rehearsal.invented import BYSTANDER, Invented
from cleanup_gitops.rehearsal.policy_tests import Tested

_Placed = TypeVar("_Placed", Policy, Groups)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could be wrong without any test of the site failing, and where it stands (``file:line``)."""

    where: str
    message: str


def gaps(sites: Sequence[tuple[SitePolicies, Sequence[Tested]]]) -> tuple[Gap, ...]:
    """All of them, in the order of the policies. What the tests of one of several sites touch is touched.

    Of the outcomes of conditions true and false count, unknown does not.
    """
    acting, stages = _acting(plan for _, tested in sites for one in tested for _, plan in one.plans)
    found: list[Gap] = []
    for policy in _once(policy for own, _ in sites for policy in own.asking):
        if policy.name not in acting:
            found.append(Gap(policy.where, f"{policy.name}: no test has a change by this policy"))
        found += [
            Gap(stage.where or policy.where, f"{policy.name}: no test comes to the stage {stage.name}")
            for stage in policy.stages
            if (policy.name, stage.name) not in stages
        ]
        worlds = [day for own, tested in sites if policy in own.asking for one in tested for day, _ in one.plans]
        found += _outcomes(policy, worlds)
    for document in _once(document for own, _ in sites for document in own.groups):
        if document.name not in acting:
            found.append(Gap(document.where, f"{document.name}: no test has a change by these groups"))
    return tuple(dict.fromkeys(found))


def _once(found: Iterable[_Placed]) -> list[_Placed]:
    return list({(one.where, one.name, type(one)): one for one in found}.values())


def _acting(plans: Iterable[Plan]) -> tuple[set[str], set[tuple[str, str]]]:
    """Policies that change somebody, hand somebody off or would if they could, and stages that somebody comes to."""
    acting: set[str] = set()
    stages: set[tuple[str, str]] = set()
    for plan in plans:
        rows = (*plan.changes, *plan.handoffs, *(one.change for one in plan.pending))
        causes = [cause for row in rows if row.user != BYSTANDER for cause in row.causes]
        acting |= {cause.policy for cause in causes}
        stages |= {(cause.policy, cause.stage) for cause in causes}
        stages |= {(row.policy, row.stage) for row in plan.lifecycle if row.user != BYSTANDER}
    return acting, stages


def _outcomes(policy: Policy, days: Iterable[Invented]) -> Iterator[Gap]:
    """Conditions of which one outcome never came about."""
    asked = [one for match in policy.conditions for one in predicates(match)]
    seen: list[set[bool | None]] = [set() for _ in asked]
    words = ["" for _ in asked]
    for day in days:
        scope = Scope(day.inventory.as_of, day.inventory, day.people, day.lists)
        for user in day.inventory.users:
            if user.id == BYSTANDER:
                continue
            for number, predicate in enumerate(asked):
                finding = find(predicate, user, scope)
                seen[number].add(finding.verdict)
                words[number] = finding.asked
    for number, outcomes in enumerate(seen):
        missing = [word for value, word in ((True, "true"), (False, "false")) if value not in outcomes]
        if missing:
            told = words[number] or _kind(asked[number])
            yield Gap(policy.where, f"{policy.name}: in no test is `{told}` {' or '.join(missing)}")


def _kind(predicate: Predicate) -> str:
    return type(predicate).__name__
