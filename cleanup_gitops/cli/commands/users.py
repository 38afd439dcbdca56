"""``cleanup-gitops users``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cleanup_gitops.cli.conditions import read_conditions
from cleanup_gitops.cli.listing import (
    Found,
    Wish,
    explained,
    facts_of,
    find,
    layout,
    listing_options,
    nothing_such,
    recorded_option,
    show,
)
from cleanup_gitops.cli.lists import read_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.pictures import chart_signs, chart_width, check_svg, svg_option, write_picture
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import Workplace, only_one, workplaces
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.match import Match, Scope, compile_match
from cleanup_gitops.views.columns import Sheet
from cleanup_gitops.views.user_columns import EXPORTED, SHOWN, USER_COLUMNS, without_people
from cleanup_gitops.views.words import counted


@click.command("users", epilog=explained(USER_COLUMNS))
@site_option
@click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="List those who meet this condition of the policy language only; several: those who meet all of them.",
)
@click.option("--unknown", is_flag=True, help="List those of whom it is not known whether they meet the conditions.")
@listing_options
@click.option("--ids-only", is_flag=True, help="Leave out names and addresses.")
@recorded_option
@click.option("--chart", is_flag=True, help="Show bars of the days since they were last seen instead of the list.")
@svg_option
@click.pass_obj
def command(
    folder: Path,
    /,
    site_name: str | None,
    where: tuple[str, ...],
    unknown: bool,
    ids_only: bool,
    recorded: str | None,
    chart: bool,
    svg: Path | None,
    **wish: Any,  # noqa: ANN401
) -> int:
    r"""List the users of the live site, or of a recorded snapshot. Changes nothing and records nothing.

    Conditions are those of `match` in a policy. Who cannot be decided, because a fact is not known, is not listed but
    counted; `--unknown` lists them instead.

    \b
    Examples:
      cleanup-gitops users
      cleanup-gitops users --where 'has_seat: true' --where 'inactive_for: 90d' --sort -idle
      cleanup-gitops users --where '{in_group: "contractors-*"}' --columns id,name,seats
      cleanup-gitops users --format csv > users.csv
      cleanup-gitops users --recorded HEAD~7 --where 'has_seat: true'
      cleanup-gitops users --where 'has_seat: true' --chart --svg last-seen.svg
    """
    if unknown and not where:
        raise click.UsageError("--unknown needs a condition: give one with --where.")
    match = read_conditions(where)
    asked = Wish(**wish)
    if chart:
        _check_alone(asked)
    check_svg(svg)
    known = without_people(ids_only=ids_only or recorded is not None)
    usual = SHOWN if asked.form == "table" else EXPORTED
    wanted = layout(asked, known, [name for name in usual if name in known])
    place = only_one(workplaces(folder, SystemClock(), site_name))
    lists = read_lists([("--where", match)], folder)
    found = find(place, recorded)
    matching, undecided = _sorted_out(found.live, match, lists)
    listed = undecided if unknown else matching
    if chart or svg:
        _draw(listed, place, found, len(undecided) if where else None, unknown=unknown, chart=chart, svg=svg)
    if not chart:
        sheet = Sheet(wanted.columns, listed, facts_of(place, found.live))
        show(sheet, asked, wanted, found, {"undecided": len(undecided)}, "user")
    if undecided and not unknown:
        note = f"Not known of {counted(len(undecided), 'more user')} whether they meet the conditions; see --unknown."
        click.echo(note, err=True)
    return 0


def _check_alone(asked: Wish) -> None:
    """Options that are about rows and columns say nothing about bars."""
    given = {
        "--columns": asked.columns is not None,
        "--sort": asked.sort is not None,
        "--limit": asked.limit is not None,
        "--format": asked.form != "table",
        "--bom": asked.bom,
    }
    for option, is_given in given.items():
        if is_given:
            raise click.UsageError(f"--chart takes the place of the list, so leave out {option}.")


def _draw(
    users: list[User],
    place: Workplace,
    found: Found,
    undecided: int | None,
    *,
    unknown: bool,
    chart: bool,
    svg: Path | None,
) -> None:
    from cleanup_gitops.views.pictures.histogram import last_seen_picture
    from cleanup_gitops.views.pictures.last_seen import about, last_seen, thresholds_of
    from cleanup_gitops.views.pictures.terminal import last_seen_chart

    inventory = found.live.inventory
    seen = last_seen(users, inventory.as_of, thresholds_of(place.policies.policies))
    title = f"Users of {inventory.site} by days since last seen"
    told = about(users, inventory.as_of, found.words, undecided, unknown=unknown)
    if svg:
        write_picture(svg, last_seen_picture(seen, title, told))
    if chart:
        click.echo(last_seen_chart(seen, title, told, width=chart_width(), signs=chart_signs()), nl=False)


def _sorted_out(live: Live, match: Match, lists: Lists) -> tuple[list[User], list[User]]:
    """Who meets the conditions, and of whom that is not known. Raises ``CleanupError`` for what is missing."""
    users = live.inventory.users
    if not match.all:
        return list(users), []
    compiled = compile_match(match, Scope(live.inventory.as_of, live.inventory, live.people, lists))
    if compiled.missing:
        raise nothing_such(compiled.missing, live.inventory)
    verdicts = [(compiled.verdict(user), user) for user in users]
    return [user for one, user in verdicts if one], [user for one, user in verdicts if one is None]
