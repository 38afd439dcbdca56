"""Each predicate at its edges: one day less, the very day, one day more; unknown facts; kinds, domains, groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cleanup_gitops.model.activity import Activity, Never, Seen, Source, Unknown, seen_at
from cleanup_gitops.model.user import GrantSeat, GroupSeat, Kind, RoleSeat, User
from cleanup_gitops.policy.match import Scope, compile_match, explain_match
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.tree import (
    EmailDomain,
    HasSeat,
    InactiveFor,
    InGroup,
    KindIs,
    Match,
    NeverActiveFor,
    Node,
)
from tests.policy.users import NOW, ago, day, group, scope, user

UNKNOWN = Unknown("not read")


def verdict(node: Node, someone: User, where: Scope | None = None) -> bool | None:
    """The verdict of one predicate, which both readings must give."""
    where = where or scope()
    match = Match(all=(node,))
    found = compile_match(match, where).verdict(someone)
    assert explain_match(match, someone, where).verdict is found
    return found


@pytest.mark.case("E4")
@pytest.mark.parametrize("source", ["directory", "content", "database", "snapshot"])
@pytest.mark.parametrize(("more", "expected"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("days", [1, 30, 90, 365])
@pytest.mark.parametrize("hour", [0, 23])
def test_inactive_means_strictly_more_days_after_the_lag(
    days: int, more: int, expected: bool, source: Source, hour: int
) -> None:
    lag = 1 if source == "directory" else 0
    someone = user(seen=seen_at(ago(days + lag + more, hour), source))
    assert verdict(InactiveFor(days), someone) is expected
    assert verdict(InactiveFor(days, "any"), someone) is expected
    assert verdict(InactiveFor(days, "trello"), user(elsewhere=(("trello", someone.seen),))) is expected


@pytest.mark.case("E4", "E5")
@pytest.mark.parametrize(("today", "expected"), [("2026-07-31", False), ("2026-08-01", True), ("2026-08-02", True)])
def test_ninety_days_after_the_first_of_may_is_the_first_of_august(today: str, expected: bool) -> None:
    someone = user(seen=seen_at(day("2026-05-01")))
    assert verdict(InactiveFor(90), someone, scope(as_of=day(today))) is expected


@pytest.mark.case("E18")
def test_days_are_utc_dates_whatever_zone_a_time_was_written_in() -> None:
    oslo = timezone(timedelta(hours=2))
    someone = user(seen=seen_at(datetime(2026, 5, 2, 1, 0, tzinfo=oslo)))  # still 1 May in UTC
    for hour in (0, 12, 23):
        now = datetime(2026, 8, 1, hour, 59, tzinfo=UTC)
        assert verdict(InactiveFor(90), someone, scope(as_of=now)) is True
        assert verdict(InactiveFor(90), someone, scope(as_of=now.astimezone(oslo))) is True
        assert verdict(InactiveFor(91), someone, scope(as_of=now)) is False


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [(200, 92, True), (200, 91, None), (92, 1, None), (91, 91, False), (91, 1, False), (92, 92, True)],
)
@pytest.mark.parametrize("hour", [0, 12])
def test_an_interval_decides_only_when_both_its_ends_agree(
    earliest: int, latest: int, hour: int, expected: bool | None
) -> None:
    seen = Seen(ago(earliest, hour), ago(latest, hour))
    someone = user(seen=seen, elsewhere=(("trello", seen),))
    for product in ("confluence", "any", "trello"):
        assert verdict(InactiveFor(90, product), someone) is expected


@pytest.mark.case("E17")
def test_a_sighting_in_the_future_is_no_inactivity() -> None:
    assert verdict(InactiveFor(1), user(seen=seen_at(ago(-400)))) is False


@pytest.mark.case("E1", "E10", "F2")
@pytest.mark.parametrize(("seen", "expected"), [(Never(ago(900)), False), (Never(), False), (UNKNOWN, None)])
def test_who_was_never_seen_or_is_unknown_is_not_inactive(seen: Activity, expected: bool | None) -> None:
    assert verdict(InactiveFor(90), user(seen=seen, added=ago(900))) is expected
    assert verdict(InactiveFor(90, "trello"), user(elsewhere=(("trello", seen),), added=ago(900))) is expected


@pytest.mark.parametrize(("more", "expected"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("fact", ["added", "seat_since"])
@pytest.mark.parametrize("product", ["confluence", "any", "trello"])
@pytest.mark.parametrize("hour", [0, 12])
def test_inactivity_counts_from_the_day_of_being_added_or_given_a_seat(
    product: str, fact: str, more: int, hour: int, expected: bool
) -> None:
    long_ago = seen_at(ago(900))
    facts: dict[str, Any] = {fact: ago(90 + more, hour), "elsewhere": (("trello", long_ago),)}
    assert verdict(InactiveFor(90, product), user(seen=long_ago, **facts)) is expected


def test_who_was_just_added_is_not_inactive_whatever_else_is_unknown() -> None:
    for product in ("confluence", "any", "trello"):
        assert verdict(InactiveFor(90, product), user(seen=UNKNOWN, elsewhere=None, added=ago(3))) is False


OLD, RECENT = seen_at(ago(200)), seen_at(ago(2))


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("seen", "elsewhere", "expected"),
    [
        (OLD, (), True),
        (OLD, (("trello", OLD), ("jira-software", OLD)), True),
        (OLD, (("trello", OLD), ("jira-software", RECENT)), False),
        (RECENT, (("trello", OLD),), False),
        (OLD, (("trello", UNKNOWN),), None),
        (OLD, (("trello", UNKNOWN), ("jira-software", RECENT)), False),
        (UNKNOWN, (("trello", RECENT),), False),
        (UNKNOWN, (("trello", OLD),), None),
        (OLD, None, None),
        (RECENT, None, False),
        (UNKNOWN, None, None),
        (Never(ago(200)), (("trello", OLD),), True),
        (Never(ago(200)), (("trello", Never(ago(200))),), True),
        (Never(ago(80)), (("trello", OLD),), False),
        (OLD, (("trello", Never(ago(80))),), False),
        (OLD, (("trello", Never()),), True),
        (Never(), (("trello", RECENT),), False),
    ],
)
def test_any_product_means_idle_in_every_one(
    seen: Activity, elsewhere: tuple[tuple[str, Activity], ...] | None, expected: bool | None
) -> None:
    assert verdict(InactiveFor(90, "any"), user(seen=seen, elsewhere=elsewhere)) is expected


@pytest.mark.parametrize("hour", [0, 12])
def test_never_in_a_product_counts_as_idle_since_the_account_was_added(hour: int) -> None:
    nowhere = user(seen=Never(), elsewhere=(("trello", Never()),), added=ago(92, hour))
    assert verdict(InactiveFor(90, "any"), nowhere) is True
    assert verdict(InactiveFor(91, "any"), nowhere) is False


@pytest.mark.parametrize("product", ["confluence", "any", "trello"])
@pytest.mark.parametrize(
    ("seen", "expected"), [(OLD, None), (seen_at(ago(91)), False), (RECENT, False), (UNKNOWN, None)]
)
def test_nobody_is_inactive_who_may_have_been_added_lately(seen: Activity, expected: bool | None, product: str) -> None:
    someone = {"seen": seen, "elsewhere": (("trello", seen),)}
    assert verdict(InactiveFor(90, product), user(**someone, added=None)) is expected
    assert verdict(InactiveFor(90, product), user(**someone, added=None, seat_since=ago(80))) is False


@pytest.mark.parametrize(("elsewhere", "expected"), [((), None), ((("trello", RECENT),), False)])
def test_never_in_any_product_is_not_idle_without_a_day_to_count_from(
    elsewhere: tuple[tuple[str, Activity], ...], expected: bool | None
) -> None:
    assert verdict(InactiveFor(90, "any"), user(seen=Never(), elsewhere=elsewhere, added=None)) is expected


@pytest.mark.parametrize("elsewhere", [None, (), (("jira-software", OLD),)])
def test_a_product_that_is_not_listed_is_unknown(elsewhere: tuple[tuple[str, Activity], ...] | None) -> None:
    assert verdict(InactiveFor(90, "trello"), user(seen=OLD, elsewhere=elsewhere)) is None


@pytest.mark.case("E1", "E3", "E4")
@pytest.mark.parametrize(("source", "lag"), [("directory", 1), ("database", 0)])
@pytest.mark.parametrize(("more", "expected"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("hour", [0, 12])
def test_never_active_means_strictly_more_days_since_being_added(
    source: Source, lag: int, more: int, hour: int, expected: bool
) -> None:
    since = ago(90 + lag + more, hour)
    for someone in (
        user(seen=Never(since, source)),
        user(seen=Never(None, source), added=since),
        user(seen=Never(ago(900), source), added=ago(800), seat_since=since),
    ):
        assert verdict(NeverActiveFor(90), someone) is expected


@pytest.mark.case("E2")
def test_never_active_is_unknown_without_any_date_to_count_from() -> None:
    assert verdict(NeverActiveFor(1), user(seen=Never(), added=None)) is None
    assert verdict(NeverActiveFor(1), user(seen=UNKNOWN, added=ago(900))) is None
    assert verdict(NeverActiveFor(1), user(seen=OLD, added=ago(900))) is False


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, True),
        ({"license": "guest"}, False),
        ({"license": "none"}, False),
        ({"license": "unknown"}, None),
        ({"status": "unknown"}, None),
        ({"status": "suspended"}, False),
        ({"status": "suspended", "license": "unknown"}, False),
        ({"status": "unknown", "license": "none"}, False),
    ],
)
def test_a_seat_is_a_license_of_an_active_account(facts: dict[str, Any], expected: bool | None) -> None:
    assert verdict(HasSeat(wanted=True), user(**facts)) is expected
    assert verdict(HasSeat(wanted=False), user(**facts)) is (None if expected is None else not expected)


@pytest.mark.case("E23")
@pytest.mark.parametrize("kind", ["person", "service", "app", "customer"])
def test_the_account_type_decides_and_an_unknown_one_is_unknown(kind: Kind) -> None:
    for other in ("person", "service", "app", "customer"):
        assert verdict(KindIs((kind,)), user(kind=other)) is (kind == other)
    assert verdict(KindIs((kind,)), user(kind="unknown")) is None
    assert verdict(KindIs(("person", kind)), user(kind=kind)) is True


@pytest.mark.case("E32", "E33")
@pytest.mark.parametrize(
    ("patterns", "domain", "expected"),
    [
        (("acme.com",), "acme.com", True),
        (("acme.com",), "sub.acme.com", False),
        (("acme.com",), "notacme.com", False),
        (("*.acme.com",), "sub.acme.com", True),
        (("*.acme.com",), "a.b.acme.com", True),
        (("*.acme.com",), "acme.com", False),
        (("*.acme.com",), "notacme.com", False),
        (("other.example", "*.acme.com"), "x.acme.com", True),
        (("acme.com",), None, None),
        (("*.acme.com",), None, None),
    ],
)
def test_a_domain_is_exact_and_sub_domains_are_asked_for(
    patterns: tuple[str, ...], domain: str | None, expected: bool | None
) -> None:
    assert verdict(EmailDomain(patterns), user(domain=domain)) is expected


NESTED = (
    group(1, "Wiki-Users"),
    group(2, "contractors-oslo", parents=("g-1",)),
    group(3, "contractors-bergen", parents=("g-2",)),
    group(4, "wiki[1]"),
    group(5, "wiki-users", directory="other"),
)


@pytest.mark.parametrize(
    ("patterns", "groups", "expected"),
    [
        (("wiki-users",), ("g-1",), True),
        (("WIKI-USERS",), ("g-5",), True),
        (("wiki-users",), ("g-2",), True),
        (("wiki-users",), ("g-3",), True),
        (("contractors-oslo",), ("g-1",), False),
        (("contractors-*",), ("g-3",), True),
        (("contractors-*",), ("g-4",), False),
        (("CONTRACTORS-????",), ("g-2",), True),
        (("contractors-????",), ("g-4",), False),
        (("wiki[1]",), ("g-4",), True),
        (("*[1]",), ("g-4",), True),
        (("*[1]",), ("g-1",), False),
        (("wiki-users", "wiki[1]"), ("g-4",), True),
        (("wiki-users",), (), False),
        (("wiki-users",), None, None),
        (("gone",), ("g-1",), None),
        (("gone-*",), (), None),
        (("wiki-users", "gone"), ("g-1",), None),
    ],
)
@pytest.mark.case("E30", "E39")
def test_groups_are_found_by_name_or_glob_through_nesting(
    patterns: tuple[str, ...], groups: tuple[str, ...] | None, expected: bool | None
) -> None:
    where = scope(*NESTED)
    assert verdict(InGroup(patterns), user(groups=groups), where) is expected
    missing = tuple(one for one in patterns if one.startswith("gone"))
    assert compile_match(Match(all=(InGroup(patterns),)), where).missing == tuple(
        Missing("group", one) for one in missing
    )


def test_missing_groups_are_named_once_and_also_under_none() -> None:
    asked = Match(all=(InGroup(("b-gone", "a-gone")),), none=(Match(any=(InGroup(("a-gone",)),)),))
    assert compile_match(asked, scope()).missing == (Missing("group", "a-gone"), Missing("group", "b-gone"))


YES, NO, MAYBE = HasSeat(wanted=True), HasSeat(wanted=False), InGroup(("not-there",))


@pytest.mark.case("F2")
@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(), True),
        (Match(all=(YES, YES, YES)), True),
        (Match(all=(YES, MAYBE)), None),
        (Match(all=(MAYBE, YES)), None),
        (Match(all=(MAYBE, NO)), False),
        (Match(all=(NO, MAYBE)), False),
        (Match(all=(YES, MAYBE, NO)), False),
        (Match(all=(YES, MAYBE, YES)), None),
        (Match(any=(NO, MAYBE)), None),
        (Match(any=(MAYBE, YES)), True),
        (Match(any=(NO, NO)), False),
        (Match(none=(NO, NO)), True),
        (Match(none=(NO, MAYBE)), None),
        (Match(none=(MAYBE, YES)), False),
        (Match(all=(YES,), any=(YES,), none=(NO,)), True),
        (Match(all=(YES,), any=(MAYBE,), none=(YES,)), False),
        (Match(all=(Match(none=(Match(none=(YES,)),)),)), True),
    ],
)
def test_unknown_matters_only_where_it_could_change_the_verdict(match: Match, expected: bool | None) -> None:
    assert verdict(match, user()) is expected


def test_an_explanation_holds_the_values_their_sources_and_ages() -> None:
    match = Match(
        all=(HasSeat(wanted=True), InactiveFor(90, "any")),
        any=(InGroup(("contractors-*",)), EmailDomain(("partner.example",))),
        none=(KindIs(("app",)), NeverActiveFor(30)),
    )
    someone = user(seen=Seen(ago(210), ago(200)), elsewhere=(("trello", UNKNOWN),), domain="private.example")
    found = explain_match(match, someone, scope())
    lines = [found.text, *(f"  {part.text}" for part in found.children)]
    lines += [f"    {leaf.text}" for part in found.children for leaf in part.children]
    interval = "last seen between 2026-04-26 and 2026-05-06 (directory, up to 1 day late)"
    everywhere = f"confluence {interval}, 199 days; trello activity unknown: not read; added 2024-02-26, 1000 days"
    assert lines == [
        "all of these: no",
        "  all of: unknown",
        "  any of: no",
        "  none of: yes",
        "    has_seat true: yes, license seat, status active",
        f"    inactive_for 90d (every product): unknown, {everywhere}",
        "    in_group contractors-*: no, in none of 1 group(s)",
        "    email_domain partner.example: no, another e-mail domain",
        "    kind app: no, account type person",
        f"    never_active_for 30d: no, {interval}",
    ]


def test_an_explanation_of_a_seat_names_every_way_it_is_held() -> None:
    seats = (GroupSeat(("g-1", "g-9")), RoleSeat("user"), GrantSeat("USECONFLUENCE"))
    found = explain_match(Match(all=(HasSeat(wanted=True),)), user(seats=seats), scope())
    assert found.children[0].text == (
        "has_seat true: yes, license seat, status active, through group wiki-users > g-9, role user, permission"
        " USECONFLUENCE"
    )


@pytest.mark.parametrize(
    ("node", "facts", "text"),
    [
        (InGroup(("gone",)), {}, "in_group gone: unknown, the site has no group gone"),
        (InGroup(("wiki-users",)), {"groups": None}, "in_group wiki-users: unknown, the user's groups are not known"),
        (KindIs(("app",)), {"kind": "unknown"}, "kind app: unknown, the account type is not known"),
        (
            EmailDomain(("a.example",)),
            {"domain": None},
            "email_domain a.example: unknown, the e-mail address is hidden",
        ),
        (HasSeat(wanted=True), {"license": "unknown"}, "has_seat true: unknown, license unknown, status active"),
        (
            NeverActiveFor(9),
            {"seen": Never(), "added": None},
            "never_active_for 9d: unknown, never seen (directory), but the day it was added is not known",
        ),
        (
            InactiveFor(9),
            {"seen": Never(), "added": None},
            "inactive_for 9d: no, never seen (directory), which is no inactivity; the day it was added is not known",
        ),
        (
            InactiveFor(9, "trello"),
            {},
            (
                "inactive_for 9d (trello): unknown, trello activity unknown: not listed for this user;"
                " added 2024-02-26, 1000 days"
            ),
        ),
        (
            InactiveFor(9),
            {"seen": seen_at(day("2026-05-01"), "content"), "added": None},
            "inactive_for 9d: unknown, last seen 2026-05-01 (content), 205 days; the day it was added is not known",
        ),
    ],
)
def test_an_explanation_says_what_is_not_known(node: Node, facts: dict[str, Any], text: str) -> None:
    assert explain_match(Match(all=(node,)), user(**facts), scope()).children[0].text == text


def test_the_present_moment_of_a_scope_is_the_one_that_counts() -> None:
    """Not the instant of the reading: an older inventory can be asked about another day."""
    someone = user(seen=seen_at(ago(50)))
    assert verdict(InactiveFor(90), someone, scope(as_of=NOW)) is False
    assert verdict(InactiveFor(90), someone, scope(as_of=NOW + timedelta(days=60))) is True
