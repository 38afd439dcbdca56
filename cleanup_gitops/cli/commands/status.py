"""``cleanup-gitops status``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops.cli.listing import read_live
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import Workplace, only_one, workplaces
from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.record import memory_of
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.views.status import Recorded, render_status, render_status_json, site_status

UNSAFE = 3


@click.command("status")
@site_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it. JSON holds account ids and no name.",
)
@click.pass_obj
def command(folder: Path, site_name: str | None, form: str) -> int:
    r"""Show the live site on one screen: seats, users, what was recorded last, and what ends soon. Changes nothing.

    Exit code 3 when the recorded state is not sound; everything else is shown all the same.

    \b
    Examples:
      cleanup-gitops status
      cleanup-gitops status --site acme --format json
    """
    places = workplaces(folder, SystemClock(), site_name)
    if form == "json":
        only_one(places)
    code = 0
    for number, place in enumerate(places):
        recorded = _recorded(place)
        live = read_live(place)
        found = site_status(place.site, place.policies, live.inventory, recorded, place.clock.now().date())
        if form == "json":
            click.echo(render_status_json(found), nl=False)
        else:
            text = render_status(found, live.people, colour=colours(sys.stdout))
            click.echo("\n" * bool(number) + text, nl=False)
        if recorded.problem:
            code = UNSAFE
    return code


def _recorded(place: Workplace) -> Recorded:
    """The last entry of the ledger, when all that is recorded fits it."""
    try:
        files = place.store.read()
        memory_of(files)
        tail = read_tail(files)
    except StateError as error:
        return Recorded(problem=f"{error.message} {error.hint}".strip())
    return Recorded(last=tail.entries[-1] if tail else None)
