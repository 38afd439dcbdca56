"""The shape of policy documents, as pydantic models: what keys there are and what may stand in them.

Rules between several keys stand in ``rules``, rules between documents in ``checks``. Field docstrings are what
the JSON Schema tells an editor.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cleanup_gitops.policy.documents import ExemptionReason
from cleanup_gitops.policy.fields import (
    AccountId,
    ApiUrl,
    Day,
    Days,
    Domain,
    DomainPattern,
    EnvName,
    GroupName,
    GroupPattern,
    Hours,
    Name,
    OneOrSome,
    PlainId,
    Product,
    Prose,
    SitePattern,
    SiteUrl,
    Some,
    Text,
)

PREDICATES = ("has_seat", "inactive_for", "never_active_for", "in_group", "kind", "email_domain")
TREE = ("all", "any", "none")


class Shape(BaseModel):
    """Unknown keys are errors, nothing is converted silently, nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        defer_build=True,
        populate_by_name=False,
    )


class SiteMetadata(Shape):
    """Name of the site."""

    name: Name
    """Name of the site, also of its folder under `state/`."""


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


class Credential(Shape):
    """Where a secret is found."""

    env: EnvName
    """Name of the environment variable that holds the secret."""
    expires: Day | None = None
    """The day on which the secret ends; warnings come in the last 14 days before it."""


class SiteCredentials(Shape):
    """Names of environment variables, never values."""

    org_api_key: Credential
    """API key of the organization, without scopes."""
    user: Credential
    """E-mail address of the account that the API token belongs to."""
    token: Credential
    """API token of that account."""


class Cloud(Shape):
    """The Atlassian organization that the site belongs to."""

    organization: PlainId
    """Id of the organization."""
    directory: PlainId | None = None
    """Id of the directory; needed only when the organization has several."""
    api_url: ApiUrl | None = None
    """Address of the Organizations API; only a proxy or a sandbox needs another than `https://api.atlassian.com`."""


class Runner(Shape):
    """Who runs the tool."""

    accounts: Some[AccountId]
    """Account ids of the owners of the keys: always protected, so that the tool cannot lock itself out."""


class Identity(Shape):
    """How the organization's own accounts are recognized."""

    internal_domains: Some[Domain] | None = None
    """E-mail domains of the organization itself."""
    service_accounts: Some[GroupPattern] | None = None
    """Names or globs of accounts that are used by programs."""


class SiteSpec(Shape):
    """How to reach one Confluence."""

    hosting: Literal["cloud"]
    """Where the site runs."""
    url: SiteUrl
    """Address of the site, without a path."""
    cloud: Cloud
    credentials: SiteCredentials
    runner: Runner
    identity: Identity | None = None


class Inactivity(Shape):
    """How long, and in which product."""

    for_: Annotated[Days, Field(alias="for")]
    """Days (`90d`) or weeks (`13w`)."""
    product: Product = "confluence"
    """`confluence`, the key of another product, or `any`: idle in every product."""


def _inactivity(value: object) -> object:
    return {"for": value} if isinstance(value, str | int | float) and value is not True else value


def _or_duration(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"type": "string", "pattern": "^[1-9][0-9]{0,5}[dw]$"}, *schema["anyOf"]]


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
    in_group: OneOrSome[GroupPattern] | None = None
    """Member of a group with this name or glob (or one of these), nested groups included."""
    kind: OneOrSome[Literal["person", "service", "app", "customer"]] | None = None
    """Type of the account. Policies speak about persons unless they name another type here."""
    email_domain: OneOrSome[DomainPattern] | None = None
    """Domain of the e-mail address, exactly; `*.example.com` means its sub-domains only."""


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


def _some_key(schema: dict[str, Any]) -> None:
    schema["minProperties"] = 1


class GroupsSpec(Shape):
    """Direct memberships."""

    model_config = ConfigDict(json_schema_extra=_some_key)

    present: Some[GroupName] | None = None
    """Groups that the user must be in."""
    absent: Some[GroupPattern] | None = None
    """Groups (names or globs) that the user must not be in."""
    exactly: Some[GroupName] | None = None
    """The groups that the user must be in, and no other; excludes `present` and `absent`."""


class EnsureSpec(Shape):
    """The state to be in. What is left out is left alone."""

    model_config = ConfigDict(json_schema_extra=_some_key)

    status: Literal["active", "disabled", "suspended"] | None = None
    """`disabled` is the word for every hosting; on Cloud it means suspended in the directory."""
    groups: GroupsSpec | None = None


class PolicySpec(Shape):
    """Who must be in which state."""

    match: MatchSpec
    ensure: EnsureSpec


class ProtectionSpec(Shape):
    """Who is never touched."""

    model_config = ConfigDict(json_schema_extra=_some_key)

    accounts: Some[AccountId] | None = None
    """Account ids."""
    groups: Some[GroupPattern] | None = None
    """Names or globs of groups whose members are protected."""


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


class CapSpec(Shape):
    """Limit of one plan. Both numbers hold; one change is always allowed, unless one of them is 0: that means never."""

    max: int = Field(ge=0, le=1_000_000)
    """Largest number of changes."""
    percent: int | None = Field(default=None, ge=0, le=100)
    """Largest share of the site's seats; the default of the action when left out."""


class CapsSpec(Shape):
    """Limits by action. What is left out keeps its default."""

    model_config = ConfigDict(json_schema_extra=_some_key)

    user_disable: CapSpec | None = Field(default=None, alias="user.disable")
    """Accounts suspended or disabled."""
    membership_remove: CapSpec | None = Field(default=None, alias="membership.remove")
    """Memberships that end."""
    user_enable: CapSpec | None = Field(default=None, alias="user.enable")
    """Accounts opened again."""
    membership_add: CapSpec | None = Field(default=None, alias="membership.add")
    """Memberships that begin."""
    total: CapSpec | None = None
    """Changes of all kinds together."""


class GuardrailsSpec(Shape):
    """Limits on a whole plan. A plan over a limit is unsafe, and nothing of it is applied."""

    model_config = ConfigDict(json_schema_extra=_some_key)

    caps: CapsSpec | None = None
    plan_ttl: Hours | None = None
    """How long a saved plan may be applied: hours (`72h`) or days (`3d`). Default 72h."""


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
    """Limits on what one plan may change."""

    kind: Literal["Guardrails"]
    metadata: Metadata
    spec: GuardrailsSpec


AnyDocument = SiteDocument | PolicyDocument | ProtectionDocument | ExemptionsDocument | GuardrailsDocument
SHAPES: dict[
    str,
    type[SiteDocument | PolicyDocument | ProtectionDocument | ExemptionsDocument | GuardrailsDocument],
] = {
    "Site": SiteDocument,
    "Policy": PolicyDocument,
    "Protection": ProtectionDocument,
    "Exemptions": ExemptionsDocument,
    "Guardrails": GuardrailsDocument,
}
