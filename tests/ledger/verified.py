"""A small recorded history for the tests of its check: every sort of commit, as a store would hold them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.audit.verify import Verdict, verify
from cleanup_gitops.ledger.audit.walk import Walk
from cleanup_gitops.ledger.record import (
    Ground,
    Record,
    ground_of,
    record_drift,
    record_intent,
    record_override,
    record_run,
    record_void,
)
from cleanup_gitops.model.change import Change, MembershipRemove, UserDisable
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Check, Disposition, Plan
from cleanup_gitops.model.run import Kind, Reason, Result
from cleanup_gitops.model.user import User
from tests import strategies as some

START = some.AS_OF
RUNNER = "712020:runner"


def inventory(*users: str, at: datetime = START, suspended: Sequence[str] = ()) -> Inventory:
    """A site with these users, all of them in one group."""
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=at,
        users=tuple(
            User(
                id=one,
                directory="default",
                status="suspended" if one in suspended else "active",
                license="seat",
                groups=("g-1",),
            )
            for one in sorted(users)
        ),
        groups=(Group(id="g-1", name="Wiki", directory="default"),),
        directories=(),
        proof=some.proof_of(len(users), 1),
    )


def suspend(user: str) -> Change:
    return UserDisable(address=f"user/{user}", user=user, directory="default", old="active", new="suspended")


def leave(user: str) -> Change:
    return MembershipRemove(address=f"membership/g-1/{user}", user=user, directory="default", group="g-1", label="Wiki")


class Chronicle:
    """Records one after the other, from ``START`` on."""

    def __init__(self, ground: Ground | None = None) -> None:
        self.ground = ground or ground_of("acme", {}, tool_version="0.1.0", domains=frozenset({"acme.com"}))
        self.records: list[Record] = []
        self.time = START

    def add(self, record: Record) -> Record:
        self.records.append(record)
        self.ground = self.ground.after(record)
        return record

    def wait(self, **span: int) -> None:
        self.time += timedelta(**span)

    def void(self, plan: Plan | None = None) -> None:
        reason = Reason(code="incomplete-reading", text="The live data of acme is not complete.")
        self.add(record_void(self.ground, reason=reason, time=self.time, plan=plan))

    def lift(self, plan: Plan | None = None) -> Record:
        """An Override is used: for a plan, or for a reading alone."""
        check = Check(name="cap:total", passed=True, message="2 planned, 2 allowed", lifted=("first",))
        lifted = [check] if plan is None else [one for one in plan.checks if one.lifted]
        return self.add(record_override(self.ground, lifted=lifted, time=self.time, plan=plan))

    def drift(self, found: Inventory) -> None:
        different = Difference(address="user/u3", what="user.appeared", after={"status": "active"})
        ours = Difference(address="user/u1", what="user.changed", after={"status": "suspended"}, run="r-1")
        drift = Drift(
            site="acme",
            serial=self.ground.memory.serial,
            since=self.time,
            as_of=self.time,
            recorded_by="0.1.0",
            differences=(different, ours),
        )
        self.add(record_drift(self.ground, drift=drift, inventory=found, time=self.time))

    def plan(self, changes: Sequence[Change], found: Inventory) -> Plan:
        gone = {one.user: Disposition("changed", "policy") for one in changes}
        return some.plan_of(found, changes, memory=self.ground.memory, created=self.time, dispositions=gone)

    def begin(self, plan: Plan, saved: Plan | None = None) -> Record:
        """The intent of a run."""
        return self.add(
            record_intent(
                self.ground,
                plan=plan,
                approval=some.approval_of(saved or plan),
                changes=plan.changes,
                directories=["default", "Ü/2"],
                holder=f"{RUNNER}, process 42",
                time=self.time,
                approved=saved,
                place="https://ci.example/1",
            )
        )

    def run(
        self,
        changes: Sequence[Change],
        found: Inventory,
        *,
        result: Result = "applied",
        kind: Kind = "run",
        saved: bool = False,
        differences: Sequence[Difference] = (),
    ) -> Record:
        """A run with its intent, when there is anything to write; two minutes long."""
        plan = self.plan(changes, found)
        self.wait(seconds=30)
        approved = self.plan([*changes, suspend("u9")], found) if saved else None  # u9 has gone meanwhile
        intent = self.begin(plan, approved).intent if changes else None
        self.wait(minutes=2)
        return self.add(
            record_run(
                self.ground,
                plan=plan,
                outcomes=[some.outcome_of(one, result, self.time) for one in plan.changes],
                approval=some.approval_of(approved or plan),
                inventory=found,
                time=self.time,
                actor=RUNNER,
                approved=approved if intent is None else None,
                intent=intent,
                differences=differences,
                kind=kind,
            )
        )


def chronicle() -> Chronicle:
    """A void run, an empty one, drift, one that acts, another month, one that was cut off and recovered, an empty one.

    Nine commits in all; the last days have a void run with the plan that was refused.
    """
    made = Chronicle()
    made.void()
    made.wait(days=1)
    made.run([], inventory("u1", "u2", at=made.time))
    made.wait(days=1)
    made.drift(inventory("u1", "u2", "u3", at=made.time))
    made.run([suspend("u1"), leave("u2")], inventory("u1", "u2", "u3", at=made.time))
    made.wait(days=31)
    made.run([suspend("u3")], inventory("u1", "u3", at=made.time), result="failed", kind="recovery", saved=True)
    made.wait(days=1)
    made.void(made.plan([suspend("u3")], inventory("u1", "u3", at=made.time)))
    made.run([], inventory("u1", at=made.time))
    return made


class Recorded:
    """A history as a store would hold it: commits, and contents by name."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.contents: dict[str, bytes] = {}
        self.commits = [
            Commit(
                id=f"commit-{number}",
                trailers=record.trailers,
                changed={path: self.put(data) for path, data in record.files.items()},
            )
            for number, record in enumerate(records, start=1)
        ]

    def put(self, data: bytes | None) -> str | None:
        if data is None:
            return None
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        self.contents[name] = data
        return name

    def edit(self, number: int, path: str, data: bytes | None) -> None:
        """Another content for a path of one commit."""
        commit = self.commits[number]
        changed = commit.changed | {path: self.put(data)}
        self.commits[number] = msgspec.structs.replace(commit, changed=changed)

    def say(self, number: int, **trailers: str) -> None:
        """Another message of one commit."""
        commit = self.commits[number]
        renamed = {name.replace("_", "-"): value for name, value in trailers.items()}
        self.commits[number] = msgspec.structs.replace(commit, trailers=commit.trailers | renamed)

    def at(self, number: int, path: str) -> bytes:
        name = self.commits[number].changed[path]
        assert name is not None
        return self.contents[name]

    def read(self, names: Sequence[str]) -> list[bytes]:
        return [self.contents[one] for one in names]

    def verdict(self, pin: str = "") -> Verdict:
        return verify("acme", self.commits, self.read, pin=pin)


class Prefix:
    """The walk over the first records, from where many variants of the next one are followed."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._walk = Walk("acme")
        for number, record in enumerate(records):
            follow(self._walk, record, number)
        assert self._walk.findings == []

    def finds(self, record: Record) -> bool:
        """Whether something is found in this record after them."""
        walk = copy.copy(self._walk)
        for name, value in vars(walk).items():
            if isinstance(value, dict | list):
                setattr(walk, name, value.copy())
        follow(walk, record, 99)
        return bool(walk.findings)


def follow(walk: Walk, record: Record, number: int) -> None:
    """One record more, as it would stand in a commit."""
    changed = {
        path: None if data is None else hashlib.sha1(data, usedforsecurity=False).hexdigest()
        for path, data in record.files.items()
    }
    walk.follow(
        Commit(id=f"commit-{number}", trailers=record.trailers, changed=changed),
        {path: data for path, data in record.files.items() if data is not None},
        {},
    )
