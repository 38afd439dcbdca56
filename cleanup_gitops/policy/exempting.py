"""A new entry of an Exemptions document: where it belongs, and the file as it is with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import CommentMark
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.documents import API_VERSION, Exemption, ExemptionReason, PolicySet
from cleanup_gitops.policy.files import label, policy_files
from cleanup_gitops.policy.proposals import Proposal, policy_path, read_bytes, with_document
from cleanup_gitops.policy.rewrite import node, rewritten, written

NEW_FILE = "exemptions.yaml"
"""Where entries go as long as no Exemptions document is about the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExemption:
    """What is to be written; ``owner`` is ``None`` where the document's owner answers for it."""

    account: str
    reason: ExemptionReason
    until: date
    ticket: str
    owner: str | None = None


def propose_exemption(
    folder: Path, found: PolicySet, site: str, entry: NewExemption, file: Path | None = None
) -> Proposal:
    """The file of the policy folder that gets the entry, and its bytes with it.

    It is the one Exemptions document about the site, or the one in ``file``, or a new one. Raises ``CleanupError`` when
    there are several, or when a new document would have no owner.
    """
    root = folder.resolve()
    wanted = policy_path(root, file) if file else None
    documents = [one for one in _documents(found, site) if wanted is None or _file(one) == label(wanted, root)]
    if len(documents) > 1:
        places = ", ".join(f"`{one.document}` ({one.where.rpartition(':')[0]})" for one in documents)
        hint = "Write the entry into one of them by hand." if wanted else "Say which file with --file."
        raise CleanupError(f"Several Exemptions documents are about {site}: {places}.", hint)
    if not documents:
        return _new_document(root, wanted or root / NEW_FILE, found, site, entry)
    name = documents[0].document
    path = next(one for one in policy_files(root)[0] if label(one, root) == _file(documents[0]))
    before = read_bytes(path, root)
    return Proposal(path, label(path, root), before, rewritten(before, lambda docs: _append(docs, name, entry)))


def check_added(before: PolicySet, after: PolicySet, entry: NewExemption) -> None:
    """Make sure that the entry is all that is new. Raises ``CleanupError`` with the entry, to be written by hand."""
    old, new = (Counter(map(_meaning, _entries(one))) for one in (before, after))
    wanted = Counter([(entry.account, entry.reason, entry.until, entry.ticket)])
    others = [
        Counter(one.digest for one in each.documents if not isinstance(one.says, tuple)) for each in (before, after)
    ]
    if new - old != wanted or old - new or others[0] != others[1]:
        text = f"{{account: {written(entry.account)}, reason: {entry.reason}, until: {entry.until.isoformat()}}}"
        raise CleanupError(
            "The entry cannot be added to this file without changing something else, so nothing was written.",
            f"Write it by hand: {text}, with the ticket.",
        )


def _meaning(one: Exemption) -> tuple[str, str, date, str]:
    return one.account, one.reason, one.until, one.ticket


def _entries(found: PolicySet) -> list[Exemption]:
    return [entry for one in found.documents if isinstance(one.says, tuple) for entry in one.says]


def _documents(found: PolicySet, site: str) -> list[Exemption]:
    """The first entry of each Exemptions document about the site: it knows name and file."""
    return [one.says[0] for one in found.documents if isinstance(one.says, tuple) and one.concerns(site)]


def _file(entry: Exemption) -> str:
    return entry.where.rpartition(":")[0]


def _new_document(root: Path, path: Path, found: PolicySet, site: str, entry: NewExemption) -> Proposal:
    if entry.owner is None:
        raise CleanupError(
            f"No Exemptions document is about {site}, and a new one needs an owner.",
            "Name the team that answers for it with --owner.",
        )
    taken = {one.document for one in _entries(found)}
    names = ("exemptions", f"exemptions-{site}", *(f"exemptions-{number}" for number in range(2, len(taken) + 3)))
    lines = [f"apiVersion: {API_VERSION}", "kind: Exemptions"]
    lines += [f"sites: [{written(site)}]"] if len(found.sites) > 1 else []
    lines += [
        "metadata:",
        f"  name: {next(name for name in names if name not in taken)}",
        f"  owner: {written(entry.owner)}",
        "spec:",
        f"  - account: {_quoted(entry.account)}",
        f"    reason: {entry.reason}",
        f"    until: {entry.until.isoformat()}",
        f"    ticket: {written(entry.ticket)}",
    ]
    return with_document(path, root, "\n".join(lines) + "\n")


def _quoted(account: str) -> str:
    return f'"{account}"'


def _append(documents: list[Any], name: str, entry: NewExemption) -> None:
    """Put the entry at the end of the document's list, in the style of the one before."""
    document = next(one for one in documents if one["kind"] == "Exemptions" and one["metadata"]["name"] == name)
    entries = document["spec"]
    new = CommentedMap(
        account=DoubleQuotedScalarString(entry.account),
        reason=entry.reason,
        until=entry.until,
        ticket=node(entry.ticket),
    )
    if entry.owner not in (None, document["metadata"]["owner"]):
        new["owner"] = node(entry.owner or "")
    last = entries[-1]
    if last.fa.flow_style():
        new.fa.set_flow_style()
        following = _cut(entries.ca.items, len(entries) - 1, 0, deep=entries.lc.col)
        entries.append(new)
        _put(entries.ca.items, len(entries) - 1, 0, following)
    else:
        following = _cut(last.ca.items, list(last)[-1], 2, deep=entries.lc.col)
        entries.append(new)
        _put(new.ca.items, list(new)[-1], 2, following)


def _cut(comments: dict[Any, list[Any]], key: object, place: int, *, deep: int) -> str:
    """Take away the comment lines that follow an entry but are not about it, which come after the new one."""
    held = comments.get(key)
    if not held or held[place] is None:
        return ""
    token = held[place]
    first, _, rest = token.value.partition("\n")
    lines = rest.splitlines(keepends=True)
    own = 0
    while own < len(lines) and lines[own].strip() and len(lines[own]) - len(lines[own].lstrip()) > deep:
        own += 1
    if first or own:
        held[place] = CommentToken("".join((first, "\n", *lines[:own])), token.start_mark, None)
    else:
        del comments[key]
    return "".join(lines[own:])


def _put(comments: dict[Any, list[Any]], key: object, place: int, text: str) -> None:
    if text:
        held: list[Any] = [None, None, None, None]
        held[place] = CommentToken(f"\n{text}", CommentMark(0), None)
        comments[key] = held
