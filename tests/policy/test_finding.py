"""What is not known never decides for somebody: it gives way to what is wrong, and nothing else."""

from __future__ import annotations

from itertools import product

import pytest

from cleanup_gitops.policy.finding import Finding, all_of


@pytest.mark.parametrize("size", range(4))
def test_all_hold_only_when_each_is_known_to_hold(size: int) -> None:
    for verdicts in product((True, False, None), repeat=size):
        expected = False if False in verdicts else None if None in verdicts else True
        assert all_of(verdicts) is expected


def test_a_plan_is_told_what_was_seen_unless_there_is_a_shorter_reason() -> None:
    assert Finding("has_seat: true", True, "pays for a seat").reason == "pays for a seat"
    assert Finding("has_seat: true", True, "pays for a seat", "has a seat").reason == "has a seat"
