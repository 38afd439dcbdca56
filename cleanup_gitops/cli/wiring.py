"""What several commands need: policies, the chosen site, its recorded state, a connection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from cleanup_gitops.model.errors import CleanupError, LeaseTakenError, StateError, StoreError
from cleanup_gitops.model.ports import Clock, Progress
from cleanup_gitops.policy.documents import PolicySet, SitePolicies
from cleanup_gitops.policy.expiry import has_ended
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.site import Site

if TYPE_CHECKING:
    from cleanup_gitops.ledger.repository.store import GitStore
    from cleanup_gitops.model.plan import Plan
    from cleanup_gitops.model.run import Approval, Lease
    from cleanup_gitops.model.standing import Approvals, Missing
    from cleanup_gitops.runner.journal_files import FileJournals
    from cleanup_gitops.sites.cloud import CloudSite
    from cleanup_gitops.views.open_runs import OpenRun


@dataclass(frozen=True, slots=True)
class Workplace:
    """One site with everything that was read from disk about it."""

    folder: Path
    site: Site
    policies: SitePolicies
    store: GitStore
    clock: Clock


def load_policies(folder: Path, clock: Clock, proposed: Mapping[Path, bytes] = MappingProxyType({})) -> PolicySet:
    """The policies below ``folder``, with files that are only ``proposed``.

    Raises ``PolicyError`` with everything that is wrong.
    """
    return load(folder / "policies", today=clock.now().date(), proposed=proposed)


def with_sites(found: PolicySet, folder: Path) -> PolicySet:
    """The same policies. Raises ``CleanupError`` when no Site is among them: then nothing can be planned."""
    if not found.sites:
        raise CleanupError(
            f"No document of kind Site is in {folder / 'policies'}, so nothing can be planned.",
            "Write one, or let `cleanup-gitops init` make policies/site.yaml; it leaves your files alone.",
        )
    return found


def chosen_sites(found: PolicySet, wanted: str | None, folder: Path) -> list[Site]:
    """The Site of this name, or all. Raises ``CleanupError`` when there is no such one."""
    sites = [site for site in found.sites if wanted in (None, site.name)]
    if not sites:
        known = ", ".join(site.name for site in found.sites) or "none"
        raise CleanupError(f"There is no Site {wanted!r} in {folder / 'policies'}.", f"Sites: {known}.")
    return sites


def workplaces(folder: Path, clock: Clock, wanted: str | None) -> list[Workplace]:
    """The chosen site, or all sites. Raises ``CleanupError`` when there is no such site."""
    from cleanup_gitops.ledger.repository.store import GitStore

    found = with_sites(load_policies(folder, clock), folder)
    sites = chosen_sites(found, wanted, folder)
    policies = {site.name: found.for_site(site.name) for site in found.sites}
    variables = environment_of_git(found.sites, policies.values())
    return [
        Workplace(folder, site, policies[site.name], GitStore(folder, site.name, variables, site.state, clock), clock)
        for site in sites
    ]


def environment_of_git(sites: Iterable[Site], policies: Iterable[SitePolicies]) -> dict[str, str]:
    """Our environment without credentials of sites and mail relays: what git starts (ssh, helpers) needs none."""
    from cleanup_gitops.sites.secret import PSEUDONYM_KEY

    credentials = [site.credentials for site in sites]
    secret = {ref.env for one in credentials for ref in (one.org_api_key, one.user, one.token)} | {PSEUDONYM_KEY}
    relays = [one.notifications.smtp for one in policies if one.notifications and one.notifications.smtp]
    secret |= {name for relay in relays for name in (relay.user, relay.password) if name}
    return {name: value for name, value in os.environ.items() if name not in secret}


def only_one(places: list[Workplace]) -> Workplace:
    """The one site. Raises ``CleanupError`` when there are several."""
    if len(places) > 1:
        names = ", ".join(place.site.name for place in places)
        raise CleanupError(f"There are several sites: {names}.", "Say which one with --site NAME.")
    return places[0]


def look_at_record(place: Workplace) -> tuple[dict[str, bytes], str]:
    """The recorded files, for looking only, and a warning when they may be older than those of the remote.

    Raises ``StateError`` when they cannot be trusted, or there are none to be read.
    """
    try:
        return place.store.read(), ""
    except LeaseTakenError:
        return place.store.read(fresh=False), "Another run has begun; what is shown is older than its record."
    except StoreError as error:
        return place.store.read(fresh=False), f"The record in this clone was used as it is. {error.message}"


@contextmanager
def connected(place: Workplace, progress: Progress) -> Iterator[CloudSite]:
    """A connection to the site. Read are the environment variables that its Site names, and the key of pseudonyms."""
    from cleanup_gitops.sites.cloud import connect
    from cleanup_gitops.sites.secret import PSEUDONYM_KEY, Secret

    credentials = place.site.credentials
    named = [credentials.org_api_key.env, credentials.user.env, credentials.token.env, PSEUDONYM_KEY]
    if place.site.csv and place.site.csv.env:
        named.append(place.site.csv.env)
    secrets = {name: Secret(os.environ[name], name) for name in named if os.environ.get(name)}
    with connect(place.site, secrets, place.clock, progress, folder=place.folder) as site:
        yield site


def find_standing(place: Workplace) -> Approvals:
    """Which policies of the site are approved as a whole. Raises ``StoreError`` when that cannot be found out.

    Those that only report, or have ended, need no approval.
    """
    now = place.clock.now()
    acting = [one for one in place.policies.policies if not one.report and not has_ended(one, now.date())]
    if not any(policy.standing for policy in acting):
        return {}
    from cleanup_gitops.ledger.repository.approvals import find_approvals
    from cleanup_gitops.ledger.repository.command import Git

    git = Git(place.folder.absolute(), environment_of_git([place.site], [place.policies]))
    return find_approvals(git, acting, place.site.approvers, now)


def find_second_approval(place: Workplace, saved: Plan) -> Approval | Missing:
    """Who else approved what a saved plan deletes. Raises ``StoreError`` when that cannot be found out."""
    from cleanup_gitops.ledger.repository.approvals import find_second
    from cleanup_gitops.ledger.repository.command import Git

    asking = {cause.policy for one in saved.changes if one.action == "user.delete" for cause in one.causes}
    policies = [one for one in place.policies.policies if one.name in asking]
    git = Git(place.folder.absolute(), environment_of_git([place.site], [place.policies]))
    return find_second(git, saved.envelope, policies, place.site.approvers, place.clock.now())


def recorded_domains(place: Workplace) -> frozenset[str]:
    """E-mail domains that may stand in state: internal ones and those that a policy names."""
    named = {domain for policy in place.policies.policies for match in policy.conditions for domain in match.domains}
    return frozenset(place.site.internal_domains) | frozenset(named)


def place_of_record(place: Workplace) -> str:
    """Where records go, for people; "" when that cannot be told now."""
    try:
        return place.store.place
    except StateError:
        return ""


def tell_notes(place: Workplace) -> None:
    """What a person should know beside the result, such as a clone that could not follow its remote."""
    for note in place.store.notes:
        click.echo(f"Note: {note}", err=True)


def journals_of(place: Workplace) -> FileJournals:
    """The journals of the site's runs on this machine."""
    from cleanup_gitops.runner.journal_files import FileJournals

    return FileJournals(place.folder, place.site.name)


def open_runs(place: Workplace, leases: Iterable[Lease]) -> list[OpenRun]:
    """The runs that hold these leases, by name, with what is known of them here."""
    from cleanup_gitops.ledger.leases import lives
    from cleanup_gitops.views.open_runs import OpenRun

    by_run: dict[str, list[Lease]] = {}
    for lease in leases:
        by_run.setdefault(lease.run, []).append(lease)
    if not by_run:
        return []
    worker = place.store.worker()  # asked before the journals: a run removes its own while it still works
    found = []
    for run, held in sorted(by_run.items()):
        journal = journals_of(place).place(run)
        found.append(OpenRun(tuple(held), journal, lives(held[0], worker, journal=bool(journal))))
    return found


def tell_open_runs(place: Workplace, files: Mapping[str, bytes], now: datetime) -> tuple[Lease, ...]:
    """Warn that a run is under way: what is read may change, and an apply would be refused. Its leases."""
    from cleanup_gitops.ledger.leases import describe, leases_of

    leases = leases_of(files)
    for run in open_runs(place, leases):
        told = f"{describe(run.leases[0], now)}. {run.process} {run.end}"
        click.echo(f"Warning: a run is under way or was cut off: {told}", err=True)
    return leases


_JOB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


def job_address() -> str:
    """Where this runs, for whoever finds its lease: the address of the job on GitHub Actions, "" elsewhere."""
    server, repository, run = (os.environ.get(name, "") for name in _JOB)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


def this_process() -> str:
    """What works, in a lease: no name of a user or a machine."""
    from cleanup_gitops.ledger.leases import PROCESS

    return f"{PROCESS}{os.getpid()}"
