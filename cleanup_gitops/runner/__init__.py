"""Carries a plan out: approval, lease, needs, writes, read-back, record; and ends a run that was cut off."""

from cleanup_gitops.runner.approval import check_saved, choose
from cleanup_gitops.runner.desk import Desk, Run, Stop
from cleanup_gitops.runner.reading import read_with_answers
from cleanup_gitops.runner.run import execute

__all__ = ["Desk", "Run", "Stop", "check_saved", "choose", "execute", "read_with_answers"]
