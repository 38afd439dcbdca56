"""A world being served: indexes for searches, and every change that requests can make.

All methods run on the server's one thread. `now` is the virtual clock.
"""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from cleanup_gitops.sandbox.effects import Effect, Effects, Facts, compare
from cleanup_gitops.sandbox.late import Change, Late, Waiting
from cleanup_gitops.sandbox.limits import Limits
from cleanup_gitops.sandbox.options import Kind, Lag
from cleanup_gitops.sandbox.world import (
    Arrival,
    Event,
    Group,
    Resource,
    User,
    World,
    format_time,
    parse_time,
)

SEAT_ROLES = frozenset({"atlassian/user", "atlassian/admin"})
PLATFORM = "platform"
"""The owner of resources that are no product: the organization and its site."""


@dataclass(frozen=True)
class Trace:
    """What a change is, for its lag and for the audit log: `about` maps ``user``, ``group`` … to ids."""

    kind: Kind
    action: str
    about: dict[str, str]


@dataclass
class State:
    """`world` with its indexes; users are numbered by their place in the file (`ordinal`).

    With `ticking` the virtual clock runs in real time from where the world left it.
    """

    world: World
    path: Path | None = None
    ticking: bool = False
    late: Waiting = field(default_factory=Waiting)
    mails: list[str] = field(default_factory=list)
    """Account ids of those who were sent a mail, in order."""
    reserved: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Directory and folded name of groups that were created and do not show yet, by id."""
    effects: Effects = field(default_factory=Effects)
    """What every accepted write did."""

    def __post_init__(self) -> None:
        self.generation = 0
        self.ticking = self.ticking or self.world.options.ticking
        self._started = time.monotonic()
        self.limits = Limits(self.world.options, self.seconds)
        self.rebuild()

    def rebuild(self) -> None:
        """Index the world again; needed after somebody edited it without a request."""
        world = self.world
        self.generation += 1
        self.ordinals = {user.id: number for number, user in enumerate(world.users)}
        self.groups: dict[str, Group] = {group.id: group for group in world.groups}
        self.resources: dict[str, Resource] = {item.name: item for item in world.resources}
        self.names_by_ari = {item.id: item.name for item in world.resources}
        self.members: dict[str, list[int]] = {group.id: [] for group in world.groups}
        for number, user in enumerate(world.users):
            for group_id in user.groups:
                self.members[group_id].append(number)
        self.visible = frozenset(item.id for item in world.directories if item.manageable)
        self.group_ranks = {group.id: rank for rank, group in enumerate(world.groups)}
        self._holders: dict[str, list[int]] = {}
        self.sort_names()

    def sort_names(self) -> None:
        """Sort the users by nickname again."""
        users = self.world.users
        self.by_nickname = sorted(range(len(users)), key=lambda i: (users[i].nickname.casefold(), i))

    # -- reading ---------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The virtual clock."""
        return self.moment().replace(microsecond=0)

    def moment(self) -> datetime:
        """The virtual clock with the fraction of a second that answers do not show."""
        clock = self.world.clock()
        if self.ticking:
            clock += timedelta(seconds=time.monotonic() - self._started)
        return clock

    def seconds(self) -> float:
        """The clock that limits and the header ``Date`` go by, in seconds since 1970."""
        return self.moment().timestamp() if self.world.options.virtual_limits else time.time()

    def set_clock(self, instant: datetime) -> None:
        """Set the virtual clock."""
        self.world.now = format_time(instant)
        self._started = time.monotonic()
        self.settle()
        self.save()

    def rewind(self, moment: datetime) -> None:
        """Set the virtual clock to a `moment` that it showed before, and index the world again."""
        self.world.now = format_time(moment)
        self._started = time.monotonic() - moment.microsecond / 1e6
        self.rebuild()
        self.save()

    def user(self, account_id: str) -> User | None:
        """The account, wherever it is."""
        ordinal = self.ordinals.get(account_id)
        return None if ordinal is None else self.world.users[ordinal]

    def membership_status(self, user: User) -> str:
        """``active``, ``suspended`` (in all directories the key sees) or ``no_membership``."""
        found = "no_membership"
        for name, status in user.directories.items():
            if name in self.visible:
                if status == "active":
                    return "active"
                found = "suspended"
        return found

    def status(self, user: User) -> str:
        """The composite of account and membership status."""
        if user.for_deletion:
            return "for_deletion"
        if user.account != "active":
            return "deactivated"
        membership = self.membership_status(user)
        return "not_invited" if membership == "no_membership" else membership

    def roles(self, user: User) -> dict[str, set[str]]:
        """Roles by resource name, direct ones and those of the user's groups."""
        found = {name: set(roles) for name, roles in user.roles.items()}
        for group_id in user.groups:
            for name, roles in self.groups[group_id].roles.items():
                found.setdefault(name, set()).update(roles)
        return found

    def holders(self, resource: str) -> list[int]:
        """Ordinals of the users with any role on the resource, ascending."""
        known = self._holders.get(resource)
        if known is None:
            found = {n for n, user in enumerate(self.world.users) if resource in user.roles}
            for group in self.world.groups:
                if resource in group.roles:
                    found.update(self.members[group.id])
            known = self._holders[resource] = sorted(found)
        return known

    def seats(self, resource: str) -> int:
        """Seats in use: active users with a role that costs one."""
        users = self.world.users
        return sum(
            1
            for number in self.holders(resource)
            if self.status(users[number]) == "active" and self.roles(users[number])[resource] & SEAT_ROLES
        )

    def activity(self, user: User) -> dict[str, str]:
        """Last activity by resource name, as answers show it now."""
        if user.arriving:
            now = format_time(self.now())
            for arrival in [item for item in user.arriving if item.visible <= now]:
                user.activity[arrival.resource] = arrival.at
                user.arriving.remove(arrival)
        return user.activity

    def count_read(self) -> None:
        """One more read was asked for: late changes come closer."""
        self.late.count_read()
        self.settle()

    def settle(self) -> None:
        """Carry out the late changes that show by now."""
        if self.late.items:
            self._carry_out(self.late.take_due(self.moment()))

    def settle_all(self) -> None:
        """Carry out all late changes at once."""
        self._carry_out(self.late.take_all())

    def _carry_out(self, due: list[Late]) -> None:
        for item in due:
            item.change()
        if due:
            self.save()

    # -- changing --------------------------------------------------------------------------------

    def perform(self, change: Change, effect: str | Lag = "now", trace: Trace | None = None) -> None:
        """Carry `change` out: ``now``, never (``none``), or so late.

        A change with a `trace` is written into the audit log, and ``now`` means: as late as changes
        of its kind are in this world.
        """
        row = self.effects.accept("" if trace is None else trace.action, {} if trace is None else trace.about)
        if effect == "none":
            row.effective = False
            return
        lag = effect if isinstance(effect, Lag) else None
        about = ""
        if trace is not None:
            lag = lag or self.world.options.late.get(trace.kind)
            about = trace.about.get("user") or trace.about.get("group", "")
            self.record(trace.action, trace.about)
        if lag is not None and (effect is lag or lag.seconds or lag.reads):
            self.late.add(lambda: self._measured(change, row), lag, self.moment(), about)
        else:
            self._carry_out(self.late.take_about(about))
            self._measured(change, row)
        self.save()

    def _measured(self, change: Change, row: Effect) -> None:
        """Carry `change` out and write down whether it changed anything."""
        before = self._facts(row)
        change()
        compare(row, before, self._facts(row))

    def _facts(self, row: Effect) -> Facts:
        """What the write is about, by id; everybody and every group where it does not say so."""
        encode = msgspec.msgpack.encode
        user, group = self.user(row.about.get("user", "")), self.groups.get(row.about.get("group", ""))
        if "provision" in row.action or not row.about.keys() & {"user", "group"}:
            world = self.world
            found = {user.id: encode(user) for user in world.users}
            found |= {group.id: encode(group) for group in world.groups}
            return found | {record.id: encode(record) for record in world.scim_users}
        shown = {} if user is None else {user.id: encode(user)}
        if group is not None:
            inside = [] if "user" in row.about else self.members[group.id]
            shown[group.id] = encode((group, inside))
        return shown

    def record(self, action: str, about: dict[str, str], actor: str = "") -> None:
        """Write into the audit log that `actor`, by default the owner of the key, did something now."""
        events = self.world.events
        names = [self.names_by_ari.get(about.get("resource", ""), "")]
        product = next((self.resources[name].key for name in names if name), "")
        event = Event(
            id=f"event-{len(events) + 1:06d}",
            at=format_time(self.now()),
            action=action,
            actor=actor or self.world.credentials.runner_account,
            about=about,
            product=product,
        )
        events.append(event)

    def save(self) -> None:
        """Write the file, if this world has one; it holds what a ticking clock shows now."""
        if self.path is not None:
            shown = self.now()
            if shown != self.world.clock():
                self._started += (shown - self.world.clock()).total_seconds()
                self.world.now = format_time(shown)
            self.world.save(self.path)

    def add_member(self, user: User, group_id: str) -> None:
        """Put the user into the group; nothing where that is so already."""
        if group_id not in user.groups and group_id in self.groups:
            user.groups.append(group_id)
            insort(self.members[group_id], self.ordinals[user.id])
            self._forget_holders(group_id)

    def remove_member(self, user: User, group_id: str) -> None:
        """Take the user out of the group; nothing where that is so already."""
        if group_id in user.groups:
            user.groups.remove(group_id)
            members = self.members[group_id]
            del members[bisect_left(members, self.ordinals[user.id])]
            self._forget_holders(group_id)

    def set_roles(self, user: User, roles: dict[str, list[str]]) -> None:
        """Replace the user's direct roles."""
        user.roles = roles
        self.forget_holders()

    def set_membership(self, user: User, directory: str, status: str) -> None:
        """Suspend (``suspended``) or restore (``active``) the user in one directory, if listed there."""
        if directory in user.directories:
            user.directories[directory] = status

    def forget_holders(self) -> None:
        """Roles changed: who holds what is looked up anew."""
        self._holders.clear()

    def record_activity(self, user: User, resource: str, at: str, lag_hours: float) -> None:
        """The user was active at the instant `at`; answers show it `lag_hours` later."""
        visible = format_time(parse_time(at) + timedelta(hours=lag_hours))
        user.arriving.append(Arrival(resource=resource, at=at, visible=visible))

    def _forget_holders(self, group_id: str) -> None:
        for name in self.groups[group_id].roles:
            self._holders.pop(name, None)
