"""Which commit holds the policies that a plan was made from."""

from __future__ import annotations

from cleanup_gitops.ledger.repository.command import Git


def policy_commit(git: Git) -> str:
    """The last commit that changed git's folder; "" when it has local edits, no commit, or is in no repository.

    In a clone that lacks the beginning of the history it may be the oldest commit there, which holds the same policies.
    """
    if not git.folder.is_dir() or not git.ask("rev-parse", "--is-inside-work-tree"):
        return ""
    head = git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not head or not git.ask("ls-tree", "-r", "--name-only", head, "--", "."):
        return ""
    edits = git.run("status", "--porcelain", "-z", "-uall", "--ignored", "--", ".")
    if any(_is_edit(row) for row in edits.split(b"\0") if row):
        return ""
    # The commit that last touched them: it stays the same while only state is committed.
    return git.line("rev-list", "-1", head, "--", ".")


def _is_edit(row: bytes) -> bool:
    """Whether a row of ``git status`` can change what the policies say: ignored ones only of kinds that are read."""
    return not row.startswith(b"!! ") or row.endswith((b".yaml", b".yml", b".j2"))
