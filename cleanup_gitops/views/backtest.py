"""A back-test as text for terminals, Markdown for reviews, JSON for programs. Ids alone: no name was recorded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.rehearsal.backtest import Backtest, Threshold
from cleanup_gitops.rehearsal.hits import SOON, Hit, Sequel, told_of
from cleanup_gitops.rehearsal.replay import Replayed
from cleanup_gitops.rehearsal.undecided import ELSEWHERE, WEEK_ALONE
from cleanup_gitops.views.documents import count, render
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.safe import json_text
from cleanup_gitops.views.words import UNTOUCHED, counted, reason

FORMAT_VERSION = "1.0"
"""Of the JSON form. A minor step adds keys."""
SHOWN = 20
"""Users who were hit by mistake that are shown when nobody says how many; JSON has all hits."""
MANY_DAYS = 62
"""From so many days on a table counts months."""
_SEQUELS: Mapping[Sequel, str] = {
    "back": f"came back within {SOON} days: hit by mistake",
    "perhaps": f"came back, perhaps within {SOON} days",
    "later": f"came back after more than {SOON} days",
    "away": f"not seen again within {SOON} days",
    "left": f"lost the account or its access within {SOON} days",
    "open": f"too young to tell: the record ends within {SOON} days",
}
_Rows = Sequence[Sequence[str]]


def render_text(found: Backtest, *, colour: bool = False, limit: int | None = None) -> str:
    """For a terminal: what was found, by month or day, who was hit by mistake, and other thresholds."""
    return paint(render("backtest.txt.j2", **_values(found, SHOWN if limit is None else limit)), colour=colour)


def render_markdown(found: Backtest, *, limit: int = 0) -> str:
    """For a review: the same, with nobody named unless asked for."""
    return render("backtest.md.j2", **_values(found, limit))


def render_json(found: Backtest) -> str:
    """For programs: every recorded day, and every hit."""
    gap, after = found.gap
    told: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "site": found.site,
        "policy": found.policy.name,
        "where": found.policy.where,
        "from": str(found.begin),
        "to": str(found.end),
        "recorded_days": len(found.days),
        "longest_gap": {"days": gap, "after": str(after) if gap else None},
        "changes_of_runs": found.acted,
        "known_activity_percent": found.known,
        "other_products_left_out": found.alone,
        "hits": {"all": len(found.hits), "first_day": found.days[0].hits, **found.sequels},
        "mistakes_percent": _share(found.sequels),
        "days": [_json_day(day) for day in found.days],
        "users": [_json_hit(hit, found.end) for hit in found.hits],
        "thresholds": [_json_threshold(one) for one in found.thresholds],
        "left_alone": [{"state": state, "reason": why, "users": number} for state, why, number in found.spared],
        "undecided": [{"asked": one.asked, "reason": one.reason, "users": one.users} for one in found.undecided],
    }
    return json_text(json.dumps(told, indent=2, ensure_ascii=False)) + "\n"


def _json_day(day: Replayed) -> dict[str, Any]:
    return {
        "day": str(day.day),
        "matching": day.matching,
        "unknown": day.unknown,
        "hits": day.hits,
        "actions": dict(sorted(day.actions.items())),
        "entered": dict(sorted(day.entered.items())),
        "closed": dict(sorted(day.closed.items())),
        "seats": {"recorded": day.recorded, "with_policy": day.seats},
        "blocked": list(day.blocked),
    }


def _json_hit(hit: Hit, end: date) -> dict[str, Any]:
    return {
        "account": hit.account,
        "day": str(hit.day),
        "last_seen": str(hit.last.date()) if hit.last else None,
        "actions": {action: str(day) for action, day in sorted(hit.actions.items())},
        "sequel": hit.sequel(end),
        "back": str(hit.back) if hit.back else None,
        "left": str(hit.left) if hit.left else None,
    }


def _json_threshold(one: Threshold) -> dict[str, Any]:
    return {
        "days": one.days,
        "own": one.own,
        "hits": {"all": one.hits, **one.sequels},
        "mistakes_percent": _share(one.sequels),
        "freed": one.freed,
    }


def _values(found: Backtest, limit: int) -> dict[str, Any]:
    """What both templates print."""
    mistakes = found.mistakes
    period, heads = ("month", _months) if found.span > MANY_DAYS else ("day", _days)
    head = (period, "hit", "by mistake", "seats recorded", "with the policy")
    return {
        "found": found,
        "covered": _covered(found),
        "assumed": _assumed(found),
        "blocked": _blocked(found),
        "hits": _hits(found),
        "actions": _actions(found),
        "sequels": [(count(number), _SEQUELS[sort]) for sort, number in found.sequels.items() if number],
        "share": _share_text(found),
        "closed": _closed(found),
        "spared": _spared(found),
        "periods": _table(head, heads(found)),
        "mistakes": [_mistake(hit) for hit in mistakes[:limit]],
        "more": len(mistakes) - min(limit, len(mistakes)),
        "thresholds": _table(_HEAD, [_threshold(one) for one in found.thresholds]),
        "unvaried": _unvaried(found),
        "undecided": [f"{one.asked}: {one.reason} ({counted(one.users, 'user')})" for one in found.undecided[:SHOWN]],
        "hidden": max(0, len(found.undecided) - SHOWN),
        "week": any(one.reason == WEEK_ALONE for one in found.undecided),
        "elsewhere": any(one.reason == ELSEWHERE for one in found.undecided),
    }


def _covered(found: Backtest) -> str:
    days = f"{counted(len(found.days), 'recorded day')} from {found.begin} to {found.end}"
    gap, after = found.gap
    if not gap:
        return days
    return f"{days} ({found.span:,} days; the longest gap is {counted(gap, 'day')} after {after})"


_ASSUMED = (
    "Assumed: the policy alone, with the protections and exemptions of today, is carried out on every recorded day;"
    " schedules, windows, caps and approvals are left out. Whoever comes back is given everything back."
)
_NOT_RECORDED = (
    "Not recorded, and taken for no hindrance: roles that were given directly, API tokens, and whether an organization"
    " may change an account."
)


def _assumed(found: Backtest) -> list[str]:
    """What a reader has to know before the figures."""
    told = [_ASSUMED, _NOT_RECORDED]
    if found.alone:
        told.append(
            "Idleness in Confluence is taken for idleness in every product: the policy would have hit these people or"
            " fewer."
        )
    if found.acted:
        told.append(
            f"The runs of that time made {counted(found.acted, 'change')}: whoever lost something by them cannot come"
            " back, and is not hit for the same here."
        )
    return told


def _blocked(found: Backtest) -> str:
    days = [day for day in found.days if day.blocked]
    if not days:
        return ""
    names = sorted({name for day in days for name in day.blocked})
    return f"Acts on nobody on {counted(len(days), 'day')}, the first {days[0].day}: {'; '.join(names)}."


def _hits(found: Backtest) -> str:
    if not found.hits:
        return "Nobody would have been hit."
    first, later = found.days[0].hits, found.days[1:]
    rest = sum(day.hits for day in later)
    told = []
    if first:
        told.append(
            f"{counted(first, 'user')} would have been hit on the first day: they had met the conditions before the"
            " record began."
        )
    if rest:
        worst = max(later, key=lambda day: day.hits)
        who = f"{rest:,} more" if first else f"{counted(rest, 'user')} would have been hit"
        told.append(f"{who} on later days, {rest / len(later):.1f} a day; most on {worst.day}: {worst.hits:,}.")
    return " ".join(told)


def _actions(found: Backtest) -> str:
    total: Counter[str] = Counter()
    for day in found.days:
        total.update(day.actions)
    return ", ".join(f"{total[action]:,} {action}" for action in ACTIONS if total[action])


def _closed(found: Backtest) -> str:
    """How episodes ended before anything was taken, or after; "" for a policy without stages."""
    total: Counter[str] = Counter()
    for day in found.days:
        total.update(day.closed)
    return ", ".join(f"{number:,} {why.replace('-', ' ')}" for why, number in total.most_common())


def _spared(found: Backtest) -> str:
    """Whom the policy means and leaves alone; "" where there is nobody."""
    return ", ".join(f"{number:,} {UNTOUCHED[state]} ({reason(why, state)})" for state, why, number in found.spared)


def _share(sequels: Mapping[Sequel, int]) -> float | None:
    """Percent of the hits that can be told about which were mistakes; ``None`` when nothing can be told."""
    told = told_of(sequels)
    return round(100 * sequels["back"] / told, 1) if told else None


def _share_text(found: Backtest) -> str:
    share, sequels = _share(found.sequels), found.sequels
    if share is None:
        return ""
    return f"Hit by mistake: {share} % of the {told_of(sequels):,} of which the record tells."


def _days(found: Backtest) -> list[list[str]]:
    """The days on which somebody would have been hit, and the last one."""
    mistakes = Counter(one.day for one in found.mistakes)
    return [
        [str(day.day), count(day.hits), count(mistakes[day.day]), count(day.recorded), count(day.seats)]
        for day in found.days
        if day.hits or day is found.days[-1]
    ]


def _months(found: Backtest) -> list[list[str]]:
    """Every month; seats are those of its last recorded day."""
    hits: Counter[str] = Counter()
    last: dict[str, Replayed] = {}
    for day in found.days:
        hits[f"{day.day:%Y-%m}"] += day.hits
        last[f"{day.day:%Y-%m}"] = day
    mistakes = Counter(f"{one.day:%Y-%m}" for one in found.mistakes)
    return [
        [month, count(hits[month]), count(mistakes[month]), count(day.recorded), count(day.seats)]
        for month, day in last.items()
    ]


def _mistake(hit: Hit) -> tuple[str, str]:
    seen = f"last seen by {hit.last:%Y-%m-%d}" if hit.last else "never seen before"
    actions = ", ".join(f"{action} on {day}" for action, day in hit.actions.items())
    days = (hit.back - hit.day).days if hit.back else 0
    return hit.account, f"{actions}; {seen}, back by {hit.back} ({counted(days, 'day')} later)"


_HEAD = ("idle for", "hit", f"back in {SOON} days", "by mistake", "seats fewer at the end")


def _threshold(one: Threshold) -> list[str]:
    share = _share(one.sequels)
    return [
        f"{counted(one.days, 'day')}{' (as written)' if one.own else ''}",
        count(one.hits),
        count(one.sequels["back"]),
        "" if share is None else f"{share} %",
        count(one.freed),
    ]


def _unvaried(found: Backtest) -> str:
    """Why no other thresholds were compared; "" where they were."""
    if found.thresholds:
        return ""
    if found.several:
        days = ", ".join(map(str, found.several))
        return f"No other thresholds are compared: the policy asks for several lengths of idleness ({days} days)."
    return "No other thresholds are compared: the policy asks for no idleness." if not found.several else ""


def _table(head: Sequence[str], rows: _Rows) -> dict[str, Any]:
    """The head and the rows for Markdown, and all of it as aligned lines: the first column left, the others right."""
    texts = [head, *rows]
    wide = [max(len(row[at]) for row in texts) for at in range(len(head))]
    lines = [_aligned(row, wide) for row in texts]
    return {"head": list(head), "rows": [list(row) for row in rows], "lines": lines}


def _aligned(row: Iterable[str], wide: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if at else text.ljust(width) for at, (text, width) in enumerate(zip(row, wide, strict=True))
    ]
    return "  ".join(cells).rstrip()
