"""``cleanup-gitops audit leavers`` and ``audit metrics``: figures of a period, told from git alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from cleanup_gitops.cli.listing import Found, Wish, layout, listing_options, show
from cleanup_gitops.cli.options import Day, site_option
from cleanup_gitops.cli.recorded import RecordedSite, branch_option, check_period, find_recorded
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.evidence.administrators import snapshot_on
from cleanup_gitops.evidence.events import events_of
from cleanup_gitops.evidence.leavers import Ending, endings_of
from cleanup_gitops.evidence.metrics import metrics_of
from cleanup_gitops.evidence.records import Record, read_records
from cleanup_gitops.evidence.silence import Gap, gaps_of
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.ports import Live
from cleanup_gitops.views.columns import Sheet
from cleanup_gitops.views.ending_columns import ENDING_COLUMNS
from cleanup_gitops.views.ending_columns import SHOWN as ENDINGS_SHOWN
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.metrics import render_csv, render_json, render_text

FORMS = ("csv", "json", "text")


@click.command("leavers")
@site_option
@branch_option
@click.option("--since", type=Day(), metavar="DATE", help="Whose last day was over on this day (UTC) or later.")
@click.option(
    "--until", type=Day(), metavar="DATE", help="People whose last day was over on this day (UTC) or earlier."
)
@listing_options
@click.pass_obj
def leavers_command(
    folder: Path,
    /,
    site_name: str | None,
    branch: str | None,
    since: date | None,
    until: date | None,
    **wish: Any,  # noqa: ANN401
) -> int:
    r"""List who left by a Roster, when their access ended, who ended it, and whether that was late.

    Access has ended when a snapshot shows the account closed, without a license, or gone: what a run meant to do proves
    nothing. Our own changes count from when they were read back.

    \b
    Examples:
      cleanup-gitops audit leavers --since 2026-07-01 --until 2026-12-31
      cleanup-gitops audit leavers --columns user,left,approved,written,ended,took --format csv > leavers.csv
    """
    check_period(since, until)
    asked = Wish(**wish)
    wanted = layout(asked, ENDING_COLUMNS, ENDINGS_SHOWN if asked.form == "table" else list(ENDING_COLUMNS))
    site = find_recorded(folder, site_name, branch)
    rows = _endings(site, read_records(site.commits, site.history), since, until)
    found = Found(Live(site.outline, NOBODY))
    show(Sheet(wanted.columns, rows, Facts(site.outline)), asked, wanted, found, {}, "leaver", ", recorded up to")
    return 0


@click.command("metrics")
@site_option
@branch_option
@click.option("--since", type=Day(), metavar="DATE", help="Begin with this day (UTC).")
@click.option("--until", type=Day(), metavar="DATE", help="End with this day (UTC).")
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="How to print the figures."
)
@click.pass_obj
def metrics_command(
    folder: Path, site_name: str | None, branch: str | None, since: date | None, until: date | None, form: str
) -> int:
    r"""Figures of a period: how long access outlived its reason, what changed and by whom, what failed or was missed.

    \b
    Examples:
      cleanup-gitops audit metrics --since 2026-07-01 --until 2026-12-31
      cleanup-gitops audit metrics --format json
    """
    check_period(since, until)
    site = find_recorded(folder, site_name, branch)
    everything = read_records(site.commits, site.history)
    records = [one for one in everything if _within(one.day, since, until)]
    found = metrics_of(
        records,
        events_of(records),
        _endings(site, everything, since, until),
        _gaps(everything, since, until),
        _last_snapshot(site, until),
        (since, until),
    )
    render = {"csv": render_csv, "json": render_json, "text": render_text}[form]
    click.echo(render(found, site.name), nl=False)
    return 0


def _within(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or since <= day) and (until is None or day <= until)


def _endings(site: RecordedSite, records: Sequence[Record], since: date | None, until: date | None) -> list[Ending]:
    found = endings_of(records, site.commits, site.history, SystemClock().now())
    return [one for one in found if _within(one.left.date(), since, until)]


def _gaps(records: Sequence[Record], since: date | None, until: date | None) -> list[Gap]:
    """Gaps that reach into the period."""
    found = gaps_of(records, SystemClock().now())
    return [
        one
        for one in found
        if (since is None or since <= one.until.date()) and (until is None or one.since.date() <= until)
    ]


def _last_snapshot(site: RecordedSite, until: date | None) -> Inventory | None:
    found = snapshot_on(site.commits, site.history, until or date.max)
    return recorded_inventory(site.history.files(found[0].id)) if found else None
