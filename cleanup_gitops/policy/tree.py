"""The conditions of a policy as frozen values: a tree of all, any and none over single predicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cleanup_gitops.model.user import Kind


@dataclass(frozen=True, slots=True)
class HasSeat:
    """Whether the user occupies a paid seat now."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class InactiveFor:
    """Used once, and last used more than ``days`` days ago (UTC dates, after the source's lag).

    ``product`` is "confluence", the key of another product, or "any": idle in every product.
    """

    days: int
    product: str = "confluence"


@dataclass(frozen=True, slots=True)
class NeverActiveFor:
    """Never used Confluence, and added more than ``days`` days ago."""

    days: int


@dataclass(frozen=True, slots=True)
class InGroup:
    """Member of a group, directly or through nested groups, whose name is one of these names or globs."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KindIs:
    """The account's type is one of these."""

    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class EmailDomain:
    """The e-mail domain is one of these (normal form); ``*.x`` means sub-domains of x, not x itself."""

    patterns: tuple[str, ...]


Predicate = HasSeat | InactiveFor | NeverActiveFor | InGroup | KindIs | EmailDomain


@dataclass(frozen=True, slots=True)
class Match:
    """All of ``all``, and one of ``any`` (if there are any), and none of ``none``; three-valued."""

    all: tuple[Node, ...] = ()
    any: tuple[Node, ...] = ()
    none: tuple[Node, ...] = ()

    @property
    def products(self) -> frozenset[str]:
        """Products in which somebody must have been idle to match: "confluence", other keys, "any".

        What stands under a ``none`` only keeps people out, so it is not asked again before a change.
        """
        found: set[str] = set()
        for predicate in predicates(self, negated=False):
            if isinstance(predicate, InactiveFor):
                found.add(predicate.product)
            elif isinstance(predicate, NeverActiveFor):
                found.add("confluence")
        return frozenset(found)

    @property
    def domains(self) -> frozenset[str]:
        """E-mail domains and ``*.`` patterns that the conditions name."""
        named = [one.patterns for one in predicates(self) if isinstance(one, EmailDomain)]
        return frozenset(pattern for patterns in named for pattern in patterns)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Account types named outside of every ``none``; persons alone when there is no such name."""
        named = [one.kinds for one in predicates(self, negated=False) if isinstance(one, KindIs)]
        return frozenset(kind for kinds in named for kind in kinds) or frozenset({"person"})


Node = Predicate | Match


def predicates(match: Match, *, negated: bool = True) -> Iterator[Predicate]:
    """Every predicate of the tree, in order; without those under a ``none`` when ``negated`` is False."""
    for node in (*match.all, *match.any, *(match.none if negated else ())):
        if isinstance(node, Match):
            yield from predicates(node, negated=negated)
        else:
            yield node
