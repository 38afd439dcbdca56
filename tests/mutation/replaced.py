"""A pytest plugin: one module is imported from a changed source. For changes of what runs at import only."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType


class _Changed(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        source = Path(os.environ["CHANGED_SOURCE"]).read_text("utf-8")
        path = self.get_filename(fullname)
        code: CodeType = compile(source, path, "exec", dont_inherit=True)
        return code


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin != os.environ["CHANGED_MODULE"]:
            return None
        return importlib.machinery.ModuleSpec(fullname, _Changed(fullname, found.origin), origin=found.origin)


sys.meta_path.insert(0, _Finder())
