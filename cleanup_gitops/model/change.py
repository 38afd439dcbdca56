"""Changes: one class per action, joined in a union, so that a wrong combination cannot be built.

A change's digest covers address, directory, action, managed fields before and after, needs, and causes as policy
names. It covers no text, age, file line, commit or time of the run: the same change an hour later has the same digest.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import Struct

from cleanup_gitops.model.canonical import digest
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.user import Status

Action = Literal["membership.add", "membership.remove", "user.enable", "user.disable"]
ACTIONS: tuple[Action, ...] = ("user.disable", "membership.remove", "user.enable", "membership.add")
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


Need = StatusIs | MemberIs | NotSeenAfter | GroupModifiable


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
    """A closed account is opened again: restored (Cloud), enabled (Data Center)."""

    action: ClassVar[Action] = "user.enable"


Change = MembershipAdd | MembershipRemove | UserEnable | UserDisable


def user_address(user: str, directory: str | None) -> str:
    """``user/<id>``; with the directory in between where a site has several (Data Center)."""
    return f"user/{directory}/{user}" if directory else f"user/{user}"


def membership_address(group: str, user: str, directory: str | None) -> str:
    """``membership/<group-id>/<id>``; with the directory first where a site has several (Data Center)."""
    return f"membership/{directory}/{group}/{user}" if directory else f"membership/{group}/{user}"


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
    """``sha256:…`` of what the change does, to what, why (policy names) and under which needs."""
    names = [cause.policy for cause in change.causes]
    return digest(
        _Digested(
            change.action, change.address, change.after, change.before, tuple(names), change.directory, change.needs
        )
    )


def change_order(change: Change) -> tuple[int, str]:
    """Sort key of a plan and its text: removals first, then by address."""
    return ACTIONS.index(change.action), change.address


EXECUTION: tuple[Action, ...] = ("membership.add", "membership.remove", "user.enable", "user.disable")
"""The order in which the changes of one user are carried out: nobody loses access in between, and a seat is released
before the account is closed, so that a change never takes away what the next one of the same user needs."""


def execution_order(change: Change) -> tuple[str, int, str]:
    """Sort key for carrying changes out: one user after the other."""
    return change.user, EXECUTION.index(change.action), change.address
