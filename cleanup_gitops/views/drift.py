"""What others changed on a site, for a terminal, a pull request or issue, and programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cleanup_gitops.model.drift import Difference, Drift, Fact, What
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.memory import Hold
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.rows import with_details
from cleanup_gitops.views.safe import json_text, label, quoted
from cleanup_gitops.views.words import counted

FORMAT_VERSION = "1.0"
SHOWN = 10
"""Groups of one account that a line names; JSON has all."""
_SYMBOLS: dict[What, str] = {
    "user.vanished": "-",
    "membership.removed": "-",
    "group.vanished": "-",
    "user.changed": "~",
    "group.changed": "~",
    "user.appeared": "+",
    "membership.added": "+",
    "group.appeared": "+",
}
"""What is gone comes first."""
_ORDER = {what: number for number, what in enumerate(_SYMBOLS)}
_TITLES = {"user": "Accounts", "membership": "Memberships", "group": "Groups"}
_CLASSED = frozenset({"kind", "license", "admin", "external"})
"""Facts that the tool concludes from what the site tells: a newer version may conclude otherwise."""
_LABELS = {
    "admin": "administrator",
    "synced": "synced from elsewhere",
    "writable": "status can be changed here",
    "modifiable": "members can be changed here",
    "grants": "gives",
    "parents": "nested in",
}
_GROUP_LABELS = _LABELS | {"admin": "makes administrators"}
_FLAGS = {"admin": "administrator", "external": "external", "synced": "synced from elsewhere"}
"""What is worth a word of an account that is new or gone, when it is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """A drift and what became of it. ``groups`` are the names of the site's groups by id.

    ``commit`` is the commit that records it, "" when there is none; ``place`` is the branch that it is on. ``holds``
    follow from what others undid of changes of ours.
    """

    drift: Drift
    groups: Mapping[str, str]
    tool_version: str
    commit: str = ""
    place: str = ""
    holds: tuple[Hold, ...] = ()

    @property
    def held(self) -> str:
        """What follows from what others undid; "" when they undid nothing."""
        if not self.holds:
            return ""
        users = counted(len({one.user for one in self.holds}), "user")
        said = f"Others undid what runs had done to {users}"
        if not self.commit:
            return f"{said}: from the day on that this is recorded, the policies leave them alone for a while."
        until = max(one.until for one in self.holds).isoformat()
        return f"{said}: the policies leave them alone until {until}."

    @property
    def reclassed(self) -> bool:
        """Whether some of it may come from another version of the tool, and not from the site."""
        if self.drift.recorded_by == self.tool_version:
            return False
        return any(not _CLASSED.isdisjoint(one.after) for one in self.drift.by_others if one.what.endswith(".changed"))


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One difference: its symbol, an id, the name beside it, and what happened."""

    symbol: str
    id: str
    label: str
    text: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.symbol} {with_details(self.id, self.label)} {self.text}"


@dataclass(frozen=True, slots=True)
class DriftRows:
    """All differences of one sort."""

    title: str
    rows: tuple[DriftRow, ...]


def report_of(
    drift: Drift,
    groups: Iterable[Group],
    tool_version: str,
    *,
    commit: str = "",
    place: str = "",
    holds: tuple[Hold, ...] = (),
) -> DriftReport:
    """The drift with the names of groups: of those that are there, and of those that are gone."""
    gone = {one.group: str(one.before.get("name", "")) for one in drift.differences if one.what == "group.vanished"}
    names = gone | {group.id: group.name for group in groups}
    return DriftReport(drift=drift, groups=names, tool_version=tool_version, commit=commit, place=place, holds=holds)


def render_text(report: DriftReport, people: People = NOBODY, *, colour: bool = False) -> str:
    """The drift for a terminal: accounts, memberships, groups, in each what is gone first; then late effects."""
    return paint(_render("drift.txt.j2", report, people), colour=colour)


def render_markdown(report: DriftReport) -> str:
    """The drift for a pull request or an issue: one folded table for each sort, with ids and names of groups only."""
    return _render("drift.md.j2", report, NOBODY)


def render_json(report: DriftReport) -> str:
    """All of it for programs: ids and names of groups, never of a person."""
    drift = report.drift
    mentioned = {group for one in drift.differences for group in _groups_in(one)}
    document = {
        "format_version": FORMAT_VERSION,
        "site": drift.site,
        "since": drift.since,
        "as_of": drift.as_of,
        "serial": drift.serial,
        "snapshot_run": drift.run or None,
        "recorded_by": drift.recorded_by,
        "tool_version": report.tool_version,
        "commit": report.commit or None,
        "found": dict(sorted(Counter(one.what for one in drift.by_others).items())),
        "groups": {group: report.groups[group] for group in sorted(mentioned) if group in report.groups},
        "holds": [{name: getattr(one, name) for name in ("user", "policy", "until", "run")} for one in report.holds],
        "differences": [msgspec.to_builtins(one) for one in drift.differences],
    }
    return json_text(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")


def _render(template: str, report: DriftReport, people: People) -> str:
    drift = report.drift
    late, asked = (sorted(some, key=_position) for some in (drift.late, drift.asked))
    return render(
        template,
        report=report,
        drift=drift,
        since=drift.since.strftime("%Y-%m-%d %H:%M:%S UTC"),
        read=drift.as_of.strftime("%Y-%m-%d %H:%M:%S UTC"),
        snapshot=f" (serial {drift.serial}{f', run {drift.run}' if drift.run else ''})",
        found=counted(len(drift.by_others), "difference"),
        sorts=_sorts(report, people),
        late=tuple(_row(one, report, people, f", by run {one.run}") for one in late),
        ours=" and ".join(
            filter(None, ("late effects of our own" if late else "", "what was handed off" if asked else ""))
        ),
        asked=tuple(_row(one, report, people, f", asked for by {one.asked}") for one in asked),
    )


def _sorts(report: DriftReport, people: People) -> tuple[DriftRows, ...]:
    ordered = sorted(report.drift.by_others, key=_position)
    sorts = (
        DriftRows(title, tuple(_row(one, report, people) for one in ordered if one.what.startswith(f"{sort}.")))
        for sort, title in _TITLES.items()
    )
    return tuple(one for one in sorts if one.rows)


def _position(one: Difference) -> tuple[int, str]:
    return _ORDER[one.what], one.address


def _row(one: Difference, report: DriftReport, people: People, end: str = "") -> DriftRow:
    name = report.groups.get
    symbol = _SYMBOLS[one.what]
    if one.user:
        return DriftRow(symbol, one.user, label(people.name(one.user)), _about_account(one, name) + end)
    own = name(one.group)
    return DriftRow(symbol, one.group, "" if own is None else quoted(own), _about_group(one, name) + end)


_NameOf = Callable[[str], str | None]


def _about_account(one: Difference, name: _NameOf) -> str:
    match one.what:
        case "user.vanished":
            return f"is gone: it was {_account(one.before, name)}"
        case "user.appeared":
            return f"is new: {_account(one.after, name)}"
        case "membership.removed":
            return f"left {_group(one.group, name)}"
        case "membership.added":
            return f"joined {_group(one.group, name)}"
        case _:
            return _changes(one, name, _LABELS)


def _about_group(one: Difference, name: _NameOf) -> str:
    match one.what:
        case "group.vanished":
            return f"is gone: it had {_given(one.before, 'gave', 'made')}"
        case "group.appeared":
            return f"is new: it has {_given(one.after, 'gives', 'makes')}"
        case _:
            return _changes(one, name, _GROUP_LABELS)


def _account(facts: Mapping[str, Fact], name: _NameOf) -> str:
    """An account in a few words; JSON has all that is known."""
    parts = [str(facts[field]) for field in ("status", "kind") if field in facts]
    if found := facts.get("license"):
        parts.append("no license" if found == "none" else f"license {found}")
    parts += [word for field, word in _FLAGS.items() if facts.get(field) is True]
    groups = facts.get("groups")
    if isinstance(groups, tuple):
        names = sorted((_group(one, name) for one in groups), key=str.casefold)
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        parts.append(f"in {', '.join(names[:SHOWN]) or 'no group'}{more}")
    return ", ".join(parts)


def _given(facts: Mapping[str, Fact], gives: str, makes: str) -> str:
    """The members of a group, and what being one means."""
    members = facts.get("members")
    parts = [counted(len(members), "direct member") if members and isinstance(members, tuple) else "no direct member"]
    if facts.get("license") in ("seat", "guest"):
        parts.append(f"{gives} license {facts['license']}")
    if facts.get("admin") is True:
        parts.append(f"{makes} administrators")
    return ", ".join(parts)


def _changes(one: Difference, name: _NameOf, labels: Mapping[str, str]) -> str:
    """``changed: status "active" -> "suspended"; roles none -> "site-admin"``."""
    parts = [
        f"{labels.get(field, field)} {_value(field, one.before[field], name)} -> {_value(field, after, name)}"
        for field, after in one.after.items()
    ]
    return f"changed: {'; '.join(parts)}"


def _value(field: str, fact: Fact, name: _NameOf) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    if isinstance(fact, tuple):
        listed = [_group(one, name) if field == "parents" else quoted(one) for one in fact]
        return ", ".join(listed) or "none"
    return quoted(fact)


def _group(group: str, name: _NameOf) -> str:
    """Its name, or its id where no name is known."""
    found = name(group)
    return quoted(group if found is None else found)


def _groups_in(one: Difference) -> set[str]:
    """Ids of the groups that a difference mentions."""
    facts: list[Any] = [facts.get(field, ()) for facts in (one.before, one.after) for field in ("groups", "parents")]
    return {group for listed in facts for group in listed} | ({one.group} if one.group else set())
