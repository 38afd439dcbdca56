"""The tables of the policy reference that are made by the code are those that stand there."""

from __future__ import annotations

from cleanup_gitops.policy.condition_shapes import PREDICATES
from cleanup_gitops.policy.state_shapes import STATES
from tests import golden, reference


def test_every_condition_and_every_state_has_an_example() -> None:
    todo = "give it an example in tests/reference.py, and accept the page"
    assert set(reference.EXAMPLES) == set(PREDICATES), todo
    assert set(reference.FIELDS) == set(STATES), todo
    assert set(reference.FIELDS["groups"]) == set(reference.GROUP_KEYS), todo


def test_the_generated_tables_are_up_to_date() -> None:
    golden.check(reference.PAGE, reference.page())


def test_what_the_tables_say_differs() -> None:
    """A table that says the same of everything says nothing."""
    rows = [*reference.predicate_rows(), *reference.ensure_rows()]
    words = {cell.strip() for row in rows for cell in row.split("|")[2:-1]}
    assert {"answered", "asked about single accounts", "derived from snapshots", "unknown"} <= words
    assert {"changed", "handed off"} <= words
