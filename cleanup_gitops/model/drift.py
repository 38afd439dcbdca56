"""What others changed on a site since the last snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

What = Literal[
    "user.appeared",
    "user.vanished",
    "user.changed",
    "membership.added",
    "membership.removed",
    "group.appeared",
    "group.vanished",
    "group.changed",
]


Fact = str | bool | tuple[str, ...]
"""What one field says. Lists are sorted, because their order means nothing."""


class Difference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not as it was recorded. A line of ``drift.jsonl``.

    ``user`` and ``group`` are ids, of a membership both. ``before`` and ``after`` hold the fields that differ; of what
    appeared or vanished all that are known, with the ids of an account's groups and of a group's direct members.
    ``run`` is the run of ours whose effect this is, seen late: then nobody else changed it. ``asked`` names the policy
    and the stage (``policy/stage``) that had handed it off: then somebody did what we had asked for.
    """

    address: str
    what: What
    user: str = ""
    group: str = ""
    before: Mapping[str, Fact] = {}
    after: Mapping[str, Fact] = {}
    run: str = ""
    asked: str = ""

    @property
    def by_others(self) -> bool:
        """Whether somebody else decided it: it is no effect of ours, and nothing that we asked for."""
        return not self.run and not self.asked


class Drift(Struct, frozen=True, kw_only=True):
    """All differences between the snapshot of ``serial``, read at ``since``, and the site at ``as_of`` (UTC).

    ``recorded_by`` is the version of the tool that wrote the snapshot: how accounts and groups are classed may have
    changed with it. ``run`` names the record that the snapshot came with; "" when the ledger's newest months do not
    tell it.
    """

    site: str
    serial: int
    since: datetime
    as_of: datetime
    recorded_by: str
    differences: tuple[Difference, ...]
    run: str = ""

    @property
    def by_others(self) -> tuple[Difference, ...]:
        """What is no late effect of our own, and not what a stage had handed off."""
        return tuple(one for one in self.differences if one.by_others)

    @property
    def late(self) -> tuple[Difference, ...]:
        """Late effects of our own runs."""
        return tuple(one for one in self.differences if one.run)

    @property
    def asked(self) -> tuple[Difference, ...]:
        """What a stage had handed off and somebody has done."""
        return tuple(one for one in self.differences if one.asked)
