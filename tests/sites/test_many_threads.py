"""Eight threads at one site at once, over real HTTP: everybody gets what one thread alone would get."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import httpx
import pytest

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.model.activity import Seen
from cleanup_gitops.model.change import Change, UserDisable, UserEnable
from cleanup_gitops.model.errors import LostAnswerError, SiteError
from cleanup_gitops.model.user import QUESTIONS, User
from cleanup_gitops.policy.site import ActivitySource
from cleanup_gitops.sandbox.options import RateLimit
from cleanup_gitops.sandbox.records import AuditRecord
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox
from cleanup_gitops.sandbox.world import World, format_time
from cleanup_gitops.sites.cloud import CloudSite, connect
from cleanup_gitops.sites.gates import Interrupted
from tests.patience import STALLED
from tests.sites.box import (
    NOW,
    QUICK,
    SharedClock,
    connected,
    disturb,
    happens,
    requests,
    secrets_of,
    site_of,
)

THREADS = 8
EVERYTHING: tuple[ActivitySource, ...] = ("directory", "content", "audit")
T = TypeVar("T")
A = TypeVar("A")


@pytest.fixture
def world() -> World:
    found = seed(users=80, seed=5)
    found.options.rate_limits = []
    found.options.late = {}
    return found


@pytest.fixture(autouse=True)
def hurried() -> Iterator[None]:
    """Threads take turns far more often than usual, so that what can go wrong between them does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def at_once(work: Callable[[A], T], items: Sequence[A]) -> list[T]:
    """``work`` of every item, by eight threads that begin together."""
    together = threading.Barrier(THREADS)

    def share(number: int) -> list[T]:
        together.wait(STALLED)
        return [work(item) for item in items[number::THREADS]]

    found: list[T] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for share_of_one in pool.map(share, range(THREADS)):
            found += share_of_one
    return found


def active(site: CloudSite) -> list[User]:
    """People who can be suspended."""
    users = site.reader.read().inventory.users
    return [user for user in users if user.status == "active" and user.writable and not user.admin]


def suspension(user: User) -> Change:
    address = f"user/{user.id}"
    return UserDisable(address=address, user=user.id, directory=user.directory, old="active", new="suspended")


def restoring(user: User) -> Change:
    address = f"user/{user.id}"
    return UserEnable(address=address, user=user.id, directory=user.directory, old="suspended", new="active")


@pytest.mark.slow
def test_users_and_groups_are_the_same_for_eight_threads_as_for_one(box: RunningSandbox) -> None:
    with connected(box, sources=EVERYTHING) as site:
        inventory = site.reader.read().inventory
        users = [user.id for user in inventory.users][:40]
        groups = [group.id for group in inventory.groups] * 2
        alone = {one: site.reader.user(one, QUESTIONS) for one in users}
        together = at_once(lambda one: (one, site.reader.user(one, QUESTIONS)), users)
        assert dict(together) == alone
        modifiable = {group.id: group.modifiable for group in inventory.groups}
        assert dict(at_once(lambda one: (one, site.reader.group_modifiable(one)), groups)) == modifiable
        shares = [dict.fromkeys(users[number::4], QUESTIONS) for number in range(4)] * 2
        for answered in at_once(lambda share: (share, site.reader.ask(inventory, share)), shares):
            share, found = answered
            assert {one: found.user_by_id[one] for one in share} == {one: alone[one] for one in share}


def test_the_first_question_of_eight_threads_reads_the_groups_once(box: RunningSandbox) -> None:
    with connected(box) as site:
        users = [user.id for user in active(site)][:16]
    with connected(box) as fresh:
        begun = len(requests(box))
        assert None not in at_once(fresh.reader.user, users)
        listed = [one for one in requests(box)[begun:] if one["path"].endswith("/groups/search")]
    assert len(listed) == 2, "all groups, and those that give access, each on one page"


def test_a_group_that_nobody_knew_is_read_once_by_eight_threads(world: World, box: RunningSandbox) -> None:
    with connected(box) as site:
        users = [user.id for user in active(site)][:16]
        site.writer.create_group("brand-new")
        new = next(group.id for group in world.groups if group.name == "brand-new")
        for one in users:
            happens(box, one, groups=[new])
        begun = len(requests(box))
        found = at_once(site.reader.user, users)
        listed = [one for one in requests(box)[begun:] if one["path"].endswith("/groups/search")]
    assert all(user is not None and user.groups == (new,) for user in found)
    assert len(listed) == 2


def test_whatever_was_done_before_a_question_is_in_its_answer(world: World, box: RunningSandbox) -> None:
    """The audit log is followed by all threads together, and nobody gets an answer that is older than the question."""
    with connected(box, sources=("directory", "audit")) as site:
        seen = [(user.id, user.seen) for user in site.reader.read().inventory.users]
        users = [one for one, last in seen if isinstance(last, Seen) and last.latest < NOW - timedelta(days=3)][:24]
        at = NOW - timedelta(minutes=1)
        lock = threading.Lock()

        def come_back(account: str) -> bool:
            with lock:
                world.audit.insert(0, AuditRecord(format_time(at), "Page edited", "Pages", "P", "Page", account))
            user = site.reader.user(account)
            return user is not None and isinstance(user.seen, Seen) and user.seen.latest >= at

        assert all(at_once(come_back, users))


@pytest.fixture
def clock(box: RunningSandbox) -> Iterator[SharedClock]:
    """The time of the sandbox, which its limits go by as well."""
    box.world.options.virtual_limits = True
    with httpx.Client(base_url=box.url, verify=False, timeout=STALLED) as client:
        yield SharedClock(client, NOW)


@pytest.mark.case("E62")
def test_eight_threads_write_once_each_and_stay_within_the_limit(box: RunningSandbox, clock: SharedClock) -> None:
    """In virtual time, so that it is the client that stays within the limit, and not a machine that is slow enough."""
    limit, seconds = 25, 30.0
    box.world.options.rate_limits = [RateLimit(path=r"/(suspend|restore)$", limit=limit, window_seconds=seconds)]
    with connect(site_of(box), secrets_of(box), clock, limits=QUICK) as site:
        users = active(site)[:40]
        receipts = at_once(site.writer.write, [suspension(user) for user in users])
        assert {receipt.status for receipt in receipts} == {204}
        at_once(site.writer.write, [restoring(user) for user in users])
    writes = [one for one in requests(box) if one["path"].endswith(("/suspend", "/restore"))]
    assert [one["status"] for one in writes] == [204] * 2 * len(users)
    assert len({one["path"] for one in writes}) == 2 * len(users)
    assert clock.elapsed() > (2 * len(users) // limit - 1) * seconds, "the limit was met at all"


@pytest.mark.case("E63")
def test_lost_answers_of_one_thread_do_not_reach_another(box: RunningSandbox) -> None:
    with connected(box) as site:
        users = active(site)[:32]
        lost = users[::4]
        disturb(
            box,
            *({"match": {"path_regex": f"{user.id}/suspend$"}, "kind": "reset", "carry_out": True} for user in lost),
        )

        def write(user: User) -> tuple[str, bool]:
            try:
                return user.id, site.writer.write(suspension(user)).status == 204
            except LostAnswerError:
                return user.id, False

        told = dict(at_once(write, users))
        assert {one for one, good in told.items() if not good} == {user.id for user in lost}
        now = dict(at_once(lambda user: (user.id, site.reader.user(user.id)), users))
        assert {user.status for user in now.values() if user} == {"suspended"}
        writes = [one["path"] for one in requests(box) if one["path"].endswith("/suspend")]
        assert len(writes) == len(set(writes)) == len(users)


@pytest.mark.case("E62")
@pytest.mark.parametrize("end", ["stop_waiting", "close"])
def test_all_threads_end_when_the_run_is_asked_to_stop(box: RunningSandbox, end: str) -> None:
    box.world.options.rate_limits = []
    with connect(site_of(box), secrets_of(box), SystemClock(), limits=QUICK) as site:
        users = active(site)[:16]
        wait = {"Retry-After": "20"}
        disturb(box, {"match": {"path_regex": "/suspend$"}, "kind": "status", "status": 429, "headers": wait})
        with ThreadPoolExecutor(THREADS) as pool:
            waiting = [pool.submit(site.writer.write, suspension(user)) for user in users[:THREADS]]
            while not any(one["status"] == 429 for one in requests(box)):
                assert not all(one.done() for one in waiting)
            getattr(site, end)()
            errors = [one.exception(STALLED) for one in waiting]
        assert all(isinstance(error, SiteError) for error in errors)
        assert any(isinstance(error, Interrupted) for error in errors)
        if end == "stop_waiting":
            assert site.reader.user(users[0].id) is not None, "what need not wait goes on"
