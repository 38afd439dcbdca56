"""What a policy would do that is not written yet: the site is read once, and planned with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.terminal import progress
from cleanup_gitops.cli.wiring import Workplace, connected, look_at_record
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.ports import Live, Reader
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.rehearsal.effect import Effect, effect_of
from cleanup_gitops.runner.reading import answered
from cleanup_gitops.runner.remembering import remembering


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A site that was read, with what its record remembers."""

    reader: Reader
    live: Live
    memory: Memory
    now: datetime
    folder: Path

    def effect(self, name: str, policies: SitePolicies) -> Effect:
        """What the policy ``name`` would do among these. Asks the site about single users as a plan would."""
        lists = policy_lists(policies, self.folder)
        live, _ = answered(self.reader, self.live, policies, self.now, lists, memory=self.memory)
        return effect_of(name, policies, live, self.memory, self.now, lists)


@contextmanager
def rehearsing(place: Workplace) -> Iterator[Rehearsal]:
    """The site as it is now, for as long as the block lasts. Raises ``CleanupError``."""
    files, older = look_at_record(place)
    memory = memory_of(files, place.site.name)
    if older:
        click.echo(f"Warning: {older}", err=True)
    now = place.clock.now()
    with progress() as steps, connected(place, steps) as site:
        reader = remembering(site.reader, files)
        yield Rehearsal(reader, reader.read(), memory, now, place.folder)
