"""What the account whose token asks may do on the Confluence site."""

from __future__ import annotations

from cleanup_gitops.sandbox.state import State

ADMIN_ROLES = {"atlassian/org-admin", "atlassian/site-admin"}


def is_site_admin(state: State) -> bool:
    """Whether the caller administers the site or the whole organization, directly or by a group."""
    caller = state.user(state.world.credentials.runner_account)
    if caller is None:
        return False
    held = {role for roles in state.roles(caller).values() for role in roles}
    return bool(ADMIN_ROLES & (held | set(caller.platform_roles)))


def is_confluence_admin(state: State) -> bool:
    """Whether the caller administers Confluence, as site administrators do too."""
    caller = state.user(state.world.credentials.runner_account)
    if caller is None:
        return False
    return is_site_admin(state) or "atlassian/admin" in state.roles(caller).get("confluence", set())
