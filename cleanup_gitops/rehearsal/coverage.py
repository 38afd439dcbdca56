"""Whom no policy would ever take anything from, however long they stay away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.match import Match, Scope, compile_match
from cleanup_gitops.policy.tree import ActiveOnlyOnce, AddedFor, InactiveFor, InStatusFor, NeverActiveFor, Node

_WITH_TIME = (InactiveFor, NeverActiveFor, ActiveOnlyOnce, AddedFor, InStatusFor)
"""Conditions that become true, or untrue, by waiting."""

Verdict = Callable[[User], bool | None]


def uncovered(
    who: Match, policies: SitePolicies, live: Live, now: datetime, lists: Lists = NO_LISTS
) -> tuple[User, ...]:
    """Active people who meet ``who``, whom nothing protects or exempts, and whom no policy that takes something means.

    What is not known counts as covered, and so does whoever may meet the conditions once time has passed.
    """
    scope = Scope(now, live.inventory, live.people, lists)
    shield = make_shield(policies, live.inventory, now)
    wanted = compile_match(who, scope).verdict
    taking = [
        (policy, may_ever(reach(policy), scope)) for policy in policies.policies if takes(policy) and lasts(policy, now)
    ]
    return tuple(
        user
        for user in live.inventory.users
        if user.kind == "person"
        and user.status == "active"
        and user.admin is False
        and wanted(user)
        and shield.protection(user) is None
        and user.id not in shield.exempt
        and not any("person" in policy.kinds and verdict(user) is not False for policy, verdict in taking)
    )


def takes(policy: Policy) -> bool:
    """Whether the policy or a stage of it does more than give: access, memberships, tokens, an open account may end."""
    return any(map(_takes, policy.states))


def reach(policy: Policy) -> Match:
    """Whom the policy may ever take something from: with stages whoever comes to the first one that does.

    Nobody comes to a stage without the conditions of those before it.
    """
    if not policy.stages:
        return policy.match
    first = next((number for number, one in enumerate(policy.stages) if _takes(one.ensure)), len(policy.stages))
    return Match(all=(policy.match, *(one.when for one in policy.stages[: first + 1] if one.when)))


def _takes(ensure: Ensure) -> bool:
    gives = ensure.status == "active" or ensure.groups_present is not None
    closes = ensure.status not in (None, "active") or ensure.no_access or ensure.no_tokens
    return closes or bool(ensure.groups_absent) or ensure.groups_exactly is not None or not gives


def lasts(policy: Policy, now: datetime) -> bool:
    """Whether the policy acts from now on whenever it is asked: none that acts once, only reports, or has ended."""
    ended = policy.until is not None and policy.until < now.date()
    return not (policy.once or policy.report or ended)


def may_ever(node: Node, scope: Scope) -> Verdict:
    """The verdict with every condition about time left open: ``False`` only where waiting changes nothing."""
    if isinstance(node, _WITH_TIME):
        return lambda _: None
    if not isinstance(node, Match):
        return compile_match(Match(all=(node,)), scope).verdict
    sure, some, against = ([may_ever(one, scope) for one in part] for part in (node.all, node.any, node.none))

    def verdict(user: User) -> bool | None:
        parts = [one(user) for one in sure]
        if some:
            parts.append(_any(one(user) for one in some))
        if against:
            parts.append(_not(_any(one(user) for one in against)))
        return _not(_any(_not(part) for part in parts))

    return verdict


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    found = set(verdicts)
    return True if True in found else None if None in found else False


def _not(verdict: bool | None) -> bool | None:  # noqa: FBT001 - a value of three
    return None if verdict is None else not verdict
