"""Files of the policy folder that a command would write, before it does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.files import SUFFIXES, contents, label
from cleanup_gitops.policy.problems import Problem
from cleanup_gitops.policy.rewrite import MODELINE


@dataclass(frozen=True, slots=True)
class Proposal:
    """One file: its resolved path, its name in messages, its bytes as they are (``None``: no file) and would be."""

    path: Path
    label: str
    before: bytes | None
    after: bytes


def policy_path(root: Path, file: Path) -> Path:
    """The path of a policy file that a user names, seen from the parent of ``root`` (resolved).

    Raises ``CleanupError`` when no policy would be read from there.
    """
    path = (root.parent / file).resolve()
    inside = path.is_relative_to(root) and not any(part.startswith(".") for part in path.relative_to(root).parts)
    if not inside or path.suffix.lower() not in SUFFIXES:
        raise CleanupError(
            f"{file} is no place for policies: they are read from *.yaml and *.yml below {root.name}/.",
            f"Name a file such as {root.name}/exemptions.yaml.",
        )
    return path


def read_bytes(path: Path, root: Path) -> bytes:
    """A policy file as it is. Raises ``CleanupError`` when it cannot be read."""
    ((name, data),) = contents([path], root, {})
    if isinstance(data, Problem):
        raise CleanupError(f"{name}: {data.message}.")
    return data


def with_document(path: Path, root: Path, document: str) -> Proposal:
    """A policy file, new or not, with one more document at its end. Raises ``CleanupError``."""
    before = read_bytes(path, root) if path.exists() else None
    schema = Path(os.path.relpath(root / "schema.json", path.parent)).as_posix()
    return Proposal(path, label(path, root), before, _appended(before, document, schema))


def _appended(before: bytes | None, document: str, schema: str) -> bytes:
    """A file with one more document at its end; a new one begins with the line that tells an editor the schema."""
    if before is None:
        return f"{MODELINE}{schema}\n{document}".encode()
    end = "\r\n" if b"\r\n" in before else "\n"
    text = before.decode("utf-8")
    holds = any(line.strip() and not line.lstrip("\ufeff").startswith("#") for line in text.splitlines())
    parts = [text if not text or text.endswith("\n") else text + end, "---\n" if holds else "", document]
    return "".join((parts[0], *(part.replace("\n", end) for part in parts[1:]))).encode()
