"""Where a reading is broken, and what its error may say."""

from __future__ import annotations

import traceback

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.sandbox.server import RunningSandbox
from tests import canaries

USERS_SEARCH = "users/search$"


def refused(box: RunningSandbox, error: CleanupError) -> str:
    """The text of an error, after making sure that it holds no secret and nobody's name or address."""
    shown = "".join(traceback.format_exception(error)) + error.message + error.hint
    assert canaries.found(shown) == []
    assert box.user_email not in shown
    for user in box.world.users:
        assert user.email is None or user.email not in shown
    return str(error)
