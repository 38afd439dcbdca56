"""The shape of the documents that limit plans: Guardrails and Override."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from cleanup_gitops.model.change import ACTIONS, Action
from cleanup_gitops.policy.fields import (
    AccountId,
    AllowedHours,
    Day,
    Days,
    DeniedDays,
    GroupName,
    Name,
    Percent,
    PlanAge,
    Some,
    Text,
    TimeZone,
    wrong,
)
from cleanup_gitops.policy.guarding import PLACEHOLDER, Guard, OverrideReason, check_capped
from cleanup_gitops.policy.shape import Shape, some_key


class CapSpec(Shape):
    """Cap of one plan. Both numbers hold; one change is always allowed, unless one of them is 0: that means never."""

    max: int = Field(ge=0, le=1_000_000)
    """Largest number of changes."""
    percent: int | None = Field(default=None, ge=0, le=100)
    """Largest share of the site's seats; the default of the action when left out."""


class ShareSpec(Shape):
    """Cap of one plan as a share alone."""

    percent: int = Field(ge=1, le=100)
    """Largest share of the accounts of one e-mail domain from which one plan may take something; 50 if left out."""


class CapsSpec(Shape):
    """Caps by action. What is left out keeps its default."""

    model_config = ConfigDict(json_schema_extra=some_key)

    user_delete: CapSpec | None = Field(default=None, alias="user.delete")
    """Accounts scheduled for deletion."""
    user_remove: CapSpec | None = Field(default=None, alias="user.remove")
    """Accounts removed from the directory."""
    user_deactivate: CapSpec | None = Field(default=None, alias="user.deactivate")
    """Accounts closed as a whole."""
    user_disable: CapSpec | None = Field(default=None, alias="user.disable")
    """Accounts suspended or disabled."""
    role_revoke: CapSpec | None = Field(default=None, alias="role.revoke")
    """Roles held directly that are taken back."""
    membership_remove: CapSpec | None = Field(default=None, alias="membership.remove")
    """Memberships that end."""
    tokens_revoke: CapSpec | None = Field(default=None, alias="tokens.revoke")
    """API tokens that end."""
    user_enable: CapSpec | None = Field(default=None, alias="user.enable")
    """Accounts opened again."""
    membership_add: CapSpec | None = Field(default=None, alias="membership.add")
    """Memberships that begin."""
    notice_send: CapSpec | None = Field(default=None, alias="notice.send")
    """Notices to users; no other cap counts them."""
    user_invite: CapSpec | None = Field(default=None, alias="user.invite")
    """People without an account who are invited."""
    total: CapSpec | None = None
    """Changes of all kinds together, without notices."""
    termination: CapSpec | None = None
    """Changes of policies with `class: termination`, which the caps of the actions do not count."""
    per_domain: ShareSpec | None = None
    """Accounts of one e-mail domain from which a plan takes something."""


check_capped(ACTIONS, {field.alias or name for name, field in CapsSpec.model_fields.items()}, "`Guardrails.spec.caps`")


class CanariesSpec(Shape):
    """What must be in every reading."""

    model_config = ConfigDict(json_schema_extra=some_key)

    accounts: Some[AccountId] | None = None
    """Account ids that must be there and active."""
    groups: Some[GroupName] | None = None
    """Names of groups that must be there and have members."""


class ReadingSpec(Shape):
    """When a reading is taken for a fault of the data, whatever its lists say of themselves."""

    model_config = ConfigDict(json_schema_extra=some_key)

    max_drop: Percent | None = None
    """How far accounts, seats, groups, or members of one may have fallen since the last snapshot; 10% if left out."""
    min_known_activity: Percent | None = None
    """Of how many seats the last use must be known; 90% if left out."""
    canaries: CanariesSpec | None = None


class FlappingSpec(Shape):
    """When a policy stops by itself, because something brings back what it takes away."""

    after: int = Field(ge=1, le=100)
    """Days on which others undid the same policy's change of the same user; from then on it leaves the user alone."""


class WindowsSpec(Shape):
    """When changes may be made at all, those of terminations apart."""

    time_zone: TimeZone
    """Whose clocks are meant, such as `Europe/Oslo`."""
    deny: Some[DeniedDays] | None = None
    """Days on which nothing is done: one day, or a first and a last day (`2026-12-15/2027-01-05`). Deny wins."""
    allow: Some[AllowedHours] | None = None
    """Hours in which something is done (`mon-fri 06:00-18:00`); always when left out."""


class GuardrailsSpec(Shape):
    """Guards of a whole plan. A plan over one is unsafe, and nothing of it is applied."""

    model_config = ConfigDict(json_schema_extra=some_key)

    caps: CapsSpec | None = None
    allow: Some[Action] | None = None
    """Actions that a plan may have at all; every one but `user.remove` and `user.delete` when left out."""
    min_admins: int | None = Field(default=None, ge=1, le=1000)
    """Active people with an administrative role whom a plan must leave; 1 if left out."""
    reading: ReadingSpec | None = None
    plan_ttl: PlanAge | None = None
    """How long a saved plan may be applied: hours (`72h`) or days (`3d`). Default 72h."""
    grace: Days | None = None
    """How long a policy leaves somebody alone after its change was undone, by hand or by `rollback`. Default 14d."""
    handoff_sla: Days | None = None
    """How long others may take for what a stage handed off to them; then it is overdue. Default 14d."""
    windows: WindowsSpec | None = None
    flapping: FlappingSpec | None = None
    """What to do about users who come back after every change."""


class OverrideMetadata(Shape):
    """Name of an Override, and who asked for it."""

    name: Name
    """Unique among documents of one kind."""
    owner: Text | None = None
    """A team's address or handle, never a Confluence user."""


def _decided(value: str) -> str:
    if value.startswith(PLACEHOLDER):
        raise wrong("is still the placeholder: write where the decision is recorded")
    return value


class OverrideSpec(Shape):
    """One guard, one number, one end."""

    guard: Guard
    """The guard that is lifted: the key of a cap, `empty_groups`, or a key of `reading` with `reading.` before it."""
    policy: Name | None = None
    """The policy whose rows may be so many; all others count against the usual number. Every row when left out."""
    max: int = Field(ge=1, le=1_000_000)
    """How much is allowed instead: rows, accounts of one domain, groups; percent for a key of `reading`."""
    until: Day
    """Last day of the exception (UTC), at most 31 days from now."""
    reason: OverrideReason
    """Why, as a code."""
    ticket: Annotated[Text, AfterValidator(_decided)]
    """Where the decision is recorded."""
