"""What makes git show something else than what is stored: it is refused wherever records are read or verified."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.objects import Row, above, index_elsewhere, index_rows, listed
from cleanup_gitops.model.errors import StateError

ATTRIBUTES = ".gitattributes"
_AS_IT_IS = "-text diff -filter -ident -export-ignore -export-subst -working-tree-encoding"


def check_nothing_hidden(git: Git) -> None:
    """Raise ``StateError`` when objects are replaced or commits have other parents than the stored ones."""
    if replaced := git.line("for-each-ref", "--format=%(refname)", "refs/replace/"):
        first = replaced.splitlines()[0]
        raise StateError(
            f"This repository replaces objects ({first}), so that git shows another history than the stored one.",
            "See what was replaced with `git replace -l`, remove it with `git replace -d`, and run again.",
        )
    grafts = git.folder / git.line("rev-parse", "--git-path", "info/grafts")
    if os.path.lexists(grafts):
        raise StateError(
            "This repository has grafts (info/grafts), so that git shows other parents than the stored ones.",
            f"Remove {grafts} and run again.",
        )


def check_not_shallow(git: Git) -> None:
    """Raise ``StateError`` when the beginning of the history is not here."""
    if git.line("rev-parse", "--is-shallow-repository") == "true":
        raise StateError(
            "This clone is shallow: the beginning of the history is missing.",
            "Fetch it all with `git fetch --unshallow` and run again.",
        )


def check_not_deleted(git: Git, tip: str, folder: str) -> None:
    """Raise ``StateError`` when a folder that is not there once had a ledger. It is counted from the folder of ``git``.

    A shallow clone cannot tell.
    """
    if tip and (gone := git.line("rev-list", "-1", tip, "--", f"{folder}/{layout.LEDGER}")):
        raise StateError(
            f"{folder} was recorded and is gone: commit {gone[:12]} deleted it. Without it nothing is known of what was"
            " approved, carried out and refused before.",
            f"Nothing was done. Bring it back with `git revert {gone[:12]}`, or with"
            f" `git checkout {gone[:12]}~1 -- {folder}` and a commit.",
        )


def plain_rows(git: Git, commit: str, folder: str) -> list[Row]:
    """All files below a folder, which is counted from the top of the repository.

    Raises ``StateError`` when one of them, or the folder itself, is a link, a program or a submodule.
    """
    on_the_way = list(above(folder))
    for row in listed(git, commit, *on_the_way, deep=False):
        if row.path in on_the_way and not row.folder:
            raise _odd(row)
    rows = listed(git, commit, f"{folder}/")
    for row in rows:
        if not row.plain:
            raise _odd(row)
    return rows


def check_attributes(git: Git, commit: str, paths: Sequence[str]) -> None:
    """Raise ``StateError`` when attributes hide or change what stands in these files of the commit.

    Paths are counted from the top of the repository. The attributes of the commit count, and those in
    ``.git/info/attributes``; a user's own are not looked at.
    """
    if not paths:
        return
    folders = {one for path in paths for one in above(path.rpartition("/")[0]) if one}
    wanted = [f"{folder}/{ATTRIBUTES}" for folder in sorted(folders)]
    said = [row for row in listed(git, commit, ATTRIBUTES, *wanted) if row.plain]
    with index_elsewhere() as index:
        git.run("read-tree", "--empty", index=index)
        git.run(
            "update-index",
            "-z",
            "--index-info",
            stdin=index_rows(git, {row.path: row.name for row in said}),
            index=index,
        )
        # A folder that is left out of archives takes everything below it along.
        asked = "".join(f"{path}\0" for path in (*(f"{folder}/" for folder in sorted(folders)), *paths))
        top = git.at(git.folder / (git.line("rev-parse", "--show-cdup") or "."))
        answer = top.run("check-attr", "--cached", "-a", "-z", "--stdin", stdin=os.fsencode(asked), index=index)
    fields = iter(os.fsdecode(answer).split("\0"))
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(fields, fields, fields, strict=False):
        found.setdefault(path, {})[name] = value
    for path, attributes in found.items():
        for name in _harmful(attributes, folder=path.endswith("/")):
            state = f"{path.partition(layout.STATE)[0]}{layout.STATE}"
            raise StateError(
                f"git attributes hide or change what stands in {path} (`{name}: {attributes[name]}`).",
                "Mend .gitattributes or .git/info/attributes: as their last line,"
                f" `/{state}/** {_AS_IT_IS}` makes git take the state as it is.",
            )


def _harmful(attributes: dict[str, str], *, folder: bool) -> Iterable[str]:
    """The attributes that keep somebody from seeing exactly the stored bytes. ``text`` alone is common, and none."""
    for name, value in attributes.items():
        off = value in {"unset", "unspecified"}
        match name:
            case "export-ignore":
                bad = not off
            case _ if folder:
                bad = False
            case "diff":
                bad = value not in {"set", "unspecified"}
            case "export-subst" | "ident" | "filter" | "working-tree-encoding":
                bad = not off
            case "eol":
                bad = value == "crlf" and attributes.get("text") != "unset"
            case _:
                bad = False
        if bad:
            yield name


def _odd(row: Row) -> StateError:
    return StateError(f"{row.path} is not a plain file.", "Only cleanup-gitops writes there; remove it and commit.")
