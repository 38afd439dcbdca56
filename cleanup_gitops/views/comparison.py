"""What another version of the policies does, for a terminal, a pull request, and programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.rehearsal.comparison import SORTS, Comparison, Part, Shift, Sort, Treatment
from cleanup_gitops.views import words
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.rows import with_details
from cleanup_gitops.views.safe import json_text, label, plain
from cleanup_gitops.views.treatments import after_words, kind, names, told

FORMAT_VERSION = "1.0"
SHOWN = 20
"""Users of each sort, and lines of each table, that are shown when nobody says how many; JSON has all."""
SYMBOLS: dict[Sort, str] = {"added": "+", "dropped": "-", "moved": "~", "untouched": "."}
TITLES: dict[Sort, str] = {
    "added": "Added, touched only after",
    "dropped": "Dropped, touched only before",
    "moved": "Moved, touched both times in another way",
    "untouched": "Untouched both times, for another reason",
}


_OTHER_OBJECTS = "the same with other groups, stages or dates"
_OTHER_DETAILS = "the same but for details that the JSON form holds"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policies: the name by which it was asked for and its commit; ``words`` are for people.

    The working tree has neither.
    """

    words: str = "the working tree"
    name: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonReport:
    """A comparison, of which versions, and on what.

    ``found`` says for people where the inventory was found, after its time; ``about`` the same for programs.
    """

    comparison: Comparison
    before: Version
    after: Version
    as_of: datetime
    found: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on(self) -> str:
        """When the site was read, for people."""
        return f"{self.as_of.strftime('%Y-%m-%d %H:%M:%S UTC')}{self.found}"


@dataclass(frozen=True, slots=True)
class Way:
    """Users who go the same way, from what is done to them before to what is done after."""

    sort: Sort
    before: str
    after: str
    number: int


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """One user: account, name where known, and what is done before and after."""

    account: str
    name: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{with_details(self.account, self.name)}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class SortRows:
    """The users of one sort, of whom only ``rows`` are shown."""

    title: str
    symbol: str
    total: int
    ways: tuple[Way, ...]
    rows: tuple[ShiftRow, ...]
    named: bool

    @property
    def more(self) -> int:
        """Users who are counted but not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Table:
    """Counts of users by one fact, the first of them; ``lines`` are padded to the same width."""

    title: str
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    more: int

    @property
    def lines(self) -> tuple[str, ...]:
        """The table for a terminal, its head first."""
        names = [plain(name) for name, _ in self.parts]
        wide = max(len(self.title), *(len(name) + 2 for name in names))
        head = "  ".join([self.title.ljust(wide), *SORTS])
        rows = (
            "  ".join(
                [f"  {name}".ljust(wide), *(f"{n:,}".rjust(len(sort)) for n, sort in zip(counts, SORTS, strict=True))]
            )
            for name, (_, counts) in zip(names, self.parts, strict=True)
        )
        return head, *rows


def render_text(
    report: ComparisonReport, people: People = NOBODY, *, colour: bool = False, limit: int | None = None
) -> str:
    """The comparison for a terminal: counts first, then tables, then at most ``limit`` users of each sort."""
    if not report.comparison.differs:
        return f"No difference. {plain(_same(report))}\n"
    shown = SHOWN if limit is None else limit
    return paint(_render("comparison.txt.j2", "->", report, people, shown), colour=colour)


def render_markdown(report: ComparisonReport, people: People = NOBODY, *, limit: int = 0) -> str:
    """The comparison for a pull request: counts, folded tables, and at most ``limit`` users of each sort."""
    if not report.comparison.differs:
        return render("comparison-none.md.j2", site=report.comparison.after.site, text=_same(report))
    return _render("comparison.md.j2", "→", report, people, limit).rstrip() + "\n"


def render_json(report: ComparisonReport) -> str:
    """All of it for programs: account ids, and never a name of a person."""
    found = report.comparison
    document = {
        "format_version": FORMAT_VERSION,
        "site": found.after.site,
        "as_of": report.as_of,
        **report.about,
        "differs": found.differs,
        "before": _side(report.before, found.before),
        "after": _side(report.after, found.after),
        "counts": {**found.counts, "alike": found.alike, "unknown": found.unknown},
        "guards": {
            name: [{"name": one.name, "message": one.message} for one in checks]
            for name, checks in (
                ("broken", found.broken),
                ("healed", found.healed),
                ("still_broken", found.still_broken),
            )
        },
        "blocked": found.blocked,
        "unblocked": found.unblocked,
        "by": {
            key: [{"name": one.name, **one.counts} for one in parts]
            for key, parts in zip(("policy", "department", "domain", "group"), _parts(found), strict=True)
        },
        "users": [
            {
                "account": one.account,
                "sort": one.sort,
                "policies": one.policies,
                "before": _treatment(one.before),
                "after": _treatment(one.after),
            }
            for one in found.shifts
        ],
    }
    return json_text(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")


def _side(version: Version, plan: Plan) -> dict[str, Any]:
    return {
        "revision": version.name or None,
        "commit": version.commit or None,
        "policy_digest": plan.inputs.policy_digest,
        "plan_digest": plan.digest,
        "applyable": plan.applyable,
        "actions": plan.summary.actions,
        "seats_in_use": plan.seats.after,
    }


def _treatment(one: Treatment) -> dict[str, Any]:
    said = one.disposition
    return {
        "state": said.state if said else None,
        "reason": said.reason if said else None,
        "due": said.due if said else None,
        "changes": [
            {"action": row.action, "address": row.address, "after": row.after, "causes": names(row.causes)}
            for row in one.changes
        ],
        "handoffs": [
            {"action": row.action, "address": row.address, "reason": row.reason, "causes": names(row.causes)}
            for row in one.handoffs
        ],
        "pending": [
            {
                "action": row.change.action,
                "address": row.change.address,
                "reason": row.reason,
                "until": row.until,
                "causes": names(row.change.causes),
            }
            for row in one.pending
        ],
        "stages": [
            {"what": row.what, "policy": row.policy, "stage": row.stage, "reason": row.reason} for row in one.stages
        ],
    }


def _same(report: ComparisonReport) -> str:
    touched = words.counted(report.comparison.alike, "user")
    return (
        f"{report.before.words} and {report.after.words} do the same on {report.comparison.after.site}, to {touched}"
        f" (as read at {report.on}).{_unknown(report.comparison)}"
    )


def _unknown(found: Comparison) -> str:
    """What is not known is not the same."""
    if not found.unknown:
        return ""
    who = words.counted(found.unknown, "user is", "users are")
    return f" {who} unknown both times: what differs there does not show."


def _render(template: str, arrow: str, report: ComparisonReport, people: People, limit: int) -> str:
    found = report.comparison
    titles = ("By policy", "By department", "By e-mail domain", "By group")
    nameless = ("no policy", "none", "none", "no group")
    return render(
        template,
        report=report,
        found=found,
        site=found.after.site,
        headline=_headline(found),
        actions=_actions(found),
        unknown=_unknown(found).strip(),
        seats=_seats(found, arrow),
        guards=tuple((title, checks) for title, checks in _guards(found) if checks),
        tables=tuple(
            _table(title, parts, none)
            for title, parts, none in zip(titles, _parts(found), nameless, strict=True)
            if parts
        ),
        sorts=tuple(rows for sort in SORTS if (rows := _rows(sort, found, people, limit)).total),
        columns=SORTS,
    )


def _parts(found: Comparison) -> tuple[tuple[Part, ...], ...]:
    return found.by_policy, found.by_department, found.by_domain, found.by_group


def _headline(found: Comparison) -> str:
    """``3 users added, 1 dropped``; what is none is left out."""
    told = [
        (number, sort if sort != "untouched" else "untouched for another reason")
        for sort, number in found.counts.items()
        if number
    ]
    if not told:
        return "no user is treated otherwise"
    (first, what), *others = told
    return ", ".join([f"{words.counted(first, 'user')} {what}", *(f"{number:,} {sort}" for number, sort in others)])


def _actions(found: Comparison) -> tuple[tuple[str, int, int], ...]:
    """The actions of which there are more, or fewer."""
    old, new = (plan.summary.actions for plan in (found.before, found.after))
    pairs = ((action, old.get(action, 0), new.get(action, 0)) for action in ACTIONS)
    return tuple(one for one in pairs if one[1] != one[2])


def _seats(found: Comparison, arrow: str) -> str:
    """Seats in use once everything is applied, and how many more or fewer are freed."""
    old, new = found.before.seats.after, found.after.seats.after
    if old == new:
        return f"{new:,}, as before"
    return f"{old:,} {arrow} {new:,}, {abs(old - new):,} {'more' if new < old else 'fewer'} freed"


def _guards(found: Comparison) -> tuple[tuple[str, tuple[Check, ...]], ...]:
    return (
        ("Guards that break", found.broken),
        ("Guards that hold again, broken before", found.healed),
        ("Guards that are broken before and after", found.still_broken),
    )


def _table(title: str, parts: tuple[Part, ...], none: str) -> Table:
    shown = tuple(
        ("not known" if one.name is None else one.name or none, tuple(one.counts[sort] for sort in SORTS))
        for one in parts[:SHOWN]
    )
    return Table(title, shown, len(parts) - len(shown))


def _rows(sort: Sort, found: Comparison, people: People, limit: int) -> SortRows:
    own = [one for one in found.shifts if one.sort == sort]
    hosting = found.after.hosting
    ways = Counter(
        (kind(one.before), after_words(one, kind(one.before), kind(one.after), _OTHER_OBJECTS)) for one in own
    )
    rows = tuple(_row(one, hosting, people) for one in own[:limit])
    return SortRows(
        title=TITLES[sort],
        symbol=SYMBOLS[sort],
        total=len(own),
        ways=tuple(
            Way(sort, before, after, number)
            for (before, after), number in sorted(ways.items(), key=lambda one: (-one[1], one[0]))
        ),
        rows=rows,
        named=any(row.name for row in rows),
    )


def _row(one: Shift, hosting: Hosting, people: People) -> ShiftRow:
    before, after = (told(side, hosting) for side in (one.before, one.after))
    return ShiftRow(
        one.account, label(people.name(one.account)), before, after_words(one, before, after, _OTHER_DETAILS)
    )
