"""The shape of a Notifications document: how people are told about what policies do."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from cleanup_gitops.policy.fields import EnvName, Name, Some, Text, wrong
from cleanup_gitops.policy.notifying import DEFAULT_RATE, sendable
from cleanup_gitops.policy.shape import Shape, some_key

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*|[0-9A-Fa-f:]*:[0-9A-Fa-f:]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")


def _address(value: str) -> str:
    if not sendable(value):
        raise wrong("must be one bare e-mail address such as wiki@acme.com")
    return value


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise wrong("must be the name or the IP address of a mail relay; its port stands under `port`")
    return value


def _never_off(value: bool) -> bool:  # noqa: FBT001 - pydantic hands the value over
    if not value:
        raise wrong("cannot be false: leave it out and write `starttls`")
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise wrong("must be a language such as en, de or pt-br, in lower case")
    return value


MailAddress = Annotated[
    Text, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": r"^[^\s@]+@[^\s@]+\.[^\s@]+$"})
]
HostName = Annotated[
    Text, AfterValidator(_host), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9.:-]{1,253}$"})
]
LanguageTag = Annotated[
    str, AfterValidator(_language), WithJsonSchema({"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"})
]


class Variable(Shape):
    """Where a secret is found."""

    env: EnvName
    """Name of the environment variable that holds the secret."""


def _one_encryption(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["starttls"]}, {"required": ["tls"]}]


class SmtpSpec(Shape):
    """The relay that takes the mail."""

    model_config = ConfigDict(json_schema_extra=_one_encryption)

    host: HostName
    """Name or IP address of the relay."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port; 587 with `starttls: true`, 465 with `tls: true`, else 25 if left out."""
    starttls: bool | None = None
    """`true`: encryption begins before anything else is said. `false`: no encryption, for a relay nearby."""
    tls: Annotated[bool, AfterValidator(_never_off), WithJsonSchema({"const": True})] | None = None
    """`true`: encrypted from the first byte; excludes `starttls`."""
    user: Variable | None = None
    """User at the relay; needs `password` and encryption."""
    password: Variable | None = None
    """Password at the relay."""
    from_: MailAddress = Field(alias="from")
    """Address of the sender: a team's or a function's, never a person's."""
    rate: int = Field(default=DEFAULT_RATE, ge=1, le=6000)
    """Largest number of mails a minute."""


class LanguagesSpec(Shape):
    """In which language people are told."""

    attribute: Literal["department", "job_title", "location", "organization"]
    """Attribute of users whose value decides."""
    default: LanguageTag
    """Language of the template files that name none, and of everybody whose value means nothing else."""
    values: dict[str, LanguageTag] | None = Field(default=None, json_schema_extra=some_key)
    """Languages by values of the attribute, such as `{Berlin: de}`; a value is the language itself if left out."""


class NotificationsMetadata(Shape):
    """Name of a Notifications document, and who answers for it."""

    name: Name
    """Unique among documents of one kind."""
    owner: Text | None = None
    """A team's address or handle, never a Confluence user."""


class NotificationsSpec(Shape):
    """How people are told, and with which words."""

    model_config = ConfigDict(json_schema_extra=some_key)

    smtp: SmtpSpec | None = None
    outbox: Text | None = None
    """Folder for mail as files (`.eml`) that nobody gets, as seen from the repository; excludes `smtp`."""
    templates: Text
    """Folder with the templates of notices, as seen from the policies' folder."""
    silent: bool = False
    """`true`: stages go on, and nobody is told."""
    language: LanguagesSpec | None = None
    escalate: Some[MailAddress] | None = None
    """Addresses of teams that are told of notices which could not be delivered."""
