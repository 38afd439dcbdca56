"""One Confluence Cloud site, connected: both credentials checked, the directory known."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from cleanup_gitops.model.ports import Clock, Progress
from cleanup_gitops.policy.documents import Site
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.cloud.preflight import preflight
from cleanup_gitops.sites.cloud.reader import CloudReader
from cleanup_gitops.sites.cloud.refusals import organization_refusals, site_refusals
from cleanup_gitops.sites.cloud.writer import CloudWriter
from cleanup_gitops.sites.exchange import Limits
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import basic, bearer, taken


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
    secrets: Mapping[str, str],
    clock: Clock,
    progress: Progress | None = None,
    *,
    limits: Limits | None = None,
) -> CloudSite:
    """Connect to ``site`` with the secrets that it names (environment variable -> value).

    Raises `CredentialError` or `SiteError` with the first thing that is wrong, before anything is read.
    """
    names = site.credentials
    key = taken(secrets, names.org_api_key.env, "organization API key")
    user = taken(secrets, names.user.env, "site user")
    token = taken(secrets, names.token.env, "API token of the site user")
    confluence = Http(
        site.url.removesuffix("/wiki"),
        basic(user, token),
        clock,
        explain=site_refusals(site),
        progress=progress,
        limits=limits,
    )
    admin = Http(
        site.api_url,
        bearer(key),
        clock,
        explain=organization_refusals(site),
        progress=progress,
        limits=limits,
    )
    try:
        ground = preflight(site, confluence, admin)
    except BaseException:
        confluence.close()
        admin.close()
        raise
    client = Client(admin, InDirectory(site.organization, ground.directory), clock, progress)
    reader = CloudReader(site, ground, client)
    return CloudSite(reader, CloudWriter(admin, site.organization), confluence, admin)
