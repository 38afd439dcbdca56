"""The data of one sandbox, an organization with its directories, groups and users, in one file.

The file is one JSON object with keys in a fixed order and one user, group, resource or event a line, so
that two worlds can be compared with ``diff``:

``format``         always ``"cleanup-gitops-sandbox/1"``
``now``            the virtual clock, ISO 8601 in UTC; data never depend on the machine's clock
``site``           ``name`` (``acme``), ``cloud_id``, ``title``
``organization``   ``id`` and ``name``; ``foreign_organizations`` are ids that exist but that the key
                   may not manage (403 instead of 404)
``directories``    ``id``, ``name``, ``manageable`` (false: the key may not manage it, 403)
``domains``        domains of addresses and who has claimed them, see `Domain`
``credentials``    the organization API key, the site user and API token, and when both expire
``options``        behaviour that Atlassian leaves open or that a test wants to vary, see `Options`
``resources``      what roles are given on, see `Resource`
``groups``         see `Group`; members are kept on the users
``users``          see `User`
``events``         the organization's audit log, oldest first, see `Event`
``scim_…``         directories and people as an identity provider knows them, see ``records``
``content``        what was written in Confluence, and by whom, see ``records.Page``
``audit``          Confluence's own audit log, see ``records.AuditRecord``

Keys with their default value are left out. Times are ISO 8601 in UTC. The activity in a file is what
the API shows, so a file has no lag of its own.
"""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from cleanup_gitops.sandbox.options import LAST_ACTIVE_DATES, Lag, Options, RateLimit
from cleanup_gitops.sandbox.records import AuditRecord, Page, ScimDirectory, ScimGroup, ScimUser, Token, dangling

__all__ = [
    "FORMAT",
    "LAST_ACTIVE_DATES",
    "Arrival",
    "Credentials",
    "Directory",
    "Domain",
    "Event",
    "Group",
    "Lag",
    "Options",
    "Organization",
    "RateLimit",
    "Resource",
    "SandboxError",
    "Site",
    "User",
    "World",
    "format_time",
    "parse_time",
]

FORMAT = "cleanup-gitops-sandbox/1"
ONE_A_LINE = ("resources", "groups", "users", "events", "scim_users", "content", "audit")


class SandboxError(Exception):
    """The sandbox cannot start or cannot read its world; the message says what to do."""


class Site(msgspec.Struct, forbid_unknown_fields=True):
    """The Confluence site."""

    name: str
    cloud_id: str
    title: str


class Organization(msgspec.Struct, forbid_unknown_fields=True):
    """The organization that the key manages."""

    id: str
    name: str


class Directory(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One user directory; with `manageable` false the key may not touch it."""

    id: str
    name: str
    manageable: bool = True


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """What a client must present, and whose it is. Expiry is measured by the virtual clock.

    Without `org_api_key_scopes` the key was made without scopes, as User management demands.
    """

    org_api_key: str
    org_api_key_expires: str
    user_email: str
    api_token: str
    api_token_expires: str
    runner_account: str
    org_api_key_scopes: list[str] = []


class Domain(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A domain that the organization has claimed, or tries to: accounts of a verified one are managed."""

    id: str
    name: str
    claim: Literal["dns", "http"] = "dns"
    status: Literal["verified", "deleted", "unverified", "superseded", "missing_token"] = "verified"


class Resource(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Something that roles are given on.

    `name` is the short name that the rest of the file uses,
    `id` the ARI, `key` the product key in activity, `owner` the ``resourceOwner`` in roles.
    `capacity` is the number of bought seats, None where seats are not sold; `status` is that of the
    product's workspace.
    """

    name: str
    id: str
    key: str
    owner: str
    capacity: int | None = None
    status: Literal["online", "offline", "deprecated"] = "online"


class Group(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A group; `roles` maps resource names to roles, `default_roles` to the one given by default."""

    id: str
    name: str
    directory: str
    description: str = ""
    managed_by: str = "admins"
    external_synced: bool = False
    modifiable: bool = True
    deletable: bool = True
    roles: dict[str, list[str]] = msgspec.field(default_factory=dict)
    default_roles: dict[str, str] = msgspec.field(default_factory=dict)
    scim: ScimGroup | None = None


class Arrival(msgspec.Struct, forbid_unknown_fields=True):
    """Activity that happened and that answers show from `visible` on."""

    resource: str
    at: str
    visible: str


class Event(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One entry of the audit log: `actor` (an account id) did `action` at the instant `at`.

    `about` says to what, by kind (``user``, ``group``, ``resource``); `product` is a product's key.
    """

    id: str
    at: str
    action: str
    actor: str
    about: dict[str, str] = msgspec.field(default_factory=dict)
    product: str = ""
    ip: str = "192.0.2.10"


class User(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One account.

    `directories` maps a directory id to ``active`` or ``suspended``; empty means not invited.
    `groups` are group ids, `roles` direct roles by resource name, `activity` the last activity by
    resource name. `email_hidden` leaves the address out of every answer.

    `restrictions` maps privileges of User management to the reason why an administrator lacks them,
    `lifecycle_errors` codes to messages that deactivating and deleting are refused with.
    """

    id: str
    name: str
    nickname: str
    type: str = "atlassian"
    email: str | None = None
    email_hidden: bool = False
    email_verified: bool = True
    account: str = "active"
    for_deletion: bool = False
    deactivated_on: str | None = None
    directories: dict[str, str] = msgspec.field(default_factory=dict)
    added: str | None = None
    managed: bool = True
    source: str | None = None
    mfa: bool = False
    platform_roles: list[str] = msgspec.field(default_factory=list)
    job_title: str | None = None
    department: str | None = None
    organization: str | None = None
    location: str | None = None
    time_zone: str | None = None
    groups: list[str] = msgspec.field(default_factory=list)
    roles: dict[str, list[str]] = msgspec.field(default_factory=dict)
    activity: dict[str, str] = msgspec.field(default_factory=dict)
    arriving: list[Arrival] = msgspec.field(default_factory=list)
    locale: str | None = None
    tokens: list[Token] = msgspec.field(default_factory=list)
    restrictions: dict[str, str] = msgspec.field(default_factory=dict)
    lifecycle_errors: dict[str, str] = msgspec.field(default_factory=dict)


class World(msgspec.Struct, forbid_unknown_fields=True):
    """Everything that one sandbox holds."""

    format: str
    now: str
    site: Site
    organization: Organization
    directories: list[Directory]
    credentials: Credentials
    options: Options
    resources: list[Resource]
    groups: list[Group]
    users: list[User]
    foreign_organizations: list[str] = msgspec.field(default_factory=list)
    domains: list[Domain] = msgspec.field(default_factory=list)
    events: list[Event] = msgspec.field(default_factory=list)
    scim_directories: list[ScimDirectory] = msgspec.field(default_factory=list)
    scim_users: list[ScimUser] = msgspec.field(default_factory=list)
    content: list[Page] = msgspec.field(default_factory=list)
    audit: list[AuditRecord] = msgspec.field(default_factory=list)

    @classmethod
    def load(cls, path: Path | str) -> World:
        """The world in the file `path`. Raises `SandboxError` naming the file and the place in it."""
        try:
            world = msgspec.json.decode(Path(path).read_bytes(), type=cls)
        except OSError as error:
            raise SandboxError(f"{path}: cannot read the world: {error.strerror}") from None
        except msgspec.DecodeError as error:
            raise SandboxError(
                f"{path}: not a sandbox world: {error}; `cleanup-gitops sandbox seed` writes one"
            ) from None
        problem = world.problem()
        if problem:
            raise SandboxError(f"{path}: {problem}")
        return world

    def save(self, path: Path | str) -> None:
        """Write the world to `path`: the old file stays whole until the new one replaces it."""
        target = Path(path)
        try:
            handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self.encode())
                Path(temporary).replace(target)
            except BaseException:
                Path(temporary).unlink()
                raise
        except OSError as error:
            raise SandboxError(f"{path}: cannot write the world: {error.strerror}") from None

    def encode(self) -> bytes:
        """The bytes of the file: equal worlds have equal bytes."""
        encode = msgspec.json.Encoder().encode
        parts = []
        for name in self.__struct_fields__:
            value = getattr(self, name)
            lines = b",\n".join(map(encode, value)) if name in ONE_A_LINE else b""
            text = b"[\n" + lines + b"\n]" if lines else encode(value)
            parts.append(encode(name) + b": " + text)
        return b"{\n" + b",\n".join(parts) + b"\n}\n"

    def problem(self) -> str | None:
        """What makes this world impossible to serve, or None."""
        if self.format != FORMAT:
            return f"format {self.format!r} is not known; this version reads {FORMAT!r}"
        for instant in (
            self.now,
            self.credentials.org_api_key_expires,
            self.credentials.api_token_expires,
            *(event.at for event in self.events),
        ):
            try:
                parse_time(instant)
            except msgspec.ValidationError:
                return f"{instant!r} is not an ISO 8601 instant"
        for limit in self.options.rate_limits:
            try:
                re.compile(limit.path)
            except re.error as error:
                return f"rate limit path {limit.path!r}: {error}"
        return self._dangling()

    def _dangling(self) -> str | None:
        """A name that is used twice or that names nothing, or None."""
        resources = {resource.name for resource in self.resources}
        directories = {directory.id for directory in self.directories}
        groups = {group.id for group in self.groups}
        if len(groups) != len(self.groups):
            return "two groups have the same id"
        accounts = {user.id for user in self.users}
        if len(accounts) != len(self.users):
            return "two users have the same account id"
        for group in self.groups:
            if group.directory not in directories or not group.roles.keys() <= resources:
                return f"group {group.id} names an unknown directory or resource"
        for user in self.users:
            if not (
                groups.issuperset(user.groups)
                and user.roles.keys() <= resources
                and user.activity.keys() <= resources
                and user.directories.keys() <= directories
            ):
                return f"user {user.id} names an unknown group, resource or directory"
        return dangling(accounts, self.scim_directories, self.scim_users, self.content)

    def clock(self) -> datetime:
        """The virtual clock as stored, in UTC."""
        return parse_time(self.now)


def parse_time(text: str) -> datetime:
    """An ISO 8601 instant as an aware datetime in UTC; a fraction is cut to microseconds."""
    return msgspec.convert(re.sub(r"(\.\d{6})\d+", r"\1", text), datetime, strict=False).astimezone(UTC)


def format_time(instant: datetime) -> str:
    """`instant` as ``2026-11-22T09:00:00Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
