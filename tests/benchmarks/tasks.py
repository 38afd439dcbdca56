"""What runs in a child process: it prepares its inputs, times one part, and prints what that part used.

``python -m tests.benchmarks.tasks NAME ARGUMENT...``
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec

from cleanup_gitops.ledger.drift import compare
from cleanup_gitops.ledger.record import Ground, Record, ground_of, record_run
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.plan import Plan, plan_digest
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Approval
from cleanup_gitops.planner import evaluation_now
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.loader import load
from cleanup_gitops.rehearsal.backtest import thresholds_of, with_threshold
from cleanup_gitops.rehearsal.comparison import comparison_of
from cleanup_gitops.rehearsal.hindrances import case_of
from cleanup_gitops.rehearsal.person import explain_case
from tests.benchmarks import invented
from tests.benchmarks.days import Days
from tests.benchmarks.offline import inventory, made_plan, site_policies


def main(name: str, *arguments: str) -> None:
    """Run one task."""
    TASKS[name](*arguments)


@contextmanager
def timed() -> Iterator[None]:
    """Print what the block used, together with the processes (git) that it ran."""
    gc.collect()
    before, started = cpu_seconds(), time.perf_counter()
    yield
    wall, cpu = time.perf_counter() - started, cpu_seconds() - before
    sys.stdout.write(msgspec.json.encode({"cpu": cpu, "wall": wall}).decode())


def cpu_seconds() -> float:
    """Processor seconds of this process and of those that it ran and waited for."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def write_organization(users: str, path: str) -> None:
    """An input: the recorded inventory of an invented organization."""
    Path(path).write_bytes(msgspec.json.encode(invented.organization(int(users))))


def write_policies(folder: str, policies: str, lines: str) -> None:
    """An input: a folder of policies."""
    invented.write_policies(Path(folder), policies=int(policies), lines=int(lines))


def load_policies(folder: str) -> None:
    """Time the loading and checking of a policy folder."""
    with timed():
        load(Path(folder), today=invented.AS_OF.date())


def rules(organization: str, folder: str) -> None:
    """Time a plan: every user against every policy, with the reasons for every change."""
    policies, site = site_policies(folder), inventory(organization)
    with timed():
        plan = made_plan(site, policies)
    assert plan.changes


def explain(organization: str, folder: str) -> None:
    """Time the explanation of one user whom the plan changes."""
    site, policies = inventory(organization), site_policies(folder)
    plan = made_plan(site, policies)
    user = site.user_by_id[plan.changes[0].user]
    with timed():
        evaluation = evaluation_now(site, policies, BLANK, created=plan.created, as_of=plan.as_of)
        explain_case(case_of(user, plan, policies, BLANK, evaluation))


def effect(organization: str, folder: str) -> None:
    """Time the comparison of policies with the same ones that ask for ten days more."""
    site, policies = inventory(organization), site_policies(folder)
    later = replace(
        policies, policies=tuple(with_threshold(one, _days(one), _days(one) + 10) for one in policies.policies)
    )
    with timed():
        comparison_of(policies, later, Live(site, NOBODY), BLANK, site.as_of)


def _days(policy: Policy) -> int:
    """The days of idleness that it asks for; 0: none."""
    return thresholds_of(policy)[0] or 0


def digest(number: str) -> None:
    """Time the digest of so many changes."""
    changes = invented.changes(int(number))
    with timed():
        plan_digest(changes)


def record(organization: str, folder: str, repository: str, day: str) -> None:
    """Time snapshot and commit: of the first day, or of a quiet day after it."""
    root = Path(repository)
    site = inventory(organization)
    if day == "first":
        subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    else:
        site = Days(site).next()
    plan = made_plan(site, site_policies(folder))
    store = GitStore(root, site.site)
    ground = ground_before(store, site)
    with timed():
        made = made_record(ground, plan, site)
        store.commit(made.files, made.subject, made.trailers)


def ground_before(store: GitStore, site: Inventory) -> Ground:
    """What is recorded so far."""
    return ground_of(site.site, store.read(), tool_version="benchmark", domains=frozenset({"acme.com"}))


def made_record(ground: Ground, plan: Plan, site: Inventory) -> Record:
    """The record of a run that had nothing to do."""
    return record_run(
        ground,
        plan=plan,
        outcomes=(),
        approval=Approval(kind="auto", by=site.runner[0], at=plan.created, ref=plan.envelope),
        inventory=site,
        time=plan.created + timedelta(minutes=5),
    )


def recorded(organization: str, folder: str) -> None:
    """Time how long a recorded inventory takes to come back from the files of its commit."""
    files = recorded_files(organization, folder)
    with timed():
        recorded_inventory(files)


def drift(organization: str, folder: str) -> None:
    """Time the comparison of a recorded inventory with the site a quiet day later."""
    before = recorded_inventory(recorded_files(organization, folder))
    after = Days(inventory(organization)).next()
    with timed():
        found = compare(before, after)
    assert found


def recorded_files(organization: str, folder: str) -> dict[str, bytes]:
    """The files of a first record."""
    site = inventory(organization)
    ground = ground_of(site.site, {}, tool_version="benchmark", domains=frozenset({"acme.com"}))
    made = made_record(ground, made_plan(site, site_policies(folder)), site)
    return {path: data for path, data in made.files.items() if data is not None}


TASKS: dict[str, Callable[..., None]] = {
    "digest": digest,
    "drift": drift,
    "effect": effect,
    "explain": explain,
    "load": load_policies,
    "organization": write_organization,
    "policies": write_policies,
    "record": record,
    "recorded": recorded,
    "rules": rules,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
