"""From a row of ``users/search`` to facts. Pure; what the site did not say stays unknown.

* ``status`` is the composite status, checked against account and membership status where those are given; words that
  are not documented or contradict each other make it unknown.
* ``writable`` is whether suspending can be done here: not for accounts that an identity provider syncs, unless the Site
  document says so. How an account came into the directory is documented for managed accounts only, so that an unmanaged
  account without it is writable, and a managed (or unclear) one without it is unknown.
* ``accepted`` is settled only after all activity was read (`later`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cleanup_gitops.model.activity import Activity
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.people import Person
from cleanup_gitops.model.user import Kind, Status, User
from cleanup_gitops.policy.patterns import glob, normal_domain
from cleanup_gitops.sites.cloud.activity import NO_ACCESS, NOT_LISTED, Activities, Sightings, moment, with_granted
from cleanup_gitops.sites.cloud.belonging import ADMIN_ROLES, Belonging, Belongings
from cleanup_gitops.sites.cloud.grants import bare_id, bare_role
from cleanup_gitops.sites.cloud.later import ever_seen
from cleanup_gitops.sites.cloud.wire import UserRow

ATTRIBUTES = ("department", "job_title", "location", "organization")
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
_KINDS: dict[str, Kind] = {"atlassian": "person", "app": "app", "customer": "customer"}


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
    """Turns rows into users of one directory. ``groups`` are all groups of the directory by id.

    ``claimed_domains`` are those that the organization has verified, ``None`` when it did not tell;
    ``suspend_synced``: accounts that an identity provider syncs are suspended here all the same.
    """

    def __init__(
        self,
        *,
        directory: str,
        groups: Mapping[str, Group],
        sightings: Sightings,
        service_accounts: Sequence[str],
        internal_domains: Iterable[str] = (),
        claimed_domains: Iterable[str] | None = None,
        suspend_synced: bool = False,
    ) -> None:
        self._directory = directory
        self._groups = groups
        self.belongings = Belongings(groups)
        self.sightings = sightings
        self._service = [glob(pattern) for pattern in service_accounts]
        self._internal = frozenset(internal_domains)
        self._all_claimed = claimed_domains is not None and self._internal <= frozenset(claimed_domains)
        self._suspend_synced = suspend_synced
        self._domains: dict[str, str | None] = {}

    def user(self, row: UserRow) -> User:
        """All facts but those about roles that were given to the user directly."""
        belonging = None if row.groups is None else self.belongings.of(group.id for group in row.groups)
        listed = None
        if row.product_access is not None:
            listed = self.sightings.of_listing(row.product_access)
        domain = self._domain(row.email)
        synced = _synced(row)
        managed = {"managed": True, "unmanaged": False}.get(row.claim_status or "")
        status = status_of(row)
        return User(
            id=row.account_id,
            directory=self._directory,
            status=status,
            kind=self._kind(row, domain, managed=managed),
            license=belonging.license if belonging else "unknown",
            managed=managed,
            synced=synced,
            writable=self._writable(synced=synced, managed=managed),
            admin=_admin(row, belonging),
            domain=domain,
            added=moment(row.added_to_org),
            seen=_seen(listed, belonging),
            elsewhere=_elsewhere(listed, belonging),
            groups=belonging.groups if belonging else None,
            seats=belonging.seats if belonging else None,
            attributes=_attributes(row),
            roles=_roles(row, belonging),
            external=self._external(domain, managed=managed),
            has_email=_has_email(row),
            accepted=_accepted(row, listed),
            status_since=moment(row.deactivated_on) if status == "deactivated" else None,
        )

    def person(self, row: UserRow) -> Person:
        """Name and e-mail address, for views only."""
        return Person(row.name or row.nickname or "", row.email or None)

    def unknown_groups(self, row: UserRow) -> bool:
        """Whether the user is in a group that was not read."""
        return any(bare_id(group.id) not in self._groups for group in row.groups or ())

    def has_role_through_group(self, user: User) -> bool:
        """Whether a group of the user gives any role in this Confluence, or may give one."""
        return bool(user.groups) and self.belongings.of(user.groups or ()).granted

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

    def _writable(self, *, synced: bool | None, managed: bool | None) -> bool | None:
        if synced is not None:
            return self._suspend_synced or not synced
        return True if managed is False or self._suspend_synced else None

    def _external(self, domain: str | None, *, managed: bool | None) -> bool | None:
        """By the domain; where the address is hidden, by whether the organization would manage one of its own."""
        if not self._internal:
            return None
        if domain is not None:
            return domain not in self._internal
        if managed:
            return False
        return True if managed is False and self._all_claimed else None

    def _domain(self, email: str | None) -> str | None:
        name, at, domain = (email or "").rpartition("@")
        if not (name and at and domain):
            return None
        if domain not in self._domains:
            self._domains[domain] = normal_domain(domain)
        return self._domains[domain]


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


def _roles(row: UserRow, belonging: Belonging | None) -> tuple[str, ...] | None:
    """Administrative roles by the organization and through groups; ``None`` unless all of it was told."""
    if row.platform_roles is None or belonging is None or belonging.roles is None:
        return None
    own = [ADMIN_ROLES[name] for name in map(bare_role, row.platform_roles) if name in ADMIN_ROLES]
    return tuple(sorted({*belonging.roles, *own})) if own else belonging.roles


def _attributes(row: UserRow) -> tuple[tuple[str, str], ...]:
    found = ((name, (getattr(row, name) or "").strip()) for name in ATTRIBUTES)
    return tuple((name, text) for name, text in found if text)


def _has_email(row: UserRow) -> bool | None:
    """An address that is not in a full row is hidden; of a row that tells nothing of a person it is not known."""
    if row.email:
        return True
    return None if row.name is None and row.nickname is None else False


def _accepted(row: UserRow, listed: Activities | None) -> bool | None:
    """False is for now: `settled` asks again when all of the account's activity is known."""
    if row.email_verified or (listed and ever_seen(listed.here, listed.elsewhere)):
        return True
    return row.email_verified


def _admin(row: UserRow, belonging: Belonging | None) -> bool | None:
    roles = row.platform_roles
    if roles is not None and any(bare_role(role) in ADMIN_ROLES for role in roles):
        return True
    by_group = belonging.admin if belonging else None
    if by_group:
        return True
    return None if roles is None or by_group is None else False
