"""What has to be asked about single users before a plan can be final. Every question costs a call.

Asked is only about users whom a policy would change, and only what may keep it from doing so or is needed to do it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from cleanup_gitops.model.activity import Never, Seen
from cleanup_gitops.model.change import UserDisable
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Memory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.requirement import MembershipRequirement
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.planner.access import direct_told
from cleanup_gitops.planner.assume import begins_with
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.holds import only_listed
from cleanup_gitops.planner.leavers import asking_of_spared
from cleanup_gitops.planner.protect import speakable
from cleanup_gitops.planner.ready import episodes_now, evaluate
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import class_that_decides, could_decide, settle, unblocked, winners
from cleanup_gitops.planner.stage_rows import asked_and_done
from cleanup_gitops.planner.undo import Undo
from cleanup_gitops.planner.unmet import Obstacle, Unmet
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.tree import ActiveOnlyOnce, InactiveFor, NeverActiveFor, predicates

_ANSWERS: dict[str, Question] = {
    "direct-roles-unknown": "roles",
    "lifecycle-unknown": "lifecycle",
    "seat-to-guest": "roles",
    "tokens-unknown": "tokens",
}
"""The question whose answer may take an obstacle away."""


def questions(
    inventory: Inventory,
    policies: SitePolicies,
    as_of: datetime,
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
    *,
    accounts: Collection[str] | None = None,
    undo: Undo | None = None,
    memory: Memory = BLANK,
) -> dict[str, frozenset[Question]]:
    """Questions by account id, for these accounts or for all. A site may leave out those it is not set up for.

    Users who are not in the answer have the same fate whatever is told about others. With ``undo`` the questions are
    those of the plan that takes this run back. ``memory`` tells where users stand in the stages of policies.
    """
    episodes = episodes_now(inventory, policies, memory, created=as_of)
    evaluation = evaluate(inventory, policies, as_of, people, lists, undo=undo, episodes=episodes)
    found: dict[str, frozenset[Question]] = {}
    by_use = any(_about_use(rule) for rule in evaluation.rules)
    with collector_paused():
        for user in inventory.users:
            if (accounts is None or user.id in accounts) and (wanted := _wanted(user, evaluation, by_use=by_use)):
                found[user.id] = wanted
    for account in _suspended_by(undo, inventory) if undo else doubtful(inventory, memory, policies):
        if accounts is None or account in accounts:
            found[account] = found.get(account, frozenset()) | {"roles"}
    return found


def doubtful(inventory: Inventory, memory: Memory, policies: SitePolicies) -> dict[str, frozenset[Question]]:
    """Questions about users whom an earlier run suspended, or had somebody suspend, and a list shows as active.

    They may be active in another directory alone. A leaver may have been suspended before the first stage.
    """
    if inventory.hosting != "cloud":
        return {}
    done = {one.user for one in memory.done if one.after.get("status") == "suspended"}
    done |= {user for user, _, one in asked_and_done(memory) if one.after.get("status") == "suspended"}
    leave = {one.name for one in policies.policies if one.termination and one.stages}
    done |= {one.user for one in memory.marks if one.policy in leave}
    done |= {one.user for one in memory.closed if one.policy in leave}
    users = inventory.user_by_id
    found = (users[one] for one in sorted(done & users.keys()))
    return {user.id: frozenset({"roles"}) for user in found if only_listed("suspended", user, inventory)}


def _suspended_by(undo: Undo, inventory: Inventory) -> Iterator[str]:
    """Whom the run that is taken back suspended and a list shows as active: active in another directory, perhaps."""
    users = inventory.user_by_id
    suspended = {did.change.user for did in undo.did if isinstance(did.change, UserDisable)}
    for account in sorted(suspended & set(undo.users or suspended) & users.keys()):
        if only_listed("suspended", users[account], inventory):
            yield account


def _about_use(rule: Rule) -> bool:
    """Whether the match asks, in any way, when somebody last used Confluence: writing something is use too."""
    about = (InactiveFor, NeverActiveFor, ActiveOnlyOnce)
    found = (one for one in predicates(rule.policy.match) if isinstance(one, about))
    return any(not isinstance(one, InactiveFor) or one.product in ("confluence", "any") for one in found)


def _wanted(user: User, evaluation: Evaluation, *, by_use: bool) -> frozenset[Question]:
    """``by_use``: some policy asks about activity, so that another answer may bring it in, or take it out."""
    inventory = evaluation.scope.inventory
    wanted: set[Question] = set()
    candidate = False
    asking = _askers(user, evaluation)
    for rule, decided in asking:
        if candidate and _may_ask(rule) <= wanted:
            continue  # most users are meant by many policies that ask for much the same
        if made := _made(rule, user, inventory):
            candidate = True
            wanted.update(_of_rule(rule, made, user, inventory, decided=decided))
    if candidate and by_use and isinstance(user.seen, Seen | Never):
        wanted.add("content")
    if candidate and user.elsewhere is not None and inventory.hosting == "cloud" and _elsewhere(asking):
        wanted.add("products")
    return frozenset(wanted)


def _elsewhere(asking: Iterable[tuple[Rule, bool]]) -> bool:
    """Whether somebody must be idle in other products too: the list of users may leave some of them out."""
    return any(rule.products - {"confluence"} for rule, _ in asking)


def _may_ask(rule: Rule) -> frozenset[Question]:
    """All that a rule may ask about anybody, activity apart."""
    tokens: frozenset[Question] = frozenset({"tokens"} if rule.no_tokens else ())
    by_lifecycle = rule.status in ("active", "deactivated", "deleted")
    return tokens | frozenset({"roles", "lifecycle"} if by_lifecycle else {"roles"})


def _askers(user: User, evaluation: Evaluation) -> list[tuple[Rule, bool]]:
    """The rules that may have their way with the user, and whether they match for certain.

    Of a leaver nobody here may touch, those that want the access ended: what is to be done by others has to be told.
    """
    if evaluation.leavers and (spared := asking_of_spared(user, evaluation.rules, evaluation.shield, evaluation.scope)):
        return [(rule, True) for rule in spared]
    rules = evaluation.shortlist(user)
    if user.admin or user.kind != "person":
        rules = speakable(user, rules)
    asking = [(rule, bool(verdict)) for rule in rules if (verdict := rule.verdict(user)) is not False]
    enforced = _deciding([(rule, decided) for rule, decided in asking if not rule.report])
    if not asking or any(rule.missing for rule, _ in enforced) or evaluation.spares(user):
        return []
    return [*_winners(enforced), *((rule, decided) for rule, decided in asking if rule.report)]


def _deciding(asking: list[tuple[Rule, bool]]) -> list[tuple[Rule, bool]]:
    """The rules of the class that decides, as the evaluation sees them: what is blocked beside it asks nothing."""
    known = unblocked([rule for rule, decided in asking if decided])
    open_ = could_decide([rule for rule, decided in asking if not decided], known)
    return [*((rule, True) for rule in class_that_decides(known)), *((rule, False) for rule in open_)]


def _winners(asking: list[tuple[Rule, bool]]) -> list[tuple[Rule, bool]]:
    """Without the rules that are beaten for certain."""
    winning = winners([rule for rule, decided in asking if decided])
    return [(rule, decided) for rule, decided in asking if not decided or rule in winning]


def _made(rule: Rule, user: User, inventory: Inventory) -> tuple[Unmet, ...]:
    """What the rule alone would do; nothing when something stands in its way that no answer can change."""
    if user.groups is None and rule.about_groups:
        return ()
    made = steps(settle([rule], user), user, inventory)
    return () if any(isinstance(one, Obstacle) and one.reason not in _ANSWERS for one in made) else made


def _of_rule(
    rule: Rule, made: Iterable[Unmet], user: User, inventory: Inventory, *, decided: bool
) -> Iterator[Question]:
    for one in made:
        yield from _of_step(one, user, inventory)
    if user.license != "seat" and not direct_told(user, inventory):
        yield "roles"  # a role held beside a group may make the license another one
    if not decided:
        yield from rule.policy.match.questions


def _of_step(one: Unmet, user: User, inventory: Inventory) -> Iterator[Question]:
    if isinstance(one, Obstacle):
        if one.reason != "seat-to-guest" or not direct_told(user, inventory):
            yield _ANSWERS[one.reason]
    elif one.action == "user.disable" and not one.handoff and inventory.hosting == "cloud" and user.direct is None:
        yield "roles"  # whoever is active in another directory may be suspended here already
    elif isinstance(one.requirement, MembershipRequirement) and not one.requirement.member:
        group = one.requirement.group
        if not direct_told(user, inventory) and any(begins_with(path, group) for path in user.seats or ()):
            yield "roles"
