"""The calls that change something, each built from its rule. Reading has none of them (`endpoints`).

An id becomes part of a path only if it looks like one: nothing that an id could say makes another call of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.run import Invitation
from cleanup_gitops.model.user import RoleSeat
from cleanup_gitops.sites.cloud.direct import DIRECT
from cleanup_gitops.sites.cloud.write_rules import RULES, WriteName
from cleanup_gitops.sites.exchange import Call

_ID = re.compile(r"(?=[^A-Za-z0-9]*[A-Za-z0-9])[A-Za-z0-9_|:.~=+-]{1,255}", re.ASCII)
"""Ids of accounts, groups, directories, tokens: no slash, nothing encoded, not empty, and neither ``..`` nor ``-``."""
ROLE = "atlassian/{}"
PLATFORM_ROLES = frozenset({"org-admin", "site-admin", "ai-access"})
"""Roles that the same endpoint takes back, but that are no roles in Confluence."""


@dataclass(frozen=True, slots=True)
class Writes:
    """The writes of one directory of one organization; ``ari`` is how the organization names this Confluence.

    Raises `RefusedError`, before anything is sent, for an id that cannot be one.
    """

    org: str
    directory: str
    ari: str

    def add_member(self, group: str, account: str) -> Call:
        """Add to a group."""
        body = {"accountId": _checked("account", account)}
        return self._call("membership.add", body, directory=self.directory, group=group)

    def remove_member(self, group: str, account: str) -> Call:
        """Remove from a group."""
        return self._call("membership.remove", directory=self.directory, group=group, account=account)

    def revoke_role(self, account: str, role: str) -> Call:
        """Take back a role in this Confluence that was given directly. ``role`` is its bare name."""
        if role in PLATFORM_ROLES or RoleSeat(role) in DIRECT or not re.fullmatch(r"[a-z][a-z-]{0,63}", role, re.ASCII):
            raise RefusedError(f"{role!r:.80} is no role in Confluence that can be taken back; nothing was sent.")
        body = {"role": ROLE.format(role), "resource": self.ari}
        return self._call("role.revoke", body, account=account)

    def suspend(self, account: str) -> Call:
        """Suspend in the directory."""
        return self._call("user.suspend", directory=self.directory, account=account)

    def restore(self, account: str) -> Call:
        """End a suspension."""
        return self._call("user.restore", directory=self.directory, account=account)

    def remove(self, account: str) -> Call:
        """Remove from the directory."""
        return self._call("user.remove", directory=self.directory, account=account)

    def invite(self, invitation: Invitation) -> Call:
        """Invite one person. Without ``notify`` no mail is sent."""
        body: dict[str, Any] = {"emails": [invitation.email], "sendNotification": invitation.notify}
        if invitation.role is not None:
            body["permissionRules"] = [{"resource": self.ari, "role": ROLE.format(invitation.role)}]
        if invitation.groups:
            body["additionalGroups"] = [_checked("group", group) for group in invitation.groups]
        return self._call("user.invite", body)

    def create_group(self, name: str) -> Call:
        """Create a group in the directory."""
        return self._call("group.create", {"name": name}, directory=self.directory)

    def delete_group(self, group: str) -> Call:
        """Delete a group of the directory."""
        return self._call("group.delete", directory=self.directory, group=group)

    def _call(self, name: WriteName, body: Mapping[str, Any] | None = None, **parts: str) -> Call:
        return _call(name, body, org=self.org, **parts)


def deactivate(account: str) -> Call:
    """Close the whole Atlassian account. No message is left, so the vendor's own is shown."""
    return _call("user.deactivate", {}, account=account)


def reactivate(account: str) -> Call:
    """Open a closed Atlassian account."""
    return _call("user.reactivate", account=account)


def delete(account: str) -> Call:
    """Schedule the deletion of the Atlassian account."""
    return _call("user.delete", account=account)


def cancel_delete(account: str) -> Call:
    """Take a scheduled deletion back."""
    return _call("user.cancel-delete", account=account)


def revoke_token(account: str, token: str) -> Call:
    """End one API token of one account."""
    return _call("tokens.revoke", account=account, token=token)


def _call(name: WriteName, body: Mapping[str, Any] | None = None, **parts: str) -> Call:
    rule = RULES[name]
    checked = {part: _checked(part, value) for part, value in parts.items()}
    return Call(method=rule.method, template=rule.template, parts=checked, body=body, idempotent=rule.repeatable)


def _checked(what: str, value: str) -> str:
    if not _ID.fullmatch(value):
        raise RefusedError(f"The id of the {what} holds what no such id has, or nothing; nothing was sent.")
    return value
