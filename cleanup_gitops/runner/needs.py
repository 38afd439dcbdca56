"""Whether a change may still be made, asked of the site right before the write, and whether it took effect."""

from __future__ import annotations

from collections.abc import Iterable

from cleanup_gitops.model.activity import Never, Seen
from cleanup_gitops.model.change import (
    Change,
    GroupModifiable,
    MemberIs,
    MembershipAdd,
    MembershipRemove,
    Need,
    NotSeenAfter,
    StatusIs,
    UserDisable,
    UserEnable,
)
from cleanup_gitops.model.ports import Reader
from cleanup_gitops.model.user import User


def took_effect(change: Change, user: User) -> bool:
    """Whether the wished state is there. Unknown is not there."""
    match change:
        case UserDisable() | UserEnable():
            return user.status == change.new
        case MembershipAdd():
            return user.groups is not None and change.group in user.groups
        case MembershipRemove():
            return user.groups is not None and change.group not in user.groups


def unmet(needs: Iterable[Need], user: User, reader: Reader) -> tuple[Need, ...]:
    """The needs that no longer hold. A need whose fact is unknown now does not hold."""
    return tuple(need for need in needs if not _holds(need, user, reader))


def _holds(need: Need, user: User, reader: Reader) -> bool:
    match need:
        case StatusIs():
            return user.status == need.status
        case MemberIs():
            return user.groups is not None and (need.group in user.groups) == need.member
        case GroupModifiable():
            return reader.group_modifiable(need.group) is True
        case NotSeenAfter():
            return _not_seen_after(need, user)


def _not_seen_after(need: NotSeenAfter, user: User) -> bool:
    others = dict(user.elsewhere or ())
    if need.product == "confluence":
        asked = [user.seen]
    elif need.product == "any":
        if user.elsewhere is None:
            return False
        asked = [user.seen, *others.values()]
    else:
        asked = [others[need.product]] if need.product in others else []
    if not asked:
        return False
    for activity in asked:
        if isinstance(activity, Seen):
            if need.at is None or activity.latest > need.at:
                return False
        elif not isinstance(activity, Never) and need.product != "any":
            return False
    return True


def describe(needs: Iterable[Need]) -> str:
    """What changed meanwhile, for people."""
    texts = []
    for need in needs:
        match need:
            case StatusIs():
                texts.append(f"the status is no longer {need.status}")
            case MemberIs():
                texts.append("the membership was changed meanwhile")
            case GroupModifiable():
                texts.append("the group can no longer be changed here")
            case NotSeenAfter():
                texts.append(
                    f"the user was seen again in {need.product}, or the site no longer tells"
                    if need.product != "any"
                    else "the user was seen again, or the site no longer tells"
                )
    return "; ".join(texts)
