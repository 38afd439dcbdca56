"""How people are told about what policies do: frozen values of a Notifications document, and of notice templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cleanup_gitops.policy.patterns import normal_domain

DEFAULT_RATE = 30
"""Mails a minute. Large providers take no more from one sender."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64})*")


def sendable(address: str) -> bool:
    """Whether mail can be sent to (or from) this, as it is: one bare address in ASCII, and nothing that means more."""
    local, _, domain = address.rpartition("@")
    if len(address) > 254 or len(local) > 64 or not domain.isascii():
        return False
    return bool(_LOCAL.fullmatch(local)) and normal_domain(domain) == domain.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """The mail relay. ``user`` and ``password`` are names of environment variables, both or neither.

    ``encryption``: "tls" from the first byte, "starttls" before anything else is said, "" none. ``rate`` is the largest
    number of mails a minute.
    """

    host: str
    port: int
    encryption: str
    sender: str
    user: str | None = None
    password: str | None = None
    rate: int = DEFAULT_RATE
    where: str = ""


@dataclass(frozen=True, slots=True)
class Languages:
    """Which attribute of a user decides on the language of notices, and what its values mean.

    ``values`` leads from a value of the attribute, in lower case, to a language. ``default`` is the language of files
    that name none.
    """

    attribute: str
    default: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, value: str) -> str:
        """The language that a value of the attribute stands for: the value itself where nothing else is said."""
        wanted = " ".join(value.split()).casefold()
        return self.values.get(wanted, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One template in one language: source of the subject line, of the plain text, and of the HTML where there is any.

    ``file`` and ``html_file`` are the files as messages name them.
    """

    subject: str
    text: str
    file: str
    html: str | None = None
    html_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A notice in every language there is of it; "" is the default language.

    ``digest`` is ``sha256:…`` over all of its files.
    """

    name: str
    bodies: Mapping[str, Body]
    digest: str

    def body(self, language: str) -> tuple[str, Body]:
        """The language that is used for a wanted one, and the body in it. ``de`` serves for ``de-at``."""
        for tag in (language, language.partition("-")[0]):
            if tag in self.bodies:
                return tag, self.bodies[tag]
        return "", self.bodies[""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """How the people of a site are told. Mail goes to ``smtp`` or into the folder ``outbox``; ``silent``: nowhere.

    ``outbox`` is a path, from the repository where it is not absolute. ``folder`` is where the templates are, as
    messages name it. ``escalate`` are addresses of teams that are told of notices which could not be delivered.
    """

    name: str
    folder: str
    templates: Mapping[str, Template] = field(default_factory=lambda: MappingProxyType({}))
    smtp: Smtp | None = None
    outbox: str | None = None
    silent: bool = False
    languages: Languages | None = None
    escalate: tuple[str, ...] = ()
    where: str = ""


def told_nobody(found: Notifications) -> str:
    """A warning when stages go on though nobody is told; "" when mail goes to people.

    Source: Atlassian writes to managed users itself when their account is deactivated.
    """
    after = "and stages go on as if they had been"
    if found.silent:
        return (
            f"{found.where}: notices are silent: people are not told, {after}."
            " Atlassian itself may still write to them, for example when an account is deactivated."
        )
    if found.outbox:
        return f"{found.where}: notices are written to {found.outbox}: people are not told, {after}."
    return ""
