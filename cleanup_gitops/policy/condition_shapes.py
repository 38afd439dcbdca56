"""The shape of conditions, as pydantic models: each predicate and what may stand in it, and trees of them.

Field docstrings are what the JSON Schema tells an editor.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from cleanup_gitops.policy.documents import AdminRole
from cleanup_gitops.policy.fields import (
    AccountId,
    Days,
    DomainPattern,
    EnvName,
    GroupPattern,
    OneOrSome,
    Product,
    Text,
)
from cleanup_gitops.policy.shape import Shape, one_key, some_key
from cleanup_gitops.policy.yaml_values import Map, Trap

TREE = ("all", "any", "none")


class Inactivity(Shape):
    """How long, and in which product."""

    for_: Annotated[Days, Field(alias="for")]
    """Days (`90d`) or weeks (`13w`)."""
    product: Product = "confluence"
    """`confluence`, the key of another product, or `any`: idle in every product."""


def _inactivity(value: object) -> object:
    return {"for": value} if isinstance(value, str | int | float) else value


def _or_duration(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"type": "string", "pattern": "^[1-9][0-9]{0,5}[dw]$"}, *schema["anyOf"]]


class SeatWays(Shape):
    """Ways to a license; with both keys, one of them is enough."""

    model_config = ConfigDict(json_schema_extra=some_key)

    groups: OneOrSome[GroupPattern] | None = None
    """Names or globs of groups, one of which gives it."""
    role: Literal["direct"] | None = None
    """`direct`: a role in Confluence that was given to the user and not to a group."""


def _ways(value: object) -> object:
    return value if value is None or isinstance(value, Map | Trap) else {"groups": value}


def _or_groups(schema: dict[str, Any]) -> None:
    pattern = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "[^*?]"}
    several = {"type": "array", "items": pattern, "minItems": 1, "uniqueItems": True}
    schema["anyOf"] = [pattern, several, *schema["anyOf"]]


class Attribute(Shape):
    """One attribute that the directory holds of a user, and the values meant."""

    model_config = ConfigDict(json_schema_extra=one_key)

    department: OneOrSome[GroupPattern] | None = None
    """Texts or globs, without regard to case."""
    job_title: OneOrSome[GroupPattern] | None = None
    """Texts or globs, without regard to case."""
    location: OneOrSome[GroupPattern] | None = None
    """Texts or globs, without regard to case."""
    organization: OneOrSome[GroupPattern] | None = None
    """Texts or globs, without regard to case."""


def _one_place_and_column(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": [place, column]} for place in ("env", "path") for column in ("account", "email")]


class ListFile(Shape):
    """A list of people in a CSV file outside the repository: where it is, and the column that tells who is meant."""

    model_config = ConfigDict(json_schema_extra=_one_place_and_column)

    env: EnvName | None = None
    """Name of the environment variable that holds the path of the file."""
    path: Text | None = None
    """Path of the file, from the folder that holds `policies/`; excludes `env`."""
    account: Text | None = None
    """Name of the column with account ids."""
    email: Text | None = None
    """Name of the column with e-mail addresses; excludes `account`."""


def _one_condition(schema: dict[str, Any]) -> None:
    """One predicate alone, or a tree."""
    alone = [{"required": [name], "maxProperties": 1} for name in PREDICATES]
    tree = {"anyOf": [{"required": [name]} for name in TREE], "propertyNames": {"enum": list(TREE)}}
    schema["oneOf"] = [*alone, tree]


class Condition(Shape):
    """Exactly one predicate, or a nested tree of `all`, `any` and `none`."""

    model_config = ConfigDict(json_schema_extra=_one_condition)

    all: list[Condition] | None = Field(default=None, min_length=1)
    """All of these hold."""
    any: list[Condition] | None = Field(default=None, min_length=1)
    """At least one of these holds."""
    none: list[Condition] | None = Field(default=None, min_length=1)
    """None of these holds."""
    has_seat: bool | None = None
    """Whether the user occupies a paid Confluence seat now."""
    inactive_for: Annotated[Inactivity | None, BeforeValidator(_inactivity), Field(json_schema_extra=_or_duration)] = (
        None
    )
    """Used once, and last used more than this many days ago: `90d`, or `{for: 90d, product: any}`."""
    never_active_for: Days | None = None
    """Never used Confluence, and added more than this many days ago."""
    active_only_once: bool | None = None
    """Last seen within a day of being added; unknown for everybody who was seen later."""
    added_for: Days | None = None
    """Added more than this many days ago."""
    in_group: OneOrSome[GroupPattern] | None = None
    """Member of a group with this name or glob (or one of these), nested groups included."""
    seat_via: Annotated[SeatWays | None, BeforeValidator(_ways), Field(json_schema_extra=_or_groups)] = None
    """A license is held through one of these groups, or by a role given directly: `{role: direct}`."""
    license: OneOrSome[Literal["seat", "guest", "none"]] | None = None
    """Class of the license in Confluence, whatever the account's status."""
    status: OneOrSome[Literal["active", "suspended", "disabled", "deactivated", "deleting", "absent"]] | None = None
    """Status of the account; `disabled` is the word for every hosting, on Cloud the same as `suspended`."""
    in_status_for: Days | None = None
    """The status has been the same for more than this many days."""
    kind: OneOrSome[Literal["person", "service", "app", "customer"]] | None = None
    """Type of the account. Policies speak about persons unless they name another type here."""
    has_role: OneOrSome[AdminRole] | None = None
    """Holder of one of these administrative roles."""
    managed: bool | None = None
    """Whether the organization manages the account, as its e-mail domain is verified."""
    synced: bool | None = None
    """Whether an identity provider syncs the account."""
    external: bool | None = None
    """Whether the account belongs to somebody outside, by its e-mail domain."""
    directory: OneOrSome[GroupPattern] | None = None
    """Id or name of the directory that the account is in, or a glob."""
    email_domain: OneOrSome[DomainPattern] | None = None
    """Domain of the e-mail address, exactly; `*.example.com` means its sub-domains only."""
    email: Literal["present", "absent"] | None = None
    """Whether the site shows an e-mail address."""
    name: OneOrSome[GroupPattern] | None = None
    """Display name or glob, without regard to case; known only while a site is read."""
    attribute: Attribute | None = None
    """One attribute of the directory: `{department: ["Sales*"]}`."""
    account: OneOrSome[AccountId] | None = None
    """Account id, or a list of them."""
    listed_in: ListFile | None = None
    """Named in a CSV file outside the repository: `{env: HR_LEAVERS_CSV, account: account_id}`."""


PREDICATES = tuple(name for name in Condition.model_fields if name not in TREE)


def _someone(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["all"]}, {"required": ["any"]}]


class MatchSpec(Shape):
    """Who is meant."""

    model_config = ConfigDict(json_schema_extra=_someone)

    include_admins: bool = False
    """Whether administrators are meant too; without it they are protected."""
    all: list[Condition] | None = Field(default=None, min_length=1)
    """All of these hold."""
    any: list[Condition] | None = Field(default=None, min_length=1)
    """At least one of these holds."""
    none: list[Condition] | None = Field(default=None, min_length=1)
    """None of these holds; needs `all` or `any` beside it."""
