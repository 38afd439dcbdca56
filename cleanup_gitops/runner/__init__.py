"""Carries a plan out: approval, needs, writes, read-back, record."""

from cleanup_gitops.runner.approval import check_saved, choose
from cleanup_gitops.runner.reading import read_with_answers
from cleanup_gitops.runner.run import Run, Stop, execute

__all__ = ["Run", "Stop", "check_saved", "choose", "execute", "read_with_answers"]
