"""What one source asks of one field of one user, before several sources are settled into one desired state."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

DesiredStatus = Literal["active", "suspended", "disabled", "deactivated", "removed", "deleted"]
"""``disabled`` is the word for every hosting and means suspended on Cloud. ``deactivated``: the whole account.
``removed``: out of the directory. ``deleted``: scheduled for deletion, with the vendor's days of grace."""


class Cause(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Who asks for a change. Only ``name`` is part of a change's digest; ``where`` and ``why`` are for people.

    ``where`` is ``file:line`` of the rule, ``why`` one sentence about this user. ``termination``: it ends the access of
    somebody who leaves.
    """

    policy: str
    stage: str = ""
    """The stage of the policy that asks; "" for a policy without stages."""
    where: str = ""
    why: str = ""
    termination: bool = False
    due: Annotated[datetime, Meta(tz=True)] | None = None
    """Until when (UTC) it should have happened, where a Roster says when somebody left."""
    left: Annotated[datetime, Meta(tz=True)] | None = None
    """When the last day of somebody who left was over (UTC), as the Roster says it."""

    @property
    def name(self) -> str:
        """``policy``, or ``policy/stage``."""
        return f"{self.policy}/{self.stage}" if self.stage else self.policy


class StatusRequirement(Struct, frozen=True, gc=False, tag="status", tag_field="field"):
    """The account's status must be ``value`` (or, for a status other than active, at least as closed)."""

    value: DesiredStatus


class MembershipRequirement(Struct, frozen=True, gc=False, tag="membership", tag_field="field"):
    """The user must (not) be a direct member of the group."""

    group: str
    member: bool


class RoleRequirement(Struct, frozen=True, gc=False, tag="role", tag_field="field"):
    """The user must not hold this role in Confluence directly. ``role`` is its bare name, such as ``user``."""

    role: str


class TokensRequirement(Struct, frozen=True, gc=False, tag="api_tokens", tag_field="field"):
    """The account must have no API token."""


class NoticeRequirement(Struct, frozen=True, gc=False, kw_only=True, tag="notice", tag_field="field"):
    """The user must have been told, in this episode of a policy, at this stage of it. ``address`` is the stage's."""

    address: str
    policy: str
    stage: str
    episode: int
    template: str
    template_digest: str


Requirement = StatusRequirement | MembershipRequirement | RoleRequirement | TokensRequirement | NoticeRequirement
