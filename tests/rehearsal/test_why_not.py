"""What would have to change before a policy means a user: sets that are enough, with nothing in them to spare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.planner import evaluation_now, make_plan
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.match import compile_match
from cleanup_gitops.policy.tree import (
    AccountIs,
    AddedFor,
    HasSeat,
    InactiveFor,
    InStatusFor,
    Match,
    NeverActiveFor,
    Node,
    Predicate,
)
from cleanup_gitops.rehearsal.hindrances import Case, case_of
from cleanup_gitops.rehearsal.why_not import Turn, WhyNot, named, turns, why_not
from tests import golden
from tests.case_files import read_case
from tests.strategies import AS_OF, inventories

LETTERS = tuple(AccountIs((letter,)) for letter in "abcd")
VERDICTS = st.fixed_dictionaries({one: st.sampled_from((True, False, None)) for one in LETTERS})


def tree(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, max_size=2).map(tuple)
    return st.builds(Match, all=some, any=some, none=some)


TREES = tree(st.recursive(st.sampled_from(LETTERS), tree, max_leaves=6))


def verdict(node: Node, known: Mapping[Predicate, bool | None]) -> bool | None:
    """Kleene's logic, written once more."""
    if not isinstance(node, Match):
        return known[node]
    parts = [verdict(one, known) for one in node.all]
    if node.any:
        parts.append(_or([verdict(one, known) for one in node.any]))
    found = [verdict(one, known) for one in node.none]
    parts += [None if one is None else not one for one in found]
    return False if False in parts else None if None in parts else True


def _or(verdicts: list[bool | None]) -> bool | None:
    return True if True in verdicts else None if None in verdicts else False


def by_trying(match: Node, known: Mapping[Predicate, bool | None]) -> set[frozenset[Turn]]:
    """Every set of turned conditions that is enough and has nothing to spare."""
    enough: list[frozenset[Turn]] = []
    for size in range(len(LETTERS) + 1):
        for chosen in combinations(LETTERS, size):
            for values in product((True, False), repeat=size):
                turned: dict[Predicate, bool] = dict(zip(chosen, values, strict=True))
                found = frozenset(turned.items())
                real = all(known[one] is not value for one, value in turned.items())
                if real and not any(other <= found for other in enough) and verdict(match, {**known, **turned}):
                    enough.append(found)
    return set(enough)


@given(TREES, VERDICTS)
def test_the_sets_are_those_that_trying_everything_finds(match: Match, known: dict[Predicate, bool | None]) -> None:
    found = turns(match, known)
    assert {frozenset(way) for way in found} == by_trying(match, known)
    assert [len(way) for way in found] == sorted(len(way) for way in found)


def case_for(match: Match, *, idle: int = 0) -> Case:
    """The first user of a case, under one policy alone."""
    case = read_case(golden.CASES / "boundary")
    policies = SitePolicies(site="acme", policies=(Policy(name="p", owner="o", why="w", match=match, where="p:1"),))
    inventory = case.inventory
    at = inventory.as_of + timedelta(days=idle)
    plan = make_plan(inventory, policies, BLANK, created=at, as_of=at, tool_version="")
    evaluation = evaluation_now(inventory, policies, BLANK, created=at, as_of=at)
    return case_of(inventory.users[0], plan, policies, BLANK, evaluation)


def asked(name: str, account: str, policy: str) -> tuple[tuple[WhyNot, ...], Case]:
    """About somebody of a golden case."""
    case = read_case(golden.CASES / name)
    plan = case.plan()
    evaluation = evaluation_now(
        case.inventory, case.policies, case.memory,
        created=plan.created, as_of=plan.as_of, people=case.people, lists=case.lists,
    )  # fmt: skip
    found = case_of(case.inventory.user_by_id[account], plan, case.policies, case.memory, evaluation)
    return tuple(named(policy, found)), found


def of_case(name: str, account: str, policy: str) -> WhyNot:
    (found,) = asked(name, account, policy)[0]
    return found


TIMED = st.one_of(
    st.builds(InactiveFor, st.integers(1, 900), st.sampled_from(["confluence", "any"])),
    st.builds(NeverActiveFor, st.integers(1, 900)),
    st.builds(AddedFor, st.integers(1, 900)),
    st.builds(InStatusFor, st.integers(1, 900)),
    st.builds(HasSeat, st.booleans()),
)


@given(inventories(hosting="cloud", max_users=3), tree(st.recursive(TIMED, tree, max_leaves=4)), st.data())
def test_the_day_is_the_first_one_on_which_the_policy_means_the_user(
    inventory: Inventory, match: Match, data: st.DataObject
) -> None:
    policy = Policy(name="p", owner="o", why="w", match=match, where="p:1")
    policies = SitePolicies(site=inventory.site, policies=(policy,))
    plan = make_plan(inventory, policies, BLANK, created=AS_OF, as_of=AS_OF, tool_version="")
    evaluation = evaluation_now(inventory, policies, BLANK, created=AS_OF, as_of=AS_OF)
    for user in inventory.users:
        found = why_not(policy, case_of(user, plan, policies, BLANK, evaluation))

        def meant(days: int) -> bool:
            scope = replace(evaluation.scope, as_of=AS_OF + timedelta(days=days))
            return compile_match(match, scope).verdict(user) is True  # noqa: B023 - asked at once

        if found.from_day is None:
            assert meant(0) or not any(meant(data.draw(st.integers(0, 4000))) for _ in range(5))
            continue
        ahead = (found.from_day - AS_OF.date()).days
        assert meant(ahead)
        assert not meant(ahead - 1)
        assert not any(meant(data.draw(st.integers(0, ahead - 1))) for _ in range(5))


@pytest.mark.case("E4")
def test_somebody_seen_ninety_days_ago_is_meant_from_tomorrow_on() -> None:
    case = read_case(golden.CASES / "boundary")
    (policy,) = case.policies.policies
    (asked,) = (one for one in policy.match.all if isinstance(one, InactiveFor))
    days = set()
    for user in case.inventory.users:
        found = of_case("boundary", user.id, policy.name)
        if found.from_day:
            (way,) = found.ways
            assert [one.from_day for one in way] == [found.from_day]
            assert way[0].asked == f"inactive_for {asked.days}d"
            days.add((found.from_day - case.inventory.as_of.date()).days)
    assert 1 in days


def test_alternatives_are_told_apart_from_what_must_change_together() -> None:
    found = of_case("mildest-wins", "712020:bob", "dormant")
    assert [[(one.asked, one.wanted, one.verdict) for one in way] for way in found.ways] == [
        [("has_seat true", False, True)],
        [("in_group confluence-users-acme", True, False)],
    ]
    assert found.from_day is None


def test_who_is_meant_already_is_told_only_what_keeps_the_policy_from_acting() -> None:
    found = of_case("mildest-wins", "712020:ada", "idle-everywhere")
    assert (found.ways, found.from_day) == ((), None)
    assert [one.code for one in found.hindrances] == ["beaten-by-milder"]


def test_a_policy_that_would_be_beaten_if_it_meant_the_user_says_so_before() -> None:
    found = of_case("stages", "712020:finn", "long-gone")
    assert str(found.from_day) == "2026-12-30"
    assert [(one.code, one.policies) for one in found.hindrances] == [("beaten-by-milder", ("dormant",))]


def test_conditions_that_contradict_each_other_have_no_way() -> None:
    seat = HasSeat(wanted=True)
    found = why_not_of(Match(all=(seat,), none=(seat,)))
    assert (found.ways, found.from_day, found.policy.verdict) == ((), None, False)


def why_not_of(match: Match) -> WhyNot:
    (found,) = named("p", case_for(match))
    return found
