"""Long lists of users read side by side: when they are divided, and that a wrong division never shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import World
from cleanup_gitops.sites.cloud import parts
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import PAGE, USERS_SEARCH, InDirectory
from cleanup_gitops.sites.cloud.parts import Part, divided
from cleanup_gitops.sites.cloud.wire import IdRow, Page
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import FakeClock
from tests.sites.box import NOW, QUICK, connected, disturb, requests

IDS = msgspec.json.Decoder(Page[IdRow])
SEARCH, COUNT = "users/search$", "users/count$"
DOMAINS = ("acme.com", "eu.acme.com")
USERS = 600


@pytest.fixture(autouse=True)
def small_lists_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PAYS_FROM", 200)


@pytest.fixture
def world() -> World:
    found = seed(users=USERS, seed=3)
    found.options.rate_limits = []
    return found


@pytest.fixture
def client(box: RunningSandbox) -> Iterator[Client]:
    clock = FakeClock(NOW)
    http = Http(box.url, bearer(Secret(box.org_api_key, "KEY")), clock, limits=QUICK)
    yield Client(http, http, InDirectory(box.org_id, "default"), clock)
    http.close()


def pages_of(client: Client, box: RunningSandbox, part: Part) -> tuple[str, str]:
    """How the requests are told for the first two pages of one part of the list of users, which no other list asks."""
    page = client.admin.read(client.place.search_users(None, expand=True, filters=part.filters), IDS)
    assert page.links
    first = requests(box)[-1]["identity"]
    client.admin.read(client.place.search_users(page.links.next, expand=True, filters=part.filters), IDS)
    return first, requests(box)[-1]["identity"]


def whole(client: Client) -> Part:
    return Part({}, parts._count(client, {}))


def one_list(box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    """The site as read without dividing anything."""
    with monkeypatch.context() as undivided, connected(box) as site:
        undivided.setattr(parts, "PAYS_FROM", 10**9)
        return site.reader.read().inventory


def searches(box: RunningSandbox) -> int:
    return sum(bool(re.search(SEARCH, one["path"])) for one in requests(box))


# -- dividing ----------------------------------------------------------------------------------------


def test_parts_cover_the_list_once_and_the_largest_comes_first(client: Client) -> None:
    found = divided(client, whole(client), DOMAINS)
    assert len(found) > 3
    assert sum(part.count for part in found) == whole(client).count
    assert [part.count for part in found] == sorted((part.count for part in found), reverse=True)
    assert found[0].count <= 0.9 * whole(client).count
    assert all(part.count for part in found)


@pytest.mark.parametrize("domains", [(), ("acme.com",), tuple(f"d{n}.example" for n in range(31))])
def test_domains_that_do_not_help_are_not_asked_about(client: Client, domains: tuple[str, ...]) -> None:
    assert not any("emailDomains" in part.filters for part in divided(client, whole(client), domains))


def test_domains_that_do_not_cover_everybody_divide_nothing(client: Client) -> None:
    found = divided(client, whole(client), ("acme.com", "somebody-else.example"))
    assert not any("emailDomains" in part.filters for part in found)
    assert sum(part.count for part in found) == whole(client).count


def test_a_short_list_costs_no_count(client: Client, box: RunningSandbox) -> None:
    assert divided(client, Part({}, 199), DOMAINS) == [Part({}, 199)]
    assert requests(box) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 400},
        {"kind": "not_json", "status": 200, "body": '{"count": 0}'},
        {"kind": "not_json", "status": 200, "body": '{"count": 999}'},
    ],
    ids=["refused", "too few", "too many"],
)
def test_a_site_that_cannot_count_parts_is_read_in_one_go(
    client: Client, box: RunningSandbox, fault: dict[str, Any]
) -> None:
    everybody = whole(client)
    disturb(box, fault | {"match": {"path_regex": COUNT}})
    assert divided(client, everybody, DOMAINS) == [everybody]


def test_a_list_that_a_filter_hardly_divides_is_read_in_one_go(world: World) -> None:
    for user in world.users:
        user.managed, user.mfa, user.account, user.for_deletion = True, True, "active", False
        user.directories = dict.fromkeys(user.directories, "active")
        user.email = f"{user.id.rpartition(':')[2]}@acme.com"
    with running(world) as box:
        clock = FakeClock(NOW)
        http = Http(box.url, bearer(Secret(box.org_api_key, "KEY")), clock, limits=QUICK)
        found = Client(http, http, InDirectory(box.org_id, "default"), clock)
        assert divided(found, whole(found), DOMAINS) == [whole(found)]
        http.close()


# -- reading -----------------------------------------------------------------------------------------


def test_a_list_in_parts_is_the_same_as_one_list(box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    single = one_list(box, monkeypatch)
    before = searches(box)
    with connected(box) as site:
        divided_ = site.reader.read().inventory
    assert divided_.digest == single.digest
    reading = divided_.proof.readings[0]
    assert (reading.items, reading.ended, reading.flaw()) == (len(single.users), True, None)
    assert reading.pages > single.proof.readings[0].pages
    assert searches(box) - before > before


@pytest.mark.case("E61", "F1")
@pytest.mark.parametrize("kind", ["drop_rows", "repeat_page"])
def test_parts_that_do_not_add_up_are_read_again_as_one_list(
    box: RunningSandbox, client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    single = one_list(box, monkeypatch)
    first, second = pages_of(client, box, divided(client, whole(client), DOMAINS)[0])
    with connected(box) as site:
        disturb(box, {"kind": kind, "rows": 1, "match": {"identity": first if kind == "drop_rows" else second}})
        if kind == "drop_rows":
            assert site.reader.read().inventory.digest == single.digest
        else:  # a part that repeats its own rows is an error at once
            with pytest.raises(IncompleteReadingError):
                site.reader.read()
    assert any(one["fault"] for one in requests(box))


@pytest.mark.case("E61", "F1")
def test_somebody_who_moves_from_one_part_to_another_while_they_are_read_is_there_once(
    box: RunningSandbox, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers claim that people of one part are those of another: the accounts no longer add up."""
    outsider = next(user for user in world.users if not user.managed and user.directories)
    single = one_list(box, monkeypatch)
    row = msgspec.json.encode({"data": [{"accountId": outsider.id}]}).decode()
    with connected(box) as site:
        disturb(box, {"kind": "not_json", "status": 200, "body": row, "match": {"path_regex": SEARCH, "times": 3}})
        assert site.reader.read().inventory.digest == single.digest


@pytest.mark.case("E61")
@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "cursor_loop"}, {"kind": "reset"}]
)
def test_one_part_that_fails_is_no_inventory(box: RunningSandbox, fault: dict[str, Any]) -> None:
    with connected(box) as site:
        disturb(box, fault | {"match": {"path_regex": SEARCH, "after": 2}})
        with pytest.raises(IncompleteReadingError):
            site.reader.read()


@pytest.mark.case("E67")
def test_a_key_that_ends_in_one_part_is_a_matter_of_the_key(box: RunningSandbox) -> None:
    with connected(box) as site:
        disturb(box, {"kind": "status", "status": 401, "match": {"path_regex": SEARCH, "after": 2}})
        with pytest.raises(CredentialError, match=r"\(401\)"):
            site.reader.read()


# -- how many calls ------------------------------------------------------------------------------------

BUDGET, AT = 2_200, 100_000


@pytest.mark.case("E83")
@pytest.mark.parametrize("pays_from", [200, 10**9], ids=["in parts", "in one go"])
def test_a_hundred_thousand_users_take_no_more_calls_than_the_budget(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, pays_from: int
) -> None:
    """Full pages and questions about direct roles grow with the users, all else is asked once."""
    monkeypatch.setattr(parts, "PAYS_FROM", pays_from)
    with connected(box) as site:
        inventory = site.reader.read().inventory
    calls = [one["path"] for one in requests(box) if not one["path"].endswith("last-active-dates")]
    lists = [reading for reading in inventory.proof.readings if reading.endpoint == USERS_SEARCH]
    times = AT / lists[0].items
    assert [lists[0].items >= one.items for one in lists] == [True] * 3
    pages, at_large = sum(one.pages for one in lists), sum(math.ceil(times * one.items / PAGE) for one in lists)
    direct = searches(box) - pages
    once = len(calls) - pages - direct
    partly_filled = pages - sum(one.items // PAGE for one in lists)
    assert direct > 0
    assert at_large + partly_filled + math.ceil(times * direct) + once <= BUDGET
