"""From policies and an inventory to a plan. Pure: no I/O, no clock; the same inputs give the same bytes."""

from cleanup_gitops.planner.assume import assume, rewound
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.guards import reading_checks
from cleanup_gitops.planner.plan import guarded, make_plan
from cleanup_gitops.planner.questions import doubtful, questions
from cleanup_gitops.planner.ready import evaluate, evaluation_now, undone

__all__ = [
    "Evaluation",
    "assume",
    "doubtful",
    "evaluate",
    "evaluation_now",
    "guarded",
    "make_plan",
    "questions",
    "reading_checks",
    "rewound",
    "undone",
]
