"""``cleanup-gitops backtest``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from cleanup_gitops.cli.explaining import check_policy
from cleanup_gitops.cli.options import Day, site_option
from cleanup_gitops.cli.pictures import chart_signs, chart_width, check_svg, svg_option, write_picture
from cleanup_gitops.cli.terminal import SystemClock, colours, progress
from cleanup_gitops.cli.wiring import Workplace, environment_of_git, only_one, workplaces
from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.snapshots import files_of, recorded_days, taken_by_runs
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.rehearsal.backtest import THRESHOLDS, Backtest, backtest, check_answerable
from cleanup_gitops.rehearsal.verdicts import FINEST
from cleanup_gitops.views.backtest import SHOWN, render_json, render_markdown, render_text
from cleanup_gitops.views.backtest_pictures import render_charts, seats_over_time, threshold_curve

FORMS = ("json", "markdown", "text")


class _Thresholds(click.ParamType[tuple[int, ...]]):
    name = "days"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            found = sorted({int(one.strip().removesuffix("d")) for one in value.split(",") if one.strip()})
        except ValueError:
            self.fail(f"{value!r} are no days such as 30,60,90.", param, ctx)
        if any(one < FINEST for one in found):
            self.fail(f"a snapshot cannot tell less than {FINEST} days of idleness.", param, ctx)
        return tuple(found)


@click.command("backtest")
@click.argument("policy", metavar="POLICY")
@site_option
@click.option("--since", type=Day(), metavar="DATE", help="Begin with the snapshot of this day (UTC) or the next one.")
@click.option("--until", type=Day(), metavar="DATE", help="End with the snapshot of this day (UTC) or the one before.")
@click.option(
    "--thresholds",
    type=_Thresholds(),
    default=THRESHOLDS,
    show_default=",".join(map(str, THRESHOLDS)),
    metavar="DAYS,…",
    help="Days of idleness to compare with those of the policy.",
)
@click.option(
    "--confluence-alone",
    "alone",
    is_flag=True,
    help="Take idleness in Confluence for idleness in every product; snapshots do not keep the use of others.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="How to print the result."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show at most N users who were hit by mistake (default: {SHOWN} as text, none in Markdown). JSON has all.",
)
@click.option("--chart", is_flag=True, help="Show seats and thresholds as bars, too, at the end of the text.")
@svg_option
@click.option(
    "--svg-thresholds",
    "curve",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a picture of the other thresholds to this file, too.",
)
@click.pass_obj
def command(
    folder: Path,
    policy: str,
    site_name: str | None,
    since: date | None,
    until: date | None,
    thresholds: tuple[int, ...],
    alone: bool,
    form: str,
    limit: int | None,
    chart: bool,
    svg: Path | None,
    curve: Path | None,
) -> int:
    r"""Replay a policy over the recorded past: whom it would have hit, and who came back. Changes nothing.

    The snapshots are those of the branch that holds the record, one a day. The policy is taken as it is written now,
    alone, with the protections and exemptions of today. What snapshots did not keep is unknown, and hits nobody.

    \b
    Examples:
      cleanup-gitops backtest dormant-members
      cleanup-gitops backtest dormant-members --since 2026-01-01 --thresholds 60,90,180
      cleanup-gitops backtest dormant-members --format markdown > backtest.md
      cleanup-gitops backtest dormant-members --chart --svg seats.svg --svg-thresholds thresholds.svg
    """
    if since and until and until < since:
        raise click.UsageError("--until is before --since.")
    if chart and form != "text":
        raise click.UsageError("--chart is for --format text; --svg writes a picture beside any form.")
    check_svg(svg or curve)
    place = only_one(workplaces(folder, SystemClock(), site_name))
    check_policy(policy, place.policies, conditions=True)
    found = _found(place, policy, since, until, thresholds, alone=alone)
    match form:
        case "json":
            text = render_json(found)
        case "markdown":
            text = render_markdown(found, limit=limit or 0)
        case _:
            text = render_text(found, colour=colours(sys.stdout), limit=limit)
    click.echo(text, nl=False)
    if chart:
        click.echo("\n" + render_charts(found, width=chart_width(), signs=chart_signs()), nl=False)
    if svg:
        write_picture(svg, seats_over_time(found))
    if curve and found.thresholds:
        write_picture(curve, threshold_curve(found))
    elif curve:
        raise CleanupError(f"{curve} was not written: no other thresholds were compared.", "The text says why.")
    return 0


def _found(
    place: Workplace,
    name: str,
    since: date | None,
    until: date | None,
    thresholds: tuple[int, ...],
    *,
    alone: bool,
) -> Backtest:
    policy = next(one for one in place.policies.asking if one.name == name)
    check_answerable(policy)
    variables = environment_of_git([place.site], [place.policies])
    history = GitHistory(place.folder, place.site.name, variables, branch=place.site.state.branch)
    commits = history.commits()
    days = recorded_days(commits, history, since, until)
    if not days:
        raise CleanupError(_nothing(place, since, until), _HINT)
    with progress() as steps:

        def step(done: int) -> None:
            steps.step("replaying days", done, len(days))

        return backtest(
            policy,
            place.policies,
            files_of(days, history),
            thresholds=thresholds,
            alone=alone,
            acted=taken_by_runs(commits, days),
            step=step,
        )


_HINT = "Each recorded apply leaves one; see `cleanup-gitops apply --due`. `cleanup-gitops forecast` needs none."


def _nothing(place: Workplace, since: date | None, until: date | None) -> str:
    where = f"no snapshot of {place.site.name} is recorded"
    if since and until:
        return f"From {since} to {until} {where}."
    if since or until:
        return f"{'Since' if since else 'Until'} {since or until} {where}."
    return f"{where[0].upper()}{where[1:]} in this branch."
