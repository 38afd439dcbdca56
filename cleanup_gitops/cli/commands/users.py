"""``cleanup-gitops users``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cleanup_gitops.cli.conditions import read_conditions
from cleanup_gitops.cli.listing import (
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
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import only_one, workplaces
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
@click.pass_obj
def command(
    folder: Path,
    /,
    site_name: str | None,
    where: tuple[str, ...],
    unknown: bool,
    ids_only: bool,
    recorded: str | None,
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
    """
    if unknown and not where:
        raise click.UsageError("--unknown needs a condition: give one with --where.")
    match = read_conditions(where)
    asked = Wish(**wish)
    known = without_people(ids_only=ids_only or recorded is not None)
    usual = SHOWN if asked.form == "table" else EXPORTED
    wanted = layout(asked, known, [name for name in usual if name in known])
    place = only_one(workplaces(folder, SystemClock(), site_name))
    lists = read_lists([("--where", match)], folder)
    found = find(place, recorded)
    matching, undecided = _sorted_out(found.live, match, lists)
    sheet = Sheet(wanted.columns, undecided if unknown else matching, facts_of(place, found.live))
    show(sheet, asked, wanted, found, {"undecided": len(undecided)}, "user")
    if undecided and not unknown:
        note = f"Not known of {counted(len(undecided), 'more user')} whether they meet the conditions; see --unknown."
        click.echo(note, err=True)
    return 0


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
