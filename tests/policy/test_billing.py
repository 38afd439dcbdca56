"""Billing periods: where they begin in months of any length, in leap years, and when the last days of one have come."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.policy.billing import License, license_warning
from tests.policy.documents import document, load_texts, problems, site

DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


def monthly(period_day: int) -> License:
    return License("monthly", period_day)


@pytest.mark.case("E52")
@pytest.mark.parametrize(
    ("period_day", "today", "begun", "following"),
    [
        (1, "2026-11-30", "2026-11-01", "2026-12-01"),
        (1, "2026-12-01", "2026-12-01", "2027-01-01"),
        (1, "2026-12-31", "2026-12-01", "2027-01-01"),
        (15, "2026-11-14", "2026-10-15", "2026-11-15"),
        (15, "2026-11-15", "2026-11-15", "2026-12-15"),
        (15, "2027-01-14", "2026-12-15", "2027-01-15"),
        (29, "2027-02-27", "2027-01-29", "2027-02-28"),
        (29, "2027-02-28", "2027-02-28", "2027-03-29"),
        (29, "2028-02-28", "2028-01-29", "2028-02-29"),  # a leap year
        (29, "2028-02-29", "2028-02-29", "2028-03-29"),
        (30, "2028-02-28", "2028-01-30", "2028-02-29"),
        (31, "2028-02-29", "2028-02-29", "2028-03-31"),
        (31, "2026-04-29", "2026-03-31", "2026-04-30"),
        (31, "2026-04-30", "2026-04-30", "2026-05-31"),
        (31, "2026-12-31", "2026-12-31", "2027-01-31"),
    ],
)
def test_a_month_of_billing_begins_on_its_day_or_on_the_last_one(
    period_day: int, today: str, begun: str, following: str
) -> None:
    own = monthly(period_day)
    assert own.this_period(day(today)) == day(begun)
    assert own.next_period(day(today)) == day(following)


@pytest.mark.case("E52")
@given(DAYS, st.integers(1, 31), st.integers(1, 27))
def test_periods_follow_each_other_without_a_gap(today: date, period_day: int, days: int) -> None:
    own = monthly(period_day)
    begun, following = own.this_period(today), own.next_period(today)
    assert begun is not None
    assert following is not None
    assert begun <= today < following
    assert own.next_period(begun) == following
    assert own.this_period(following) == following
    assert 28 <= (following - begun).days <= 31
    assert own.opens(today, days) == following - timedelta(days=days)


@pytest.mark.case("E51", "E52")
@pytest.mark.parametrize(
    ("renews", "today", "begun", "following"),
    [
        ("2027-06-30", "2027-06-29", "2026-06-30", "2027-06-30"),
        ("2027-06-30", "2027-06-30", "2027-06-30", None),
        ("2027-06-30", "2027-07-01", "2027-06-30", None),  # and the day after that nobody has told
        ("2027-06-30", "2026-06-30", "2026-06-30", "2027-06-30"),
        ("2027-06-30", "2026-06-29", None, "2027-06-30"),
        ("2028-02-29", "2027-03-01", "2027-02-28", "2028-02-29"),
        ("2028-02-29", "2028-02-29", "2028-02-29", None),
    ],
)
def test_a_year_ends_on_the_day_of_the_renewal_and_the_next_is_not_guessed(
    renews: str, today: str, begun: str | None, following: str | None
) -> None:
    own = License("annual", renews=day(renews))
    assert own.this_period(day(today)) == (day(begun) if begun else None)
    assert own.next_period(day(today)) == (day(following) if following else None)
    assert own.opens(day(today), 10) == (day(following) - timedelta(days=10) if following else None)


def test_a_renewal_that_has_passed_is_told() -> None:
    own = License("annual", renews=day("2026-11-23"), where="policies/site.yaml:9")
    assert license_warning("acme", own, day("2026-11-22")) == ()
    (text,) = license_warning("acme", own, day("2026-11-23"))
    assert text.startswith("acme: the license was to renew on 2026-11-23 (policies/site.yaml:9); write the day of")
    assert license_warning("acme", monthly(1), day("2026-11-23")) == ()
    assert license_warning("acme", None, day("2026-11-23")) == ()


def waiting(days: str = "3d") -> str:
    who = "match: {all: [has_seat: true]}, ensure: {product_access: absent}"
    return document("Policy", f"{{schedule: {{before_billing: {days}}}, {who}}}")


def test_a_policy_may_wait_for_the_end_of_a_billing_period_of_its_site(tmp_path: Path) -> None:
    texts = site(more=", license: {billing: annual, renews: 2027-06-30}"), waiting("2w")
    loaded = load_texts(tmp_path / "policies", *texts).for_site("acme")
    assert loaded.license == License("annual", renews=day("2027-06-30"), where="policies/00.yaml:4")
    (policy,) = loaded.policies
    assert (policy.before_billing, policy.schedule) == (14, None)


def test_a_site_that_does_not_tell_when_it_is_billed_is_an_error(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "policies", site(), waiting())
    assert found.startswith("policies/01.yaml:4:19: `before_billing` needs to know when `acme` is billed")
    (other,) = problems(tmp_path / "other", site(more=", license: {billing: monthly, period_day: 1}"), waiting("4w"))
    assert other.startswith("other/01.yaml:4:35: `acme` is billed by the month, so that this is always")
    assert problems(tmp_path / "good", site(more=", license: {billing: monthly, period_day: 1}"), waiting("27d")) == []


def test_only_the_sites_of_a_policy_must_tell_when_they_are_billed(tmp_path: Path) -> None:
    told = site("told", more=", license: {billing: monthly, period_day: 1}")
    texts = (site("bare"), told, site("also-bare"))
    asks = waiting().replace("metadata:", "sites: [told]\nmetadata:")
    assert problems(tmp_path / "good", *texts, asks) == []
    (found,) = problems(tmp_path / "wrong", *texts, asks.replace("[told]", "[told, also-bare]"))
    assert "`before_billing` needs to know when `also-bare` is billed" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (site(more=", license: {billing: monthly}"), "monthly billing needs `period_day`"),
        (site(more=", license: {billing: annual}"), "annual billing needs `renews`"),
        (waiting().replace("{before_billing: 3d}", "{}"), "`schedule` says nothing"),
        (waiting().replace("{before_billing: 3d}", "{cron: 0 7 * * *}"), "`cron` needs `time_zone`"),
    ],
)
def test_half_of_what_has_to_be_said_of_a_period_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in one for one in problems(tmp_path / "policies", text))
    assert not [one for one in problems(tmp_path / "other", document("Protection", "[]")) if "says nothing" in one]
