"""Standing approvals: a policy that was approved as a whole, or why it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Approval

APPROVE = "approve/"
"""How the names of tags that approve a policy begin; its digest follows, in hexadecimal digits."""
COVERED: frozenset[Action] = frozenset(
    {
        "notice.send",
        "membership.add",
        "membership.remove",
        "user.disable",
        "user.enable",
        "user.deactivate",
        "user.invite",
    }
)
"""Notices and invitations, which take nothing, and actions that another change can take back.

No change gives a direct role back, so it needs a plan that was seen."""


def covers(action: Action, causes: Collection[Cause]) -> bool:
    """Whether a standing approval of these policies covers the action: that of a termination, tokens too."""
    return action in COVERED or (
        action == "tokens.revoke" and bool(causes) and all(cause.termination for cause in causes)
    )


class Missing(Struct, frozen=True):
    """Why a policy has no standing approval that counts: a part of a sentence, and what to do (may be empty)."""

    why: str
    todo: str = ""


Approvals = Mapping[str, Approval | Missing]
"""By the name of the policy: those with ``approval: standing``, and no others."""


def joint(approvals: Iterable[Approval], *, ref: str = "") -> Approval:
    """Several standing approvals as one: their keys and tags side by side, at the time of the newest.

    ``ref`` names what they allow together, in place of the tags. Raises ``ValueError`` without any.
    """
    found = tuple(dict.fromkeys(approvals))
    return Approval(
        kind="standing",
        by=" ".join(sorted({one.by for one in found})),
        at=max(one.at for one in found),
        ref=ref or " ".join(sorted({one.ref for one in found})),
    )


def approval_of(causes: Iterable[Cause], run: Approval, policies: Mapping[str, Approval]) -> Approval:
    """Who allowed one change of a run: with a standing approval all that approved the policies that ask for it.

    ``policies`` are the approvals under which the run acts, by policy. Raises ``KeyError`` for a policy without one.
    """
    if run.kind != "standing":
        return run
    return joint(policies[cause.policy] for cause in causes)
