"""One Confluence as its Site document describes it: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.policy.billing import License

DEFAULT_API_URL = "https://api.atlassian.com"


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """Where a secret is found: the name of an environment variable, and the day on which the secret ends.

    ``where`` is where that day stands.
    """

    env: str
    expires: date | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Organization API key, and the user and API token for Confluence itself."""

    org_api_key: CredentialRef
    user: CredentialRef
    token: CredentialRef


ActivitySource = Literal["directory", "content", "audit", "csv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCsv:
    """A list of last sightings outside the repository: an environment variable or a path, and its two columns.

    ``account`` holds account ids, ``seen`` dates or times in ISO 8601 (UTC).
    """

    env: str | None = None
    path: str | None = None
    account: str = "account"
    seen: str = "last_seen_utc"
    where: str = ""


@dataclass(frozen=True, slots=True)
class StateSettings:
    """Where the record of a site is kept.

    ``branch`` ``None``: the one that is checked out. ``remote`` ``None``: the one that the branch tracks; "none":
    nothing is pushed. ``sign``: with the SSH key that git is set up with. ``allowed_signers`` is the name of an
    environment variable that holds the path of a file outside the repository: the keys whose signatures count.
    """

    branch: str | None = None
    remote: str | None = None
    sign: bool = False
    allowed_signers: str | None = None


USUAL_PLACE = StateSettings()
"""What a Site document that says nothing of its state means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One Confluence and how to reach it. URLs have no slash at their end."""

    name: str
    hosting: Hosting
    url: str
    organization: str
    credentials: Credentials
    runner_accounts: tuple[str, ...]
    directory: str | None = None
    api_url: str = DEFAULT_API_URL
    internal_domains: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    synced_users: Literal["handoff", "suspend"] = "handoff"
    """Whether accounts that an identity provider syncs are handed off or suspended here."""
    sources: tuple[ActivitySource, ...] = ("directory",)
    """Where activity is looked for; the newest sighting wins."""
    csv: ActivityCsv | None = None
    approvers: str | None = None
    """Name of the environment variable that holds the path of a file outside the repository: the keys whose signed tags
    approve policies. ``None``: nobody's do."""
    state: StateSettings = USUAL_PLACE
    recorded_attributes: tuple[str, ...] = ()
    """Attributes of users that are kept in snapshots, sorted."""
    license: License | None = None
    """How it is billed; ``None``: not told."""
    ca_bundle: str | None = None
    """Path of a file with authorities that are trusted beside those of the system."""
    where_tls: str = ""
    where: str = ""
