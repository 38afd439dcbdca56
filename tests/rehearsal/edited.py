"""The cases of ``tests/cases`` with policies that were edited."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.loader import load
from cleanup_gitops.rehearsal.comparison import Comparison, Sort, comparison_of
from tests.case_files import FOLDER, Case, read_case


def case(name: str) -> Case:
    return read_case(FOLDER / name)


def edited(one: Case, place: Path, *edits: tuple[str, str], added: str = "") -> SitePolicies:
    """The policies of a case, in which each text is replaced by another, and with more documents."""
    folder = place / "policies"
    shutil.copytree(one.folder / "policies", folder)
    for old, new in edits:
        files = [path for path in folder.rglob("*.yaml") if old in path.read_text("utf-8")]
        assert files, old
        for path in files:
            path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    if added:
        (folder / "added.yaml").write_text(added, "utf-8")
    return load(folder, today=one.inventory.as_of.date()).for_site(one.inventory.site)


def compared(
    one: Case, after: SitePolicies, inventory: Inventory | None = None, before: SitePolicies | None = None
) -> Comparison:
    """A case with its own policies before, unless others are named, and with these after."""
    live = Live(inventory or one.inventory, one.people)
    lists = (one.lists, replace(one.lists))
    return comparison_of(before or one.policies, after, live, one.memory, live.inventory.as_of, lists)


def by_sort(found: Comparison) -> dict[Sort, list[str]]:
    """Accounts without their first part, of the sorts that there are."""
    rows: dict[Sort, list[str]] = {}
    for shift in found.shifts:
        rows.setdefault(shift.sort, []).append(shift.account.removeprefix("712020:"))
    return rows
