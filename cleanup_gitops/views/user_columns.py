"""The columns of ``cleanup-gitops users``."""

from __future__ import annotations

from datetime import UTC

from cleanup_gitops.model.activity import LAG_DAYS, Seen, Unknown
from cleanup_gitops.model.user import GrantSeat, GroupSeat, RoleSeat, SeatPath, User
from cleanup_gitops.views.columns import Column, Labelled, Value, last_use
from cleanup_gitops.views.facts import Facts

NOT_ANY = Labelled("", None)
"""There is nothing to say, which is not the same as not knowing."""


def _name(user: User, facts: Facts) -> Value:
    return facts.people.name(user.id)


def _email(user: User, facts: Facts) -> Value:
    email = facts.people.email(user.id)
    return Labelled("hidden", None) if email is None and user.has_email is False else email


def _status(user: User, _: Facts) -> Value:
    """An invitation that nobody accepted is no account that somebody stopped using."""
    return Labelled("invited", "active") if user.status == "active" and user.accepted is False else _known(user.status)


def _known(word: str) -> str | None:
    return None if word == "unknown" else word


def idle_days(user: User, facts: Facts) -> int | None:
    """Days between the UTC dates of the last use of Confluence and of the reading, after the source's lag, at least 0.

    ``None`` for somebody who never came, or of whom nothing is known.
    """
    seen = user.seen
    if not isinstance(seen, Seen):
        return None
    days = (facts.inventory.as_of.astimezone(UTC).date() - seen.latest.astimezone(UTC).date()).days
    return max(0, days - LAG_DAYS[seen.source])


def _idle(user: User, facts: Facts) -> Value:
    days = idle_days(user, facts)
    return NOT_ANY if days is None else days


def _seen(user: User, _: Facts) -> Value:
    return user.seen


def _source(user: User, _: Facts) -> Value:
    return NOT_ANY if isinstance(user.seen, Unknown) else user.seen.source


def _elsewhere(user: User, _: Facts) -> Value:
    if user.elsewhere is None:
        return None
    return tuple(
        Labelled(f"{product} {last_use(one)}", {"product": product, "seen": one}) for product, one in user.elsewhere
    )


def _groups(user: User, facts: Facts) -> Value:
    if user.groups is None:
        return None
    found = [Labelled(facts.group(one), {"id": one, "name": facts.group(one)}) for one in user.groups]
    return tuple(sorted(found, key=lambda one: (one.words.casefold(), one.data["id"])))


def _seats(user: User, facts: Facts) -> Value:
    return None if user.seats is None else tuple(_path(path, facts) for path in user.seats)


def _path(path: SeatPath, facts: Facts) -> Labelled:
    match path:
        case GroupSeat():
            chain = [{"id": one, "name": facts.group(one)} for one in path.chain]
            return Labelled(f"group {' > '.join(map(facts.group, path.chain))}", {"by": "group", "chain": chain})
        case RoleSeat():
            return Labelled(f"role {path.role}", {"by": "role", "role": path.role})
        case GrantSeat():
            return Labelled(f"permission {path.permission}", {"by": "permission", "permission": path.permission})


def _attributes(user: User, _: Facts) -> Value:
    return tuple(Labelled(f"{name}: {value}", {"name": name, "value": value}) for name, value in user.attributes)


_COLUMNS: tuple[Column[User], ...] = (
    Column("id", "ID", "account id", lambda user, _: user.id),
    Column("name", "NAME", "display name", _name, cut=True),
    Column("email", "E-MAIL", "e-mail address, where the site shows it", _email, cut=True),
    Column("domain", "DOMAIN", "domain of the e-mail address", lambda user, _: user.domain, cut=True),
    Column("status", "STATUS", "of the account; `invited`: active, and the invitation was never accepted", _status),
    Column("accepted", "ACCEPTED", "no: invited, and never came", lambda user, _: user.accepted),
    Column("status_since", "STATUS SINCE", "since when the status is so", lambda user, _: user.status_since),
    Column("kind", "KIND", "person, service, app or customer", lambda user, _: _known(user.kind)),
    Column("license", "LICENSE", "seat, guest or none", lambda user, _: _known(user.license)),
    Column("billed", "BILLED", "whether a paid seat is occupied now", lambda user, _: user.billed),
    Column("managed", "MANAGED", "whether your organization manages the account", lambda user, _: user.managed),
    Column("synced", "SYNCED", "whether an identity provider syncs it", lambda user, _: user.synced),
    Column("external", "EXTERNAL", "whether it belongs to somebody outside", lambda user, _: user.external),
    Column("admin", "ADMIN", "whether it administers anything here", lambda user, _: user.admin),
    Column("roles", "ROLES", "administrative roles", lambda user, _: user.roles, cut=True),
    Column("added", "ADDED", "day it was added", lambda user, _: user.added),
    Column("seen", "LAST SEEN", "last use of Confluence: a day, never, or unknown and why", _seen, cut=True),
    Column("source", "SOURCE", "who told the last use", _source),
    Column("idle", "IDLE", "days since the last use, after the delay of the source", _idle, number=True),
    Column("elsewhere", "ELSEWHERE", "last use of other products", _elsewhere, cut=True),
    Column("groups", "GROUPS", "groups it is a direct member of", _groups, cut=True),
    Column("seats", "SEATS", "every way by which a license is held", _seats, cut=True),
    Column("direct", "DIRECT ROLES", "roles given to it alone, where asked", lambda user, _: user.direct, cut=True),
    Column("attributes", "ATTRIBUTES", "such as the department", _attributes, cut=True),
    Column("directory", "DIRECTORY", "where the account lives", lambda user, _: user.directory),
)
USER_COLUMNS = {column.name: column for column in _COLUMNS}
PERSONAL = ("name", "email")
"""Columns that say who somebody is."""
SHOWN = ("id", "name", "status", "kind", "license", "seen", "idle")
"""Columns of a table when nobody says which."""
EXPORTED = tuple(name for name in USER_COLUMNS if name != "email")
"""The same for the other forms: an address has to be asked for."""


def without_people(*, ids_only: bool) -> dict[str, Column[User]]:
    """The columns, with ``ids_only`` those that do not say who somebody is."""
    return {name: column for name, column in USER_COLUMNS.items() if not (ids_only and name in PERSONAL)}
