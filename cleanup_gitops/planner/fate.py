"""What becomes of one user, as a value."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.plan import Disposition, Handoff, Pending
from cleanup_gitops.planner.rules import Rule


class Fate(Struct, frozen=True):
    """What becomes of one user."""

    disposition: Disposition
    changes: list[Change] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)


UNCHANGED = Fate(Disposition("unchanged", "no-policy-matches"))


def names(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Sorted names of rules, each once."""
    return tuple(sorted({rule.name for rule in rules}))
