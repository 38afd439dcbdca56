"""The explaining reading of conditions about one plain fact.

Texts repeat what policies say and what the site calls things, but no name, address or attribute of a person: those are
only said to fit or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import assert_never

from cleanup_gitops.model.activity import Never, Unknown
from cleanup_gitops.model.user import GrantSeat, GroupSeat, RoleSeat, SeatPath, User
from cleanup_gitops.policy.beginning import find_beginner
from cleanup_gitops.policy.finding import Finding, not_kept
from cleanup_gitops.policy.leaving import find_leaver
from cleanup_gitops.policy.patterns import glob
from cleanup_gitops.policy.scope import Scope
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    Begins,
    EmailIs,
    ExternalIs,
    Fact,
    HasLeft,
    HasRole,
    InDirectory,
    InStatusFor,
    LicenseIs,
    ListedIn,
    ManagedIs,
    NameIs,
    SeatVia,
    StatusIs,
    SyncedIs,
    Told,
)


def find_fact(node: Fact, user: User, scope: Scope) -> Finding:
    """Ask one of these predicates about one user."""
    match node:
        case InDirectory():
            return _directory(node, user, scope)
        case NameIs():
            return _name(node, user, scope)
        case AttributeIs():
            return _attribute(node, user, scope)
        case HasRole():
            return _role(node, user)
        case SeatVia():
            return _seat_via(node, user, scope)
        case ActiveOnlyOnce():
            return _once(node, user)
        case AccountIs():
            listed = user.id in node.accounts
            detail = "listed in the policy" if listed else "not listed"
            return Finding(f"account ({len(node.accounts)} listed)", listed, detail)
        case ListedIn():
            return _listed_in(node, user, scope)
        case HasLeft() | Begins():
            return _by_roster(node, user, scope)
        case _:
            return _told(node, user, scope)


def _by_roster(node: HasLeft | Begins, user: User, scope: Scope) -> Finding:
    if isinstance(node, HasLeft):
        return find_leaver(node, user, scope)
    return find_beginner(node.roster, scope.beginning(node.roster), user)


def _told(node: Told, user: User, scope: Scope) -> Finding:
    match node:
        case StatusIs():
            found = user.status in node.statuses or ("disabled" in node.statuses and user.status == "suspended")
            return _word("status", node.statuses, user.status, found=found)
        case LicenseIs():
            return _word("license", node.licenses, user.license, found=user.license in node.licenses)
        case InStatusFor():
            return _status_since(node, user, scope.as_of)
        case AddedFor():
            return _since(f"added_for {node.days}d", "added", user.added, node.days, scope.as_of)
        case ManagedIs():
            return _flag("managed", user.managed, node.wanted, ("managed account", "unmanaged account"))
        case SyncedIs():
            return _flag("synced", user.synced, node.wanted, ("synced by an identity provider", "not synced"))
        case ExternalIs():
            return _flag("external", user.external, node.wanted, ("external account", "internal account"))
        case EmailIs():
            return _email(node, user)
        case _:
            assert_never(node)


def _word(key: str, words: Iterable[str], told: str, *, found: bool) -> Finding:
    asked = f"{key} {', '.join(words)}"
    if told == "unknown":
        return Finding(asked, None, f"the {key} is not known")
    return Finding(asked, found, f"{key} {told}")


def _since(asked: str, word: str, at: datetime | None, days: int, as_of: datetime) -> Finding:
    if at is None:
        return Finding(asked, None, f"{word} an unknown day")
    age = _utc_day(as_of) - _utc_day(at)
    return Finding(asked, age > days, f"{word} {_date(at)}, {_days(age)}")


def _status_since(node: InStatusFor, user: User, as_of: datetime) -> Finding:
    """What the site tells, or else what the snapshots do: two days between which the status changed."""
    asked = f"in_status_for {node.days}d"
    if user.status_since is not None or user.status_by is None:
        return _since(asked, f"{user.status} since", user.status_since, node.days, as_of)
    latest, word = user.status_by, f"{user.status} by the snapshots: since"
    age = _utc_day(as_of) - _utc_day(latest)
    if age > node.days:
        return Finding(asked, verdict=True, detail=f"{word} {_date(latest)} at the latest, {_days(age)}")
    earliest = user.status_after
    if earliest is None:
        return Finding(asked, None, f"{word} {_date(latest)} at the latest, and not known before")
    age = _utc_day(as_of) - _utc_day(earliest)
    if age <= node.days:
        return Finding(asked, verdict=False, detail=f"{word} {_date(earliest)} at the earliest, {_days(age)}")
    return Finding(asked, None, f"{word} a day between {_date(earliest)} and {_date(latest)}")


def _flag(word: str, told: bool | None, wanted: bool, texts: tuple[str, str]) -> Finding:  # noqa: FBT001 - facts
    asked = f"{word} {'true' if wanted else 'false'}"
    if told is None:
        return Finding(asked, None, f"whether it is {word} is not known")
    return Finding(asked, told is wanted, texts[0] if told else texts[1])


def _email(node: EmailIs, user: User) -> Finding:
    asked = f"email {'present' if node.present else 'absent'}"
    if user.has_email is None:
        return Finding(asked, None, "whether there is an e-mail address is not known")
    detail = "an e-mail address is shown" if user.has_email else "no e-mail address is shown"
    return Finding(asked, user.has_email is node.present, detail)


def _directory(node: InDirectory, user: User, scope: Scope) -> Finding:
    asked = f"directory {', '.join(node.patterns)}"
    directories, missing = scope.directories(node.patterns)
    if missing:
        return Finding(asked, None, f"the site has no directory {', '.join(missing)}")
    return Finding(asked, user.directory in directories, f"in directory {user.directory}")


def _name(node: NameIs, user: User, scope: Scope) -> Finding:
    """The patterns may be names themselves, so that they are counted, not repeated."""
    asked = f"name ({len(node.patterns)} pattern{'' if len(node.patterns) == 1 else 's'})"
    name = scope.people.name(user.id)
    if not name:
        return Finding(asked, None, not_kept("name") if scope.inventory.recorded else "the name is not known here")
    found = _fitting(node.patterns, name) is not None
    return Finding(asked, found, "the name fits" if found else "the name does not fit")


def _attribute(node: AttributeIs, user: User, scope: Scope) -> Finding:
    """The value is not repeated: it is free text, in which anything may stand."""
    word = node.name.replace("_", " ")
    asked = f"attribute {node.name} {', '.join(node.patterns)}"
    value = dict(user.attributes).get(node.name)
    if value is None:
        kept = scope.inventory.kept_attributes
        known = kept is None or node.name in kept
        return Finding(asked, None, f"the {word} is not known" if known else not_kept(word))
    fits = _fitting(node.patterns, value)
    if fits is None:
        return Finding(asked, verdict=False, detail=f"another {word}")
    return Finding(asked, verdict=True, detail=f"{word} {fits}")


def _fitting(patterns: Iterable[str], text: str) -> str | None:
    """The first pattern that fits."""
    return next((pattern for pattern in patterns if glob(pattern).fullmatch(text.casefold())), None)


def _role(node: HasRole, user: User) -> Finding:
    asked = f"has_role {', '.join(node.roles)}"
    if user.roles is None:
        return Finding(asked, None, "the administrative roles are not known")
    held = [role for role in user.roles if role in node.roles]
    return Finding(asked, bool(held), f"holds {', '.join(held)}" if held else "holds none of these roles")


def _seat_via(node: SeatVia, user: User, scope: Scope) -> Finding:
    asked = f"seat_via {', '.join([*node.groups, *(['a direct role'] if node.direct else [])])}"
    targets = scope.targets(node.groups)
    groups = {} if targets.missing else {one: targets.names[one] for one in targets.found}
    ways = dict.fromkeys(way for path in user.seats or () for way in _ways(path, groups, direct=node.direct))
    if ways:
        return Finding(asked, verdict=True, detail=f"license through {', '.join(ways)}")
    if targets.missing:
        return Finding(asked, None, f"the site has no group {', '.join(targets.missing)}")
    if user.seats is None:
        return Finding(asked, None, "how the license is held is not known")
    if node.direct and user.direct is None:
        told = "roles that are held directly are not known"
        return Finding(asked, None, not_kept("roles held directly") if scope.inventory.recorded else told)
    return Finding(asked, verdict=False, detail="no license in such a way")


def _ways(path: SeatPath, groups: Mapping[str, str], *, direct: bool) -> list[str]:
    """What fits of one way to a license."""
    match path:
        case GroupSeat():
            return [f"group {groups[one]}" for one in path.chain if one in groups]
        case RoleSeat():
            return [f"role {path.role}"] if direct else []
        case GrantSeat():
            return [f"permission {path.permission}"] if direct else []
        case _:
            assert_never(path)


def _listed_in(node: ListedIn, user: User, scope: Scope) -> Finding:
    """An id or an address says who is listed only as long as it belongs to one known person: others are left alone."""
    asked = f"listed_in {node.source}"
    known = scope.lists.get(node)
    if known is None:
        return Finding(asked, None, f"the list {node.source} was not read")
    if node.by == "account":
        found = user.id in known.entries
        return Finding(asked, found, f"{'' if found else 'not '}listed in {known.words}")
    address = scope.addresses.of.get(user.id)
    if address is None:
        told = "the e-mail address is not known here"
        return Finding(asked, None, not_kept("e-mail address") if scope.inventory.recorded else told)
    if address not in known.entries:
        return Finding(asked, verdict=False, detail=f"not listed in {known.words}")
    if doubt := listed_doubt(user, address, scope):
        return Finding(asked, None, f"the e-mail address is listed in {known.words}, but {doubt}")
    return Finding(asked, verdict=True, detail=f"listed in {known.words}")


def listed_doubt(user: User, address: str, scope: Scope) -> str:
    """Why a listed address need not mean the person who has this account; empty when it does."""
    if address in scope.addresses.shared:
        return "several accounts have it"
    if user.managed is None:
        return "whether the account is managed is not known"
    return "" if user.managed else "the account is not managed"


def _once(node: ActiveOnlyOnce, user: User) -> Finding:
    asked = f"active_only_once {'true' if node.wanted else 'false'}"
    seen = user.seen
    if isinstance(seen, Never):
        return Finding(asked, not node.wanted, "never seen")
    if isinstance(seen, Unknown):
        return Finding(asked, None, f"activity unknown: {seen.reason}")
    if user.added is None:
        return Finding(asked, None, "the day it was added is not known")
    added, first, last = (_utc_day(one) for one in (user.added, seen.earliest, seen.latest))
    if added <= first and last - added <= 1:
        return Finding(asked, node.wanted, "last seen within a day of being added")
    return Finding(asked, None, "whether it was used more than once is not known")


def _date(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _days(age: int) -> str:
    return "1 day" if age == 1 else f"{max(age, 0)} days"


def _utc_day(at: datetime) -> int:
    return at.astimezone(UTC).date().toordinal()
