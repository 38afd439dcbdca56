"""What became of a change, as a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cleanup_gitops.model.change import Change, NoticeSend, RoleRevoke, TokenRevoke, change_digest
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.run import Outcome, Receipt, Result
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.seats import not_freed, suspended_with_license
from cleanup_gitops.runner.needs import took_effect

OPEN: frozenset[Result] = frozenset({"failed", "not_effective", "not_attempted", "settling"})
"""Results of a change that should have been made and is not proven to be."""


def outcome_of(
    change: Change,
    result: Result,
    at: datetime,
    *,
    detail: str = "",
    receipt: Receipt | None = None,
    seen: bool = False,
) -> Outcome:
    """The outcome of a change at a UTC time; ``seen``: the wished state showed on the site then."""
    return Outcome(
        address=change.address,
        action=change.action,
        change=change_digest(change),
        user=change.user,
        result=result,
        at=at,
        before=change.before,
        after=change.after,
        causes=change.causes,
        detail=detail,
        receipt=receipt,
        verified=at if seen else None,
    )


def unseen(changes: Iterable[Change], site: Inventory, outcomes: Iterable[Outcome] = ()) -> frozenset[str]:
    """Digests of the changes whose effect this reading does not show, as far as any reading of a whole site can.

    ``outcomes`` tell the accounts of people who were invited.
    """
    users = site.user_by_id
    accounts = {one.address: one.account for one in outcomes if one.account}
    subjects = ((one, users.get(accounts.get(one.address, one.user))) for one in changes)
    return frozenset(change_digest(one) for one, user in subjects if not _shown(one, user))


def _shown(change: Change, user: User | None) -> bool:
    """Direct roles and tokens stand in no list: of a role the license tells something, of a token nothing does.

    Nor does anything tell of a notice.
    """
    if isinstance(change, TokenRevoke | NoticeSend):
        return True
    if isinstance(change, RoleRevoke) and user is not None and user.direct is None and user.license == "none":
        return True
    return took_effect(change, user)


@dataclass(frozen=True, slots=True)
class Freed:
    """Paid seats before and after a run, as the site was read.

    ``kept`` are users who were to lose theirs and have one all the same; ``suspended`` counts those who were suspended
    and keep their license.
    """

    before: int
    after: int
    kept: tuple[str, ...] = ()
    suspended: int = 0


def freed(before: Inventory, after: Inventory, changes: Iterable[Change], outcomes: Iterable[Outcome]) -> Freed:
    """What became of the seats by those of these changes that were made, as a reading before and one after show."""
    made = {one.change for one in outcomes if one.result == "applied"}
    own = tuple(one for one in changes if change_digest(one) in made)
    return Freed(before.seats_used, after.seats_used, not_freed(before, after, own), suspended_with_license(after, own))
