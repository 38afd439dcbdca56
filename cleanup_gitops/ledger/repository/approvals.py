"""What somebody else than the author has approved by a signed tag: policies, and saved plans that delete accounts."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.origins import NoOriginError, Origins, writers
from cleanup_gitops.ledger.repository.place import find_here
from cleanup_gitops.ledger.repository.signed import signers_file
from cleanup_gitops.ledger.repository.signers import among, principals_of
from cleanup_gitops.ledger.repository.tags import BadTagError, SignedTag, signed_tag
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import APPROVE, Approvals, Missing
from cleanup_gitops.policy.documents import Policy

USUAL_KEY = "~/.ssh/id_ed25519.pub"
"""Where people have the SSH key that they sign with, unless they say otherwise."""


def tag_name(policy: Policy) -> str:
    """The tag that approves the policy as it is."""
    return APPROVE + policy.digest.removeprefix("sha256:")


def find_approvals(git: Git, policies: Iterable[Policy], approvers: str | None, now: datetime) -> Approvals:
    """What was decided about each policy with ``approval: standing``. git's folder is the one with ``policies/``.

    ``approvers`` is the environment variable with the path of the file of keys that count (``Site.approvers``). Raises
    ``StoreError`` outside of a repository, when that file cannot be used, or without ssh-keygen.
    """
    asked = [one for one in policies if one.standing]
    if not asked:
        return {}
    if approvers is None:
        missing = Missing("the Site names no `approvers`", "Name those who may approve under `spec.approvers`.")
        return dict.fromkeys((one.name for one in asked), missing)
    here = find_here(git)
    allowed = signers_file(git, here, approvers)
    origins = Origins(git, here.prefix, "policies")
    return {one.name: _found(git, one, allowed, origins, now) for one in asked}


def _found(git: Git, policy: Policy, allowed: Path, origins: Origins, now: datetime) -> Approval | Missing:
    name = tag_name(policy)
    try:
        tag = signed_tag(git, name, allowed, now)
        if tag is None:
            return Missing(f"there is no tag {name}", _todo(git, policy))
        _check_other(git, policy, tag, allowed, origins)
    except BadTagError as error:
        return Missing(f"the tag {name} does not count: {error}", _todo(git, policy, again=True))
    except NoOriginError as error:
        return Missing(str(error))
    return Approval(kind="standing", by=tag.key, at=tag.at, ref=name)


def find_second(
    git: Git, envelope: str, policies: Sequence[Policy], approvers: str | None, now: datetime
) -> Approval | Missing:
    """Who else approved the saved plan with this envelope digest, in which ``policies`` ask for deletions.

    Neither an author of one of them nor whoever applies the plan, as far as git is set up to know. Raises as
    ``find_approvals`` does.
    """
    name = APPROVE + envelope.removeprefix("sha256:")
    todo = f"Whoever else has reviewed the plan approves it with: {_made(git, name, 'Approve the deletions')}"
    if approvers is None:
        return Missing("the Site names no `approvers`", "Name those who may approve under `spec.approvers`.")
    here = find_here(git)
    allowed = signers_file(git, here, approvers)
    origins = Origins(git, here.prefix, "policies")
    try:
        tag = signed_tag(git, name, allowed, now)
        if tag is None:
            return Missing(f"there is no tag {name}", todo)
        _check_not_here(git, tag)
        for policy in policies:
            _check_other(git, policy, tag, allowed, origins)
    except BadTagError as error:
        return Missing(f"the tag {name} does not count: {error}", f"Delete it ({_gone(git, name)}). {todo}")
    except NoOriginError as error:
        return Missing(str(error))
    return Approval(kind="second", by=tag.key, at=tag.at, ref=name)


def _check_not_here(git: Git, tag: SignedTag) -> None:
    """Raise ``BadTagError`` when whoever made the tag is whom git is set up for here."""
    if among(filter(None, (git.ask("config", "user.email"),)), tag.principals):
        raise BadTagError("it was made by whoever applies the plan, and somebody else must approve it")


def _check_other(git: Git, policy: Policy, tag: SignedTag, allowed: Path, origins: Origins) -> None:
    """Raise ``BadTagError`` when whoever made the tag wrote the policy."""
    if not any("@" in one for one in tag.principals):
        raise BadTagError("its key has no e-mail address beside it, so it cannot be told from the author's")
    commits = origins.of(policy.digest, policy.where.rpartition(":")[0])
    text = allowed.read_text("utf-8", "replace")
    for writer in writers(git, commits, allowed):
        own_key = writer.key and (writer.key == tag.key or principals_of(text, writer.key) & tag.principals)
        if own_key or among(writer.addresses, tag.principals):
            raise BadTagError("it was made by an author of the policy, and somebody else must approve it")


def _todo(git: Git, policy: Policy, *, again: bool = False) -> str:
    """What to type. An old tag of the same name has to go first."""
    name = tag_name(policy)
    first = f"Delete it ({_gone(git, name)}). " if again else ""
    made = _made(git, name, f"Approve {policy.name}")
    return f"{first}Whoever has reviewed {policy.name}, and did not write it, approves it with: {made}"


def _gone(git: Git, name: str) -> str:
    """What deletes a tag, here and where it was pushed to."""
    remote = _remote(git)
    return f"git tag -d {name}" + (f"; git push --delete {remote} {name}" if remote else "")


def _made(git: Git, name: str, message: str) -> str:
    """What makes a signed tag, and pushes it where there is a remote."""
    remote = _remote(git)
    made = f"git {_signing(git)} -m {shlex.quote(message)} {name}"
    return made + (f" && git push {remote} {name}" if remote else "")


def _signing(git: Git) -> str:
    """How a tag is signed with an SSH key: in short where git is set up for that, else with the usual key named."""
    if git.ask("config", "gpg.format") == "ssh" and git.ask("config", "user.signingKey"):
        return "tag -s"
    return f"-c gpg.format=ssh tag -u {USUAL_KEY}"


def _remote(git: Git) -> str:
    """The remote of the branch that is checked out, else the one that there is; "" when nothing can be pushed."""
    tracked = git.ask("config", f"branch.{git.ask('branch', '--show-current')}.remote")
    remotes = git.ask("remote").splitlines()
    return next((shlex.quote(one) for one in (tracked, "origin", *remotes) if one in remotes), "")
