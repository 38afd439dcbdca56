"""What a row of the Organizations API tells of the last use of each product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.user import User
from cleanup_gitops.sites.cloud.activity import NOT_LISTED
from cleanup_gitops.sites.cloud.later import must_be_asked, with_dates, without_dates
from cleanup_gitops.sites.cloud.wire import LastActive, LastActiveDates
from tests.sites.user_rows import (
    DESK,
    GUEST,
    HERE,
    IN_2025,
    JIRA,
    NOW,
    ORG_ADMINS,
    PLAIN,
    SEAT,
    SIGHTINGS,
    SUITE,
    UNTOLD,
    WITH_JIRA,
    entry,
    member_of,
    user,
)

OTHER = "ari:cloud:confluence::site/22222222-bbbb"


def asked_about(one: User) -> bool:
    return must_be_asked(one, SIGHTINGS.lately)


# -- activity --------------------------------------------------------------------------------------


@pytest.mark.case("E17")
@pytest.mark.parametrize(
    ("at", "seen"),
    [
        ("2025-11-06T23:07:29.936941226Z", seen_at(IN_2025)),
        ("2025-11-07T01:07:29+02:00", seen_at(IN_2025)),
        ("2026-11-23T09:00:00Z", seen_at(NOW + timedelta(days=1))),
        ("2026-11-23T09:00:01Z", Unknown("the site reported a date in the future")),
        ("Never accessed", Unknown("the site reported a date that cannot be read")),
    ],
)
def test_a_sighting_is_exact_and_never_in_the_future(at: str, seen: object) -> None:
    found = user(productAccess=[entry(HERE, "confluence", at)])
    assert found.seen == seen
    assert not asked_about(found)


@pytest.mark.case("E17")
def test_a_future_date_is_not_outweighed_by_an_older_one() -> None:
    rows = [entry(HERE, "confluence", "2030-01-01T00:00:00Z"), entry(HERE, "confluence", "2020-01-01T00:00:00Z")]
    for order in (rows, rows[::-1]):
        assert isinstance(user(productAccess=order).seen, Unknown)


@pytest.mark.case("E1")
@pytest.mark.parametrize("access", [[], [entry(HERE, "confluence", None)], [entry(JIRA, "jira", "2026-01-01")], ...])
@pytest.mark.parametrize(("groups", "asked"), [([SEAT], True), ([GUEST], True), ([PLAIN], False), ([UNTOLD], False)])
def test_only_holders_of_a_license_without_a_sighting_are_asked_about(
    access: object, groups: list[Group], asked: bool
) -> None:
    found = user(productAccess=access, groups=member_of(*groups))
    assert isinstance(found.seen, Unknown)
    assert asked_about(found) is asked


def test_who_has_no_license_any_more_was_still_seen() -> None:
    assert user(groups=[]).seen == seen_at(IN_2025)
    assert user(groups=[], productAccess=[]).seen == Unknown("no access to Confluence")


@pytest.mark.case("E7", "E42")
def test_other_products_and_another_confluence_are_elsewhere_and_the_newest_counts() -> None:
    found = user(
        productAccess=[
            entry(JIRA, "jira-software", "2026-01-01T00:00:00Z"),
            entry(JIRA + "2", "jira-software", "2026-03-01T00:00:00Z"),
            entry(JIRA + "3", "jira-software", "2026-02-01T00:00:00Z"),
            entry(OTHER, "confluence", "2026-04-01T00:00:00Z"),
        ]
    )
    assert found.elsewhere == (
        ("confluence:22222222-bbbb", seen_at(datetime(2026, 4, 1, tzinfo=UTC))),
        ("jira-software", seen_at(datetime(2026, 3, 1, tzinfo=UTC))),
    )
    assert found.seen == Unknown("not in the answer")


def test_a_confluence_without_an_id_is_not_taken_for_this_one() -> None:
    assert isinstance(user(productAccess=[entry("", "confluence", "2026-01-01")]).seen, Unknown)


@pytest.mark.case("E17")
@pytest.mark.parametrize("other", [entry("", "confluence", "2026-11-01T00:00:00Z"), entry(HERE, "confluence", "soon")])
def test_an_old_sighting_proves_nothing_beside_one_that_cannot_be_read_or_placed(other: dict[str, str | None]) -> None:
    old = entry(HERE, "confluence", "2025-11-06T23:07:29Z")
    found = [user(productAccess=both) for both in ([old, other], [other, old])]
    assert all(isinstance(one.seen, Unknown) for one in found)
    told = {"id": HERE, "key": "confluence", "last_active_timestamp": "2026-11-01T00:00:00Z"}
    assert after_dates(found[0], product_access=[told]).seen == seen_at(datetime(2026, 11, 1, tzinfo=UTC))


def test_products_that_were_not_told_are_unknown() -> None:
    assert user(productAccess=...).elsewhere is None
    assert user(productAccess=None).elsewhere is None
    assert user(productAccess=[]).elsewhere == ()


def dated(**answer: Any) -> User:  # noqa: ANN401
    """A user whom the listing left open, after the answer of last-active-dates."""
    return after_dates(user(productAccess=[entry(JIRA, "jira-software", "2026-01-01T00:00:00Z")]), **answer)


def after_dates(open_: User, **answer: Any) -> User:  # noqa: ANN401
    dates = msgspec.convert({"product_access": [], **answer}, LastActiveDates)
    return with_dates(open_, SIGHTINGS.of_dates(dates.product_access), Never(open_.added))


@pytest.mark.case("E1")
def test_a_product_that_last_active_dates_leaves_out_was_never_used() -> None:
    assert dated().seen == Never(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert dated(product_access=[{"id": OTHER, "key": "confluence", "last_active": "2026-01-01"}]).seen == Never(
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("product", "seen"),
    [
        (LastActive(HERE, "confluence", "2025-11-06", "2025-11-06T23:07:29Z"), seen_at(IN_2025)),
        (
            LastActive(HERE, "confluence", "2025-11-06"),
            Seen(datetime(2025, 11, 6, tzinfo=UTC), datetime(2025, 11, 6, 23, 59, 59, tzinfo=UTC)),
        ),
        (LastActive(HERE, "confluence"), Unknown("not in the answer")),
        (LastActive(HERE, "confluence", "2031-01-01"), Unknown("the site reported a date in the future")),
        (LastActive(HERE, "confluence", "soon"), Unknown("the site reported a date that cannot be read")),
    ],
)
def test_last_active_dates_may_know_the_day_only(product: LastActive, seen: object) -> None:
    assert dated(product_access=[msgspec.to_builtins(product)]).seen == seen


def test_both_sources_together_give_the_newest_of_every_product() -> None:
    found = dated(
        product_access=[
            {"id": JIRA, "key": "jira-software", "last_active_timestamp": "2026-02-01T00:00:00Z"},
            {"id": "t", "key": "trello", "last_active_timestamp": "2026-05-01T00:00:00Z"},
        ]
    )
    assert found.elsewhere == (
        ("jira-software", seen_at(datetime(2026, 2, 1, tzinfo=UTC))),
        ("trello", seen_at(datetime(2026, 5, 1, tzinfo=UTC))),
    )


# -- products of which the list says nothing ---------------------------------------------------------


ADDED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = entry(HERE, "confluence", "2025-11-06T23:07:29Z")


def elsewhere(groups: list[Group], *products: dict[str, str | None]) -> User:
    """Somebody whose last use of Confluence is a year ago."""
    return user(groups=member_of(SEAT, *groups), productAccess=[OLD, *products])


@pytest.mark.case("E7")
def test_a_product_without_a_time_is_not_known_and_not_unused() -> None:
    found = elsewhere([], entry(JIRA, "jira-software", None))
    assert found.elsewhere == (("jira-software", NOT_LISTED),)


@pytest.mark.case("E7")
def test_one_site_of_a_product_of_which_nothing_is_told_leaves_the_product_open() -> None:
    told = entry(JIRA, "jira-software", "2024-01-01T00:00:00Z")
    for untold in (None, "Never accessed", "2040-01-01T00:00:00Z"):
        for rows in (
            [told, entry(JIRA + "2", "jira-software", untold)],
            [entry(JIRA + "2", "jira-software", untold), told],
        ):
            found = elsewhere([], *rows)
            assert isinstance(dict(found.elsewhere or ())["jira-software"], Unknown)


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("groups", "products", "unknown"),
    [
        ([WITH_JIRA], [], ["jira-software"]),
        ([WITH_JIRA, DESK, SUITE], [], ["confluence:22222222-bbbb", "jira-service-desk", "jira-software"]),
        ([WITH_JIRA], [entry(JIRA, "jira-software", "2026-01-01")], []),
        ([DESK], [entry("ari:cloud:jira-servicedesk::site/1", "jira-service-desk", "2026-01-01")], []),
        ([SUITE], [entry(OTHER, "confluence", "2026-01-01")], []),
        ([ORG_ADMINS], [], []),
        ([PLAIN], [], []),
    ],
)
def test_a_product_that_a_group_gives_and_the_list_leaves_out_is_not_known(
    groups: list[Group], products: list[dict[str, str | None]], unknown: list[str]
) -> None:
    found = elsewhere(groups, *products)
    assert [product for product, activity in found.elsewhere or () if activity == NOT_LISTED] == unknown
    assert found.seen == seen_at(IN_2025)


@pytest.mark.case("E7")
def test_a_group_that_does_not_tell_all_that_it_gives_leaves_other_products_open() -> None:
    found = elsewhere([UNTOLD], entry(JIRA, "jira-software", "2026-01-01"))
    assert found.elsewhere is None
    assert asked_about(found)


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("here", "jira", "groups", "asked"),
    [
        (ago(31), [], [SEAT, WITH_JIRA], True),
        (ago(31), [], [WITH_JIRA], True),
        (ago(30), [], [SEAT, WITH_JIRA], False),
        (ago(0), [], [SEAT, WITH_JIRA], False),
        (ago(400), [entry(JIRA, "jira-software", ago(200))], [SEAT, WITH_JIRA], False),
        (ago(400), [entry(JIRA, "jira-software", ago(200))], [SEAT, WITH_JIRA, DESK], True),
        (ago(400), [entry(JIRA, "jira-software", ago(5))], [SEAT, WITH_JIRA, DESK], False),
        (ago(400), [entry(JIRA, "jira-software", None)], [SEAT], True),
        (ago(400), [], [SEAT, ORG_ADMINS], False),
        (ago(-2), [], [SEAT, WITH_JIRA], False),
        (None, [], [WITH_JIRA], False),
        (None, [], [SEAT, WITH_JIRA], True),
    ],
)
def test_only_whoever_may_be_idle_is_asked_about_other_products(
    here: str | None, jira: list[dict[str, str | None]], groups: list[Group], asked: bool
) -> None:
    listed = [entry(HERE, "confluence", here), *jira] if here else jira
    assert asked_about(user(groups=member_of(*groups), productAccess=listed)) is asked


@pytest.mark.case("E7")
def test_one_answer_settles_every_product() -> None:
    open_ = elsewhere([WITH_JIRA, DESK], entry("t", "trello", None))
    used = {"id": JIRA, "key": "jira-software", "last_active_timestamp": "2026-11-20T00:00:00Z"}
    found = after_dates(open_, product_access=[used])
    assert found.seen == seen_at(IN_2025)
    assert found.elsewhere == (
        ("jira-service-desk", Never(ADDED)),
        ("jira-software", seen_at(datetime(2026, 11, 20, tzinfo=UTC))),
        ("trello", Never(ADDED)),
    )
    assert not asked_about(found)


def test_the_newest_use_of_confluence_counts_also_when_it_was_asked_for_another_product() -> None:
    newer = {"id": HERE, "key": "confluence", "last_active_timestamp": "2026-01-01T00:00:00Z"}
    older = {"id": HERE, "key": "confluence", "last_active_timestamp": "2020-01-01T00:00:00Z"}
    assert after_dates(elsewhere([WITH_JIRA]), product_access=[newer]).seen == seen_at(datetime(2026, 1, 1, tzinfo=UTC))
    assert after_dates(elsewhere([WITH_JIRA]), product_access=[older]).seen == seen_at(IN_2025)


@pytest.mark.parametrize(
    ("listed", "told", "unknown"),
    [
        (None, {"last_active_timestamp": "2026-01-01T00:00:00Z"}, False),
        (None, {}, True),
        ("Never accessed", {"last_active_timestamp": "2026-01-01T00:00:00Z"}, False),
        ("2024-01-01T00:00:00Z", {"last_active": "soon"}, True),
        ("2040-01-01T00:00:00Z", {"last_active_timestamp": "2026-01-01T00:00:00Z"}, True),
    ],
)
def test_an_answer_that_says_nothing_settles_nothing(listed: str | None, told: dict[str, str], unknown: bool) -> None:
    open_ = elsewhere([], entry(JIRA, "jira-software", listed))
    found = after_dates(open_, product_access=[{"id": JIRA, "key": "jira-software", **told}])
    assert isinstance(dict(found.elsewhere or ())["jira-software"], Unknown) is unknown


def test_an_account_that_is_not_known_there_stays_open_and_keeps_its_sightings() -> None:
    found = without_dates(elsewhere([WITH_JIRA], entry("t", "trello", "2026-01-01T00:00:00Z")))
    assert found.seen == seen_at(IN_2025)
    assert found.elsewhere == (
        ("jira-software", Unknown("the organization knows no activity of this account")),
        ("trello", seen_at(datetime(2026, 1, 1, tzinfo=UTC))),
    )
