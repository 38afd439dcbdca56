"""People who write and approve policies: a repository, keys of their own, and a file with those that count."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

from cleanup_gitops.ledger.repository.approvals import find_approvals, tag_name
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.loader import load

POLICY = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {{name: {name}, owner: iam, why: seats}}
spec:
  approval: standing
  standing: {{max_per_day: {most}}}
  match: {{all: [{{has_seat: true}}]}}
  ensure: {{groups: {{absent: [wiki]}}}}
"""


def standing(name: str = "dormant", most: int = 40) -> str:
    """A policy with a standing approval."""
    return POLICY.format(name=name, most=most)


class People:
    """Several people with one repository, their keys, and a file outside of it with the keys that count.

    ``git`` is how git is called there, ``environment`` what it inherits.
    """

    def __init__(self, folder: Path, repository: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.repository = repository
        self.approvers = folder / "approvers"
        self.approvers.write_text("")
        self.environment = environment | {"APPROVERS": str(self.approvers)}

    def key(self, name: str) -> Path:
        """A key of this person; made when it is first asked for."""
        path = self.folder / f"{name}.key"
        if not path.exists():
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
            subprocess.run(made, check=True)
        return path

    def allow(self, name: str, *addresses: str, options: str = 'namespaces="git" ') -> None:
        """Let this person approve. Without addresses it is the one that the person commits with."""
        public = self.key(name).with_suffix(".key.pub").read_text()
        line = f"{','.join(addresses) or address(name)} {options}{public}"
        self.approvers.write_text(self.approvers.read_text() + line)

    def git(self, *arguments: str, by: str = "", at: str = "", signed: str = "") -> str:
        """Run git as this person; ``at`` is the time that commits and tags get, ``signed`` whose key is used."""
        environment = dict(self.environment)
        settings = ["-c", f"user.name={by or 'nobody'}", "-c", f"user.email={address(by or 'nobody')}"]
        if signed:
            settings += ["-c", "gpg.format=ssh", "-c", f"user.signingKey={self.key(signed)}"]
        if at:
            environment |= {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at}
        done = subprocess.run(
            ["git", *settings, *arguments], cwd=self.repository, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().rstrip("\n")

    def write(self, name: str, text: str) -> None:
        """Write a file below the policies."""
        path = self.repository / "policies" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def save(self, name: str, text: str, *, by: str, message: str = "policies", signed: str = "") -> None:
        """Write a file below the policies, and commit it as this person."""
        self.write(name, text)
        self.git("add", "policies")
        self.git("commit", "--quiet", *(["-S"] if signed else []), "-m", message, by=by, signed=signed)

    def approve(self, name: str = "dormant", *, by: str, at: str = "") -> str:
        """The tag of this person for a policy as it is now."""
        tag = tag_name(self.policies()[name])
        self.git("tag", "-s", tag, "-m", f"Approve {name}", by=by, at=at, signed=by)
        return tag

    def policies(self) -> dict[str, Policy]:
        """The policies as they are in the folder."""
        loaded = load(self.repository / "policies")
        return {one.name: one for one in loaded.for_site("acme").policies}

    def found(self, now: datetime, approvers: str | None = "APPROVERS") -> Approvals:
        """What counts as approved."""
        git = Git(self.repository, self.environment)
        return find_approvals(git, self.policies().values(), approvers, now)

    def approval(self, now: datetime, name: str = "dormant") -> Approval:
        """The approval of one policy."""
        found = self.found(now)[name]
        assert isinstance(found, Approval), found
        return found

    def refusal(self, now: datetime, name: str = "dormant") -> str:
        """Why one policy is not approved."""
        found = self.found(now)[name]
        assert isinstance(found, Missing), found
        return found.why


def address(name: str) -> str:
    """With which this person commits."""
    return f"{name}@acme.example"
