"""What ends: credentials, by the days that a Site document names, and policies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cleanup_gitops.policy.billing import license_warning
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.site import CredentialRef, Site

WARN_DAYS = 14
"""Days before the end from which on to warn."""


def credential_warnings(site: Site, today: date) -> tuple[str, ...]:
    """One sentence for each credential that ends within ``WARN_DAYS`` of ``today`` (UTC) or has ended.

    A credential may be used up to and including the day ``expires``; one without that day is not warned of.
    """
    return tuple(
        _sentence(what, site, one, one.expires, today)
        for what, one in ending_credentials(site)
        if one.expires is not None and (one.expires - today).days <= WARN_DAYS
    )


def ending_credentials(site: Site) -> tuple[tuple[str, CredentialRef], ...]:
    """The credentials of which the Site document says when they end, with what they are."""
    held = (
        ("the organization's API key", site.credentials.org_api_key),
        ("the account of the API token", site.credentials.user),
        ("the API token", site.credentials.token),
    )
    return tuple((what, one) for what, one in held if one.expires is not None)


def site_warnings(site: Site, today: date) -> tuple[str, ...]:
    """What a Site document says that ends, or has ended: credentials, and the day on which the license renews."""
    return (*credential_warnings(site, today), *license_warning(site.name, site.license, today))


def _sentence(what: str, site: Site, credential: CredentialRef, expires: date, today: date) -> str:
    days = (expires - today).days
    where = f" ({credential.where})" if credential.where else ""
    if days < 0:
        end = f"ended on {expires}{where}"
    elif days == 0:
        end = f"expires today, on {expires}{where}"
    else:
        end = f"expires on {expires}, in {days} {'day' if days == 1 else 'days'}{where}"
    return f"{site.name}: {what} {end}. Make a new one and change ${credential.env} and `expires`."


def has_ended(policy: Policy, today: date) -> bool:
    """Whether the last day (UTC) of the policy is over."""
    return policy.until is not None and policy.until < today


def ended_policies(policies: Iterable[Policy], today: date) -> tuple[str, ...]:
    """A warning for each policy that has ended."""
    return tuple(
        f"{one.where}: policy {one.name} ended on {one.until.isoformat()} and does nothing any more; remove it."
        for one in policies
        if one.until is not None and has_ended(one, today)
    )
