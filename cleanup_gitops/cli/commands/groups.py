"""``cleanup-gitops groups``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cleanup_gitops.cli.listing import (
    Wish,
    explained,
    facts_of,
    find,
    layout,
    listing_options,
    no_such_group,
    recorded_option,
    show,
)
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import only_one, workplaces
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.policy.match import resolve_groups
from cleanup_gitops.views import group_columns, user_columns
from cleanup_gitops.views.columns import Sheet
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.words import counted


@click.command("groups", epilog=explained(group_columns.GROUP_COLUMNS))
@click.argument("patterns", metavar="[NAME]...", nargs=-1)
@site_option
@click.option("--members", metavar="GROUP", help="List the direct members of one group, by its name or id, instead.")
@listing_options
@click.option("--ids-only", is_flag=True, help="With --members: leave out names and addresses.")
@recorded_option
@click.pass_obj
def command(
    folder: Path,
    /,
    patterns: tuple[str, ...],
    site_name: str | None,
    members: str | None,
    ids_only: bool,
    recorded: str | None,
    **wish: Any,  # noqa: ANN401 - the options of `Wish`
) -> int:
    r"""List the groups of the live site, all or those with these names or globs. Changes nothing.

    With --recorded they are those of a snapshot. With --members the columns are those of `cleanup-gitops users`.

    \b
    Examples:
      cleanup-gitops groups
      cleanup-gitops groups 'contractors-*' --sort -members
      cleanup-gitops groups --members confluence-users-acme --columns id,name,seen,groups
      cleanup-gitops groups --recorded v2026-05 --members break-glass
    """
    asked = Wish(**wish)
    if members is not None and patterns:
        raise click.UsageError("Give either names of groups or --members.")
    if members is None:
        wanted = layout(asked, group_columns.GROUP_COLUMNS, _usual(asked, group_columns.SHOWN))
    else:
        known = user_columns.without_people(ids_only=ids_only or recorded is not None)
        usual = user_columns.SHOWN if asked.form == "table" else user_columns.EXPORTED
        wanted = layout(asked, known, [name for name in usual if name in known])
    place = only_one(workplaces(folder, SystemClock(), site_name))
    found = find(place, recorded)
    facts = facts_of(place, found.live)
    if members is None:
        groups = _named(facts.inventory, patterns) if patterns else facts.inventory.groups
        by_name = sorted(groups, key=lambda one: (one.name.casefold(), one.id))
        show(Sheet(wanted.columns, by_name, facts), asked, wanted, found, _counts(facts), "group")
    else:
        ids = _ids(facts.inventory, members)
        users = [user for user in facts.inventory.users if not ids.isdisjoint(user.groups or ())]
        show(Sheet(wanted.columns, users, facts), asked, wanted, found, _counts(facts), f"member of {members}")
    if facts.memberships_unknown:
        accounts = counted(facts.memberships_unknown, "account")
        click.echo(f"The groups of {accounts} are not known, so they are counted in none.", err=True)
    return 0


def _usual(asked: Wish, shown: tuple[str, ...]) -> tuple[str, ...]:
    return shown if asked.form == "table" else tuple(group_columns.GROUP_COLUMNS)


def _counts(facts: Facts) -> dict[str, int]:
    return {"memberships_unknown": facts.memberships_unknown}


def _named(inventory: Inventory, patterns: tuple[str, ...]) -> tuple[Group, ...]:
    """Raises ``CleanupError`` when one of the names or globs finds no group."""
    found, missing = resolve_groups(patterns, inventory)
    if missing:
        raise no_such_group(missing, inventory)
    return found


def _ids(inventory: Inventory, group: str) -> set[str]:
    """The group with this id, or all of this name, as several directories may have one."""
    if group in inventory.group_by_id:
        return {group}
    found = inventory.groups_by_name.get(group.casefold())
    if not found:
        raise no_such_group((group,), inventory)
    return {one.id for one in found}
