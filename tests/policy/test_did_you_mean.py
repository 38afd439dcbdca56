"""What a mistyped word is taken for: never for one that would do something else, and never out of a list too long."""

from __future__ import annotations

import pytest

from cleanup_gitops.policy.problems import did_you_mean

FAR = [f"{chr(97 + number % 26)}{number:02}" for number in range(41)]


@pytest.mark.parametrize(
    ("word", "known", "told"),
    [
        ("grp.add", ["group.add", "group.remove"], "; did you mean `group.add`?"),
        ("user.nuke", ["user.remove", "user.x"], "; known here: user.remove, user.x"),
        ("In-Grup", ["in_group", "kind"], "; did you mean `in_group`?"),
        ("a" * 60, ["a" * 59 + "b"], f"; did you mean `{'a' * 59}b`?"),
        ("a" * 61, ["a" * 60 + "b"], f"; known here: {'a' * 60}b"),
        ("zzzz", sorted(FAR[:40]), f"; known here: {', '.join(sorted(FAR[:40]))}"),
        ("zzzz", FAR, ""),
        ("zzzz", [], ""),
    ],
)
def test_a_word_is_likened_to_what_is_known(word: str, known: list[str], told: str) -> None:
    assert did_you_mean(word, known) == told


def test_the_three_closest_are_looked_at() -> None:
    word, meant = "aaaaaaaa.xy", "aaaaabb.xy"
    assert did_you_mean(word, ["aaaaaaaa.pq", "aaaaaaaa.rs", meant]) == f"; did you mean `{meant}`?"
    assert "did you mean" not in did_you_mean(word, ["aaaaaaaa.pq", "aaaaaaaa.rs", "aaaaaaaa.tu", meant])
