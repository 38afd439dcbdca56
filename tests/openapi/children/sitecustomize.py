"""Python imports this by itself in every process that a test starts, and it must change nothing that can be noticed.

Once the sandbox's server is imported there, its exchanges are written down for the test run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

SERVER = "cleanup_gitops.sandbox.server"
HERE = Path(__file__).resolve().parent


class Listening(Loader):
    """Loads the server as usual, then listens to it."""

    def __init__(self, usual: Loader) -> None:
        self._usual = usual

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._usual.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._usual.exec_module(module)
        told = spec_from_file_location("_exchanges", HERE.parent / "exchanges.py")
        if told is None or told.loader is None:
            return
        exchanges = ModuleType(told.name)
        sys.modules[told.name] = exchanges
        told.loader.exec_module(exchanges)
        folder = os.environ[exchanges.FOLDER_VARIABLE]
        sink = exchanges.writer(Path(folder), count_only=exchanges.COUNT_VARIABLE in os.environ)
        exchanges.listen(module, sink)


class Waiting(MetaPathFinder):
    """Waits for the import of the server."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - as Python has it
        target: ModuleType | None = None,  # noqa: ARG002 - as Python has it
    ) -> ModuleSpec | None:
        if fullname != SERVER:
            return None
        sys.meta_path.remove(self)
        found = find_spec(fullname)
        if found is not None and found.loader is not None:
            found.loader = Listening(found.loader)
        return found


if "CLEANUP_GITOPS_TEST_EXCHANGES" in os.environ:
    sys.meta_path.insert(0, Waiting())
