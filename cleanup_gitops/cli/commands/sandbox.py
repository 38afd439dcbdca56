"""``cleanup-gitops sandbox``."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanup_gitops.cli.demo.embedded import USUAL_PORT, exports, sandbox_errors, server_module
from cleanup_gitops.cli.files import create_file
from cleanup_gitops.cli.options import Instant
from cleanup_gitops.cli.terminal import SystemClock, progress
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.views.words import counted

if TYPE_CHECKING:
    from cleanup_gitops.sandbox.world import World

USERS = 480
MOST = 1_000_000
FEWEST, MOST_PAST = 200, 2_000
DAYS, MOST_DAYS = 60, 366


@click.group("sandbox")
def command() -> None:
    """Make and serve an embedded Confluence Cloud on this machine, with or without a past.

    It speaks the published HTTP interfaces of Atlassian's organizations and of Confluence, with invented people in it.
    Nothing of it can be reached from outside.
    """


@command.command("seed")
@click.option("--users", type=click.IntRange(1, MOST), default=USERS, show_default=True, help="How many accounts.")
@click.option("--seed", "number", type=int, default=1, show_default=True, help="Another number, other people.")
@click.option("--now", type=Instant(), metavar="WHEN", help="The world's clock: a UTC date or time (default: now).")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("world.json"),
    show_default=True,
    help="The file to write; an existing one is left alone.",
)
def seed_command(users: int, number: int, now: datetime | None, out: Path) -> int:
    """Write a world: an organization with its users and groups, in one file.

    The same options always give the same bytes.
    """
    world = _seeded(users, number, now or SystemClock().now())
    if not create_file(out, world.encode()):
        raise CleanupError(f"{out} exists already.", "Remove it first, or name another file with --out.")
    click.echo(f"Wrote {out}: {len(world.users):,} accounts, {len(world.groups):,} groups, at {world.now}.")
    click.echo(f"Serve it with: cleanup-gitops sandbox serve --world {out}")
    return 0


@command.command("past")
@click.argument("wanted", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DAYS, show_default=True, help="How many days.")
@click.option(
    "--users", type=click.IntRange(FEWEST, MOST_PAST), default=USERS, show_default=True, help="How many accounts."
)
@click.option("--seed", "number", type=int, default=1, show_default=True, help="Another number, other people.")
@click.option("--examples", is_flag=True, help="Commit the example policies of `demo` as of today.")
@click.pass_obj
def past_command(base: Path, wanted: Path, days: int, users: int, number: int, examples: bool) -> int:
    r"""Make a repository in which a Confluence has been recorded daily, to try policies on its past.

    In the new folder stand a Site document and one recorded run for each day before today, with the dates of those
    days: people came or stayed away, some were on long leave, some were new, some left. There were no policies yet, so
    nothing was changed. Takes about half a second a day.

    \b
    Examples:
      cleanup-gitops sandbox past wiki
      cleanup-gitops sandbox past wiki --days 90 --examples
    """
    from cleanup_gitops.cli.demo.folder import WORLD, fresh_folder
    from cleanup_gitops.cli.demo.past import make_past

    server_module()  # before anything is made, as it may be missing
    now = SystemClock().now()
    folder, world = fresh_folder(base, wanted), _seeded(users, number, now)
    with progress() as steps:
        url = make_past(folder, world, days, number, lambda done: steps.step("Days", done, days), examples=examples)
    first, last = (now - timedelta(days=ago) for ago in (days, 1))
    click.echo(
        f"{folder} holds {counted(days, 'recorded run', 'recorded runs')}, {first:%Y-%m-%d} to {last:%Y-%m-%d},"
        f" and a Confluence of {len(world.users):,} accounts.\n"
        f"Serve it with: cd {os.path.relpath(folder)} &&"
        f" cleanup-gitops sandbox serve --world {WORLD} --port {url.rpartition(':')[2]}"
    )
    return 0


@command.command("serve")
@click.option(
    "--world",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of a world; changes are saved to it (default: a new world that is forgotten at the end).",
)
@click.option("--port", type=click.IntRange(0, 65535), default=USUAL_PORT, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of this machine alone.")
@click.option("--tick", is_flag=True, help="Let the world's clock run; otherwise it stands still.")
@click.option(
    "--faults",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A JSON file of what goes wrong from the start: one rule or storm, or a list of them.",
)
def serve_command(file: Path | None, port: int, host: str, tick: bool, faults: Path | None) -> int:
    """Serve a world until Ctrl-C, and print how to reach it."""
    server = server_module()
    with sandbox_errors(), tempfile.TemporaryDirectory() as folder:
        path = file or Path(folder) / "world.json"
        if file is None:
            _seeded(USERS, 1, SystemClock().now()).save(path)
        if tick:
            _let_tick(path)
        server.serve(path, host, port, lambda url, world: click.echo(_how_to_reach(url, world, file)), faults=faults)
    click.echo(f"Stopped. {file} holds the world as it is now." if file else "Stopped.")
    return 0


def _seeded(users: int, number: int, now: datetime) -> World:
    from cleanup_gitops.sandbox.seed import seed
    from cleanup_gitops.sandbox.world import format_time

    return seed(users, number, format_time(now))


def _let_tick(path: Path) -> None:
    from cleanup_gitops.sandbox.world import World

    world = World.load(path)
    world.options.ticking = True
    world.save(path)


def _how_to_reach(url: str, world: World, file: Path | None) -> str:
    lines = [
        f"Serving {world.site.name} at {url}: {len(world.users):,} accounts, clock at {world.now}. Ctrl-C ends it.",
        f"Changes are saved to {file}." if file else "Changes are forgotten at the end.",
        "",
        "In another terminal:",
        *(f"  {line}" for line in exports(world)),
        "",
        "In the Site document (policies/site.yaml):",
        f"  spec.url: {url}",
        f"  spec.cloud.api_url: {url}",
        f"  spec.cloud.organization: {world.organization.id}",
        f'  spec.runner.accounts: ["{world.credentials.runner_account}"]',
    ]
    return "\n".join(lines)
