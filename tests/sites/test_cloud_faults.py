"""Every way in which an answer can be wrong, at every endpoint of a reading: once is survived, always is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cleanup_gitops.model.errors import LostAnswerError, SiteError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from tests.contract.changes import disable
from tests.patience import STALLED
from tests.sites.box import connected, disturb, requests

ONCE: dict[str, dict[str, Any]] = {
    "200 with an error in it": {"kind": "status", "status": 200},
    "200 with an error of the gateway in it": {"kind": "not_json", "body": '{"code": 503, "message": "Try later"}'},
    "200 with an error of Confluence in it": {"kind": "not_json", "body": '{"statusCode": 500, "message": "Oh"}'},
    "a login page": {"kind": "html"},
    "no JSON": {"kind": "not_json"},
    "half an answer": {"kind": "truncate"},
    "no answer": {"kind": "reset"},
    "429": {"kind": "status", "status": 429},
    "503": {"kind": "status", "status": 503, "shape": "empty"},
}
READ = (
    "/users/search$",
    "/users/count$",
    "/groups/search$",
    "/role-assignments$",
    "/last-active-dates$",
    "/domains$",
    "/workspaces$",
)
"""Endpoints that a whole reading calls."""


@pytest.fixture(scope="module")
def box() -> Iterator[RunningSandbox]:
    world = seed(users=60, seed=7)
    world.options.rate_limits = []
    world.options.late = {}
    with running(world) as found:
        yield found


@pytest.fixture(scope="module")
def calm(box: RunningSandbox) -> Inventory:
    """The site as it is read when nothing goes wrong."""
    with connected(box) as site:
        return site.reader.read().inventory


@pytest.fixture(autouse=True)
def calmed(box: RunningSandbox) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    httpx.delete(f"{box.url}/_sandbox/faults", verify=False, timeout=STALLED).raise_for_status()


@pytest.mark.case("E61", "E62")
@pytest.mark.parametrize(
    ("fault", "path"),
    [*((fault, READ[0]) for fault in ONCE), *(("200 with an error in it", path) for path in READ[1:])],
)
def test_one_wrong_answer_changes_nothing_of_what_is_read(
    box: RunningSandbox, calm: Inventory, fault: str, path: str
) -> None:
    with connected(box) as site:
        disturb(box, ONCE[fault] | {"match": {"path_regex": path, "times": 1}})
        found = site.reader.read().inventory
    assert (found.users, found.groups) == (calm.users, calm.groups)


@pytest.mark.case("E61")
@pytest.mark.parametrize("path", ["/users/search$", "/role-assignments$"])
@pytest.mark.parametrize("fault", ONCE)
def test_wrong_answers_that_do_not_end_are_an_error_and_never_an_inventory(
    box: RunningSandbox, fault: str, path: str
) -> None:
    with connected(box) as site:
        disturb(box, ONCE[fault] | {"match": {"path_regex": path}})
        with pytest.raises(SiteError):
            site.reader.read()


@pytest.mark.parametrize("fault", ONCE)
def test_one_account_is_read_or_an_error_and_never_gone(box: RunningSandbox, calm: Inventory, fault: str) -> None:
    account = calm.users[5].id
    with connected(box) as site:
        disturb(box, ONCE[fault] | {"match": {"path_regex": "/users/search$", "times": 1}})
        assert site.reader.user(account) is not None
        disturb(box, ONCE[fault] | {"match": {"path_regex": "/users/search$"}})
        with pytest.raises(SiteError):
            site.reader.user(account)


LOST = [name for name in ONCE if name not in ("429", "half an answer")]
"""Not the one that is sent again, and not half of an answer that has no body."""


@pytest.mark.case("E63", "E66")
@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("fault", LOST)
def test_a_write_behind_a_wrong_answer_is_lost_and_sent_once_whatever_became_of_it(
    fault: str, carried_out: bool
) -> None:
    world = seed(users=40, seed=7)
    with running(world) as box, connected(box) as site:
        user = next(one for one in site.reader.read().inventory.users if one.status == "active" and one.writable)
        disturb(box, ONCE[fault] | {"match": {"path_regex": "/suspend$", "times": 1}, "carry_out": carried_out})
        with pytest.raises(LostAnswerError):
            site.writer.write(disable(user))
        assert sum(one["path"].endswith("/suspend") for one in requests(box)) == 1
        now = site.reader.user(user.id)
    assert now is not None
    assert now.status == ("suspended" if carried_out else "active")
