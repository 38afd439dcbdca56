"""The recorded history of one site as ``audit`` commands read it: from git alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import click

from cleanup_gitops.evidence.records import newest_manifest
from cleanup_gitops.ledger.audit.branch import BranchReader
from cleanup_gitops.ledger.audit.history import Commit, GitHistory
from cleanup_gitops.ledger.recorded import group_of, inventory_of
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.inventory import Inventory

branch_option = click.option(
    "--branch", metavar="NAME", help="Where the record is, such as state or origin/state (default: checked out)."
)


def check_period(since: date | None, until: date | None) -> None:
    """Raise ``UsageError`` for a period that ends before it begins."""
    if since and until and until < since:
        raise click.UsageError("--until is before --since.")


@dataclass(frozen=True)
class RecordedSite:
    """One site's history: its commits, oldest first, and where their contents are read."""

    name: str
    history: GitHistory
    commits: Sequence[Commit]

    @cached_property
    def outline(self) -> Inventory:
        """The newest snapshot without its accounts: names of groups, and when it was read."""
        manifest = newest_manifest(self.commits, self.history)
        return inventory_of(manifest, (), tuple(group_of(row) for row in manifest.groups))


def find_recorded(folder: Path, site_name: str | None, branch: str | None) -> RecordedSite:
    """The one site that is recorded in the branch, or the one that is named. Raises ``CleanupError``."""
    reader = BranchReader(folder, os.environ, branch)
    sites = reader.sites()
    if site_name is None and len(sites) > 1:
        raise CleanupError(f"There are several sites: {', '.join(sites)}.", "Say with --site which one you mean.")
    name = site_name or next(iter(sites), "")
    history = GitHistory(folder, name, os.environ, branch=branch) if name else None
    commits = history.commits() if history else ()
    if history and commits:
        return RecordedSite(name, history, commits)
    whose = f" for a site {site_name!r}" if site_name else ""
    known = f"Recorded here: {', '.join(sites)}. " if sites else ""
    raise CleanupError(
        f"Nothing is recorded{whose} in this branch{'' if folder == Path() else f' of {folder}'}.",
        known + reader.elsewhere(site_name or ""),
    )
