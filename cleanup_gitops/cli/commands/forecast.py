"""``cleanup-gitops forecast``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.pictures import chart_signs, chart_width, check_svg, svg_option, write_picture
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import Workplace, connected, look_at_record, only_one, tell_open_runs, workplaces
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.since import history_of
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.rehearsal.ahead import Ahead
from cleanup_gitops.rehearsal.forecast import Forecast, forecast
from cleanup_gitops.runner.foreseen import choosing
from cleanup_gitops.runner.open_runs import beside_open_rollbacks
from cleanup_gitops.views.forecast import picture, render_chart, render_json, render_markdown, render_text


@click.command("forecast")
@site_option
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=90,
    show_default=True,
    help="So many days after today.",
)
@click.option(
    "--regular",
    type=click.IntRange(0, 3650),
    metavar="DAYS",
    default=14,
    show_default=True,
    help="Use that was seen in the last DAYS days goes on; 0: nobody is seen again.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print it. JSON has every day, the others those on which something happens.",
)
@click.option("--chart", is_flag=True, help="Show the seats as bars, too, at the end of the text.")
@svg_option
@click.pass_obj
def command(
    folder: Path, site_name: str | None, days: int, regular: int, form: str, chart: bool, svg: Path | None
) -> int:
    r"""Show what the policies will do on the days to come, if nobody else changes anything. Changes nothing.

    The site is read once. Then every day is planned, and taken for applied: what is carried out by policy and stage,
    what waits, what ends, how many seats are in use, and which guards would keep a run from doing anything.

    \b
    Examples:
      cleanup-gitops forecast
      cleanup-gitops forecast --days 14
      cleanup-gitops forecast --days 30 --format markdown > forecast.md
      cleanup-gitops forecast --chart --svg seats.svg
    """
    if chart and form != "text":
        raise click.UsageError("--chart is for --format text; --svg writes a picture beside any form.")
    check_svg(svg)
    places = workplaces(folder, SystemClock(), site_name)
    if form == "json" or svg:
        only_one(places)
    for number, (place, lists) in enumerate([(one, policy_lists(one.policies, one.folder)) for one in places]):
        found = _forecast(place, lists, days, regular)
        click.echo("\n" * bool(number) + _render(found, form), nl=False)
        if chart:
            click.echo("\n" + render_chart(found, width=chart_width(), signs=chart_signs()), nl=False)
        if svg:
            write_picture(svg, picture(found))
    return 0


def _forecast(place: Workplace, lists: Lists, days: int, regular: int) -> Forecast:
    files, older = look_at_record(place)
    memory = memory_of(files, place.site.name)
    if older:
        click.echo(f"Warning: {older}", err=True)
    now = place.clock.now()
    memory = beside_open_rollbacks(memory, place.store, tell_open_runs(place, files, now))
    with progress() as steps, connected(place, steps) as site:
        reader = site.reader
        ahead = Ahead(reader.read(), place.policies, memory, history_of(files), reader, lists, regular=regular)

        def step(done: int) -> None:
            steps.step("planning days", done, days + 1)

        return forecast(ahead, place.site, now, days, choosing(place.policies), step)


def _render(found: Forecast, form: str) -> str:
    if form == "json":
        return render_json(found)
    return render_markdown(found) if form == "markdown" else render_text(found, colour=colours(sys.stdout))
