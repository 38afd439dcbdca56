"""Conditions of the policy language on a command line."""

from __future__ import annotations

import click

from cleanup_gitops.policy.filters import read_filter
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.tree import Match


def read_conditions(conditions: tuple[str, ...]) -> Match:
    """All conditions as one. Raises ``UsageError`` with everything that is wrong with them."""
    found: list[Match] = []
    problems: list[str] = []
    for number, text in enumerate(conditions, start=1):
        try:
            found.append(read_filter(text, "--where" if len(conditions) == 1 else f"--where {number}"))
        except PolicyError as error:
            problems += map(str, error.problems)
    if problems:
        raise click.UsageError("\n".join(problems))
    return Match(all=tuple(found))
