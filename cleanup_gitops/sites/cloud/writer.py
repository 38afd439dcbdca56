"""Writes one change to a Confluence Cloud site: exactly one call, and what the site answered to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    UserDisable,
    UserEnable,
)
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.exchange import Call
from cleanup_gitops.sites.http import Http

TRACE_HEADERS = ("atl-traceid", "atl-request-id", "x-request-id")
_TRACE = re.compile(r"[\w./:+=-]{1,128}", re.ASCII)


class CloudWriter:
    """The Writer port for Confluence Cloud. All writes go to the directory that the change names."""

    def __init__(self, admin: Http, organization: str) -> None:
        self._admin = admin
        self._organization = organization

    def write(self, change: Change) -> Receipt:
        """One call, sent once."""
        call = self._call(change)
        answer = self._admin.write(call)
        return Receipt(
            method=call.method,
            endpoint=call.template,
            status=answer.status,
            request_id=_trace(answer.headers),
            server_date=answer.headers.get("date", ""),
        )

    def _call(self, change: Change) -> Call:
        place = InDirectory(self._organization, change.directory)
        match change:
            case MembershipAdd():
                return place.add_member(change.group, change.user)
            case MembershipRemove():
                return place.remove_member(change.group, change.user)
            case UserDisable():
                return place.suspend(change.user)
            case UserEnable():
                return place.restore(change.user)


def _trace(headers: Mapping[str, str]) -> str:
    for name in TRACE_HEADERS:
        value = headers.get(name, "")
        if _TRACE.fullmatch(value):
            return value
    return ""
