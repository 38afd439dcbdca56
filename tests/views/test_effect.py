"""What a policy would do, and what a file would become, in lines for people."""

from __future__ import annotations

from cleanup_gitops.rehearsal.effect import ELSEWHERE, Effect
from cleanup_gitops.views.difference import render_difference
from cleanup_gitops.views.effect import effect_lines


def test_every_number_of_an_effect_is_told() -> None:
    effect = Effect(
        site="acme",
        matching=1_206,
        undecided=4,
        fates={
            ("changed", "planned"): 1_000,
            ("protected", "administrator"): 2,
            ("protected", "runner"): 1,
            ("unchanged", "already-so"): 200,
            ("unknown", "policy-undecided"): 4,
            (ELSEWHERE, ""): 3,
        },
        actions={"user.disable": 2, "membership.remove": 1_000},
        seats=998,
        broken=("membership.remove: 1,000 rows, 200 allowed",),
        blocked=(),
    )
    assert effect_lines(effect) == [
        "1,206 users of acme would be meant by the policy; of 4 more that is not known.",
        "Changes: 1,000 membership.remove, 2 user.disable.",
        "  protected: 3, administrator (2), the account that runs this (1)",
        "  changed: 1,000",
        "  unknown: 4, a policy cannot be decided (4)",
        "  unchanged: 200, already as asked (200)",
        "  changed by other policies alone: 3",
        "Seats: 998 given back.",
        "Over a guard: membership.remove: 1,000 rows, 200 allowed",
    ]


def test_seats_that_a_policy_gives_or_leaves_alone_are_told_so() -> None:
    nothing = Effect(
        site="acme", matching=1, undecided=0, fates={}, actions={}, seats=0, broken=(), blocked=("x (a:1): no group y",)
    )
    assert effect_lines(nothing) == [
        "1 user of acme would be meant by the policy.",
        "It would act on nobody: x (a:1): no group y.",
        "Seats: none given back.",
    ]
    more = Effect(site="acme", matching=2, undecided=0, fates={}, actions={}, seats=-2, broken=(), blocked=())
    assert effect_lines(more)[-1] == "Seats: 2 more in use."


def test_a_difference_shows_what_hides_and_colours_only_when_asked() -> None:
    before, after = b"a: 1\nb: 2\n", "a: 1\nb: \u202e3\n".encode()
    assert render_difference("policies/x.yaml", before, after) == (
        "--- a/policies/x.yaml\n+++ b/policies/x.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: \\u202e3\n"
    )
    painted = render_difference("policies/x.yaml", before, after, colour=True)
    assert "\x1b[31m-b: 2\x1b[0m\n\x1b[32m+b: \\u202e3\x1b[0m\n" in painted
    assert render_difference("x", None, b"a: 1\n").startswith("--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a: 1\n")
    assert render_difference("x", b"a\n", b"a\n") == ""
