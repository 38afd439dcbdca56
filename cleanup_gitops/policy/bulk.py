"""A one-off policy, written from conditions and wished states that were given one by one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from cleanup_gitops.policy.documents import API_VERSION
from cleanup_gitops.policy.messages import problems_of
from cleanup_gitops.policy.problems import PolicyError, Problem, shown
from cleanup_gitops.policy.rewrite import node, round_trip
from cleanup_gitops.policy.state_shapes import EnsureSpec
from cleanup_gitops.policy.yaml_text import NO_DOCUMENT, read_documents

EXAMPLE = "write one wished state, such as `status: suspended` or `groups: {absent: [wiki-users]}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """What a one-off policy says. ``where`` and ``ensure`` are YAML as it was given; ``sites`` may be empty."""

    name: str
    owner: str
    why: str
    ticket: str
    until: date
    where: Sequence[str]
    ensure: Sequence[str]
    sites: Sequence[str] = ()


def check_ensure(texts: Sequence[str]) -> None:
    """Make sure that each text is part of an ``ensure``, and none says again what another one said.

    Raises ``PolicyError`` with everything that is wrong.
    """
    problems: list[Problem] = []
    first: dict[str, str] = {}
    for number, text in enumerate(texts, start=1):
        name = "--ensure" if len(texts) == 1 else f"--ensure {number}"
        reading = read_documents(text.encode("utf-8", "surrogateescape"), name)
        wrong = [one for one in reading.problems if one.message != NO_DOCUMENT]
        problems += wrong
        if (len(reading.documents) != 1 or not reading.documents[0]) and not wrong:
            problems.append(Problem(name, 1, 1, EXAMPLE))
        for entry in reading.documents:
            try:
                EnsureSpec.model_validate(entry)
            except ValidationError as error:
                problems += problems_of(error, entry, EnsureSpec, name)
            for key in entry:
                if first.setdefault(key, name) != name:
                    problems.append(Problem(name, *entry.at_key(key), f"{shown(key)} stands in {first[key]} already"))
    if problems:
        raise PolicyError(problems)


def one_off_text(what: OneOff) -> str:
    """The document, with a comment before it."""
    document = CommentedMap(apiVersion=API_VERSION, kind="Policy")
    if what.sites:
        document["sites"] = CommentedSeq(map(node, what.sites))
        document["sites"].fa.set_flow_style()
    document["metadata"] = CommentedMap(name=what.name, owner=node(what.owner), why=node(what.why))
    spec = document["spec"] = CommentedMap(once=True, until=what.until)
    spec["match"] = CommentedMap(all=[_given(text) for text in what.where])
    spec["ensure"] = CommentedMap()
    for text in what.ensure:
        spec["ensure"].update(_given(text))
    out = io.StringIO()
    round_trip().dump(document, out)
    head = f"# One-off change {what.ticket}, written by `cleanup-gitops bulk`. It acts once; remove it afterwards."
    return f"{head}\n{out.getvalue()}"


def _given(text: str) -> Any:  # noqa: ANN401 - a round-trip mapping
    """The mapping as it was written: quotes, and what stands in braces, stay so."""
    return round_trip().load(text)
