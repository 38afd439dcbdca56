"""What follows from a requirement that is not met: a step towards it, or the reason why none may be made."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.requirement import Requirement


class Step(Struct, frozen=True):
    """An unmet requirement that can be met: by a change here or, with a ``handoff`` reason, by somebody else."""

    requirement: Requirement
    action: Action
    handoff: str = ""


class Obstacle(Struct, frozen=True):
    """An unmet requirement that must not be met: it keeps the whole user untouched. ``reason`` is a code.

    ``requirement`` is ``None`` when all access to the product is meant. ``note`` is for people.
    """

    requirement: Requirement | None
    state: Literal["conflict", "unknown"]
    reason: str
    note: str = ""


Unmet = Step | Obstacle
