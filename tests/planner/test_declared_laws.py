"""The laws of the planner where groups are declared, over generated organizations of both hostings."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.ledger.adopting import with_adopted
from cleanup_gitops.ledger.planfile import plan_bytes
from cleanup_gitops.model.change import MembershipAdd, MembershipRemove
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Adopted, Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import assume, make_plan
from cleanup_gitops.planner.ready import evaluate
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.groups import GroupEntry, Groups
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.test_laws import UNKNOWN, acts, holding
from tests.strategies import AS_OF

Case = tuple[Inventory, SitePolicies, Memory]
MANY = settings(max_examples=300)


def invented(seed: int, *, quiet: bool = False) -> Case:
    """An organization, policies, and declared groups, some of them adopted. ``quiet``: no seat is short."""
    rng = Random(seed)
    inventory = organization(rng, seat_limit=not quiet)
    policies = site_policies(rng, inventory, outside_only=quiet)
    if quiet:
        policies = replace(policies, policies=())
    elif rng.random() < 0.4:
        policies = replace(policies, policies=policies.policies[:1])
    accounts = [user.id for user in inventory.users]
    named = rng.sample(inventory.groups, rng.randint(1, len(inventory.groups)))
    entries = tuple(_entry(rng, number, group.name, accounts) for number, group in enumerate(named))
    policies = replace(policies, groups=(Groups(name="declared", entries=entries, where="policies/g.yaml:1"),))
    lines = tuple(
        Adopted(group=one.id, name=one.name, run="r", at=AS_OF, why="clean")
        for one in inventory.groups
        if rng.random() < 0.7
    )
    return inventory, policies, msgspec.structs.replace(holding(inventory, policies), adopted=lines)


def _entry(rng: Random, number: int, name: str, accounts: list[str]) -> GroupEntry:
    members = rng.sample(accounts, rng.randint(0, len(accounts))) if accounts else []
    odd = rng.random()
    return GroupEntry(
        name="new name" if odd < 0.1 else name,
        accounts=tuple(members or ["nobody"]),
        exactly=rng.random() < 0.6,
        previously=(name,) if odd < 0.08 else (),
        allow_shared_groups=rng.random() < 0.5,
        where=f"policies/g.yaml:{number + 2}",
    )


SEEDS = st.integers(0, 2**32)
CASES = SEEDS.map(invented)
QUIET = SEEDS.map(lambda seed: invented(seed, quiet=True))


def planned(case: Case, adopt: frozenset[str] = frozenset()) -> Plan:
    inventory, policies, memory = case
    return make_plan(inventory, policies, memory, created=AS_OF, as_of=AS_OF, tool_version="0", adopt=adopt)


@MANY
@given(CASES)
def test_the_same_inputs_give_the_same_bytes_and_every_user_one_disposition(case: Case) -> None:
    inventory, policies, memory = case
    again = msgspec.json.decode(msgspec.json.encode(inventory), type=Inventory)
    plan = planned(case)
    assert plan_bytes(plan) == plan_bytes(planned((again, policies, memory)))
    assert list(plan.dispositions) == [user.id for user in inventory.users]
    touched = {change.user for change in plan.changes}
    assert touched == {account for account, one in plan.dispositions.items() if one.state == "changed"}


@MANY
@given(CASES)
def test_a_declaration_takes_out_only_people_who_are_not_named_and_not_protected(case: Case) -> None:
    inventory, policies, memory = case
    listed = {account for one in policies.protections for account in one.accounts}
    listed |= {one.account for one in policies.exemptions if one.until >= AS_OF.date()}
    adopted = {one.group for one in memory.adopted}
    (document,) = policies.groups
    named = {
        inventory.groups_by_name[name.casefold()][0].id: entry
        for entry in document.entries
        for name in entry.names
        if name.casefold() in inventory.groups_by_name
    }
    for change in planned(case).changes:
        if not any(cause.policy == "declared" for cause in change.causes):
            continue
        user = inventory.user_by_id[change.user]
        assert isinstance(change, MembershipAdd | MembershipRemove)
        entry = named[change.group]
        assert user.admin is False
        assert user.id not in listed
        assert user.id not in inventory.runner
        if isinstance(change, MembershipAdd):
            assert user.id in entry.accounts
            assert user.status == "active"
        else:
            assert entry.exactly
            assert user.id not in entry.accounts
            assert user.kind == "person"
            assert change.group in adopted


@MANY
@given(CASES)
def test_an_adoption_only_lets_through_what_was_pending(case: Case) -> None:
    _, policies, _ = case
    names = frozenset(entry.name.casefold() for entry in policies.groups[0].entries)
    before, after = planned(case), planned(case, names)
    waited = {(one.change.action, one.change.address) for one in before.pending if one.reason == "adopt"}
    assert acts(before) <= acts(after)
    if not any(one.reason == "seat-to-guest" for one in (*before.dispositions.values(), *after.dispositions.values())):
        assert acts(after) - acts(before) == waited
    assert not any(one.reason == "adopt" for one in after.pending)


@MANY
@given(CASES, st.data())
def test_forgetting_a_fact_never_adds_a_change(case: Case, data: st.DataObject) -> None:
    inventory, policies, memory = case
    at = data.draw(st.integers(0, len(inventory.users) - 1), label="which user")
    fact = data.draw(st.sampled_from(sorted(UNKNOWN)), label="which fact")
    forgotten = msgspec.structs.replace(inventory.users[at], **{fact: UNKNOWN[fact]})
    users = (*inventory.users[:at], forgotten, *inventory.users[at + 1 :])
    known = planned(case)
    if any(one.reason == "last-administrator" for one in known.dispositions.values()):
        return  # an administrator who is left alone for another reason is one who remains
    less = planned((msgspec.structs.replace(inventory, users=users), policies, memory))
    assert acts(less) <= acts(known)
    clean = {one.group for one in known.adoption}
    assert all(one.group in clean for one in less.adoption if one.what == "clean" and inventory.users[at].groups)


@MANY
@given(QUIET)
def test_the_plan_after_the_plan_is_empty(case: Case) -> None:
    inventory, policies, memory = case
    first = planned(case)
    lines = with_adopted(memory.adopted, first, "r", AS_OF)
    told = tuple(one for one in lines if isinstance(one, Adopted))
    second = planned((assume(inventory, first), policies, msgspec.structs.replace(memory, adopted=told)))
    assert acts(second) == set()


@MANY
@given(CASES)
def test_the_rules_that_are_looked_up_for_a_user_are_all_that_say_anything(case: Case) -> None:
    inventory, policies, memory = case
    evaluation = evaluate(inventory, policies, AS_OF, adopted={one.group for one in memory.adopted})
    for user in inventory.users:
        said = {id(rule) for rule in evaluation.rules if rule.declared and rule.verdict(user) is not False}
        assert said <= {id(rule) for rule in evaluation.shortlist(user)}


def test_the_invented_cases_reach_all_that_matters() -> None:
    plans = [planned(invented(seed)) for seed in range(400)]
    causes = Counter(
        change.action for plan in plans for change in plan.changes for one in change.causes if one.policy == "declared"
    )
    assert causes["membership.add"] > 50, causes
    assert causes["membership.remove"] > 50, causes
    assert sum(one.reason == "adopt" for plan in plans for one in plan.pending) > 20
    assert sum(one.what == "clean" for plan in plans for one in plan.adoption) > 20
    assert sum(one.what == "dropped" for plan in plans for one in plan.adoption) > 20
    assert sum("declared" in one.policies for plan in plans for one in plan.dispositions.values()) > 200
    assert sum(bool(plan.blocked) for plan in plans) > 20
