"""Putting a changed program into the functions that are already there, so that nothing is imported again."""

from __future__ import annotations

import gc
import importlib
import types
from pathlib import Path

from tests.mutation.changes import codes, own


class Living:
    """The functions of one imported module, by their code."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        package = next(one for one in path.parents if not (one / "__init__.py").exists())
        importlib.import_module(".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"))
        self._before = codes(compile(path.read_text("utf-8"), self._path, "exec", dont_inherit=True))
        known = {code: index for index, code in enumerate(self._before)}
        self._functions: dict[int, list[types.FunctionType]] = {}
        for one in gc.get_objects():
            if isinstance(one, types.FunctionType) and one.__code__.co_filename == self._path and one.__code__ in known:
                self._functions.setdefault(known[one.__code__], []).append(one)

    def can_take(self, source: str) -> bool:
        """Whether the change lies within functions: what runs at import only has to be imported anew."""
        after = codes(compile(source, self._path, "exec", dont_inherit=True))
        if len(after) != len(self._before):
            return False
        pairs = list(zip(self._before, after, strict=True))
        return all(
            old.co_freevars == new.co_freevars and (own(old) == own(new) or self._in_function(index))
            for index, (old, new) in enumerate(pairs)
        )

    def _in_function(self, index: int) -> bool:
        """Whether a code object belongs to a function that lives, or to something defined in one."""
        return index in self._functions or any(
            self._before[index] in codes(self._before[outer])[1:] for outer in self._functions
        )

    def take(self, source: str) -> None:
        """Give every living function the code that it has in the changed program."""
        after = codes(compile(source, self._path, "exec", dont_inherit=True))
        for index, functions in self._functions.items():
            for function in functions:
                function.__code__ = after[index]
