"""From a row of ``users/search`` to facts. Pure; what the site did not say stays unknown.

* ``status`` is the composite status, checked against account and membership status where those are given; words that
  are not documented or contradict each other make it unknown.
* ``writable`` is whether suspending can be done here: not for accounts that an identity provider syncs. How an account
  came into the directory is documented for managed accounts only, so that an unmanaged account without it is writable,
  and a managed (or unclear) one without it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Seen
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.people import Person
from cleanup_gitops.model.user import GroupSeat, Kind, License, SeatPath, Status, User
from cleanup_gitops.policy.patterns import glob, normal_domain
from cleanup_gitops.sites.cloud.activity import (
    CONFLUENCE,
    NO_ACCESS,
    NOT_KNOWN,
    NOT_LISTED,
    Activities,
    Sightings,
    joined,
    moment,
    with_granted,
)
from cleanup_gitops.sites.cloud.grants import bare_id
from cleanup_gitops.sites.cloud.wire import UserRow

ADMIN_ROLES = frozenset({"org-admin", "site-admin", "user-access-admin"})
"""Platform roles that make an administrator."""
SERVICE_DOMAIN = "serviceaccount.atlassian.com"
_STATUS: dict[str, Status] = {
    "active": "active",
    "suspended": "suspended",
    "deactivated": "deactivated",
    "for_deletion": "deleting",
    "not_invited": "absent",
}
_FITTING: dict[Status, tuple[frozenset[str], frozenset[str]]] = {
    "active": (frozenset({"active"}), frozenset({"active"})),
    "suspended": (frozenset({"active"}), frozenset({"suspended"})),
    "absent": (frozenset({"active"}), frozenset({"no_membership"})),
    "deactivated": (
        frozenset({"inactive"}), frozenset({"active", "suspended", "no_membership"}),
    ),
    "deleting": (
        frozenset({"active", "inactive", "closed"}),
        frozenset({"active", "suspended", "no_membership"}),
    ),
}  # fmt: skip
"""For each status the words of ``accountStatus`` and ``membershipStatus`` that go with it."""
NO_PRODUCTS = frozenset({CONFLUENCE, "platform"})
"""Owners of resources whose use is not listed as that of another product: this site, and the organization itself."""
_PRODUCT_KEYS = {"jira-servicedesk": "jira-service-desk"}
"""Products whose key in lists of activity is not the owner's name in lists of roles."""
_KINDS: dict[str, Kind] = {"atlassian": "person", "app": "app", "customer": "customer"}


class Belonging(Struct, frozen=True, kw_only=True):
    """What follows from a set of groups; shared by all users with the same groups."""

    groups: tuple[str, ...]
    license: License
    seats: tuple[SeatPath, ...] | None
    admin: bool | None
    granted: bool
    """Whether one of the groups gives any role in this Confluence, or may give one."""
    products: tuple[str, ...] | None
    """Keys of other products that the groups give; ``None`` when one of them did not tell all that it gives."""


NO_BELONGING = Belonging(groups=(), license="none", seats=(), admin=False, granted=False, products=())


def status_of(row: UserRow) -> Status:
    """The composite status, or "unknown" when words are missing, new or contradictory."""
    account, membership = row.account_status, row.membership_status
    if row.status is not None:
        found = _STATUS.get(row.status, "unknown")
    elif account and membership:
        found = next(
            (
                status
                for status, (accounts, memberships) in _FITTING.items()
                if account in accounts and membership in memberships
            ),
            "unknown",
        )
    else:
        return "unknown"
    if found == "unknown":
        return found
    accounts, memberships = _FITTING[found]
    fits = (account is None or account in accounts) and (membership is None or membership in memberships)
    if row.for_deletion and found in ("active", "suspended", "absent"):
        fits = False
    return found if fits else "unknown"


class Translator:
    """Turns rows into users of one directory. ``groups`` are all groups of the directory by id."""

    def __init__(
        self,
        *,
        directory: str,
        groups: Mapping[str, Group],
        sightings: Sightings,
        service_accounts: Sequence[str],
        internal_domains: Iterable[str] = (),
    ) -> None:
        self._directory = directory
        self._groups = groups
        self.sightings = sightings
        self._service = [glob(pattern) for pattern in service_accounts]
        self._internal = frozenset(internal_domains)
        self._paths = {group: GroupSeat((group,)) for group in groups}
        self._belongings: dict[tuple[str, ...], Belonging] = {(): NO_BELONGING}
        self._domains: dict[str, str | None] = {}
        self._keys: dict[str, str] = {}

    def user(self, row: UserRow) -> User:
        """All facts but those about roles that were given to the user directly."""
        belonging = self.belonging(row)
        listed = None
        if row.product_access is not None:
            listed = self.sightings.of_listing(row.product_access)
        domain = self._domain(row.email)
        synced = _synced(row)
        managed = {"managed": True, "unmanaged": False}.get(row.claim_status or "")
        return User(
            id=row.account_id,
            directory=self._directory,
            status=status_of(row),
            kind=self._kind(row, domain, managed=managed),
            license=belonging.license if belonging else "unknown",
            managed=managed,
            synced=synced,
            writable=_writable(synced=synced, managed=managed),
            admin=_admin(row, belonging),
            domain=domain,
            added=moment(row.added_to_org),
            seen=_seen(listed, belonging),
            elsewhere=_elsewhere(listed, belonging),
            groups=belonging.groups if belonging else None,
            seats=belonging.seats if belonging else None,
        )

    def person(self, row: UserRow) -> Person:
        """Name and e-mail address, for views only."""
        return Person(row.name or row.nickname or "", row.email or None)

    def unknown_groups(self, row: UserRow) -> bool:
        """Whether the user is in a group that was not read."""
        return any(bare_id(group.id) not in self._groups for group in row.groups or ())

    def belonging(self, row: UserRow) -> Belonging | None:
        """What the user's groups give; ``None`` when the site did not tell the groups."""
        if row.groups is None:
            return None
        key = tuple(sorted(bare_id(group.id) for group in row.groups))
        found = self._belongings.get(key)
        if found is None:
            found = self._belongings[key] = self._belonging(key)
        return found

    def has_role_through_group(self, user: User) -> bool:
        """Whether a group of the user gives any role in this Confluence, or may give one."""
        if not user.groups:
            return False
        return self._belongings[user.groups].granted

    def _belonging(self, ids: tuple[str, ...]) -> Belonging:
        groups = [self._groups[one] for one in ids if one in self._groups]
        untold = len(groups) < len(ids) or any(group.grants is None for group in groups)
        given = {grant.product for group in groups for grant in group.grants or ()}
        licenses: set[License] = {group.license for group in groups}
        if len(groups) < len(ids):
            licenses.add("unknown")
        order: tuple[License, ...] = ("seat", "unknown", "guest")
        license_: License = next((one for one in order if one in licenses), "none")
        paths = tuple(self._paths[one.id] for one in groups if one.license == license_)
        admins = {group.admin for group in groups}
        if len(groups) < len(ids):
            admins.add(None)
        return Belonging(
            groups=tuple(self._keys.setdefault(one, one) for one in ids),
            license=license_,
            seats=None if license_ == "unknown" else () if license_ == "none" else paths,
            admin=True if True in admins else None if None in admins else False,
            granted=untold or CONFLUENCE in given,
            products=None if untold else tuple(sorted({_PRODUCT_KEYS.get(one, one) for one in given - NO_PRODUCTS})),
        )

    def _kind(self, row: UserRow, domain: str | None, *, managed: bool | None) -> Kind:
        """By what the account's owner cannot edit: names are left out, and so are addresses of outsiders."""
        if domain == SERVICE_DOMAIN:
            return "service"
        names = [row.account_id.casefold()]
        if row.email and (managed is not False or domain in self._internal):
            names.append(row.email.rpartition("@")[0].casefold())
        if any(pattern.fullmatch(name) for pattern in self._service for name in names):
            return "service"
        return _KINDS.get(row.account_type or "", "unknown")

    def _domain(self, email: str | None) -> str | None:
        name, at, domain = (email or "").rpartition("@")
        if not (name and at and domain):
            return None
        if domain not in self._domains:
            self._domains[domain] = normal_domain(domain)
        return self._domains[domain]


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


def age_known(user: User, added: datetime | None) -> User:
    """The user with the day of being added, when only last-active-dates tells it."""
    return user if user.added or not added else replace(user, added=added)


def _elsewhere(listed: Activities | None, belonging: Belonging | None) -> tuple[tuple[str, Activity], ...] | None:
    """Other products, among them those that the user's groups give and the list leaves out; ``None``: not all told."""
    if listed is None or belonging is None or belonging.products is None:
        return None
    return with_granted(listed, belonging.products).elsewhere


def _seen(listed: Activities | None, belonging: Belonging | None) -> Activity:
    if listed and listed.here:
        return listed.here
    return NO_ACCESS if belonging and belonging.license == "none" else NOT_LISTED


def _synced(row: UserRow) -> bool | None:
    return {"synced": True, "invited": False}.get(row.management_source or "")


def _writable(*, synced: bool | None, managed: bool | None) -> bool | None:
    if synced is not None:
        return not synced
    return True if managed is False else None


def _admin(row: UserRow, belonging: Belonging | None) -> bool | None:
    roles = row.platform_roles
    if roles is not None and any(role.rpartition("/")[2] in ADMIN_ROLES for role in roles):
        return True
    by_group = belonging.admin if belonging else None
    if by_group:
        return True
    return None if roles is None or by_group is None else False
