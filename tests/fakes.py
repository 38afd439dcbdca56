"""Ports without a site behind them: the same laws as the real adapters, checked by tests/contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    UserDisable,
    UserEnable,
)
from cleanup_gitops.model.errors import RefusedError, SiteError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.model.user import GroupSeat, SeatPath, User

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still but for those who sleep; nobody really waits."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now.replace(microsecond=0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


class FakeProgress:
    """Remembers every step."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int | None]] = []

    def step(self, what: str, done: int, total: int | None) -> None:
        self.steps.append((what, done, total))


class FakeSite:
    """Reader and Writer over an inventory in memory; also a site's other administrators.

    ``broken`` are errors for the next calls, by method name (``read``, ``user``, ``write``), one a call. ``late``
    writes take no visible effect until ``settle``. ``written`` lists what reached the site.
    """

    def __init__(self, inventory: Inventory, people: People = NOBODY) -> None:
        self._inventory = inventory
        self._people = people
        self._users = dict(inventory.user_by_id)
        self._groups = dict(inventory.group_by_id)
        self._waiting: list[Change] = []
        self.broken: dict[str, list[SiteError | None]] = {}
        self.late = False
        self.written: list[Change] = []

    # -- Reader ----------------------------------------------------------------------------------

    def read(self) -> Live:
        self._fail("read")
        users = tuple(self._users[one] for one in sorted(self._users))
        groups = tuple(self._groups[one] for one in sorted(self._groups))
        return Live(replace(self._inventory, users=users, groups=groups), self._people)

    def user(self, account: str) -> User | None:
        self._fail("user")
        return self._users.get(account)

    def group_modifiable(self, group: str) -> bool | None:
        known = self._groups.get(group)
        return known.modifiable if known else False

    # -- Writer ----------------------------------------------------------------------------------

    def write(self, change: Change) -> Receipt:
        self._fail("write")
        self._check(change)
        self.written.append(change)
        if self.late:
            self._waiting.append(change)
        else:
            self._users[change.user] = self._after(change)
        return Receipt(method="FAKE", endpoint=f"/{change.action}", status=204)

    # -- what else happens -------------------------------------------------------------------------

    def settle(self) -> None:
        """Let late writes show."""
        for change in self._waiting:
            self._users[change.user] = self._after(change)
        self._waiting.clear()

    def happens(self, account: str, **facts: Any) -> None:  # noqa: ANN401 - any field of a user
        """Somebody else changes a user."""
        self._users[account] = replace(self._users[account], **facts)

    def group_becomes(self, group: str, **facts: Any) -> None:  # noqa: ANN401 - any field of a group
        """Somebody else changes a group."""
        self._groups[group] = replace(self._groups[group], **facts)

    def leaves(self, account: str) -> None:
        """The account is gone."""
        del self._users[account]

    # -- rules -------------------------------------------------------------------------------------

    def _fail(self, method: str) -> None:
        waiting = self.broken.get(method)
        error = waiting.pop(0) if waiting else None
        if error:
            raise error

    def _check(self, change: Change) -> None:
        user = self._users.get(change.user)
        if user is None or change.directory != user.directory:
            raise RefusedError(f"The site does not know {change.user}.")
        if not isinstance(change, MembershipAdd | MembershipRemove):
            if user.writable is False:
                raise RefusedError(f"The status of {change.user} cannot be changed here.")
            return
        group = self._groups.get(change.group)
        if group is None:
            raise RefusedError(f"The site does not know the group {change.group}.")
        if group.modifiable is False:
            raise RefusedError(f"The group {change.group} cannot be changed here.")
        member = change.group in (user.groups or ())
        if member == isinstance(change, MembershipAdd):
            raise RefusedError(f"{change.user} is {'already' if member else 'not'} a member of {change.group}.")

    def _after(self, change: Change) -> User:
        user = self._users[change.user]
        match change:
            case UserDisable() | UserEnable():
                return replace(user, status=change.new)
            case MembershipAdd():
                return self._joined(user, self._groups[change.group])
            case MembershipRemove():
                return self._parted(user, change.group)

    def _joined(self, user: User, group: Group) -> User:
        groups = tuple(sorted({*(user.groups or ()), group.id}))
        paths: tuple[SeatPath, ...] = (*(user.seats or ()), *self._paths(group, (group.id,)))
        return self._licensed(replace(user, groups=groups), paths)

    def _parted(self, user: User, group: str) -> User:
        groups = tuple(one for one in user.groups or () if one != group)
        paths = tuple(path for path in user.seats or () if not (isinstance(path, GroupSeat) and path.chain[0] == group))
        return self._licensed(replace(user, groups=groups), paths)

    def _paths(self, group: Group, chain: tuple[str, ...]) -> Iterator[GroupSeat]:
        """Ways from a group, through the groups that it is nested in, to groups that give a license."""
        if group.license in ("seat", "guest"):
            yield GroupSeat(chain)
        for parent in group.parents:
            if parent not in chain:
                yield from self._paths(self._groups[parent], (*chain, parent))

    def _licensed(self, user: User, paths: tuple[SeatPath, ...]) -> User:
        """The best license of all ways, and the ways that give it."""
        if user.license == "unknown":
            return user
        seats = tuple(path for path in paths if not self._is_guest(path))
        if seats:
            return replace(user, license="seat", seats=seats)
        return replace(user, license="guest" if paths else "none", seats=paths)

    def _is_guest(self, path: SeatPath) -> bool:
        return isinstance(path, GroupSeat) and self._groups[path.chain[-1]].license == "guest"
