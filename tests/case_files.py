"""Reads the folders of ``tests/cases``; its README tells how to write one.

An inventory is written in the words of ``cleanup_gitops.model``, with what is usual left out and with days for moments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from cleanup_gitops.model.group import Directory, Group
from cleanup_gitops.model.inventory import Hosting, Inventory
from cleanup_gitops.model.memory import BLANK, Memory
from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import RoleSeat, SeatPath, User
from cleanup_gitops.planner import make_plan
from cleanup_gitops.planner.assume import license_of, seat_paths
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.roster import Roster
from cleanup_gitops.policy.roster_rows import RosterRows, roster_rows
from tests.strategies import proof_of

T = TypeVar("T", bound=Struct)
FOLDER = Path(__file__).with_name("cases")
KEY = b"the key of all pseudonyms of the cases"
VERSION = "0.0.0"
"""Stands in the goldens, so that a release does not change them."""


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``inventory.json``. ``about`` says what the case shows; ``others`` are people who are at work every day."""

    about: str
    as_of: datetime
    groups: tuple[dict[str, Any], ...]
    users: tuple[dict[str, Any], ...]
    others: int = 0
    site: str = "acme"
    hosting: Hosting = "cloud"
    directories: tuple[Directory, ...] = (Directory(id="default", name="Default"),)
    runner: tuple[str, ...] = ()
    seat_limit: int | None = None
    claimed_domains: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Case:
    """One folder: everything that a plan is made from, and the people it is about."""

    folder: Path
    about: str
    policies: SitePolicies
    inventory: Inventory
    memory: Memory
    people: People
    lists: Lists

    def plan(self, inventory: Inventory | None = None) -> Plan:
        """The plan for this inventory, or for the one of the folder, made at the moment it was read."""
        live = inventory or self.inventory
        return make_plan(
            live,
            self.policies,
            self.memory,
            created=live.as_of,
            as_of=live.as_of,
            tool_version=VERSION,
            people=self.people,
            lists=self.lists,
        )


def folders() -> list[Path]:
    """Every case."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__")


def read_case(folder: Path) -> Case:
    """Read one folder. A key that no value has is an error, in every file."""
    about, inventory = read_inventory((folder / "inventory.json").read_bytes())
    policies = load(folder / "policies", today=inventory.as_of.date())
    memory, people = folder / "memory.json", folder / "people.json"
    names = json.loads(people.read_text("utf-8")) if people.exists() else {}
    return Case(
        folder=folder,
        about=about,
        policies=policies.for_site(inventory.site),
        inventory=inventory,
        memory=msgspec.json.decode(memory.read_bytes(), type=Memory, strict=True) if memory.exists() else BLANK,
        people=People({account: _person(said) for account, said in names.items()}, KEY) if names else NOBODY,
        lists=Lists(rosters={one.name: _rows(folder, one) for one in policies.for_site(inventory.site).rosters}),
    )


def _person(said: str | dict[str, str]) -> Person:
    return Person(said) if isinstance(said, str) else Person(said["name"], said["email"])


def _rows(folder: Path, roster: Roster) -> RosterRows:
    return roster_rows(roster.source, (folder / f"{roster.name}.csv").read_bytes())


def read_inventory(data: bytes) -> tuple[str, Inventory]:
    """What ``inventory.json`` is about, and the inventory it means."""
    file = msgspec.json.decode(data, type=_File)
    places = {place.id: place for place in file.directories}
    groups = tuple(sorted((_group(row, file) for row in file.groups), key=lambda group: group.id))
    bare = _inventory(file, (), groups)
    rows = [*file.users, *_others(file)]
    users = [_user({"directory": file.directories[0].id} | row, bare, places) for row in rows]
    return file.about, _inventory(file, sorted(users, key=lambda user: user.id), groups)


def _inventory(file: _File, users: Iterable[User], groups: tuple[Group, ...]) -> Inventory:
    everybody = tuple(users)
    return Inventory(
        site=file.site,
        hosting=file.hosting,
        as_of=file.as_of,
        users=everybody,
        groups=groups,
        directories=file.directories,
        proof=proof_of(len(everybody), len(groups)),
        runner=file.runner,
        seat_limit=file.seat_limit,
        claimed_domains=file.claimed_domains,
    )


def _others(file: _File) -> list[dict[str, Any]]:
    """People who hold a seat through the first group and were seen on the day of the reading."""
    today = file.as_of.date().isoformat()
    return [
        {"id": f"712020:other-{number:02}", "seen": today, "groups": [file.groups[0]["id"]]}
        for number in range(1, file.others + 1)
    ]


def _group(row: Mapping[str, Any], file: _File) -> Group:
    """A group whose members can be changed here, that makes nobody an administrator and gives no license."""
    given = {"directory": file.directories[0].id, "modifiable": True, "synced": False, "admin": False, **row}
    role = {"seat": "user", "guest": "guest"}.get(given.setdefault("license", "none"))
    given.setdefault("grants", [{"product": "confluence", "role": role}] if role else [])
    return _exactly(given, Group)


def _user(row: Mapping[str, Any], site: Inventory, places: Mapping[str, Directory]) -> User:
    """An active person of ours, added long ago, idle nowhere else; seats and rights as the groups give them."""
    usual: dict[str, Any] = {
        "status": "active",
        "kind": "person",
        "managed": True,
        "synced": False,
        "writable": places[row["directory"]].writable,
        "domain": "acme.com",
        "roles": [],
        "added": "2024-01-15",
        "elsewhere": {},
        "groups": [],
    }
    given = usual | dict(row)
    for key in ("added", "seat_since", "status_since"):
        given[key] = _moment(given.get(key))
    given["seen"] = _activity(given["seen"], given["added"])
    if given["elsewhere"] is not None:
        given["elsewhere"] = [(key, _activity(one, given["added"])) for key, one in given["elsewhere"].items()]
    groups = given["groups"]
    if groups is not None:
        through = {one for group in groups for one in _upwards(group, site)}
        given.setdefault("admin", any(site.group_by_id[one].admin for one in through))
        given.setdefault("seats", msgspec.to_builtins([path for one in groups for path in seat_paths(one, site)]))
        paths = msgspec.convert(given["seats"], tuple[SeatPath, ...] | None)
        given.setdefault("direct", sorted(one.role for one in paths or () if isinstance(one, RoleSeat)))
        given.setdefault("license", "unknown" if paths is None else license_of(paths, site))
    return _exactly(given, User)


def _upwards(group: str, site: Inventory) -> set[str]:
    """The group and all that it is nested in."""
    return {one for one, below in site.members_through.items() if group in below}


def _moment(day: str | None) -> str | None:
    """Noon of a day; a moment as it is."""
    return f"{day}T12:00:00Z" if day is not None and len(day) == len("2026-11-22") else day


def _activity(said: str | dict[str, Any], added: str | None) -> dict[str, Any]:
    """A day, "never", "unknown: why", or an activity in the words of the model."""
    if isinstance(said, dict):
        return said
    if said == "never":
        return {"is": "never", "since": added}
    if said.startswith("unknown: "):
        return {"is": "unknown", "reason": said.removeprefix("unknown: ")}
    return {"is": "seen", "earliest": _moment(said), "latest": _moment(said)}


def _exactly(given: dict[str, Any], shape: type[T]) -> T:
    """The value, after looking for keys that it does not have."""
    if unknown := set(given) - set(shape.__struct_fields__):
        raise ValueError(f"{given.get('id')}: unknown {', '.join(sorted(unknown))}")
    return msgspec.convert(given, shape)
