"""What a refused write means, in one line that also says what to do.

Sources of the codes: Organizations REST API (``ADMIN-...``) and User management REST API (keys such as
``forbidden.action``, with the reason in ``context``). Free texts of the answers are not shown: they may hold names.
"""

from __future__ import annotations

from collections.abc import Mapping

from cleanup_gitops.model.errors import CleanupError, RefusedError, SiteError
from cleanup_gitops.sites.cloud.write_rules import BY_ENDPOINT, WriteName, WriteRule
from cleanup_gitops.sites.http import StatusError

_PROVIDER = "Change it there: what is changed here, the next sync would undo."
_REASONS: Mapping[str, tuple[str, str]] = {
    "externalDirectory.scim": ("an identity provider manages the account", _PROVIDER),
    "externalDirectory.google": ("Google Workspace manages the account", _PROVIDER),
    "authPolicy.saml": ("the account signs in through SAML single sign-on", "Change it in the identity provider."),
    "blocked.exportControl": (
        "the account is blocked for US export controls",
        "Only Atlassian Support can open it: https://support.atlassian.com/contact.",
    ),
    "administrative": ("an administrative restriction forbids it", "Ask an organization administrator."),
    "administrative.notMyself": (
        "it is the account to which the organization API key belongs",
        "Let another organization administrator do it.",
    ),
    "myselfOnly": ("only the account's owner may do that", "Ask the owner."),
    "managedAccount": (
        "it depends on who manages the account",
        "Look it up at admin.atlassian.com > Directory > Managed accounts.",
    ),
}
"""By the reason in ``context``."""
_UNMANAGED = "Suspend it in your own directory or take away its access instead."
_CODES: Mapping[str, tuple[str, str]] = {
    "ADMIN-403-5": (
        "the group is managed elsewhere or may not be changed with this key",
        "If an identity provider syncs it, change it there.",
    ),
    "ADMIN-403-6": ("it is a default group", "Choose another default group at admin.atlassian.com first."),
    "ADMIN-403-7": ("the group gives administration", "Take its administrator roles away first."),
    "ADMIN-404-8": ("the account is not there, or not in the group any more", "Make a new plan."),
    "ADMIN-404-10": ("the group is not there any more", "Make a new plan."),
    "ADMIN-409-3": ("no seat is left", "Free a seat or buy one, then make a new plan."),
    "ADMIN-409-5": ("the group is not empty", "Remove its members first."),
    "ADMIN-UAM-400-2": ("the account is inactive", "Reactivate it first."),
    "ADMIN-UAM-400-3": ("the role does not exist in this Confluence", "Make a new plan."),
    "ADMIN-UAM-400-4": ("the organization has no such app", "Check spec.url of the site."),
    "ADMIN-UAM-409-3": ("no seat is left", "Free a seat or buy one, then make a new plan."),
    "accountNotFound": ("the account is not there any more", "Make a new plan."),
    "notFound": ("it is not there any more", "Make a new plan."),
    "forbidden": ("another organization or nobody manages the account", _UNMANAGED),
    "forbidden.action": ("the organization may not do that with this account", _UNMANAGED),
    "forbidden.targetUnverified": ("the account's e-mail address is not verified", _UNMANAGED),
    "forbidden.unclaimedDomain": ("the domain of the account's address is not verified", _UNMANAGED),
    "conflict.lifecycleErrors": (
        "the account is not eligible, for example because it owns a site",
        "Hand over what it owns at admin.atlassian.com, then make a new plan.",
    ),
}
"""By the short code of the answer."""
_STATUSES: Mapping[int, tuple[str, str]] = {
    400: ("it is not possible for the account or group as it is now", "Make a new plan."),
    402: ("the organization has no paid subscription", "Buy one, or invite by hand at admin.atlassian.com."),
    403: ("the key may not do that here", "Check at admin.atlassian.com what manages the account or the group."),
    404: ("the account, the group or the role is not there any more", "Make a new plan."),
}
"""By status, where there is no code, or one that is not known."""
_CONFLICTS: Mapping[WriteName, tuple[str, str]] = {
    "membership.add": (
        "the account is in the group already, or no seat is left",
        "Make a new plan; if the same comes up, free a seat or buy one.",
    ),
    "group.create": ("a group of this name exists", "Choose another name."),
    "user.invite": ("no seat is left", "Free a seat or buy one."),
    "user.restore": ("no seat is left", "Free a seat or buy one, then make a new plan."),
}
"""What 409 means by the write, where its code does not tell."""
_NO_LONGER = frozenset({405, 410, 415})


def explained_write(error: StatusError) -> CleanupError | None:
    """What a status means for a write; ``None`` when the call is no write, or the status says nothing about it.

    A call that the site does not offer any more raises no refusal but a `SiteError`: the next one would end the same.
    """
    rule = BY_ENDPOINT.get(error.endpoint)
    if rule is None or not 400 <= error.status < 500 or error.status in (401, 408, 429):
        return None
    shown = ", ".join(dict.fromkeys(part for part in (str(error.status), error.code, *error.reasons) if part))
    if error.status in _NO_LONGER:
        return SiteError(
            f"The site does not offer {error.endpoint} any more ({shown}).",
            "The API has changed and cleanup-gitops must follow: look for a newer version.",
        )
    why, todo = _meaning(rule, error)
    return RefusedError(f"The site refused to {rule.does}: {why} ({shown}; {error.endpoint}). {todo}")


def _meaning(rule: WriteRule, error: StatusError) -> tuple[str, str]:
    """Why, and what to do: the deepest reason that is known."""
    for reason in error.reasons:
        if reason in _REASONS:
            return _REASONS[reason]
    if error.code in _CODES:
        return _CODES[error.code]
    if error.status == 409:
        return _CONFLICTS.get(rule.name, ("it clashes with what is so now", "Make a new plan."))
    return _STATUSES.get(error.status, ("it says no more", "Make a new plan."))
