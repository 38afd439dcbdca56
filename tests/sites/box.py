"""A sandbox and the client that talks to it, for tests of the Cloud adapter."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from cleanup_gitops.policy.site import CredentialRef, Credentials, Site
from cleanup_gitops.sandbox.server import RunningSandbox
from cleanup_gitops.sandbox.world import format_time
from cleanup_gitops.sites.cloud import CloudSite, connect
from cleanup_gitops.sites.exchange import Limits
from cleanup_gitops.sites.secret import Secret
from tests.fakes import FakeClock
from tests.patience import STALLED

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KEY, USER, TOKEN = "ORG_KEY", "SITE_USER", "SITE_TOKEN"
QUICK = Limits(connect=STALLED, read=STALLED, total=STALLED, attempts=3, connect_attempts=2, waiting=30)
"""Few tries and short waits, both counted and not measured."""


class SharedClock:
    """One virtual time for client and sandbox: whoever sleeps moves both on, and nobody really waits.

    Safe between threads: nobody sees a time that the sandbox does not show yet, or no longer.
    """

    def __init__(self, client: httpx.Client, now: datetime) -> None:
        self._client = client
        self._now = self._began = now
        self._lock = threading.RLock()
        self.slept = 0.0

    def now(self) -> datetime:
        with self._lock:
            return self._now.replace(microsecond=0)

    def elapsed(self) -> float:
        with self._lock:
            return (self._now - self._began).total_seconds()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            before, self._now = self.now(), self._now + timedelta(seconds=seconds)
            self.slept += seconds
            if self.now() != before:
                self._client.post("/_sandbox/clock", json={"set": format_time(self.now())}).raise_for_status()


def site_of(box: RunningSandbox, **other: object) -> Site:
    """The Site document that fits the sandbox."""
    values: dict[str, Any] = {
        "name": "acme",
        "hosting": "cloud",
        "url": box.url,
        "api_url": box.url,
        "organization": box.org_id,
        "credentials": Credentials(CredentialRef(KEY), CredentialRef(USER), CredentialRef(TOKEN)),
        "runner_accounts": (),
        "service_accounts": ("svc-*",),
    }
    return Site(**(values | other))


def secrets_of(box: RunningSandbox, **other: str) -> dict[str, Secret]:
    """The environment that fits the sandbox, as the command line reads it."""
    values = {KEY: box.org_api_key, USER: box.user_email, TOKEN: box.api_token} | other
    return {name: Secret(value, name) for name, value in values.items()}


def connected(box: RunningSandbox, **site: object) -> CloudSite:
    """The adapter, connected to the sandbox."""
    return connect(site_of(box, **site), secrets_of(box), FakeClock(NOW), limits=QUICK)


def disturb(box: RunningSandbox, *faults: dict[str, Any]) -> None:
    """Have the sandbox answer wrongly from now on."""
    httpx.post(f"{box.url}/_sandbox/faults", json=list(faults), verify=False, timeout=STALLED).raise_for_status()


def happens(box: RunningSandbox, account: str, **what: object) -> None:
    """Somebody else changes a user."""
    httpx.post(f"{box.url}/_sandbox/users/{account}", json=what, verify=False, timeout=STALLED).raise_for_status()


def requests(box: RunningSandbox) -> list[dict[str, Any]]:
    """Every request that the sandbox got."""
    found: list[dict[str, Any]] = httpx.get(f"{box.url}/_sandbox/requests", verify=False, timeout=STALLED).json()
    return found
