"""A forecast as text for terminals, Markdown for reviews, JSON for programs. Counts and documents: nobody is named."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cleanup_gitops.rehearsal.forecast import Day, End, Forecast
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.pictures.canvas import SUBTITLE, Spec
from cleanup_gitops.views.pictures.curves import seats_picture
from cleanup_gitops.views.pictures.terminal import UNICODE, WIDTH, Signs, seats_chart
from cleanup_gitops.views.pictures.values import Line
from cleanup_gitops.views.safe import Markdown, json_text
from cleanup_gitops.views.words import counted

FORMAT_VERSION = "1.0"
"""Of the JSON form. A minor step adds keys."""
_WAITS = {
    "schedule": "for the schedule of their policy",
    "window": "for the windows of the site",
    "billing-day": "for the end of the billing period",
    "settling": "because a run has sent them and they may still show",
    "hold": "because their policy leaves the user alone",
    "flapping": "because others undid the same again and again",
    "adopt": "for their group to be adopted",
}
_CLOSED = {"done": "finish its stages", "no-longer-matching": "leave its stages: no longer matching"}


def render_text(forecast: Forecast, *, colour: bool = False) -> str:
    """For a terminal: the days on which something happens, then seats and totals."""
    return paint(render("forecast.txt.j2", **_values(forecast)), colour=colour)


def render_markdown(forecast: Forecast) -> str:
    """For a review: totals first, then a table of the days on which something happens."""
    return render("forecast.md.j2", **_values(forecast), br=Markdown("<br>"))


def render_chart(forecast: Forecast, *, width: int = WIDTH, signs: Signs = UNICODE) -> str:
    """The seats in use as bars, for a terminal."""
    return seats_chart([_line(forecast)], forecast.limit, f"Seats of {forecast.site}", width=width, signs=signs)


def picture(forecast: Forecast) -> Spec:
    """The seats in use, with what is assumed, as a Vega-Lite specification."""
    told = " ".join(filter(None, (_seats(forecast), _unsafe(forecast))))
    lines = [line for text in (told, _assumed(forecast)) for line in textwrap.wrap(text, SUBTITLE)]
    title = f"Seats of {forecast.site}: forecast up to {_date(forecast.days[-1].at)}"
    return seats_picture([_line(forecast)], forecast.limit, title, "\n".join(lines))


def _line(forecast: Forecast) -> Line:
    """The seats now, and after each run."""
    runs = ((day.at.astimezone(UTC).date(), day.seats) for day in forecast.days)
    return Line("forecast", ((forecast.days[0].at.astimezone(UTC).date(), forecast.seats), *runs), ahead=True)


def render_json(forecast: Forecast) -> str:
    """For programs: every day, also those on which nothing happens."""
    told: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "site": forecast.site,
        "regular_days": forecast.regular,
        "seats": {"now": forecast.seats, "after": forecast.days[-1].seats, "limit": forecast.limit},
        "blocked": forecast.blocked,
        "days": [_json_day(day) for day in forecast.days],
    }
    return json_text(json.dumps(told, indent=2, ensure_ascii=False)) + "\n"


def _json_day(day: Day) -> dict[str, Any]:
    return {
        "at": day.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "applied": not day.broken,
        "planned": day.planned,
        "actions": dict(sorted(day.actions.items())),
        "policies": dict(sorted(day.policies.items())),
        "entered": [
            {"policy": policy, "stage": stage, "users": number}
            for (policy, stage), number in sorted(day.entered.items())
        ],
        "closed": [
            {"policy": policy, "reason": why, "users": number} for (policy, why), number in sorted(day.closed.items())
        ],
        "handoffs": dict(sorted(day.handoffs.items())),
        "waiting": dict(sorted(day.waiting.items())),
        "seats": day.seats,
        "ends": msgspec.to_builtins(day.ends),
        "broken": [{"name": name, "message": message} for name, message in day.broken],
    }


def _values(forecast: Forecast) -> dict[str, Any]:
    """What both templates print."""
    last = forecast.days[-1]
    return {
        "forecast": forecast,
        "runs": counted(len(forecast.days), "run"),
        "time": last.at.strftime("%H:%M UTC"),
        "last": _date(last.at),
        "assumed": _assumed(forecast),
        "days": [(_date(day.at), _lines(day, *_before(day, forecast))) for day in forecast.eventful],
        "seats": _seats(forecast),
        "totals": _totals(forecast),
        "unsafe": _unsafe(forecast),
    }


def _date(at: datetime) -> str:
    return at.date().isoformat()


def _assumed(forecast: Forecast) -> str:
    seen = "Nobody is seen again"
    if forecast.regular:
        lately = counted(forecast.regular, "day")
        seen = f"Use goes on where it was seen in the last {lately}, and nobody else is seen again"
    return (
        "Assumed: every plan is approved and applied on its day, and nobody else changes anything."
        f" {seen}; what is handed off stays undone, lists and rosters stay the same, credentials are renewed in time."
    )


def _before(day: Day, forecast: Forecast) -> tuple[int, bool]:
    """The seats in use before the run of this day, and whether the same guards were broken the day before."""
    number = forecast.days.index(day)
    if not number:
        return forecast.seats, False
    yesterday = forecast.days[number - 1]
    return yesterday.seats, dict(yesterday.broken).keys() == dict(day.broken).keys()


def _lines(day: Day, seats: int, still: bool) -> list[str]:  # noqa: FBT001 - one fact of the day before
    """What happens on one day."""
    lines = []
    if day.broken and still:
        lines.append(f"Still UNSAFE: {', '.join(name for name, _ in day.broken)}")
    elif day.broken:
        lines.append(f"UNSAFE: nothing of {counted(day.planned, 'planned change')} is applied as long as this is so.")
        lines += [f"{name}: {message}" for name, message in day.broken]
    if day.actions:
        lines.append(f"{counted(day.changes, 'change')}: {_list(day.actions)}; by policy: {_list(day.policies)}")
    lines += [f"{policy}: {number:,} enter {stage}" for (policy, stage), number in sorted(day.entered.items())]
    lines += [
        f"{policy}: {number:,} {_CLOSED.get(why) or 'leave its stages: ' + why.replace('-', ' ')}"
        for (policy, why), number in sorted(day.closed.items())
    ]
    if day.handoffs:
        lines.append(f"Handed off to others: {_list(day.handoffs)}")
    lines += [
        f"{counted(number, 'more change')} {'waits' if number == 1 else 'wait'} {_WAITS.get(why, f'({why})')}"
        for why, number in sorted(day.waiting.items())
    ]
    if day.seats != seats:
        lines.append(f"Seats: {seats:,} -> {day.seats:,}")
    if day.ends:
        lines.append(f"Last day of: {'; '.join(map(_end, day.ends))}")
    return lines or ["Safe again."]


def _end(one: End) -> str:
    where = f" ({one.where})" if one.where else ""
    match one.kind:
        case "exemptions":
            return f"{counted(one.number, 'exemption')} of {one.name}"
        case "holds":
            return f"{counted(one.number, 'hold')} of {one.name}"
        case "credential":
            return f"{one.name}{where}"
        case _:
            return f"{one.kind} {one.name}{where}"


def _list(counts: Mapping[Any, int]) -> str:
    """The largest first."""
    told = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{number:,} {name}" for name, number in told)


def _seats(forecast: Forecast) -> str:
    last = forecast.days[-1]
    limit = f" of {forecast.limit:,}" if forecast.limit is not None else ""
    return f"Seats: {forecast.seats:,}{limit} now, {last.seats:,} after the run of {_date(last.at)}."


def _totals(forecast: Forecast) -> str:
    total: Counter[str] = Counter()
    for day in forecast.days:
        total.update(day.actions)
    first = next((day for day in forecast.days if day.actions), None)
    if first is None:
        return "Changes: none."
    on = sum(1 for day in forecast.days if day.actions)
    return f"Changes: {sum(total.values()):,} on {counted(on, 'day')}, the first on {_date(first.at)}: {_list(total)}."


def _unsafe(forecast: Forecast) -> str:
    broken = [day for day in forecast.days if day.broken]
    if not broken:
        return ""
    names = sorted({name for day in broken for name, _ in day.broken})
    until = "" if not forecast.days[-1].broken else ", and on the last of these days still"
    return (
        f"Unsafe: {counted(len(broken), 'run')} would apply nothing, the first on {_date(broken[0].at)}{until}"
        f" ({', '.join(names)})."
    )
