"""The git command line, run so that nobody's configuration can change what is recorded."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

from cleanup_gitops.model.errors import StoreError

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

_KEPT_VARIABLES = (
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_",
    "GIT_DISCOVERY_",
    "GIT_EXEC_PATH",
    "GIT_HTTP_",
    "GIT_PROTOCOL",
    "GIT_PROXY_",
    "GIT_SSH",
    "GIT_SSL_",
)
"""The only variables of git that are passed on: how remotes are reached. The others (GIT_DIR, GIT_INDEX_FILE, …) name
another repository."""

PATIENCE = 600.0
"""Seconds after which a remote that says nothing is given up."""
_LONGEST = 800
_ADDRESS = re.compile(r"://\S*@")
_QUERY = re.compile(r"(://[^\s'\"?]*)\?[^\s'\"]*")
_TOKEN = re.compile(r"(?<![\w+=%~-])(?=[\w+=%~-]*[a-z])(?=[\w+=%~-]*[A-Z])(?=[\w+=%~-]*\d)[\w+=%~-]{20,}")
"""What looks random may be a token that the remote repeats; commits are in lower case."""
_PERSON = re.compile(r"[^\s@/'\"<>()\[\]:=,;]+@")


@dataclass(frozen=True, slots=True)
class Answer:
    """What git answered. ``words`` is what it said beside its output, fit to be shown; ``pid`` was its process."""

    good: bool
    output: bytes
    words: str
    pid: int


class Git:
    """Runs git in one folder. ``environment`` is what git inherits; without one it gets the system's PATH only."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        settings: Mapping[str, str] = _SETTINGS,
    ) -> None:
        self.folder = folder
        self.inherited = {"PATH": os.defpath} if environment is None else environment
        self._settings = settings
        self._environment = {
            name: value
            for name, value in self.inherited.items()
            if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
        } | {
            "GIT_ATTR_NOSYSTEM": "1",
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
        for name, value in settings.items():
            self._command += ["-c", f"{name}={value}"]

    def at(self, folder: Path) -> Git:
        """The same git in another folder."""
        return Git(folder, self.inherited, self._settings)

    def but(self, **settings: str | None) -> Self:
        """The same git with other settings (``gc_auto`` is ``gc.auto``); ``None`` leaves one to the user."""
        changed = {name.replace("_", "."): value for name, value in settings.items()}
        merged = {**self._settings, **changed}
        kept = {name: value for name, value in merged.items() if value is not None}
        return type(self)(self.folder, self.inherited, kept)

    def run(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """What git prints. Raises ``StoreError`` with git's own words when it fails."""
        answer = self.attempt(*arguments, stdin=stdin, index=index)
        if not answer.good:
            raise StoreError(f"git {arguments[0]} failed in {self.folder}: {answer.words}")
        return answer.output

    def line(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> str:
        """The one line that git prints, without its end."""
        return os.fsdecode(self.run(*arguments, stdin=stdin, index=index)).removesuffix("\n")

    def ask(self, *arguments: str, index: Path | None = None) -> str:
        """The one line that git prints; "" when it fails, which for some questions is the answer "no"."""
        answer = self.attempt(*arguments, index=index)
        return os.fsdecode(answer.output).removesuffix("\n") if answer.good else ""

    def yes(self, *arguments: str) -> bool:
        """Whether git ends well."""
        return self.attempt(*arguments).good

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """The bytes of these objects, all by one process. Raises ``StoreError`` when one of them is not there."""
        return list(self.stream(names))

    def stream(self, names: Sequence[str]) -> Iterator[bytes]:
        """The same one after the other, by a process that reads ahead while what it found is looked at."""
        if not names:
            return
        process = self._start(["cat-file", "--batch", "--buffer"], self._environment)
        asked, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        feeder = threading.Thread(target=_feed, args=(asked, names), daemon=True)
        feeder.start()
        try:
            for name in names:
                facts = answers.readline().split()
                if len(facts) != 3:
                    raise StoreError(
                        f"Object {name} is missing or damaged in {self.folder}.",
                        "See `git fsck`; fetch the whole history, and run again.",
                    )
                size = int(facts[2])
                data = answers.read(size + 1)
                if len(data) != size + 1:
                    raise StoreError(f"Object {name} is damaged in {self.folder}.", "See `git fsck`.")
                yield data[:-1]
        finally:
            process.kill()
            feeder.join()
            for pipe in (asked, answers, cast("IO[bytes]", process.stderr)):
                with suppress(OSError):
                    pipe.close()
            process.wait()

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        index: Path | None = None,
        variables: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Answer:
        """Run git, and tell whether it ended well. Raises ``StoreError`` only when git cannot be started.

        ``index`` is the file that git takes for its index; ``patience`` (seconds) is for remotes.
        """
        environment = self._environment | dict(variables or {})
        if index:
            environment["GIT_INDEX_FILE"] = str(index)
        process = self._start(arguments, environment)
        try:
            output, said = process.communicate(stdin, timeout=patience)
        except subprocess.TimeoutExpired:
            _kill(process)
            return Answer(good=False, output=b"", words=f"no answer in {patience:.0f} seconds", pid=process.pid)
        except BaseException:
            _kill(process)
            raise
        words = clean(said.decode("utf-8", "replace")) or f"exit {process.returncode}"
        return Answer(process.returncode == 0, output, words, process.pid)

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [*self._command, *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # A Ctrl-C in the terminal must not end git while it records, and without a terminal nothing that git
                # starts can wait for a password that nobody types.
                start_new_session=True,
            )
        except FileNotFoundError:
            if not self.folder.is_dir():
                raise StoreError(f"There is no folder {self.folder}.") from None
            raise StoreError("git was not found.", "Install git, or put it on the PATH.") from None
        except OSError as error:
            raise StoreError(f"git cannot be started in {self.folder}: {error.strerror}.") from None


def clean(said: str) -> str:
    """Words of git or of a remote in one line, without hints, addresses, secrets and what disturbs a terminal."""
    lines = ["".join(char for char in line if char.isprintable()).strip() for line in said.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("hint:", "To ", "From "))]
    text = "; ".join(line for line in kept if line != "remote:")
    text = _ADDRESS.sub("://…@", text)
    text = _QUERY.sub(r"\1?…", text)
    text = _TOKEN.sub("…", text)
    text = _PERSON.sub("…@", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _feed(pipe: IO[bytes], names: Sequence[str]) -> None:
    """Ask for all names; whoever reads the answers may have stopped."""
    with suppress(OSError, ValueError):
        pipe.write("".join(f"{name}\n" for name in names).encode())
        pipe.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End git and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
