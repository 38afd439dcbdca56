"""Policy files of older versions rewritten to the current one; comments, order and layout stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cleanup_gitops.policy.documents import API_VERSION
from cleanup_gitops.policy.files import contents, label, policy_files
from cleanup_gitops.policy.problems import PolicyError, Problem
from cleanup_gitops.policy.proposals import Proposal
from cleanup_gitops.policy.rewrite import rewritten
from cleanup_gitops.policy.versions import Step, trouble, way
from cleanup_gitops.policy.yaml_text import read_documents
from cleanup_gitops.policy.yaml_values import Map


@dataclass(frozen=True, slots=True)
class Migration:
    """``documents`` that were looked at, the files that would change, and the steps that this takes."""

    documents: int
    proposals: tuple[Proposal, ...]
    steps: tuple[Step, ...]


def propose_migration(folder: Path, steps: Sequence[Step], current: str = API_VERSION) -> Migration:
    """What has to be rewritten below a folder so that every document is of the current version.

    Raises ``PolicyError`` for files that cannot be read, and for documents from which no step leads there.
    """
    root = folder.resolve()
    paths, problems = policy_files(root)
    names = {label(path, root): path for path in paths}
    number, proposals, taken = 0, [], dict.fromkeys(steps, False)
    for name, data in contents(paths, root, {}):
        if isinstance(data, Problem):
            problems.append(data)
            continue
        reading = read_documents(data, name)
        problems += reading.problems
        ways = [_way(one, name, steps, current, problems) for one in reading.documents]
        number += len(ways)
        taken |= {step: True for one in ways for step in one}
        if any(ways) and not reading.problems:
            after = rewritten(data, partial(_walk, ways=ways))
            problems += _lost(name, data, after)
            proposals.append(Proposal(names[name], name, data, after))
    if problems:
        raise PolicyError(problems)
    return Migration(number, tuple(proposals), tuple(step for step, used in taken.items() if used))


def _way(document: Map, file: str, steps: Sequence[Step], current: str, problems: list[Problem]) -> tuple[Step, ...]:
    version = document.get("apiVersion")
    found = way(version, steps, current) if isinstance(version, str) else ()
    if not found and version != current:
        message = trouble(version, current) or f"`apiVersion` is missing here, it must be {current}"
        problems.append(Problem(file, *document.at_value("apiVersion"), message))
    return found


def _lost(file: str, before: bytes, after: bytes) -> Iterator[Problem]:
    """The comments that a step would lose: what people wrote for people is not ours to drop."""
    left = Counter(line.strip() for line in after.decode().splitlines())
    for number, line in enumerate(before.decode().splitlines(), start=1):
        left[line.strip()] -= 1
        if line.lstrip().startswith("#") and left[line.strip()] < 0:
            yield Problem(file, number, 1, "this comment would be lost; move it, and migrate again")


def _walk(documents: list[Any], ways: Sequence[Sequence[Step]]) -> None:
    for document, steps in zip(documents, ways, strict=True):
        for step in steps:
            step.rewrite(document)
            document["apiVersion"] = step.target
