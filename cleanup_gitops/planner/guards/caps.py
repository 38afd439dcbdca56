"""Caps: how many rows of each action one plan may have, and how many people of one e-mail domain it may touch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cleanup_gitops.model.change import ACTIONS, TAKING, Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Applied, Memory
from cleanup_gitops.model.plan import Check, Limit
from cleanup_gitops.planner.guards.exceptions import Demand, Exceptions, Room, Rows, policies_of, room
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guarding import Guard, check_capped
from cleanup_gitops.policy.guardrails import CAPPED, Cap

WINDOW = timedelta(hours=24)
"""Caps count the rows of the plan and what was applied in this time before it."""
FEW_OF_A_DOMAIN = 3
"""So many people of one domain are never too many of it: the caps of the actions hold for them all the same."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One cap: the rows of a plan by policy, those among them that wait, what was applied lately, what is allowed."""

    guard: Guard
    rows: Rows
    pending: int
    recent: int
    room: Room
    rule: str
    never: bool
    """Whether the cap is 0, which no Override lifts."""

    @property
    def planned(self) -> int:
        """Rows that are to be carried out."""
        return self.rows.total() - self.pending

    @property
    def found(self) -> int:
        """What counts against the limit."""
        return counting(self.rows.total(), self.pending, self.recent)

    @property
    def demand(self) -> Demand:
        """What the guard would have to let pass."""
        return Demand(self.room.usual, self.rows, self.found - self.rows.total())

    @property
    def limit(self) -> Limit:
        """As the plan shows it."""
        return Limit(
            name=self.guard,
            planned=self.planned,
            recent=self.recent,
            allowed=self.room.allowed,
            rule=self.rule,
            pending=self.pending,
        )


def counting(rows: int, pending: int, recent: int) -> int:
    """How many rows count against a limit; a plan without rows keeps it whatever ran before.

    Rows that wait count with those of the plan, not with what ran before: a hold lasts longer than a cap looks back,
    and what ran is often what they would do again.
    """
    planned = rows - pending
    return planned + max(recent if planned else 0, pending)


def limits(
    rows: Iterable[Change],
    caps: Mapping[str, Cap],
    memory: Memory,
    exceptions: Exceptions,
    *,
    seats: int,
    created: datetime,
    waiting: Sequence[Change] = (),
) -> tuple[Counted, ...]:
    """One limit for each action, one for all of them together and one for terminations, over all rows handed in.

    A termination counts for the last two, and for its action only where that must never happen: a day on which many
    people leave is no reason to stop, and no room for anything else.

    ``seats`` are those in use now; a percent is of the most that were in use when one of the runs that count was
    planned, so that what they freed makes no limit smaller. ``waiting`` are rows that policies ask for and that are not
    carried out now. Raises ``UncappedActionError`` for an action without a cap.
    """
    rows = tuple(rows)
    check_capped(CAPPED, caps, "Guardrails")
    asked: dict[Guard, Rows] = {guard: Counter() for guard in CAPPED}
    pending: Counter[Guard] = Counter()
    for row, waits in (*((row, 0) for row in rows), *((row, 1) for row in waiting)):
        never: tuple[Guard, ...] = (row.action,) if _never(caps[row.action]) else ()
        policies = policies_of(row.causes)
        for guard in {*_guards_of(row), *never}:
            asked[guard][policies] += 1
            pending[guard] += waits
    lately = [run for run in memory.applied if created - run.at < WINDOW]
    recent = _recent(rows, lately, memory, created)
    base = _Base(seats, max([seats, *(run.seats for run in lately)]))
    return tuple(
        _counted(guard, rows_of, pending[guard], recent[guard], caps[guard], base, exceptions)
        for guard, rows_of in asked.items()
    )


def _guards_of(row: Change) -> tuple[Guard, ...]:
    """The caps that count a row. A notice takes nothing, and makes no room smaller for what does."""
    if row.action == "notice.send":
        return ("notice.send",)
    leaves = any(cause.termination for cause in row.causes)
    return ("termination" if leaves else row.action), "total"


def _never(cap: Cap) -> bool:
    return 0 in (cap.max, cap.percent)


def _recent(rows: Iterable[Change], lately: Sequence[Applied], memory: Memory, now: datetime) -> Counter[Guard]:
    """What was applied lately, by cap.

    What may have been sent and is planned again is one change, not two; so is what may still show, and is not sent
    again before its deadline.
    """
    recent: Counter[Guard] = Counter()
    for run in lately:
        for action in ACTIONS:
            made, leaving = run.actions.get(action, 0), run.terminations.get(action, 0)
            told = action == "notice.send"
            recent[action] += made if told else made - leaving
            recent["total"] += 0 if told else made
            recent["termination"] += 0 if told else leaving
    runs = {run.run for run in lately}
    unsure = {
        one.address: one.after
        for one in memory.settling
        if one.run in runs and (one.deadline is None or now <= one.deadline)
    }
    again = [row for row in rows if unsure.get(row.address) == row.after]
    return recent - Counter(guard for row in again for guard in _guards_of(row))


@dataclass(frozen=True, slots=True)
class _Base:
    """Of how many seats a percent is: those in use now, or before the changes that count against the limit."""

    now: int
    seats: int

    @property
    def words(self) -> str:
        return f"{self.seats} seats" if self.seats == self.now else f"{self.seats} seats in use before that"


def _counted(
    guard: Guard, rows: Rows, pending: int, recent: int, cap: Cap, base: _Base, exceptions: Exceptions
) -> Counted:
    """Number and percent both hold, but one change is always allowed, so that a small site is not stuck.

    Except where one of them is 0, which means never.
    """
    allowed = cap.max
    rule = f"max {cap.max}"
    if cap.percent is not None:
        allowed = min(allowed, base.seats * cap.percent // 100)
        rule += f", {cap.percent} % of {base.words}"
    never = _never(cap)
    usual = 0 if never else max(1, allowed)
    overrides = () if never else exceptions.of(guard)
    beside = counting(rows.total(), pending, recent) - rows.total()
    return Counted(guard, rows, pending, recent, room(usual, rows, beside, overrides), rule, never)


def cap_checks(counted: Iterable[Counted], where: str, exceptions: Exceptions) -> tuple[Check, ...]:
    """A check for each limit."""
    return tuple(_cap_check(one, where, exceptions) for one in counted)


def _cap_check(one: Counted, where: str, exceptions: Exceptions) -> Check:
    found = one.found
    passed = one.room.holds(found)
    allowed = one.room.words(f"{one.rule}; {where}")
    waits = f", {one.pending} pending" if one.pending else ""
    counts = f"{one.planned} planned{waits} and {one.recent} applied in the last 24 hours"
    told = f"{counts}, {allowed}"
    proposed = "" if passed or one.never else exceptions.proposal(one.guard, [one.demand], f"found: {counts}")
    if not passed:
        told += "; a cap of 0 means never, and no Override lifts it" if one.never else exceptions.not_enough(one.guard)
    return Check(
        name=f"cap:{one.guard}",
        passed=passed,
        message=told,
        found=found,
        allowed=one.room.allowed,
        lifted=one.room.lifted,
        override=proposed,
    )


@dataclass(frozen=True, slots=True)
class _Domain:
    """People of one e-mail domain from whom the plan takes something."""

    name: str
    rows: Rows
    accounts: int
    room: Room

    @property
    def found(self) -> int:
        return self.rows.total()

    @property
    def passed(self) -> bool:
        return self.room.holds(self.found)


def domain_check(rows: Iterable[Change], policies: SitePolicies, inventory: Inventory, exceptions: Exceptions) -> Check:
    """From how many people of one e-mail domain the plan takes something; the domain with most of them counts.

    A domain that no policy names, and that is not the organization's, may tell who somebody is: it is not named.
    """
    guardrails = policies.guardrails
    domains = _domains(rows, guardrails.per_domain, inventory, exceptions)
    broken = [one for one in domains if not one.passed]
    share = f"{guardrails.per_domain} % of the accounts of one e-mail domain"
    rule = f"{share}, {FEW_OF_A_DOMAIN} at least; {guardrails.where}"
    if not domains:
        return Check(name="cap:per_domain", passed=True, message=f"no e-mail domain is touched ({rule})", found=0)
    worst = max(broken or domains, key=lambda one: (one.found, one.name))
    known = {domain for policy in policies.policies for match in policy.conditions for domain in match.domains}
    name = worst.name if worst.name in known | set(inventory.claimed_domains or ()) else "one e-mail domain"
    told = f"takes something from {worst.found} of {worst.accounts} accounts of {name}, {worst.room.words(rule)}"
    if len(broken) > 1:
        told += f"; {len(broken) - 1} more domains are over the cap" if len(broken) > 2 else "; so is one more domain"
    proposed = ""
    if broken:
        told += exceptions.not_enough("per_domain")
        demands = [Demand(one.room.usual, one.rows) for one in domains]
        proposed = exceptions.proposal("per_domain", demands, counts="accounts of one e-mail domain")
    return Check(
        name="cap:per_domain",
        passed=not broken,
        message=told,
        found=worst.found,
        allowed=worst.room.allowed,
        lifted=() if broken else tuple(sorted({name for one in domains for name in one.room.lifted})),
        override=proposed,
    )


def _domains(rows: Iterable[Change], percent: int, inventory: Inventory, exceptions: Exceptions) -> Sequence[_Domain]:
    """The domains from which the plan takes something. Who shows no address belongs to none."""
    asked: dict[str, set[str]] = {}
    for row in rows:
        if row.action in TAKING:
            asked.setdefault(row.user, set()).update(cause.policy for cause in row.causes)
    touched: dict[str, Rows] = {}
    for account, policies in asked.items():
        domain = inventory.user_by_id[account].domain
        if domain is not None:
            touched.setdefault(domain, Counter())[tuple(sorted(policies))] += 1
    if not touched:
        return ()
    accounts = Counter(
        user.domain
        for user in inventory.users
        if user.domain in touched and (user.status == "active" or user.id in asked)
    )
    overrides = exceptions.of("per_domain")
    return [
        _Domain(
            name, own, accounts[name], room(max(FEW_OF_A_DOMAIN, accounts[name] * percent // 100), own, 0, overrides)
        )
        for name, own in sorted(touched.items())
    ]
