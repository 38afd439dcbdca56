"""Invented policies for an invented organization, as the planner gets them from the loader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.model.inventory import Hosting, Inventory
from cleanup_gitops.model.requirement import DesiredStatus
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.tree import (
    AddedFor,
    EmailDomain,
    ExternalIs,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    LicenseIs,
    ManagedIs,
    Match,
    NeverActiveFor,
    Node,
    SeatVia,
)
from tests.strategies import DOMAINS

WIDE = Guardrails(caps=dict.fromkeys(DEFAULT_CAPS, Cap(10_000)), allow=frozenset(ACTIONS), per_domain=100)
"""Caps that nothing invented reaches, and every action allowed."""

HARSH: tuple[DesiredStatus, ...] = ("suspended", "deactivated", "removed", "deleted")
"""Statuses of which one is usual in a site, so that milder policies do not always win."""

Ask = Callable[[Random], Node]
OUTSIDE: tuple[Ask, ...] = (
    lambda rng: InactiveFor(
        rng.choice((30, 90, 365)), rng.choice(("confluence", "confluence", "any", "jira-software"))
    ),
    lambda rng: InactiveFor(rng.choice((30, 90))),
    lambda rng: NeverActiveFor(rng.choice((30, 90))),
    lambda rng: KindIs(rng.choice((("person",), ("person", "service")))),
    lambda rng: EmailDomain(rng.choice(((DOMAINS[0],), ("*.acme.com",), DOMAINS))),
    lambda rng: rng.choice((ManagedIs(wanted=True), ExternalIs(wanted=False), AddedFor(30))),
)
"""Predicates over facts that no change of ours writes."""


def site_policies(rng: Random, inventory: Inventory, *, outside_only: bool = False) -> SitePolicies:
    """Policies, protections and exemptions; now and then they name a group that is not there."""
    names = [group.name for group in inventory.groups]
    accounts = [user.id for user in inventory.users]
    asks = OUTSIDE
    if not outside_only:
        asks = (*OUTSIDE, lambda rng: HasSeat(rng.random() < 0.7), _in_group(names), _about_seats(names))
    harsh = rng.choice((None, *HARSH)) if inventory.hosting == "cloud" else None
    policies = tuple(_policy(rng, number, inventory, asks, harsh) for number in range(rng.randint(1, 4)))
    return SitePolicies(
        site=inventory.site,
        policies=policies,
        protections=(
            Protection(
                name="listed",
                owner="s@acme.com",
                accounts=tuple(rng.sample(accounts, rng.random() < 0.2)),
                groups=(rng.choice([*names, "nowhere"]),) if rng.random() < 0.1 else (),
                roles=("organization-admin",) if rng.random() < 0.1 else (),
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


def _about_seats(names: list[str]) -> Ask:
    return lambda rng: rng.choice((LicenseIs(("guest", "none")), SeatVia((rng.choice(names),)), SeatVia(direct=True)))


def _policy(
    rng: Random, number: int, inventory: Inventory, asks: tuple[Ask, ...], harsh: DesiredStatus | None
) -> Policy:
    match = _match(rng, asks)
    ensure = _ensure(rng, [group.name for group in inventory.groups], inventory.hosting, harsh)
    gives = ensure.status == "active" or ensure.groups_present or ensure.groups_exactly
    return Policy(
        name=f"policy-{number}",
        owner="iam@acme.com",
        why="because",
        match=match,
        ensure=ensure,
        include_admins=rng.random() < 0.3,
        allow_shared_groups=rng.random() < 0.3,
        kinds=match.kinds,
        where=f"policies/p.yaml:{number + 1}",
        termination=not gives and rng.random() < 0.25,
        priority=rng.choice((0, 0, 0, 0, -5, 5)),
    )


def _match(rng: Random, asks: tuple[Ask, ...], depth: int = 0) -> Match:
    def node() -> Node:
        return _match(rng, asks, depth + 1) if depth < 2 and rng.random() < 0.2 else rng.choice(asks)(rng)

    return Match(
        all=(node(), *(node() for _ in range(rng.choice((0, 0, 1))))),
        any=tuple(node() for _ in range(rng.choice((0, 0, 0, 2)))),
        none=tuple(node() for _ in range(rng.choice((0, 0, 1)))),
    )


def _ensure(rng: Random, names: list[str], hosting: Hosting, harsh: DesiredStatus | None) -> Ensure:
    """A policy never both gives and takes one group. Only Cloud has more than two statuses, tokens and direct roles."""
    one, two = rng.sample(names, 2)
    either: tuple[DesiredStatus, ...] = ("active", "disabled")
    if hosting == "cloud" and rng.random() < 0.6:
        if harsh and rng.random() < 0.8:
            return Ensure(status=harsh, no_access=rng.random() < 0.3, no_tokens=rng.random() < 0.3)
        return rng.choice(
            (
                Ensure(no_access=True, groups_present=(one,) if rng.random() < 0.2 else None),
                Ensure(no_tokens=True, no_access=rng.random() < 0.5),
                Ensure(no_access=True, groups_absent=(one,)),
                Ensure(status="active", no_access=True),
            )
        )
    if harsh and rng.random() < 0.5:
        return Ensure(status="active") if rng.random() < 0.3 else Ensure(groups_present=(one,))
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
