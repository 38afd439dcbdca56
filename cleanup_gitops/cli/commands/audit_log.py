"""``cleanup-gitops audit log``, ``user``, ``admins`` and ``gaps``: what happened, told from git alone."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from cleanup_gitops.cli.listing import Found, Wish, layout, listing_options, no_such_group, show
from cleanup_gitops.cli.options import Day, site_option
from cleanup_gitops.cli.recorded import branch_option, check_period, find_recorded
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.evidence.administrators import administrators, snapshot_on
from cleanup_gitops.evidence.events import Event, Wanted, events_of
from cleanup_gitops.evidence.records import read_records
from cleanup_gitops.evidence.silence import gaps_of
from cleanup_gitops.evidence.story import story_of
from cleanup_gitops.ledger.memory import read_lines
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.problems import did_you_mean
from cleanup_gitops.views.administrator_columns import ADMINISTRATOR_COLUMNS
from cleanup_gitops.views.administrator_columns import SHOWN as ADMINISTRATORS_SHOWN
from cleanup_gitops.views.columns import Sheet
from cleanup_gitops.views.event_columns import EVENT_COLUMNS, SHOWN
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.gap_columns import GAP_COLUMNS
from cleanup_gitops.views.gap_columns import SHOWN as GAPS_SHOWN
from cleanup_gitops.views.story import render_json, render_text

FORMS = ("csv", "json", "text")
_UP_TO = ", recorded up to"


def _several(option: str, help_text: str, metavar: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(option, f"{option.removeprefix('--')}_names", multiple=True, metavar=metavar, help=help_text)


@click.command("log")
@site_option
@branch_option
@click.option("--since", type=Day(), metavar="DATE", help="Records from this day (UTC) on.")
@click.option("--until", type=Day(), metavar="DATE", help="Records up to and including this day (UTC).")
@_several("--user", "What is about this account id; may be given several times.", "ID")
@_several("--group", "Memberships in groups with this name or glob, or id, and the groups themselves.", "NAME")
@_several("--policy", "What this policy asked for.", "NAME")
@_several("--run", "What this record holds, or late effects of this run.", "ID")
@_several("--action", "Changes by this action, differences of this name, or records of this kind.", "NAME")
@_several("--result", "Changes with this result, such as failed.", "NAME")
@listing_options
@click.pass_obj
def log_command(
    folder: Path,
    /,
    site_name: str | None,
    branch: str | None,
    since: date | None,
    until: date | None,
    user_names: tuple[str, ...],
    group_names: tuple[str, ...],
    policy_names: tuple[str, ...],
    run_names: tuple[str, ...],
    action_names: tuple[str, ...],
    result_names: tuple[str, ...],
    **wish: Any,  # noqa: ANN401
) -> int:
    r"""List what is recorded: every run, every change of ours with what became of it, and what others changed.

    Reads git alone: no policies, no site, no credentials. Every option narrows the list; of one that is given several
    times each value counts. Checked are the chain and the files that are told of; `audit verify` checks everything.

    \b
    Examples:
      cleanup-gitops audit log
      cleanup-gitops audit log --since 2026-07-01 --until 2026-12-31 --format csv > changes.csv
      cleanup-gitops audit log --group 'wiki-admins' --columns at,by,what,user,approval
      cleanup-gitops audit log --policy dormant-members --result failed
    """
    check_period(since, until)
    _check_actions(action_names)
    asked = Wish(**wish)
    wanted = layout(asked, EVENT_COLUMNS, SHOWN if asked.form == "table" else list(EVENT_COLUMNS))
    site = find_recorded(folder, site_name, branch)
    events = list(events_of(read_records(site.commits, site.history, since, until)))
    chosen = Wanted(
        users=frozenset(user_names),
        groups=_group_ids(group_names, site.outline, events) if group_names else None,
        policies=frozenset(policy_names),
        runs=frozenset(run_names),
        whats=frozenset(action_names),
        results=frozenset(result_names),
    )
    sheet = Sheet(wanted.columns, [one for one in events if chosen.has(one)], Facts(site.outline))
    show(sheet, asked, wanted, _found(site.outline), {}, "event", _UP_TO)
    return 0


@click.command("user")
@click.argument("account", metavar="ACCOUNT")
@site_option
@branch_option
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="How to print the story."
)
@click.pass_obj
def user_command(folder: Path, account: str, site_name: str | None, branch: str | None, form: str) -> int:
    r"""Tell the whole recorded story of one account: its rows in the snapshots, what happened to it, what is open.

    ACCOUNT is an account id. Reads git alone; an account that was closed or is gone long ago is found as well. CSV has
    the events only, with the columns of `audit log`.

    \b
    Examples:
      cleanup-gitops audit user 712020:0b1c…
      cleanup-gitops audit user 712020:0b1c… --format json
    """
    site = find_recorded(folder, site_name, branch)
    files = site.history.files()
    records = read_records(site.commits, site.history)
    story = story_of(account, site.commits, site.history, records, read_lines(files))
    if not story.known:
        raise CleanupError(
            f"Nothing is recorded of an account with this id on {site.name}.",
            "Give the whole account id; `cleanup-gitops users --recorded HEAD` lists those of the newest snapshot.",
        )
    facts = Facts(site.outline)
    groups = _groups_of(account, recorded_inventory(files)) if story.row else ()
    if form == "csv":
        from cleanup_gitops.views.tables import render_csv

        text = render_csv(Sheet(list(EVENT_COLUMNS.values()), story.events, facts))
    elif form == "json":
        text = render_json(story, site.name, groups, facts)
    else:
        text = render_text(story, site.name, groups, facts)
    click.echo(text, nl=False)
    return 0


@click.command("admins")
@site_option
@branch_option
@click.option("--on", "day", type=Day(), metavar="DATE", help="As of the end of this day (UTC); today if left out.")
@listing_options
@click.pass_obj
def admins_command(
    folder: Path,
    /,
    site_name: str | None,
    branch: str | None,
    day: date | None,
    **wish: Any,  # noqa: ANN401
) -> int:
    r"""List who administered the site on a day, and by which groups and roles.

    The last snapshot up to the end of the day counts; when that was read is said. Accounts of which it was not known
    whether they administer anything come last, with `unknown`: groups that nobody could tell are named with them.

    \b
    Examples:
      cleanup-gitops audit admins --on 2026-06-30
      cleanup-gitops audit admins --on 2026-06-30 --format csv > admins.csv
    """
    asked = Wish(**wish)
    usual = ADMINISTRATORS_SHOWN if asked.form == "table" else list(ADMINISTRATOR_COLUMNS)
    wanted = layout(asked, ADMINISTRATOR_COLUMNS, usual)
    today = SystemClock().now().date()
    if day is not None and day > today:
        raise click.UsageError(f"--on {day} is not over: nobody knows who will be an administrator then.")
    site = find_recorded(folder, site_name, branch)
    found = snapshot_on(site.commits, site.history, day or today)
    if found is None:
        raise CleanupError(
            f"There is no snapshot of {site.name} up to {day or today}.",
            "`cleanup-gitops audit log --action run` lists the runs, each of which made one.",
        )
    commit, _ = found
    inventory = recorded_inventory(site.history.files(commit.id))
    sheet = Sheet(wanted.columns, administrators(inventory), Facts(inventory))
    show(sheet, asked, wanted, _found(inventory), {}, "administrator")
    return 0


class _Length(click.ParamType[timedelta]):
    name = "length"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse a number of hours or days."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,4})([hd])", value)
        if found is None:
            self.fail(f"{value!r} is no length of time such as 36h or 7d.", param, ctx)
        return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


@click.command("gaps")
@site_option
@branch_option
@click.option("--since", type=Day(), metavar="DATE", help="Gaps that end on this day (UTC) or later.")
@click.option("--until", type=Day(), metavar="DATE", help="Gaps that begin on this day (UTC) or earlier.")
@click.option(
    "--longer-than",
    type=_Length(),
    default="36h",
    show_default=True,
    metavar="TIME",
    help="Leave out what is no longer than so many hours or days.",
)
@listing_options
@click.pass_obj
def gaps_command(
    folder: Path,
    /,
    site_name: str | None,
    branch: str | None,
    since: date | None,
    until: date | None,
    longer_than: timedelta,
    **wish: Any,  # noqa: ANN401
) -> int:
    r"""List stretches of time in which no run looked at the whole site: missed runs, void readings, stopped schedules.

    A run that had nothing to do is recorded, so what is missing was not done. The last gap reaches to now, where no run
    has followed for so long.

    \b
    Examples:
      cleanup-gitops audit gaps
      cleanup-gitops audit gaps --since 2026-07-01 --until 2026-12-31 --longer-than 2d --format csv
    """
    check_period(since, until)
    asked = Wish(**wish)
    wanted = layout(asked, GAP_COLUMNS, GAPS_SHOWN if asked.form == "table" else list(GAP_COLUMNS))
    site = find_recorded(folder, site_name, branch)
    found = gaps_of(read_records(site.commits, site.history), SystemClock().now(), longer_than)
    rows = [
        gap
        for gap in found
        if (since is None or since <= gap.until.date()) and (until is None or gap.since.date() <= until)
    ]
    show(Sheet(wanted.columns, rows, Facts(site.outline)), asked, wanted, _found(site.outline), {}, "gap", _UP_TO)
    return 0


_KNOWN = (
    *ACTIONS,
    *("user.appeared", "user.vanished", "user.changed", "membership.added", "membership.removed"),
    *("group.appeared", "group.vanished", "group.changed"),
    *("run", "void", "drift", "recovery", "rollback", "override", "review", "heartbeat", "roll-over", "undelivered"),
)


def _check_actions(actions: Sequence[str]) -> None:
    """Raise ``UsageError`` for a name that no event has: it would look as if there had been none."""
    for one in actions:
        if one not in _KNOWN:
            raise click.UsageError(f"--action: nothing is called {one!r}{did_you_mean(one, _KNOWN)}")


def _group_ids(names: Sequence[str], outline: Inventory, events: Sequence[Event]) -> frozenset[str]:
    """Ids of the groups with these names, globs or ids, also of groups that are gone. Raises ``CleanupError``."""
    known = {group.id: group.name for group in outline.groups}
    for event in events:
        for facts in (event.after, event.before):
            if event.group and event.group not in known:
                known[event.group] = str(facts.get("name", event.group))
    found: set[str] = set()
    for name in names:
        folded = name.casefold()
        meant = {one for one, called in known.items() if one == name or fnmatch.fnmatchcase(called.casefold(), folded)}
        if not meant:
            raise no_such_group([name], outline)
        found |= meant
    return frozenset(found)


def _groups_of(account: str, inventory: Inventory) -> tuple[str, ...] | None:
    user = inventory.user_by_id.get(account)
    return user.groups if user else ()


def _found(inventory: Inventory) -> Found:
    return Found(Live(inventory, NOBODY))
