"""Intents and leases, as they are read back: who holds what, since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import read_document
from cleanup_gitops.model.errors import LeaseHeldError, LeaseTakenError
from cleanup_gitops.model.run import Intent, Lease

PROCESS = "process "
"""What comes before the number of a process where a lease says who works."""


def read_lease(path: str, data: bytes) -> Lease:
    """The lease in a file. Raises ``StateError``."""
    return read_document(path, data, Lease)


def read_intent(path: str, data: bytes) -> Intent:
    """The intent in a file. Raises ``StateError``."""
    return read_document(path, data, Intent)


def leases_of(files: Mapping[str, bytes]) -> tuple[Lease, ...]:
    """The leases that a site holds, sorted by directory. Raises ``StateError``."""
    found = [read_lease(path, data) for path, data in files.items() if path.startswith(layout.LEASES)]
    return tuple(sorted(found, key=lambda one: one.directory))


def held(lease: Lease, now: datetime, beside: str = "") -> LeaseHeldError:
    """The refusal of a run because another one holds this lease, with its holder and its age.

    ``beside`` is what stands in the way of ending that run from here.
    """
    hint = (
        "Nothing was done. Wait for it to end; `cleanup-gitops recover` says whether its process lives, as far as that"
        f" is known here. If it was cut off, end it with `{recover_command(lease)}`."
    )
    return LeaseHeldError(
        f"A run is under way on directory {lease.directory}, or was cut off: {describe(lease, now)}.",
        "\n".join(filter(None, (hint, beside))),
    )


def recover_command(lease: Lease) -> str:
    """What ends the run that holds this lease, once it no longer works."""
    return f"cleanup-gitops recover {lease.run} --site {lease.site}"


def taken(error: LeaseTakenError, now: datetime) -> LeaseHeldError:
    """The same refusal, where a store was the first to see the lease."""
    return held(read_lease(error.path, error.data), now, error.hint)


def lives(lease: Lease, worker: str, *, journal: bool) -> bool | None:
    """Whether the process of a run lives; ``None``: nobody here can know.

    ``worker`` is the process that works on the site with this clone, "" when there is none; ``journal``: the one of
    the run is here, so it began here.
    """
    if worker and lease.holder.endswith(f"{PROCESS}{worker}"):
        return True
    return False if journal else None


def describe(lease: Lease, now: datetime) -> str:
    """Which run holds a lease, who works, where, since when, and how long that is."""
    where = f" at {lease.place}" if lease.place else ""
    since = f"{lease.since:%Y-%m-%d %H:%M} UTC ({age(lease, now)})"
    return f"run {lease.run} of {lease.site} by {lease.holder}{where}, since {since}"


def age(lease: Lease, now: datetime) -> str:
    """How old a lease is, such as "2 h 3 min"."""
    minutes = max(0, int((now - lease.since).total_seconds()) // 60)
    days, hours = divmod(minutes // 60, 24)
    parts = [f"{days} d"] if days else []
    parts += [f"{hours} h"] if days or hours else []
    return " ".join([*parts, f"{minutes % 60} min"])
