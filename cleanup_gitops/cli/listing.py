"""What ``users`` and ``groups`` share: how a list is asked for, read, and shown."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cleanup_gitops.cli.terminal import colours, progress
from cleanup_gitops.cli.wiring import Workplace, connected, environment_of_git
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Live
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.policy.missing import Missing, lacking
from cleanup_gitops.policy.problems import did_you_mean
from cleanup_gitops.views.columns import Column, Row, Sheet, in_order
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.safe import plain
from cleanup_gitops.views.tables import render_csv, render_json, render_jsonl, render_table
from cleanup_gitops.views.words import counted

if TYPE_CHECKING:
    from cleanup_gitops.ledger.repository.revisions import Revision

FORMS = ("table", "csv", "json", "jsonl")
ALL = "all"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Wish:
    """How a list was asked for, as it stands on the command line."""

    columns: str | None
    sort: str | None
    limit: int | None
    form: str
    bom: bool
    pager: bool


def listing_options(command: Command) -> Command:
    """The options of ``Wish``, for a command that takes them as ``**wish``."""
    options = (
        click.option("--columns", metavar="NAME,…", help=f"Columns to show, in this order; `{ALL}` for every one."),
        click.option("--sort", metavar="NAME,…", help="Sort by these columns; `-` before a name: largest first."),
        click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Show the first N only."),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMS),
            default="table",
            show_default=True,
            help="How to print the list.",
        ),
        click.option("--bom", is_flag=True, help="Begin CSV with a byte order mark, as some spreadsheets need it."),
        click.option("--pager/--no-pager", default=True, help="Show a long table in a pager, on a terminal."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a list that are shown, and those by which it is sorted (True: largest first)."""

    columns: list[Column[Any]]
    orders: list[tuple[Column[Any], bool]]


def layout(wish: Wish, known: Mapping[str, Column[Any]], usual: Sequence[str]) -> Layout:
    """Columns by their names; ``usual`` when none are named. Raises ``UsageError`` for a name that is not known."""
    if wish.bom and wish.form != "csv":
        raise click.UsageError("--bom is for --format csv.")
    names = list(known) if wish.columns == ALL else _names(wish.columns, "--columns") or usual
    columns = [_column(name, known, "--columns") for name in names]
    if len({column.name for column in columns}) < len(columns):
        raise click.UsageError("--columns names a column twice.")
    orders = [
        (_column(name.removeprefix("-"), known, "--sort"), name.startswith("-")) for name in _names(wish.sort, "--sort")
    ]
    return Layout(columns, orders)


def _names(text: str | None, option: str) -> list[str]:
    """The names in the text; none when the option was not given."""
    if text is None:
        return []
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise click.UsageError(f"{option} names no column.")
    return names


def _column(name: str, known: Mapping[str, Column[Any]], option: str) -> Column[Any]:
    found = known.get(name.casefold().replace("-", "_"))
    if found is None:
        raise click.UsageError(f"{option}: there is no column {name!r}{did_you_mean(name, known)}")
    return found


def explained(known: Mapping[str, Column[Any]]) -> str:
    """The columns with what they mean, for the end of a help text."""
    wide = max(map(len, known))
    return "\b\nColumns:\n" + "\n".join(f"  {name:<{wide}}  {column.meaning}" for name, column in known.items())


def read_live(place: Workplace) -> Live:
    """The site now."""
    with progress() as steps, connected(place, steps) as site:
        return site.reader.read()


recorded_option = click.option(
    "--recorded",
    metavar="REV",
    help="Show the snapshot of a commit, tag or branch of git (HEAD: the newest) instead of the live site.",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A site as it is now, or, with its ``revision``, as it was recorded."""

    live: Live
    revision: Revision | None = None

    @property
    def about(self) -> dict[str, Any]:
        """What JSON says of where it was found."""
        one = self.revision
        return {"commit": one.commit, "serial": one.serial} if one else {}

    @property
    def words(self) -> str:
        """The same for people, after the time."""
        one = self.revision
        return f", as recorded with serial {one.serial} in commit {one.commit[:12]}" if one else ""


def find(place: Workplace, recorded: str | None) -> Found:
    """The site now, or the snapshot of a revision, for which nobody is asked but git. Raises ``CleanupError``."""
    if recorded is None:
        return Found(read_live(place))
    from cleanup_gitops.ledger.repository.revisions import find_revision

    revision = find_revision(
        place.folder, place.site.name, recorded, environment_of_git([place.site], [place.policies]), place.site.state
    )
    return Found(revision.reader.read(), revision)


def facts_of(place: Workplace, live: Live) -> Facts:
    """The site as lists need it."""
    shield = make_shield(place.policies, live.inventory, live.inventory.as_of)
    return Facts(live.inventory, live.people, shield.groups)


def no_such_group(names: Sequence[str], inventory: Inventory) -> CleanupError:
    """The error about names or globs that find no group."""
    known = [group.name for group in inventory.groups]
    hints = [(name, did_you_mean(name, known)) for name in names]
    said = [f"{name!r} ({hint.removeprefix('; ')})" if "did you mean" in hint else repr(name) for name, hint in hints]
    return CleanupError(
        f"No group of {inventory.site} is called {' or '.join(said)}.", "`cleanup-gitops groups` lists them all."
    )


def nothing_such(missing: Sequence[Missing], inventory: Inventory) -> CleanupError:
    """The error about conditions that name something the site does not have."""
    groups = [one.name for one in missing if one.kind == "group"]
    if groups:
        return no_such_group(groups, inventory)
    known = ", ".join(f"{one.name} ({one.id})" for one in inventory.directories)
    return CleanupError(f"{inventory.site}: {lacking(missing)}.", f"Directories that were read: {known}.")


def show(
    sheet: Sheet[Row], wish: Wish, wanted: Layout, found: Found, counts: Mapping[str, int], noun: str, when: str = " at"
) -> None:
    """Print the list as it was asked for, and beside it, on standard error, how many of what it is, and from when.

    ``counts`` stand in JSON beside the rows. ``noun`` is what is listed, such as "user" or "member of GROUP", ``when``
    what stands between the site and the time.
    """
    rows = in_order(sheet, wanted.orders)
    shown = replace(sheet, rows=rows if wish.limit is None else rows[: wish.limit])
    inventory = sheet.facts.inventory
    match wish.form:
        case "csv":
            _write_utf8(render_csv(shown, bom=wish.bom))
        case "json":
            head = {"site": inventory.site, "as_of": inventory.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")}
            _write_utf8(render_json(shown, head | found.about | {"count": len(rows)} | dict(counts)))
        case "jsonl":
            _write_utf8(render_jsonl(shown))
        case _:
            _write_table(shown, wish)
    left = f", {len(shown.rows):,} of them shown" if len(shown.rows) < len(rows) else ""
    at = inventory.as_of.strftime("%Y-%m-%d %H:%M:%S UTC")
    what, _, of = noun.partition(" of ")
    whose = f"{plain(of)} ({inventory.site})" if of else inventory.site
    click.echo(f"{counted(len(rows), what)} of {whose}{when} {at}{found.words}{left}.", err=True)


def _write_table(sheet: Sheet[Row], wish: Wish) -> None:
    if not _is_terminal():
        click.echo(render_table(sheet), nl=False)
        return
    size = shutil.get_terminal_size()
    colour = colours(sys.stdout)
    text = render_table(sheet, width=size.columns, colour=colour)
    if wish.pager and not os.environ.get("CI") and len(sheet.rows) + 2 > size.lines:
        click.echo_via_pager(text.removesuffix("\n"), color=colour)  # which ends what it is given
    else:
        click.echo(text, nl=False, color=colour)


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _write_utf8(text: str) -> None:
    """For programs: UTF-8 whatever the terminal speaks."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="backslashreplace")
    click.echo(text, nl=False)
