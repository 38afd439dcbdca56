"""Laws that need a site behind them: plan, apply over real HTTP, read again."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from deepdiff import DeepDiff

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.model.change import UserRemove
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import assume, evaluate, make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.site import CredentialRef, Credentials, Site
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.carry_out import carry_out
from cleanup_gitops.runner.reading import Questions, read_with_answers
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sites.cloud import CloudSite, connect
from cleanup_gitops.sites.secret import Secret
from tests.fakes import FakeProgress
from tests.planner.site_policies import site_policies


def connected(box: RunningSandbox) -> CloudSite:
    site = Site(
        name="acme",
        hosting="cloud",
        url=box.url,
        organization=box.org_id,
        credentials=Credentials(CredentialRef("KEY"), CredentialRef("USER"), CredentialRef("TOKEN")),
        runner_accounts=(),
        api_url=box.url,
    )
    values = {"KEY": box.org_api_key, "USER": box.user_email, "TOKEN": box.api_token}
    secrets = {name: Secret(value, name) for name, value in values.items()}
    return connect(site, secrets, SystemClock(), FakeProgress())


def planned(inventory: Inventory, policies: SitePolicies) -> Plan:
    now = inventory.as_of
    return make_plan(inventory, policies, BLANK, created=now, as_of=now, tool_version="0")


def facts(inventory: Inventory) -> dict[str, object]:
    """What changes write, by account, in a form whose differences can be read."""
    return {
        user.id: (user.status, user.groups, user.license, sorted(msgspec.to_builtins(user.seats or ()), key=str))
        for user in inventory.users
    }


USERS = 40
SITES = range(12)
QUICK = range(1, 6)
"""Those that everybody tries; the others take longer."""


@pytest.mark.parametrize("number", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SITES])
def test_the_plan_after_an_apply_is_empty_and_the_site_is_as_was_assumed(number: int) -> None:
    now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with running(seed(users=USERS, seed=number, now=now)) as box, connected(box) as site:
        policies, inventory, questions = read(site, number)
        plan = planned(inventory, policies)
        hands = Hands(site.reader, site.writer, SystemClock(), FakeProgress())
        evaluation = evaluate(inventory, policies, inventory.as_of)
        outcomes = carry_out(plan.changes, hands, evaluation, lambda: "", questions)
        refused = {one.user for one in outcomes if one.result == "failed"}
        assert all("not eligible" in one.detail for one in outcomes if one.user in refused and one.result == "failed")
        assert {one.result for one in outcomes} <= {"applied", "failed"}
        after = site.reader.ask(site.reader.read().inventory, questions)
        expected = facts(assume(inventory, plan))
        seen = facts(after)
        gone = {change.user for change in plan.changes if isinstance(change, UserRemove)} - set(seen)
        same = set(expected) - refused - gone
        assert not DeepDiff({one: expected[one] for one in same}, {one: seen[one] for one in same})
        assert set(seen) == set(expected) - gone
        assert {change.user for change in planned(after, policies).changes} <= refused


def read(site: CloudSite, number: int) -> tuple[SitePolicies, Inventory, Questions]:
    """Policies invented for the site, and what a plan for them needs to know of it."""
    policies = site_policies(Random(number), site.reader.read().inventory, outside_only=True)
    live, questions = read_with_answers(site.reader, policies, SystemClock().now())
    return policies, live.inventory, questions


def test_the_law_is_tried_on_plans_that_do_something() -> None:
    now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    done: Counter[str] = Counter()
    for number in SITES:
        with running(seed(users=USERS, seed=number, now=now)) as box, connected(box) as site:
            policies, inventory, _ = read(site, number)
            actions = planned(inventory, policies).summary.actions
            done.update(actions)
            done["plans"] += bool(actions)
    assert done["plans"] >= 4
    assert len(done) >= 6, done
