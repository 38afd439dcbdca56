"""Steps turned into changes with their needs and notes."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from cleanup_gitops.model.change import (
    Action,
    Change,
    GroupModifiable,
    LifecycleAllowed,
    MemberIs,
    MembershipAdd,
    MembershipRemove,
    Need,
    NoticeSend,
    RoleHeld,
    RoleRevoke,
    StatusChange,
    StatusIs,
    TokenExists,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserRemove,
    membership_address,
    role_address,
    token_address,
    user_address,
)
from cleanup_gitops.model.requirement import (
    Cause,
    MembershipRequirement,
    NoticeRequirement,
    RoleRequirement,
    StatusRequirement,
    TokensRequirement,
)
from cleanup_gitops.model.user import GroupSeat, RoleSeat, SeatPath, Status, User
from cleanup_gitops.planner.access import direct_told
from cleanup_gitops.planner.assume import begins_with, license_of
from cleanup_gitops.planner.statuses import privilege
from cleanup_gitops.planner.unmet import Step
from cleanup_gitops.policy.match import Scope


def directory_of(user: User, scope: Scope) -> str | None:
    """The directory that stands in addresses: where a site has several."""
    return user.directory if scope.inventory.hosting == "datacenter" else None


_STATUS_CHANGES: dict[Action, tuple[type[StatusChange], Status]] = {
    "user.enable": (UserEnable, "active"),
    "user.disable": (UserDisable, "suspended"),
    "user.deactivate": (UserDeactivate, "deactivated"),
    "user.remove": (UserRemove, "absent"),
    "user.delete": (UserDelete, "deleting"),
}
"""What a step about the status becomes, and the status after it (suspended: Cloud)."""


_NO_WAY_BACK: dict[Action, str] = {
    "user.remove": "coming back takes a new invitation, new groups and new roles",
    "user.delete": 'can be stopped within 14 days, not later; pages stay, by "Former user"',
}
"""What must be known before such a change is approved."""


class Maker(Struct, frozen=True):
    """Makes the changes of one user, who leaves the groups ``ends`` and loses the roles ``revoked``."""

    user: User
    scope: Scope
    ends: frozenset[str]
    revoked: frozenset[str]

    def changes(self, step: Step, causes: tuple[Cause, ...], needs: tuple[Need, ...]) -> list[Change]:
        """One change, or one for each API token. ``needs`` are those that the policies bring."""
        asked = step.requirement
        match asked:
            case StatusRequirement():
                return [self._status(step, causes, needs)]
            case MembershipRequirement():
                return [self._membership(asked, causes, needs)]
            case RoleRequirement():
                return [self._role(asked, causes, needs)]
            case TokensRequirement():
                return [self._token(token, causes, needs) for token in self.user.tokens or ()]
            case NoticeRequirement():
                return [self._notice(asked, causes, needs)]

    def _status(self, step: Step, causes: tuple[Cause, ...], needs: tuple[Need, ...]) -> Change:
        user = self.user
        kind, new = _STATUS_CHANGES[step.action]
        if new == "suspended" and self.scope.inventory.hosting == "datacenter":
            new = "disabled"
        needed = privilege(step.action, user.status)
        return kind(
            address=user_address(user.id, directory_of(user, self.scope)),
            user=user.id,
            directory=user.directory,
            causes=causes,
            needs=(StatusIs(user.status), *((LifecycleAllowed(needed),) if needed else ()), *needs),
            old=user.status,
            new=new,
            note=_NO_WAY_BACK.get(step.action, ""),
        )

    def _membership(self, asked: MembershipRequirement, causes: tuple[Cause, ...], needs: tuple[Need, ...]) -> Change:
        user = self.user
        group = self.scope.inventory.group_by_id[asked.group]
        own = (StatusIs(user.status), MemberIs(group.id, not asked.member), GroupModifiable(group.id))
        cls = MembershipAdd if asked.member else MembershipRemove
        return cls(
            address=membership_address(group.id, user.id, directory_of(user, self.scope)),
            user=user.id,
            directory=user.directory,
            causes=causes,
            needs=(*own, *needs),
            note="" if asked.member else self._seat_note(lambda path: begins_with(path, group.id)),
            group=group.id,
            label=group.name,
        )

    def _role(self, asked: RoleRequirement, causes: tuple[Cause, ...], needs: tuple[Need, ...]) -> Change:
        user = self.user
        return RoleRevoke(
            address=role_address(asked.role, user.id),
            user=user.id,
            directory=user.directory,
            causes=causes,
            needs=(StatusIs(user.status), RoleHeld(asked.role), *needs),
            note=self._seat_note(lambda path: path == RoleSeat(asked.role)),
            role=asked.role,
        )

    def _token(self, token: str, causes: tuple[Cause, ...], needs: tuple[Need, ...]) -> Change:
        user = self.user
        return TokenRevoke(
            address=token_address(user.id, token),
            user=user.id,
            directory=user.directory,
            causes=causes,
            needs=(StatusIs(user.status), TokenExists(token), *needs),
            token=token,
        )

    def _notice(self, asked: NoticeRequirement, causes: tuple[Cause, ...], needs: tuple[Need, ...]) -> Change:
        user = self.user
        return NoticeSend(
            address=asked.address,
            user=user.id,
            directory=user.directory,
            causes=causes,
            needs=(StatusIs(user.status), *needs),
            policy=asked.policy,
            stage=asked.stage,
            episode=asked.episode,
            template=asked.template,
            template_digest=asked.template_digest,
        )

    def _seat_note(self, ended: Callable[[SeatPath], bool]) -> str:
        """Says when a way to a seat ends but the seat stays, because it is held in another way too."""
        user, inventory = self.user, self.scope.inventory
        paid = [path for path in user.seats or () if license_of([path], inventory) not in ("guest", "none")]
        if not any(ended(path) for path in paid):
            return ""
        if left := {self._way(path) for path in paid if not self._ends(path)}:
            return f"no seat freed: still held through {', '.join(sorted(left))}"
        return "" if direct_told(user, inventory) else "frees a seat unless a role is held directly, which is not known"

    def _ends(self, path: SeatPath) -> bool:
        """Whether this plan ends the way to the license."""
        if isinstance(path, GroupSeat):
            return path.chain[0] in self.ends
        return isinstance(path, RoleSeat) and path.role in self.revoked

    def _way(self, path: SeatPath) -> str:
        """How a seat is held, by what would have to be taken away."""
        if isinstance(path, GroupSeat):
            return f"group {self.scope.inventory.group_by_id[path.chain[0]].name}"
        return f"the direct role {path.role}" if isinstance(path, RoleSeat) else f"the permission {path.permission}"
