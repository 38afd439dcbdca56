"""Runs the command without the vendor's published limits: ``python -m tests.benchmarks.unlimited ARGUMENT...``.

The sandbox of a benchmark has none either; what is measured is the work, not the waiting.
"""

from __future__ import annotations

import sys

from cleanup_gitops.cli.main import run
from cleanup_gitops.sites.families import FAMILIES


def lift() -> None:
    """Forget the published limits, for this process only."""
    FAMILIES.clear()


if __name__ == "__main__":
    lift()
    sys.exit(run(sys.argv[1:]))
