"""What an administrator may do with one managed account, and why not: the rules of User management."""

from __future__ import annotations

from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User

PROFILE = "profile.write"
PRIVILEGES = (
    PROFILE,
    "profile.read",
    "email.set",
    "lifecycle.enablement",
    "lifecycle.delete",
    "apiToken.read",
    "apiToken.delete",
)
PROFILE_FIELDS = (
    "name",
    "nickname",
    "zoneinfo",
    "locale",
    "extended_profile.job_title",
    "extended_profile.department",
    "extended_profile.organization",
    "extended_profile.location",
)
_SYNCED = ("lifecycle.enablement", "lifecycle.delete", "email.set", PROFILE)


def reason(state: State, user: User, privilege: str) -> str | None:
    """The key of the restriction on `privilege` (``profile.write.name`` for a field), None if allowed.

    The restrictions that the world gives the user come first: ``lifecycle`` there is about
    ``lifecycle.enablement`` and ``lifecycle.delete``.
    """
    for about, key in user.restrictions.items():
        if _covers(about, privilege):
            return key
    if user.source == "synced" and any(_covers(about, privilege) for about in _SYNCED):
        return "externalDirectory.scim"
    if user.id == state.world.credentials.runner_account and _covers("lifecycle", privilege):
        return "administrative.notMyself"
    return None


def rule(state: State, user: User, privilege: str) -> dict[str, object]:
    """`reason` as the API says it."""
    key = reason(state, user, privilege)
    return {"allowed": True} if key is None else {"allowed": False, "reason": {"key": key}}


def rules(state: State, user: User, wanted: list[str]) -> dict[str, object]:
    """All rules about `wanted` privileges, without any about every privilege; unknown ones are left out."""
    found: dict[str, object] = {}
    for privilege in wanted or PRIVILEGES:
        if privilege in (PROFILE, "profile"):
            found[privilege] = {field: rule(state, user, f"{PROFILE}.{field}") for field in PROFILE_FIELDS}
        elif privilege in PRIVILEGES:
            found[privilege] = rule(state, user, privilege)
    return found


def _covers(about: str, privilege: str) -> bool:
    return privilege == about or privilege.startswith(f"{about}.")
