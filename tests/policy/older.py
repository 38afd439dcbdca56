"""Versions that were never released, so that the way from one to the next can be tried."""

from __future__ import annotations

from typing import Any

from cleanup_gitops.policy.rewrite import rename
from cleanup_gitops.policy.versions import Step


def _then(document: Any) -> None:  # noqa: ANN401 - a round-trip document
    """`spec.then` becomes `spec.ensure`, in its place."""
    if document["kind"] == "Policy":
        rename(document["spec"], "then", "ensure")


def _idle(document: Any) -> None:  # noqa: ANN401
    """`idle_days: 90` becomes `inactive_for: 90d`, wherever it stands."""
    for entry in document["spec"].get("match", {}).get("all", []):
        if "idle_days" in entry:
            rename(entry, "idle_days", "inactive_for", f"{entry['idle_days']}d")


STEPS = (
    Step("cleanup-gitops/v0", "cleanup-gitops/v1", "`then` is called `ensure`", _then),
    Step("cleanup-gitops/trial", "cleanup-gitops/v0", "`idle_days` is called `inactive_for`", _idle),
)
TRIAL = """\
# yaml-language-server: $schema=schema.json
#
# Why ninety days: a quarter.
apiVersion: cleanup-gitops/trial   # the very first
kind: Policy
metadata: { name: dormant, owner: 'iam@acme.com', why: "Seats cost money." }
spec:
  match:
    all:
    - has_seat:  true
    - idle_days: 90
  # who was away gives the seat back
  then:
    groups: {absent: [ confluence-users-acme ]}   # by name
"""
MIGRATED = """\
# yaml-language-server: $schema=schema.json
#
# Why ninety days: a quarter.
apiVersion: cleanup-gitops/v1      # the very first
kind: Policy
metadata: { name: dormant, owner: 'iam@acme.com', why: "Seats cost money." }
spec:
  match:
    all:
    - has_seat:  true
    - inactive_for: 90d
  # who was away gives the seat back
  ensure:
    groups: {absent: [ confluence-users-acme ]}   # by name
"""
