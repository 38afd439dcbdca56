"""What several commands need: policies, the chosen site, its recorded state, a connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.ports import Clock, Progress
from cleanup_gitops.policy.documents import PolicySet, Site, SitePolicies
from cleanup_gitops.policy.loader import load

if TYPE_CHECKING:
    from cleanup_gitops.ledger.store import GitStore
    from cleanup_gitops.sites.cloud import CloudSite


@dataclass(frozen=True, slots=True)
class Workplace:
    """One site with everything that was read from disk about it."""

    folder: Path
    site: Site
    policies: SitePolicies
    store: GitStore
    clock: Clock


def load_policies(folder: Path, clock: Clock) -> PolicySet:
    """The policies below ``folder``. Raises ``PolicyError`` with everything that is wrong."""
    return load(folder / "policies", today=clock.now().date())


def with_sites(found: PolicySet, folder: Path) -> PolicySet:
    """The same policies. Raises ``CleanupError`` when no Site is among them: then nothing can be planned."""
    if not found.sites:
        raise CleanupError(
            f"No document of kind Site is in {folder / 'policies'}, so nothing can be planned.",
            "Write one, or let `cleanup-gitops init` make policies/site.yaml; it leaves your files alone.",
        )
    return found


def workplaces(folder: Path, clock: Clock, wanted: str | None) -> list[Workplace]:
    """The chosen site, or all sites. Raises ``CleanupError`` when there is no such site."""
    from cleanup_gitops.ledger.store import GitStore

    found = with_sites(load_policies(folder, clock), folder)
    sites = [site for site in found.sites if wanted in (None, site.name)]
    if not sites:
        known = ", ".join(site.name for site in found.sites) or "none"
        raise CleanupError(f"There is no Site {wanted!r} in {folder / 'policies'}.", f"Sites: {known}.")
    return [
        Workplace(folder, site, found.for_site(site.name), GitStore(folder, site.name, os.environ), clock)
        for site in sites
    ]


def only_one(places: list[Workplace]) -> Workplace:
    """The one site. Raises ``CleanupError`` when there are several."""
    if len(places) > 1:
        names = ", ".join(place.site.name for place in places)
        raise CleanupError(f"There are several sites: {names}.", "Say which one with --site NAME.")
    return places[0]


@contextmanager
def connected(place: Workplace, progress: Progress) -> Iterator[CloudSite]:
    """A connection to the site; only the environment variables that its Site names are read."""
    from cleanup_gitops.sites.cloud import connect

    credentials = place.site.credentials
    named = [credentials.org_api_key.env, credentials.user.env, credentials.token.env]
    if place.site.csv and place.site.csv.env:
        named.append(place.site.csv.env)
    secrets = {name: os.environ[name] for name in named if os.environ.get(name)}
    with connect(place.site, secrets, place.clock, progress, folder=place.folder) as site:
        yield site


def recorded_domains(place: Workplace) -> frozenset[str]:
    """E-mail domains that may stand in state: internal ones and those that a policy names."""
    named = {domain for policy in place.policies.policies for domain in policy.match.domains}
    return frozenset(place.site.internal_domains) | frozenset(named)
