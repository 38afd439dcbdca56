"""Back-tests of records whose every day is known: whom a policy would have hit, who came back, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace as with_fields
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, seen_at
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.policy.documents import NOTHING_ASKED, Ensure, Exemption, Policy, SitePolicies, Stage
from cleanup_gitops.policy.tree import AddedFor, HasSeat, InactiveFor, InGroup, ListedIn, Match, NameIs, Node
from cleanup_gitops.rehearsal.backtest import Backtest, backtest
from tests.ledger.snapshots import site
from tests.rehearsal.recorded_days import recorded

BEGIN = datetime(2025, 11, 24, 7, 30, tzinfo=UTC)
"""A Monday."""
WIKI = Group(
    id="g-wiki",
    name="wiki-users",
    directory="default",
    modifiable=True,
    synced=False,
    license="seat",
    admin=False,
    grants=(Grant("confluence", "user"),),
)
Life = Callable[[int], bool]
"""Whether somebody uses Confluence on the day of this number."""


def member(account: str, seen: Activity) -> User:
    return User(
        id=account,
        directory="default",
        status="active",
        kind="person",
        license="seat",
        managed=True,
        synced=False,
        writable=True,
        admin=False,
        domain="acme.com",
        added=BEGIN - timedelta(days=900),
        seen=seen,
        elsewhere=(),
        groups=("g-wiki",),
        seats=(GroupSeat(("g-wiki",)),),
        roles=(),
    )


def days_of(lives: Mapping[str, Life], number: int, missing: Sequence[int] = ()) -> Iterator[Inventory]:
    """So many days of people who come as their lives say; before the first day all of them came on the one before."""
    seen = dict.fromkeys(lives, BEGIN - timedelta(days=1))
    for day in range(number):
        at = BEGIN + timedelta(days=day)
        seen |= {account: at - timedelta(hours=1) for account, life in lives.items() if life(day)}
        if day not in missing:
            users = [member(account, seen_at(seen[account], "csv")) for account in sorted(lives)]
            yield site(*users, groups=(WIKI,), as_of=at)


def dormant(days: int = 60, *more: Node, stages: tuple[Stage, ...] = ()) -> Policy:
    return Policy(
        name="dormant",
        owner="iam@acme.com",
        why="because",
        match=Match(all=(HasSeat(wanted=True), InactiveFor(days), *more)),
        ensure=NOTHING_ASKED if stages else Ensure(no_access=True),
        stages=stages,
        where="policies/dormant.yaml:8",
    )


def replayed(
    policy: Policy, days: Iterator[Inventory], *, thresholds: Sequence[int] = (), exemptions: tuple[Exemption, ...] = ()
) -> Backtest:
    policies = SitePolicies(site="acme", policies=(policy,), exemptions=exemptions)
    return backtest(policy, policies, (one for one, _ in recorded(days)), thresholds=thresholds)


def day(number: int) -> date:
    return (BEGIN + timedelta(days=number)).date()


def away(first: int, last: int) -> Life:
    """Somebody who comes every day but on these, both included."""
    return lambda number: not first <= number <= last


def hit_on(last_seen: int, threshold: int) -> int:
    """The first day on which somebody last seen on a day is idle for so long, with the week alone kept."""
    sunday = last_seen + 6 - last_seen % 7
    return sunday + threshold + 1


def test_a_simulated_year_has_exactly_the_mistakes_that_were_planted() -> None:
    """People go on leave for a time of their own; each threshold finds those whom it would have locked out too soon."""
    rng = Random(7)
    lives: dict[str, Life] = {"712020:busy": lambda _: True, "712020:gone": lambda number: number < 40}
    breaks = {f"712020:{number:02}": (rng.randint(1, 200), rng.randint(10, 150)) for number in range(40)}
    for account, (first, length) in breaks.items():
        lives[account] = away(first, first + length - 1)
    found = replayed(dormant(60), days_of(lives, 365), thresholds=(30, 45, 60, 90, 120))
    for threshold in found.thresholds:
        planted = later = 0
        for first, length in breaks.values():
            hit, back = hit_on(first - 1, threshold.days), first + length
            if hit < back:
                planted += back - hit <= 30
                later += back - hit > 30
        assert threshold.sequels["back"] == planted, threshold.days
        assert threshold.sequels["later"] == later
        assert threshold.hits == planted + later + 1, "and the one who never came back"
        assert threshold.sequels["away"] == 1
    mistakes = {
        account for account, (first, length) in breaks.items() if 0 < first + length - hit_on(first - 1, 60) <= 30
    }
    assert {one.account for one in found.mistakes} == mistakes
    assert len(mistakes) > 5
    for one in found.mistakes:
        first, length = breaks[one.account]
        assert (one.day, one.back) == (day(hit_on(first - 1, 60)), day(first + length))
    assert [one.own for one in found.thresholds] == [False, False, True, False, False]


def test_seats_are_those_of_the_record_without_those_that_were_taken_and_not_given_back() -> None:
    lives: dict[str, Life] = {"a": lambda _: True, "b": away(1, 79), "c": lambda number: number < 1}
    found = replayed(dormant(60), days_of(lives, 120))
    hit = hit_on(0, 60)
    assert [(one.account, one.day, one.sequel(found.end)) for one in found.hits] == [
        ("b", day(hit), "back"),
        ("c", day(hit), "away"),
    ]
    seats = {one.day: (one.recorded, one.seats) for one in found.days}
    assert seats[day(hit - 1)] == (3, 3)
    assert seats[day(hit)] == (3, 1)
    assert seats[day(79)] == (3, 1)
    assert seats[day(80)] == (3, 2)
    assert seats[day(119)] == (3, 2)


def test_stages_take_their_time_and_who_comes_back_before_the_seat_is_taken_is_no_mistake() -> None:
    stages = (
        Stage(name="notice", notify="inactivity-notice"),
        Stage(name="release", after=14, ensure=Ensure(no_access=True)),
    )
    told = hit_on(0, 60)
    lives = {"back": away(1, told + 4), "late": away(1, told + 19), "gone": away(1, 999)}
    found = replayed(dormant(60, stages=stages), days_of(lives, 150))
    by_day = {one.day: one for one in found.days}
    assert by_day[day(told)].actions == {"notice.send": 3}
    assert by_day[day(told + 5)].closed == {"no-longer-matching": 1}
    assert by_day[day(told + 14)].actions == {"membership.remove": 2}
    assert {one.account: one.sequel(found.end) for one in found.hits} == {"late": "back", "gone": "away"}
    assert not any(one.hits for one in found.days[: told + 14])


def test_the_first_day_is_told_apart_and_an_exemption_counts_to_its_last_day() -> None:
    exempt = Exemption(
        account="b", reason="absence", owner="hr@acme.com", until=day(9), ticket="HR-1", document="leave"
    )
    lives: dict[str, Life] = {"a": lambda _: False, "b": lambda _: False}
    found = replayed(dormant(60), (one for one in days_of(lives, 100) if one.as_of.date() >= day(90)))
    assert [one.hits for one in found.days] == [2] + [0] * 9
    spared = Exemption(
        account="b", reason="absence", owner="hr@acme.com", until=day(95), ticket="HR-1", document="leave"
    )
    days = (one for one in days_of(lives, 100) if one.as_of.date() >= day(90))
    assert [one.hits for one in replayed(dormant(60), days, exemptions=(exempt, spared)).days] == [1] + [0] * 5 + [
        1
    ] + [0] * 3


@pytest.mark.parametrize(
    ("missing", "sequel"),
    [
        ((), "back"),
        (tuple(range(hit_on(0, 60) + 20, hit_on(0, 60) + 40)), "perhaps"),
        (tuple(range(hit_on(0, 60) + 31, hit_on(0, 60) + 40)), "back"),
    ],
)
def test_days_without_a_snapshot_leave_open_whether_somebody_came_back_so_soon(
    missing: tuple[int, ...], sequel: str
) -> None:
    hit = hit_on(0, 60)
    found = replayed(dormant(60), days_of({"a": away(1, hit + 24)}, 140, missing))
    assert [one.sequel(found.end) for one in found.hits] == [sequel]
    assert found.gap[0] == len(missing)


def test_whoever_leaves_the_site_meanwhile_cannot_come_back() -> None:
    def days() -> Iterator[Inventory]:
        for one in days_of({"a": away(1, 999), "b": away(1, 999)}, 140):
            gone = one.as_of.date() >= day(hit_on(0, 60) + 3)
            yield site(*(user for user in one.users if user.id == "b" or not gone), groups=(WIKI,), as_of=one.as_of)

    found = replayed(dormant(60), days())
    assert {one.account: one.sequel(found.end) for one in found.hits} == {"a": "left", "b": "away"}


def test_a_record_that_ends_too_soon_tells_nothing_of_the_last_hits() -> None:
    found = replayed(dormant(60), days_of({"a": away(1, 999)}, hit_on(0, 60) + 10))
    assert found.sequels["open"] == 1
    assert not found.mistakes


def test_what_was_not_kept_is_unknown_and_hits_nobody() -> None:
    policy = dormant(60)
    everywhere = with_fields(policy, match=Match(all=(InactiveFor(60, "any"),)))
    found = replayed(everywhere, days_of({"a": away(1, 999)}, 100))
    assert not found.hits
    assert [(one.users, "not kept" in one.reason) for one in found.undecided] == [(1, True)]
    policies = SitePolicies(site="acme", policies=(everywhere,))
    days = (one for one, _ in recorded(days_of({"a": away(1, 999)}, 100)))
    assert len(backtest(everywhere, policies, days, alone=True).hits) == 1


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (dormant(14), "keep no day of a use in the last 28 days"),
        (dormant(26), "asks for 26 days of idleness"),
        (dormant(60, ListedIn("id", env="HR_CSV")), "the list HR_CSV"),
        (dormant(60, NameIs(("A*",))), "no name is ever recorded"),
    ],
)
def test_a_policy_that_no_snapshot_can_tell_anything_about_is_refused(policy: Policy, words: str) -> None:
    with pytest.raises(CleanupError, match=words):
        replayed(policy, days_of({"a": away(1, 999)}, 3))


def test_the_finest_threshold_is_one_that_a_snapshot_can_tell() -> None:
    """Whoever was seen on the last day that is kept as recent is certainly not idle for so long."""
    found = replayed(dormant(27), days_of({"a": away(1, 999), "b": lambda number: number % 28 == 0}, 60))
    assert {one.account for one in found.hits} == {"a"}


def test_thresholds_are_not_compared_where_there_are_several_or_none() -> None:
    two = dormant(60, Match(any=(InactiveFor(90), AddedFor(30))))
    none = with_fields(two, match=Match(all=(HasSeat(wanted=True), AddedFor(30))))
    found = replayed(two, days_of({"a": away(1, 999)}, 3), thresholds=(30, 90))
    assert (found.thresholds, found.several) == ((), (60, 90))
    found = replayed(none, days_of({"a": away(1, 999)}, 3), thresholds=(30, 90))
    assert (found.thresholds, found.several) == ((), ())


def test_an_account_that_is_opened_again_by_hand_came_back() -> None:
    def days() -> Iterator[Inventory]:
        closed, opened = hit_on(0, 60) + 2, hit_on(0, 60) + 9
        for one in days_of({"a": away(1, 999)}, 120):
            shut = day(closed) <= one.as_of.date() < day(opened)
            users = [replace(user, status="suspended" if shut else "active") for user in one.users]
            yield site(*users, groups=(WIKI,), as_of=one.as_of)

    found = replayed(dormant(60), days())
    hit = found.hits[0]
    assert (hit.sequel(found.end), hit.back, hit.left) == ("back", day(hit_on(0, 60) + 9), day(hit_on(0, 60) + 2))


def test_whoever_is_meant_and_left_alone_is_counted_by_why() -> None:
    def days() -> Iterator[Inventory]:
        for one in days_of({"a": away(1, 999), "b": away(1, 999), "c": away(1, 999)}, 100):
            users = [replace(user, admin=user.id == "b") for user in one.users]
            yield site(*users, groups=(WIKI,), as_of=one.as_of)

    exempt = Exemption(
        account="c", reason="absence", owner="hr@acme.com", until=day(999), ticket="HR-1", document="leave"
    )
    found = replayed(dormant(60), days(), exemptions=(exempt,))
    assert {one.account for one in found.hits} == {"a"}
    assert found.spared == (("exempt", "absence", 1), ("protected", "administrator", 1))


@pytest.mark.parametrize("in_match", [True, False])
def test_a_group_that_was_not_there_yet_blocks_the_policy_until_it_is(in_match: bool) -> None:
    name = "leavers"
    late = replace(WIKI, id="g-zz", name=name, license="none", grants=())
    policy = dormant(60)
    if in_match:
        policy = with_fields(policy, match=Match(all=policy.match.all, none=(InGroup((name,)),)))
    else:
        policy = with_fields(policy, ensure=Ensure(groups_absent=("wiki-users",), groups_present=(name,)))
    hit = hit_on(0, 60)

    def days() -> Iterator[Inventory]:
        for one in days_of({"a": away(1, 999), "here": lambda _: True}, 100):
            there = one.as_of.date() >= day(hit + 5)
            yield site(*one.users, groups=(WIKI, late) if there else (WIKI,), as_of=one.as_of)

    found = replayed(policy, days())
    assert [(one.account, one.day) for one in found.hits] == [("a", day(hit + 5))]
    blocked = [one.day for one in found.days if one.blocked]
    assert blocked == [day(number) for number in range(0 if in_match else hit, hit + 5)]
    assert found.days[hit].blocked == ("no group matches leavers",)


def test_somebody_who_comes_every_day_meets_conditions_that_count_other_days() -> None:
    """Of whom nothing changes but that they were there again."""
    policy = with_fields(dormant(60), match=Match(all=(HasSeat(wanted=True), AddedFor(30))))

    def days() -> Iterator[Inventory]:
        for one in days_of({"a": lambda _: True, "b": lambda _: True}, 45):
            users = [replace(user, added=BEGIN - timedelta(days=10 if user.id == "a" else 12)) for user in one.users]
            yield site(*users, groups=(WIKI,), as_of=one.as_of)

    found = replayed(policy, days())
    assert [(one.account, one.day) for one in found.hits] == [("b", day(19)), ("a", day(21))]
