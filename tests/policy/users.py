"""Users, inventories and trees of conditions for tests of matching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.group import Directory, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import Kind, License, Status, User
from cleanup_gitops.policy.documents import AdminRole
from cleanup_gitops.policy.lists import Lists, UserList
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
    HasRole,
    HasSeat,
    InactiveFor,
    InDirectory,
    InGroup,
    InStatusFor,
    KindIs,
    LicenseIs,
    ListedIn,
    ManagedIs,
    Match,
    NameIs,
    NeverActiveFor,
    Node,
    SeatVia,
    StatusIs,
    SyncedIs,
)
from tests.strategies import DOMAINS, PRODUCTS, account_id, inventories, proof_of

ATTRIBUTES = ("department", "job_title")
LISTS_ASKED_FOR = (ListedIn("id", env="LEAVERS"), ListedIn("mail", "email", env="LEAVERS"))
ADDRESSES = (None, "ada@acme.com", "Bo@Acme.com", "cy@acme.com", "no address")
NOW = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


def day(text: str) -> datetime:
    """Noon of a day, UTC."""
    return datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)


def ago(days: int, hour: int = 12) -> datetime:
    """So many days before today, at this hour."""
    return NOW.replace(hour=hour, minute=0) - timedelta(days=days)


def user(**facts: Any) -> User:  # noqa: ANN401 - fields of a User
    """An active person with a seat in group ``g-1``, added long ago, whose other facts are these."""
    known: dict[str, Any] = {
        "status": "active",
        "kind": "person",
        "license": "seat",
        "domain": "acme.com",
        "groups": ("g-1",),
        "elsewhere": (),
        "added": ago(1000),
    }
    return User(id="712020:1", directory="default", **(known | facts))


def group(number: int, name: str, *, parents: tuple[str, ...] = (), directory: str = "default") -> Group:
    """A group with id ``g-<number>``."""
    return Group(id=f"g-{number}", name=name, directory=directory, parents=parents)


def inventory(*groups: Group, users: Sequence[User] = (), **directories: tuple[str, str]) -> Inventory:
    """A complete inventory of these; ``directories`` are ids with names."""
    places = [Directory(id=one, name=name) for one, name in directories.values()]
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=NOW,
        users=tuple(users),
        groups=groups,
        directories=tuple(places) or (Directory(id="default", name="Default"),),
        proof=proof_of(len(users), len(groups)),
    )


def scope(*groups: Group, as_of: datetime = NOW) -> Scope:
    """Today, on a site with these groups."""
    return Scope(as_of, inventory(*(groups or (group(1, "wiki-users"), group(2, "contractors-oslo")))))


def predicates(names: Sequence[str]) -> st.SearchStrategy[Node]:
    """Any single predicate; groups by these names, by globs, and now and then by a name that is not there."""
    days = st.sampled_from([1, 30, 90, 365]) | st.integers(1, 3650)
    domains = st.sampled_from([*DOMAINS, "*.acme.com", "*.com"])
    return st.one_of(
        st.builds(HasSeat, st.booleans()),
        st.builds(InactiveFor, days, st.sampled_from(["confluence", "any", *PRODUCTS])),
        st.builds(NeverActiveFor, days),
        st.builds(InGroup, _group_patterns(names)),
        st.builds(KindIs, some(get_args(Kind)[:4])),
        st.builds(EmailDomain, st.lists(domains, min_size=1, max_size=2).map(tuple)),
        facts(names, days),
    )


def facts(names: Sequence[str], days: st.SearchStrategy[int]) -> st.SearchStrategy[Node]:
    """Any predicate about one plain fact."""
    flag = st.booleans()
    return st.one_of(
        st.builds(StatusIs, some(get_args(Status)[:6])),
        st.builds(InStatusFor, days),
        st.builds(LicenseIs, some(get_args(License)[:3])),
        st.sampled_from([ManagedIs, SyncedIs, ExternalIs, EmailIs]).flatmap(lambda kind: st.builds(kind, flag)),
        st.builds(InDirectory, some(["default", "1", "Directory*", "d?fault", "not-there"])),
        st.builds(NameIs, some(["ada*", "* b", "nobody"])),
        st.builds(HasRole, some(get_args(AdminRole))),
        st.builds(SeatVia, _group_patterns(names)) | st.builds(SeatVia, st.just(()), st.just(True)),
        st.builds(SeatVia, _group_patterns(names), st.just(True)),
        st.builds(ActiveOnlyOnce, flag),
        st.builds(AddedFor, days),
        st.builds(AttributeIs, st.sampled_from(ATTRIBUTES), some(["sales*", "Legal", "?"])),
        st.sampled_from([*LISTS_ASKED_FOR, ListedIn("id", env="NOT_READ")]),
        st.builds(AccountIs, some([account_id("cloud", 0), account_id("datacenter", 1), "712020:stranger"])),
    )


def some(words: Sequence[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """One or two of these."""
    return st.lists(st.sampled_from(words), min_size=1, max_size=2).map(tuple)


def _group_patterns(names: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return some([*names, "*a*", "g?", "not-there"])


def with_facts(someone: User, seed: int) -> User:
    """The same user with facts about the account, some of them unknown; each seed gives others."""
    rng = Random(seed)

    def maybe() -> bool | None:
        return rng.choice((None, True, False))

    listed = {name: rng.choice((None, "Sales EMEA", "legal", "")) for name in ATTRIBUTES}
    roles = get_args(AdminRole)
    start = someone.added or ago(500)
    status_since = rng.choice((None, ago(rng.randint(0, 800))))
    status_by = None if status_since else rng.choice((None, ago(rng.randint(0, 800), 0)))
    before = rng.choice((None, timedelta(days=rng.randint(0, 100))))
    return replace(
        someone,
        managed=maybe(),
        synced=maybe(),
        external=maybe(),
        has_email=maybe(),
        roles=rng.choice((None, (), roles[:1], roles[2:])),
        direct=rng.choice((None, (), ("user",))),
        status_since=status_since,
        status_by=status_by,
        status_after=None if status_by is None or before is None else status_by - before,
        attributes=tuple((name, value) for name, value in listed.items() if value is not None),
        seen=rng.choice((someone.seen, someone.seen, seen_at(start + timedelta(days=rng.randint(-1, 3))))),
    )


@st.composite
def organizations(draw: st.DrawFn) -> tuple[Inventory, People]:
    """An inventory with all facts about accounts, and the names of some of its users."""
    site = draw(inventories(max_users=6, max_groups=4))
    kept = draw(st.sampled_from((None, None, (), ATTRIBUTES[:1])))
    seed = draw(st.integers(0, 2**32))
    rng = Random(seed)
    names = {one.id: rng.choice((None, "", "Ada A", "Bob B")) for one in site.users}
    users = tuple(with_facts(one, seed + number) for number, one in enumerate(site.users))
    people = {account: Person(name, rng.choice(ADDRESSES)) for account, name in names.items() if name is not None}
    return replace(site, users=users, kept_attributes=kept), People(people)


def lists_of(site: Inventory) -> Lists:
    """The lists that predicates ask for; half of the accounts of a site stand in the one by id."""
    by_id, by_email = LISTS_ASKED_FOR
    some = frozenset(one.id for one in site.users[::2])
    return Lists(
        {
            by_id: UserList("LEAVERS", some, 9, "sha256:0"),
            by_email: UserList("LEAVERS", frozenset({"ada@acme.com", "bo@acme.com"}), 9, "sha256:0"),
        }
    )


def trees(names: Sequence[str]) -> st.SearchStrategy[Match]:
    """Any tree of conditions; a nested tree may also be empty, as in Kleene's logic."""

    def tree(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Match]:
        some = st.lists(inner, max_size=3).map(tuple)
        return st.builds(Match, all=some, any=some, none=some)

    return tree(st.recursive(predicates(names), tree, max_leaves=6))
