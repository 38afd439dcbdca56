"""The conditions of a policy as frozen values: a tree of all, any and none over single predicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cleanup_gitops.model.user import Kind, License, Question, Status


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


@dataclass(frozen=True, slots=True)
class StatusIs:
    """The account's status is one of these; ``disabled`` is the word for every hosting and means suspended too."""

    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class InStatusFor:
    """The status has been what it is for more than ``days`` days (UTC dates)."""

    days: int


@dataclass(frozen=True, slots=True)
class LicenseIs:
    """The class of license in Confluence is one of these, whatever the account's status."""

    licenses: tuple[License, ...]


@dataclass(frozen=True, slots=True)
class ManagedIs:
    """Whether the organization manages the account."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class SyncedIs:
    """Whether an identity provider syncs the account."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class InDirectory:
    """The id or name of the account's directory is one of these names or globs."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExternalIs:
    """Whether the account belongs to somebody outside (see ``User.external``)."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class EmailIs:
    """Whether the site shows an e-mail address."""

    present: bool


@dataclass(frozen=True, slots=True)
class NameIs:
    """The display name is one of these names or globs. It can be asked of a live site only."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasRole:
    """Holder of one of these administrative roles (see ``User.roles``)."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeatVia:
    """A license is held through a group of these names or globs, or, with ``direct``, by a role given to the user."""

    groups: tuple[str, ...] = ()
    direct: bool = False


@dataclass(frozen=True, slots=True)
class ActiveOnlyOnce:
    """Last seen within a day of being added. Who was seen later may have come once or often: that is not known."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class AddedFor:
    """Added more than ``days`` days ago (UTC dates)."""

    days: int


@dataclass(frozen=True, slots=True)
class AttributeIs:
    """An attribute, such as ``department``, is one of these texts or globs."""

    name: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountIs:
    """The account is one of these, by id."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedIn:
    """Named in a column of a CSV file outside the repository: by account id, or by e-mail address.

    The path of the file is ``path``, or stands in the environment variable ``env``.
    """

    column: str
    by: Literal["account", "email"] = "account"
    env: str | None = None
    path: str | None = None

    @property
    def source(self) -> str:
        """The variable or the path: how texts name the list."""
        return self.env or self.path or ""


@dataclass(frozen=True, slots=True)
class HasLeft:
    """The last day of the person is over, as a Roster says; ``sla`` after that its policy should have acted.

    No document writes this condition: a Roster stands for a policy that has it.
    """

    roster: str
    sla: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Begins:
    """The first day of the person has come, not long ago, as a Roster says, and the account is open.

    No document writes this condition: a Roster stands for a policy that has it.
    """

    roster: str


Told = StatusIs | InStatusFor | LicenseIs | ManagedIs | SyncedIs | ExternalIs | EmailIs | AddedFor
"""Predicates over one field of a user, as the site tells it."""
Fact = (
    Told
    | InDirectory
    | NameIs
    | HasRole
    | SeatVia
    | ActiveOnlyOnce
    | AttributeIs
    | AccountIs
    | ListedIn
    | HasLeft
    | Begins
)
"""Predicates that are neither about idleness nor about groups; see ``facts`` and ``explain_facts``."""
Predicate = HasSeat | InactiveFor | NeverActiveFor | InGroup | KindIs | EmailDomain | Fact


@dataclass(frozen=True, slots=True)
class Match:
    """All of ``all``, and one of ``any`` (if there are any), and none of ``none``; three-valued."""

    all: tuple[Node, ...] = ()
    any: tuple[Node, ...] = ()
    none: tuple[Node, ...] = ()

    @property
    def products(self) -> frozenset[str]:
        """Products in which somebody must have been idle to match: "confluence", other keys, "any".

        Idleness under a ``none`` only keeps people out, so it is not asked again before a change. Whether somebody came
        only once is asked again wherever it stands: coming again ends either answer.
        """
        found: set[str] = set()
        for predicate in asked_for(self):
            if isinstance(predicate, InactiveFor):
                found.add(predicate.product)
            elif isinstance(predicate, NeverActiveFor):
                found.add("confluence")
        if any(isinstance(one, ActiveOnlyOnce) for one in predicates(self)):
            found.add("confluence")
        return frozenset(found)

    @property
    def questions(self) -> frozenset[Question]:
        """What must be asked about single accounts before all conditions can be decided; activity is not among it."""
        direct = any(isinstance(one, SeatVia) and one.direct for one in predicates(self))
        return frozenset({"roles"}) if direct else frozenset()

    @property
    def domains(self) -> frozenset[str]:
        """E-mail domains and ``*.`` patterns that the conditions name."""
        named = [one.patterns for one in predicates(self) if isinstance(one, EmailDomain)]
        return frozenset(pattern for patterns in named for pattern in patterns)

    @property
    def lists(self) -> frozenset[ListedIn]:
        """The conditions that need a list of people from outside the repository."""
        return frozenset(one for one in predicates(self) if isinstance(one, ListedIn))

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


def asked_for(match: Match, *, turned: bool = False) -> Iterator[Predicate]:
    """The predicates that bring somebody in when they hold: under no ``none``, or a ``none`` within a ``none``."""
    for nodes, out in ((match.all, turned), (match.any, turned), (match.none, not turned)):
        for node in nodes:
            if isinstance(node, Match):
                yield from asked_for(node, turned=out)
            elif not out:
                yield node
