"""What stands beside a change: notes for whoever approves it, and what must still hold when it is made."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.model.change import Need, NotSeenAfter
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.tree import ActiveOnlyOnce, HasSeat, InactiveFor, InGroup, Match, NeverActiveFor
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, plan_of, policy, site
from tests.policy.users import day

TOKENS = Ensure(no_tokens=True)
LEFT = day("2026-01-01")


@pytest.mark.case("E9")
@pytest.mark.parametrize(
    ("rule", "tokens", "note"),
    [
        (policy(IDLE), [], ""),
        (policy(IDLE), None, ""),
        (policy(IDLE), ["t-1"], "has 1 API token: use through the API does not count as seen"),
        (policy(IDLE), ["t-1", "t-2"], "has 2 API tokens: use through the API does not count as seen"),
        (policy(InGroup(("users",))), ["t-1"], ""),
        (policy(IDLE, ensure=TOKENS), ["t-1"], ""),
    ],
)
def test_whoever_counts_as_idle_and_may_work_through_the_api_is_told_of(
    rule: Policy, tokens: list[str] | None, note: str
) -> None:
    (change,) = plan_of(site({"id": "a", "tokens": tokens}), rule).changes
    assert change.note == note


def needs_of(facts: dict[str, Any], match: Match) -> list[Need]:
    rule = Policy(name="p", owner="o", why="w", match=match, ensure=Ensure(groups_absent=("users",)))
    (change,) = plan_of(site({"id": "a", **facts}), rule, guardrails=WIDE).changes
    return [need for need in change.needs if isinstance(need, NotSeenAfter)]


EITHER = Match(any=(InactiveFor(90), InactiveFor(90, "any"), InGroup(("users",))))


@pytest.mark.case("E56")
@pytest.mark.parametrize(
    ("facts", "elsewhere"),
    [
        ({"elsewhere": {}}, [NotSeenAfter("any", LEFT)]),
        ({"elsewhere": {"jira-software": "2026-02-03"}}, [NotSeenAfter("any", day("2026-02-03"))]),
        ({"elsewhere": {"jira-software": "2025-02-03"}}, [NotSeenAfter("any", LEFT)]),
        ({"elsewhere": {"jira-software": "never"}}, [NotSeenAfter("any", LEFT)]),
        ({"elsewhere": None}, []),
    ],
)
def test_what_was_last_known_of_somebody_s_use_must_not_be_outdated_when_the_change_is_made(
    facts: dict[str, Any], elsewhere: list[Need]
) -> None:
    """What is not known of the use of other products can be held against nobody later."""
    assert needs_of(facts, EITHER) == [*elsewhere, NotSeenAfter("confluence", LEFT)]


@pytest.mark.case("E56")
@pytest.mark.parametrize(
    ("seen", "needs"),
    [
        ("never", [NotSeenAfter("confluence", None)]),
        ("unknown: no login is recorded", []),
    ],
)
def test_whoever_never_came_must_not_have_come_since(seen: str, needs: list[Need]) -> None:
    assert needs_of({"seen": seen}, Match(any=(InactiveFor(90), InGroup(("users",))))) == needs


@pytest.mark.case("E6", "E56")
@pytest.mark.parametrize(
    ("match", "products"),
    [
        (Match(all=(HasSeat(wanted=True),), none=(Match(none=(InactiveFor(90),)),)), ["confluence"]),
        (Match(all=(HasSeat(wanted=True),), none=(Match(all=(Match(none=(InactiveFor(90, "any"),)),)),)), ["any"]),
        (Match(all=(IDLE,), none=(InactiveFor(3000, "any"),)), ["confluence"]),
        (Match(all=(HasSeat(wanted=True),), none=(InactiveFor(3000),)), []),
        (Match(all=(HasSeat(wanted=True),), none=(Match(any=(InactiveFor(3000),)),)), []),
        (Match(all=(InGroup(("users",)),), none=(NeverActiveFor(90),)), []),
    ],
)
def test_whoever_is_meant_for_being_idle_however_that_is_put_must_not_have_come_back(
    match: Match, products: list[str]
) -> None:
    assert needs_of({"elsewhere": {}}, match) == [NotSeenAfter(product, LEFT) for product in products]


@pytest.mark.case("E6")
@pytest.mark.parametrize(
    "match",
    [
        Match(all=(HasSeat(wanted=True), ActiveOnlyOnce(wanted=False))),
        Match(all=(HasSeat(wanted=True),), none=(ActiveOnlyOnce(wanted=True),)),
        Match(all=(HasSeat(wanted=True),), none=(Match(none=(NeverActiveFor(90),)),)),
    ],
)
def test_whoever_is_meant_for_never_having_come_must_not_have_come_since(match: Match) -> None:
    assert needs_of({"seen": "never", "added": "2025-01-01"}, match) == [NotSeenAfter("confluence", None)]
