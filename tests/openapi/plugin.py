"""Has every exchange of the test run validated: the test that caused one that is not as published fails.

The published files are not ours to ship. Without them the exchanges are counted, and the summary says that nobody
looked at them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.openapi import exchanges
from tests.openapi.exchanges import Exchange

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from tests.openapi.verdicts import Verdicts

CONTRACTS_VARIABLE = "CLEANUP_GITOPS_CONTRACTS"
CHILDREN = Path(__file__).parent / "children"
ROOT = Path(__file__).parent.parent.parent


@dataclass
class Tally:
    """What a process of the test run found; they are added up."""

    heard: int = 0
    distinct: int = 0
    problems: list[str] = field(default_factory=list)
    rows: set[int] = field(default_factory=set)
    """Numbers of the rows of the table of deviations that were needed."""

    def add(self, other: dict[str, Any]) -> None:
        """Add what another process found."""
        self.heard += other["heard"]
        self.distinct += other["distinct"]
        # Two processes may meet the same problem with other values in the words at its end.
        known = {problem.rpartition(": ")[0] for problem in self.problems}
        self.problems += [problem for problem in other["problems"] if problem.rpartition(": ")[0] not in known]
        self.rows |= set(other["rows"])

    def told(self) -> dict[str, Any]:
        """The same for another process."""
        return {
            "heard": self.heard,
            "distinct": self.distinct,
            "problems": self.problems,
            "rows": sorted(self.rows),
        }


class Listener:
    """The plugin of one process of the test run."""

    def __init__(self, contracts: Path | None) -> None:
        self._contracts = contracts
        self._heard: list[Exchange] = []
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="exchanges-"))
        self._verdicts: Verdicts | None = None
        self.tally = Tally()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Listen to sandboxes of this process and of those that it starts, once coverage is being measured."""
        # With pytest-xdist the tests run in workers, which come here too and would inherit what their children need.
        if getattr(session.config.option, "dist", "no") != "no":
            return
        from cleanup_gitops.sandbox import server  # noqa: PLC0415 - coverage has to run first

        exchanges.listen(server, self._hear)
        os.environ[exchanges.FOLDER_VARIABLE] = str(self._folder)
        if self._contracts is None:
            os.environ[exchanges.COUNT_VARIABLE] = "1"
        else:
            os.environ.pop(exchanges.COUNT_VARIABLE, None)
        os.environ["PYTHONPATH"] = os.pathsep.join((str(CHILDREN), str(ROOT)))

    def _hear(self, exchange: Exchange) -> None:
        with self._lock:
            self.tally.heard += 1
            if self._contracts is not None:
                self._heard.append(exchange)

    def judge(self) -> list[str]:
        """Problems of all exchanges since the last time that no row of the table knows, each told once."""
        with self._lock:
            waiting, self._heard = self._heard, []
        for read in exchanges.read(self._folder):
            self.tally.heard += 1
            if read is not None:
                waiting.append(read)
        if not waiting or self._contracts is None:
            return []
        if self._verdicts is None:
            from tests.openapi.verdicts import Verdicts  # noqa: PLC0415 - openapi-core is slow to import

            self._verdicts = Verdicts(self._contracts)
        found = self._verdicts.problems(waiting)
        self.tally.distinct = self._verdicts.distinct
        self.tally.rows = self._verdicts.rows
        self.tally.problems += found
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """After a test and its fixtures: its exchanges."""
        yield
        if found := self.judge():
            pytest.fail("not as published:\n" + "\n".join(found), pytrace=False)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The last exchanges, those of fixtures that live long; then the result for the controlling process."""
        self.judge()
        shutil.rmtree(self._folder, ignore_errors=True)
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["openapi"] = self.tally.told()
        elif self.tally.problems:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist's
        """Add what a worker found."""
        self.tally.add(getattr(node, "workeroutput", {}).get("openapi", Tally().told()))

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Say how many exchanges were looked at."""
        line = terminalreporter.write_line
        tally = self.tally
        if self._contracts is None:
            line(f"OpenAPI: {tally.heard} exchanges not validated: {CONTRACTS_VARIABLE} is not set")
            return
        line(
            f"OpenAPI: {tally.heard} exchanges, {tally.distinct} distinct, validated; "
            f"{len(tally.rows)} known deviations, problems: {len(tally.problems)}"
        )
        for problem in tally.problems:
            line(f"OpenAPI: {problem}", red=True)


def register(config: pytest.Config) -> None:
    """Listen from the start of the session on."""
    folder = os.environ.get(CONTRACTS_VARIABLE)
    listener = Listener(Path(folder).resolve(strict=True) if folder else None)
    config.pluginmanager.register(listener, "openapi-exchanges")
