"""Errors as lines for a person: what happened, where, what to do next."""

from __future__ import annotations

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.safe import plain
from cleanup_gitops.views.words import counted


def render_problem(error: CleanupError, *, colour: bool = False) -> str:
    """The error for standard error, with a line end at its end.

    Mistakes in policies come one a line, so that editors and build servers find ``file:line:col``.
    """
    if isinstance(error, PolicyError):
        found = [plain(problem) for problem in error.problems]
        lines = [f"Error: {counted(len(found), 'problem')} in the policies. Nothing was done.", *found]
    else:
        first, *others = error.message.splitlines() or [type(error).__name__]
        lines = [f"Error: {plain(first)}", *_indented(others)]
    lines += _indented(error.hint.splitlines())
    return paint("".join(f"{line}\n" for line in lines), colour=colour)


def _indented(lines: list[str]) -> list[str]:
    return [f"  {plain(line.strip())}" for line in lines]
