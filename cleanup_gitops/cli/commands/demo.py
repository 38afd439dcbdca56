"""``cleanup-gitops demo``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.terminal import SystemClock

USERS = 480
FEWEST = 200
MOST = 2_000


@click.command("demo")
@click.option(
    "--folder",
    "wanted",
    type=click.Path(path_type=Path),
    help="New or empty folder for the scratch repository (default: cleanup-gitops-demo).",
)
@click.option(
    "--users",
    type=click.IntRange(FEWEST, MOST),
    default=USERS,
    show_default=True,
    help="How many accounts to invent.",
)
@click.pass_obj
def command(base: Path, wanted: Path | None, users: int) -> int:
    """Run the whole main job against an embedded Confluence Cloud, offline and without credentials.

    Makes a scratch git repository from the example policies, starts the embedded Confluence, and runs validate, plan,
    apply, plan and git log there, with a sentence after each. The repository stays for you to play with.
    """
    from cleanup_gitops.cli.demo.embedded import server_module
    from cleanup_gitops.cli.demo.folder import fresh_folder
    from cleanup_gitops.cli.demo.tour import tour

    server_module()  # before anything is made, as it may be missing
    tour(fresh_folder(base, wanted), users, SystemClock())
    return 0
