"""Whether a change may still be made, asked of the site right before the write, and whether it took effect."""

from __future__ import annotations

from collections.abc import Iterable

from cleanup_gitops.model.activity import Never, Seen
from cleanup_gitops.model.change import (
    Change,
    GroupModifiable,
    LifecycleAllowed,
    MemberIs,
    MembershipAdd,
    MembershipRemove,
    Need,
    NoticeSend,
    NotSeenAfter,
    RoleHeld,
    RoleRevoke,
    StatusIs,
    TokenExists,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserInvite,
    UserRemove,
)
from cleanup_gitops.model.ports import Reader
from cleanup_gitops.model.user import Question, User


def took_effect(change: Change, user: User | None) -> bool:
    """Whether the wished state is there; ``None`` is an account that is gone. Unknown is not there."""
    if user is None:
        return isinstance(change, UserRemove | UserDelete)
    match change:
        case UserInvite():  # whoever is in the groups has been let in, whatever the role is called here
            return user.status == "active" and user.groups is not None and {*change.groups} <= {*user.groups}
        case UserDisable() | UserEnable() | UserDeactivate() | UserRemove() | UserDelete():
            return user.status == change.new
        case MembershipAdd():
            return user.groups is not None and change.group in user.groups
        case MembershipRemove():
            return user.groups is not None and change.group not in user.groups
        case RoleRevoke():
            return user.direct is not None and change.role not in user.direct
        case TokenRevoke():
            return user.tokens is not None and change.token not in user.tokens
        case NoticeSend():
            return False  # no reading of a site shows what somebody was told


def shown_by(change: Change) -> frozenset[Question]:
    """What must be asked about the user to see whether the change took effect."""
    match change:
        case RoleRevoke() | UserDisable():
            return frozenset({"roles"})  # lists show whoever is active in another directory as active
        case TokenRevoke():
            return frozenset({"tokens"})
        case _:
            return frozenset()


def questions_about(changes: Iterable[Change]) -> dict[str, frozenset[Question]]:
    """What must be asked, by account, to see whether these changes took effect; who tells it unasked is left out."""
    asked: dict[str, frozenset[Question]] = {}
    for change in changes:
        if shown := shown_by(change):
            asked[change.user] = asked.get(change.user, frozenset()) | shown
    return asked


def unmet(needs: Iterable[Need], user: User, reader: Reader, *, own_effects: bool) -> tuple[Need, ...]:
    """The needs that no longer hold. A need whose fact is unknown now does not hold.

    With ``own_effects`` (this run changed the user a moment ago, after asking the same) activity may be unknown: who
    has lost access to a product is no longer reported to use it. A new sighting still counts.
    """
    return tuple(need for need in needs if not _holds(need, user, reader, own_effects=own_effects))


def _holds(need: Need, user: User, reader: Reader, *, own_effects: bool) -> bool:
    match need:
        case StatusIs():
            return user.status == need.status
        case MemberIs():
            return user.groups is not None and (need.group in user.groups) == need.member
        case GroupModifiable():
            return reader.group_modifiable(need.group) is True
        case NotSeenAfter():
            return _not_seen_after(need, user, unknown_holds=own_effects)
        case RoleHeld():
            return need.role in (user.direct or ())
        case TokenExists():
            return need.token in (user.tokens or ())
        case LifecycleAllowed():
            return user.lifecycle is not None and getattr(user.lifecycle, need.privilege) == ""


def _not_seen_after(need: NotSeenAfter, user: User, *, unknown_holds: bool) -> bool:
    if need.product == "any" and user.elsewhere is None and not unknown_holds:
        return False
    asked = user.uses(need.product)
    sightings = [one.latest for one in asked if isinstance(one, Seen)]
    if any(need.at is None or at > need.at for at in sightings):
        return False
    told = [one for one in asked if isinstance(one, Seen | Never)]
    return unknown_holds or (bool(told) and len(told) == len(asked))


def describe(needs: Iterable[Need]) -> str:
    """What changed meanwhile, for people."""
    return "; ".join(map(_described, needs))


def _described(need: Need) -> str:
    match need:
        case StatusIs():
            return f"the status is no longer {need.status}"
        case MemberIs():
            return "the membership was changed meanwhile"
        case GroupModifiable():
            return "the group can no longer be changed here"
        case RoleHeld():
            return f"the role {need.role} is no longer held directly, or the site no longer tells"
        case TokenExists():
            return "the API token is gone, or the site no longer tells"
        case LifecycleAllowed():
            return "the account may no longer be changed by its organization, or the site no longer tells"
        case NotSeenAfter():
            where = "" if need.product == "any" else f" in {need.product}"
            return f"the user was seen again{where}, or the site no longer tells"
