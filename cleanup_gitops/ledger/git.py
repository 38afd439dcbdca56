"""The git command line, run so that nobody's configuration can change what is recorded."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cleanup_gitops.model.errors import StateError

BOT = "cleanup-gitops"
BOT_ADDRESS = "cleanup-gitops@localhost"
"""Author and committer of every record: authors cannot be erased from a history, so no person stands there."""

_SETTINGS = {
    "core.attributesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.splitIndex": "false",
    "gc.auto": "0",
    "i18n.commitEncoding": "UTF-8",
    "status.renames": "false",
}
"""What a user may have set otherwise. Hooks do not run: a record must neither be changed nor lost by one."""

_KEPT_VARIABLES = ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_", "GIT_EXEC_PATH")
"""The only variables of git that are passed on: the others (GIT_DIR, GIT_INDEX_FILE, …) name another repository."""


class Git:
    """Runs git in one folder. ``environment`` is what git inherits; without one it gets the system's PATH only."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        inherited = {"PATH": os.defpath} if environment is None else environment
        self._environment = {
            name: value
            for name, value in inherited.items()
            if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
        } | {
            "GIT_AUTHOR_EMAIL": BOT_ADDRESS,
            "GIT_AUTHOR_NAME": BOT,
            "GIT_COMMITTER_EMAIL": BOT_ADDRESS,
            "GIT_COMMITTER_NAME": BOT,
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
        self._command = ["git", "--no-optional-locks"]
        for name, value in _SETTINGS.items():
            self._command += ["-c", f"{name}={value}"]

    def run(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """What git prints. Raises ``StateError`` with git's own words when it fails."""
        done = self._run(arguments, stdin, index)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip() or f"exit {done.returncode}"
            raise StateError(f"git {arguments[0]} failed in {self.folder}: {said}")
        return done.stdout

    def line(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> str:
        """The one line that git prints, without its end."""
        return os.fsdecode(self.run(*arguments, stdin=stdin, index=index)).removesuffix("\n")

    def ask(self, *arguments: str, index: Path | None = None) -> str:
        """The one line that git prints; "" when it fails, which for some questions is the answer "no"."""
        done = self._run(arguments, b"", index)
        return "" if done.returncode else os.fsdecode(done.stdout).removesuffix("\n")

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """The bytes of these objects, all by one process. Raises ``StateError`` when one of them is not there."""
        answer = self.run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        found: list[bytes] = []
        at = 0
        for name in names:
            end = answer.index(b"\n", at)
            facts = answer[at:end].split(b" ")
            if len(facts) != 3:
                raise StateError(
                    f"Object {name} is missing in {self.folder}.", "Fetch the whole history, and run again."
                )
            start = end + 1
            at = start + int(facts[2]) + 1
            found.append(answer[start : at - 1])
        return found

    def _run(self, arguments: Sequence[str], stdin: bytes, index: Path | None) -> subprocess.CompletedProcess[bytes]:
        environment = self._environment | ({"GIT_INDEX_FILE": str(index)} if index else {})
        try:
            return subprocess.run(
                [*self._command, *arguments],
                cwd=self.folder,
                env=environment,
                input=stdin,
                capture_output=True,
                check=False,
                process_group=0,  # a Ctrl-C in the terminal must not end git while it records
            )
        except FileNotFoundError:
            if not self.folder.is_dir():
                raise StateError(f"There is no folder {self.folder}.") from None
            raise StateError("git was not found.", "Install git, or put it on the PATH.") from None
        except OSError as error:
            raise StateError(f"git cannot be started in {self.folder}: {error.strerror}.") from None
