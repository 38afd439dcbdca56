"""Writes one change to a Confluence Cloud site: exactly one call, and what the site answered to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cleanup_gitops.model.change import (
    AccountChange,
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserInvite,
    UserRemove,
)
from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.run import Invitation, Invited, Receipt
from cleanup_gitops.sites.cloud import write_calls
from cleanup_gitops.sites.cloud.invitations import judged
from cleanup_gitops.sites.cloud.write_calls import Writes
from cleanup_gitops.sites.exchange import Answer, Call
from cleanup_gitops.sites.http import Http

TRACE_HEADERS = ("atl-traceid", "atl-request-id", "x-request-id")
_TRACE = re.compile(r"[\w./:+=-]{1,128}", re.ASCII)
_DATE = re.compile(r"[A-Za-z]{3}, \d{2} [A-Za-z]{3} \d{4} \d{2}:\d{2}:\d{2} [A-Z]{1,5}", re.ASCII)


class CloudWriter:
    """The Writer port for Confluence Cloud.

    A change goes to the directory that it names, invitations and groups to ``directory``. ``ari`` is this Confluence.
    """

    def __init__(self, admin: Http, organization: str, directory: str, ari: str) -> None:
        self._admin = admin
        self._organization = organization
        self._directory = directory
        self._ari = ari

    def write(self, change: Change) -> Receipt:
        """One call, sent once."""
        if isinstance(change, UserInvite):
            raise RefusedError("An invitation takes the person's address, which no change has; nothing was sent.")
        if isinstance(change, NoticeSend):
            raise RefusedError("A notice changes nothing of a site: a Notifier sends it. Nothing was sent here.")
        call = self._call(change)
        return _receipt(call, self._admin.write(call))

    def invite(self, invitation: Invitation) -> Invited:
        """One call for one person; what of it was refused stands in the answer."""
        call = self._writes(self._directory).invite(invitation)
        answer = self._admin.write(call)
        return judged(answer.body, invitation, self._ari, _receipt(call, answer))

    def create_group(self, name: str) -> Receipt:
        """One call. The group's id is found by its name once the directory shows it."""
        call = self._writes(self._directory).create_group(name)
        return _receipt(call, self._admin.write(call))

    def delete_group(self, group: str) -> Receipt:
        """One call. Whether the group may go is for others to decide."""
        call = self._writes(self._directory).delete_group(group)
        return _receipt(call, self._admin.write(call))

    def _writes(self, directory: str) -> Writes:
        return Writes(self._organization, directory, self._ari)

    def _call(self, change: AccountChange) -> Call:
        place = self._writes(change.directory)
        match change:
            case MembershipAdd():
                return place.add_member(change.group, change.user)
            case MembershipRemove():
                return place.remove_member(change.group, change.user)
            case RoleRevoke():
                return place.revoke_role(change.user, change.role)
            case TokenRevoke():
                return write_calls.revoke_token(change.user, change.token)
            case UserEnable():
                return _opened(place, change)
            case UserDisable():
                return place.suspend(change.user)
            case UserDeactivate():
                return write_calls.deactivate(change.user)
            case UserRemove():
                return place.remove(change.user)
            case UserDelete():
                return write_calls.delete(change.user)


def _opened(place: Writes, change: UserEnable) -> Call:
    """What opens an account depends on how it was closed."""
    match change.old:
        case "suspended":
            return place.restore(change.user)
        case "deactivated":
            return write_calls.reactivate(change.user)
        case "deleting":
            return write_calls.cancel_delete(change.user)
    raise RefusedError(f"An account that is {change.old} cannot be opened on Confluence Cloud; nothing was sent.")


def _receipt(call: Call, answer: Answer) -> Receipt:
    return Receipt(
        method=call.method,
        endpoint=call.template,
        status=answer.status,
        request_id=_trace(answer.headers),
        server_date=date[0] if (date := _DATE.search(answer.headers.get("date", ""))) else "",
    )


def _trace(headers: Mapping[str, str]) -> str:
    for name in TRACE_HEADERS:
        value = headers.get(name, "")
        if _TRACE.fullmatch(value):
            return value
    return ""
