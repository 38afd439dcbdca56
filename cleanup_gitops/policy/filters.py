"""Conditions that stand by themselves, such as ``inactive_for: 90d`` on a command line.

The language, its checks and its messages are those of ``match`` in a policy. Nothing is done to anybody because of a
filter, so that a lone ``none`` is allowed here: it lists everybody else.
"""

from __future__ import annotations

from pydantic import ValidationError

from cleanup_gitops.policy.condition_shapes import PREDICATES, TREE, Condition
from cleanup_gitops.policy.conditions import match_of
from cleanup_gitops.policy.messages import problems_of
from cleanup_gitops.policy.problems import PolicyError, Problem
from cleanup_gitops.policy.rules import broken_conditions
from cleanup_gitops.policy.tree import Match
from cleanup_gitops.policy.yaml_text import NO_DOCUMENT, read_documents
from cleanup_gitops.policy.yaml_values import Map

EXAMPLE = "write one condition, such as `has_seat: true` or `inactive_for: 90d`"


def read_filter(text: str, name: str) -> Match:
    """One condition, or one tree of ``all``, ``any`` and ``none``, as YAML. ``name`` stands for the file in problems.

    Raises ``PolicyError`` with everything that is wrong.
    """
    reading = read_documents(text.encode("utf-8", "surrogateescape"), name)
    problems = [one for one in reading.problems if one.message != NO_DOCUMENT]
    if len(reading.documents) != 1 and not problems:
        problems.append(Problem(name, 1, 1, EXAMPLE))
    for entry in reading.documents:
        problems += _own_problems(entry, name)
        try:
            shape = Condition.model_validate(entry)
        except ValidationError as error:
            problems += problems_of(error, entry, Condition, name)
    if problems:
        raise PolicyError(problems)
    return match_of(Condition(all=[shape]))


def _own_problems(entry: Map, name: str) -> list[Problem]:
    found = [Problem(name, *broken.at, broken.message) for broken in broken_conditions(entry)]
    asked = [key for key in entry if key in PREDICATES]
    trees = [key for key in entry if key in TREE]
    if not entry:
        found.append(Problem(name, entry.line, entry.col, EXAMPLE))
    if len(asked) > 1 or (asked and trees):
        second = (asked[1:] or trees)[0]
        message = f"one condition at a time: give `{second}` by itself, or put both into a list under `all`"
        found.append(Problem(name, *entry.at_key(second), message))
    return found
