"""The columns of ``cleanup-gitops audit log``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from cleanup_gitops.evidence.events import By, Event
from cleanup_gitops.model.drift import Fact
from cleanup_gitops.views.columns import Column, Labelled, Value
from cleanup_gitops.views.facts import Facts

_NOTHING = Labelled("", None)
"""There is nothing to say, which is not the same as not knowing."""
_BY: dict[By, str] = {
    "record": "",
    "run": "us",
    "others": "others",
    "late": "us, seen late",
    "asked": "others, as asked",
}


def _time(at: datetime | None) -> Value:
    if at is None:
        return _NOTHING
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Labelled(text, text)


def _text(text: str | None) -> Value:
    return text or _NOTHING


def _group(event: Event, facts: Facts) -> Value:
    return Labelled(facts.group(event.group), event.group) if event.group else _NOTHING


def _user(event: Event, facts: Facts) -> Value:
    """The id, and the name where somebody may see it."""
    if not event.user:
        return _NOTHING
    name = facts.people.name(event.user)
    return Labelled(f"{event.user} ({name})" if name else event.user, event.user)


def _fields(facts: Mapping[str, Fact]) -> Value:
    return (
        Labelled(", ".join(f"{key}: {_fact(value)}" for key, value in facts.items()), dict(facts))
        if facts
        else _NOTHING
    )


def _fact(value: Fact) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else " ".join(value) or "none"


def _why(event: Event, _: Facts) -> Value:
    why = tuple(cause.why for cause in event.causes if cause.why)
    return Labelled("; ".join(why), why) if why else _NOTHING


def _asking(event: Event, _: Facts) -> Value:
    names = event.policies or ((event.asked,) if event.asked else ())
    return Labelled(", ".join(names), names) if names else _NOTHING


def _allowed(event: Event, _: Facts) -> Value:
    one = event.approval
    return Labelled(f"{one.kind} {one.by}".rstrip(), {"kind": one.kind, "by": one.by}) if one else _NOTHING


def _approved_at(event: Event, _: Facts) -> Value:
    return _time(event.approval.at if event.approval else None)


def _approved_what(event: Event, _: Facts) -> Value:
    return _text(event.approval.ref if event.approval else "")


def _endpoint(event: Event, _: Facts) -> Value:
    return _text(f"{event.receipt.method} {event.receipt.endpoint}" if event.receipt else "")


def _status(event: Event, _: Facts) -> Value:
    return event.receipt.status if event.receipt else _NOTHING


def _request(event: Event, _: Facts) -> Value:
    return _text(event.receipt.request_id if event.receipt else "")


def _server_date(event: Event, _: Facts) -> Value:
    return _text(event.receipt.server_date if event.receipt else "")


def _commit(name: str) -> Value:
    return Labelled(name[:12], name or None)


_COLUMNS: tuple[Column[Event], ...] = (
    Column("at", "AT (UTC)", "when it happened; of what others did, when it was found", lambda one, _: _time(one.at)),
    Column(
        "by", "BY", "us (a run) or others; nothing for the record itself", lambda one, _: Labelled(_BY[one.by], one.by)
    ),
    Column("what", "WHAT", "action, difference, or kind of record", lambda one, _: one.what),
    Column("user", "USER", "account id", _user),
    Column("group", "GROUP", "group that it is about; JSON has the id", _group, cut=True),
    Column("result", "RESULT", "what became of a change of ours", lambda one, _: _text(one.result)),
    Column("policies", "ASKED BY", "policies, with their stages, that asked for it", _asking, cut=True),
    Column("text", "TEXT", "numbers of a record, or why a change failed", lambda one, _: _text(one.text), cut=True),
    Column("before", "BEFORE", "fields that differ, before", lambda one, _: _fields(one.before), cut=True),
    Column("after", "AFTER", "the same after", lambda one, _: _fields(one.after), cut=True),
    Column("why", "WHY", "why each policy asked for it", _why, cut=True),
    Column("approval", "APPROVAL", "kind of the approval, and the account or key that gave it", _allowed, cut=True),
    Column("approved_at", "APPROVED AT", "when what was approved was made or signed", _approved_at),
    Column("approval_ref", "APPROVED WHAT", "envelope of the plan, or the signed tag", _approved_what),
    Column("actor", "ACTOR", "account that acted", lambda one, _: _text(one.actor)),
    Column("verified", "VERIFIED", "when the wished state was seen on the site", lambda one, _: _time(one.verified)),
    Column("endpoint", "ENDPOINT", "call that was made", _endpoint),
    Column("status", "STATUS", "HTTP status of the answer", _status, number=True),
    Column("request_id", "REQUEST ID", "the site's own id of the call", _request),
    Column("server_date", "SERVER DATE", "the clock of the site in its answer", _server_date),
    Column("address", "ADDRESS", "what it is about, as plans write it", lambda one, _: _text(one.address)),
    Column("earlier", "EARLIER RUN", "the run of ours whose effect was seen late", lambda one, _: _text(one.earlier)),
    Column("run", "RUN", "name of the record", lambda one, _: one.run),
    Column("record", "RECORD", "number of the entry in the ledger", lambda one, _: one.number, number=True),
    Column("commit", "COMMIT", "commit that holds the record", lambda one, _: _commit(one.commit)),
    Column("policy_commit", "POLICIES", "commit of the policies", lambda one, _: _commit(one.policy_commit)),
    Column("tool_version", "VERSION", "version that recorded it", lambda one, _: one.tool_version),
)
EVENT_COLUMNS = {column.name: column for column in _COLUMNS}
SHOWN = ("at", "by", "what", "user", "group", "result", "policies", "text", "record")
"""Columns of a table when nobody says which."""
