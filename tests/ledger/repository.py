"""Real repositories for tests, used by a person with a configuration of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.policy.site import USUAL_PLACE, StateSettings

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C"}


def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it is installed, whatever whoever runs the tests has set up: signing, hooks, colours, an own diff."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


class Repository:
    """A real repository, used by a person with a configuration of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = path.with_name("home")
        self.home.mkdir()
        (self.home / ".gitconfig").write_text("[user]\nname = A Person\nemail = person@example.com\n")
        self.environment = ENVIRONMENT | {"HOME": str(self.home)}
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=self.environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().rstrip("\n")

    def feed(self, command: str, text: str, *arguments: str) -> str:
        """What git makes of a text."""
        done = subprocess.run(
            ["git", command, *arguments], cwd=self.path, env=self.environment, input=text.encode(), capture_output=True,
            check=True,
        )  # fmt: skip
        return done.stdout.decode().rstrip("\n")

    def checked_out(self, branch: str) -> bool:
        """Whether the working tree shows the branch."""
        bare = self.git("rev-parse", "--is-bare-repository") == "true"
        return not bare and self.git("symbolic-ref", "HEAD") == f"refs/heads/{branch}"

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def save(self, name: str, text: str) -> None:
        self.write(name, text)
        self.git("add", "--force", name)
        self.git("commit", "--quiet", "--message", name)

    def head(self, ref: str = "HEAD") -> str:
        return self.git("rev-parse", ref)

    def store(self, folder: str = ".", site: str = "acme", settings: StateSettings = USUAL_PLACE) -> GitStore:
        return GitStore(self.path / folder, site, self.environment, settings)

    def clone(self, path: Path, *options: str, url: str = "") -> Repository:
        """Another repository of the same person, made from this one."""
        found = object.__new__(Repository)
        found.path, found.home, found.environment = path, self.home, self.environment
        self.git("clone", "--quiet", *options, url or str(self.path), str(path))
        return found

    def snapshot(self) -> tuple[object, ...]:
        """Everything that a commit that was refused must leave as it was."""
        refs = self.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/", "refs/tags/")
        if self.git("rev-parse", "--is-bare-repository") == "true":
            return (refs,)
        return self.git("symbolic-ref", "HEAD"), refs, self.git("ls-files", "--stage"), self.tree()

    def tree(self) -> dict[str, bytes]:
        """Every file of the working tree."""
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.path).parts
        }
