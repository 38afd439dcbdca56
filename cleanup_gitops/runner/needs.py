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


def _not_seen_after(need: NotSeenAfter, user: User, *, unknown_holds: bool) -> bool:
    others = dict(user.elsewhere or ())
    if need.product == "confluence":
        asked = [user.seen]
    elif need.product == "any":
        if user.elsewhere is None and not unknown_holds:
            return False
        asked = [user.seen, *others.values()]
    else:
        asked = [others[need.product]] if need.product in others else []
    sightings = [one.latest for one in asked if isinstance(one, Seen)]
    if any(need.at is None or at > need.at for at in sightings):
        return False
    told = [one for one in asked if isinstance(one, Seen | Never)]
    return unknown_holds or (bool(told) and len(told) == len(asked))


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
