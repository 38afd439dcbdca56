"""What later answers add to a user who was read from the list: dates, roles given directly, acceptance. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Never, Seen
from cleanup_gitops.model.user import License, RoleSeat, SeatPath, User
from cleanup_gitops.sites.cloud.activity import NO_ACCESS, NOT_KNOWN, NOT_LISTED, Activities, joined
from cleanup_gitops.sites.cloud.belonging import CONFLUENCE_ADMIN, Belonging
from cleanup_gitops.sites.cloud.grants import CONFLUENCE_ADMINS, license_of


def with_dates(user: User, dates: Activities, never: Activity) -> User:
    """The user with what last-active-dates said; what the listing left open and is not in it was never used."""
    here = None if user.seen == NO_ACCESS else user.seen
    both = joined(Activities(here, user.elsewhere or ()), dates, never)
    return replace(user, seen=both.here or never, elsewhere=both.elsewhere)


def without_dates(user: User) -> User:
    """The user when last-active-dates does not know the account: what is open stays so."""
    elsewhere = user.elsewhere
    if elsewhere is not None:
        elsewhere = tuple((product, _or_not_known(activity)) for product, activity in elsewhere)
    return replace(user, seen=_or_not_known(user.seen), elsewhere=elsewhere)


def _or_not_known(activity: Activity) -> Activity:
    return NOT_KNOWN if activity == NOT_LISTED else activity


def must_be_asked(user: User, lately: datetime) -> bool:
    """Whether the listing left open what may decide about the user.

    That is when a holder of a license last used Confluence; and, for whoever was not seen since ``lately``, the use of
    another product.
    """
    seen = user.seen
    if not isinstance(seen, Seen):
        return seen == NOT_LISTED and user.license in ("seat", "guest")
    if seen.latest >= lately:
        return False
    others = None if user.elsewhere is None else [activity for _, activity in user.elsewhere]
    if others is None:
        return True
    return NOT_LISTED in others and all(one.latest < lately for one in others if isinstance(one, Seen))


def with_license(user: User, license_: License, seats: tuple[SeatPath, ...] | None) -> User:
    """The user with the license of a direct role."""
    seen = NOT_LISTED if user.seen == NO_ACCESS and license_ != "none" else user.seen
    return replace(user, license=license_, seats=seats, seen=seen)


def with_roles(user: User, direct: Sequence[str], belonging: Belonging | None) -> User:
    """The user with the roles in this Confluence that were given directly, beside what ``belonging`` gives."""
    by_role = license_of(direct)
    by_group: License = belonging.license if belonging else "unknown"
    order: tuple[License, ...] = ("seat", "unknown", "guest")
    license_: License = next((one for one in order if one in (by_role, by_group)), "none")
    given = tuple(RoleSeat(role) for role in direct if license_of([role]) != "none")
    paths = (*(belonging.known_seats if belonging else ()), *given)
    held = with_license(user, license_, None if license_ == "unknown" else paths)
    held = replace(held, direct=tuple(direct))
    return administering(held) if CONFLUENCE_ADMINS.intersection(direct) else held


def administering(user: User) -> User:
    """The user as an administrator of this Confluence."""
    roles = user.roles
    if roles is not None and CONFLUENCE_ADMIN not in roles:
        roles = tuple(sorted((*roles, CONFLUENCE_ADMIN)))
    return replace(user, admin=True, roles=roles)


def age_known(user: User, added: datetime | None) -> User:
    """The user with the day of being added, when only last-active-dates tells it."""
    return user if user.added or not added else replace(user, added=added)


def settled(user: User) -> User:
    """The user, after the last answer about activity: whoever was seen anywhere has accepted the invitation.

    Whoever has no verified address and may have been seen, for all that is known, is left open.
    """
    if user.accepted is True:
        return user
    if ever_seen(user.seen, user.elsewhere):
        return replace(user, accepted=True)
    if user.accepted is None:
        return user
    others = None if user.elsewhere is None else [activity for _, activity in user.elsewhere]
    never = isinstance(user.seen, Never) and others is not None and all(isinstance(one, Never) for one in others)
    return user if never else replace(user, accepted=None)


def ever_seen(here: Activity | None, elsewhere: tuple[tuple[str, Activity], ...] | None) -> bool:
    """Whether an account was seen in any product."""
    return isinstance(here, Seen) or any(isinstance(activity, Seen) for _, activity in elsewhere or ())
