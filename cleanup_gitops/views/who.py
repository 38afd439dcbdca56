"""Whom conditions mean, for a terminal, a review and programs. Names are shown where they are known, in JSON never."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.match import Explanation
from cleanup_gitops.rehearsal.who import Answer, Share, Step
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.rows import with_details
from cleanup_gitops.views.safe import json_text, label
from cleanup_gitops.views.words import counted, reason

FORMAT_VERSION = "1.0"
"""Of the JSON form. A minor step adds keys."""
SHOWN = 20
"""People, and parts of each table, that are shown when nobody says how many; JSON has all."""
_PARTS = 8
_VERDICTS = {True: "yes", False: "no", None: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoReport:
    """An answer, what was asked in the words of whoever asked it, and what it was asked of.

    ``found`` says for people where the inventory was found, after its time; ``about`` the same for programs.
    """

    answer: Answer
    asked: str
    found: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on(self) -> str:
        """When the site was read, for people."""
        return f"{self.answer.as_of:%Y-%m-%d %H:%M:%S} UTC{self.found}"


def render_text(
    report: WhoReport, people: People, *, unknown: bool = False, limit: int | None = None, colour: bool = False
) -> str:
    """For a terminal. ``unknown``: those who cannot be decided are shown, not those who meet the conditions."""
    return paint(
        render("who.txt.j2", **_values(report, people, unknown, SHOWN if limit is None else limit)), colour=colour
    )


def render_markdown(report: WhoReport, people: People = NOBODY, *, unknown: bool = False, limit: int = 0) -> str:
    """For a review: the same, with as many people as asked for."""
    return render("who.md.j2", **_values(report, people, unknown, limit))


def render_json(report: WhoReport) -> str:
    """For programs: everybody who meets the conditions, and everybody of whom it is not known."""
    found = report.answer
    told: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "site": found.site,
        "as_of": found.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **report.about,
        "asked": report.asked,
        "counts": {
            "users": found.total,
            "meeting": len(found.meeting),
            "not_meeting": found.total - len(found.meeting) - len(found.undecided),
            "unknown": len(found.undecided),
        },
        "conditions": [
            {
                "word": step.word or "all of",
                "asked": list(step.asked),
                "alone": {"meeting": step.alone[0], "unknown": step.alone[1]},
                "left": {"meeting": step.left[0], "unknown": step.left[1]},
            }
            for step in found.steps
        ],
        "left_alone": dict(found.spared),
        **{f"by_{name}": [{"name": one.name, "users": one.users} for one in parts] for name, parts in _parts(found)},
        "reasons": [{"asked": one.asked, "reason": one.reason, "users": one.users} for one in found.reasons],
        "users": [_json_user(user, found, met=True) for user in found.meeting]
        + [_json_user(user, found, met=None) for user in found.undecided],
    }
    return json_text(json.dumps(told, indent=2, ensure_ascii=False)) + "\n"


def _json_user(user: User, found: Answer, *, met: bool | None) -> dict[str, Any]:
    conditions = [
        {"under": under.removesuffix(": "), "asked": one.asked, "verdict": _VERDICTS[one.verdict], "saw": one.detail}
        for under, one in _leaves(found.explained(user))
    ]
    return {"account": user.id, "meets": _VERDICTS[met], "conditions": conditions}


def _values(report: WhoReport, people: People, unknown: bool, limit: int) -> dict[str, Any]:  # noqa: FBT001 - a choice
    found = report.answer
    chosen = found.undecided if unknown else found.meeting
    return {
        "report": report,
        "found": found,
        "counts": _counts(found),
        "steps": _table([_step(one) for one in found.steps]) if len(found.steps) > 1 else [],
        "spared": ", ".join(f"{reason(why)} ({number:,})" for why, number in found.spared),
        "parts": [(_TITLES[name], _list(name, parts)) for name, parts in _parts(found) if parts],
        "reasons": [f"{one.asked}: {one.reason} ({counted(one.users, 'user')})" for one in found.reasons[:SHOWN]],
        "hidden": max(0, len(found.reasons) - SHOWN),
        "title": "Not known of" if unknown else "They are",
        "headed": with_details,
        "people": [_person(user, found, people) for user in chosen[:limit]],
        "more": len(chosen) - min(limit, len(chosen)),
    }


def _counts(found: Answer) -> str:
    meeting, undecided = len(found.meeting), len(found.undecided)
    others = found.total - meeting - undecided
    verb = "meets" if meeting == 1 else "meet"
    told = f"{meeting:,} of {counted(found.total, 'user')} {verb} it, {others:,} {'does' if others == 1 else 'do'} not"
    return f"{told}; of {undecided:,} it is not known." if undecided else f"{told}."


_HEAD = ("condition", "alone", "not known", "with those above", "not known")


def _step(one: Step) -> tuple[str, ...]:
    asked = "; ".join(one.asked)
    numbers = (f"{number:,}" for number in (*one.alone, *one.left))
    return (f"{one.word}: {asked}" if one.word else asked, *numbers)


def _table(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The head and the rows, padded: the first column to the right, all others to the left."""
    texts = [_HEAD, *rows]
    wide = [max(len(row[at]) for row in texts) for at in range(len(_HEAD))]
    return [
        tuple(
            text.rjust(width) if at else text.ljust(width)
            for at, (text, width) in enumerate(zip(row, wide, strict=True))
        )
        for row in texts
    ]


_TITLES = {"license": "By license", "domain": "By e-mail domain", "department": "By department", "group": "By group"}
_NONE = {"group": "no group"}


def _parts(found: Answer) -> tuple[tuple[str, tuple[Share, ...]], ...]:
    return (
        ("license", found.by_license),
        ("domain", found.by_domain),
        ("department", found.by_department),
        ("group", found.by_group),
    )


def _list(name: str, parts: tuple[Share, ...]) -> str:
    told = [
        f"{'not known' if one.name is None else one.name or _NONE.get(name, 'none')} {one.users:,}"
        for one in parts[:_PARTS]
    ]
    more = len(parts) - len(told)
    return ", ".join([*told, f"{more:,} more"] if more else told)


def _person(user: User, found: Answer, people: People) -> tuple[str, str, list[str]]:
    """Id, name where known, and what each condition saw."""
    leaves = [f"{under}{one.text}" for under, one in _leaves(found.explained(user))]
    return user.id, label(people.name(user.id)), leaves


def _leaves(one: Explanation, under: str = "") -> Iterator[tuple[str, Explanation]]:
    """Single conditions, each with the words of the trees that it stands in: "none of: "; all of which is no word."""
    if not one.children:
        yield under, one
    within = f"{under}{one.asked}: " if one.asked in ("any of", "none of") else under
    for child in one.children:
        yield from _leaves(child, within)
