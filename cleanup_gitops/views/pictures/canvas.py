"""What pictures share as Vega-Lite specifications. What could differ between machines is said: sizes, fonts."""

from __future__ import annotations

from typing import Any

from cleanup_gitops.views.safe import plain

Spec = dict[str, Any]

WIDTH, HEIGHT = 720, 320
"""Of the plot, in pixels; titles and axes come on top."""
DAYS_WIDTH, OTHER_WIDTH = 540, 150
"""The same where never seen and not known stand apart."""
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""All as wide as the first one, which the library brings along, so that texts are measured alike everywhere."""
BLUE, ORANGE, GREEN, PURPLE, YELLOW = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#B8860B"
"""Told apart by people who do not see all colours, and dark enough for white paper (after Okabe and Ito)."""
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW)
PALE = "#A6CEE3"
INK, GREY, RULE = "#222222", "#6B6B6B", "#DDDDDD"
CHARACTER = 6.1
"""Pixels that a character of a label takes, rather more than less."""
LINE = 15
"""Pixels between two labels that stand one above the other."""
SUBTITLE = 112
"""Characters of a line below the title that have room."""
ROOM = 1.1
"""How much higher than the largest number the plot is."""


def frame(title: str, subtitle: str) -> Spec:
    """What all pictures share, without a plot. Each line of ``subtitle`` stands below ``title``."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": plain(". ".join([title, *subtitle.split("\n")]) if subtitle else title),
        "background": "white",
        "padding": 16,
        "title": {
            "text": plain(title),
            "subtitle": [*map(plain, subtitle.split("\n"))] if subtitle else [],
            "offset": 14,
        },
        "config": {
            "font": FONT,
            "title": {"anchor": "start", "fontSize": 18, "color": INK, "subtitleColor": GREY, "subtitleFontSize": 13},
            "axis": {
                "labelColor": INK,
                "labelFontSize": 12,
                "titleColor": GREY,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "titlePadding": 10,
                "gridColor": RULE,
                "domainColor": GREY,
                "tickColor": GREY,
            },
            "legend": {"labelColor": INK, "labelFontSize": 12, "labelLimit": 400},
            "view": {"stroke": None},
        },
    }


def counts(top: int, title: str) -> Spec:
    """An axis of whole numbers from 0 to a little above the largest one."""
    return {
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [0, top * ROOM], "nice": False},
        "axis": {"format": ",d", "tickMinStep": 1, "tickCount": 6, "domain": False, "ticks": False},
    }


def on_white(layer: Spec, text: Spec) -> list[Spec]:
    """A text, and below it the same in white and broader, so that no line runs through it."""
    text = {"type": "text", "fontSize": 13, "fontWeight": "bold", "clip": False} | text
    return [
        layer | {"mark": text | {"color": "white", "stroke": "white", "strokeWidth": 4, "aria": False}},
        layer | {"mark": text},
    ]
