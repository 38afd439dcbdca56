"""Invented policies for an invented organization, as the planner gets them from the loader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import DesiredStatus
from cleanup_gitops.policy.documents import (
    Cap,
    Ensure,
    Exemption,
    Guardrails,
    Policy,
    Protection,
    SitePolicies,
)
from cleanup_gitops.policy.tree import (
    EmailDomain,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    Match,
    NeverActiveFor,
    Node,
)
from tests.strategies import DOMAINS

WIDE = Guardrails(
    caps={name: Cap(10_000) for name in ("membership.add", "membership.remove", "user.enable", "user.disable", "total")}
)
"""Caps that nothing invented reaches."""

Ask = Callable[[Random], Node]
OUTSIDE: tuple[Ask, ...] = (
    lambda rng: InactiveFor(
        rng.choice((30, 90, 365)), rng.choice(("confluence", "confluence", "any", "jira-software"))
    ),
    lambda rng: InactiveFor(rng.choice((30, 90))),
    lambda rng: NeverActiveFor(rng.choice((30, 90))),
    lambda rng: KindIs(rng.choice((("person",), ("person", "service")))),
    lambda rng: EmailDomain(rng.choice(((DOMAINS[0],), ("*.acme.com",), DOMAINS))),
)
"""Predicates over facts that no change of ours writes."""


def site_policies(rng: Random, inventory: Inventory, *, outside_only: bool = False) -> SitePolicies:
    """Policies, protections and exemptions; now and then they name a group that is not there."""
    names = [group.name for group in inventory.groups]
    accounts = [user.id for user in inventory.users]
    asks = OUTSIDE
    if not outside_only:
        asks = (*OUTSIDE, lambda rng: HasSeat(rng.random() < 0.7), _in_group(names))
    policies = tuple(_policy(rng, number, names, asks) for number in range(rng.randint(1, 4)))
    return SitePolicies(
        site=inventory.site,
        policies=policies,
        protections=(
            Protection(
                name="listed",
                owner="s@acme.com",
                accounts=tuple(rng.sample(accounts, rng.random() < 0.2)),
                groups=(rng.choice([*names, "nowhere"]),) if rng.random() < 0.1 else (),
            ),
        ),
        exemptions=tuple(
            Exemption(
                account=one,
                reason="absence",
                owner="hr@acme.com",
                until=rng.choice((date(2026, 11, 21), date(2026, 11, 22), date(2027, 3, 1))),
                ticket="HR-1",
                document="leave",
            )
            for one in rng.sample(accounts, rng.random() < 0.2)
        ),
        guardrails=WIDE,
    )


def _in_group(names: list[str]) -> Ask:
    return lambda rng: InGroup((rng.choice([*names, "*"]) if rng.random() < 0.97 else "no such group",))


def _policy(rng: Random, number: int, names: list[str], asks: tuple[Ask, ...]) -> Policy:
    match = _match(rng, asks)
    return Policy(
        name=f"policy-{number}",
        owner="iam@acme.com",
        why="because",
        match=match,
        ensure=_ensure(rng, names),
        include_admins=rng.random() < 0.3,
        kinds=match.kinds,
        where=f"policies/p.yaml:{number + 1}",
    )


def _match(rng: Random, asks: tuple[Ask, ...], depth: int = 0) -> Match:
    def node() -> Node:
        return _match(rng, asks, depth + 1) if depth < 2 and rng.random() < 0.2 else rng.choice(asks)(rng)

    return Match(
        all=(node(), *(node() for _ in range(rng.choice((0, 0, 1))))),
        any=tuple(node() for _ in range(rng.choice((0, 0, 0, 2)))),
        none=tuple(node() for _ in range(rng.choice((0, 0, 1)))),
    )


def _ensure(rng: Random, names: list[str]) -> Ensure:
    """A policy never both gives and takes one group."""
    one, two = rng.sample(names, 2)
    either: tuple[DesiredStatus, ...] = ("active", "disabled")
    status = rng.choice((None, *either))
    return rng.choice(
        (
            Ensure(status=rng.choice(either)),
            Ensure(status=status, groups_present=(one,)),
            Ensure(status=status, groups_absent=(one,)),
            Ensure(groups_present=(one,), groups_absent=(two,)),
            Ensure(groups_exactly=(one,)),
        )
    )
