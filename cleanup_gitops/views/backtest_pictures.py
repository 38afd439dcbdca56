"""A back-test as pictures: seats from day to day, and other thresholds beside the one that is written."""

from __future__ import annotations

import textwrap

from cleanup_gitops.rehearsal.backtest import Backtest
from cleanup_gitops.rehearsal.hits import SOON, told_of
from cleanup_gitops.views.pictures.canvas import SUBTITLE, Spec
from cleanup_gitops.views.pictures.curves import seats_picture, sensitivity_picture
from cleanup_gitops.views.pictures.terminal import UNICODE, WIDTH, Signs, seats_chart, sensitivity_chart
from cleanup_gitops.views.pictures.values import Line, SensitivityPoint
from cleanup_gitops.views.words import counted

_ALONE = (
    "The policy alone, with the protections and exemptions of today, carried out on every recorded day; whoever came"
    " back was given everything back."
)


def render_charts(found: Backtest, *, width: int = WIDTH, signs: Signs = UNICODE) -> str:
    """Both pictures as bars, for a terminal; the thresholds where any were compared."""
    seats = seats_chart(_lines(found), found.limit, f"Seats of {found.site}", width=width, signs=signs)
    if not found.thresholds:
        return seats
    title = f"Users hit by {found.policy.name}, by days of idleness"
    return f"{seats}\n{sensitivity_chart(_points(found), title, width=width, signs=signs)}"


def seats_over_time(found: Backtest) -> Spec:
    """The seats that were in use and those that would have been, as a Vega-Lite specification."""
    days = f"{counted(len(found.days), 'recorded day')} from {found.begin} to {found.end}."
    title = f"Seats of {found.site}, had {found.policy.name} been in force"
    return seats_picture(_lines(found), found.limit, title, _wrapped(f"{days} {_ALONE}"))


def threshold_curve(found: Backtest) -> Spec:
    """Hits and mistakes by days of idleness, as a Vega-Lite specification; some thresholds must have been compared."""
    youngest = max(one.sequels["open"] for one in found.thresholds)
    perhaps = max(one.sequels["perhaps"] for one in found.thresholds)
    told = [f"{counted(len(found.days), 'recorded day')} from {found.begin} to {found.end}."]
    if youngest:
        told.append(f"Of up to {youngest:,} hits the record ends before {SOON} days are over.")
    if perhaps:
        told.append(f"Of up to {perhaps:,} it cannot tell whether it was so soon.")
    title = f"{found.policy.name} on {found.site}: users hit by days of idleness, and who came back"
    return sensitivity_picture(_points(found), title, _wrapped(" ".join(told)))


def _lines(found: Backtest) -> list[Line]:
    return [
        Line("recorded", tuple((day.day, day.recorded) for day in found.days)),
        Line("with the policy", tuple((day.day, day.seats) for day in found.days)),
    ]


def _points(found: Backtest) -> list[SensitivityPoint]:
    return [
        SensitivityPoint(one.days, one.hits, one.sequels["back"], own=one.own, told=told_of(one.sequels))
        for one in found.thresholds
    ]


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, SUBTITLE))
