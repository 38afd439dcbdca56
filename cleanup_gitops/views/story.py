"""The recorded story of one account, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from cleanup_gitops.evidence.events import Event
from cleanup_gitops.evidence.story import Story, Turn
from cleanup_gitops.views.columns import Sheet, words
from cleanup_gitops.views.event_columns import EVENT_COLUMNS
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.safe import json_text, plain
from cleanup_gitops.views.tables import objects

FORMAT_VERSION = "1.0"
_ROW = "snapshot"
"""What a line about a row is called where others have an action."""
_BELOW = " " * 22
"""As wide as a time."""


def render_text(story: Story, site: str, groups: Sequence[str] | None, facts: Facts) -> str:
    """Each thing that is known, oldest first, and how the account is now.

    ``groups`` are the ids of its groups in the newest snapshot; ``None``: not known.
    """
    lines = [plain(f"{story.account} on {site}")]
    told = [(one.at, 1, [_turned(one, facts)]) for one in story.turns]
    told += [(one.at, 0, list(_happened(one, facts))) for one in story.events]
    for at, _, texts in sorted(told, key=lambda one: one[:2]):
        lines.append(f"{_time(at)}  {plain(texts[0])}")
        lines += [f"{_BELOW}{plain(text)}" for text in texts[1:]]
    lines.append("")
    if story.row is None:
        lines.append("The newest snapshot does not have the account.")
    else:
        said = "not known" if groups is None else ", ".join(sorted(map(facts.group, groups))) or "none"
        lines.append(f"In the newest snapshot, read {_time(facts.inventory.as_of)}: {plain(_row(story.row, facts))}")
        lines.append(f"Groups: {plain(said)}")
    lines += [f"Remembered: {plain(_remembered(one))}" for one in story.remembered]
    return "".join(f"{line}\n" for line in lines)


def render_json(story: Story, site: str, groups: Sequence[str] | None, facts: Facts) -> str:
    """The same as one document; ``events`` have the fields of ``audit log``."""
    sheet = Sheet(list(EVENT_COLUMNS.values()), story.events, facts)
    found = {
        "format_version": FORMAT_VERSION,
        "site": site,
        "account": story.account,
        "as_of": _time(facts.inventory.as_of),
        "now": msgspec.to_builtins(story.row),
        "groups": None if groups is None else [{"id": one, "name": facts.group(one)} for one in groups],
        "snapshots": msgspec.to_builtins(story.turns),
        "events": list(objects(sheet)),
        "remembered": msgspec.to_builtins(story.remembered),
    }
    return json_text(json.dumps(found, ensure_ascii=False, indent=2)) + "\n"


def _turned(turn: Turn, facts: Facts) -> str:
    where = f"{_ROW} {turn.serial}"
    if turn.after is None:
        return f"{where}: the account is no longer there"
    if turn.before is None:
        return f"{where}: {'; '.join(_fields(turn.after, facts))}"
    before, after = turn.before, turn.after
    changes = [
        f"{key.replace('_', ' ')} {_value(key, before[key], facts)} -> {_value(key, after[key], facts)}"
        for key in after
    ]
    return f"{where}: {'; '.join(changes)}"


def _happened(event: Event, facts: Facts) -> Iterator[str]:
    """What happened, and below it who asked for it, who allowed it and who did it."""
    group = f" {facts.group(event.group)}" if event.group else ""
    sides = [words(EVENT_COLUMNS[name].value(event, facts)) for name in ("before", "after")]
    yield f"{event.what}{group}: {' -> '.join(side or 'nothing' for side in sides)}"
    if event.by == "run":
        for cause in event.causes:
            where, why = f" ({cause.where})" if cause.where else "", f": {cause.why}" if cause.why else ""
            yield f"asked by {cause.name}{where}{why}"
        one = event.approval
        if one:
            yield f"approved: {one.kind}, by {one.by or 'nobody'}, {_time(one.at)}, {one.ref}"
        seen = f", seen on the site {_time(event.verified)}" if event.verified else ""
        yield f"{event.result} by {event.actor or 'a run'}{seen}{f': {event.text}' if event.text else ''}"
    elif event.by == "late":
        yield f"effect of our run {event.earlier}, seen late"
    else:
        yield f"by others, as {event.asked} had asked" if event.asked else "by others, found then"
    yield f"record {event.number}, {event.run}, commit {event.commit[:12]}"


def _row(row: object, facts: Facts) -> str:
    told: dict[str, Any] = msgspec.to_builtins(row)
    return "; ".join(_fields({key: value for key, value in told.items() if key != "id"}, facts))


def _fields(row: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    for key, value in row.items():
        yield f"{key.replace('_', ' ')} {_value(key, value, facts)}"


def _value(key: str, value: Any, facts: Facts) -> str:  # noqa: ANN401 - a field of a row
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "seen":
        return _use(value)
    if key == "seats":
        return ", ".join(_seat(one, facts) for one in value) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)


def _use(use: Mapping[str, Any]) -> str:
    """The last use as it is kept, in words."""
    match use["is"]:
        case "recent":
            return "in the 28 days before"
        case "seen":
            return use["first"] if use["first"] == use["last"] else f"{use['first']} to {use['last']}"
        case "never":
            return f"never, since {use['since']}" if use.get("since") else "never"
        case _:
            return f"not known ({use['reason']})"


def _seat(path: Mapping[str, Any], facts: Facts) -> str:
    chain = path.get("chain")
    if chain:
        return "group " + " > ".join(map(facts.group, chain))
    return " ".join(str(value) for value in path.values())


def _remembered(line: object) -> str:
    told: dict[str, Any] = msgspec.to_builtins(line)
    kind = told.pop("kind")
    told.pop("user", None)
    return f"{kind}: " + ", ".join(
        f"{key} {value}" for key, value in told.items() if not isinstance(value, dict | list)
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
