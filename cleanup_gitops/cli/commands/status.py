"""``cleanup-gitops status``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.listing import read_live
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import Workplace, look_at_record, only_one, open_runs, workplaces
from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.layout import MANIFEST
from cleanup_gitops.ledger.leases import leases_of
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.run import ACTING
from cleanup_gitops.views.status import Recorded, on_hold, render_status, render_status_json, site_status
from cleanup_gitops.views.waiting_hands import handed_off

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

    Tells which run is under way or was cut off, since when, and where records go. Exit code 3 when the recorded state
    is not sound; everything else is shown all the same.

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
    """What is recorded, when all of it fits its ledger."""
    now = place.clock.now()
    try:
        files, older = look_at_record(place)
        memory = memory_of(files, place.site.name)
        tail = read_tail(files)
        unfinished = tuple(open_runs(place, leases_of(files)))
        version = read_manifest(files[MANIFEST]).tool_version if MANIFEST in files else __version__
        where = place.store.place
    except StateError as error:
        return Recorded(problem=f"{error.message} {error.hint}".strip())
    runs = [entry for entry in tail.entries if entry.kind in ACTING] if tail else []
    guardrails = place.policies.guardrails
    terminations = {one.name for one in place.policies.policies if one.termination}
    return Recorded(
        last=runs[-1] if runs else None,
        serial=memory.serial,
        times=memory.last,
        runs=unfinished,
        now=now,
        place=where,
        version="" if version == __version__ else version,
        older=older,
        holds=on_hold(memory, now, guardrails.flapping_after, terminations),
        handed=handed_off(memory, now, guardrails.handoff_sla),
    )
