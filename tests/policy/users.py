"""Users, inventories and trees of conditions for tests of matching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from cleanup_gitops.model.group import Directory, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import Kind, User
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import (
    EmailDomain,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    Match,
    NeverActiveFor,
    Node,
)
from tests.strategies import DOMAINS, PRODUCTS, proof_of

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


def inventory(*groups: Group, users: Sequence[User] = ()) -> Inventory:
    """A complete inventory of these."""
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=NOW,
        users=tuple(users),
        groups=groups,
        directories=(Directory(id="default", name="Default"),),
        proof=proof_of(len(users), len(groups)),
    )


def scope(*groups: Group, as_of: datetime = NOW) -> Scope:
    """Today, on a site with these groups."""
    return Scope(as_of, inventory(*(groups or (group(1, "wiki-users"), group(2, "contractors-oslo")))))


def predicates(names: Sequence[str]) -> st.SearchStrategy[Node]:
    """Any single predicate; groups by these names, by globs, and now and then by a name that is not there."""
    days = st.sampled_from([1, 30, 90, 365]) | st.integers(1, 3650)
    patterns = st.sampled_from([*names, "*a*", "g?", "not-there"])
    domains = st.sampled_from([*DOMAINS, "*.acme.com", "*.com"])
    return st.one_of(
        st.builds(HasSeat, st.booleans()),
        st.builds(InactiveFor, days, st.sampled_from(["confluence", "any", *PRODUCTS])),
        st.builds(NeverActiveFor, days),
        st.builds(InGroup, st.lists(patterns, min_size=1, max_size=2).map(tuple)),
        st.builds(KindIs, st.lists(st.sampled_from(get_args(Kind)[:4]), min_size=1, max_size=2).map(tuple)),
        st.builds(EmailDomain, st.lists(domains, min_size=1, max_size=2).map(tuple)),
    )


def trees(names: Sequence[str]) -> st.SearchStrategy[Match]:
    """Any tree of conditions; a nested tree may also be empty, as in Kleene's logic."""

    def tree(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Match]:
        some = st.lists(inner, max_size=3).map(tuple)
        return st.builds(Match, all=some, any=some, none=some)

    return tree(st.recursive(predicates(names), tree, max_leaves=6))
