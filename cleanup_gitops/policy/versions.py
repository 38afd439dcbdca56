"""Versions of the policy documents: which one this program reads, and the way from older ones to it.

A version is ``cleanup-gitops/v<number>``. A number is taken when a document means something else, or is written
otherwise, than before; keys that are only added need none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cleanup_gitops.policy.documents import API_VERSION

_VERSION = re.compile(r"cleanup-gitops/v(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next one that was released. ``what`` says to people what is rewritten."""

    source: str
    target: str
    what: str
    rewrite: Callable[[Any], None]
    """Changes one document (a round-trip mapping of ruamel.yaml) in place; its ``apiVersion`` is changed for it."""


STEPS: tuple[Step, ...] = ()
"""Every step that this program knows. None: ``cleanup-gitops/v1`` is the first version that was released."""


def way(version: str, steps: Sequence[Step], current: str = API_VERSION) -> tuple[Step, ...]:
    """The steps that lead from a version to the current one; none where there is no way, or nothing to do."""
    by_source = {step.source: step for step in steps}
    found: list[Step] = []
    while version != current and version in by_source and len(found) < len(steps):
        found.append(by_source[version])
        version = found[-1].target
    return tuple(found) if version == current else ()


def trouble(version: object, current: str = API_VERSION) -> str:
    """What is wrong with an ``apiVersion``, for people; "" when it is the current one, or is no text at all."""
    if not isinstance(version, str) or version == current:
        return ""
    if way(version, STEPS, current):
        return f"`apiVersion` {version} is older than {current}, which is read here: run `cleanup-gitops migrate`"
    if is_newer(version, current):
        return (
            f"`apiVersion` {version} is newer than {current}, the newest that this program reads: use a newer"
            " cleanup-gitops, or the file as it was before"
        )
    return f"`apiVersion` must be {current}"


def is_newer(version: str, current: str = API_VERSION) -> bool:
    """Whether a later program than this one wrote the document."""
    given, known = (_VERSION.fullmatch(one) for one in (version, current))
    return bool(given and known and int(given[1]) > int(known[1]))
