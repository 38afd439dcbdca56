"""Users and groups as the admin host shows them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from msgspec import UNSET, Raw, UnsetType

from cleanup_gitops.sandbox.state import PLATFORM, State
from cleanup_gitops.sandbox.world import Group, Resource, User

GROUP_ARI = "ari:cloud:identity::group/"


class ResourceCount(msgspec.Struct, gc=False):
    """``counts`` of a user."""

    resources: int


class ProductAccess(msgspec.Struct, rename="camel", gc=False):
    """One entry of ``productAccess``; a product that was never used has none."""

    id: str
    key: str
    last_active_timestamp: str


class UserView(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """A user in a search or by id; what is unset is absent in JSON."""

    account_id: str
    account_type: str
    status: str
    account_status: str
    membership_status: str
    added_to_org: str | UnsetType
    name: str
    nickname: str
    email: str | UnsetType
    email_verified: bool | UnsetType
    claim_status: str
    picture: str
    avatar: str
    management_source: str | None
    mfa_enabled: bool | UnsetType
    job_title: str | UnsetType
    department: str | UnsetType
    organization: str | UnsetType
    location: str | UnsetType
    time_zone: str | UnsetType
    deactivated_on: str | UnsetType = UNSET
    platform_roles: list[str] | UnsetType = UNSET
    counts: ResourceCount | UnsetType = UNSET
    product_access: list[ProductAccess] | UnsetType = UNSET
    groups: list[Raw] | UnsetType = UNSET


def visible_address(state: State, user: User) -> str | None:
    """The user's address, None where answers do not show it."""
    if user.email_hidden or not (user.managed or state.world.options.unmanaged_addresses):
        return None
    return user.email


class Viewer:
    """Views of one state; a group's JSON inside a user is made once and reused."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._groups: dict[tuple[int, str], Raw] = {}

    def user(self, user: User, expand: Collection[str], directory: str | None) -> UserView:
        """`user` with the expansions asked for; groups are those of `directory` (None: of all)."""
        state = self._state
        picture = f"https://avatars.example/{user.id}"
        shown = UserView(
            account_id=user.id,
            account_type=user.type,
            status=state.status(user),
            account_status=user.account,
            membership_status=state.membership_status(user),
            added_to_org=user.added or UNSET,
            name=user.name,
            nickname=user.nickname,
            email=visible_address(state, user) or UNSET,
            email_verified=UNSET if user.email is None else user.email_verified,
            claim_status="managed" if user.managed else "unmanaged",
            picture=picture,
            avatar=picture,
            management_source=user.source,
            mfa_enabled=user.mfa if user.managed else UNSET,
            job_title=user.job_title or UNSET,
            department=user.department or UNSET,
            organization=user.organization or UNSET,
            location=user.location or UNSET,
            time_zone=user.time_zone or UNSET,
        )
        if "platformRoles" in expand:
            shown.platform_roles = user.platform_roles
        if "counts.resources" in expand:
            shown.counts = ResourceCount(len(state.roles(user)))
        if "productAccess" in expand and (directory or state.world.options.product_access_of_all):
            shown.product_access = self._product_access(user)
        if "groups" in expand:
            groups = state.groups
            shown.groups = [
                self._group_in_user(groups[group_id])
                for group_id in user.groups
                if groups[group_id].directory in state.visible
                and (directory is None or groups[group_id].directory == directory)
            ]
        return shown

    def user_detail(self, user: User) -> UserView:
        """`user` asked for by id: administrators' roles and counts are always there."""
        shown = self.user(user, ("platformRoles", "counts.resources"), None)
        if user.deactivated_on is not None:
            shown.deactivated_on = user.deactivated_on
        return shown

    def last_active_dates(self, user: User) -> dict[str, object]:
        """The body of ``last-active-dates``: products that were never used are left out."""
        access = [
            {
                "id": item.id,
                "key": item.key,
                "last_active": item.last_active_timestamp[:10],
                "last_active_timestamp": item.last_active_timestamp[:19] + "Z",
            }
            for item in self._product_access(user)
        ]
        added = user.added
        return {
            "data": {
                "product_access": access,
                "added_to_org": None if added is None else added[:10],
                "added_to_org_timestamp": None if added is None else added[:19] + "Z",
            },
            "links": {},
        }

    def role_assignments(
        self, user: User, assigned: list[tuple[Resource, dict[str, list[str]]]], directory: str | None
    ) -> list[dict[str, object]]:
        """Rows of the roles `assigned` (methods by role); roles in the organization are of no directory."""
        home = directory or next((name for name in user.directories if name in self._state.visible), None)
        rows: list[dict[str, object]] = []
        for resource, roles in assigned:
            platform = resource.owner == PLATFORM
            rows.append(
                {
                    "directoryId": None if platform else home,
                    "resourceId": resource.id,
                    "resourceOwner": resource.owner,
                    "userDirectoryStatus": None if platform else user.directories.get(home or "", "no_membership"),
                    "roleAssignments": [
                        {"role": role, "roleAssignmentMethods": methods} for role, methods in roles.items()
                    ],
                    "roles": list(roles),
                }
            )
        return rows

    def managed_account(self, user: User, base: str) -> dict[str, object]:
        """`user` in the list of managed accounts below the URL `base`: suspension does not show there."""
        access = [
            {
                "key": item.key,
                "name": item.key.replace("-", " ").title(),
                "url": f"https://{self._state.world.site.name}.atlassian.net",
                "last_active": item.last_active_timestamp[:19] + "Z",
            }
            for item in self._product_access(user)
        ]
        shown: dict[str, object] = {
            "account_id": user.id,
            "account_type": user.type,
            "account_status": user.account,
            "name": user.name,
            "picture": f"https://avatars.example/{user.id}",
            "access_billable": user.account == "active" and bool(user.directories),
            "product_access": access,
            "links": {"self": f"{base}/{user.id}"},
        }
        address = visible_address(self._state, user)
        if address is not None:
            shown["email"] = address
        if access:
            shown["last_active"] = max(str(item["last_active"]) for item in access)
        return shown

    def group(self, group: Group, expand: Collection[str]) -> dict[str, object]:
        """`group` in a search or by id."""
        counts: dict[str, int] = {}
        if "counts.users" in expand:
            counts["users"] = len(self._state.members[group.id])
        if "counts.resources" in expand:
            counts["resources"] = len(group.roles)
        shown: dict[str, object] = {
            "id": group.id,
            "name": group.name,
            "description": group.description,
            "directoryId": group.directory,
            "externalSynced": group.external_synced,
            "managedBy": group.managed_by,
            "managementAccess": {
                "readable": True,
                "modifiable": group.modifiable,
                "deletable": group.deletable,
            },
        }
        if counts:
            shown["counts"] = counts
        return shown

    def _product_access(self, user: User) -> list[ProductAccess]:
        resources = self._state.resources
        return [
            ProductAccess(resources[name].id, resources[name].key, at)
            for name, at in self._state.activity(user).items()
        ]

    def _group_in_user(self, group: Group) -> Raw:
        key = (self._state.generation, group.id)
        known = self._groups.get(key)
        if known is None:
            prefix = GROUP_ARI if self._state.world.options.group_ids_as_ari else ""
            body = {
                "id": prefix + group.id,
                "name": group.name,
                "description": group.description,
            }
            known = self._groups[key] = Raw(msgspec.json.encode(body))
        return known
