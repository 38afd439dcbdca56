"""Whole runs that invite people, over HTTP against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.ports import Store
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.runner import Run, Stop, execute
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.desk import Desk
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sites.cloud import CloudSite
from tests.fakes import FakeClock, FakeProgress
from tests.runner.office import open_git_office
from tests.runner.test_joiners import policies, roster, rows
from tests.sites.box import NOW, connected, disturb, requests

DAY = NOW.date().isoformat()
NEW = "new.one@acme.com"


def hr(box: RunningSandbox) -> SitePolicies:
    """A roster that gives the first group with a seat that can be given."""
    group = next(
        one for one in box.world.groups
        if one.modifiable and not one.external_synced and one.roles.get("confluence") == ["atlassian/user"]
        and len(one.roles) == 1
    )  # fmt: skip
    return policies(roster(group.name))


def apply(box: RunningSandbox, site: CloudSite, store: Store, *lines: str, clock: FakeClock | None = None) -> Run:
    hands = Hands(site.reader, site.writer, clock or FakeClock(NOW), FakeProgress())
    lists = Lists({}, {"hr": rows(*lines)})
    return execute(Desk(hr(box), hands, store, "0", frozenset(), lists=lists), saved=None, stop=Stop())


def invitations(box: RunningSandbox) -> int:
    return sum(one["path"].endswith("/users/invite") for one in requests(box))


def test_somebody_new_is_invited_once_and_is_an_open_invitation_then(tmp_path: Path) -> None:
    store = open_git_office(tmp_path).store
    with running(seed(users=60, seed=3)) as box, connected(box) as site:
        first = apply(box, site, store, f",{NEW},{DAY},")
        second = apply(box, site, store, f",{NEW},{DAY},")
        mails, sent = len(box.state.mails), invitations(box)
    (outcome,) = first.outcomes
    assert (outcome.action, outcome.result) == ("user.invite", "applied")
    assert outcome.receipt
    assert (outcome.receipt.status, outcome.user != outcome.account) == (200, True)
    assert first.unread == ""
    assert second.outcomes == ()
    assert second.found is None
    assert second.plan.dispositions[outcome.account].reason == "invited"
    assert (sent, mails) == (1, 1)
    assert b"new.one" not in b"".join((store.read() | store.run_files(first.id)).values())


@pytest.mark.case("E62", "F12")
def test_a_lost_answer_to_an_invitation_is_looked_for_by_the_address(tmp_path: Path) -> None:
    store = open_git_office(tmp_path).store
    with running(seed(users=60, seed=3)) as box, connected(box) as site:
        disturb(box, {"kind": "reset", "carry_out": True, "match": {"path_regex": "/invite$", "times": 1}})
        first = apply(box, site, store, f",{NEW},{DAY},")
        second = apply(box, site, store, f",{NEW},{DAY},")
        sent = invitations(box)
    (outcome,) = first.outcomes
    assert (outcome.result, outcome.receipt) == ("applied", None)
    assert outcome.account in second.plan.dispositions
    assert (second.outcomes, sent) == ((), 1)


def test_an_invitation_that_changes_nothing_is_not_believed(tmp_path: Path) -> None:
    store = open_git_office(tmp_path).store
    with running(seed(users=60, seed=3)) as box, connected(box) as site:
        disturb(box, {"kind": "no_effect", "match": {"path_regex": "/invite$", "times": 1}})
        clock = FakeClock(NOW)
        first = apply(box, site, store, f",{NEW},{DAY},", clock=clock)
        waits = apply(box, site, store, f",{NEW},{DAY},", clock=clock)
        clock.sleep(400)
        again = apply(box, site, store, f",{NEW},{DAY},", clock=clock)
    assert [one.result for one in first.outcomes] == ["settling"]
    assert [one.code for one in waits.choice.left] == ["settling"]
    assert [one.result for one in again.outcomes] == ["applied"]
    assert memory_of(store.read()).settling == ()


@pytest.mark.case("E46")
def test_a_suspended_account_with_the_address_stays_closed(tmp_path: Path) -> None:
    store = open_git_office(tmp_path).store
    world = seed(users=60, seed=3)
    gone = next(
        user for user in world.users
        if user.directories.get("default") == "suspended" and user.managed and user.email
    )  # fmt: skip
    assert gone.email
    with running(world) as box, connected(box) as site:
        run = apply(box, site, store, f",{gone.email.upper()},{DAY},")
        sent = invitations(box)
    assert (run.outcomes, sent) == ((), 0)
    assert run.plan.dispositions[gone.id].reason == "joiner-closed"
    assert gone.directories["default"] == "suspended"
