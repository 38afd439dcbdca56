"""Laws that need a site behind them: plan, apply over real HTTP, read again."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from deepdiff import DeepDiff

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import assume, evaluate, make_plan
from cleanup_gitops.policy.documents import CredentialRef, Credentials, Site, SitePolicies
from cleanup_gitops.runner.carry_out import Hands, carry_out
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sites.cloud import CloudSite, connect
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
    secrets = {"KEY": box.org_api_key, "USER": box.user_email, "TOKEN": box.api_token}
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


@pytest.mark.parametrize("number", range(12))
def test_the_plan_after_an_apply_is_empty_and_the_site_is_as_was_assumed(number: int) -> None:
    now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with running(seed(users=80, seed=number, now=now)) as box, connected(box) as site:
        inventory = site.reader.read().inventory
        policies = site_policies(Random(number), inventory, outside_only=True)
        plan = planned(inventory, policies)
        hands = Hands(site.reader, site.writer, SystemClock(), FakeProgress())
        outcomes = carry_out(plan.changes, hands, evaluate(inventory, policies, inventory.as_of), lambda: False)
        assert {one.result for one in outcomes} <= {"applied"}
        after = site.reader.read().inventory
        expected = assume(inventory, plan)
        assert not DeepDiff(facts(expected), facts(after))
        assert not planned(after, policies).changes


def test_the_law_is_tried_on_plans_that_do_something() -> None:
    now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    done = 0
    for number in range(12):
        with running(seed(users=80, seed=number, now=now)) as box, connected(box) as site:
            inventory = site.reader.read().inventory
            policies = site_policies(Random(number), inventory, outside_only=True)
            done += len(planned(inventory, policies).changes) > 0
    assert done >= 4
