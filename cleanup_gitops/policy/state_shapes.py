"""The shape of what a policy asks for: a state to be in, or several of them, one after the other."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from cleanup_gitops.policy.condition_shapes import Condition
from cleanup_gitops.policy.fields import Days, GroupName, GroupPattern, Name, Some
from cleanup_gitops.policy.shape import Shape, some_key

STATES = ("status", "product_access", "groups", "api_tokens")
"""Keys of `ensure` that ask for something."""


class GroupsSpec(Shape):
    """Direct memberships."""

    model_config = ConfigDict(json_schema_extra=some_key)

    present: Some[GroupName] | None = None
    """Groups that the user must be in."""
    absent: Some[GroupPattern] | None = None
    """Groups (names or globs) that the user must not be in."""
    exactly: Some[GroupName] | None = None
    """The groups that the user must be in, and no other; excludes `present` and `absent`."""


def _some_state(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": [name]} for name in STATES]


class EnsureSpec(Shape):
    """The state to be in. What is left out is left alone."""

    model_config = ConfigDict(json_schema_extra=_some_state)

    status: Literal["active", "disabled", "suspended", "deactivated", "removed", "deleted"] | None = None
    """`disabled` is the word for every hosting; on Cloud it means suspended in the directory."""
    product_access: Literal["absent"] | None = None
    """`absent`: no license in Confluence, in whatever way it is held."""
    groups: GroupsSpec | None = None
    api_tokens: Literal["revoked"] | None = None
    """`revoked`: the account has no API token."""
    allow_shared_groups: bool = False
    """Whether users may be taken out of groups that give other products too."""


class WhenSpec(Shape):
    """A condition of one stage, beside `match`."""

    model_config = ConfigDict(json_schema_extra=some_key)

    all: list[Condition] | None = Field(default=None, min_length=1)
    """All of these hold."""
    any: list[Condition] | None = Field(default=None, min_length=1)
    """At least one of these holds."""
    none: list[Condition] | None = Field(default=None, min_length=1)
    """None of these holds."""


def _ensure_or_notify(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["ensure"]}, {"required": ["notify"]}]


class StageSpec(Shape):
    """One step of a policy: a state to be in, or a mail that tells of what comes."""

    model_config = ConfigDict(json_schema_extra=_ensure_or_notify)

    name: Name
    """Unique in the policy; where a user stands is remembered by it."""
    after: Days | None = None
    """Days since all of the stage before was seen to be done (a notice: since the mail relay took it).

    Every stage but the first needs it.
    """
    when: WhenSpec | None = None
    """What must hold beside `match` for this stage; until it does, the user waits before it."""
    notify: Name | None = None
    """Template of the mail that the user gets. Needs a Notifications document for the site."""
    ensure: EnsureSpec | None = None
    """The state to be in from this stage on."""
