"""Tests of policies as the rest of the product sees them: frozen values with the lines that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from cleanup_gitops.policy.policytest_shapes import Expected, GroupFacts, Untouched, UserFacts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """Something that a test says, and where: ``file:line``."""

    says: T
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDay:
    """One day (UTC) of a test. On a later one ``users`` holds the facts that are others than the day before."""

    __test__ = False

    as_of: date
    users: tuple[Stated[UserFacts], ...] = ()
    expect: tuple[Stated[Expected], ...] = ()
    untouched: tuple[Stated[Untouched], ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """Invented people on one day or several, and what must become of them. A site never sees any of it."""

    name: str
    days: tuple[TestDay, ...]
    groups: tuple[GroupFacts, ...] = ()
    where: str = ""
