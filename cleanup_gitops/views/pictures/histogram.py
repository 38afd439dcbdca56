"""Users by days since last seen, with the thresholds of policies, as a Vega-Lite specification."""

from __future__ import annotations

from collections.abc import Sequence

from cleanup_gitops.views.pictures.canvas import (
    BLUE,
    CHARACTER,
    DAYS_WIDTH,
    GREY,
    HEIGHT,
    INK,
    LINE,
    ORANGE,
    OTHER_WIDTH,
    PALE,
    Spec,
    counts,
    frame,
    on_white,
)
from cleanup_gitops.views.pictures.values import Bar, LastSeen, Threshold
from cleanup_gitops.views.safe import label


def last_seen_picture(found: LastSeen, title: str, subtitle: str = "") -> Spec:
    """Users by days since last seen, with each threshold and its policies; never seen and not known beside them."""
    widths = [bar.last - bar.first for bar in found.bars if bar.last is not None]
    begin = found.bars[-1].first - 1
    step = max(widths, default=30) + 1
    tops = [bar.users for bar in found.bars] + [found.never, found.unknown, 1]
    y = counts(max(tops), "users")
    edges = [bar.last for bar in found.bars if bar.last is not None]
    labels = _rows_of(found.thresholds, begin + step)
    bars, *numbers = _bars(found.bars, begin + step, _days_scale(edges, begin, step), y)
    days: Spec = {
        "width": DAYS_WIDTH,
        "height": HEIGHT,
        "layer": [
            bars,
            *(one for at, row in zip(found.thresholds, labels, strict=True) for one in _rule(at, row, begin + step)),
            *numbers,
        ],
    }
    other: Spec = {
        "width": OTHER_WIDTH,
        "height": HEIGHT,
        "data": {
            "values": [
                {"what": "never seen", "users": found.never},
                {"what": "not known", "users": found.unknown},
            ]
        },
        "layer": [
            {"mark": {"type": "bar", "size": 40}, "encoding": {"color": {"value": GREY}}},
            {
                "mark": {"type": "text", "dy": -7, "fontSize": 12, "color": INK},
                "encoding": {"text": {"field": "users", "type": "quantitative", "format": ",d"}},
            },
        ],
        "encoding": {
            "x": {
                "field": "what",
                "type": "nominal",
                "sort": None,
                "title": "no day of a last use",
                "axis": {"labelAngle": 0, "ticks": False},
            },
            "y": {"field": "users", **y, "title": None, "axis": None},
        },
    }
    told = "\n".join(filter(None, (subtitle, _RIGHT if found.thresholds else "")))
    return frame(title, told) | {
        "hconcat": [days, other],
        "spacing": _GAP,
        "bounds": "flush",
        "resolve": {"scale": {"y": "shared"}},
    }


def _days_scale(edges: Sequence[int], begin: int, step: int) -> Spec:
    """Days as a line of numbers, on which a bar without an end takes as much room as the widest other one."""
    shown, pixels = _spread(edges, begin + step), DAYS_WIDTH / (begin + step)
    tail = begin + step / 2
    return {
        "type": "quantitative",
        "title": "days since last seen, after the delay of the source (UTC days)",
        "scale": {"domain": [0, begin + step], "nice": False},
        "axis": {
            "values": [*(at for at in shown if (tail - at) * pixels >= CHARACTER * 12), tail],
            "labelExpr": f"datum.value == {tail} ? 'more than {begin:,}' : format(datum.value, ',d')",
            "grid": False,
            "labelOverlap": False,
            "labelFlush": False,
        },
    }


def _spread(edges: Sequence[int], whole: int) -> list[int]:
    """The edges of bars that can be written side by side; 0 is one."""
    found = [0]
    for at in edges:
        if (at - found[-1]) * DAYS_WIDTH / whole >= CHARACTER * 5:
            found.append(at)
    return found


def _bars(bars: Sequence[Bar], end: int, x: Spec, y: Spec) -> list[Spec]:
    rows = []
    for bar in bars:
        begin = bar.first - 1 if bar.first else 0
        place = {"from": begin, "to": end if bar.last is None else bar.last}
        rows.append(place | {"low": 0, "high": bar.users - bar.open, "how": _KNOWN})
        rows.append(place | {"low": bar.users - bar.open, "high": bar.users, "how": _OPEN})
    colour: Spec = {"value": BLUE}
    if any(bar.open for bar in bars):
        colour = {
            "field": "how",
            "type": "nominal",
            "title": None,
            "scale": {"domain": [_KNOWN, _OPEN], "range": [BLUE, PALE]},
            "legend": {"orient": "bottom", "direction": "vertical", "labelLimit": 600, "symbolType": "square"},
        }
    totals = [
        {"at": ((bar.first - 1 if bar.first else 0) + (end if bar.last is None else bar.last)) / 2, "users": bar.users}
        for bar in bars
    ]
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "rect", "xOffset": 1, "x2Offset": -1},
            "encoding": {
                "x": {"field": "from", **x},
                "x2": {"field": "to"},
                "y": {"field": "low", **y},
                "y2": {"field": "high"},
                "color": colour,
            },
        },
        *on_white(
            {
                "data": {"values": totals},
                "encoding": {
                    "x": {"field": "at", "type": "quantitative"},
                    "y": {"field": "users", "type": "quantitative"},
                    "text": {"field": "users", "type": "quantitative", "format": ",d"},
                },
            },
            {"dy": -8, "fontSize": 12, "fontWeight": "normal", "color": INK},
        ),
    ]


_GAP = 30
"""Pixels between both parts."""
_RIGHT = "Right of a line: more days than the policy asks for. Its other conditions decide as well."
_KNOWN = "last seen so many days ago"
_OPEN = "last seen between two days: so many days ago at least, perhaps more"


def _words(one: Threshold, whole: int) -> str:
    """The days and the policies, as far as there is room up to the right edge."""
    named = ", ".join(label(name) for name in one.policies[:2])
    more = f" and {len(one.policies) - 2} more" if len(one.policies) > 2 else ""
    text = f"{one.days:,} days: {named}{more}"
    room = int((DAYS_WIDTH * (1 - one.days / whole) + _GAP + OTHER_WIDTH) / CHARACTER)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _rows_of(thresholds: Sequence[Threshold], whole: int) -> list[int]:
    """The row above the plot, from below, in which each label has room; the rule of one crosses no label of another."""
    taken: list[float] = []  # for each row the leftmost rule so far that passes through it
    found = []
    for one in reversed(thresholds):
        at = one.days / whole * DAYS_WIDTH
        right = at + 8 + len(_words(one, whole)) * CHARACTER
        row = next((number for number, begins in enumerate(taken) if right < begins), len(taken))
        taken[: row + 1] = [at] * (row + 1)
        found.append(row)
    return found[::-1]


def _rule(one: Threshold, row: int, whole: int) -> list[Spec]:
    top = -10 - LINE * row
    x = {"datum": one.days, "type": "quantitative"}
    return [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": ORANGE, "strokeWidth": 2, "clip": False},
            "encoding": {"x": x, "y": {"value": top - 5}, "y2": {"value": HEIGHT}},
        },
        {
            "data": {"values": [{}]},
            "mark": {"type": "text", "align": "left", "dx": 5, "color": ORANGE, "fontSize": 12, "clip": False},
            "encoding": {"x": x, "y": {"value": top}, "text": {"value": _words(one, whole)}},
        },
    ]
