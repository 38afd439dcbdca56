"""The invented site of a policy test: what its document says, and what is usual where it says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Any

from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Never, Unknown, seen_at
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Inventory, Proof, Reading
from cleanup_gitops.model.memory import Mark
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import Lifecycle, RoleSeat, User
from cleanup_gitops.planner.assume import may_administer, seat_paths, with_seats
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists, UserList
from cleanup_gitops.policy.patterns import glob, is_glob
from cleanup_gitops.policy.policytest import PolicyTest
from cleanup_gitops.policy.policytest_shapes import GroupFacts, Standing, UserFacts
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows
from cleanup_gitops.policy.site import Site
from cleanup_gitops.policy.tree import InDirectory, InGroup, Match, SeatVia, predicates

BYSTANDER = "somebody else"
"""Administers the invented site, so that no test takes its last administrator away; no test can name them."""
_HERE = "default"
_AGE = timedelta(days=3 * 365)
"""Accounts were added so long before the test, where it does not say when."""
_OURS = Lifecycle(enablement="", deletion="")
_SYNCED = Lifecycle(enablement="externalDirectory.scim", deletion="externalDirectory.scim")
_PROOF = Proof(readings=(Reading(what="the test", endpoint="", pages=1, items=1, ended=True),))


@dataclass(frozen=True, slots=True)
class Invented:
    """The site on one day, and the people and lists that conditions may ask for."""

    inventory: Inventory
    people: People
    lists: Lists


def noon(day: date) -> datetime:
    """The instant (UTC) that stands for a day of a test."""
    return datetime.combine(day, time(12), UTC)


def first_day(test: PolicyTest, policies: SitePolicies, site: Site | None) -> Invented:
    """The invented site as its test begins."""
    day = test.days[0]
    given = {one.says.id: one.says for one in day.users}
    bare = _bare(test, policies, noon(day.as_of))
    internal = site.internal_domains if site else ()
    suspended_here = site is not None and site.synced_users == "suspend"
    users = [_user(one, _usual(one.id, day.as_of), bare, internal) for one in given.values()]
    users = [_writable(one, here=suspended_here) for one in users]
    users.append(replace(_usual(BYSTANDER, day.as_of), roles=("organization-admin",), admin=True))
    return _invented(bare, users, given, policies, day.as_of)


def next_day(test: PolicyTest, number: int, after: Inventory, policies: SitePolicies, site: Site | None) -> Invented:
    """The site on a later day: ``after`` is what the plan of the day before left, and some facts are others now."""
    day = test.days[number]
    changed = {one.says.id: one.says for one in day.users}
    bare = replace(after, as_of=noon(day.as_of), users=())
    internal = site.internal_domains if site else ()
    here = site is not None and site.synced_users == "suspend"
    users = [
        _writable(_user(changed[one.id], one, bare, internal), here=here) if one.id in changed else one
        for one in after.users
    ]
    told: dict[str, UserFacts] = {}
    for one in test.days[: number + 1]:
        for stated in one.users:
            known = told.get(stated.says.id)
            told[stated.says.id] = _merged(known, stated.says) if known else stated.says
    return _invented(bare, users, told, policies, day.as_of)


def _merged(known: UserFacts, now: UserFacts) -> UserFacts:
    """All that a test has said of a user up to a day."""
    return known.model_copy(update={name: getattr(now, name) for name in now.model_fields_set})


def marks_of(test: PolicyTest) -> tuple[Mark, ...]:
    """Where users stand in policies with stages when the test begins."""
    return tuple(_mark(one.says.id, standing) for one in test.days[0].users for standing in one.says.stages or ())


def _mark(user: str, one: Standing) -> Mark:
    return Mark(
        user=user,
        policy=one.policy,
        episode=1,
        stage=one.stage,
        entered=noon(one.entered),
        done=noon(one.done) if one.done else None,
    )


def _invented(
    bare: Inventory, users: Iterable[User], told: Mapping[str, UserFacts], policies: SitePolicies, day: date
) -> Invented:
    inventory = replace(bare, users=tuple(sorted(users, key=lambda one: one.id)))
    people = People(
        {
            user.id: Person(told[user.id].name or user.id if user.id in told else user.id, _address(number, user))
            for number, user in enumerate(inventory.users)
        }
    )
    return Invented(inventory, people, _lists(policies, told, people, day))


def _address(number: int, user: User) -> str | None:
    return f"user-{number}@{user.domain}" if user.domain else None


def _bare(test: PolicyTest, policies: SitePolicies, at: datetime) -> Inventory:
    """The site without users."""
    named = [one.says for day in test.days for one in day.users]
    groups = _groups(test.groups, named, policies)
    wanted = chain(_patterns(policies, InDirectory), (one.directory for one in named if one.directory))
    places = {_HERE: Directory(id=_HERE, name="Default")}
    for pattern in wanted:
        if not any(glob(pattern).fullmatch(one.casefold()) for one in (*places, "Default")):
            name = _fitting(pattern)
            places[name] = Directory(id=name, name=name)
    return Inventory(
        site=policies.site,
        hosting="cloud",
        as_of=at,
        users=(),
        groups=tuple(groups),
        directories=tuple(places.values()),
        proof=_PROOF,
    )


def _groups(facts: Iterable[GroupFacts], users: Iterable[UserFacts], policies: SitePolicies) -> Iterator[Group]:
    """The groups that the test describes, and those that somebody names; of a glob one that fits, if none does."""
    described = {one.name.casefold(): one for one in facts}
    names = {key: one.name for key, one in described.items()}
    for name in chain(*(one.groups or () for one in users)):
        names.setdefault(name.casefold(), name)
    patterns = list(_named_groups(policies))
    for name in (one for one in patterns if not is_glob(one)):
        names.setdefault(name.casefold(), name)
    for pattern in (one for one in patterns if is_glob(one)):
        if not any(glob(pattern).fullmatch(name) for name in names):
            names[_fitting(pattern).casefold()] = _fitting(pattern)
    for number, (key, name) in enumerate(names.items()):
        yield _group(described.get(key) or GroupFacts(name=name), f"group-{number:06}")


def _fitting(pattern: str) -> str:
    return pattern.replace("*", "x").replace("?", "x")


def _group(facts: GroupFacts, own: str) -> Group:
    role = {"seat": "user", "guest": "guest"}.get(facts.license)
    grants = [Grant("confluence", role)] if role else []
    grants += [Grant(product, "user") for product in facts.products or ()]
    return Group(
        id=own,
        name=facts.name,
        directory=_HERE,
        modifiable=facts.modifiable,
        synced=not facts.modifiable,
        license=facts.license,
        admin=facts.admin,
        grants=tuple(grants),
    )


def _named_groups(policies: SitePolicies) -> Iterator[str]:
    """Names and globs of groups in everything that concerns the site."""
    yield from _patterns(policies, InGroup)
    for policy in policies.asking:
        for node in (one for match in policy.conditions for one in predicates(match)):
            if isinstance(node, SeatVia):
                yield from node.groups
        for ensure in policy.states:
            yield from (*(ensure.groups_present or ()), *(ensure.groups_absent or ()), *(ensure.groups_exactly or ()))
    for protection in policies.protections:
        yield from protection.groups
    for document in policies.groups:
        yield from (entry.name for entry in document.entries)


def _patterns(policies: SitePolicies, kind: type[InGroup | InDirectory]) -> Iterator[str]:
    matches: Iterable[Match] = chain(*(policy.conditions for policy in policies.asking))
    for node in (one for match in matches for one in predicates(match)):
        if isinstance(node, kind):
            yield from node.patterns


def _usual(account: str, day: date) -> User:
    """Somebody of ours, at work, without a seat."""
    added = noon(day - _AGE)
    return User(
        id=account,
        directory=_HERE,
        status="active",
        kind="person",
        license="none",
        managed=True,
        synced=False,
        admin=False,
        domain=None,
        added=added,
        seen=seen_at(noon(day)),
        elsewhere=(),
        groups=(),
        seats=(),
        roles=(),
        direct=(),
        external=False,
        has_email=True,
        accepted=True,
        tokens=(),
        lifecycle=_OURS,
    )


_PLAIN = ("status", "kind", "accepted")
_TOLD = ("managed", "synced", "external")


def _user(given: UserFacts, user: User, site: Inventory, internal: tuple[str, ...]) -> User:
    """The user with the facts that are given now."""
    said = given.model_fields_set
    facts: dict[str, Any] = {name: getattr(given, name) for name in _PLAIN if getattr(given, name) is not None}
    facts |= {name: _told(getattr(given, name)) for name in _TOLD if getattr(given, name) is not None}
    if given.added is not None:
        facts["added"] = noon(given.added) if isinstance(given.added, date) else None
    if "status" in facts or given.status_since is not None:
        facts["status_since"] = noon(given.status_since) if given.status_since else None
        facts["status_by"] = facts["status_after"] = None
    if given.attributes is not None:
        facts["attributes"] = tuple(sorted(given.attributes.model_dump(exclude_none=True).items()))
    if given.api_tokens is not None:
        facts["tokens"] = tuple(f"token-{number}" for number in range(1, given.api_tokens + 1))
    if given.directory is not None:
        wanted = given.directory.casefold()
        facts["directory"] = next(
            one.id for one in site.directories if wanted in (one.id.casefold(), one.name.casefold())
        )
    if given.synced is not None:
        facts["lifecycle"] = _SYNCED if given.synced is True else _OURS
    user = _domain(given, replace(user, **facts), internal)
    added = user.added
    if given.seen is not None:
        user = replace(user, seen=_activity(given.seen, added))
    elif isinstance(user.seen, Never):
        user = replace(user, seen=Never(added))
    if given.elsewhere is not None:
        told = {**dict(user.elsewhere or ()), **{key: _activity(one, added) for key, one in given.elsewhere.items()}}
        user = replace(user, elsewhere=tuple(sorted(told.items())))
    return _belonging(given, user, site) if said & {"groups", "seat", "license", "roles"} else user


def _told(value: bool | str) -> bool | None:  # noqa: FBT001 - a fact
    return value if isinstance(value, bool) else None


def _activity(said: date | str, added: datetime | None) -> Activity:
    if isinstance(said, date):
        return seen_at(noon(said))
    return Never(added) if said == "never" else Unknown("the test says so")


def _domain(given: UserFacts, user: User, internal: tuple[str, ...]) -> User:
    """Address and belonging: somebody of ours, unless a domain says otherwise."""
    if given.email == "absent":
        external = user.external if given.external is not None else None if internal else user.external
        return replace(user, domain=None, has_email=False, external=external)
    if given.domain is None and user.domain is not None:
        return user
    ours = next(iter(internal), "example.com")
    domain = given.domain or (user.domain if user.has_email else None) or ours
    external = user.external if given.external is not None or not internal else domain not in internal
    return replace(user, domain=domain, has_email=True, external=external)


def _belonging(given: UserFacts, user: User, site: Inventory) -> User:
    """Groups, ways to a seat, license and rights of administrators, which follow from each other."""
    by_name = site.groups_by_name
    groups = user.groups or ()
    if given.groups is not None:
        groups = tuple(sorted({by_name[name.casefold()][0].id for name in given.groups}))
    roles = user.roles if given.roles is None else tuple(sorted(given.roles))
    admin = bool(roles) or any(may_administer(one, site) for one in groups)
    paths = [path for one in groups for path in seat_paths(one, site)]
    user = replace(user, groups=groups, roles=roles, admin=admin, seats=(), direct=user.direct or ())
    if given.license == "unknown":
        return replace(user, license="unknown", seats=None, direct=None)
    wanted = given.license or (None if given.seat is None else "seat" if given.seat else "none")
    direct = () if wanted else user.direct or ()
    found = with_seats(user, [*paths, *map(RoleSeat, direct)], site)
    if wanted in ("seat", "guest") and found.license != wanted:
        direct = ("user" if wanted == "seat" else "guest",)
        found = with_seats(user, [*paths, *map(RoleSeat, direct)], site)
    return replace(found, direct=direct)


def _writable(user: User, *, here: bool) -> User:
    """Whether the account's status is changed here, as a Site document says of accounts that are synced."""
    if user.synced is None:
        return replace(user, writable=True if here or user.managed is False else None)
    return replace(user, writable=here or not user.synced)


def _lists(policies: SitePolicies, told: Mapping[str, UserFacts], people: People, day: date) -> Lists:
    """Lists and rosters that name whoever the test says they do. A last day is over in every time zone."""
    rosters = {}
    for roster in policies.rosters:
        rows = [
            RosterRow(
                line=number,
                account=one.id,
                starts=day if roster.name in (one.begins_in or ()) else None,
                ends=day - timedelta(days=2) if roster.name in (one.listed_in or ()) else None,
            )
            for number, one in enumerate(told.values(), start=2)
            if roster.name in (*(one.listed_in or ()), *(one.begins_in or ()))
        ]
        rosters[roster.name] = RosterRows(roster.source.name, tuple(rows), "", roster.source.time_zone)
    lists = {}
    for asked in frozenset(chain(*(match.lists for policy in policies.asking for match in policy.conditions))):
        named = [one.id for one in told.values() if asked.source in (one.listed_in or ())]
        entries = named if asked.by == "account" else filter(None, map(people.email, named))
        lists[asked] = UserList(asked.source, frozenset(entries), len(named), "")
    return Lists(lists, rosters)
