"""Whom a policy leaves alone for a while: after a rollback, and after others undid what it did. Pure.

A change of ours that others undid is recognised from the live site and from what is remembered of our changes. What a
run of ours took back itself is no longer remembered as done, and so is never taken for an undo by others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from cleanup_gitops.model.change import Change, membership_address, role_address
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import (
    NOTHING_NOTICED,
    REMEMBERED,
    Done,
    Effect,
    Flap,
    Hold,
    Memory,
    Noticed,
    Settling,
)
from cleanup_gitops.model.plan import Pending
from cleanup_gitops.model.user import CLOSED, RoleSeat, User
from cleanup_gitops.planner.access import GONE

_CLOSED: dict[str, int] = dict(CLOSED.items())


@dataclass(frozen=True, slots=True)
class Held:
    """Why a policy leaves one user alone, and up to which UTC day; ``None``: without an end."""

    reason: Literal["hold", "flapping"]
    until: date | None
    note: str
    binds_leavers: bool = True
    """Whether it holds a termination as well; else only what else a document of that name asks for."""

    @property
    def order(self) -> date:
        """What lasts longer comes later."""
        return self.until or date.max


@dataclass(frozen=True, slots=True)
class Holds:
    """All holds of one site that count at one moment.

    ``by_user`` maps accounts to policies; ``returned`` are the days on which others undid what a policy had done.
    """

    by_user: Mapping[str, Mapping[str, Held]] = field(default_factory=dict)
    returned: Mapping[tuple[str, str], tuple[date, ...]] = field(default_factory=dict)

    def of(self, user: str) -> Mapping[str, Held]:
        """The policies that leave the user alone now."""
        return self.by_user.get(user, {})

    def of_leaver(self, user: str) -> Mapping[str, Held]:
        """The terminations among them."""
        return {name: one for name, one in self.of(user).items() if one.binds_leavers}

    def came_back(self, user: str, policies: Iterable[str]) -> str:
        """A note about a change that others have undone before; "" when they have not."""
        if not self.returned:
            return ""
        days = sorted({day for policy in policies for day in self.returned.get((user, policy), ())})
        if not days:
            return ""
        often = f"on {len(days)} days, last" if len(days) > 1 else "once,"
        return f"will probably come back: others undid this {often} on {days[-1].isoformat()}"


NO_HOLDS = Holds()


def noticed(
    memory: Memory,
    inventory: Inventory,
    now: datetime,
    grace: int,
    unbound: Collection[str] = frozenset(),
    regained: Iterable[tuple[str, str]] = (),
) -> Noticed:
    """What others undid of our changes, as this reading shows it, and the holds that follow from the day of ``now`` on.

    ``unbound`` are policies that do again what was undone: it is counted, and nothing is held. A termination takes
    only, so that what was given under its name comes of the joiners of a Roster, and is held. ``regained`` are users
    and policies of whom something else tells that it was undone.

    A fact that is unknown shows nothing. What had not shown on the site when its run ended may be late or without
    effect, and is not taken for undone; what a look at the account had shown may still be missing in lists, up to its
    deadline.
    """
    today = now.date()
    awaited = {one.address: one for one in memory.settling}
    users = inventory.user_by_id
    undone = tuple(
        one
        for one in memory.done
        if one.user in users
        and had_shown(awaited.get(one.address), users[one.user], inventory, now)
        and is_undone(one, users[one.user], inventory)
    )
    runs = dict.fromkeys(regained, "")
    if not (undone or runs):
        return NOTHING_NOTICED
    for one in sorted(undone, key=lambda one: one.at):
        runs |= {(one.user, policy): one.run for policy in one.policies}
    until = today + timedelta(days=grace)
    given = {(one.user, policy) for one in undone if one.after.get("member") is True for policy in one.policies}
    days = {(one.user, one.policy): one.days for one in memory.flaps}
    return Noticed(
        undone=undone,
        holds=tuple(
            Hold(user=user, policy=policy, until=until, why="restored", run=run)
            for (user, policy), run in sorted(runs.items())
            if policy not in unbound or (user, policy) in given
        ),
        flaps=tuple(
            Flap(user=user, policy=policy, days=tuple(sorted({*days.get((user, policy), ()), today})))
            for user, policy in sorted(runs)
        ),
    )


def had_shown(line: Settling | None, user: User, inventory: Inventory, now: datetime) -> bool:
    """Whether the change had shown on the site, so that a reading without it tells of an undo.

    ``line`` is what is awaited of it, if anything.
    """
    if line is None:
        return True
    if line.verified is None or line.deadline is None or now <= line.deadline:
        return False
    return not only_listed(line.after.get("status"), user, inventory)


def only_listed(status: object, user: User, inventory: Inventory) -> bool:
    """Whether a user who was suspended may be so still, though a list shows the account as active.

    Lists of a Cloud site show whoever is active in another directory as active, until the account itself is asked.
    """
    listed = inventory.hosting == "cloud" and user.status == "active" and user.direct is None
    return listed and status == "suspended"


def is_undone(one: Done | Effect, user: User, inventory: Inventory) -> bool:
    """Whether the account is known to be no longer as it was made, in the direction away from what was wanted."""
    if only_listed(one.after.get("status"), user, inventory):
        return False
    if "status" in one.after:
        wanted, now = _CLOSED.get(str(one.after["status"])), _CLOSED.get(user.status)
        if wanted is None or now is None:
            return False
        return now > 0 if wanted == 0 else now < wanted
    if "held" in one.after:
        paths = [path.role for path in user.seats or () if isinstance(path, RoleSeat)]
        return one.address in {role_address(role, user.id) for role in (*(user.direct or ()), *paths)}
    if "member" in one.after:
        return user.groups is not None and _membership_undone(one, user, inventory)
    return False


def _membership_undone(one: Done | Effect, user: User, inventory: Inventory) -> bool:
    """A membership that ended with its group, or with the account, was undone by nobody."""
    directory = user.directory if inventory.hosting == "datacenter" else None
    is_member = one.address in {membership_address(group, user.id, directory) for group in user.groups or ()}
    if is_member or one.after["member"] is False:
        return is_member and one.after["member"] is False
    if user.status in GONE:
        return False
    return one.address in {membership_address(group.id, user.id, directory) for group in inventory.groups}


def holds_of(
    memory: Memory, found: Noticed, as_of: datetime, flapping_after: int, unbound: Collection[str] = frozenset()
) -> Holds:
    """The holds that count on the UTC day of ``as_of``: remembered ones, those just noticed, and endless ones.

    From ``flapping_after`` days on which others undid the same, a policy has stopped by itself for that user. The
    terminations of the names in ``unbound`` are held by a rollback alone.
    """
    today = as_of.date()
    if not (memory.holds or memory.flaps or found.holds or found.flaps):
        return NO_HOLDS
    held: defaultdict[str, dict[str, Held]] = defaultdict(dict)
    for hold in (*memory.holds, *found.holds):
        if today <= hold.until:
            binds = hold.why == "rollback" or hold.policy not in unbound
            _keep_longer(held[hold.user], hold.policy, Held("hold", hold.until, _told(hold), binds))
    lines = {(one.user, one.policy): one.days for one in (*memory.flaps, *found.flaps)}
    returned = {key: tuple(day for day in days if today - day <= REMEMBERED) for key, days in lines.items()}
    for (user, policy), days in returned.items():
        if len(days) >= flapping_after and policy not in unbound:
            _keep_longer(held[user], policy, Held("flapping", None, _often(days)))
    return Holds({user: policies for user, policies in held.items() if policies}, returned)


def _keep_longer(held: dict[str, Held], policy: str, new: Held) -> None:
    known = held.get(policy)
    if known is None or (known.binds_leavers, known.order) < (new.binds_leavers, new.order):
        held[policy] = new


def _told(hold: Hold) -> str:
    if hold.why == "rollback":
        return f"held until {hold.until.isoformat()} after the rollback of {hold.run}"
    return f"held until {hold.until.isoformat()}: others undid what {hold.run or 'a run'} had done"


def _often(days: tuple[date, ...]) -> str:
    number = f"{len(days)} days, last on" if len(days) > 1 else "the day"
    return f"others undid this on {number} {days[-1].isoformat()}: look at the identity provider"


def wait_for(changes: Iterable[Change], held: Mapping[str, Held]) -> list[Pending]:
    """Changes that only policies on hold ask for, as rows that wait for the last of these holds."""
    found = []
    for change in changes:
        longest = max((held[cause.policy] for cause in change.causes), key=lambda one: one.order)
        found.append(Pending(change=change, reason=longest.reason, until=longest.until, note=longest.note))
    return found


def stopped(holds: Holds) -> tuple[str, ...]:
    """A warning for each policy that has stopped by itself for some users."""
    numbers: defaultdict[str, int] = defaultdict(int)
    for policies in holds.by_user.values():
        for policy, one in policies.items():
            numbers[policy] += one.reason == "flapping"
    return tuple(
        f"{policy} leaves {number} {'user' if number == 1 else 'users'} alone for good: others undid again and again"
        " what it did. Look at the identity provider, default groups and approved domains; then raise flapping.after"
        " in Guardrails, or take the users out of the policy."
        for policy, number in sorted(numbers.items())
        if number
    )
