"""How people are told about what policies do: frozen values of a Notifications document, and of notice templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A notice in every language there is of it. ``digest`` is ``sha256:…`` over all of its files."""

    name: str
    bodies: Mapping[str, object]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """How the people of a site are told. ``silent``: nowhere."""

    name: str
    folder: str
    templates: Mapping[str, Template] = field(default_factory=lambda: MappingProxyType({}))
    silent: bool = False
