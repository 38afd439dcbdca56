"""Plans for the tests of guards: a site of so many people, policies, Guardrails, Overrides and a memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Baseline, Memory
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.guarding import Guard, Override, ReadingGuards
from cleanup_gitops.policy.guardrails import Guardrails
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy, site

DORMANT = policy(IDLE)
"""Takes idle people out of the group ``users``, by its name."""


def people(idle: int, busy: int, **facts: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """So many people who were not seen for long, and so many who were seen yesterday."""
    return [
        *({"id": f"idle-{number:03}", **facts} for number in range(idle)),
        *({"id": f"busy-{number:03}", "seen": "2026-11-21", **facts} for number in range(busy)),
    ]


def override(guard: Guard, number: int, **facts: Any) -> Override:  # noqa: ANN401 - fields of an Override
    """An Override that ends in a week."""
    usual: dict[str, Any] = {
        "name": "exception",
        "guard": guard,
        "max": number,
        "until": date(2026, 11, 29),
        "reason": "first-run",
        "ticket": "CHG-1",
        "where": "policies/overrides.yaml:1",
    }
    return Override(**usual | facts)


def plan_for(
    inventory: Inventory,
    *policies: Policy,
    guardrails: Guardrails = WIDE,
    overrides: tuple[Override, ...] = (),
    memory: Memory = BLANK,
    created: datetime = TODAY,
    **more: Any,  # noqa: ANN401 - fields of SitePolicies
) -> Plan:
    """The plan of one site under these guards."""
    rules = SitePolicies(
        site="acme",
        policies=tuple(sorted(policies or (DORMANT,), key=lambda one: one.name)),
        guardrails=guardrails,
        overrides=overrides,
        **more,
    )
    return make_plan(inventory, rules, memory, created=created, as_of=created, tool_version="0")


def check_of(plan: Plan, name: str) -> Check:
    """The check of this name."""
    return next(check for check in plan.checks if check.name == name)


def broken(plan: Plan) -> list[str]:
    """Names of the guards that are broken."""
    return [check.name for check in plan.checks if not check.passed]


def remembered(inventory: Inventory) -> Memory:
    """A memory whose last snapshot was of this inventory."""
    members = {
        group.id: sum(1 for user in inventory.users if group.id in (user.groups or ())) for group in inventory.groups
    }
    return Memory(
        lineage="l",
        serial=1,
        baseline=Baseline(
            as_of=TODAY - timedelta(days=1),
            accounts=len(inventory.users),
            seats=inventory.seats_used,
            known=len(inventory.users),
            members=members,
        ),
    )


def reading(**facts: Any) -> Guardrails:  # noqa: ANN401 - fields of ReadingGuards
    """Wide limits, and these of the reading."""
    return replace(WIDE, reading=ReadingGuards(**facts), where="policies/guardrails.yaml:2")


__all__ = ["DORMANT", "broken", "check_of", "override", "people", "plan_for", "reading", "remembered", "site"]
