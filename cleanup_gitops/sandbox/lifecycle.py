"""Deactivating, activating and deleting an account, and what stands against it."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, json_answer
from cleanup_gitops.sandbox.late import Change
from cleanup_gitops.sandbox.options import Lag
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import User, format_time, parse_time

GRACE = timedelta(days=14)
"""How long a deletion can be cancelled."""


class Lifecycle:
    """Turns accounts from one state into another. It protects nobody: that is the client's work."""

    def __init__(self, state: State) -> None:
        self._state = state

    def disable(self, user: User, effect: str | Lag) -> Response:
        """POST lifecycle/disable; disabling a disabled account changes nothing."""
        self._check_blocks(user)

        def change() -> None:
            deactivate(self._state, user)

        return self._done(user, "user_deactivated", change, effect, Response(status_code=204))

    def enable(self, user: User, effect: str | Lag) -> Response:
        """POST lifecycle/enable; not for an account whose deletion is under way."""
        if user.for_deletion:
            raise _conflict(user, {"pendingDeletion": "Cancel the deletion of this account first."})

        def change() -> None:
            activate(user)

        return self._done(user, "user_activated", change, effect, Response(status_code=204))

    def delete(self, user: User, effect: str | Lag) -> Response:
        """POST lifecycle/delete: deactivated at once, gone for good after the grace period."""
        self._check_blocks(user)

        def change() -> None:
            if not user.for_deletion:
                user.account, user.for_deletion = "inactive", True
                user.deactivated_on = format_time(self._state.now())

        return self._done(user, "user_deletion_requested", change, effect, json_answer({"message": "Success"}))

    def cancel_delete(self, user: User, effect: str | Lag) -> Response:
        """POST lifecycle/cancel-delete: the account is active again."""
        if not user.for_deletion:
            raise Refusal(json_answer({"key": "notFound"}, 404))

        def change() -> None:
            activate(user)

        return self._done(user, "user_deletion_cancelled", change, effect, json_answer({"message": "Success"}))

    def _check_blocks(self, user: User) -> None:
        if user.lifecycle_errors:
            raise _conflict(user, user.lifecycle_errors)

    def _done(self, user: User, action: str, change: Change, effect: str | Lag, answer: Response) -> Response:
        self._state.perform(change, effect, Trace("status", action, {"user": user.id}))
        return answer


def deactivate(state: State, user: User) -> None:
    """Nobody can log in with the account any more, anywhere; groups and roles stay."""
    if user.account == "active":
        user.account, user.deactivated_on = "inactive", format_time(state.now())


def activate(user: User) -> None:
    """The account is as it was before it was deactivated, or before its deletion was asked for."""
    user.account, user.for_deletion, user.deactivated_on = "active", False, None


def close_deleted(state: State) -> None:
    """Accounts whose grace period is over are gone: no address, no group, no role, nowhere listed."""
    for user in state.world.users:
        if user.for_deletion and user.deactivated_on and parse_time(user.deactivated_on) + GRACE <= state.now():
            close(state, user)


def close(state: State, user: User) -> None:
    """The account is gone for good, and with it whatever it held."""
    for group_id in list(user.groups):
        state.remove_member(user, group_id)
    state.set_roles(user, {})
    user.account, user.for_deletion, user.managed = "closed", False, False
    user.name = user.nickname = "Former user"
    user.email, user.directories, user.platform_roles, user.activity = None, {}, [], {}
    user.tokens = []


def _conflict(user: User, problems: dict[str, str]) -> Refusal:
    context = {
        "message": "This account is not eligible for the requested action.",
        "accountId": user.id,
        "errorCodes": [
            {"code": code, "message": message, "link": "https://support.atlassian.com/"}
            for code, message in problems.items()
        ],
    }
    return Refusal(json_answer({"key": "conflict.lifecycleErrors", "context": context}, 409))
