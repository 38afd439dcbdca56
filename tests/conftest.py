"""What holds for every test: examples that repeat, the edge-case summary, published contracts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import case_marks
from tests.canaries import plugin as canaries
from tests.openapi import plugin

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

CONTRACTS_VARIABLE = plugin.CONTRACTS_VARIABLE

# The default run takes the same examples everywhere, so that a red build stays red until it is
# mended. Slow machines are no reason to fail: no deadline, no complaint about slow generation.
# "wide" is the same with more examples, for the run that has more time.
for name, examples in (("default", 10), ("wide", 40)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
# HYPOTHESIS_PROFILE=thorough looks for new examples; what it finds becomes an `@example`.
settings.register_profile(
    "thorough",
    max_examples=1000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def openapi_contracts() -> Path:
    """The folder with the vendor's published OpenAPI files, which are not ours to ship.

    Tests that compare with them are skipped where the variable is not set; nothing else needs them.
    """
    folder = os.environ.get(CONTRACTS_VARIABLE)
    if not folder:
        pytest.skip(f"{CONTRACTS_VARIABLE} names no folder with the published OpenAPI files")
    return Path(folder).resolve(strict=True)


def pytest_configure(config: pytest.Config) -> None:
    """Listen to what is said to sandboxes, and look for secrets in all that tests leave."""
    plugin.register(config)
    canaries.register(config)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say which edge cases no test names yet, and whether contract tests were left out."""
    terminalreporter.write_line(case_marks.summary())
    left_out = [
        report for report in terminalreporter.getreports("skipped") if CONTRACTS_VARIABLE in str(report.longrepr)
    ]
    if left_out:
        terminalreporter.write_line(f"contract tests: {len(left_out)} left out; set {CONTRACTS_VARIABLE} to run them")
