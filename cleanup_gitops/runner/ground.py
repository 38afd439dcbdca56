"""What is recorded, as whoever goes on from it needs it: a run, a recovery, a look at drift."""

from __future__ import annotations

from datetime import datetime

from cleanup_gitops.ledger.audit.found import CLOCKS
from cleanup_gitops.ledger.leases import taken
from cleanup_gitops.ledger.record import Ground, ground_of
from cleanup_gitops.model.errors import LeaseTakenError, StateError
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
    """The same as the ground of a new record; ``domains`` and ``attributes`` are what it may hold of users.

    Raises as ``recorded_files`` does, and ``StateError`` when the newest record is from later than now: ages, caps and
    holds would be counted wrongly, and no check of the history would accept the order for good.
    """
    files = recorded_files(store, now)
    ground = ground_of(site, files, tool_version=tool_version, domains=domains, attributes=attributes)
    newest = max(ground.memory.last.values(), default=now)
    if newest > now + CLOCKS:
        raise StateError(
            f"The newest record of {site} was made at {newest:%Y-%m-%d %H:%M} UTC, but here it is"
            f" {now:%Y-%m-%d %H:%M} UTC: one of the two clocks is wrong.",
            "Nothing was done. Set the clock of this machine right. If it is right, run again once that time has come;"
            " a record that is too far ahead is left behind with `cleanup-gitops audit roll-over`.",
        )
    return ground
