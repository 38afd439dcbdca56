"""Options that several commands share."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import click

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.views.plan import RENDERERS

site_option = click.option("--site", "site_name", metavar="NAME", help="The Site to work on.")
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(sorted(RENDERERS)),
    default="text",
    show_default=True,
    help="How to print the plan.",
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="Show at most N changes in detail in the text form (default: all). The plan itself is never shortened.",
)


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AHEAD = re.compile(r"\+([0-9]{1,5})([dw])")
_YEARS = range(2000, 2201)


class Instant(click.ParamType[datetime]):
    """A UTC date (its last second), an ISO 8601 time with an offset, or so many days or weeks from now (``+14d``)."""

    name = "instant"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse; a bare date means the end of that UTC day, days ahead count from this moment."""
        if isinstance(value, datetime):
            return value
        try:
            if ahead := _AHEAD.fullmatch(value):
                at = SystemClock().now() + timedelta(days=int(ahead[1]) * (7 if ahead[2] == "w" else 1))
            else:
                at = datetime.fromisoformat(f"{value}T23:59:59Z" if _DAY.fullmatch(value) else value)
        except ValueError:
            self.fail(
                f"{value!r} is not a date like 2026-11-22, a time like 2026-11-22T09:00:00Z,"
                " or a number of days from now like +14d",
                param,
                ctx,
            )
        if at.year not in _YEARS:
            self.fail(f"{value!r} is not between the years {_YEARS[0]} and {_YEARS[-1]}", param, ctx)
        if at.tzinfo is None:
            self.fail(f"{value!r} has no time zone; add Z for UTC", param, ctx)
        return at.astimezone(UTC).replace(microsecond=0)


class Day(click.ParamType[date]):
    """A UTC day."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value if _DAY.fullmatch(value) else "")
        except ValueError:
            self.fail(f"{value!r} is not a day like 2027-03-01", param, ctx)
