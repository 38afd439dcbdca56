"""What one policy would do on a site as it was read, beside all the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan, State
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.match import Match, Scope, compile_match

Fate = tuple[State | str, str]
"""What becomes of a user, and the reason code. Beside the states of a plan: ``elsewhere``, changed by others alone."""
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Counts of users: whom the policy means, and what becomes of them in a plan with all policies.

    ``undecided``: of whom it is not known whether the policy means them. ``fates`` covers both. ``actions`` counts the
    changes that the policy causes, ``seats`` the paid seats that are in use without it and would not be with it.
    ``broken`` are guards that hold without the policy and not with it, ``blocked`` says why it can act on nobody.
    """

    site: str
    matching: int
    undecided: int
    fates: Mapping[Fate, int]
    actions: Mapping[Action, int]
    seats: int
    broken: tuple[str, ...]
    blocked: tuple[str, ...]


def effect_of(
    name: str, policies: SitePolicies, live: Live, memory: Memory, now: datetime, lists: Lists = NO_LISTS
) -> Effect:
    """The effect of the policy ``name`` among these policies, for the instant ``now`` (UTC)."""
    policy = next(one for one in policies.policies if one.name == name)
    others = replace(policies, policies=tuple(one for one in policies.policies if one is not policy))
    after, before = (
        make_plan(live.inventory, one, memory, created=now, as_of=now, tool_version="", people=live.people, lists=lists)
        for one in (policies, others)
    )
    compiled = compile_match(policy.match, Scope(now, live.inventory, live.people, lists))
    verdicts = {user.id: compiled.verdict(user) for user in live.inventory.users}
    meant = [account for account, verdict in verdicts.items() if verdict is not False]
    own = _own(name, after)
    held = {check.name for check in before.checks if check.passed}
    return Effect(
        site=live.inventory.site,
        matching=sum(1 for verdict in verdicts.values() if verdict),
        undecided=sum(1 for verdict in verdicts.values() if verdict is None),
        fates=Counter(_fate(account, after, own) for account in meant),
        actions=Counter(one.action for one in after.changes if _names(one.causes, name)),
        seats=before.seats.after - after.seats.after,
        broken=tuple(check.message for check in after.checks if not check.passed and check.name in held),
        blocked=tuple(one for one in after.blocked if one.startswith(f"{name} (")),
    )


def _names(causes: Iterable[Cause], name: str) -> bool:
    return any(cause.policy == name for cause in causes)


def _own(name: str, plan: Plan) -> frozenset[str]:
    """Whom the policy itself would change."""
    return frozenset(one.user for one in plan.changes if _names(one.causes, name))


def _fate(account: str, plan: Plan, own: frozenset[str]) -> Fate:
    found = plan.dispositions[account]
    if found.state == "changed" and account not in own:
        return ELSEWHERE, ""
    return found.state, found.reason


def check_meaning(policies: SitePolicies, name: str, match: Match) -> None:
    """What is written as the policy ``name`` must be read as the conditions asked for. Raises ``CleanupError``."""
    written = next(one for one in policies.policies if one.name == name)
    wanted = Match(all=tuple(node for one in match.all if isinstance(one, Match) for node in one.all))
    if written.match != wanted:
        raise CleanupError(
            "These conditions cannot be written into one policy, so nothing was written.", "Write it by hand."
        )


def refuse_nobody(effect: Effect) -> None:
    """Raise ``CleanupError`` for a policy that is blocked or means nobody."""
    if effect.blocked:
        raise CleanupError(f"Nothing was written: the policy would act on nobody. {effect.blocked[0]}.")
    if not effect.matching:
        raise CleanupError(
            f"Nothing was written: no user of {effect.site} meets these conditions.",
            "`cleanup-gitops users --where …` lists who meets which.",
        )
