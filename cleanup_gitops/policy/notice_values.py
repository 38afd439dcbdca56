"""A checked Notifications document to the value that the rest of the product works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from cleanup_gitops.model.canonical import digest
from cleanup_gitops.policy.messages import key_of
from cleanup_gitops.policy.notice_shapes import LanguagesSpec, NotificationsSpec, SmtpSpec
from cleanup_gitops.policy.notifying import Languages, Notifications, Smtp, Template
from cleanup_gitops.policy.yaml_values import Map

if TYPE_CHECKING:
    from cleanup_gitops.policy.documents import Placed

_PORTS = {"tls": 465, "starttls": 587, "": 25}


def notifications_of(name: str, spec: NotificationsSpec, data: Map, file: str) -> Notifications:
    """The value without its templates; ``data`` is the document that it was read from."""
    return Notifications(
        name=name,
        folder=spec.templates.rstrip("/"),
        smtp=_smtp(spec.smtp, f"{file}:{key_of(data, ('spec', 'smtp'))[0]}") if spec.smtp else None,
        outbox=spec.outbox,
        silent=spec.silent,
        languages=_languages(spec.language) if spec.language else None,
        escalate=tuple(spec.escalate or ()),
        where=f"{file}:{data.line}",
    )


def with_templates(one: Placed, templates: Mapping[str, Template]) -> Placed:
    """The same with its templates, whose digests belong to what the document means."""
    if not isinstance(one.says, Notifications):
        return one
    meaning = digest({"document": one.digest, "templates": {name: each.digest for name, each in templates.items()}})
    return replace(one, digest=meaning, says=replace(one.says, templates=MappingProxyType(dict(templates))))


def _smtp(shape: SmtpSpec, where: str) -> Smtp:
    encryption = "tls" if shape.tls else "starttls" if shape.starttls else ""
    return Smtp(
        host=shape.host,
        port=shape.port or _PORTS[encryption],
        encryption=encryption,
        sender=shape.from_,
        user=shape.user.env if shape.user else None,
        password=shape.password.env if shape.password else None,
        rate=shape.rate,
        where=where,
    )


def _languages(shape: LanguagesSpec) -> Languages:
    values = {" ".join(value.split()).casefold(): language for value, language in (shape.values or {}).items()}
    return Languages(shape.attribute, shape.default, MappingProxyType(values))
