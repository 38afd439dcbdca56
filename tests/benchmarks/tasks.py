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
from datetime import timedelta
from pathlib import Path

import msgspec

from cleanup_gitops.ledger.record import memory_of, record_run
from cleanup_gitops.ledger.store import GitStore
from cleanup_gitops.model.plan import plan_digest
from cleanup_gitops.model.run import Approval
from cleanup_gitops.policy.loader import load
from tests.benchmarks import invented
from tests.benchmarks.offline import made_plan, recorded, site_policies


def main(name: str, *arguments: str) -> None:
    """Run one task."""
    TASKS[name](*arguments)


@contextmanager
def timed() -> Iterator[None]:
    """Print what the block used, together with the processes (git) that it ran."""
    gc.collect()
    before, started = _cpu(), time.perf_counter()
    yield
    wall, cpu = time.perf_counter() - started, _cpu() - before
    sys.stdout.write(msgspec.json.encode({"cpu": cpu, "wall": wall}).decode())


def _cpu() -> float:
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
    policies, site = site_policies(folder), recorded(organization)
    with timed():
        plan = made_plan(site, policies)
    assert plan.changes


def digest(number: str) -> None:
    """Time the digest of so many changes."""
    changes = invented.changes(int(number))
    with timed():
        plan_digest(changes)


def record(organization: str, folder: str, repository: str, day: str) -> None:
    """Time snapshot and commit: of the first day, or of a quiet day after it."""
    root = Path(repository)
    site = recorded(organization)
    if day == "first":
        subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    else:
        site = invented.a_day_later(site)
    plan = made_plan(site, site_policies(folder))
    store = GitStore(root, site.site)
    before = store.read()
    memory = memory_of(before)
    with timed():
        made = record_run(
            before=before,
            memory=memory,
            plan=plan,
            outcomes=(),
            approval=Approval(kind="auto", by=site.runner[0], at=plan.created, ref=plan.envelope),
            inventory=site,
            time=plan.created + timedelta(minutes=5),
            tool_version="benchmark",
            domains=frozenset({"acme.com"}),
        )
        store.commit(made.files, made.subject, made.trailers)


TASKS: dict[str, Callable[..., None]] = {
    "digest": digest,
    "load": load_policies,
    "organization": write_organization,
    "policies": write_policies,
    "record": record,
    "rules": rules,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
