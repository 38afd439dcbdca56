"""Steps that may be made, turned into changes and handoffs with their causes, needs and notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Seen
from cleanup_gitops.model.change import Change, Need, NotSeenAfter, membership_address, user_address
from cleanup_gitops.model.plan import Handoff
from cleanup_gitops.model.requirement import Cause, MembershipRequirement, NoticeRequirement, RoleRequirement
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.make import Maker, directory_of
from cleanup_gitops.planner.rules import ADDITIVE, Rule
from cleanup_gitops.planner.settle import Beaten, Settled
from cleanup_gitops.planner.unmet import Step
from cleanup_gitops.policy.match import Scope


def build(todo: Sequence[Step], settled: Settled, user: User, scope: Scope) -> tuple[list[Change], list[Handoff]]:
    """Changes and handoffs of one user, from steps without obstacles. Notes tell of harsher policies too."""
    own = [step.requirement for step in todo if not step.handoff]
    ends = frozenset(one.group for one in own if isinstance(one, MembershipRequirement) and not one.member)
    revoked = frozenset(one.role for one in own if isinstance(one, RoleRequirement))
    maker = Maker(user, scope, ends, revoked)
    changes: list[Change] = []
    handoffs: list[Handoff] = []
    harsher = also_asked(settled)
    for step in todo:
        rules = settled.asked[step.requirement]
        if step.handoff:
            asked = tuple(rule.handed_off(step.requirement, user, scope) for rule in rules)
            handoffs.append(_handoff(step, user, scope, asked))
            continue
        causes = tuple(rule.cause(step.requirement, user, scope) for rule in rules)
        notes = [_token_note(step, rules, user)] + [harsher] * any(rule.level > ADDITIVE for rule in rules)
        made = maker.changes(step, causes, _not_come_back(rules, user))
        changes += (
            [replace(one, note="; ".join(filter(None, (one.note, *notes)))) for one in made] if any(notes) else made
        )
    return changes, handoffs


def also_asked(settled: Settled) -> str:
    """Which policies match the user too and do not count, and why, for people; empty when there are none."""
    told: dict[Beaten, set[str]] = {}
    for rule, why in settled.listed:
        told.setdefault(why, set()).add(rule.name)
    return "; ".join(f"also asked, but {why}: {', '.join(sorted(names))}" for why, names in sorted(told.items()))


def _handoff(step: Step, user: User, scope: Scope, causes: tuple[Cause, ...]) -> Handoff:
    directory = directory_of(user, scope)
    if isinstance(step.requirement, MembershipRequirement):
        group = scope.inventory.group_by_id[step.requirement.group]
        address, label = membership_address(group.id, user.id, directory), group.name
    elif isinstance(step.requirement, NoticeRequirement):
        address, label = step.requirement.address, ""
    else:
        address, label = user_address(user.id, directory), ""
    return Handoff(
        address=address,
        user=user.id,
        action=step.action,
        reason=step.handoff,
        label=label,
        causes=causes,
    )


def _token_note(step: Step, rules: Sequence[Rule], user: User) -> str:
    """Warns of somebody who counts as idle and may be at work all day through the API."""
    number = len(user.tokens or ())
    if not number or step.action == "tokens.revoke" or not any(rule.products for rule in rules):
        return ""
    return f"has {number} API token{'s' if number > 1 else ''}: use through the API does not count as seen"


def _not_come_back(rules: Sequence[Rule], user: User) -> tuple[Need, ...]:
    """One need for each product whose activity the rules asked about."""
    products = sorted({product for rule in rules for product in rule.products})
    needs: list[Need] = []
    for product in products:
        known, at = latest_sighting(user, product)
        if known:
            needs.append(NotSeenAfter(product, at))
    return tuple(needs)


def latest_sighting(user: User, product: str) -> tuple[bool, datetime | None]:
    """Whether anything is known of the user's use of a product ("any": of every product), and the last of it."""
    if product == "any" and user.elsewhere is None:
        return False, None
    asked = user.uses(product)
    sightings = [one.latest for one in asked if isinstance(one, Seen)]
    if sightings:
        return True, max(sightings)
    return any(isinstance(one, Never) for one in asked), None
