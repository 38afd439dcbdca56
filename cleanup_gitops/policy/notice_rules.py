"""Rules about how people are told: between keys of a Notifications document, and about the folders that it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cleanup_gitops.policy.rules import Broken
from cleanup_gitops.policy.yaml_values import Map


def broken_notifications(document: Map, root: Path) -> Iterator[Broken]:
    """Every broken rule of this kind. ``root`` is the folder of the policies."""
    spec = document.get("spec")
    if document.get("kind") != "Notifications" or not isinstance(spec, Map):
        return
    if "smtp" in spec and "outbox" in spec:
        message = "mail goes to a relay (`smtp`) or into a folder (`outbox`), not to both: leave one of them out"
        yield Broken(spec.at_key("outbox"), message)
    if "smtp" not in spec and "outbox" not in spec and spec.get("silent") is not True:
        message = "`spec` needs `smtp`, a relay, or `outbox`, a folder for mail that nobody gets; or `silent: true`"
        yield Broken(document.at_key("spec"), message)
    if isinstance(spec.get("smtp"), Map):
        yield from _smtp(spec["smtp"], spec)
    if isinstance(spec.get("outbox"), str) and (problem := _misplaced(spec["outbox"], root)):
        yield Broken(spec.at_value("outbox"), f"`outbox` {problem}")
    if isinstance(spec.get("templates"), str) and (problem := no_folder(spec["templates"], root)):
        yield Broken(spec.at_value("templates"), f"`templates` {problem}")
    language = spec.get("language")
    values = language.get("values") if isinstance(language, Map) else None
    if isinstance(language, Map) and isinstance(values, Map):
        if not values:
            yield Broken(language.at_key("values"), "`values` says nothing; write for example `{Berlin: de}`")
        yield from _values(values)


def _smtp(smtp: Map, spec: Map) -> Iterator[Broken]:
    if "starttls" in smtp and "tls" in smtp:
        message = "`starttls` begins in the clear and `tls` does not: leave one of them out"
        yield Broken(smtp.at_key("tls"), message)
    if "starttls" not in smtp and "tls" not in smtp:
        message = (
            "`smtp` needs `starttls: true` or `tls: true`; `starttls: false` sends names and addresses in the clear"
        )
        yield Broken(spec.at_key("smtp"), message)
    for one, other in (("user", "password"), ("password", "user")):
        if one in smtp and other not in smtp:
            yield Broken(smtp.at_key(one), f"`{one}` needs `{other}` beside it")
    if smtp.get("starttls") is False and "tls" not in smtp and "password" in smtp:
        message = "a password is never sent in the clear: write `starttls: true` or `tls: true`"
        yield Broken(smtp.at_key("password"), message)


def _values(values: Map) -> Iterator[Broken]:
    """A value is looked up in lower case, so that it may stand there once only."""
    seen: set[str] = set()
    for key in values:
        folded = " ".join(key.split()).casefold()
        if not folded:
            yield Broken(values.at_key(key), "an entry of `values` must not be empty")
        if folded in seen:
            yield Broken(values.at_key(key), "this value stands twice in `values`")
        seen.add(folded)


def _misplaced(name: str, root: Path) -> str:
    """Why a folder cannot hold mail, which has names and addresses in it; "" when it can."""
    repository = root.parent
    for path in (Path(os.path.abspath(repository / name)), _real(repository / name)):  # noqa: PTH100 - as written
        if path == repository or repository.is_relative_to(path):
            return "must be a folder of its own, such as outbox/"
        for kept in (root, repository / "state", repository / ".git"):
            if path.is_relative_to(kept):
                return f"leads into {kept.name}/, where names and addresses must never lie; name a folder beside it"
    return ""


def no_folder(name: str, root: Path) -> str:
    """Why a folder cannot hold templates; "" when it can."""
    path = root / name
    if not _real(path).is_relative_to(root) or _real(path) == root:
        return "must be a folder below the policies' folder, such as templates/"
    if not path.is_dir():
        return "names no folder; the path starts in the policies' folder"
    return ""


def _real(path: Path) -> Path:
    """Where a path leads, as far as it exists."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path
