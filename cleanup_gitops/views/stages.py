"""What a plan says of the stages of policies: how many users come to which, and whose episode ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cleanup_gitops.model.memory import Ended
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Plan, StageRow
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.views.rows import EndedRow
from cleanup_gitops.views.safe import label

_WHY: dict[Ended, str] = {
    "done": "all stages are done",
    "returned": "was seen again",
    "no-longer-matching": "does not match any more",
    "protected": "is protected by now",
    "exempt": "is exempt by now",
    "restored": "somebody undid what a stage had done",
    "rolled-back": "what a stage had done was rolled back",
    "orphaned": "the policy has no stages any more",
}


def why_ended(reason: Ended | None) -> str:
    """Why an episode is over, in words."""
    return _WHY[reason or "no-longer-matching"]


def _counted_as(row: StageRow) -> str:
    if row.what == "closed":
        return "finished" if row.reason == "done" else "cancelled"
    return "free again" if row.what == "free" else row.what


def lifecycle(plan: Plan, outcomes: Iterable[Outcome] = ()) -> str:
    """``Lifecycle: 12 entered, 2 cancelled.``; "" when nothing happens.

    A stage that tells the user is entered when that was done: ``outcomes`` are those of the run that carried it out.
    """
    counts = Counter(map(_counted_as, plan.lifecycle))
    counts["entered"] += sum(one.action == "notice.send" and one.result == "applied" for one in outcomes)
    told = [
        f"{counts[word]:,} {word}"
        for word in ("entered", "done", "finished", "cancelled", "free again")
        if counts[word]
    ]
    return f"Lifecycle: {', '.join(told)}." if told else ""


def cancelled(plan: Plan) -> tuple[StageRow, ...]:
    """The rows of episodes that are broken off."""
    return tuple(row for row in plan.lifecycle if _counted_as(row) == "cancelled")


def ended_rows(rows: Iterable[StageRow], people: People) -> tuple[EndedRow, ...]:
    """What is told of episodes that end."""
    return tuple(
        EndedRow(
            account=row.user,
            name=label(people.name(row.user)),
            policy=row.policy,
            stage=row.stage,
            since=row.since,
            why=why_ended(row.reason),
        )
        for row in rows
    )
