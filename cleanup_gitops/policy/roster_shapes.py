"""The shape of Roster documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from cleanup_gitops.policy.fields import EnvName, GroupName, Name, Sla, Some, Text, TimeZone, wrong
from cleanup_gitops.policy.roster import DEFAULT_SLA_HOURS, Encoding, Separator
from cleanup_gitops.policy.roster_rows import is_day_form
from cleanup_gitops.policy.shape import Shape, some_key
from cleanup_gitops.policy.state_shapes import EnsureSpec


def _form(value: str) -> str:
    if not is_day_form(value):
        raise wrong("must say how days are written, such as YYYY-MM-DD, DD.MM.YYYY or MM/DD/YYYY")
    return value


def _one_place(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["env"]}, {"required": ["path"]}]


def _leavers_or_joiners(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["leavers"]}, {"required": ["joiners"]}]


class RosterColumns(Shape):
    """Names of columns. Others are passed over."""

    model_config = ConfigDict(json_schema_extra=some_key)

    account: Text | None = None
    """Account ids. Where a row has one, nothing else says who is meant."""
    email: Text | None = None
    """E-mail addresses: somebody is meant by one only where one managed account alone has it."""
    starts: Text | None = None
    """The first day; an empty cell: always."""
    ends: Text | None = None
    """The last day; an empty cell: no end."""


class RosterSource(Shape):
    """Where the CSV file lies, outside the repository, and how it is read."""

    model_config = ConfigDict(json_schema_extra=_one_place)

    env: EnvName | None = None
    """Name of the environment variable that holds the path of the file."""
    path: Text | None = None
    """Path of the file; excludes `env`."""
    columns: RosterColumns
    time_zone: TimeZone
    """By whose clocks days begin and end, such as `Europe/Oslo`."""
    encoding: Encoding | None = None
    """How text is stored; UTF-8, or UTF-16 with a byte order mark, if left out."""
    separator: Separator | None = None
    """What separates the fields; what the header shows if left out."""
    days: Annotated[Text, AfterValidator(_form)] = "YYYY-MM-DD"
    """How days are written, such as `DD.MM.YYYY`."""


class LeaversSpec(Shape):
    """What becomes of people whose last day is over."""

    ensure: EnsureSpec
    """The state that they are in from then on."""
    sla: Sla = Field(default=DEFAULT_SLA_HOURS, json_schema_extra={"default": f"{DEFAULT_SLA_HOURS}h"})
    """How long after the end of the last day it may take: hours (`24h`) or days (`2d`)."""


class JoinersSpec(Shape):
    """What people who begin are given."""

    groups: Some[GroupName]
    """Groups that they become members of."""
    role: Literal["user"] = "user"
    """Their role in Confluence, if they have no account and are invited."""
    notify: Name | None = None
    """Template of the notice that welcomes them, once they have an account."""


class RosterStanding(Shape):
    """What `apply --standing` may do for the roster."""

    max_per_day: int = Field(ge=1, le=1_000_000)
    """Largest number of changes on one UTC day."""


class RosterSpec(Shape):
    """Who belongs to the company, from when until when."""

    model_config = ConfigDict(json_schema_extra=_leavers_or_joiners)

    source: RosterSource
    approval: Literal["plan", "standing"] = "plan"
    """`plan`: changes are made of a saved plan that was reviewed. `standing`: also of a roster with a signed tag."""
    standing: RosterStanding | None = None
    """With `approval: standing`; 20 changes a day if left out."""
    leavers: LeaversSpec | None = None
    joiners: JoinersSpec | None = None
