"""A mistake is told in words that lead to the right key, and to the right number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.documents import document, policy, problems


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ("{al: [{has_seat: true}]}", "unknown key `al`; did you mean `all`?"),
        ("{has_seat: true}", "`has_seat` is a condition: write it into a list under `all`, `any` or `none`"),
    ],
)
def test_what_is_no_key_of_a_match_is_a_condition_only_if_it_is_one(tmp_path: Path, match: str, told: str) -> None:
    assert any(told in one for one in problems(tmp_path, policy(match)))


def test_a_condition_in_another_place_is_just_unknown_there(tmp_path: Path) -> None:
    found = problems(tmp_path, policy().replace("spec: {", "spec: {has_seat: true, "))
    assert found == ["".join(found)]
    assert ": unknown key `has_seat`" in found[0]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("999999999.0", "`max` must be a whole number in plain digits: write 999999999"),
        ("1e9", "`max` must be a whole number"),
        ("1.5", "`max` must be a whole number"),
    ],
)
def test_a_number_is_proposed_in_digits_that_one_can_read(tmp_path: Path, number: str, told: str) -> None:
    (found,) = problems(tmp_path, document("Guardrails", f"{{caps: {{total: {{max: {number}, percent: 5}}}}}}"))
    assert found.endswith(f" {told}")
