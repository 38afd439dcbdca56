"""Who is covered: whoever a policy may mean one day, if only time passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies, Stage
from cleanup_gitops.policy.match import Scope, compile_match
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, Match
from cleanup_gitops.rehearsal.coverage import may_ever, uncovered
from tests.fakes import NOON
from tests.policy.users import lists_of, organizations, trees
from tests.runner.office import office_site
from tests.strategies import AS_OF, inventories

LIVE = Live(office_site(200, 3), NOBODY)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Match, Inventory, People]:
    inventory, people = draw(organizations())
    return draw(trees([group.name for group in inventory.groups])), inventory, people


@pytest.mark.slow
@given(cases(), st.integers(0, 4000))
def test_whoever_a_policy_means_on_some_day_is_never_told_to_be_out_of_its_reach(
    case: tuple[Match, Inventory, People], later: int
) -> None:
    match, inventory, people = case
    lists = lists_of(inventory)
    ever = may_ever(match, Scope(AS_OF, inventory, people, lists))
    then = compile_match(match, Scope(AS_OF + timedelta(days=later), inventory, people, lists)).verdict
    for user in inventory.users:
        assert then(user) is False or ever(user) is not False


@given(inventories(hosting="cloud"))
def test_out_of_reach_is_whom_another_fact_keeps_out(inventory: Inventory) -> None:
    scope = Scope(AS_OF, inventory)
    match = Match(all=(HasSeat(True), InactiveFor(90)))
    for user in inventory.users:
        assert (may_ever(match, scope)(user) is False) is (user.billed is False)
        assert may_ever(Match(all=(InactiveFor(90),), none=(HasSeat(True),)), scope)(user) is (
            False if user.billed else None
        )


def test_with_stages_a_policy_reaches_whoever_may_come_to_the_first_one_that_takes_something() -> None:
    give, take = Ensure(groups_present=("others",)), Ensure(status="suspended")
    seat, none = Match(all=(HasSeat(True),)), Match(all=(HasSeat(False),))
    policy = Policy(name="p", owner="o", why="w", match=Match(all=(InactiveFor(90),)))

    def missed(*stages: Stage) -> int:
        policies = SitePolicies(site="acme", policies=(replace(policy, stages=stages),))
        return len(uncovered(Match(), policies, LIVE, NOON))

    later = Stage(name="take", ensure=take, after=7)
    assert missed(Stage(name="give", ensure=give)) == 2
    assert missed(Stage(name="take", ensure=take)) == 0
    assert missed(Stage(name="give", ensure=give), later) == 0
    assert missed(Stage(name="give", ensure=give, when=none), later) == 2
    assert missed(Stage(name="take", ensure=take), replace(later, name="more", when=none)) == 0
    assert missed(Stage(name="take", ensure=take, when=seat)) == 0
