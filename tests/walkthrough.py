"""Pages that tell somebody what to type are typed: a test does what they say and compares what they show.

In a page a block of ``sh`` is typed, line by line. The ``text`` block after it is compared with what that printed: its
lines stand there one after the other; ``...`` alone on a line stands for any lines, ``…`` for any part of one. A block
of ``yaml`` is written to the file that the text above it names, and "In `FILE` write `NEW` instead of `OLD`" is done.
A block below ``<!-- not typed: … -->`` is not typed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from cleanup_gitops.cli.main import run

_PARTS = re.compile(
    r"^(?P<apart><!-- not typed: [^\n]+ -->\n)?```(?P<kind>sh|text|yaml)\n(?P<text>.*?)^```$"
    r"|\bIn `(?P<file>[^`\n]+)`\s+write\s+`(?P<new>[^`\n]+)`\s+instead\s+of\s+`(?P<old>[^`\n]+)`",
    re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(r"`([\w./-]+\.yaml)`[^`\n]*:\n\n\Z")


@dataclass(frozen=True)
class Step:
    """One thing that a page has somebody do or see: ``kind`` is sh, text, yaml, edit or apart (not typed)."""

    kind: str
    text: str
    file: str = ""
    old: str = ""
    line: int = 0


def steps(page: str) -> Iterator[Step]:
    """What a page has somebody do, in its order. Raises ``ValueError`` for a file without a name."""
    for found in _PARTS.finditer(page):
        line = page.count("\n", 0, found.start()) + 1
        if found["file"]:
            yield Step("edit", found["new"], found["file"], found["old"], line)
        elif found["apart"]:
            yield Step("apart", found["text"], line=line)
        elif found["kind"] == "yaml":
            named = _NAMED.search(page[: found.start()])
            if named is None:
                raise ValueError(f"line {line}: no file is named above this block")
            yield Step("yaml", found["text"], named[1], line=line)
        else:
            yield Step(found["kind"], found["text"], line=line)


def commands(text: str) -> list[list[str]]:
    """The command lines of a block, split as a shell does, without comments."""
    joined = text.replace("\\\n", " ")
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]


def shown(wanted: str, said: str) -> str:
    """The first stretch of ``wanted`` that ``said`` does not show, or ""; stretches follow each other."""
    at = 0
    for stretch in re.split(r"^\.\.\.\n", wanted, flags=re.MULTILINE):
        pattern = "".join(f"{'.*'.join(map(re.escape, line.split('…')))}\n" for line in stretch.splitlines())
        found = re.compile(rf"^{pattern}", re.MULTILINE).search(said, at)
        if found is None:
            return stretch
        at = found.end()
    return ""


@dataclass
class Reader:
    """Somebody who types what a page says, in ``folder``. ``apart`` does what is not typed, given the block.

    ``held`` are variables that have other values here than the page exports.
    """

    folder: Path
    apart: Callable[[str], None] = lambda _: None
    held: dict[str, str] = field(default_factory=dict)
    said: str = ""
    codes: list[int] = field(default_factory=list)

    def read(self, page: str) -> None:
        """Do all of it. Raises ``AssertionError`` where the page shows what was not said, or a command fails."""
        for step in steps(page):
            match step.kind:
                case "sh":
                    self.said = "".join(self.type(words) for words in commands(step.text))
                case "text":
                    missing = shown(step.text, self.said)
                    assert not missing, f"line {step.line} shows\n{missing}\nbut this was said:\n{self.said}"
                case "apart":
                    self.apart(step.text)
                case "yaml":
                    path = self.folder / step.file
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(step.text, "utf-8")
                case "edit":
                    path = self.folder / step.file
                    text = path.read_text("utf-8")
                    assert text.count(step.old) == 1, f"line {step.line}: {step.old} is not there once"
                    path.write_text(text.replace(step.old, step.text), "utf-8")

    def type(self, words: list[str]) -> str:
        """Run one command; what it printed."""
        line = shlex.join(words)
        match words:
            case ["cd", folder]:
                self.folder = self.folder / folder
                return ""
            case ["export", *assigned]:
                named = dict(one.split("=", 1) for one in assigned)
                os.environ.update({name: self.held.get(name, value) for name, value in named.items()})
                return ""
            case ["cleanup-gitops", *arguments]:
                with chdir(self.folder), redirect_stdout(StringIO()) as said, redirect_stderr(said):
                    self.codes.append(run(arguments))
                return said.getvalue()
            case ["git", *_]:
                done = subprocess.run(
                    words, cwd=self.folder, env=os.environ, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{line}: {done.stderr}"
                return done.stdout
        raise AssertionError(f"nobody knows how to type {line}")
