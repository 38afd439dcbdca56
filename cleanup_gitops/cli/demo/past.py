"""A repository in which the embedded Confluence was recorded once a day, as if that had begun long ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cleanup_gitops.cli.demo import embedded
from cleanup_gitops.cli.demo.folder import WORLD, adapted_policies, add, git
from cleanup_gitops.cli.example import example_policies
from cleanup_gitops.cli.starter import common_files
from cleanup_gitops.cli.terminal import SystemClock

if TYPE_CHECKING:
    from cleanup_gitops.sandbox.world import World

SITE = "site.yaml"
_DAY = timedelta(days=1)


class VirtualClock(SystemClock):
    """A clock that stands at one moment; waiting is real."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """That moment."""
        return self._at


class Silent:
    """Tells nothing of how far work is."""

    def step(self, what: str, done: int, total: int | None) -> None:
        """Nothing."""


def make_past(
    folder: Path, world: World, days: int, number: int, told: Callable[[int], None], *, examples: bool
) -> str:
    """Fill the empty ``folder``: a Site document, a recorded run on each of the ``days`` before today, and the world.

    Nothing of the past was changed by these runs: there was no policy. With ``examples`` the example policies are
    committed today. ``number`` is the seed of the past; ``told`` hears of each day that is done. Returns the address
    that the Site document names. Raises ``CleanupError``.
    """
    from cleanup_gitops.sandbox.past import Past

    past, now = Past(world, days, number), world.clock()
    with embedded.sandbox_errors(), embedded.start(_undisturbed(past.day(days))) as running:
        policies = {f"policies/{name}": data for name, data in _policies(world, running.url).items()}
        site = f"policies/{SITE}"
        files = {name: text.encode() for name, text in common_files().items()} | {site: policies.pop(site)}
        files[".gitignore"] += f"/{WORLD}\n".encode()
        git(folder, "init", "--quiet")
        add(folder, files, f"Record {world.site.name} daily", now - days * _DAY)
        with embedded.environment(embedded.credentials(world)):
            for ago in range(days, 0, -1):
                running.become(past.day(ago))
                _run(folder, VirtualClock(now - ago * _DAY))
                told(days - ago + 1)
        if examples:
            add(folder, policies, f"Policies for {world.site.name}", now)
        world.save(folder / WORLD)
        return running.url


def _policies(world: World, url: str) -> dict[str, bytes]:
    return adapted_policies(example_policies(), world, url)


def _undisturbed(world: World) -> World:
    """The same world without limits and delays, which go by a clock that stands still here."""
    from msgspec.structs import replace

    return replace(world, options=replace(world.options, rate_limits=[], late={}, virtual_limits=True))


def _run(folder: Path, clock: VirtualClock) -> None:
    """One run as of a day."""
    from cleanup_gitops.cli.commands.apply import desk_at
    from cleanup_gitops.cli.wiring import connected, only_one, workplaces
    from cleanup_gitops.policy.lists import NO_LISTS
    from cleanup_gitops.runner.attempt import Hands
    from cleanup_gitops.runner.desk import Stop
    from cleanup_gitops.runner.run import execute

    place, silent = only_one(workplaces(folder, clock, None)), Silent()
    with connected(place, silent) as site:
        desk = desk_at(place, NO_LISTS, Hands(site.reader, site.writer, clock, silent))
        execute(desk, saved=None, stop=Stop())
