"""The sentence of a plan that says why a user matches: what is known of the activity, or else all that holds."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.policy.match import compile_match, compile_why, why
from cleanup_gitops.policy.tree import (
    EmailDomain,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    Match,
    NeverActiveFor,
)
from tests.policy.users import ago, day, scope, user

OLD = seen_at(ago(200))
IDLE_IN_BOTH = {"seen": seen_at(day("2026-05-01")), "elsewhere": (("trello", seen_at(day("2026-07-01"))),)}


@pytest.mark.parametrize(
    ("match", "facts", "sentence"),
    [
        (
            Match(all=(HasSeat(wanted=True), InactiveFor(90))),
            {"seen": seen_at(day("2026-05-01"))},
            "last seen by 2026-05-01, 204 days",
        ),
        (
            Match(all=(InactiveFor(90),)),
            {"seen": Seen(day("2025-01-01"), day("2026-04-30"), "snapshot")},
            "last seen by 2026-04-30, 206 days",
        ),
        (Match(all=(InactiveFor(90),)), {"seen": OLD, "added": day("2026-08-01")}, "added 2026-08-01, 113 days"),
        (
            Match(all=(InactiveFor(90, "any"),)),
            {"seen": OLD, "elsewhere": (("trello", seen_at(day("2026-07-01"))),)},
            "last seen by 2026-07-01 in every product, 143 days",
        ),
        (
            Match(all=(InactiveFor(90, "trello"),)),
            {"elsewhere": (("trello", seen_at(day("2026-07-01"))),)},
            "last seen by 2026-07-01 in trello, 143 days",
        ),
        (
            Match(all=(NeverActiveFor(90),)),
            {"seen": Never(day("2026-01-01"))},
            "never seen, added 2026-01-01, 324 days",
        ),
        (
            Match(all=(InactiveFor(90), InactiveFor(30))),
            {"seen": seen_at(day("2026-05-01"))},
            "last seen by 2026-05-01, 204 days",
        ),
        (
            Match(any=(NeverActiveFor(9), Match(all=(InactiveFor(30),))), none=(KindIs(("app",)),)),
            {"seen": seen_at(day("2026-05-01"))},
            "last seen by 2026-05-01, 204 days",
        ),
        (
            Match(all=(HasSeat(wanted=True), InGroup(("w*",)), KindIs(("person",)), EmailDomain(("acme.com",)))),
            {},
            "holds a seat; in wiki-users; account type person; e-mail domain acme.com",
        ),
        (Match(all=(HasSeat(wanted=False),)), {"license": "guest"}, "holds no seat"),
        (
            Match(all=(InactiveFor(90),), any=(InactiveFor(30, "trello"),)),
            IDLE_IN_BOTH,
            "last seen by 2026-05-01, 204 days; last seen by 2026-07-01 in trello, 143 days",
        ),
        (
            Match(all=(InactiveFor(90), Match(all=(InactiveFor(30, "trello"),)))),
            IDLE_IN_BOTH,
            "last seen by 2026-05-01, 204 days; last seen by 2026-07-01 in trello, 143 days",
        ),
        (
            Match(all=(InactiveFor(90), InactiveFor(30, "trello"))),
            IDLE_IN_BOTH,
            "last seen by 2026-05-01, 204 days; last seen by 2026-07-01 in trello, 143 days",
        ),
        (
            Match(all=(Match(any=(InactiveFor(90),)),), none=(KindIs(("app",)),)),
            IDLE_IN_BOTH,
            "last seen by 2026-05-01, 204 days",
        ),
        (
            Match(all=(HasSeat(wanted=True),), any=(InactiveFor(204), InGroup(("wiki-users",)))),
            IDLE_IN_BOTH,
            "holds a seat; in wiki-users",
        ),
    ],
)
def test_a_plan_says_in_one_sentence_why_a_user_matches(match: Match, facts: dict[str, Any], sentence: str) -> None:
    someone = user(**facts)
    assert compile_match(match, scope()).verdict(someone)
    assert why(match, someone, scope()) == compile_why(match)(someone, scope()) == sentence


def test_the_age_in_a_sentence_is_the_one_that_was_compared() -> None:
    """More days than the threshold, also at the edge; the lag is taken off."""
    someone = user(seen=seen_at(ago(92)))
    assert why(Match(all=(InactiveFor(90),)), someone, scope()).endswith(", 91 days")


def test_of_somebody_whose_activity_is_not_known_the_rest_is_told() -> None:
    """As of people who wait because a policy cannot be decided."""
    match, someone = Match(all=(HasSeat(wanted=True), InactiveFor(90))), user(seen=Unknown("not read"))
    assert compile_match(match, scope()).verdict(someone) is None
    assert why(match, someone, scope()) == compile_why(match)(someone, scope()) == "holds a seat"
