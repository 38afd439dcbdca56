"""Days of an invented site and their snapshots, as a replay is told of them: what changed from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from cleanup_gitops.ledger.snapshots import RecordedDay
from cleanup_gitops.model.activity import Never, Unknown, seen_at
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.assume import joined, left
from tests.ledger.snapshots import files_of
from tests.strategies import account_id, proof_of

Files = Mapping[str, bytes]
Recorded = tuple[RecordedDay, dict[str, bytes | None]]


def recorded(days: Iterable[Inventory]) -> Iterator[tuple[Recorded, Files]]:
    """Each day as a replay takes it in, and all the files of its snapshot."""
    before: Files = {}
    for inventory in days:
        files = files_of(inventory, before=before)
        changed: dict[str, bytes | None] = {path: data for path, data in files.items() if before.get(path) != data}
        changed |= dict.fromkeys(before.keys() - files.keys())
        names = {path: None if data is None else "blob" for path, data in changed.items()}
        yield (RecordedDay(commit="c", as_of=inventory.as_of, changed=names), changed), files
        before = files


def lived(rng: Random, inventory: Inventory, days: int) -> Iterator[Inventory]:
    """So many snapshots of a site in which people come, stay away for weeks, move, leave and are opened again."""
    habits = {user.id: rng.choice((1.0, 0.5, 0.03, 0.0)) for user in inventory.users}
    yield inventory
    for _ in range(days - 1):
        at = inventory.as_of + timedelta(days=rng.choice((1, 1, 1, 2, 5, 9)))
        users = {user.id: _another_day(rng, user, habits[user.id], at, inventory) for user in inventory.users}
        if users and rng.random() < 0.1:
            users.pop(rng.choice(sorted(users)), None)
        if rng.random() < 0.15:
            account = account_id(inventory.hosting, rng.randint(20, 29))
            model = rng.choice(inventory.users) if inventory.users else None
            if model is not None:
                users[account] = replace(model, id=account, added=at, seen=Never(at))
                habits.setdefault(account, rng.choice((1.0, 0.1, 0.0)))
        inventory = replace(
            inventory,
            as_of=at,
            users=tuple(users[one] for one in sorted(users)),
            proof=proof_of(len(users), len(inventory.groups)),
        )
        yield inventory


def _another_day(rng: Random, user: User, habit: float, at: datetime, inventory: Inventory) -> User:
    if rng.random() < habit:
        user = replace(user, seen=seen_at(at - timedelta(hours=rng.choice((1, 30)))))
    draw = rng.random()
    if draw < 0.01:
        return replace(user, seen=Unknown("not in the answer"))
    if draw < 0.03:
        return replace(user, status="suspended" if inventory.hosting == "cloud" else "disabled", status_since=None)
    if draw < 0.06:
        return replace(user, status="active", status_since=None)
    if draw < 0.09 and user.groups is not None and user.groups:
        return left(user, rng.choice(user.groups), inventory)
    if draw < 0.12 and user.groups is not None:
        group = rng.choice(inventory.groups)
        if group.directory == user.directory and group.id not in user.groups:
            return joined(user, group.id, inventory)
    return user
