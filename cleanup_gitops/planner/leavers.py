"""People who leave and whose access cannot be ended here: all of it is handed off, and nothing is done by halves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.plan import Disposition, Handoff, Unmatched
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.build import build
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.fate import Fate, names
from cleanup_gitops.planner.protect import Shield, kind_protection, speakable
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import Settled, settle
from cleanup_gitops.planner.unmet import Step
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.match import Scope

PROTECTED, EXEMPT, ADMINISTRATOR = "leaver-protected", "leaver-exempt", "leaver-administrator"
UNMANAGED = "account-unmanaged"
ELSEWHERE = "leaver-elsewhere"
"""Of what could be done here, beside something that only somebody else can do."""


def leaver_spared(user: User, rules: Iterable[Rule], shield: Shield, scope: Scope) -> Fate | None:
    """What becomes of somebody who leaves and is protected, exempt or an administrator; ``None`` for all others.

    A protection must not hide somebody who has left: whoever owns it has to decide.
    """
    asking = _asking(user, rules)
    why = _spared(user, asking, shield, scope) if asking else None
    if why is None:
        return None
    reason, note = why
    settled = settle(asking, user)
    made = steps(settled, user, scope.inventory)
    if not made:  # the access has ended already
        return None
    todo = [replace(one, handoff=one.handoff or reason) for one in made if isinstance(one, Step)]
    return Fate(Disposition("handed_off", reason, names(asking), note), [], build(todo, settled, user, scope)[1])


def asking_of_spared(user: User, rules: Iterable[Rule], shield: Shield, scope: Scope) -> list[Rule]:
    """The rules that want the access of such a leaver ended; none for all others."""
    asking = _asking(user, rules)
    return asking if asking and _spared(user, asking, shield, scope) else []


def _asking(user: User, rules: Iterable[Rule]) -> list[Rule]:
    return [
        rule
        for rule in rules
        if rule.termination
        and not rule.report
        and (rule.roster or user.kind in rule.policy.kinds or user.kind == "unknown")
        and rule.verdict(user)
    ]


def _spared(user: User, asking: Sequence[Rule], shield: Shield, scope: Scope) -> tuple[str, str] | None:
    """Why nobody here may touch a leaver, as a reason code and a note."""
    if protection := shield.protection(user):
        return PROTECTED, ", ".join(filter(None, protection))
    if not speakable(user, asking):
        return ADMINISTRATOR if user.admin is not False else PROTECTED, kind_protection(user)
    if entry := shield.exempt.get(user.id):
        return EXEMPT, f"{entry.reason} until {entry.until.isoformat()}"
    if user.managed is False and all(rule.roster and _by_email(rule, user, scope) for rule in asking):
        return UNMANAGED, "by address alone"
    return None


def _by_email(rule: Rule, user: User, scope: Scope) -> bool:
    """Whether an address alone says that this user has left: of an account that others manage that proves little."""
    return rule.roster is not None and leaver(rule.roster.roster, user, scope).by_email


def with_deadline(fate: Fate, user: User, rules: Iterable[Rule], scope: Scope) -> Fate:
    """The same, with the instant until which a Roster wants the access ended of somebody who has left.

    Of everybody whose access goes on, whatever keeps it from being ended. A leaver who is protected or exempt and has
    access is handed off, so that nothing is left to end of those who are not.
    """
    if fate.disposition.state in ("unchanged", "protected", "exempt"):
        return fate
    due = [at for rule in rules if rule.roster and rule.verdict(user) and (at := rule.due(user, scope))]
    return replace(fate, disposition=replace(fate.disposition, due=min(due))) if due else fate


def unmatched(scope: Scope, rules: Iterable[Rule]) -> tuple[Unmatched, ...]:
    """The rows of rosters about people who left and are nobody here for certain, by the lines of the roster alone."""
    found = []
    for rule in rules:
        asked = rule.roster
        known = scope.leaving(asked.roster) if asked else None
        if asked is None or known is None:
            continue
        users = scope.inventory.users
        meant = {scope.addresses.of.get(one.id) for one in users if _meant_by_email(asked.roster, one, scope)}
        nobody = [left for key, left in known.by_account.items() if key not in scope.inventory.user_by_id]
        nobody += [left for key, left in known.by_email.items() if key not in meant]
        if nobody:
            late = [one for one in nobody if one.over + asked.sla < scope.as_of]
            found.append(
                Unmatched(
                    policy=rule.name,
                    source=scope.lists.rosters[asked.roster].name,
                    lines=tuple(sorted(line for one in nobody for line in one.lines)),
                    overdue=tuple(sorted(line for one in late for line in one.lines)),
                )
            )
    return tuple(found)


def _meant_by_email(roster: str, user: User, scope: Scope) -> bool:
    found = leaver(roster, user, scope)
    return found.by_email and found.verdict is True


def as_a_whole(todo: list[Step], settled: Settled) -> list[Step]:
    """The steps towards the end of an access: handed off together, where one of them is somebody else's."""
    if not any(one.handoff for one in todo):
        return todo
    if not any(rule.termination for rules in settled.asked.values() for rule in rules):
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
