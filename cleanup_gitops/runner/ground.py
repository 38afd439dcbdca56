"""What is recorded, as whoever goes on from it needs it: a run, a recovery, a look at drift."""

from __future__ import annotations

from datetime import datetime

from cleanup_gitops.ledger.leases import taken
from cleanup_gitops.ledger.record import Ground, ground_of
from cleanup_gitops.model.errors import LeaseTakenError
from cleanup_gitops.model.ports import Store


def recorded_files(store: Store, now: datetime) -> dict[str, bytes]:
    """The recorded files as everybody sees them at this moment (UTC).

    Raises ``StateError``, and ``LeaseHeldError`` when another run has begun that this clone does not know of.
    """
    try:
        return store.read()
    except LeaseTakenError as error:
        raise taken(error, now) from None


def ground_here(
    store: Store,
    site: str,
    now: datetime,
    *,
    tool_version: str,
    domains: frozenset[str],
    attributes: tuple[str, ...],
) -> Ground:
    """The same as the ground of a new record; ``domains`` and ``attributes`` are what it may hold of users."""
    files = recorded_files(store, now)
    return ground_of(site, files, tool_version=tool_version, domains=domains, attributes=attributes)
