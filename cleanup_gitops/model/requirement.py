"""What one source asks of one field of one user, before several sources are settled into one desired state."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DesiredStatus = Literal["active", "suspended", "disabled"]


class Cause(Struct, frozen=True, gc=False, kw_only=True):
    """Who asks for a change. Only ``policy`` is part of a change's digest; ``where`` and ``why`` are for people.

    ``where`` is ``file:line`` of the rule, ``why`` one sentence about this user.
    """

    policy: str
    where: str = ""
    why: str = ""


class StatusRequirement(Struct, frozen=True, gc=False, tag="status", tag_field="field"):
    """The account's status must be ``value`` (or, for a status other than active, at least as closed)."""

    value: DesiredStatus


class MembershipRequirement(Struct, frozen=True, gc=False, tag="membership", tag_field="field"):
    """The user must (not) be a direct member of the group."""

    group: str
    member: bool


Requirement = StatusRequirement | MembershipRequirement
