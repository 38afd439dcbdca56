"""The shape of policy documents, as pydantic models: what keys there are and what may stand in them.

Rules between several keys stand in ``rules``, rules between documents in ``checks``. Field docstrings are what
the JSON Schema tells an editor.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from cleanup_gitops.policy.condition_shapes import MatchSpec
from cleanup_gitops.policy.documents import DEFAULT_SOAK_HOURS, AdminRole, ExemptionReason
from cleanup_gitops.policy.fields import (
    AccountId,
    CronLine,
    Day,
    Days,
    GroupPattern,
    Name,
    Prose,
    SitePattern,
    Soak,
    Some,
    Text,
    TimeZone,
)
from cleanup_gitops.policy.group_shapes import GroupEntrySpec, GroupsMetadata
from cleanup_gitops.policy.guard_shapes import GuardrailsSpec, OverrideMetadata, OverrideSpec
from cleanup_gitops.policy.notice_shapes import NotificationsMetadata, NotificationsSpec
from cleanup_gitops.policy.policytest_shapes import PolicyTestMetadata, PolicyTestSpec
from cleanup_gitops.policy.roster_shapes import RosterSpec
from cleanup_gitops.policy.shape import Shape, some_key
from cleanup_gitops.policy.site_shapes import SiteMetadata, SiteSpec
from cleanup_gitops.policy.state_shapes import EnsureSpec, StageSpec


class Metadata(Shape):
    """Name and owner of a document."""

    name: Name
    """Unique among documents of one kind."""
    owner: Text
    """A team's address or handle, never a Confluence user."""


class PolicyMetadata(Metadata):
    """Name, owner and purpose of a policy."""

    why: Prose
    """One sentence for people who are affected and for auditors: why this rule exists."""
    codeowner: Text | None = None
    """Who reviews changes of this file, as in CODEOWNERS."""
    controls: Some[Text] | None = None
    """Controls that the policy serves, such as `ISO27001:A.5.18`."""


class StandingSpec(Shape):
    """What `apply --standing` may do for a policy that was approved as a whole."""

    max_per_day: int = Field(ge=1, le=1_000_000)
    """Largest number of changes on one UTC day."""
    after: Soak = Field(default=DEFAULT_SOAK_HOURS, json_schema_extra={"default": f"{DEFAULT_SOAK_HOURS}h"})
    """How long a change must have been recorded as pending: hours (`24h`) or days (`2d`)."""


class ScheduleSpec(Shape):
    """When a policy acts. It is evaluated in every run all the same."""

    cron: Some[CronLine] | None = None
    """Cron lines of five fields: minute, hour, day of the month, month, day of the week."""
    time_zone: TimeZone | None = None
    """Whose clocks are meant by `cron`, such as `Europe/Oslo`."""
    before_billing: Days | None = None
    """So many days before a billing period ends seats are freed; earlier saves nothing."""


def _ensure_or_stages(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["ensure"]}, {"required": ["stages"]}]


class PolicySpec(Shape):
    """Who must be in which state."""

    model_config = ConfigDict(json_schema_extra=_ensure_or_stages)

    class_: Literal["routine", "termination"] = Field(default="routine", alias="class")
    """`termination`: ends the access of people who leave; it beats every routine policy."""
    mode: Literal["enforce", "report"] = "enforce"
    """`report`: the plan lists what would change, and nothing of it is ever carried out."""
    priority: int = Field(default=0, ge=-1000, le=1000)
    """Of policies that take something from the same user the highest priority wins, before the mildest."""
    once: bool = False
    """`true`: acts no more after one run that left nothing of it; needs `until`."""
    until: Day | None = None
    """The last day (UTC) on which the policy acts."""
    approval: Literal["plan", "standing"] = "plan"
    """`plan`: changes are made of a saved plan that was reviewed. `standing`: also of a policy with a signed tag."""
    standing: StandingSpec | None = None
    schedule: ScheduleSpec | None = None
    match: MatchSpec
    ensure: EnsureSpec | None = None
    """The state that everybody who fits is in."""
    stages: list[StageSpec] | None = Field(default=None, min_length=1)
    """One step after the other for everybody who fits, instead of `ensure`."""


class ProtectionSpec(Shape):
    """Who is never touched."""

    model_config = ConfigDict(json_schema_extra=some_key)

    accounts: Some[AccountId] | None = None
    """Account ids."""
    groups: Some[GroupPattern] | None = None
    """Names or globs of groups whose members are protected."""
    roles: Some[AdminRole] | None = None
    """Administrative roles whose holders are protected, whatever a policy says of administrators."""


class ExemptionSpec(Shape):
    """One person who is left alone until a day."""

    account: AccountId
    """Account id."""
    reason: ExemptionReason
    """Why, as a code: free text would tell too much about a person."""
    until: Day
    """Last day of the exemption (UTC), at most 12 months from now."""
    ticket: Text
    """Where the decision is recorded."""
    owner: Text | None = None
    """Who answers for it; the document's owner when left out."""


class _DocumentShape(Shape):
    apiVersion: Literal["cleanup-gitops/v1"]  # noqa: N815 - the spelling of the file format
    """Version of the format."""


class _Scoped(_DocumentShape):
    sites: Some[SitePattern] | None = None
    """Sites (names or globs) that the document is about; needed when there is more than one Site."""


class SiteDocument(_DocumentShape):
    """One Confluence and how to reach it."""

    kind: Literal["Site"]
    metadata: SiteMetadata
    spec: SiteSpec


class PolicyDocument(_Scoped):
    """One rule: who must be in which state."""

    kind: Literal["Policy"]
    metadata: PolicyMetadata
    spec: PolicySpec


class ProtectionDocument(_Scoped):
    """Accounts and groups that no policy touches."""

    kind: Literal["Protection"]
    metadata: Metadata
    spec: ProtectionSpec


class ExemptionsDocument(_Scoped):
    """People who are left alone until a day."""

    kind: Literal["Exemptions"]
    metadata: Metadata
    spec: list[ExemptionSpec] = Field(min_length=1)


class GuardrailsDocument(_Scoped):
    """Guards of what one plan may change."""

    kind: Literal["Guardrails"]
    metadata: Metadata
    spec: GuardrailsSpec


class OverrideDocument(_Scoped):
    """An exception from one guard, with an end."""

    kind: Literal["Override"]
    metadata: OverrideMetadata
    spec: OverrideSpec


class RosterDocument(_Scoped):
    """Who belongs to the company, by a file outside the repository."""

    kind: Literal["Roster"]
    metadata: Metadata
    spec: RosterSpec


class GroupsDocument(_Scoped):
    """Groups and who must be a member of them."""

    kind: Literal["Groups"]
    metadata: GroupsMetadata
    spec: list[GroupEntrySpec] = Field(min_length=1)


class NotificationsDocument(_Scoped):
    """How people are told about what policies do."""

    kind: Literal["Notifications"]
    metadata: NotificationsMetadata
    spec: NotificationsSpec


class PolicyTestDocument(_Scoped):
    """Invented people, and what the policies must make of them."""

    kind: Literal["PolicyTest"]
    metadata: PolicyTestMetadata
    spec: PolicyTestSpec


AnyDocument = (
    SiteDocument
    | PolicyDocument
    | ProtectionDocument
    | ExemptionsDocument
    | GuardrailsDocument
    | OverrideDocument
    | RosterDocument
    | GroupsDocument
    | NotificationsDocument
    | PolicyTestDocument
)
SHAPES: dict[str, type[AnyDocument]] = {
    "Site": SiteDocument,
    "Policy": PolicyDocument,
    "Protection": ProtectionDocument,
    "Exemptions": ExemptionsDocument,
    "Guardrails": GuardrailsDocument,
    "Override": OverrideDocument,
    "Roster": RosterDocument,
    "Groups": GroupsDocument,
    "Notifications": NotificationsDocument,
    "PolicyTest": PolicyTestDocument,
}
