"""Policies and their tests in a folder, for tests of tests."""

from __future__ import annotations

from pathlib import Path

from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.loader import load
from cleanup_gitops.rehearsal.policy_tests import Tested, run_policy_test
from tests.policy.documents import policy, site

HEAD = "apiVersion: cleanup-gitops/v1\nkind: PolicyTest\nmetadata: {name: it}\nspec:\n"
IDLE = policy(match="{all: [{has_seat: true}, {inactive_for: 90d}]}", name="idle")
OWN = site(more=", identity: {internal_domains: [acme.com]}")


def documents(folder: Path, *texts: str) -> SitePolicies:
    """What the documents say of the one site."""
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text("---\n".join((OWN, *texts)), "utf-8")
    return load(folder).for_site("acme")


def result_of(folder: Path, spec: str, *texts: str) -> Tested:
    """The one test with this ``spec`` (lines of YAML), run."""
    lines = "".join(f"  {line}\n" for line in spec.strip().splitlines())
    own = documents(folder, *texts, HEAD + lines)
    (test,) = own.tests
    return run_policy_test(test, own, load(folder).sites[0])


def said(result: Tested) -> list[str]:
    """The messages of its failures."""
    return [one.message for one in result.failures]
