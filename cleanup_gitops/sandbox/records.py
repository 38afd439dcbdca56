"""What a world holds beside users and groups: tokens, provisioning, content and audit records.

Part of the data that ``world`` describes. Times are ISO 8601 in UTC, accounts are named by id.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec


class Token(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An API token that a user made; the secret itself is nowhere in the sandbox."""

    id: str
    label: str
    created: str
    expires: str | None = None
    last_used: str | None = None


class ScimDirectory(msgspec.Struct, forbid_unknown_fields=True):
    """The provisioning side of a user directory, with an API key of its own.

    `directory` is the user directory that its people and groups appear in.
    """

    id: str
    directory: str
    api_key: str


class ScimUser(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A record of the identity provider; `account` is None once it was unlinked.

    `profile` holds the attributes that the identity provider sent, under their SCIM names; what it
    did not send is shown as the account has it.
    """

    id: str
    directory: str
    user_name: str
    created: str
    modified: str
    account: str | None = None
    external_id: str | None = None
    active: bool = True
    profile: dict[str, Any] = msgspec.field(default_factory=dict)


class ScimGroup(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How the identity provider knows a group; `directory` is a `ScimDirectory`."""

    id: str
    directory: str
    external_id: str | None = None


class Page(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One piece of content; `edits` is the last time that each contributor changed it.

    A `restricted` one is out of sight of the account whose token asks.
    """

    id: str
    title: str
    space: str
    creator: str
    created: str
    edits: dict[str, str]
    type: str = "page"
    restricted: bool = False

    def modified(self) -> tuple[str, str]:
        """The instant of the last change, and who made it."""
        at, account = max((at, account) for account, at in self.edits.items())
        return at, account


class Changed(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One value that an audited action changed."""

    name: str
    old: str = ""
    new: str = ""


class AuditRecord(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One entry of Confluence's own audit log; without `author` the system did it."""

    at: str
    summary: str
    category: str
    object_name: str
    object_type: str
    author: str | None = None
    description: str = ""
    remote: str = ""
    system_admin: bool = False
    changed: list[Changed] = msgspec.field(default_factory=list)
    associated: dict[str, str] = msgspec.field(default_factory=dict)


def dangling(
    accounts: AbstractSet[str],
    directories: Iterable[ScimDirectory],
    people: Iterable[ScimUser],
    content: Iterable[Page],
) -> str | None:
    """What names nothing among these, or None."""
    known = {directory.id for directory in directories}
    for record in people:
        if record.directory not in known or (record.account is not None and record.account not in accounts):
            return f"SCIM user {record.id} names an unknown SCIM directory or account"
    for page in content:
        if not page.edits or page.creator not in accounts or not page.edits.keys() <= accounts:
            return f"content {page.id} names an unknown account, or nobody who wrote it"
    return None
