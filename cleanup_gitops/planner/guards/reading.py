"""Guards of the reading itself: what a site says completely and consistently may still be wrong.

A list that came back short, a key that sees less than yesterday, a source of activity that answers for another product:
nothing of that contradicts itself, so it is compared with the last snapshot and with what must be there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cleanup_gitops.model.activity import LAG_DAYS, Never, Seen, Unknown, cutoff
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Baseline, Memory, Settling
from cleanup_gitops.model.plan import Check
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.guards.exceptions import Demand, Exceptions, exceptions_of, one_line, room
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.match import resolve_groups
from cleanup_gitops.policy.tree import InactiveFor, InGroup, SeatVia, asked_for, predicates

FEW = 3
"""So many fewer, or so many unknown, are everyday life on a small site, as long as something is left."""
HANDFUL = 5
"""With fewer people than this, that all of them are idle says nothing about the data."""
USUAL_IDLE_DAYS = 90
"""When somebody looks idle, where no policy says it."""


def reading_checks(
    inventory: Inventory, policies: SitePolicies, memory: Memory, *, created: datetime
) -> tuple[Check, ...]:
    """Whether this reading may be trusted. ``created`` (UTC) is now: Overrides that end before it do not count."""
    exceptions = exceptions_of(policies, created.date())
    return (
        drop_check(inventory, policies, memory, exceptions),
        known_check(inventory, policies, exceptions),
        canaries_check(inventory, policies),
        idle_check(inventory, policies),
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """How many there were in the last snapshot and are now; ``late`` of them were ours to go."""

    what: str
    before: int
    now: int
    late: int = 0

    @property
    def percent(self) -> int:
        """How much is missing, in percent, rounded up. A few missing are none, unless nothing is left."""
        lost = self.before - self.now - self.late
        if lost <= 0 or (lost <= FEW and self.now):
            return 0
        return -(-100 * lost // self.before)

    @property
    def text(self) -> str:
        return f"{self.what} {self.before:,} -> {self.now:,}"


def drop_check(inventory: Inventory, policies: SitePolicies, memory: Memory, exceptions: Exceptions) -> Check:
    """How far the counts fell since the last snapshot, in percent; the one that fell most counts."""
    said = policies.guardrails
    rule = f"max_drop {said.reading.max_drop} %; {said.where}"
    if memory.baseline is None:
        return Check(name="reading:drop", passed=True, message=f"there is no snapshot yet to compare with ({rule})")
    counts = _counts(inventory, policies, memory.baseline, memory)
    found = max(one.percent for one in counts)
    demand = Demand(said.reading.max_drop, Counter({(): found}))
    allowed = room(demand.usual, demand.rows, 0, exceptions.of("reading.max_drop"))
    gone = memory.baseline.accounts > 0 and not inventory.users
    passed = allowed.holds(found) and not gone
    since = f"since the snapshot of {memory.baseline.as_of.date().isoformat()}"
    if passed:
        over = f", at most {found} % fewer" if found else ""
        told = f"{', '.join(one.text for one in counts[:3])} {since}{over}; {allowed.words(rule, ' %')}"
        return Check(
            name="reading:drop", passed=True, message=told, found=found, allowed=allowed.allowed, lifted=allowed.lifted
        )
    fallen = sorted((one for one in counts if not allowed.holds(one.percent)), key=lambda one: (-one.percent, one.what))
    more = f" and {len(fallen) - FEW} more" if len(fallen) > FEW else ""
    told = (
        f"{', '.join(f'{one.text} ({one.percent} % fewer)' for one in fallen[:FEW])}{more} {since};"
        f" {allowed.words(rule, ' %')}{exceptions.not_enough('reading.max_drop')}. A list that came back short, or a"
        " key that sees less than before, looks like this. Look at `cleanup-gitops drift --no-record`, and run again"
        " later"
    )
    return Check(
        name="reading:drop",
        passed=False,
        message=f"{told}; no Override lifts that nobody is left" if gone else told,
        found=found,
        allowed=allowed.allowed,
        override="" if gone else exceptions.proposal("reading.max_drop", [demand], "percent"),
    )


def _counts(inventory: Inventory, policies: SitePolicies, before: Baseline, memory: Memory) -> list[_Count]:
    """Accounts, seats and groups, then the direct members of every group that policies name and the snapshot had.

    Whoever leaves the directory leaves its groups; of which ones the account was a member is not known here.
    """
    leaving = [one for one in memory.settling if _takes(one)]
    gone = {one.user for one in leaving if one.after == {"status": "absent"}}
    freed = {one.user for one in leaving if _may_free_a_seat(one, inventory)}
    out: Counter[str] = Counter(_group(one) for one in leaving if one.address.startswith("membership/"))
    counts = [
        _Count("accounts", before.accounts, len(inventory.users), len(gone)),
        _Count("seats", before.seats, inventory.seats_used, len(freed)),
        _Count("groups", len(before.members), len(inventory.groups)),
    ]
    watched = {group.id: group for group in named_groups(policies, inventory) if before.members.get(group.id, 0) > 1}
    members: Counter[str] = Counter()
    if watched:
        for user in inventory.users:
            members.update(group for group in user.groups or () if group in watched)
    return counts + [
        _Count(f"members of {one_line(group.name)}", before.members[key], members[key], out[key] + len(gone))
        for key, group in watched.items()
    ]


def _takes(late: Settling) -> bool:
    """Whether something is gone once this shows, so that there may be less: no invitation, and no end of a token."""
    if "status" in late.after:
        return late.after["status"] != "active"
    return late.after in ({"member": False}, {"held": False})


def _may_free_a_seat(late: Settling, inventory: Inventory) -> bool:
    """Whether a seat may go with what is gone. A group that gives none, or is not there any more, takes none."""
    if not late.address.startswith("membership/"):
        return True
    return bool(inventory.licenses_through.get(_group(late), frozenset()) & {"seat", "unknown"})


def _group(late: Settling) -> str:
    """The id in the address of a membership."""
    return late.address.split("/")[-2]


def named_groups(policies: SitePolicies, inventory: Inventory) -> tuple[Group, ...]:
    """The groups on which something depends: written or asked about by a policy, protected, or a canary."""
    patterns = set(policies.guardrails.reading.canary_groups)
    for protection in policies.protections:
        patterns.update(protection.groups)
    licensed = False
    for policy in policies.policies:
        for ensure in policy.states:
            licensed = licensed or ensure.no_access
            patterns.update(*filter(None, (ensure.groups_present, ensure.groups_absent, ensure.groups_exactly)))
        for asked in (one for match in policy.conditions for one in predicates(match)):
            if isinstance(asked, InGroup | SeatVia):
                patterns.update(asked.patterns if isinstance(asked, InGroup) else asked.groups)
    patterns.update(name for document in policies.groups for entry in document.entries for name in entry.names)
    found = {group.id: group for group in resolve_groups(sorted(patterns), inventory)[0]}
    if licensed:
        found |= {group.id: group for group in inventory.groups if group.license in ("seat", "guest")}
    return tuple(found[one] for one in sorted(found))


def known_check(inventory: Inventory, policies: SitePolicies, exceptions: Exceptions) -> Check:
    """Of how many seats nobody knows the last use, in percent, rounded up. A few of them are none."""
    said = policies.guardrails
    seats = inventory.seats_used
    unknown = sum(1 for user in inventory.users if type(user.seen) is Unknown and user.billed)
    found = -(-100 * unknown // seats) if unknown > FEW else 0
    demand = Demand(100 - said.reading.min_known, Counter({(): found}))
    allowed = room(demand.usual, demand.rows, 0, exceptions.of("reading.min_known_activity"))
    passed = allowed.holds(found)
    rule = f"min_known_activity {said.reading.min_known} %; {said.where}"
    told = f"the last use of {unknown:,} of {seats:,} seats is not known" + (f", {found} %" if found else "")
    told += f"; {allowed.words(rule, ' %')}"
    if not passed:
        told += exceptions.not_enough("reading.min_known_activity") + (
            ". A source of activity may be down, or a key may have lost a right: run again later, and look at"
            " `cleanup-gitops users --columns id,seen`"
        )
    return Check(
        name="reading:known_activity",
        passed=passed,
        message=told,
        found=found,
        allowed=allowed.allowed,
        lifted=allowed.lifted,
        override="" if passed else exceptions.proposal("reading.min_known_activity", [demand], "percent unknown"),
    )


def canaries_check(inventory: Inventory, policies: SitePolicies) -> Check:
    """Accounts and groups that must be in every reading: the accounts active, the groups with members."""
    said = policies.guardrails
    accounts, groups = said.reading.canary_accounts, said.reading.canary_groups
    problems = [text for one in accounts if (text := _account_missing(one, inventory.user_by_id.get(one)))]
    problems += _groups_missing(groups, inventory)
    number = len(accounts) + len(groups)
    if not number:
        told = f"no canaries are named ({said.where})"
    elif problems:
        told = (
            f"{len(problems)} of {number} canaries are not as they must be ({said.where}): {', '.join(problems)}."
            " Either the reading is wrong, or Guardrails name what is gone; no Override lifts this"
        )
    else:
        told = f"all {number} canaries are there ({said.where})"
    return Check(name="reading:canaries", passed=not problems, message=told, found=len(problems), allowed=0)


def _account_missing(account: str, user: User | None) -> str:
    if user is None:
        return f"account {account} is not there"
    return "" if user.status == "active" else f"account {account} is {user.status}"


def _groups_missing(names: Iterable[str], inventory: Inventory) -> list[str]:
    problems = []
    for name in names:
        groups = inventory.groups_by_name.get(name.casefold(), ())
        ids = {group.id for group in groups}
        if not groups:
            problems.append(f"group {name} is not there")
        elif not any(ids.intersection(user.groups or ()) for user in inventory.users):
            problems.append(f"group {name} has no members")
    return problems


def idle_check(inventory: Inventory, policies: SitePolicies) -> Check:
    """Whether everybody with a seat looks idle at once, which is a fault of the data and no news about people.

    Idle is who was not seen for as many days as the least that a policy asks for, or was never seen and added before
    that, counted from the reading. Who is unknown is not counted. At least a handful of people must be known.
    """
    days = min(
        (
            one.days
            for policy in policies.policies
            for match in policy.conditions
            for one in asked_for(match)
            if isinstance(one, InactiveFor) and one.product in ("confluence", "any")
        ),
        default=USUAL_IDLE_DAYS,
    )
    before = {source: cutoff(inventory.as_of, days, lag) for source, lag in LAG_DAYS.items()}
    known = idle = 0
    for user in inventory.users:
        verdict = _idle(user, before) if user.kind == "person" and user.billed else None
        if verdict is not None:
            known += 1
            idle += verdict
    told = f"{idle:,} of {known:,} people with a seat look idle (not seen for more than {days} days, or never)"
    passed = known < HANDFUL or idle < known
    if not passed:
        told += (
            ". That everybody is idle at once is a fault of the data: a source of activity that stands still, or"
            " answers for another product. Run again later; no Override lifts this"
        )
    elif known < HANDFUL:
        told += f"; fewer than {HANDFUL} people say nothing about the data"
    return Check(
        name="reading:all_inactive",
        passed=passed,
        message=told,
        found=idle,
        allowed=known if known < HANDFUL else known - 1,
    )


def _idle(user: User, before: dict[str, datetime]) -> bool | None:
    """Whether the user looks idle; ``None`` when that is not known."""
    seen = user.seen
    match seen:
        case Seen():
            return seen.latest < before[seen.source]
        case Never():
            since = seen.since or user.added
            return None if since is None else since < before[seen.source]
        case Unknown():
            return None
