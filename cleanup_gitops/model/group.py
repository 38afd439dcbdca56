"""Groups and directories of one site."""

from __future__ import annotations

from msgspec import Struct

from cleanup_gitops.model.user import License


class Grant(Struct, frozen=True, gc=False):
    """What membership of a group gives: a role in one product, such as ("confluence", "user")."""

    product: str
    role: str


class Group(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One group. ``id`` is stable, ``name`` a label. ``parents``: ids of groups this group is a member of."""

    id: str
    name: str
    directory: str
    modifiable: bool | None = None
    """Whether memberships can be changed here (False: an identity provider or read-only directory owns it)."""
    synced: bool | None = None
    license: License = "unknown"
    """License class that membership alone gives in Confluence."""
    admin: bool | None = None
    """Whether membership makes the user an administrator."""
    grants: tuple[Grant, ...] | None = None
    parents: tuple[str, ...] = ()


class Directory(Struct, frozen=True, gc=False, kw_only=True):
    """Where accounts live. ``writable`` False: every change of an account's status is a handoff."""

    id: str
    name: str
    writable: bool = True
