"""One user at a time: pages of last-active-dates, and workers that stop when somebody asks them to."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime

import msgspec
import pytest

from cleanup_gitops.model.activity import Never, Unknown, seen_at
from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.user import User
from cleanup_gitops.sites.cloud.activity import NOT_LISTED, Sightings
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.dates import ask_one
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.gates import Interrupted
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import FakeClock
from tests.patience import STALLED
from tests.sites.box import NOW, QUICK
from tests.sites.scripted import JSON, Reply, Scripted, scripted

HERE = "ari:cloud:confluence::site/1"
HOLDER = User(id="712020:1", directory="d", license="seat", seen=NOT_LISTED, elsewhere=())


def client(server: Scripted, clock: FakeClock | None = None) -> Client:
    clock = clock or FakeClock(NOW)
    http = Http(server.url, bearer(Secret("key", "KEY")), clock, limits=QUICK)
    return Client(http, http, InDirectory("o", "d"), clock)


def dates(*products: dict[str, str], cursor: str | None = None, added: str | None = None) -> Reply:
    data = {"product_access": list(products), "added_to_org": added}
    return Reply(body=msgspec.json.encode({"data": data, "links": {"next": cursor}}))


def asked(server: Scripted) -> User:
    one = client(server)
    try:
        return ask_one(one, HOLDER, Sightings(HERE, NOW))
    finally:
        one.admin.close()


def test_the_second_page_of_products_counts_too() -> None:
    here = {"id": HERE, "key": "confluence", "last_active_timestamp": "2026-01-01T00:00:00Z"}
    jira = {"id": "j", "key": "jira", "last_active_timestamp": "2026-02-01T00:00:00Z"}
    with scripted(dates(jira, cursor="two"), dates(here)) as server:
        user = asked(server)
    assert [request.path.partition("?")[2] for request in server.requests] == ["", "cursor=two"]
    assert user.seen == seen_at(datetime(2026, 1, 1, tzinfo=UTC))
    assert user.elsewhere == (("jira", seen_at(datetime(2026, 2, 1, tzinfo=UTC))),)


def test_products_without_an_end_are_an_error() -> None:
    with scripted(dates(cursor="two")) as server, pytest.raises(SiteError, match="round in circles"):
        asked(server)


@pytest.mark.case("E1", "E2")
def test_the_day_of_being_added_comes_from_here_when_the_list_had_none() -> None:
    with scripted(dates(added="2024-05-06")) as server:
        user = asked(server)
    day = datetime(2024, 5, 6, tzinfo=UTC)
    assert (user.added, user.seen) == (day, Never(day))
    with scripted(dates()) as server:
        assert asked(server).seen == Never(None)


def test_an_account_that_is_not_known_there_is_unknown_and_other_refusals_are_errors() -> None:
    with scripted(Reply(status=404)) as server:
        assert isinstance(asked(server).seen, Unknown)
    with scripted(Reply(status=400)) as server, pytest.raises(SiteError, match="400"):
        asked(server)


class ShortClock(FakeClock):
    """Every sleep takes a few milliseconds of real time, so that it can be interrupted."""

    def sleep(self, seconds: float) -> None:
        time.sleep(0.005)
        super().sleep(min(seconds, 0.001))


def test_ctrl_c_ends_the_waits_of_all_workers() -> None:
    came = threading.Event()
    busy = Reply(status=429, headers=JSON | {"Retry-After": "25"}, before=came.set)
    waiting: list[Future[User]] = []

    def interrupted(one: Client) -> None:
        with one.workers("asking", 4) as workers:
            waiting.extend(workers.submit(ask_one, one, HOLDER, Sightings(HERE, NOW)) for _ in range(4))
            assert came.wait(STALLED)
            raise KeyboardInterrupt

    with scripted(busy) as server:
        one = client(server, ShortClock(NOW))
        with pytest.raises(KeyboardInterrupt):
            interrupted(one)
        one.admin.close()
    assert {type(future.exception()) for future in waiting if not future.cancelled()} == {Interrupted}
