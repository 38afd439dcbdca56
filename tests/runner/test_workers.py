"""Phases, workers and their end: one user's changes follow each other, and whatever was begun is finished."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.change import (
    EXECUTION,
    Change,
    MembershipAdd,
    MembershipRemove,
    RoleRevoke,
    TokenRevoke,
    UserDisable,
    UserEnable,
    UserRemove,
)
from cleanup_gitops.model.errors import CredentialError, RefusedError, SiteError
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.runner import Stop
from cleanup_gitops.runner.order import phases
from cleanup_gitops.runner.workers import Workers
from tests.fakes import FakeSite
from tests.patience import STALLED
from tests.runner.office import DORMANT, SEATS, Office, office_site, open_office, person

WAIT = STALLED
"""Seconds until a test that would hang fails instead."""


def add(user: str, group: str = "g-others") -> Change:
    return MembershipAdd(address=f"membership/{group}/{user}", user=user, directory="default", group=group)


def remove(user: str, group: str = SEATS) -> Change:
    return MembershipRemove(address=f"membership/{group}/{user}", user=user, directory="default", group=group)


def enable(user: str) -> Change:
    return UserEnable(address=f"user/{user}", user=user, directory="default", old="suspended", new="active")


def disable(user: str) -> Change:
    return UserDisable(address=f"user/{user}", user=user, directory="default", old="active", new="suspended")


def leave(user: str) -> Change:
    return UserRemove(address=f"user/{user}", user=user, directory="default", old="active", new="absent")


def revoke(user: str) -> Change:
    return RoleRevoke(address=f"role/user/{user}", user=user, directory="default", role="user")


def token(user: str) -> Change:
    return TokenRevoke(address=f"token/{user}/t", user=user, directory="default", token="t")


def in_phases(*changes: Change, seats: int | None = None) -> list[list[tuple[str, str]]]:
    """Phase by phase, user and action, on a site where eight of ten users have a seat."""
    site = msgspec.structs.replace(office_site(*range(100, 1000, 100)), seat_limit=seats)
    idle = {EIGHT: person(8, 100, ()), NINE: person(9, 100, ())}
    site = msgspec.structs.replace(site, users=tuple(idle.get(user.id, user) for user in site.users))
    return [
        [(change.user[-1], change.action) for errand in errands for _, change in errand]
        for errands in phases(changes, site)
    ]


ONE, TWO, EIGHT, NINE = (f"712020:000{n}" for n in (1, 2, 8, 9))


def test_adds_come_before_removes_seats_before_statuses_and_deletions_last() -> None:
    changes = [leave(TWO), enable(NINE), disable(ONE), remove(ONE), revoke(ONE), token(ONE), add(TWO)]
    assert in_phases(*changes) == [
        [("2", "membership.add")],
        [("1", "tokens.revoke"), ("1", "role.revoke"), ("1", "membership.remove")],
        [("1", "user.disable")],
        [("9", "user.enable")],
        [("2", "user.remove")],
    ]


def test_who_gets_a_seat_waits_for_one_only_while_too_few_are_free() -> None:
    changes = [add(EIGHT, SEATS), add(NINE, SEATS), add(ONE), remove(TWO)]
    first = [("1", "membership.add"), ("8", "membership.add"), ("9", "membership.add")]
    for seats in (None, 10):
        assert in_phases(*changes, seats=seats) == [first, [("2", "membership.remove")]]
    assert in_phases(*changes, seats=9) == [first[:1], [("2", "membership.remove")], first[1:]]


def test_a_user_whose_addition_waits_loses_nothing_before_it() -> None:
    changes = [add(EIGHT, SEATS), remove(EIGHT, "g-others"), remove(TWO)]
    assert in_phases(*changes, seats=8) == [
        [("2", "membership.remove")],
        [("8", "membership.add"), ("8", "membership.remove")],
    ]


MAKERS: tuple[Callable[[str], Change], ...] = (add, remove, revoke, token, enable, disable, leave)


@given(st.lists(st.tuples(st.sampled_from([ONE, TWO, EIGHT]), st.sampled_from(MAKERS)), unique=True), st.integers(2, 4))
def test_every_change_is_in_one_phase_and_a_user_keeps_the_order_of_execution(
    picked: list[tuple[str, Callable[[str], Change]]], seats: int
) -> None:
    changes = [make(user) for user, make in picked]
    site = msgspec.structs.replace(office_site(100, 200), seat_limit=seats)
    found = [pair for errands in phases(changes, site) for errand in errands for pair in errand]
    assert sorted(number for number, _ in found) == list(range(1, len(changes) + 1))
    assert len(set(map(id, changes))) == len({id(change) for _, change in found})
    for user in {change.user for change in changes}:
        own = [EXECUTION.index(change.action) for _, change in found if change.user == user]
        assert own == sorted(own)
    for errands in phases(changes, site):
        assert len({errand[0][1].user for errand in errands}) == len(errands)


class Crowded(FakeSite):
    """A site whose writes wait for each other: each comes back when so many are under way, or at the end of a test."""

    def __init__(self, *idle: int, together: int) -> None:
        super().__init__(office_site(*idle))
        self.meeting = threading.Barrier(together)
        self.lock = threading.RLock()
        self.users: list[str] = []

    def write(self, change: Change) -> Receipt:
        self.users.append(change.user)
        self.meeting.wait(WAIT)
        with self.lock:
            return super().write(change)

    def user(self, account: str, questions: frozenset = frozenset()) -> User | None:  # type: ignore[type-arg]
        with self.lock:
            return super().user(account, questions)


def crowded(*idle: int, together: int, number: int | None = None) -> tuple[Office, Crowded]:
    office = open_office()
    office.site = site = Crowded(*idle, together=together)
    office.workers = Workers(number or together)
    return office, site


def test_several_users_are_worked_on_at_a_time_and_outcomes_come_in_order() -> None:
    office, site = crowded(100, 200, 300, 400, together=4)
    run = office.apply()
    assert [(one.user[-1], one.result) for one in run.outcomes] == [(n, "applied") for n in "1234"]
    assert sorted(site.users) == [one.user for one in run.outcomes]


def test_no_more_than_so_many_at_a_time() -> None:
    office, site = crowded(*range(100, 900, 100), together=2)
    under_way, most, lock = 0, 0, threading.Lock()
    before = site.write

    def write(change: Change) -> Receipt:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        receipt = before(change)
        with lock:
            under_way -= 1
        return receipt

    site.write = write  # type: ignore[method-assign]
    assert {one.result for one in office.apply().outcomes} == {"applied"}
    assert most == 2


def test_the_next_phase_waits_for_the_one_before() -> None:
    office = open_office(100, 200, 300)
    office.workers = Workers(3)
    moved = Ensure(groups_present=("others",), groups_absent=("confluence-users-acme",), where_groups="p:1")
    office.under(policies=(replace(DORMANT, ensure=moved),))
    assert {one.result for one in office.apply().outcomes} == {"applied"}
    assert [one.action for one in office.site.written] == ["membership.add"] * 3 + ["membership.remove"] * 3


@pytest.mark.case("F16")
def test_one_bad_user_stops_no_other_worker() -> None:
    office, site = crowded(100, 200, 300, together=3)
    site.broken["write"] = [RefusedError("The site answered 403 ADMIN-403-5.")]
    results = [one.result for one in office.apply().outcomes]
    assert sorted(results) == ["applied", "applied", "failed"]


@pytest.mark.parametrize("error", [CredentialError("The key was refused (401)."), SiteError("The site answered 503.")])
def test_a_failing_site_lets_those_under_way_finish_and_starts_no_other(error: SiteError) -> None:
    office, site = crowded(*range(100, 1300, 100), together=3)
    site.broken["write"] = [error]
    run = office.apply()
    results = [one.result for one in run.outcomes]
    assert results.count("applied") == 2
    assert results.count("not_attempted") == 10
    assert len(site.users) == 3
    assert {one.detail for one in run.outcomes if one.result == "not_attempted"} == {
        f"the run stopped: {error.message}"
    }
    assert run.commit


def test_a_clean_end_finishes_all_changes_under_way() -> None:
    office, site = crowded(*range(100, 1300, 100), together=3)
    stop = Stop()
    site.meeting = threading.Barrier(3, action=stop.ask)
    run = office.apply(stop=stop)
    assert [one.result for one in run.outcomes].count("applied") == 3
    assert len(site.users) == 3
    assert run.commit


def test_who_waits_for_an_effect_holds_up_nobody_else() -> None:
    """One user's effect shows only after all others are done."""
    office, site = crowded(100, 200, 300, 400, together=1, number=2)
    others = threading.Event()
    sleeping = threading.Event()

    def sleep(seconds: float) -> None:
        del seconds
        sleeping.set()
        assert others.wait(WAIT)
        site.settle()

    def write(change: Change) -> Receipt:
        if change.user == ONE:
            site.late = True
            try:
                return FakeSite.write(site, change)
            finally:
                site.late = False
        assert sleeping.wait(WAIT)
        try:
            return FakeSite.write(site, change)
        finally:
            if len(site.written) == 4:
                others.set()

    site.write = write  # type: ignore[method-assign]
    office.clock.sleep = sleep  # type: ignore[method-assign]
    assert [one.result for one in office.apply().outcomes] == ["applied"] * 4


def test_an_error_that_nobody_expects_ends_the_work_after_what_was_begun() -> None:
    done: list[int] = []

    def work(piece: int) -> None:
        if piece == 0:
            raise KeyError("ours")
        done.append(piece)

    for number in (1, 4):
        with pytest.raises(KeyError):
            Workers(number).each(work, range(100))
    assert len(done) < 100
    Workers(4).each(done.append, [])
