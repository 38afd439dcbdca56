"""The shape of Site documents: one Confluence, how to reach it, and how its people are recognized.

Field docstrings are what the JSON Schema tells an editor.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from cleanup_gitops.policy.fields import (
    AccountId,
    ApiUrl,
    BranchName,
    Day,
    Domain,
    EnvName,
    GroupPattern,
    Name,
    PlainId,
    RemoteName,
    SiteUrl,
    Some,
    Text,
)
from cleanup_gitops.policy.shape import Shape
from cleanup_gitops.policy.site import ActivitySource


class SiteMetadata(Shape):
    """Name of the site."""

    name: Name
    """Name of the site, also of its folder under `state/`."""


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
    synced_users: Literal["handoff", "suspend"] = "handoff"
    """What becomes of accounts that an identity provider syncs: `handoff` to whoever runs it, or `suspend` here."""


class Tls(Shape):
    """Certificates beside those of the system. There is no key that switches their check off."""

    ca_bundle: Text
    """File with certificates of authorities in PEM form, as seen from the policies' folder."""


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


def _one_place(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["env"]}, {"required": ["path"]}]


class ActivityFile(Shape):
    """A list of last sightings outside the repository, in CSV."""

    model_config = ConfigDict(json_schema_extra=_one_place)

    env: EnvName | None = None
    """Name of the environment variable that holds the path of the file."""
    path: Text | None = None
    """Path of the file; excludes `env`."""
    account: Text = "account"
    """Name of the column with account ids."""
    seen: Text = "last_seen_utc"
    """Name of the column with days or times in ISO 8601, UTC."""


def _directory_alone() -> list[ActivitySource]:
    return ["directory"]


class Activity(Shape):
    """Where the last use is looked for; the newest sighting wins."""

    sources: Some[ActivitySource] = Field(default_factory=_directory_alone)
    """Sources; `directory` must be among them, and it is the only one when left out."""
    csv: ActivityFile | None = None
    """The file that the source `csv` means."""


class SignersFile(Shape):
    """Where the keys are whose signatures count."""

    env: EnvName
    """Name of the environment variable that holds the path of an `allowed_signers` file outside the repository."""


class State(Shape):
    """Where the record of the site is kept."""

    branch: BranchName | None = None
    """Branch of the record; the one that is checked out if left out."""
    remote: RemoteName | None = None
    """Remote to push to, or `none`; the one that the branch tracks if left out."""
    sign: bool = False
    """Whether commits are signed with the SSH key that git is set up with."""
    allowed_signers: SignersFile | None = None
    """When given, a record whose newest commit is not signed by one of these keys is refused."""


class SnapshotSpec(Shape):
    """What snapshots keep beside the usual facts."""

    attributes: Some[Literal["department", "job_title", "location", "organization"]]
    """Attributes of users; none are kept if left out."""


class LicenseSpec(Shape):
    """How the license is billed: a freed seat saves money from the next period on."""

    billing: Literal["monthly", "annual"]
    """`monthly`: by the largest number of users of a month; `annual`: by the number bought at the renewal."""
    period_day: int | None = Field(default=None, ge=1, le=31)
    """Monthly: the day of the month on which a period begins; the last one in months that are shorter."""
    renews: Day | None = None
    """The day (UTC) on which the license renews; annual billing needs it."""


class SiteSpec(Shape):
    """How to reach one Confluence."""

    hosting: Literal["cloud"]
    """Where the site runs."""
    url: SiteUrl
    """Address of the site, without a path."""
    cloud: Cloud
    tls: Tls | None = None
    credentials: SiteCredentials
    runner: Runner
    identity: Identity | None = None
    activity: Activity = Field(default_factory=Activity)
    approvers: SignersFile | None = None
    """Whose signed tags approve policies with `approval: standing`; nobody's if left out."""
    state: State | None = None
    snapshot: SnapshotSpec | None = None
    license: LicenseSpec | None = None
    """How the license is billed; needed by policies with `before_billing`."""
