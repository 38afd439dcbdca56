"""A forecast in its three forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cleanup_gitops.rehearsal.forecast import Day, End, Forecast
from cleanup_gitops.views.forecast import render_json, render_markdown, render_text
from tests import golden

GOLDEN = Path(__file__).with_name("golden")
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def at(day: int) -> datetime:
    """So many days later."""
    return NOW + timedelta(days=day)


CAP = ("cap:user.disable", "41 planned and 0 applied in the last 24 hours, 10 allowed (policies/guardrails.yaml:3)")
USUAL = Forecast(
    site="acme",
    seats=412,
    limit=500,
    regular=14,
    blocked=("joiners (policies/joiners.yaml:9): the site has no group 'new-starters'",),
    days=(
        Day(
            at=at(0),
            actions={"membership.remove": 10, "user.disable": 2},
            policies={"dormant": 10, "leavers": 2},
            entered={("dormant", "release-seat"): 10},
            handoffs={"user.disable": 3},
            seats=400,
            planned=12,
        ),
        Day(at=at(1), seats=400),
        Day(
            at=at(2),
            closed={("dormant", "returned"): 1, ("dormant", "done"): 1_204},
            waiting={"schedule": 1, "window": 4},
            ends=(End("exemptions", "leave", 3), End("Override", "big-clean", where="policies/override.yaml:2")),
            seats=400,
            planned=5,
        ),
        Day(at=at(3), seats=400, planned=41, broken=(CAP,)),
        Day(
            at=at(4), seats=400, planned=41, broken=(CAP,), ends=(End("credential", "the API token", where="s.yaml:9"),)
        ),
        Day(at=at(5), seats=400, planned=41, broken=(CAP,)),
        Day(at=at(6), seats=400, ends=(End("policy", "once", where="p.yaml:3"), End("holds", "dormant", 2))),
        Day(at=at(7), seats=401, actions={"membership.add": 1}, policies={"team": 1}, planned=1),
    ),
)
QUIET = Forecast(site="acme", seats=1, limit=None, blocked=(), days=(Day(at=at(0), seats=1), Day(at=at(1), seats=1)))


def test_a_usual_forecast() -> None:
    golden.check(GOLDEN / "forecast-usual.txt", render_text(USUAL))
    golden.check(GOLDEN / "forecast-usual.md", render_markdown(USUAL))


def test_a_forecast_in_which_nothing_happens() -> None:
    golden.check(GOLDEN / "forecast-quiet.txt", render_text(QUIET))
    golden.check(GOLDEN / "forecast-quiet.md", render_markdown(QUIET))


def test_json_has_every_day() -> None:
    told = json.loads(render_json(USUAL))
    assert [day["at"][:10] for day in told["days"]] == [f"2026-11-{22 + number}" for number in range(8)]
    assert told["seats"] == {"now": 412, "after": 401, "limit": 500}
    assert [day["applied"] for day in told["days"]] == [True, True, True, False, False, False, True, True]
    assert told["days"][0]["entered"] == [{"policy": "dormant", "stage": "release-seat", "users": 10}]


def test_a_guard_that_stays_broken_is_told_once_and_again_only_beside_other_news() -> None:
    assert [day.at.day for day in USUAL.eventful] == [22, 24, 25, 26, 28, 29]


def test_what_others_have_written_is_harmless() -> None:
    day = Day(at=at(0), seats=1, ends=(End("exemptions", "a\x1b[2Jb|<b>", 1),))
    told = Forecast(site="acme", seats=1, limit=1, blocked=(), days=(day,))
    assert "\x1b" not in render_text(told)
    assert "<b>" not in render_markdown(told)
