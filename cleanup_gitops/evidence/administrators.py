"""Who administered a site on a day, by the last snapshot that was made by its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.snapshots import Contents
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User


class Administrator(Struct, frozen=True, kw_only=True):
    """An account that administers something, or of which that is not known (``sure``: no).

    ``groups`` are the ids of those of its groups that make administrators, or may: nobody knows of some groups.
    """

    user: User
    groups: tuple[str, ...]
    sure: bool


def snapshot_on(commits: Sequence[Commit], history: Contents, day: date) -> tuple[Commit, datetime] | None:
    """The last snapshot that was read up to the end of this UTC day, and when that was; ``None`` when there is none."""
    made = [one for one in commits if one.changed.get(layout.MANIFEST)]
    names = [str(one.changed[layout.MANIFEST]) for one in made]
    read = [read_manifest(data).as_of for data in history.contents(names)]
    known = [(one, as_of) for one, as_of in zip(made, read, strict=True) if as_of.astimezone(UTC).date() <= day]
    return known[-1] if known else None


def administrators(inventory: Inventory) -> tuple[Administrator, ...]:
    """Everybody who administers anything, whatever the state of the account; then those of whom that is not known.

    Apps and other accounts that no person uses are among them: they have the power all the same.
    """
    found = [
        Administrator(
            user=user,
            groups=tuple(one for one in user.groups or () if one in inventory.administering),
            sure=user.admin is True,
        )
        for user in inventory.users
        if user.admin is not False
    ]
    return tuple(sorted(found, key=lambda one: (not one.sure, one.user.id)))
