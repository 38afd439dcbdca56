"""Seats over time, and a policy's hits by its days of idleness, as Vega-Lite specifications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cleanup_gitops.views.pictures.canvas import (
    BLUE,
    COLOURS,
    GREY,
    HEIGHT,
    INK,
    LINE,
    ORANGE,
    ROOM,
    WIDTH,
    Spec,
    counts,
    frame,
    on_white,
)
from cleanup_gitops.views.pictures.values import Line, SensitivityPoint, span, ticks
from cleanup_gitops.views.safe import label


def seats_picture(lines: Sequence[Line], limit: int | None, title: str, subtitle: str = "") -> Spec:
    """Seats over time: a stepped line for each, dashed where it is a forecast, and the limit when there is one.

    At least one line, each with a name of its own. The numbers at both ends of each line are written beside it.
    """
    first, last = span(lines)
    last = max(last, first + timedelta(days=1))
    top = max([limit or 0, 1, *(number for line in lines for _, number in line.points)])
    colours = [COLOURS[at % len(COLOURS)] for at in range(len(lines))]
    rows = [
        {"day": _time(day), "seats": number, "line": label(line.name), "order": order}
        for line in lines
        for order, (day, number) in enumerate(line.points)
    ]
    x = {
        "field": "day",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [_time(first), _time(last)]},
        "title": "day (UTC)",
        "axis": _days_axis(first, last),
    }
    y = counts(top, "seats in use") | {"field": "seats"}
    names = [label(line.name) for line in lines]
    stroke = {
        "color": {
            "field": "line",
            "type": "nominal",
            "title": None,
            "scale": {"domain": names, "range": colours},
            "legend": {"orient": "top", "direction": "horizontal", "symbolType": "stroke", "symbolSize": 900},
        },
        "strokeDash": {
            "field": "line",
            "type": "nominal",
            "title": None,
            "scale": {"domain": names, "range": [[7, 4] if line.ahead else [1, 0] for line in lines]},
        },
        "order": {"field": "order", "type": "quantitative"},
    }
    dots = any(len(line.points) == 1 for line in lines)  # which has no length
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5, "point": dots}
    drawn = {"data": {"values": rows}, "mark": mark}
    layers = [drawn | {"encoding": {"x": x, "y": y} | stroke}]
    if limit is not None:
        rule = {"type": "rule", "color": INK, "strokeWidth": 1.5, "strokeDash": [2, 3]}
        layers += [{"data": {"values": [{"limit": limit}]}, "mark": rule, "encoding": {"y": y | {"field": "limit"}}}]
    for number in _numbers(lines, colours, limit, top * ROOM):
        layers += _written(number, first)
    return frame(title, subtitle) | {"width": WIDTH, "height": HEIGHT, "layer": layers}


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _days_axis(first: date, last: date) -> Spec:
    """Days at equal steps, written as everywhere else, whatever the time zone of the machine."""
    return {
        "values": [_time(day) for day in ticks(first, last, 8)],
        "labelExpr": "utcFormat(datum.value, '%Y-%m-%d')",
        "labelFlush": False,
        "grid": False,
    }


_ABOVE = 13
"""Pixels from a point to a number above it."""


@dataclass(frozen=True, slots=True)
class _Number:
    """A text above a point of the plot, or, at the right edge, beside it; from there so many pixels down."""

    day: date
    seats: int
    text: str
    colour: str
    aside: bool = False
    down: float = 0


def _numbers(lines: Sequence[Line], colours: Sequence[str], limit: int | None, top: float) -> Iterator[_Number]:
    """The numbers at both ends of each line, and the limit, none upon another one of its day."""
    last = span(lines)[1]
    said: set[tuple[date, int]] = set()
    edge = [] if limit is None else [_Number(last, limit, f"limit {limit:,}", INK, aside=True)]
    above: list[_Number] = []
    for at in (-1, 0):  # a line that begins where another one ends says nothing new
        for line, colour in zip(lines, colours, strict=True):
            day, number = line.points[at]
            if at == -1 and day == last:
                edge.append(_Number(day, number, f"{number:,}", colour, aside=True))
            elif (day, number) not in said:
                above.append(_Number(day, number, f"{number:,}", colour))
            said.add((day, number))
    for day in {one.day: None for one in above}:
        yield from _apart([one for one in above if one.day == day], top, _ABOVE, -_ABOVE)
    yield from _apart(edge, top, 0, 0)


def _apart(numbers: Sequence[_Number], top: float, usual: int, other: int) -> Iterator[_Number]:
    """Numbers of one day ``usual`` pixels above their points; ``other``, or as low as it takes, under a near one."""
    free = float("inf")
    for one in sorted(numbers, key=lambda number: -number.seats):
        wanted = HEIGHT * one.seats / top + usual
        found = wanted if wanted <= free else min(wanted - usual + other, free)
        free = found - LINE
        yield replace(one, down=wanted - found)


def _written(one: _Number, first: date) -> list[Spec]:
    place = {"dx": 8, "dy": one.down} if one.aside else {"dx": 4 if one.day == first else 0, "dy": one.down - _ABOVE}
    align = "left" if one.aside or one.day == first else "center"
    encoding = {
        "x": {"field": "day", "type": "temporal"},
        "y": {"field": "seats", "type": "quantitative"},
        "text": {"value": one.text},
    }
    data = {"values": [{"day": _time(one.day), "seats": one.seats}]}
    return on_white({"data": data, "encoding": encoding}, {"align": align, "color": one.colour} | place)


def sensitivity_picture(points: Sequence[SensitivityPoint], title: str, subtitle: str = "") -> Spec:
    """Users hit by days of idleness, and those of them who came back within 30 days. At least one point."""
    hit, back = "users hit", "of those, back within 30 days"
    rows = [
        {"days": one.days, "users": number, "what": what}
        for what, numbers in ((hit, [one.hits for one in points]), (back, [one.came_back for one in points]))
        for one, number in zip(points, numbers, strict=True)
    ]
    top = max(1, *(one.hits for one in points)) if points else 1
    x = {
        "field": "days",
        "type": "quantitative",
        "title": "days of idleness that the policy asks for",
        "scale": {"domain": _around([one.days for one in points]), "nice": False},
        "axis": {"values": [one.days for one in points], "format": ",d", "grid": False, "labelOverlap": False},
    }
    y = counts(top, "users") | {"field": "users"}
    kinds = {"field": "what", "type": "nominal", "title": None}
    names = {"domain": [hit, back]}
    legend = {"orient": "top", "direction": "horizontal", "labelLimit": 300, "symbolSize": 120}
    colour = kinds | {"scale": names | {"range": [BLUE, ORANGE]}, "legend": legend}
    shape = kinds | {"scale": names | {"range": ["circle", "square"]}, "legend": legend}
    data = {"data": {"values": rows}}
    place = {"x": x, "y": y}
    layers: list[Spec] = [_as_written(one, x) for one in points if one.own]
    layers += [
        data | {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": place | {"color": colour}},
        data
        | {
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": place | {"color": colour, "shape": shape},
        },
    ]
    for what, ink in ((hit, BLUE), (back, ORANGE)):
        own = {"values": [row for row in rows if row["what"] == what]}
        text = {"text": {"field": "users", "type": "quantitative", "format": ",d"}}
        layers += on_white({"data": own, "encoding": place | text}, {"dy": -14, "color": ink})
    return frame(title, subtitle) | {"width": WIDTH, "height": HEIGHT, "layer": layers}


def _around(days: Sequence[int]) -> list[float]:
    """From the first to the last of these days, with room at both sides."""
    room = max(1, days[-1] - days[0]) * 0.06
    return [days[0] - room, days[-1] + room]


def _as_written(one: SensitivityPoint, x: Spec) -> Spec:
    return {
        "data": {"values": [{"days": one.days}]},
        "encoding": {"x": x},
        "layer": [
            {"mark": {"type": "rule", "color": GREY, "strokeDash": [4, 4], "strokeWidth": 1.5}},
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "color": GREY, "fontSize": 12},
                "encoding": {"y": {"value": 8}, "text": {"value": "as written"}},
            },
        ],
    }
