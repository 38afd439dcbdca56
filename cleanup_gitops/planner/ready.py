"""Policies made ready to decide about users: with what earlier runs left, and what was undone since. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import datetime

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory, Noticed
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.planner.courses import NO_EPISODES, Course, Episodes, first_stage
from cleanup_gitops.planner.declared import declare
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.holds import NO_HOLDS, Holds, holds_of, noticed
from cleanup_gitops.planner.in_force import spent_by
from cleanup_gitops.planner.joiners import joining_of
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.planner.rules import Rule, make_rule
from cleanup_gitops.planner.shortlist import Shortlist
from cleanup_gitops.planner.stage_rows import episodes_known, regained
from cleanup_gitops.planner.undo import Undo, undoing
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.expiry import has_ended
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.match import Scope


def evaluate(
    inventory: Inventory,
    policies: SitePolicies,
    as_of: datetime,
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
    *,
    holds: Holds = NO_HOLDS,
    undo: Undo | None = None,
    spent: Collection[str] = frozenset(),
    episodes: Episodes = NO_EPISODES,
    adopted: Collection[str] = frozenset(),
    adopt: Collection[str] = frozenset(),
) -> Evaluation:
    """Policies and protections made ready to decide about any user of this inventory, also one read again later.

    ``people`` and ``lists`` are for conditions on names and on lists of people; without them such a condition is
    unknown. ``holds`` are the policies that leave users alone for a while, ``spent`` those that were to act once and
    have, ``episodes`` is what earlier runs left of policies with stages, ``adopted`` are ids and ``adopt`` names (lower
    case) or ids of declared groups from which people may be taken out. With ``undo`` the policies are not asked at all:
    decided is what a run did, and is to be taken back.
    """
    scope = Scope(as_of, inventory, people, lists)
    shield = make_shield(policies, inventory, as_of)
    if undo is not None:
        return undoing(undo, shield, scope)
    templates = policies.template_digests
    rules: list[Rule] = []
    courses: list[Course] = []
    for policy in policies.asking:
        if policy.name in spent or has_ended(policy, as_of.date()):
            continue
        if not policy.stages:
            rules.append(make_rule(policy, scope))
        elif policy.report:
            rules.append(first_stage(policy, scope, templates))
        else:
            days = policies.guardrails.handoff_sla
            courses.append(Course(policy, scope, shield, holds, episodes, templates, days))
            rules += courses[-1].rules
    leavers = any(rule.termination for rule in rules)
    declared = declare(policies, scope, rules, adopted, adopt)
    shortlist = Shortlist(rules, as_of, declared)
    rules += declared.rules
    return Evaluation(tuple(rules), shield, scope, shortlist, holds, leavers, tuple(courses), episodes, declared)


def evaluation_now(
    inventory: Inventory,
    policies: SitePolicies,
    memory: Memory,
    *,
    created: datetime,
    as_of: datetime,
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
    undo: Undo | None = None,
    spent: frozenset[str] | None = None,
    adopt: Collection[str] = frozenset(),
) -> Evaluation:
    """The evaluation of a plan: with the holds and the stages that earlier runs left, and what was undone since.

    ``spent`` are policies that act no more; ``None``: those of which memory tells it.
    """
    found = undone(inventory, policies, memory, created=created)
    holds = holds_of(memory, found, as_of, policies.guardrails.flapping_after, _terminations(policies))
    evaluation = evaluate(
        inventory,
        policies,
        as_of,
        people,
        lists,
        holds=holds,
        undo=undo,
        spent=frozenset(spent_by(policies, memory)) if spent is None else spent,
        episodes=episodes_known(memory, found, policies, inventory, created),
        adopted=frozenset(one.group for one in memory.adopted),
        adopt=adopt,
    )
    if undo is not None or not policies.rosters:
        return evaluation
    return dataclasses.replace(evaluation, joining=joining_of(evaluation, policies, memory))


def episodes_now(inventory: Inventory, policies: SitePolicies, memory: Memory, *, created: datetime) -> Episodes:
    """What counts of earlier runs for policies with stages, and what of it this reading shows to have been undone."""
    if not (memory.marks or memory.closed):  # mostly, and then nothing has to be compared
        return NO_EPISODES
    found = undone(inventory, policies, memory, created=created)
    return episodes_known(memory, found, policies, inventory, created)


def undone(inventory: Inventory, policies: SitePolicies, memory: Memory, *, created: datetime) -> Noticed:
    """What this reading shows others to have undone, and what follows from it."""
    again = regained(memory, policies, inventory, created)
    return noticed(memory, inventory, created, policies.guardrails.grace, _terminations(policies), again)


def _terminations(policies: SitePolicies) -> frozenset[str]:
    return frozenset(one.name for one in policies.policies if one.termination)
