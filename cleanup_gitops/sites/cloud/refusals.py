"""What a refused call means here: whose credential it is, and what to do about it."""

from __future__ import annotations

from cleanup_gitops.model.errors import CleanupError, CredentialError, SiteError
from cleanup_gitops.policy.site import Site
from cleanup_gitops.sites.bodies import SCOPE
from cleanup_gitops.sites.cloud.write_refusals import explained_write
from cleanup_gitops.sites.http import Explain, StatusError

NOT_YOUR_ORGANIZATION = frozenset({"ADMIN-403-3", "ADMIN-UAM-403-2"})
"""Codes of a 403 that is about the key, also where the call is a write about one user."""
_READS = ("/search", "/count", "/role-assignments", "/last-active-dates", "/directories", "{org}")


def organization_refusals(site: Site) -> Explain:
    """Refusals of the organization API key."""
    variable = site.credentials.org_api_key.env

    def explain(error: StatusError) -> CleanupError:
        about_key = error.endpoint.endswith(_READS) or error.code in NOT_YOUR_ORGANIZATION
        if error.status == 401:
            return CredentialError(
                f"The organization API key in ${variable} was refused (401): wrong, revoked or expired.",
                f"Make a key at admin.atlassian.com > Settings > API keys and put it into {variable}.",
            )
        if error.status == 403 and SCOPE in error.reasons:
            return CredentialError(
                f"The organization API key in ${variable} was made with scopes, and no scope opens {error.endpoint}"
                f" (403, {SCOPE}).",
                f"Make a key without scopes at admin.atlassian.com > Settings > API keys and put it into {variable}.",
            )
        if error.status == 403 and about_key:
            what = _managed(error.endpoint, site)
            return CredentialError(
                f"The organization API key in ${variable} may not manage {what} (403, {error.endpoint}).",
                "Use a key without scopes, made by an organization administrator of that organization.",
            )
        if error.status == 404 and error.endpoint.endswith(("/search", "/count")):
            return SiteError(
                f"The directory of {site.name} is not known to the organization ({error.endpoint}).",
                "Check spec.cloud.directory of the site.",
            )
        if error.status == 404 and error.endpoint.endswith(("/directories", "{org}")):
            return SiteError(
                f"The organization {site.organization} is not known ({error.endpoint}).",
                "Check spec.cloud.organization of the site: it is the id after /o/ in admin.atlassian.com.",
            )
        return explained_write(error) or error

    return explain


def _managed(endpoint: str, site: Site) -> str:
    if "{directory}" in endpoint:
        return f"the directory of {site.name}"
    return f"the organization {site.organization}"


def site_refusals(site: Site) -> Explain:
    """Refusals of the site user and its API token."""
    user, token = site.credentials.user.env, site.credentials.token.env

    def explain(error: StatusError) -> CleanupError:
        if error.status == 401:
            return CredentialError(
                f"The API token in ${token} was refused by {site.url} (401): wrong, revoked or expired,"
                f" or not of the user in ${user}.",
                "Make a token at id.atlassian.com > Security > API tokens, without scopes, and set both.",
            )
        if error.status == 403 and error.endpoint.endswith("/audit"):
            return CredentialError(
                f"The user in ${user} may not read the audit log of {site.url} (403): it takes the permission"
                " Confluence administrator.",
                "Give that account the permission, or take audit out of spec.activity.sources of the site.",
            )
        if error.status == 403:
            return CredentialError(
                f"The user in ${user} may not use the Confluence at {site.url} (403).",
                "Give that account access to Confluence, or use another one.",
            )
        if error.status == 404:
            return SiteError(
                f"There is no Confluence at {site.url} ({error.endpoint} answered 404).",
                "Check spec.url of the site.",
            )
        return error

    return explain
