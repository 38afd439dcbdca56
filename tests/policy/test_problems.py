"""What messages repeat of a document, and what they take a misspelt word for."""

from __future__ import annotations

import pytest

from cleanup_gitops.policy.problems import PolicyError, Problem, did_you_mean, named, shown


@pytest.mark.parametrize(
    "value", ["wiki-users", "a b.c*?:,+/_", "x" * 40, "abcdefghijklmnopqrst", "ab1defghijklmno", "søren", 712020]
)
def test_a_harmless_value_is_repeated(value: object) -> None:
    assert shown(value) == f"`{value}`"
    assert named(str(value)) == f" `{value}`"


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize(
    "value", ["", "x" * 41, "ada@acme.example", "ab1defghijklmnop", "key: abcdefghijklmno1", "a\x1b[2J", "a\nb", "`a`"]
)
def test_what_could_be_an_address_or_a_secret_is_not_repeated(value: str) -> None:
    assert shown(value) == "this value"
    assert named(value) == ""


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("ownr", ["name", "owner"], "; did you mean `owner`?"),
        ("OWNER", ["name", "owner"], "; did you mean `owner`?"),
        ("job-title", ["department", "job_title"], "; did you mean `job_title`?"),
        ("membership.removal", ["membership.add", "membership.remove"], "; did you mean `membership.remove`?"),
        ("user.nuke", ["user.remove"], "; known here: user.remove"),
        ("user.removed", ["role.revoke", "user.remove"], "; did you mean `user.remove`?"),
        ("xyz", ["b", "a"], "; known here: a, b"),
        ("", ["b", "a"], "; known here: a, b"),
        ("xyz", [], ""),
        ("xyz", [f"w{number:02}" for number in range(41)], ""),
        ("xyz", [f"w{number:02}" for number in range(2)], "; known here: w00, w01"),
        ("a" * 60, ["a" * 59], f"; did you mean `{'a' * 59}`?"),
        ("a" * 61, ["a" * 60], f"; known here: {'a' * 60}"),
    ],
)
def test_a_misspelt_word_is_taken_for_the_nearest_one_that_means_the_like(
    word: str, known: list[str], hint: str
) -> None:
    assert did_you_mean(word, known) == hint


def test_forty_words_are_listed_and_no_more() -> None:
    words = [f"w{number:02}" for number in range(40)]
    assert did_you_mean("xyz", words) == f"; known here: {', '.join(words)}"


def test_problems_are_told_once_and_in_the_order_of_their_places() -> None:
    first, second = Problem("a.yaml", 2, 1, "x"), Problem("a.yaml", 10, 1, "a")
    assert PolicyError([second, first, second]).problems == (first, second)
