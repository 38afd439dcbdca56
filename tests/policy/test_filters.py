"""Conditions by themselves: the language of `match`, with its messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.policy.filters import EXAMPLE, read_filter
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, ListedIn, Match


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("has_seat: true", HasSeat(wanted=True)),
        ("{has_seat: true}", HasSeat(wanted=True)),
        ("inactive_for: 13w", InactiveFor(91)),
        ("inactive_for: {for: 90d, product: any}", InactiveFor(90, "any")),
        ("listed_in: {env: LEAVERS, email: mail}", ListedIn("mail", "email", env="LEAVERS")),
        ("in_group: [contractors-*, alumni]", InGroup(("contractors-*", "alumni"))),
        ("any:\n  - has_seat: true\n  - in_group: alumni", Match(any=(HasSeat(wanted=True), InGroup(("alumni",))))),
        ("none: [{in_group: alumni}]", Match(none=(InGroup(("alumni",)),))),
    ],
)
def test_one_condition_is_read_as_in_a_policy(text: str, meant: object) -> None:
    assert read_filter(text, "--where") == Match(all=(meant,))  # type: ignore[arg-type] # one of the nodes above


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("has_sead: true", "--where:1:1: unknown key `has_sead`; did you mean `has_seat`?"),
        ("inactive_for: {for_: 90d}", "--where:1:16: unknown key `for_`; did you mean `for`?"),
        ("{inactive_for: 90}", "--where:1:16: `inactive_for` needs a unit: write 90d"),
        ("has_seat: yes", "--where:1:11: `yes` is true or false to some YAML readers"),
        ("listed_in: {env: LEAVERS}", "--where:1:1: `listed_in` needs `account` or `email`"),
        ("in_group: [a, A]", "--where:1:15: this entry stands twice in `in_group`"),
        ("all: []", "--where:1:6: `all` is an empty list"),
        ("any: [{}]", "--where:1:7: an empty condition"),
        ("{has_seat: true, kind: app}", "--where:1:18: one condition at a time: give `kind` by itself"),
        ("{has_seat: true, all: [{kind: app}]}", "--where:1:18: one condition at a time: give `all` by itself"),
        ("all: [{has_seat: true, kind: app}]", "--where:1:24: one condition in each entry"),
        ("in_group: '*'", "would mean every name"),
        ("{has_seat: true, kind: app, managed: true}", "one condition at a time: give `kind` by itself"),
        ("", f"--where:1:1: {EXAMPLE}"),
        ("{}", EXAMPLE),
        ("has_seat", EXAMPLE),
        ("[has_seat]", EXAMPLE),
        ("has_seat: true\n---\nkind: app", EXAMPLE),
        ("*x", "aliases"),
        ("\udcff: x", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_filter(text, "--where")
    assert said in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        read_filter("all: [{has_sead: true}, {inactive_for: 90}]", "--where 2")
    assert [(one.file, one.col) for one in caught.value.problems] == [("--where 2", 8), ("--where 2", 40)]


PIECES = ("has_seat", ": ", "true", "{", "}", "[", "]", ", ", "all", "none", "in_group", "90d", "\n", "- ", "a*", "'")


@given(st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_is_a_condition_or_a_problem(text: str) -> None:
    try:
        found: object = read_filter(text, "--where").all
    except PolicyError as error:
        found = error.problems
    assert found
