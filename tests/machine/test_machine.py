"""Any order of plans, applies, deaths, recoveries, outside changes, faults and time keeps every promise."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.books import Books, InGit
from tests.machine.machine import Trust


class TrustInGit(Trust):
    """The same, recorded in a real git repository."""

    def books(self) -> Books:
        self.folder = tempfile.TemporaryDirectory()
        return InGit(Path(self.folder.name))

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            self.folder.cleanup()


def steps(examples: int, each: int) -> settings:
    """So many runs of the machine, of at most so many steps each; the same ones every time.

    A run that breaks a promise is told as it was found: to shrink it takes minutes, and HYPOTHESIS_PROFILE=thorough.
    """
    shrinks = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
    phases = [Phase.generate, Phase.shrink, Phase.explain] if shrinks else [Phase.generate]
    return settings(max_examples=examples, stateful_step_count=each, phases=phases)


@pytest.mark.case("E56", "E64", "F8", "F10", "F12")
def test_no_order_of_events_breaks_a_promise() -> None:
    run_state_machine_as_test(Trust, settings=steps(6, 10))


@pytest.mark.slow
def test_no_order_of_many_events_breaks_a_promise() -> None:
    run_state_machine_as_test(Trust, settings=steps(24, 25))


@pytest.mark.exhaustive
def test_no_order_of_events_breaks_a_promise_in_a_git_repository() -> None:
    run_state_machine_as_test(TrustInGit, settings=steps(10, 20))
