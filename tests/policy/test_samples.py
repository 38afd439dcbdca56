"""Made-up notices that templates are tried on: they fit together, and nothing that may be missing is always there."""

from __future__ import annotations

from datetime import date, timedelta

from cleanup_gitops.policy.samples import MARK, sample, samples
from cleanup_gitops.policy.template_text import VARIABLES


def test_a_preview_shows_days_that_fit_together() -> None:
    shown = sample()
    as_of, last_seen, next_day = shown["as_of"], shown["last_seen"], shown["next_day"]
    assert isinstance(as_of, date)
    assert isinstance(last_seen, date)
    assert isinstance(next_day, date)
    assert (as_of - last_seen).days == shown["days"]
    assert next_day - as_of == timedelta(days=14)
    assert str(shown["address"]).endswith(f"/{shown['user']}/{shown['policy']}/{shown['stage']}/{shown['episode']}")
    assert shown["name"] == "Ada Example"
    assert set(shown) == set(VARIABLES)


def test_a_template_is_tried_with_and_without_each_thing_that_may_be_missing() -> None:
    tried = samples()
    assert all(one["name"] == MARK for one in tried)
    missing = [{name for name, value in one.items() if value in (None, "")} for one in tried]
    following = {"next_stage", "next_does", "next_day"}
    assert set() in missing
    assert {"last_seen", "days", "language", *following} in missing
    for alone in ({"last_seen"}, {"days"}, {"language"}, following):
        assert alone in missing
    assert len({frozenset(one) for one in missing}) == len(tried) == 16
