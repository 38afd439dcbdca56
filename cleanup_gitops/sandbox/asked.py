"""What one request asks for, as far as faults need to know it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from starlette.datastructures import QueryParams

_READS = re.compile(
    r"/(users/search|groups/search|workspaces|users-bulk|check-access-by-email|get-scim-links-for-email)$"
)
_LISTS = re.compile(
    r"^/admin/.*/(search|role-assignments|directories|users|groups|domains|events|events-stream|workspaces)$"
    r"|^/admin/v1/orgs$|^/wiki/.*/(group|picker|membersByGroupId|memberof|search|user|audit|since|bulk|users-bulk)$"
)
_ACCOUNT = re.compile(r"/(?:users|memberships)/(?!search$|count$|stats$|invite$)([^/]+)")


@dataclass(frozen=True)
class Asked:
    """One request, with the whole of its body."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""

    @cached_property
    def identity(self) -> str:
        """The same for equal requests: method and path, and a digest of query and body where there are any."""
        if not self.query and not self.body:
            return f"{self.method} {self.path}"
        digest = hashlib.sha256(self.query + b"\n" + self.body).hexdigest()[:12]
        return f"{self.method} {self.path} #{digest}"

    @property
    def writes(self) -> bool:
        """Whether it asks for a change."""
        return self.method != "GET" and not _READS.search(self.path)

    @property
    def lists(self) -> bool:
        """Whether its answer is one page of a list."""
        return not self.writes and _LISTS.search(self.path) is not None

    @cached_property
    def params(self) -> QueryParams:
        """Its query."""
        return QueryParams(self.query)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Its body, where that is a JSON object."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=dict[str, Any])
        except msgspec.DecodeError:
            return {}

    @property
    def cursor(self) -> str | None:
        """The cursor that it goes on from."""
        found = self.params.get("cursor") or self.fields.get("cursor")
        return found if isinstance(found, str) else None

    @property
    def continued(self) -> bool:
        """Whether it asks for another page than the first."""
        return self.lists and (self.cursor is not None or self.params.get("start", "0") not in ("", "0"))

    @property
    def accounts(self) -> list[str]:
        """What may be the id of the account that it is about: in its path, its query or its body."""
        named = [*_ACCOUNT.findall(self.path), self.params.get("accountId"), self.fields.get("accountId")]
        return [one for one in named if isinstance(one, str)]
