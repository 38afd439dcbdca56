"""An account in two directories of an organization, of which one is the site's own: against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Store
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.tree import AccountIs, Match
from cleanup_gitops.runner import Run, Stop, execute, read_with_answers
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.desk import Desk
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.rollback import undo_of
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import Directory
from cleanup_gitops.sites.cloud import CloudSite
from tests.fakes import FakeClock, FakeProgress
from tests.runner.office import ROOMY, open_git_office
from tests.sites.box import NOW, connected, requests


def leaver(account: str) -> SitePolicies:
    policy = Policy(
        name="leaver",
        owner="iam@acme.com",
        why="left",
        match=Match(all=(AccountIs((account,)),)),
        ensure=Ensure(status="suspended"),
        where="policies/leaver.yaml:1",
    )
    return SitePolicies(site="acme", policies=(policy,), guardrails=ROOMY)


def suspend(site: CloudSite, store: Store, account: str, saved: Plan | None = None) -> Run:
    hands = Hands(site.reader, site.writer, FakeClock(NOW), FakeProgress())
    return execute(Desk(leaver(account), hands, store, "0", frozenset()), saved=saved, stop=Stop())


def rollback(site: CloudSite, store: Store, account: str, run: Run) -> Plan:
    files = store.read()
    memory = memory_of(files)
    undo = undo_of(store, files, memory, site="acme", run=run.id)
    live, _ = read_with_answers(remembering(site.reader, files), leaver(account), NOW, undo=undo)
    return make_plan(live.inventory, leaver(account), memory, created=NOW, as_of=NOW, tool_version="0", undo=undo)


@pytest.mark.case("E42", "E66")
def test_who_stays_active_in_another_directory_is_suspended_here_once(tmp_path: Path) -> None:
    world = seed(users=120, seed=3)
    world.directories.append(Directory(id="second-id", name="Second"))
    both = next(
        user
        for user in world.users
        if user.type == "atlassian" and user.source == "invited" and user.groups and not user.platform_roles
        and user.directories == {"default": "active"} and user.account == "active"
        and user.id != world.credentials.runner_account
    )  # fmt: skip
    both.directories = {"default": "active", "second-id": "active"}
    store = open_git_office(tmp_path).store
    with running(world) as box, connected(box, directory="default") as site:
        first, second = suspend(site, store, both.id), suspend(site, store, both.id)
        undone = suspend(site, store, both.id, rollback(site, store, both.id, first))
        writes = [one["path"] for one in requests(box) if one["path"].endswith("/suspend")]
    assert [one.result for one in first.outcomes] == ["applied"]
    assert (second.outcomes, second.plan.dispositions[both.id].reason) == ((), "already-so")
    assert len(writes) == 1
    assert [(one.action, one.result) for one in undone.outcomes] == [("user.enable", "applied")]
    assert both.directories == {"default": "active", "second-id": "active"}
