"""Changes: one class per action, joined in a union, so that a wrong combination cannot be built.

A change's digest covers address, directory, action, managed fields before and after, needs, and causes as names
of policies and stages. It covers no text, age, file line, commit or time of the run: the same change an hour later has
the same digest.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar, Literal, get_args

from msgspec import Struct

from cleanup_gitops.model.canonical import digest
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.user import Status

Action = Literal[
    "user.delete",
    "user.remove",
    "user.deactivate",
    "user.disable",
    "role.revoke",
    "membership.remove",
    "tokens.revoke",
    "user.enable",
    "membership.add",
    "notice.send",
    "user.invite",
]
ACTIONS: tuple[Action, ...] = get_args(Action)
"""The closed list of action names, removals first: the order of a plan and of its text."""


class StatusIs(Struct, frozen=True, gc=False, tag="status", tag_field="need"):
    """The account must still have this status."""

    status: Status


class MemberIs(Struct, frozen=True, gc=False, tag="membership", tag_field="need"):
    """The user must still (not) be a direct member of the group."""

    group: str
    member: bool


class NotSeenAfter(Struct, frozen=True, gc=False, tag="not_seen_after", tag_field="need"):
    """The user must not have come back: no sighting in the product later than the latest that the plan read.

    ``product`` is "confluence" or "any"; ``at`` is ``None`` when the plan read "never".
    """

    product: str
    at: datetime | None


class GroupModifiable(Struct, frozen=True, gc=False, tag="group_modifiable", tag_field="need"):
    """Memberships of the group must still be changeable here."""

    group: str


class RoleHeld(Struct, frozen=True, gc=False, tag="role_held", tag_field="need"):
    """The user must still hold this role in Confluence directly."""

    role: str


class TokenExists(Struct, frozen=True, gc=False, tag="token_exists", tag_field="need"):
    """The account must still have this API token."""

    token: str


class LifecycleAllowed(Struct, frozen=True, gc=False, tag="lifecycle_allowed", tag_field="need"):
    """The organization must still be allowed to change the whole account in this way."""

    privilege: Literal["enablement", "deletion"]


Need = StatusIs | MemberIs | NotSeenAfter | GroupModifiable | RoleHeld | TokenExists | LifecycleAllowed


class _Change(Struct, frozen=True, gc=False, kw_only=True):
    """Fields of every change. ``directory`` is where the account lives; ``address`` identifies the object.

    ``note`` is a sentence for people ("no seat freed: ..."), outside the digest.
    """

    address: str
    user: str
    directory: str
    causes: tuple[Cause, ...] = ()
    needs: tuple[Need, ...] = ()
    note: str = ""


class _Membership(_Change, frozen=True, gc=False, kw_only=True):
    """A change of one direct membership. ``label`` is the group's name, for people only."""

    group: str
    label: str = ""


class MembershipAdd(_Membership, frozen=True, gc=False, kw_only=True, tag="membership.add", tag_field="action"):
    """The user becomes a direct member of the group."""

    action: ClassVar[Action] = "membership.add"

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"member": False}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be."""
        return {"member": True}


class MembershipRemove(_Membership, frozen=True, gc=False, kw_only=True, tag="membership.remove", tag_field="action"):
    """The user's direct membership of the group ends."""

    action: ClassVar[Action] = "membership.remove"

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"member": True}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be."""
        return {"member": False}


class _StatusChange(_Change, frozen=True, gc=False, kw_only=True):
    """A change of the account's status in its directory."""

    old: Status
    new: Status

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"status": self.old}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be."""
        return {"status": self.new}


class UserDisable(_StatusChange, frozen=True, gc=False, kw_only=True, tag="user.disable", tag_field="action"):
    """The account is closed in its directory and can be opened again: suspended (Cloud), disabled (Data Center)."""

    action: ClassVar[Action] = "user.disable"


class UserEnable(_StatusChange, frozen=True, gc=False, kw_only=True, tag="user.enable", tag_field="action"):
    """A closed account is opened again.

    As ``old`` demands: restored in the directory, reactivated, its deletion cancelled (Cloud); enabled (Data Center).
    """

    action: ClassVar[Action] = "user.enable"


class UserDeactivate(_StatusChange, frozen=True, gc=False, kw_only=True, tag="user.deactivate", tag_field="action"):
    """The whole Atlassian account is closed, for every service, and can be opened again (Cloud, managed accounts)."""

    action: ClassVar[Action] = "user.deactivate"


class UserRemove(_StatusChange, frozen=True, gc=False, kw_only=True, tag="user.remove", tag_field="action"):
    """The account leaves the directory: coming back takes a new invitation and new groups (Cloud)."""

    action: ClassVar[Action] = "user.remove"


class UserDelete(_StatusChange, frozen=True, gc=False, kw_only=True, tag="user.delete", tag_field="action"):
    """The account's deletion is scheduled; within the vendor's days of grace it can be cancelled (Cloud, managed)."""

    action: ClassVar[Action] = "user.delete"


class RoleRevoke(_Change, frozen=True, gc=False, kw_only=True, tag="role.revoke", tag_field="action"):
    """A role in this Confluence that the user holds directly is taken back (Cloud)."""

    action: ClassVar[Action] = "role.revoke"

    role: str

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"held": True}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be."""
        return {"held": False}


class TokenRevoke(_Change, frozen=True, gc=False, kw_only=True, tag="tokens.revoke", tag_field="action"):
    """One API token of the account ends (Cloud, managed accounts)."""

    action: ClassVar[Action] = "tokens.revoke"

    token: str

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"valid": True}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be."""
        return {"valid": False}


class NoticeSend(_Change, frozen=True, gc=False, kw_only=True, tag="notice.send", tag_field="action"):
    """The user is told by mail what a policy is about to do. It takes nothing away, and cannot be taken back.

    ``address`` is that of the stage. What it says is part of the digest, as the name and the digest of its template.
    """

    action: ClassVar[Action] = "notice.send"

    policy: str
    stage: str
    episode: int
    template: str
    template_digest: str

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"noticed": False}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be."""
        return {"noticed": True, "template": self.template, "template_digest": self.template_digest}


class UserInvite(_Change, frozen=True, gc=False, kw_only=True, tag="user.invite", tag_field="action"):
    """Somebody without an account is invited, with a role in this Confluence and into groups (Cloud).

    Nobody knows an account id yet, and no address may stand here: ``user`` is the address of the change, which names
    the roster and a keyed pseudonym of the person (see ``model.people.People.pseudonym``). ``groups`` are ids, sorted.
    """

    action: ClassVar[Action] = "user.invite"

    role: str
    groups: tuple[str, ...] = ()
    label: str = ""
    """Names of the groups, for people only."""

    @property
    def before(self) -> dict[str, Any]:
        """Managed fields as they are."""
        return {"invited": False}

    @property
    def after(self) -> dict[str, Any]:
        """Managed fields as they will be; what the person gets is among them."""
        return {"invited": True, "role": self.role, "groups": " ".join(self.groups)}


StatusChange = UserEnable | UserDisable | UserDeactivate | UserRemove | UserDelete
AccountChange = MembershipAdd | MembershipRemove | StatusChange | RoleRevoke | TokenRevoke
Change = AccountChange | NoticeSend | UserInvite


def user_address(user: str, directory: str | None) -> str:
    """``user/<id>``; with the directory in between where a site has several (Data Center)."""
    return f"user/{directory}/{user}" if directory else f"user/{user}"


def membership_address(group: str, user: str, directory: str | None) -> str:
    """``membership/<group-id>/<id>``; with the directory first where a site has several (Data Center)."""
    return f"membership/{directory}/{group}/{user}" if directory else f"membership/{group}/{user}"


def role_address(role: str, user: str) -> str:
    """``role/<role>/<id>``: a role in this Confluence, held directly (Cloud)."""
    return f"role/{role}/{user}"


def token_address(user: str, token: str) -> str:
    """``token/<id>/<token-id>`` (Cloud)."""
    return f"token/{user}/{token}"


_INVITE = re.compile(r"invite/[A-Za-z0-9][A-Za-z0-9._-]*/[0-9a-f]{32}", re.ASCII)


def invite_address(roster: str, pseudonym: str) -> str:
    """``invite/<roster>/<pseudonym>`` (Cloud)."""
    return f"invite/{roster}/{pseudonym}"


def is_invite_address(text: str) -> bool:
    """Whether a text looks like the address of an invitation, and so holds no e-mail address."""
    return _INVITE.fullmatch(text) is not None


def stage_address(user: str, policy: str, stage: str, episode: int, directory: str | None) -> str:
    """``stage/<id>/<policy>/<stage>/<episode>``; with the directory first where a site has several (Data Center)."""
    rest = f"{user}/{policy}/{stage}/{episode}"
    return f"stage/{directory}/{rest}" if directory else f"stage/{rest}"


class _Digested(Struct, frozen=True, gc=False):
    """The parts of a change that a digest covers."""

    action: str
    address: str
    after: dict[str, Any]
    before: dict[str, Any]
    causes: tuple[str, ...]
    directory: str
    needs: tuple[Need, ...]


def change_digest(change: Change) -> str:
    """``sha256:…`` of what the change does, to what, why (names of policies and stages) and under which needs."""
    names = tuple([cause.name for cause in change.causes])
    return digest(
        _Digested(change.action, change.address, change.after, change.before, names, change.directory, change.needs)
    )


def change_order(change: Change) -> tuple[int, str]:
    """Sort key of a plan and its text: removals first, then by address."""
    return ACTIONS.index(change.action), change.address


GIVING: frozenset[Action] = frozenset({"user.enable", "membership.add", "user.invite"})
"""Actions that give something."""
TAKING: frozenset[Action] = frozenset(ACTIONS) - GIVING - {"notice.send"}
"""Actions that take something away: all others but notices, one that is added to the language as well."""
EXECUTION: tuple[Action, ...] = (
    "membership.add",
    "tokens.revoke",
    "role.revoke",
    "membership.remove",
    "user.enable",
    "user.invite",
    "user.disable",
    "user.deactivate",
    "user.remove",
    "user.delete",
    "notice.send",
)
"""The order in which the changes of one user are carried out: nobody loses access in between, and a seat is released
before the account is closed, so that a change never takes away what the next one of the same user needs."""


def execution_order(change: Change) -> tuple[str, int, str]:
    """Sort key for carrying changes out: one user after the other."""
    return change.user, EXECUTION.index(change.action), change.address
