"""People who leave and whose access cannot be ended here: all of it is handed off, and nothing is done by halves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.plan import Disposition, Handoff
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.build import build
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.fate import Fate, names
from cleanup_gitops.planner.protect import Shield, kind_protection, speakable
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import Settled, settle
from cleanup_gitops.planner.unmet import Step
from cleanup_gitops.policy.match import Scope

PROTECTED, EXEMPT, ADMINISTRATOR = "leaver-protected", "leaver-exempt", "leaver-administrator"
ELSEWHERE = "leaver-elsewhere"
"""Of what could be done here, beside something that only somebody else can do."""


def leaver_spared(user: User, rules: Iterable[Rule], shield: Shield, scope: Scope) -> Fate | None:
    """What becomes of somebody who leaves and is protected, exempt or an administrator; ``None`` for all others.

    A protection must not hide somebody who has left: whoever owns it has to decide.
    """
    asking = [
        rule
        for rule in rules
        if rule.termination
        and not rule.report
        and (user.kind in rule.policy.kinds or user.kind == "unknown")
        and rule.verdict(user)
    ]
    why = _spared(user, asking, shield) if asking else None
    if why is None:
        return None
    reason, note = why
    settled = settle(asking, user)
    made = steps(settled, user, scope.inventory)
    if not made:  # the access has ended already
        return None
    todo = [replace(one, handoff=one.handoff or reason) for one in made if isinstance(one, Step)]
    return Fate(Disposition("handed_off", reason, names(asking), note), [], build(todo, settled, user, scope)[1])


def _spared(user: User, asking: Sequence[Rule], shield: Shield) -> tuple[str, str] | None:
    """Why nobody here may touch a leaver, as a reason code and a note."""
    if protection := shield.protection(user):
        return PROTECTED, ", ".join(filter(None, protection))
    if not speakable(user, asking):
        return ADMINISTRATOR, kind_protection(user)
    if entry := shield.exempt.get(user.id):
        return EXEMPT, f"{entry.reason} until {entry.until.isoformat()}"
    return None


def as_a_whole(todo: list[Step], settled: Settled) -> list[Step]:
    """The steps towards the end of an access: handed off together, where one of them is somebody else's."""
    leaves = any(rule.termination for rules in settled.asked.values() for rule in rules)
    if not leaves or not any(one.handoff for one in todo):
        return todo
    return [replace(one, handoff=one.handoff or ELSEWHERE) for one in todo]


def last_administrator(changes: Iterable[Change], policies: tuple[str, ...]) -> Fate:
    """What becomes of the last administrators, whom a plan leaves alone, when they leave."""
    handoffs = [
        Handoff(
            address=one.address,
            user=one.user,
            action=one.action,
            reason=ADMINISTRATOR,
            label=getattr(one, "label", ""),
            causes=one.causes,
        )
        for one in changes
    ]
    return Fate(Disposition("handed_off", ADMINISTRATOR, policies, "last-administrator"), [], handoffs)
