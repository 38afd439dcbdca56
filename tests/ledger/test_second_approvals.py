"""Which signed tags approve what a saved plan deletes, and which do not: with real git and real keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.approvals import find_second
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import Missing
from tests.ledger.approvers import People, standing
from tests.ledger.repository import ENVIRONMENT

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENVELOPE = "sha256:" + "ab" * 32
TAG = "approve/" + "ab" * 32
DATED = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-11-22T10:00:00+01:00")

pytestmark = pytest.mark.case("E75")


@pytest.fixture
def people(tmp_path: Path) -> People:
    """Ada has written a policy, Ben applies a plan; they and Cleo may approve."""
    repository = tmp_path / "repository"
    repository.mkdir()
    people = People(tmp_path, repository, ENVIRONMENT | {"HOME": str(tmp_path), "TZ": "UTC"} | DATED)
    people.git("init", "--quiet", "--initial-branch=main")
    people.git("config", "user.email", "ben@acme.example")
    people.save("dormant.yaml", standing(), by="ada")
    for name in ("ada", "ben", "cleo"):
        people.allow(name)
    return people


def second(people: People, approvers: str | None = "APPROVERS", envelope: str = ENVELOPE) -> Approval | Missing:
    git = Git(people.repository, people.environment)
    return find_second(git, envelope, list(people.policies().values()), approvers, NOW)


def tagged(people: People, by: str) -> None:
    people.git("tag", "-s", TAG, "-m", "Approve the deletions", by=by, signed=by, at="2026-11-23T11:00:00Z")


def refusal(people: People) -> str:
    found = second(people)
    assert isinstance(found, Missing)
    return found.why


def test_a_tag_of_a_third_person_counts(people: People) -> None:
    tagged(people, "cleo")
    found = second(people)
    assert isinstance(found, Approval)
    assert (found.kind, found.ref, found.at) == ("second", TAG, datetime(2026, 11, 23, 11, 0, tzinfo=UTC))


def test_it_counts_for_this_plan_alone(people: People) -> None:
    tagged(people, "cleo")
    other = "sha256:" + "cd" * 32
    assert isinstance(second(people, envelope=other), Missing)
    people.git("update-ref", "refs/tags/approve/" + "cd" * 32, f"refs/tags/{TAG}")
    moved = second(people, envelope=other)
    assert isinstance(moved, Missing)
    assert "signed under another name" in moved.why


def test_without_a_tag_it_is_said_what_to_type(people: People) -> None:
    assert second(people) == Missing(
        f"there is no tag {TAG}",
        "Whoever else has reviewed the plan approves it with: git -c gpg.format=ssh tag -u ~/.ssh/id_ed25519.pub"
        f" -m 'Approve the deletions' {TAG}",
    )


def test_neither_who_applies_nor_who_wrote_the_policy_counts(people: People) -> None:
    tagged(people, "ben")
    assert "whoever applies the plan" in refusal(people)
    people.git("tag", "-d", TAG)
    tagged(people, "ada")
    assert "an author of the policy" in refusal(people)
    people.git("tag", "-d", TAG)
    tagged(people, "eve")
    assert "its key did not count" in refusal(people)


def test_without_approvers_nobody_can_be_the_second(people: People) -> None:
    tagged(people, "cleo")
    found = second(people, approvers=None)
    assert isinstance(found, Missing)
    assert "names no `approvers`" in found.why
