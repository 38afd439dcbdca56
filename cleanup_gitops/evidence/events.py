"""The events of a record: that it was made, what a run did, what others did. And which of them somebody asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from cleanup_gitops.evidence.records import Record
from cleanup_gitops.ledger.subjects import subject_of
from cleanup_gitops.model.drift import Difference, Fact
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Approval, OutcomeRecord, Receipt, Result

By = Literal["record", "run", "others", "late", "asked"]
"""``record``: that something was recorded. ``run``: a change of this record's run. ``others``: somebody else's doing.
``late``: the effect of an earlier run of ours, seen late. ``asked``: others did what a stage had handed off."""
_MEMBERSHIP = "membership/"


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that the record tells. ``at`` is UTC; of what others did, when it was found, which is later.

    ``what`` is an action, a difference, or the kind of the record. ``user`` and ``group`` are ids. ``number`` is that
    of the entry in the ledger, ``run`` the record's name, or the run whose late effect it is under ``earlier``.
    """

    at: datetime
    number: int
    run: str
    commit: str
    by: By
    what: str
    text: str = ""
    address: str = ""
    user: str = ""
    group: str = ""
    before: Mapping[str, Fact] = {}
    after: Mapping[str, Fact] = {}
    result: Result | None = None
    causes: tuple[Cause, ...] = ()
    approval: Approval | None = None
    actor: str = ""
    verified: datetime | None = None
    receipt: Receipt | None = None
    earlier: str = ""
    asked: str = ""
    policy_commit: str = ""
    tool_version: str = ""

    @property
    def policies(self) -> tuple[str, ...]:
        """Who asked for it: ``policy`` or ``policy/stage``."""
        return tuple(cause.name for cause in self.causes)


class Wanted(Struct, frozen=True, kw_only=True):
    """Which events are asked for; an empty field asks for nothing in particular. ``groups`` are ids."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] | None = None
    policies: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()
    whats: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()

    def has(self, event: Event) -> bool:
        """Whether the event is asked for."""
        asked = event.asked.partition("/")[0]
        return (
            (not self.users or event.user in self.users)
            and (self.groups is None or event.group in self.groups)
            and (not self.policies or not self.policies.isdisjoint({asked, *(c.policy for c in event.causes)}))
            and (not self.runs or not self.runs.isdisjoint({event.run, event.earlier}))
            and (not self.whats or event.what in self.whats)
            and (not self.results or event.result in self.results)
        )


def events_of(records: Iterable[Record]) -> Iterator[Event]:
    """All events of these records, in their order; that a record was made comes after what it holds."""
    for record in records:
        entry = record.entry
        yield from (_done(one, record) for one in record.outcomes)
        yield from (_found(one, record) for one in record.found)
        yield Event(
            at=entry.time,
            number=entry.seq,
            run=entry.run,
            commit=record.commit,
            by="record",
            what=entry.kind,
            text=_said(record),
            approval=entry.approval,
            policy_commit=entry.policy_commit,
            tool_version=entry.tool_version,
        )


def _said(record: Record) -> str:
    """What happened; where the entry says why it was made, that too."""
    said, reason = subject_of(record.entry, record.outcomes), record.entry.reason
    return said if reason is None or reason.text in said else f"{said}: {reason.text}"


def _done(one: OutcomeRecord, record: Record) -> Event:
    return Event(
        at=one.at,
        number=record.entry.seq,
        run=one.run,
        commit=record.commit,
        by="run",
        what=one.action,
        text=one.detail,
        address=one.address,
        user=one.account or one.user,
        group=_group_in(one),
        before=one.before,
        after=one.after,
        result=one.result,
        causes=one.causes,
        approval=one.approval,
        actor=one.actor,
        verified=one.verified,
        receipt=one.receipt,
        policy_commit=one.policy_commit,
        tool_version=one.tool_version,
    )


def _found(one: Difference, record: Record) -> Event:
    return Event(
        at=record.entry.time,
        number=record.entry.seq,
        run=record.entry.run,
        commit=record.commit,
        by="late" if one.run else "asked" if one.asked else "others",
        what=one.what,
        address=one.address,
        user=one.user,
        group=one.group,
        before=one.before,
        after=one.after,
        earlier=one.run,
        asked=one.asked,
        tool_version=record.entry.tool_version,
    )


def _group_in(one: OutcomeRecord) -> str:
    """The id of the group in the address of a membership: ``membership/<group>/<user>``; "" for all others."""
    if not one.address.startswith(_MEMBERSHIP):
        return ""
    return one.address.removesuffix(f"/{one.user}").rpartition("/")[2]
