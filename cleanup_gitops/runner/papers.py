"""What a run has before it: the site as seen, what is to be carried out, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Approval, Outcome
from cleanup_gitops.planner import Evaluation
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.attempt import Past
from cleanup_gitops.runner.outcomes import Freed
from cleanup_gitops.runner.reading import Questions
from cleanup_gitops.runner.remembering import Remembering


@dataclass(frozen=True, slots=True)
class Sight:
    """The site before the run: ``told`` is what it said itself, ``live`` what the plan was made from.

    ``live`` has beside it the answers to ``questions`` and what earlier snapshots know. Only ``told`` is recorded.
    """

    told: Live
    live: Live
    questions: Questions
    reader: Remembering


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be carried out, and who allowed it."""

    plan: Plan
    choice: Choice
    approval: Approval
    saved: Plan | None
    evaluation: Evaluation
    approvals: Mapping[str, Approval]
    """The standing approvals that the chosen rows need, by policy."""
    begun: Mapping[str, Past] = field(default_factory=dict)
    """Users whom a run that was cut off has changed under the same approval, and of whom something is left."""
    asked: Questions = field(default_factory=dict)
    """What was asked about these."""
    ungiven: frozenset[str] = frozenset()
    """Users who were to get something that is planned no longer: nothing is taken from them."""
    second: Approval | None = None
    """Who else approved, where the choice deletes accounts."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The site after the run, what became of the rows, and what the run did not do between its two readings.

    ``unread`` says why there is no second reading, "" otherwise.
    """

    live: Live
    outcomes: tuple[Outcome, ...]
    unread: str = ""
    differences: tuple[Difference, ...] = ()
    seats: Freed | None = None
    """What became of the seats; ``None``: nothing was written, or the site was not read again."""
