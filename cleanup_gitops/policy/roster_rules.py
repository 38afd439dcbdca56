"""Rules between several keys of a Roster document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cleanup_gitops.policy.acting_rules import broken_standing_state, broken_termination_state
from cleanup_gitops.policy.lists import lies_inside
from cleanup_gitops.policy.rules import Broken, broken_ensure
from cleanup_gitops.policy.yaml_values import Map


def broken_roster(document: Map, repository: Path) -> Iterator[Broken]:
    """Every broken rule of this kind, whatever else may be wrong with the document."""
    spec = document.get("spec")
    if document.get("kind") != "Roster" or not isinstance(spec, Map):
        return
    if not {"leavers", "joiners"} & set(spec):
        yield Broken(document.at_key("spec"), "a Roster needs `leavers`, `joiners` or both: else nothing follows of it")
    if "standing" in spec and spec.get("approval", "plan") == "plan":
        message = "`standing` counts only with `approval: standing`; write that too, or leave `standing` out"
        yield Broken(spec.at_key("standing"), message)
    source = spec.get("source")
    if isinstance(source, Map):
        yield from _place(source, spec, repository)
        if isinstance(source.get("columns"), Map):
            yield from _columns(source["columns"], source, spec)
    leavers = spec.get("leavers")
    ensure = leavers.get("ensure") if isinstance(leavers, Map) else None
    if isinstance(leavers, Map) and isinstance(ensure, Map):
        yield from broken_ensure(ensure, leavers.at_key("ensure"))
        yield from broken_termination_state(ensure)
        if spec.get("approval") == "standing":
            yield from broken_standing_state(ensure, termination=True)


def _place(source: Map, spec: Map, repository: Path) -> Iterator[Broken]:
    if "env" in source and "path" in source:
        yield Broken(source.at_key("path"), "name the file by `env` or by `path`, not by both")
    if "env" not in source and "path" not in source:
        message = "`source` needs `env` (a variable that holds the path of the file) or `path`"
        yield Broken(spec.at_key("source"), message)
    path = source.get("path")
    if isinstance(path, str) and lies_inside(path, repository):
        message = "`path` leads into the repository, where personal data must not lie: name a file outside of it"
        yield Broken(source.at_value("path"), message)


def _columns(columns: Map, source: Map, spec: Map) -> Iterator[Broken]:
    at = source.at_key("columns")
    if not {"account", "email"} & set(columns):
        yield Broken(at, "`columns` needs `account` or `email`: which column says who is meant")
    if "leavers" in spec and "ends" not in columns:
        yield Broken(at, "`leavers` needs the column `ends`: which one holds the last day")
    if "joiners" in spec and "email" not in columns:
        yield Broken(at, "`joiners` needs the column `email`: people are invited by their address")
    if "joiners" in spec and "starts" not in columns:
        yield Broken(at, "`joiners` needs the column `starts`: which one holds the first day")
    first: dict[str, str] = {}
    for key, name in columns.items():
        if isinstance(name, str) and first.setdefault(name, key) != key:
            yield Broken(columns.at_value(key), f"this column is named as `{first[name]}` already")
