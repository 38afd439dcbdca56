"""A recorded inventory to the text of a plan, in one process that imports nothing else.

``python -m tests.benchmarks.offline INVENTORY POLICIES``
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import msgspec

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.loader import load
from cleanup_gitops.views.plan import render_text


def inventory(path: str) -> Inventory:
    """An inventory from a file; rows have no cycles, so the collector need not look for any while they load."""
    gc.disable()
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Inventory)
    finally:
        gc.enable()


def site_policies(folder: str) -> SitePolicies:
    """The policies of the one site in a folder."""
    return load(Path(folder)).for_site("acme")


def made_plan(site: Inventory, policies: SitePolicies) -> Plan:
    """The first plan of a site."""
    return make_plan(site, policies, BLANK, created=site.as_of, as_of=site.as_of, tool_version="benchmark")


if __name__ == "__main__":
    sys.stdout.write(render_text(made_plan(inventory(sys.argv[1]), site_policies(sys.argv[2]))))
