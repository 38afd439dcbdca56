"""Whom conditions mean: the counts are those of asking everybody, and each condition only takes people away."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import Seen, Unknown, seen_at
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import Kind
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.policy.documents import Exemption, Protection, SitePolicies
from cleanup_gitops.policy.match import Scope, compile_match
from cleanup_gitops.policy.tree import AccountIs, EmailDomain, HasSeat, InactiveFor, KindIs, Match
from cleanup_gitops.rehearsal.who import missing_of, who
from tests.ledger.snapshots import site
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.rehearsal.test_backtest import BEGIN, WIKI, day, member
from tests.strategies import AS_OF


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_everybody_is_counted_once_and_no_condition_brings_anybody_back(seed: int) -> None:
    rng = Random(seed)
    inventory = organization(rng)
    policies = site_policies(rng, inventory)
    policy = rng.choice(policies.policies)
    live = Live(inventory, NOBODY)
    if missing_of(policy.match, live):
        return
    found = who(policy.match, policies, live, kinds=policy.kinds, include_admins=policy.include_admins)
    verdict = compile_match(policy.match, Scope(AS_OF, inventory)).verdict
    told = {user.id: verdict(user) for user in inventory.users}
    assert [user.id for user in found.meeting] == [account for account, met in told.items() if met]
    assert [user.id for user in found.undecided] == [account for account, met in told.items() if met is None]
    assert found.total == len(told)
    before = len(told)
    for step in found.steps:
        assert sum(step.left) <= min(before, sum(step.alone))
        assert step.left[0] <= step.alone[0]
        before = sum(step.left)
    assert found.steps[-1].left == (len(found.meeting), len(found.undecided))
    assert bool(found.reasons) == bool(found.undecided)
    shield = make_shield(policies, inventory, AS_OF)
    spared = [user for user in found.meeting if shield.protection(user) or user.id in shield.exempt]
    assert sum(number for _, number in found.spared) >= len(spared)
    assert sum(one.users for one in found.by_license) == len(found.meeting)
    for user in (*found.meeting, *found.undecided):
        assert found.explained(user).verdict == told[user.id]


def test_it_says_how_far_each_condition_narrows_and_who_is_left_alone() -> None:
    at = BEGIN.replace(hour=9)
    old = seen_at(at.replace(year=2025, month=1), "csv")
    users = [
        member("a", old),
        member("b", old),
        member("c", old),
        member("d", seen_at(at, "csv")),
        member("e", Unknown("not in the answer")),
    ]
    policies = SitePolicies(
        site="acme",
        protections=(Protection(name="listed", owner="s@acme.com", accounts=("b",)),),
        exemptions=(
            Exemption(account="c", reason="absence", owner="hr@acme.com", until=day(9), ticket="HR-1", document="l"),
        ),
    )
    live = Live(site(*users, groups=(WIKI,), as_of=at), NOBODY)
    match = Match(all=(HasSeat(wanted=True), InactiveFor(90)), none=(EmailDomain(("globex.example",)),))
    found = who(match, policies, live)
    assert [(one.word, one.asked, one.alone, one.left) for one in found.steps] == [
        ("", ("has_seat true",), (5, 0), (5, 0)),
        ("", ("inactive_for 90d",), (3, 1), (3, 1)),
        ("none of", ("email_domain globex.example",), (5, 0), (3, 1)),
    ]
    assert found.spared == (("exempt", 1), ("listed", 1))
    assert [(one.asked, one.reason, one.users) for one in found.reasons] == [
        ("inactive_for 90d", "last use not known: not in the answer", 1)
    ]
    assert [(one.name, one.users) for one in found.by_group] == [("wiki-users", 3)]
    assert found.by_department == ()
    kinds: frozenset[Kind] = frozenset({"service"})
    services = who(Match(all=(KindIs(("person",)),)), policies, live, kinds=kinds)
    assert dict(services.spared)["account-type-person"] == 4


def test_one_reason_is_one_line_whatever_the_days_of_each_user() -> None:
    at = BEGIN.replace(hour=9)
    ago = [at - timedelta(days=one) for one in (84, 86, 95, 97)]
    users = [
        member("a", Seen(ago[2], ago[0], "csv")),
        member("b", Seen(ago[3], ago[1], "csv")),
        replace(member("c", seen_at(ago[3], "csv")), elsewhere=(), added=ago[2]),
        replace(member("d", seen_at(ago[3], "csv")), elsewhere=(), added=ago[3]),
    ]
    live = Live(site(*users, groups=(WIKI,), as_of=at), NOBODY)
    policies = SitePolicies(site="acme")
    found = who(Match(all=(InactiveFor(90),)), policies, live)
    assert [(one.reason, one.users) for one in found.reasons] == [("of the last use the day is not known", 2)]
    found = who(Match(all=(AccountIs(("c", "d")), InactiveFor(90, "jira-software"))), policies, live)
    assert [(one.reason, one.users) for one in found.reasons] == [
        ("use of jira-software not known: not listed for the user", 2)
    ]
