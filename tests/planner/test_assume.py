"""What is known of an account after a change of its status."""

from __future__ import annotations

import pytest

from cleanup_gitops.model.change import StatusChange, UserDisable, UserEnable, UserRemove
from cleanup_gitops.planner.assume import assume_user
from tests.policy.users import ago, inventory, user


@pytest.mark.parametrize(("kind", "new"), [(UserDisable, "suspended"), (UserEnable, "active"), (UserRemove, "absent")])
def test_since_when_the_old_status_was_so_says_nothing_of_the_new_one(kind: type[StatusChange], new: str) -> None:
    old = user(groups=(), status_since=ago(400), status_by=ago(400), status_after=ago(401))
    change = kind(address="user/1", user=old.id, directory="default", old="active", new=new)  # type: ignore[arg-type]
    after = assume_user(old, [change], inventory(users=[old]))
    assert after.status == new
    assert (after.status_since, after.status_by, after.status_after) == (None, None, None)
