"""Pictures: users by days since last seen, seats over time, hits by days of idleness, as charts and as SVG."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.policy.documents import Policy, Stage
from cleanup_gitops.policy.match import Scope, compile_match
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, Match, NeverActiveFor
from cleanup_gitops.views.pictures.canvas import Spec
from cleanup_gitops.views.pictures.curves import seats_picture, sensitivity_picture
from cleanup_gitops.views.pictures.histogram import last_seen_picture
from cleanup_gitops.views.pictures.last_seen import about, last_seen, thresholds_of
from cleanup_gitops.views.pictures.svg import svg_of
from cleanup_gitops.views.pictures.terminal import ASCII, last_seen_chart, seats_chart, sensitivity_chart
from cleanup_gitops.views.pictures.values import Bar, LastSeen, Line, SensitivityPoint, Threshold, ticks
from tests.golden import check
from tests.patience import STALLED
from tests.policy.users import NOW, ago, user
from tests.strategies import AS_OF, inventories

GOLDEN = Path(__file__).parent / "golden"
TODAY = date(2026, 11, 22)


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


RECORDED = Line("recorded", tuple((after(-360 + at * 30), 380 + at * 2) for at in range(13)))
REPLAYED = Line("had dormant been in force", tuple((after(-360 + at * 30), 380 - at * 3) for at in range(13)))
FORECAST = Line("forecast", ((TODAY, 404), (TODAY, 390), (after(40), 371), (after(90), 371)), ahead=True)
DORMANT = Threshold(90, ("consultants", "dormant-members"))
SEEN = LastSeen(
    bars=(
        Bar(0, 30, 212, open=40),
        Bar(31, 45, 20),
        Bar(46, 60, 43),
        Bar(61, 90, 1),
        Bar(91, 120, 11, open=4),
        Bar(121, 150, 0),
        Bar(151, 180, 0),
        Bar(181, None, 0),
    ),
    never=5,
    unknown=12,
    thresholds=(Threshold(45, ("short",)), DORMANT),
)
POINTS = (
    SensitivityPoint(30, 2_140, 610),
    SensitivityPoint(60, 1_500, 221),
    SensitivityPoint(90, 970, 3, own=True),
    SensitivityPoint(120, 0, 0),
)
PICTURES = {
    "seats": seats_picture((RECORDED, REPLAYED, FORECAST), 500, "Seats of acme", "404 of 500 now."),
    "last seen": last_seen_picture(SEEN, "Users of acme by days since last seen", "304 users"),
    "sensitivity": sensitivity_picture(POINTS, "dormant: hits by days of idleness"),
}
SHOWN = {
    "seats": [
        "Seats of acme", "404 of 500 now.", "seats in use", "day (UTC)", "recorded", "had dormant been in force",
        "forecast", "limit 500", "380", "404", "344", "371",
    ],
    "last seen": [
        "Users of acme by days since last seen", "304 users", "users", "never seen", "not known", "212", "43", "11",
        "5", "12", "45 days: short", "90 days: consultants, dormant-members", "more than 180",
        "last seen between two days: so many days ago at least, perhaps more",
    ],
    "sensitivity": [
        "dormant: hits by days of idleness", "users hit", "of those, back within 30 days", "as written", "2,140",
        "610", "970", "3", "days of idleness that the policy asks for", "120",
    ],
}  # fmt: skip


# -- users by days since last seen -------------------------------------------------------------------


@given(inventories(), st.sets(st.integers(1, 400), max_size=2))
def test_everybody_stands_in_one_place_and_right_of_a_threshold_who_is_longer_idle(
    inventory: Inventory, days: set[int]
) -> None:
    users = [replace(one, added=datetime(2000, 1, 1, tzinfo=UTC), seat_since=None) for one in inventory.users]
    found = last_seen(users, inventory.as_of, [Threshold(one, ("p",)) for one in sorted(days)])
    assert found.users == len(users)
    assert found.never == sum(isinstance(one.seen, Never) for one in users)
    assert found.unknown == sum(isinstance(one.seen, Unknown) for one in users)
    ends = [bar.last for bar in found.bars]
    assert ends[-1] is None
    assert all(one.last is not None and one.last + 1 == other.first for one, other in pairwise(found.bars))
    assert all(0 <= bar.open <= bar.users for bar in found.bars)
    for one in days:
        assert one in ends
        asked = compile_match(Match(all=(InactiveFor(one),)), Scope(inventory.as_of, inventory))
        verdicts = [asked.verdict(user) for user in users]
        assert sum(bar.users for bar in found.bars if bar.first > one) == sum(verdict is True for verdict in verdicts)
        undecided = sum(
            verdict is None and isinstance(user.seen, Seen) for user, verdict in zip(users, verdicts, strict=True)
        )
        assert undecided <= sum(bar.open for bar in found.bars if bar.first <= one)


@given(inventories(), st.sets(st.integers(1, 400), max_size=4), st.integers(40, 200))
def test_the_numbers_of_a_chart_add_up_and_no_line_is_too_wide(
    inventory: Inventory, days: set[int], width: int
) -> None:
    found = last_seen(inventory.users, inventory.as_of, [Threshold(one, ("p" * 90,)) for one in sorted(days)])
    chart = last_seen_chart(found, "Users", width=width)
    rows = re.findall(r"^ +(?:[\d,-]+|[\d,]+ or more|never|not known)  +([\d,]+)(?:  |$)", chart, re.MULTILINE)
    assert sum(int(number) for number in rows) == len(inventory.users)
    assert all(len(line) <= width for line in chart.splitlines() if line[:2] not in (" ─", " ░") or "──" in line)


@pytest.mark.case("E4")
def test_the_day_of_the_threshold_is_left_of_it_and_the_lag_of_the_source_counts() -> None:
    exact = [user(seen=seen_at(ago(90), "audit")), user(seen=seen_at(ago(91), "audit"))]
    late = [user(seen=seen_at(ago(91), "directory")), user(seen=seen_at(ago(92), "directory"))]
    found = last_seen([*exact, *late], NOW, [DORMANT])
    assert [(bar.first, bar.last, bar.users) for bar in found.bars if bar.users] == [(61, 90, 2), (91, 120, 2)]


def test_who_was_seen_within_days_stands_at_the_fewest_and_is_open_when_they_reach_further() -> None:
    inside = user(seen=Seen(ago(58), ago(52), "snapshot"))
    across = user(seen=Seen(ago(93), ago(87), "snapshot"))
    recent = user(seen=Seen(ago(28), ago(0), "snapshot"))
    found = last_seen([inside, across, recent], NOW, [DORMANT])
    bars = [(bar.first, bar.users, bar.open) for bar in found.bars if bar.users]
    assert bars == [(0, 1, 0), (31, 1, 0), (61, 1, 1)]


def test_a_use_of_tomorrow_was_no_days_ago() -> None:
    found = last_seen([user(seen=seen_at(ago(-1), "audit"))], NOW)
    assert (found.bars[0].first, found.bars[0].users) == (0, 1)


@pytest.mark.parametrize(
    ("thresholds", "ends"),
    [
        ((), (30, 60, 90, 120, 150, 180)),
        ((90,), (30, 60, 90, 120, 150, 180)),
        ((45, 90), tuple(range(15, 181, 15))),
        ((14, 90), (14, 30, 60, 90, 120, 150, 180)),
        ((365,), (*range(30, 361, 30), 365, *range(390, 571, 30))),
    ],
)
def test_bars_are_as_wide_as_the_thresholds_allow(thresholds: tuple[int, ...], ends: tuple[int, ...]) -> None:
    found = last_seen((), NOW, [Threshold(days, ("p",)) for days in thresholds])
    assert tuple(bar.last for bar in found.bars[:-1]) == ends


@given(st.sets(st.integers(0, 3650), max_size=5))
def test_there_are_never_too_many_bars(days: set[int]) -> None:
    assert len(last_seen((), NOW, [Threshold(one, ()) for one in sorted(days)]).bars) <= 20 + 1 + len(days)


def policy(name: str, match: Match, *stages: Stage) -> Policy:
    return Policy(name=name, owner="o", why="w", where="p.yaml:1", match=match, stages=stages)


def test_thresholds_are_the_days_that_bring_somebody_in() -> None:
    out = Match(none=(InactiveFor(365),))
    found = thresholds_of(
        [
            policy("b", Match(all=(HasSeat(wanted=True), Match(any=(InactiveFor(90, "any"), NeverActiveFor(30)))))),
            policy("a", Match(all=(InactiveFor(90), InactiveFor(20, "jira-software"), out))),
        ]
    )
    assert found == (Threshold(90, ("a", "b")),)


def test_below_the_title_stands_who_they_are() -> None:
    users = [user(), user(license="none")]
    assert about(users, AS_OF) == "2 users at 2026-11-22 09:15:00 UTC, 1 of them with a paid seat."
    assert about(users, AS_OF, undecided=3).splitlines()[1] == (
        "Those who meet the conditions asked for; of 3 more users that is not known."
    )
    assert about(users, AS_OF, undecided=0).splitlines()[1] == "Those who meet the conditions asked for."
    assert "Those of whom it is not known" in about(users, AS_OF, undecided=2, unknown=True)


# -- days --------------------------------------------------------------------------------------------


@given(st.dates(date(2000, 1, 1), date(2200, 1, 1)), st.integers(0, 20_000), st.integers(4, 16))
def test_ticks_are_few_and_within(first: date, days: int, most: int) -> None:
    last = min(first + timedelta(days=days), date.max)
    found = ticks(first, last, most)
    assert len(found) <= most
    assert list(found) == sorted(set(found))
    assert all(first <= day <= last for day in found)
    assert days > 60 or found


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 999)), min_size=1), st.integers(-5, 60))
def test_a_number_holds_until_the_next_one(points: list[tuple[int, int]], day: int) -> None:
    points.sort(key=lambda one: one[0])
    line = Line("a", tuple((after(at), number) for at, number in points))
    held = [number for at, number in points if at <= day]
    within = points[0][0] <= day <= points[-1][0]
    assert line.on(after(day)) == (held[-1] if within else None)


# -- charts ------------------------------------------------------------------------------------------


def test_a_chart_of_seats() -> None:
    check(GOLDEN / "chart-seats.txt", seats_chart([FORECAST], 500, "Seats of acme"))
    check(GOLDEN / "chart-seats-several.txt", seats_chart([RECORDED, REPLAYED, FORECAST], None, "Seats of acme"))


def test_a_chart_of_users_by_days_since_last_seen() -> None:
    check(GOLDEN / "chart-last-seen.txt", last_seen_chart(SEEN, "Users of acme", "304 users.\nThose who are here."))


def test_a_chart_of_hits_by_days_of_idleness() -> None:
    check(GOLDEN / "chart-sensitivity.txt", sensitivity_chart(POINTS, "dormant: hits by days of idleness"))


def test_where_there_are_no_blocks_bars_are_made_of_ascii() -> None:
    charts = (
        seats_chart([RECORDED, REPLAYED, FORECAST], 500, "Seats", signs=ASCII),
        last_seen_chart(SEEN, "Users", signs=ASCII),
        sensitivity_chart(POINTS, "Hits", signs=ASCII),
    )
    for chart in charts:
        assert chart.isascii()
        assert all(len(line) <= 80 for line in chart.splitlines())


def test_seats_over_the_limit_reach_beyond_its_mark() -> None:
    chart = seats_chart([Line("seats", ((TODAY, 30), (after(1), 60)))], 40, "Seats", signs=ASCII)
    under, over = chart.splitlines()[-2:]
    assert under.index("|") == over.index("|") < len(over) - 1
    assert under.endswith(" |")


def test_a_site_without_seats_has_a_chart() -> None:
    assert seats_chart([Line("seats", ((TODAY, 0),))], 0, "Seats").endswith(" 0  ┊\n")
    nobody = last_seen_chart(last_seen((), NOW), "Users")
    assert {line.split()[-1] for line in nobody.splitlines()[2:] if line} == {"users", "0"}


def test_what_others_have_written_is_harmless() -> None:
    found = LastSeen((Bar(0, 30, 1), Bar(31, None, 0)), 0, 0, (Threshold(30, ("a\x1b[2J<script>",)),))
    assert "\x1b" not in last_seen_chart(found, "a\x1bb")
    svg = svg_of(last_seen_picture(found, "</title><script>\x1b\ud800"))
    assert {one.tag.rpartition("}")[2] for one in ET.fromstring(svg).iter()}.isdisjoint({"script", "style"})


# -- SVG ---------------------------------------------------------------------------------------------


def texts(svg: str) -> list[str]:
    """What stands in the picture."""
    return [one.text for one in ET.fromstring(svg).iter() if one.tag.endswith(("}text", "}tspan")) and one.text]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_says_its_title_units_and_numbers(name: str) -> None:
    svg = svg_of(PICTURES[name])
    shown = texts(svg)
    assert [text for text in SHOWN[name] if text not in shown] == []
    title = ET.fromstring(svg).find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert (title.text or "").startswith(SHOWN[name][0])


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_static_and_refers_to_nothing(name: str) -> None:
    svg = svg_of(PICTURES[name])
    root = ET.fromstring(svg)
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {
        "svg",
        "title",
        "g",
        "path",
        "rect",
        "line",
        "text",
        "tspan",
    }
    keys = {key for one in root.iter() for key in one.attrib}
    assert not [key for key in keys if "href" in key or key.startswith("on") or key == "style"]
    assert set(re.findall(r"https?:[^\"' ]+", svg)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "url(" not in svg


def test_numbers_of_lines_that_begin_or_end_close_by_do_not_cover_each_other() -> None:
    lines = [Line(name, ((TODAY, 397 - at), (after(9), 397 + at))) for at, name in enumerate("abc")]
    root = ET.fromstring(svg_of(seats_picture(lines, 401, "Seats")))
    places: dict[bool, list[float]] = {}
    for one in root.iter("{http://www.w3.org/2000/svg}text"):
        if one.text in {"395", "396", "397", "398", "399", "limit 401"} and one.get("fill") != "white":
            x, y = re.findall(r"-?[\d.]+", one.get("transform") or "")[:2]
            places.setdefault(float(x) > 360, []).append(float(y))
    assert len(places[True]) == 4
    assert len(places[False]) == 3
    for found in places.values():
        assert all(one - other >= 14 for other, one in pairwise(sorted(found)))


DRAWN = """\
import json, sys
from cleanup_gitops.views.pictures.svg import svg_of
sys.stdout.write("".join(map(svg_of, json.load(sys.stdin))))
"""


def test_the_same_picture_has_the_same_bytes_in_another_process_and_time_zone() -> None:
    here = "".join(map(svg_of, PICTURES.values()))
    assert here == "".join(map(svg_of, PICTURES.values()))
    elsewhere = os.environ | {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    ran = subprocess.run(
        [sys.executable, "-c", DRAWN],
        env=elsewhere | {"PYTHONPATH": str(Path(__file__).parents[2])},
        input=json.dumps([*PICTURES.values()]).encode(),
        capture_output=True,
        check=True,
        timeout=STALLED,
    )
    assert ran.stdout.decode() == here


@pytest.mark.parametrize(
    "spec",
    [
        seats_picture([Line("seats", ((TODAY, 0),))], None, "Seats"),
        last_seen_picture(last_seen((), NOW), "Users"),
        sensitivity_picture(POINTS[:1], "Hits"),
        sensitivity_picture(POINTS[3:], "Hits"),
    ],
    ids=["one day", "nobody", "one threshold", "no hit"],
)
def test_little_can_be_drawn_too(spec: Spec) -> None:
    svg = svg_of(spec)
    assert "NaN" not in svg
    assert "undefined" not in svg


@given(inventories())
def test_numbers_of_the_bars_drawn_add_up_to_the_users(inventory: Inventory) -> None:
    days, other = last_seen_picture(last_seen(inventory.users, inventory.as_of, [DORMANT]), "Users")["hconcat"]
    rows = [*days["layer"][-1]["data"]["values"], *other["data"]["values"]]
    assert sum(row["users"] for row in rows) == len(inventory.users)
    stacked = days["layer"][0]["data"]["values"]
    assert sum(row["high"] - row["low"] for row in stacked) == sum(row["users"] for row in rows[:-2])
