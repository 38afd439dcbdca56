"""What really happened on a sandbox: every write that changed something, to whom, and whether that was allowed.

Nothing of the client is asked here: the sandbox's own world, before and after each write, is the witness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from cleanup_gitops.model.change import membership_address, role_address, user_address
from cleanup_gitops.sandbox.server import RunningSandbox
from cleanup_gitops.sandbox.state import Trace
from cleanup_gitops.sandbox.world import User

ADMINISTRATION = frozenset({"atlassian/admin", "atlassian/org-admin", "atlassian/site-admin"})
STATUS = {"not_invited": "absent", "for_deletion": "deleting"}
"""Words of the sandbox's statuses that are other ones in the model."""

Facts = dict[tuple[str, str], str | bool]
"""Values by address and managed field; what is absent is False."""
What = tuple[str, str, str | bool]
"""An address, a managed field, and its value from now on: what a change of a plan would have brought about."""


@dataclass(frozen=True)
class Effect:
    """One write that changed something, and in which act of a test and when (UTC) it was sent.

    ``shielded``: why the user should not have been touched, as the world was when the write came; "" otherwise.
    """

    user: str
    what: tuple[What, ...]
    act: int
    shielded: str
    at: datetime


class Effects:
    """All effective writes to one sandbox, in order. ``shield`` says why nobody may touch a user; "" when they may.

    ``act`` is the number of what a test is doing, as it last said; ``accepted`` counts by it the writes that were
    taken, also those that changed nothing.
    """

    def __init__(self, box: RunningSandbox, shield: Callable[[User], str]) -> None:
        self.found: list[Effect] = []
        self.accepted: Counter[int] = Counter()
        self.act = 0
        self._state = box.state
        self._shield = shield
        self._perform = box.state.perform
        setattr(box.state, "perform", self._noting)  # noqa: B010 - this sandbox alone is listened to

    def _noting(self, change: Callable[[], None], effect: Any = "now", trace: Trace | None = None) -> None:  # noqa: ANN401 - handed on
        act, at = self.act, self._state.now()
        self.accepted[act] += 1
        users = self._concerned(trace)
        shields = {user.id: self._shield(user) for user in users}

        def noted() -> None:
            before = {user.id: self._facts(user) for user in users}
            change()
            for user in users:
                what = tuple(_differences(before[user.id], self._facts(user)))
                if what:
                    self.found.append(Effect(user.id, what, act, shields[user.id], at))

        self._perform(noted, effect, trace)

    def shows(self, account: str, what: What) -> bool:
        """Whether the world is as somebody wanted it."""
        user = self._state.user(account)
        address, name, value = what
        return user is not None and self._facts(user).get((address, name), False) == value

    def _concerned(self, trace: Trace | None) -> list[User]:
        """Whom a write is about; everybody where it does not say so."""
        user = self._state.user(trace.about.get("user", "")) if trace else None
        return [user] if user else self._state.world.users

    def _facts(self, user: User) -> Facts:
        facts: Facts = {(membership_address(group, user.id, None), "member"): True for group in user.groups}
        for role in user.roles.get("confluence", ()):
            facts[role_address(role.rpartition("/")[2], user.id), "held"] = True
        status = self._state.status(user)
        facts[user_address(user.id, None), "status"] = STATUS.get(status, status)
        facts["other", "facts"] = msgspec.json.encode([user.platform_roles, user.tokens, user.name]).decode()
        return facts


def _differences(before: Facts, after: Facts) -> list[What]:
    return [
        (address, field, after.get((address, field), False))
        for address, field in sorted(before.keys() | after.keys())
        if before.get((address, field), False) != after.get((address, field), False)
    ]


def administers(box: RunningSandbox, user: User) -> bool:
    """Whether the user administers Confluence, the site or the organization, as the sandbox's world says."""
    held = box.state.roles(user)
    given = {role for name in ("confluence", "site", "organization") for role in held.get(name, ())}
    return bool(ADMINISTRATION & (given | set(user.platform_roles)))
