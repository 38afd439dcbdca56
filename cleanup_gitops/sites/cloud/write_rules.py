"""Every call that changes something, in one table: what it is, what a second one does, and what a lost answer means.

docs/cloud-writes.md shows the same table. There is no other write: in particular none that ends the API tokens of a
whole organization.
"""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

WriteName = Literal[
    "membership.add",
    "membership.remove",
    "role.revoke",
    "user.suspend",
    "user.restore",
    "user.remove",
    "user.deactivate",
    "user.reactivate",
    "user.delete",
    "user.cancel-delete",
    "tokens.revoke",
    "user.invite",
    "group.create",
    "group.delete",
]
WRITE_NAMES: tuple[WriteName, ...] = get_args(WriteName)


class WriteRule(Struct, frozen=True, kw_only=True):
    """One write endpoint.

    ``does`` completes "The site refused to ...". ``accepted`` are the statuses of success. ``idempotent`` is whether an
    equal second call has no further effect, which is so or not whatever it answers. ``already`` are answers (status, or
    status and code) that say, or may say, that the wished state was there before. ``repeated`` is that in words;
    ``open`` whether the published description leaves it open. ``shows`` is when the effect can be read, ``lost`` where
    it is looked for when the answer was lost: no write is ever sent again for that. See `repeatable` for what is.
    """

    name: WriteName
    method: str
    template: str
    does: str
    accepted: tuple[int, ...] = (204,)
    idempotent: bool = True
    already: tuple[str, ...] = ()
    repeated: str
    open: bool = False
    shows: str = "at once, in Confluence after minutes"
    lost: str = "read the account"
    source: str

    @property
    def repeatable(self) -> bool:
        """Whether the same call may go out again once it is known that the first did nothing.

        That is known in two cases: the site answered 429, or no connection was made. Nothing else is ever repeated.
        """
        return self.idempotent

    @property
    def endpoint(self) -> str:
        """How errors, receipts and rate limits name it."""
        return f"{self.method} {self.template}"


_DIRECTORY = "/admin/v2/orgs/{org}/directories/{directory}"
_USER = _DIRECTORY + "/users/{account}"
_MEMBERSHIPS = _DIRECTORY + "/groups/{group}/memberships"
_LIFECYCLE = "/users/{account}/manage/lifecycle"
_ORGANIZATIONS, _USER_MANAGEMENT = "Organizations REST API", "User management REST API"

_TABLE = (
    WriteRule(
        name="membership.add",
        method="POST",
        template=_MEMBERSHIPS,
        does="add the account to the group",
        already=("409", "409 ADMIN-409-28"),
        repeated="409, which also means that no seat is left: only reading tells which",
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="membership.remove",
        method="DELETE",
        template=_MEMBERSHIPS + "/{account}",
        does="remove the account from the group",
        already=("404", "404 ADMIN-404-8"),
        repeated="404, or 204 as for the first",
        open=True,
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="role.revoke",
        method="POST",
        template="/admin/v1/orgs/{org}/users/{account}/roles/revoke",
        does="take the role back",
        already=("404",),
        repeated="204 as for the first, or 404",
        open=True,
        shows="within 30 seconds",
        lost="read the account's direct roles",
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="user.suspend",
        method="POST",
        template=_USER + "/suspend",
        does="suspend the account",
        already=("400",),
        repeated="204 as for the first, or 400",
        open=True,
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="user.restore",
        method="POST",
        template=_USER + "/restore",
        does="restore the account",
        already=("400",),
        repeated="204 as for the first, or 400",
        open=True,
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="user.remove",
        method="DELETE",
        template=_USER,
        does="remove the account from the directory",
        already=("404", "404 ADMIN-404-8"),
        repeated="404",
        shows="when its queue has been worked off",
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="user.deactivate",
        method="POST",
        template=_LIFECYCLE + "/disable",
        does="deactivate the account",
        already=("409 conflict.lifecycleErrors",),
        repeated="204 as for the first, or 409",
        open=True,
        source=_USER_MANAGEMENT,
    ),
    WriteRule(
        name="user.reactivate",
        method="POST",
        template=_LIFECYCLE + "/enable",
        does="reactivate the account",
        already=("409 conflict.lifecycleErrors",),
        repeated="204 as for the first, or 409",
        open=True,
        source=_USER_MANAGEMENT,
    ),
    WriteRule(
        name="user.delete",
        method="POST",
        template=_LIFECYCLE + "/delete",
        does="schedule the account's deletion",
        accepted=(200,),
        already=("404 accountNotFound", "409 conflict.lifecycleErrors"),
        repeated="200 as for the first, or 409; 404 once the 14 days are over",
        open=True,
        source=_USER_MANAGEMENT,
    ),
    WriteRule(
        name="user.cancel-delete",
        method="POST",
        template=_LIFECYCLE + "/cancel-delete",
        does="cancel the account's deletion",
        accepted=(200,),
        already=("404 notFound",),
        repeated="200 as for the first, or 404",
        open=True,
        source=_USER_MANAGEMENT,
    ),
    WriteRule(
        name="tokens.revoke",
        method="DELETE",
        template="/users/{account}/manage/api-tokens/{token}",
        does="revoke the API token",
        already=("404 notFound",),
        repeated="404",
        shows="at once",
        lost="read the account's API tokens",
        source=_USER_MANAGEMENT,
    ),
    WriteRule(
        name="user.invite",
        method="POST",
        template="/admin/v2/orgs/{org}/users/invite",
        does="invite the person",
        accepted=(200, 206),
        idempotent=False,
        repeated="200 or 206, and one more mail if a mail was asked for",
        open=True,
        shows="at once or seconds later",
        lost="search the directory by e-mail address",
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="group.create",
        method="POST",
        template=_DIRECTORY + "/groups",
        does="create the group",
        accepted=(201,),
        already=("409",),
        repeated="409: the name is taken",
        shows="after 1 to 2 seconds; its id is not answered",
        lost="search groups by name",
        source=_ORGANIZATIONS,
    ),
    WriteRule(
        name="group.delete",
        method="DELETE",
        template=_DIRECTORY + "/groups/{group}",
        does="delete the group",
        already=("404", "404 ADMIN-404-10"),
        repeated="404",
        shows="after 1 to 2 seconds",
        lost="search groups by id",
        source=_ORGANIZATIONS,
    ),
)
RULES: dict[WriteName, WriteRule] = {rule.name: rule for rule in _TABLE}
BY_ENDPOINT: dict[str, WriteRule] = {rule.endpoint: rule for rule in _TABLE}
