"""One Confluence Cloud site, connected: both credentials checked, the directory known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.ports import Clock, Progress
from cleanup_gitops.policy.site import Site
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.cloud.preflight import preflight
from cleanup_gitops.sites.cloud.reader import CloudReader
from cleanup_gitops.sites.cloud.refusals import organization_refusals, site_refusals
from cleanup_gitops.sites.cloud.sources import Sources
from cleanup_gitops.sites.cloud.writer import CloudWriter
from cleanup_gitops.sites.exchange import Limits, trusted
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, basic, bearer, pseudonym_key, taken


class CloudSite:
    """A reader and a writer of one site; a context manager that closes the connections at its end."""

    def __init__(self, reader: CloudReader, writer: CloudWriter, *clients: Http) -> None:
        self.reader = reader
        self.writer = writer
        self._clients = clients

    def stop_waiting(self) -> None:
        """End all waits for the site's rate limit: the call that waits raises `SiteError`, and nothing was sent.

        Calls that need not wait go on. The next reading of the whole site waits again. Safe in a signal handler.
        """
        for client in self._clients:
            client.stop_waiting()

    def close(self) -> None:
        """End waits and connections."""
        for client in self._clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def connect(
    site: Site,
    secrets: Mapping[str, Secret],
    clock: Clock,
    progress: Progress | None = None,
    *,
    limits: Limits | None = None,
    folder: Path | None = None,
) -> CloudSite:
    """Connect to ``site`` with the secrets that it names (environment variable -> value).

    ``folder`` is what a relative path in the Site document starts from; the working directory without one. Raises
    `CredentialError` or `SiteError` with the first thing that is wrong, before anything is read.
    """
    names = site.credentials
    key = taken(secrets, names.org_api_key.env, "organization API key")
    user = taken(secrets, names.user.env, "site user")
    token = taken(secrets, names.token.env, "API token of the site user")
    pseudonyms = pseudonym_key(secrets, key)
    sources = Sources(site, _listed(site, secrets, folder or Path()))
    trust = trusted(site.ca_bundle, site.where_tls)
    confluence = Http(
        site.url.removesuffix("/wiki"),
        basic(user, token),
        clock,
        explain=site_refusals(site),
        progress=progress,
        limits=limits,
        trust=trust,
    )
    admin = Http(
        site.api_url,
        bearer(key),
        clock,
        explain=organization_refusals(site),
        progress=progress,
        limits=limits,
        trust=trust,
    )
    try:
        ground = preflight(site, confluence, admin)
    except BaseException:
        confluence.close()
        admin.close()
        raise
    client = Client(admin, confluence, InDirectory(site.organization, ground.directory), clock, progress)
    reader = CloudReader(site, ground, client, sources, pseudonyms)
    return CloudSite(reader, CloudWriter(admin, site.organization, ground.directory, ground.ari), confluence, admin)


def _listed(site: Site, secrets: Mapping[str, Secret], folder: Path) -> Path | None:
    """Where the activity list lies. Raises `SiteError` when its variable is not set."""
    if site.csv is None or "csv" not in site.sources:
        return None
    if site.csv.env is None:
        return folder / site.csv.path if site.csv.path else None
    named = secrets.get(site.csv.env)
    path = named.reveal().strip() if named else ""
    if not path:
        raise SiteError(
            f"The environment variable {site.csv.env} (path of the activity list) is not set or empty.",
            f"Set {site.csv.env} to the path of a CSV file; its name is in spec.activity.csv of the site.",
        )
    return folder / path
