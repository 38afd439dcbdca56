"""What a run did, taken back: which of its changes can be reversed, and why the others cannot or are left alone. Pure.

Only what is still as the run made it is taken back. The reverse changes are made like any others: with needs, the same
obstacles and handoffs, and never for somebody who is protected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import get_args

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    StatusChange,
    TokenRevoke,
    UserDelete,
    UserInvite,
    UserRemove,
)
from cleanup_gitops.model.plan import Disposition, Lost, Rollback
from cleanup_gitops.model.requirement import Cause, DesiredStatus, MembershipRequirement, Requirement, StatusRequirement
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.model.user import Kind, User
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.fate import UNCHANGED, Fate
from cleanup_gitops.planner.protect import Shield
from cleanup_gitops.planner.rules import ADDITIVE, Rule
from cleanup_gitops.planner.shortlist import Shortlist
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import Match

DELETION_GRACE = timedelta(days=14)
"""So long the vendor waits before an account whose deletion was scheduled is gone (User management REST API)."""
_REVERSIBLE: Mapping[str, DesiredStatus] = {
    "active": "active",
    "suspended": "suspended",
    "disabled": "disabled",
    "deactivated": "deactivated",
}
"""The statuses to which an account can be brought back."""
_OTHERS = Fate(Disposition("unchanged", "not-of-this-run"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """One change that a run made: what it was, what became of it, and where the record says so (``file:line``)."""

    change: Change
    outcome: Outcome
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The changes of a run that are to be taken back; with ``users`` only those of these accounts.

    ``later`` names, by address, runs that have changed the same since; ``others`` are addresses at which others have,
    so that what is there now is theirs, even where it looks as the run made it. ``late`` says, by address, until when
    (UTC) what the run has sent may show.
    """

    run: str
    time: datetime
    did: tuple[Did, ...]
    users: tuple[str, ...] = ()
    later: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    late: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What stands for a policy in the causes of the reverse changes."""
        return f"rollback of {self.run}"


@dataclass(frozen=True, slots=True)
class Reversals:
    """The changes of a run, sorted by what can be done about them.

    ``targets`` maps users to what is asked for them, ``lasting`` users to what cannot be taken back.
    """

    targets: dict[str, dict[Requirement, Did]] = field(default_factory=dict)
    lasting: dict[str, list[Did]] = field(default_factory=dict)
    irreversible: list[Lost] = field(default_factory=list)
    left: list[Lost] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UndoRule(Rule):
    """The one rule of a rollback: it asks each user for what the user had before the run."""

    undo: Undo
    reversals: Reversals
    shield: Shield

    @property
    def about_groups(self) -> bool:
        """Memberships may be among it, so that a user whose groups are unknown is left alone."""
        return True

    def requirements(self, user: User) -> tuple[Requirement, ...]:
        """What this user had before the run, as far as the user as read now may be touched."""
        asked = self.reversals.targets.get(user.id, ())
        return tuple(one for one in asked if not _kept_from(one, user, self.shield))

    def cause(self, requirement: Requirement, user: User, scope: Scope) -> Cause:
        """Which policies had asked for the change, when it was made, and where that is recorded."""
        del scope
        did = self.reversals.targets[user.id][requirement]
        why = f"{_asked_by(did)} had it {_PAST[did.outcome.action]} on {did.outcome.at.date().isoformat()}"
        return Cause(policy=self.name, where=did.where, why=why)


_PAST = {
    "membership.remove": "removed",
    "membership.add": "added",
    "user.disable": "closed",
    "user.deactivate": "deactivated",
    "user.delete": "scheduled for deletion",
    "user.enable": "opened",
}


class UndoEvaluation(Evaluation):
    """Decides about users of a run that is taken back. Everybody else is unchanged, protected or not."""

    __slots__ = ()

    def fate(self, user: User) -> Fate:
        """As any fate, but an exemption does not keep a person from getting back what a policy took."""
        if not any(rule.requirements(user) for rule in self.rules):
            return _OTHERS
        found = super().fate(user)
        return _OTHERS if found is UNCHANGED else found

    def forbids(self, user: User, policies: Iterable[str]) -> bool:
        """Also when nothing of what is to be taken back may be done to the user as read now."""
        return super().forbids(user, policies) or not any(rule.requirements(user) for rule in self.rules)


def undoing(undo: Undo, shield: Shield, scope: Scope) -> Evaluation:
    """The evaluation that decides about the users of a run. See ``planner.ready.evaluate``."""
    found = _sorted(undo, shield, scope)
    everybody: frozenset[Kind] = frozenset(get_args(Kind))
    policy = Policy(
        name=undo.name,
        owner="",
        why="",
        match=Match(),
        ensure=Ensure(status="active"),
        include_admins=True,
        allow_shared_groups=True,
        kinds=everybody,
    )
    rule = UndoRule(
        policy=policy,
        verdict=lambda user: user.id in found.targets,
        included=None,
        missing=(),
        level=ADDITIVE,
        status="active",
        present=(),
        absent=frozenset(),
        exactly=None,
        products=frozenset(),
        why=lambda _user, _scope: "",
        least_idle=None,
        undo=undo,
        reversals=found,
        shield=shield,
    )
    return UndoEvaluation((rule,), replace(shield, exempt={}), scope, Shortlist((rule,), scope.as_of))


def rollback_of(undo: Undo | None, evaluation: Evaluation, changes: Iterable[Change], until: date) -> Rollback | None:
    """What the plan says about the run that it takes back; ``None`` for any other plan.

    Policies are also held off those to whom nothing can be given back from here: the run was as wrong about them, and
    what is mended by hand would be undone by the next one.
    """
    if undo is None:
        return None
    rule = next(one for one in evaluation.rules if isinstance(one, UndoRule))
    found = rule.reversals
    holds = {
        account: _policies((*found.targets.get(account, {}).values(), *found.lasting.get(account, ())))
        for account in sorted({*(change.user for change in changes), *found.lasting})
    }
    return Rollback(
        run=undo.run,
        time=undo.time,
        irreversible=tuple(sorted(found.irreversible, key=lambda one: one.address)),
        left=tuple(sorted(found.left, key=lambda one: one.address)),
        holds={account: policies for account, policies in holds.items() if policies},
        until=until,
        users=undo.users,
    )


def _policies(done: Iterable[Did]) -> tuple[str, ...]:
    return tuple(sorted({cause.policy for did in done for cause in did.outcome.causes}))


def _asked_by(did: Did) -> str:
    return ", ".join(_policies([did])) or "the run"


def _sorted(undo: Undo, shield: Shield, scope: Scope) -> Reversals:
    found = Reversals()
    users = scope.inventory.user_by_id
    for did in undo.did:
        if undo.users and did.change.user not in undo.users:
            continue
        user = users.get(did.change.user)
        asked = _reverse(did, user, undo, scope)
        if asked == "as-before" and (late := undo.late.get(did.change.address)) and scope.as_of <= late:
            asked = "may-still-show"
        if not isinstance(asked, str) and user is not None and (kept := _kept_from(asked, user, shield)):
            asked = kept
        if not isinstance(asked, str):
            found.targets.setdefault(did.change.user, {})[asked] = did
        elif asked in IRREVERSIBLE:
            found.irreversible.append(_lost(did, asked, undo))
            found.lasting.setdefault(did.change.user, []).append(did)
        else:
            found.left.append(_lost(did, asked, undo))
    return found


def _lost(did: Did, reason: str, undo: Undo) -> Lost:
    change = did.change
    label = change.label if isinstance(change, MembershipAdd | MembershipRemove) else ""
    note = undo.later.get(change.address, "") if reason == "changed-by-a-later-run" else ""
    return Lost(address=change.address, user=change.user, action=change.action, reason=reason, label=label, note=note)


IRREVERSIBLE = frozenset(
    {
        "account-gone",
        "deletion-final",
        "group-gone",
        "invitation-sent",
        "needs-invitation",
        "not-closed-again",
        "notice-sent",
        "role-not-granted-here",
        "token-gone",
        "was-closed-before",
    }
)
"""Reason codes of changes that nobody can take back from here; all others are about what happened since."""


def _reverse(did: Did, user: User | None, undo: Undo, scope: Scope) -> Requirement | str:
    """What is to be asked for so that the change is taken back, or the code of the reason why it is not."""
    change = did.change
    match change:
        case TokenRevoke():
            return "token-gone"
        case NoticeSend():
            return "notice-sent"
        case UserRemove():
            return "needs-invitation" if user is None or user.status == "absent" else "as-before"
        case UserInvite():
            return "invitation-sent"
    if user is None:
        return "account-gone"
    if user.status == "absent":
        return "needs-invitation"
    if isinstance(change, RoleRevoke):
        return "as-before" if change.role in (user.direct or ()) else "role-not-granted-here"
    if change.address in undo.later:
        return "changed-by-a-later-run"
    if isinstance(change, MembershipAdd | MembershipRemove):
        asked = _membership(change, user, scope)
    else:
        asked = _status(did, change, user, scope)
    return "changed-by-others" if change.address in undo.others and not isinstance(asked, str) else asked


def _membership(change: MembershipAdd | MembershipRemove, user: User, scope: Scope) -> Requirement | str:
    if change.group not in scope.inventory.group_by_id:
        return "group-gone"
    if user.groups is None:
        return "groups-unknown"
    member = change.group in user.groups
    if member == change.before["member"]:
        return "as-before"
    return MembershipRequirement(change.group, member=not member)


def _status(did: Did, change: StatusChange, user: User, scope: Scope) -> Requirement | str:
    """Opening an account that had been closed before as well would give more than the run took."""
    if user.status == "unknown":
        return "status-unknown"
    if user.status == change.old:
        return "as-before"
    if user.status != change.new:
        return "changed-meanwhile"
    wanted = _REVERSIBLE.get(change.old)
    if wanted is None:
        return "not-closed-again"
    if change.new != "active" and wanted != "active":
        return "was-closed-before"
    if isinstance(change, UserDelete) and scope.as_of - did.outcome.at >= DELETION_GRACE:
        return "deletion-final"
    return StatusRequirement(wanted)


def _kept_from(asked: Requirement, user: User, shield: Shield) -> str:
    """Why the user may not be touched: protected, or exempt or an administrator where something would be taken away."""
    if shield.protection(user):
        return "protected"
    gives = asked == StatusRequirement("active") or (isinstance(asked, MembershipRequirement) and asked.member)
    if gives:
        return ""
    if user.id in shield.exempt:
        return "exempt"
    return "" if user.admin is False and user.kind == "person" else "administrator"
