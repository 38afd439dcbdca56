"""Small sites, and the files of their snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.since import since_of
from cleanup_gitops.ledger.snapshot import manifest_bytes, manifest_of, snapshot
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User
from tests import strategies as some


def site(*users: User, groups: tuple[Group, ...] = (), as_of: datetime = some.AS_OF) -> Inventory:
    """A site with these users and groups, without a directory."""
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=as_of,
        users=users,
        groups=groups,
        directories=(),
        proof=some.proof_of(len(users), len(groups)),
    )


def files_of(
    inventory: Inventory, *, attributes: tuple[str, ...] = (), before: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """The files of a snapshot after those of another one."""
    before = before or {}
    shot = snapshot(
        inventory, domains=frozenset({"acme.com"}), attributes=attributes, since=since_of(before, inventory)
    )
    last = before.get(layout.MANIFEST)
    manifest = manifest_of(
        inventory,
        shot.groups,
        lineage="sha256:l",
        serial=1,
        tool_version="0",
        state="sha256:s",
        attributes=attributes,
        began=read_manifest(last).began if last else None,
    )
    return shot.files | {layout.MANIFEST: manifest_bytes(manifest)}
