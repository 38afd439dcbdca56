"""The digests of what one file says, whatever else stands in it: who wrote a policy is looked up by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.meaning import policy_digests
from cleanup_gitops.policy.roster import Roster
from tests.policy.documents import VALID, document, load_texts, policy


@pytest.mark.parametrize("file", ["everything", "rosters", "standing"])
def test_every_policy_and_roster_of_a_file_has_the_digest_that_the_program_goes_by(tmp_path: Path, file: str) -> None:
    text = (VALID / f"{file}.yaml").read_text("utf-8")
    said = [one for one in load_texts(tmp_path / "policies", text).documents if isinstance(one.says, Policy | Roster)]
    assert said
    assert policy_digests(text.encode()) == {one.digest for one in said}


def test_what_stands_between_policies_hides_none_of_them() -> None:
    first, last = policy(name="one"), policy(name="two")
    both = policy_digests(first.encode()) | policy_digests(last.encode())
    assert len(both) == 2
    wrong = policy("{all: []}")
    for between in (wrong, document("Protection", "{groups: [a]}"), "kind: Polcy\n", "a: 1\n"):
        assert policy_digests(f"{first}---\n{between}---\n{last}".encode()) == both


def test_of_bytes_that_are_no_policy_there_is_no_digest() -> None:
    for data in (b"", b"\xff", b"kind: Policy\n", b"kind: [Policy]\n", document("Site", "{}").encode()):
        assert policy_digests(data) == frozenset()
