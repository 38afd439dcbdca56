"""Rules settled one against the other, without a site: who counts, who is listed and why, and what is a conflict."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.requirement import DesiredStatus, MembershipRequirement, StatusRequirement
from cleanup_gitops.model.user import Status, User
from cleanup_gitops.planner.rules import ADDITIVE, DEACTIVATE, DELETE, DISABLE, MEMBERSHIP, NOTHING, REMOVE, Rule
from cleanup_gitops.planner.settle import completions, could_decide, settle, unblocked
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.tree import HasSeat, Match

USER = User(id="712020:1", directory="default", groups=("g-a", "g-b", "g-c"))
A, B, C, D = (Group(id=f"g-{one}", name=f"group {one}", directory="default") for one in "abcd")


def rule(name: str, level: int, *, priority: int = 0, termination: bool = False, **facts: Any) -> Rule:  # noqa: ANN401
    """A rule that matches everybody."""
    match = Match(all=(HasSeat(wanted=True),))
    given = {"status": None, "present": (), "absent": frozenset(), "exactly": None, "missing": ()} | facts
    return Rule(
        policy=Policy(name=name, owner="iam", why="w", match=match, priority=priority, termination=termination),
        verdict=lambda _user: True,
        included=None,
        level=level,
        products=frozenset(),
        why=lambda _user, _scope: "",
        least_idle=None,
        **given,
    )


def leaves(name: str, *groups: Group, **facts: Any) -> Rule:  # noqa: ANN401
    return rule(name, MEMBERSHIP, absent=frozenset(one.id for one in groups), **facts)


def opens(name: str = "opens", **facts: Any) -> Rule:  # noqa: ANN401
    return rule(name, ADDITIVE, status="active", **facts)


def suspends(name: str = "suspends", **facts: Any) -> Rule:  # noqa: ANN401
    return rule(name, DISABLE, status="suspended", **facts)


def closes(name: str = "closes", **facts: Any) -> Rule:  # noqa: ANN401
    return rule(name, DEACTIVATE, status="deactivated", **facts)


def waits(name: str = "waits", **facts: Any) -> Rule:  # noqa: ANN401
    return rule(name, NOTHING, **facts)


def listed(*rules: Rule) -> list[tuple[str, str]]:
    return [(one.name, why) for one, why in settle(rules, USER).listed]


def test_one_rule_counts_and_nothing_is_listed() -> None:
    for one in (opens(), suspends(), closes()):
        found = settle([one], USER)
        assert found.conflict == ""
        assert list(found.asked) == [StatusRequirement(one.status)]  # type: ignore[arg-type]
        assert found.asked[next(iter(found.asked))] == (one,)
        assert found.listed == ()
        assert found.waits == ()


def test_opening_and_closing_are_a_conflict_whoever_is_stronger() -> None:
    for other in (suspends(priority=9), closes(), suspends(priority=-9)):
        found = settle([opens(), other], USER)
        assert found.conflict == "status"
        assert [one.name for one in found.parties] == ["opens", other.name]
        assert not found.asked


def test_two_ways_of_closing_are_none() -> None:
    found = settle([closes(), suspends()], USER)
    assert found.conflict == ""
    assert list(found.asked) == [StatusRequirement("suspended")]
    assert listed(closes(), suspends()) == [("closes", "harsher")]


@pytest.mark.parametrize("taken", [A, B, C])
def test_a_group_that_is_given_and_taken_is_named(taken: Group) -> None:
    others = rule("others", ADDITIVE, present=(D,))
    gives, exactly = rule("gives", ADDITIVE, present=(A, B, C)), rule("gives", MEMBERSHIP, exactly=(A, B, C))
    takes = leaves("takes", taken)
    backwards = rule("gives", ADDITIVE, present=(C, B, A))
    for rules in ([others, gives, takes], [exactly, takes], [backwards, takes]):
        found = settle(rules, USER)
        assert found.conflict == f"group {taken.name}"
        assert [one.name for one in found.parties] == ["gives", "takes"]


def test_groups_that_nobody_disagrees_about_are_no_conflict() -> None:
    gives = rule("gives", ADDITIVE, present=(A, B))
    found = settle([gives, leaves("takes", C)], USER)
    assert found.conflict == ""
    assert found.asked[MembershipRequirement("g-a", member=True)] == (gives,)


def test_the_reason_is_the_priority_of_those_that_take_alone() -> None:
    eager = opens("eager", priority=5)
    mild, harsh = leaves("mild", A), rule("harsh", DISABLE, absent=frozenset({"g-b"}))
    found = settle([eager, mild, harsh], USER)
    assert listed(eager, mild, harsh) == [("harsh", "harsher")]
    assert set(found.asked) == {StatusRequirement("active"), MembershipRequirement("g-a", member=False)}
    assert listed(suspends(priority=1), mild) == [("mild", "of lower priority")]
    assert listed(suspends(priority=-1), mild) == [("suspends", "of lower priority")]


def test_one_that_gives_counts_whatever_its_priority() -> None:
    gives = rule("gives", ADDITIVE, present=(D,), priority=-9)
    found = settle([gives, leaves("takes", A)], USER)
    assert MembershipRequirement("g-d", member=True) in found.asked
    assert found.listed == ()


def test_who_waits_is_spared_from_what_is_harsher() -> None:
    waiting, harsh = waits(), leaves("harsh", A)
    found = settle([waiting, harsh], USER)
    assert not found.asked
    assert found.waits == (waiting,)
    assert listed(waiting, harsh) == [("harsh", "harsher")]
    assert settle([waiting, opens()], USER).waits == (waiting,)
    assert settle([opens(), harsh], USER).waits == ()


def test_waiting_does_not_spare_from_a_higher_priority() -> None:
    waiting, strong = waits(), leaves("strong", A, priority=1)
    found = settle([waiting, strong], USER)
    assert found.waits == ()
    assert found.asked == {MembershipRequirement("g-a", member=False): (strong,)}
    assert listed(waiting, strong) == [("waits", "of lower priority")]


def test_what_only_those_ask_who_do_not_count_is_not_asked() -> None:
    mild, harsh = leaves("mild", A), rule("harsh", DISABLE, status="suspended", absent=frozenset({"g-a", "g-b"}))
    found = settle([harsh, mild], USER)
    assert found.asked == {MembershipRequirement("g-a", member=False): (mild,)}


def test_a_termination_decides_alone() -> None:
    leaver = closes("leaver", termination=True, priority=-9)
    found = settle([opens(), leaves("mild", A, priority=9), leaver], USER)
    assert found.conflict == ""
    assert found.asked == {StatusRequirement("deactivated"): (leaver,)}
    assert listed(opens(), leaver) == [("opens", "routine")]


def test_a_termination_that_waits_spares_nobody_from_another_and_is_not_listed() -> None:
    idle, leaver = waits("idle", termination=True, priority=9), closes("leaver", termination=True)
    found = settle([idle, leaver], USER)
    assert found.asked == {StatusRequirement("deactivated"): (leaver,)}
    assert (found.waits, found.listed) == ((), ())
    assert settle([idle], USER).waits == (idle,)


CLOSING: dict[DesiredStatus, int] = {
    "suspended": DISABLE,
    "deactivated": DEACTIVATE,
    "removed": REMOVE,
    "deleted": DELETE,
}


@pytest.mark.parametrize(
    ("statuses", "now", "managed", "first"),
    [
        (("suspended", "deactivated"), "active", True, "deactivated"),
        (("suspended", "deactivated"), "suspended", True, "deactivated"),
        (("suspended", "deactivated"), "active", False, "suspended"),
        (("suspended", "deactivated"), "suspended", False, "deactivated"),
        (("suspended", "removed"), "active", True, "suspended"),
        (("suspended", "removed"), "suspended", True, "removed"),
        (("removed", "deleted"), "active", True, "removed"),
        (("deleted", "removed"), "suspended", True, "removed"),
        (("removed", "deleted"), "absent", True, "deleted"),
        (("deactivated", "deleted"), "active", True, "deactivated"),
        (("suspended", "deactivated", "removed", "deleted"), "deactivated", True, "removed"),
        (("suspended", "deleted"), "active", False, "suspended"),
    ],
)
def test_of_what_terminations_ask_that_comes_first_which_ends_the_access_and_can_be_taken_back(
    statuses: tuple[DesiredStatus, ...], now: Status, managed: bool, first: DesiredStatus
) -> None:
    """Before a removal, and a removal before a deletion: for both of them somebody has to say yes."""
    user = msgspec.structs.replace(USER, status=now, managed=managed)
    rules = [rule(one, CLOSING[one], status=one, termination=True) for one in statuses]
    assert list(settle(rules, user).asked) == [StatusRequirement(first)]
    assert list(settle(rules[::-1], user).asked) == [StatusRequirement(first)]


GONE = Missing("group", "gone")


def test_a_termination_that_lacks_something_keeps_nobody_in_who_leaves_by_another_one() -> None:
    lame, whole = closes("lame", termination=True, missing=(GONE,)), suspends("whole", termination=True)
    routine = leaves("routine", A, missing=(GONE,))
    assert unblocked([lame, routine, whole]) == [routine, whole]
    assert unblocked([whole, routine]) == [whole, routine]


def test_a_termination_that_lacks_something_is_told_of_where_nothing_else_ends_the_access() -> None:
    lame = closes("lame", termination=True, missing=(GONE,))
    for others in ([], [waits("later", termination=True)], [suspends("routine")], [waits("pause")]):
        known = [lame, *others]
        assert unblocked(known) == known


def test_what_is_not_known_of_others_keeps_nobody_in_whose_end_is_certain() -> None:
    """Of somebody who leaves only a termination of a higher priority could make it something else."""
    certain, later = suspends("certain", termination=True, priority=1), waits("later", termination=True, priority=3)
    same, higher = closes("same", termination=True, priority=1), closes("higher", termination=True, priority=2)
    routine, lower = leaves("routine", A, priority=9), closes("lower", termination=True)
    everything = [same, higher, routine, lower]
    assert could_decide(everything, [certain]) == [higher]
    assert could_decide(everything, [certain, later, routine]) == [higher]
    assert could_decide(everything, [later]) == [same, higher, lower]
    assert could_decide(everything, [suspends("nothing", termination=True)]) == [same, higher]
    assert could_decide(everything, [leaves("mild", A)]) == everything
    assert could_decide(everything, []) == everything


def test_no_way_to_a_license_is_left_by_those_that_count_alone() -> None:
    counts, beaten = leaves("counts", A, no_access=True), suspends("beaten", no_access=True)
    assert settle([counts, beaten], USER).access == (counts,)


def test_completions_are_the_known_with_none_one_and_two_of_the_open_ones() -> None:
    known, open_ = [leaves("k", A)], [leaves(name, A) for name in ("a", "b", "z")]
    names = [tuple(one.name for one in found) for found in completions(known, open_)]
    assert names == [("k",), ("a", "k"), ("b", "k"), ("k", "z"), ("a", "b", "k"), ("a", "k", "z"), ("b", "k", "z")]
