"""Searches all that a test leaves behind or says for canaries: a test that lets one out fails.

Every sandbox of the run accepts canaries for keys, so that each test that connects to one plays along. Looked into are
what is captured or read of standard output and standard error, the log, warnings, reports of failures, the text of
every error of ours whether or not anybody shows it, the locals in tracebacks of expected errors, and every file below
the test's folder, git objects included.
"""

from __future__ import annotations

import subprocess
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from tests import canaries
from tests.canaries import places

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_OURS = f"{Path(__file__).parent.parent.parent / 'cleanup_gitops'}/"
_MAKERS = (f"{_OURS}sandbox/", f"{_OURS}cli/demo/", f"{_OURS}cli/commands/sandbox.py")
"""Where the invented organization and its keys are made: that code may hold them as text."""
_FOREIGN = ("/site-packages/httpx/", "/site-packages/httpcore/", "/site-packages/h11/")
REPORT = "canaries"


class Watch:
    """The plugin of one process of the test run."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._lock = threading.Lock()
        self._looked_into: set[Path] = set()
        self._changed = pytest.MonkeyPatch()
        self.left: list[str] = []
        """What was found when no test was there to fail for it."""

    def hear(self, where: str, text: str | bytes | None) -> None:
        """Look into something that was said. Safe in threads."""
        if not text:
            return
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if what := canaries.found(data) and canaries.found(places.SHOWN_ON_PURPOSE.sub(b"", data)):
            with self._lock:
                self._found += [f"{one} is in {where}" for one in what]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Plant the canaries and listen, once coverage is being measured."""
        if getattr(session.config.option, "dist", "no") != "no":
            return  # the tests run in workers
        from cleanup_gitops.model.errors import CleanupError  # noqa: PLC0415 - coverage has to run first
        from cleanup_gitops.sandbox import seed  # noqa: PLC0415

        self._changed.setattr(seed, "ORG_API_KEY", canaries.ORG_KEY)
        self._changed.setattr(seed, "API_TOKEN", canaries.TOKEN)
        self._after(CleanupError, "__init__", self._hear_ours)
        self._after(pytest.CaptureFixture, "readouterr", self._hear_captured)
        self._after(subprocess.Popen, "communicate", self._hear_process)
        self._after(pytest.RaisesExc, "__exit__", self._hear_expected)

    def _after(self, owner: type, name: str, listen: Callable[[Any, Any], None]) -> None:
        """Have ``listen(result, self)`` called after a method."""
        usual = getattr(owner, name)

        def method(this: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the method takes
            __tracebackhide__ = True
            result = usual(this, *args, **kwargs)
            listen(result, this)
            return result

        self._changed.setattr(owner, name, method)

    def _hear_ours(self, _: object, error: Any) -> None:  # noqa: ANN401 - a `CleanupError`, half made
        self.hear(f"a {type(error).__name__}", f"{error.message}\n{error.hint}\n{error.args!r}")

    def _hear_captured(self, said: Any, _: object) -> None:  # noqa: ANN401 - text or bytes
        self.hear("standard output", said.out)
        self.hear("standard error", said.err)

    def _hear_process(self, said: tuple[Any, Any], process: subprocess.Popen[Any]) -> None:
        command = process.args if isinstance(process.args, list | tuple) else [process.args]
        if Path(str(command[0])).name == "git":
            return  # what git tells us of its own configuration; what we make of it is looked into
        for where, text in zip(("output", "error output"), said, strict=True):
            self.hear(f"the {where} of a process", text)

    def _hear_expected(self, _: object, raised: Any) -> None:  # noqa: ANN401 - pytest's
        self.hear_error(raised.excinfo.value if raised.excinfo and raised.excinfo._excinfo else None)

    def hear_error(self, error: BaseException | None) -> None:
        """Look into an error, those behind it, and the locals on its way that a report could show."""
        shown, seen = True, set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            notes = getattr(error, "__notes__", "")
            self.hear(f"a {type(error).__name__}", f"{error!r} {error} {error.args!r} {notes!r}")
            if shown:
                for place, name, value in _locals(error.__traceback__):
                    self.hear(f"the local {name} in {place}, in the traceback of a {type(error).__name__}", value)
            shown = shown and (error.__cause__ is not None or not error.__suppress_context__)
            error = error.__cause__ or error.__context__

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """Look into a warning. It is told when its test is over, so that nothing but the run can fail for it."""
        self.left += [f"{what} is in a warning of {nodeid}" for what in canaries.found(str(warning_message.message))]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """After a test and its fixtures: what it left. A find makes the test fail."""
        report = yield
        if report.failed:
            self.hear(f"the report of its {report.when}", report.longreprtext)
        if report.when != "teardown":
            return report
        for name, text in report.sections:
            self.hear(f"{name!r}", text)
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if isinstance(folder, Path) and folder.is_dir():
            self._looked_into.add(folder)
            self._found += places.finds_below(folder)
        if found := self._taken():
            report.outcome = "failed"
            report.longrepr = "a secret got out:\n" + "\n".join(found)
        return report

    def _taken(self) -> list[str]:
        with self._lock:
            found, self._found = self._found, []
        return list(dict.fromkeys(found))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Folders that several tests share; then the result for the controlling process."""
        self._changed.undo()
        output = getattr(session.config, "workeroutput", None)
        if getattr(session.config.option, "dist", "no") == "no":
            base = getattr(session.config, "_tmp_path_factory")._basetemp  # noqa: B009 - no public name
            for folder in sorted(base.iterdir()) if base else ():
                if folder.is_dir() and not folder.is_symlink() and folder not in self._looked_into:
                    self._found += places.finds_below(folder)
            self.left += self._taken()
        if output is not None:
            output[REPORT] = self.left
        elif self.left:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist's
        """Add what a worker found."""
        self.left += getattr(node, "workeroutput", {}).get(REPORT, [])

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Tell what no test failed for."""
        for one in self.left:
            terminalreporter.write_line(f"a secret got out: {one}", red=True)


def _locals(trace: TracebackType | None) -> Iterator[tuple[str, str, str]]:
    """Place, name and value of the locals in frames that are ours or speak HTTP for us."""
    for frame, line in traceback.walk_tb(trace):
        file = frame.f_code.co_filename
        if (file.startswith(_OURS) and not file.startswith(_MAKERS)) or any(part in file for part in _FOREIGN):
            for name, value in frame.f_locals.items():
                yield f"{Path(file).name}:{line}", name, _repr(value)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - half-made objects may not be able to show themselves
        return repr(type(error))


def register(config: pytest.Config) -> None:
    """Watch from the start of the session on."""
    config.pluginmanager.register(Watch(), "canaries")
