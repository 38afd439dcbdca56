"""Where canaries are looked for after a test, and where they may be."""

from __future__ import annotations

import os
import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests import canaries

ALLOWED = {
    r"(^|/)world\.json$": "the sandbox's own memory, which has to know the keys that it accepts",
    r"(^|/)(\.git/)?config$": "git's own configuration: there a person keeps the address of a remote",
}
"""Files in which a canary may be, as a pattern of their path below the folder of a test, and why."""

SHOWN_ON_PURPOSE = re.compile(rb"^ *export (ATLASSIAN_ORG_API_KEY|CONFLUENCE_API_TOKEN)=\S+$", re.MULTILINE)
"""How `sandbox` and `demo` hand out the keys of an invented organization, so that somebody can play with it."""

_ALLOWED = re.compile("|".join(ALLOWED))
_LOOSE = re.compile(r"/objects/[0-9a-f]{2}/[0-9a-f]{38,62}$")
_PACK = re.compile(r"/objects/pack/[^/]+\.pack$")


def finds_below(folder: Path) -> list[str]:
    """What is found in the files below ``folder`` and in the objects of the repositories there, and where."""
    found: list[str] = []
    repositories: set[str] = set()
    for path in _files(os.fspath(folder)):
        name = path.removeprefix(os.fspath(folder)).lstrip("/")
        if _PACK.search(path):
            repositories.add(path.rpartition("/objects/pack/")[0])
        elif not _ALLOWED.search(name):
            found += [f"{what} is in the file {name}" for what in canaries.found(_content(path))]
    for repository in sorted(repositories):
        name = repository.removeprefix(os.fspath(folder)).lstrip("/")
        found += [f"{what} is in an object of the repository {name}" for what in canaries.found(_objects(repository))]
    return found


def _files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry.path


def _content(path: str) -> bytes:
    data = Path(path).read_bytes()
    if _LOOSE.search(path):
        try:
            return zlib.decompress(data)
        except zlib.error:
            return data  # tests damage objects, too
    return SHOWN_ON_PURPOSE.sub(b"", data)


def _objects(repository: str) -> bytes:
    """All that a repository holds, also what no branch leads to; of a damaged one as much as git can read."""
    command = [
        "git",
        f"--git-dir={repository}",
        "cat-file",
        "--batch-all-objects",
        "--batch",
        "--unordered",
        "--buffer",
    ]
    alone = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}
    return subprocess.run(command, capture_output=True, check=False, env=alone).stdout
