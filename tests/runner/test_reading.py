"""Reading for a plan: everything once, single questions only where they matter, and what the answers may do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import QUESTIONS, GroupSeat, Lifecycle, Question, User
from cleanup_gitops.planner import make_plan, questions
from cleanup_gitops.policy.documents import Ensure, Exemption, Protection, SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS
from cleanup_gitops.policy.tree import InactiveFor, Match
from cleanup_gitops.runner.reading import Questions, answered_for_each, read_with_answers, with_sightings
from tests.fakes import NOON, FakeSite
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.runner.office import DORMANT, POLICIES, SEATS, office_site
from tests.strategies import AS_OF


def acts(plan: Plan) -> set[tuple[str, str]]:
    return {(change.action, change.address) for change in plan.changes}


def planned(inventory: Inventory, policies: SitePolicies) -> Plan:
    return make_plan(inventory, policies, BLANK, created=AS_OF, as_of=AS_OF, tool_version="0")


def wrote(rng: Random, user: User) -> User:
    """Now and then somebody wrote something after the last page that the directory knows of."""
    if not isinstance(user.seen, Seen | Never) or rng.random() < 0.7:
        return user
    at = AS_OF - timedelta(days=rng.choice((0, 20, 60, 120)))
    if isinstance(user.seen, Seen) and at < user.seen.latest:
        return user
    return msgspec.structs.replace(user, seen=seen_at(at, "content"))


def hidden(seed: int) -> tuple[FakeSite, Inventory, SitePolicies]:
    """A site that must be asked, what it would tell if it told everything at once, and policies for it.

    It has seats for everybody: how many are taken is told without asking anybody.
    """
    rng = Random(seed)
    found = organization(rng, "cloud", seat_limit=False)
    users = tuple(msgspec.structs.replace(user, seats=None) if user.groups is None else user for user in found.users)
    inventory = msgspec.structs.replace(found, users=users)
    truth = msgspec.structs.replace(inventory, users=tuple(wrote(rng, user) for user in inventory.users))
    return FakeSite(inventory, asked=truth), truth, site_policies(rng, inventory)


SEEDS = st.integers(0, 2**32)
MANY = settings(max_examples=100)


@MANY
@given(SEEDS)
def test_what_is_not_asked_never_lets_a_plan_do_what_the_whole_truth_forbids(seed: int) -> None:
    site, truth, policies = hidden(seed)
    live, _ = read_with_answers(site, policies, AS_OF)
    assert acts(planned(live.inventory, policies)) <= acts(planned(truth, policies))


@MANY
@given(SEEDS)
def test_users_about_whom_nothing_is_asked_keep_their_fate_and_answers_only_settle_what_needed_them(seed: int) -> None:
    site, _, policies = hidden(seed)
    first = planned(site.read().inventory, policies)
    live, asked = read_with_answers(site, policies, AS_OF)
    second = planned(live.inventory, policies)
    for account, disposition in first.dispositions.items():
        if account not in asked and second.dispositions[account] != disposition:
            assert "last-administrator" in (second.dispositions[account].reason, disposition.reason)
    new = {address.rpartition("/")[2]: address for _, address in acts(second) - acts(first)}
    for user in {change.user for change in second.changes if change.address in new.values()}:
        assert asked[user]
        assert first.dispositions[user].state != "unchanged"


@MANY
@given(SEEDS, st.sets(st.sampled_from(sorted(QUESTIONS))))
def test_a_question_that_is_not_answered_never_adds_a_change(seed: int, silent: set[Question]) -> None:
    site, _, policies = hidden(seed)
    answered, _ = read_with_answers(site, policies, AS_OF)
    site.silent = {(account, one) for account in answered.inventory.user_by_id for one in silent}
    unanswered, _ = read_with_answers(site, policies, AS_OF)
    assert acts(planned(unanswered.inventory, policies)) <= acts(planned(answered.inventory, policies))


@MANY
@given(SEEDS)
def test_no_question_is_asked_twice_and_none_about_people_whom_no_policy_may_touch(seed: int) -> None:
    site, _, policies = hidden(seed)
    first = planned(site.read().inventory, policies)
    _, asked = read_with_answers(site, policies, AS_OF)
    counted = Counter((account, one) for account, wanted in site.questions for one in wanted)
    assert set(counted.values()) <= {1}
    assert {account: frozenset(one for who, one in counted if who == account) for account in asked} == dict(asked)
    assert not [one for one in asked if first.dispositions[one].state in ("protected", "exempt")]


@MANY
@given(SEEDS)
def test_for_two_versions_of_policies_all_that_either_needs_is_asked_and_nothing_twice(seed: int) -> None:
    site, truth, policies = hidden(seed)
    other = site_policies(Random(seed + 1), truth)
    live = answered_for_each(site, site.read(), ((policies, NO_LISTS), (other, NO_LISTS)), AS_OF)
    counted = Counter((account, one) for account, wanted in site.questions for one in wanted)
    assert set(counted.values()) <= {1}
    for version in (policies, other):
        left = {(who, one) for who, wanted in questions(live.inventory, version, AS_OF).items() for one in wanted}
        assert left <= counted.keys()
        assert acts(planned(live.inventory, version)) <= acts(planned(truth, version))


def test_the_invented_sites_are_asked_all_questions_and_mostly_let_the_plan_do_all_it_should() -> None:
    """A law that holds because nothing is asked says nothing."""
    found: Counter[str] = Counter()
    for seed in range(250):
        site, truth, policies = hidden(seed)
        live, asked = read_with_answers(site, policies, AS_OF)
        found.update(one for wanted in asked.values() for one in wanted)
        whole = acts(planned(truth, policies))
        found["done"] += len(acts(planned(live.inventory, policies)))
        found["whole"] += len(whole)
        found["before"] += len(whole & acts(planned(FakeSite(site.read().inventory).read().inventory, policies)))
    assert min(found[one] for one in QUESTIONS) >= 10, found
    assert found["before"] < found["done"] <= found["whole"], found
    assert found["done"] > 0.9 * found["whole"], found


def person(account: str = "712020:a", **facts: object) -> User:
    """A dormant member who must be asked for direct roles."""
    usual: dict[str, object] = {
        "id": account,
        "directory": "default",
        "status": "active",
        "kind": "person",
        "license": "seat",
        "managed": True,
        "synced": False,
        "writable": True,
        "admin": False,
        "added": NOON - timedelta(days=900),
        "seen": seen_at(NOON - timedelta(days=200)),
        "elsewhere": (),
        "groups": (SEATS,),
        "seats": (GroupSeat((SEATS,)),),
        "roles": (),
        "direct": (),
        "lifecycle": Lifecycle("", ""),
        "tokens": (),
    }
    return User(**(usual | facts))  # type: ignore[arg-type]


def small(*users: User) -> Inventory:
    found = office_site()
    return msgspec.structs.replace(found, users=tuple(sorted(users, key=lambda one: one.id)), runner=())


def wanted(ensure: Ensure, *users: User, **more: object) -> dict[str, frozenset[Question]]:
    told = FakeSite(small(*users), asked=small(*users)).read().inventory
    rules = replace(POLICIES, policies=(replace(DORMANT, ensure=ensure),), **more)  # type: ignore[arg-type]
    return questions(told, rules, NOON)


ACCESS = Ensure(no_access=True)
LEAVE = Ensure(groups_absent=("confluence-users-acme",))


@pytest.mark.parametrize(
    ("ensure", "facts", "expected"),
    [
        (ACCESS, {}, {"roles", "content"}),
        (LEAVE, {}, {"roles", "content"}),
        (Ensure(groups_absent=("others",)), {"groups": ("g-others", SEATS)}, {"content"}),
        (Ensure(status="suspended"), {}, {"roles", "content"}),
        (Ensure(status="suspended"), {"writable": False}, {"content"}),
        (Ensure(status="removed"), {}, {"content"}),
        (Ensure(status="deactivated"), {}, {"lifecycle", "content"}),
        (Ensure(status="deleted"), {}, {"lifecycle", "content"}),
        (Ensure(status="deactivated"), {"managed": False}, {"content"}),
        (Ensure(status="deactivated"), {"managed": None}, set()),
        (Ensure(no_tokens=True), {}, {"tokens", "content"}),
        (Ensure(no_tokens=True), {"managed": False}, {"content"}),
        (ACCESS, {"seats": None}, set()),
        (ACCESS, {"groups": None, "seats": None}, set()),
        (ACCESS, {"seen": seen_at(NOON)}, set()),
        (ACCESS, {"admin": True}, set()),
        (ACCESS, {"kind": "service"}, set()),
        (LEAVE, {"groups": (), "seats": (), "license": "none"}, set()),
    ],
)
def test_only_what_matters_is_asked(ensure: Ensure, facts: dict[str, Any], expected: set[str]) -> None:
    assert wanted(ensure, person(**facts)) == ({"712020:a": frozenset(expected)} if expected else {})


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("product", "facts", "expected"),
    [
        ("any", {"elsewhere": ()}, True),
        ("jira-software", {"elsewhere": (("jira-software", seen_at(NOON - timedelta(days=400))),)}, True),
        ("confluence", {"elsewhere": ()}, False),
        ("any", {"elsewhere": None}, False),
        ("any", {"elsewhere": (), "seen": seen_at(NOON)}, False),
    ],
)
def test_other_products_are_asked_about_where_idleness_in_them_decides(
    product: str, facts: dict[str, Any], expected: bool
) -> None:
    match = Match(all=(InactiveFor(90, product),))
    policy = replace(DORMANT, match=match, ensure=Ensure(status="suspended"))
    told = small(person(**facts))
    asked = questions(told, replace(POLICIES, policies=(policy,)), NOON)
    assert ("products" in asked.get("712020:a", ())) == expected


def test_nothing_is_asked_about_the_protected_and_the_exempt() -> None:
    shield = Protection(name="p", owner="s@acme.com", accounts=("712020:a",))
    leave = Exemption(account="712020:b", reason="absence", owner="o", until=NOON.date(), ticket="T-1", document="d")
    people = (person("712020:a"), person("712020:b"), person("712020:c"))
    assert set(wanted(ACCESS, *people, protections=(shield,), exemptions=(leave,))) == {"712020:c"}


def test_a_sighting_that_was_asked_for_stays_in_a_later_reading() -> None:
    wrote = seen_at(NOON - timedelta(days=3), "content")
    before = small(person(seen=wrote), person("712020:b", seen=wrote))
    asked: Questions = {"712020:a": frozenset({"content"})}
    after = small(person(), person("712020:b"))
    assert [user.seen for user in with_sightings(after, before, asked).users] == [wrote, person().seen]
    later = small(person(seen=seen_at(NOON)), person("712020:b", seen=Unknown("not read")))
    assert with_sightings(later, before, asked) == later
