"""Which signed tags approve a policy, and which do not: with real git and real keys."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.approvals import tag_name
from cleanup_gitops.ledger.repository.signers import among, fingerprint_of, principals_of
from cleanup_gitops.model.errors import StoreError
from cleanup_gitops.model.standing import Missing
from tests.ledger.approvers import People, standing
from tests.ledger.repository import ENVIRONMENT

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BEFORE = "2026-11-22T10:00:00+01:00"
DATED = {"GIT_AUTHOR_DATE": BEFORE, "GIT_COMMITTER_DATE": BEFORE}
"""What is not said to be of another time: tests do not depend on the day on which they run."""


@pytest.fixture
def people(tmp_path: Path) -> People:
    """Ada has written a policy; Ben and she may approve."""
    repository = tmp_path / "repository"
    repository.mkdir()
    people = People(tmp_path, repository, ENVIRONMENT | {"HOME": str(tmp_path), "TZ": "UTC"} | DATED)
    people.git("init", "--quiet", "--initial-branch=main")
    people.save("dormant.yaml", standing(), by="ada")
    for name in ("ada", "ben"):
        people.allow(name)
    return people


def test_a_tag_of_somebody_else_than_the_author_counts(people: People) -> None:
    tag = people.approve(by="ben", at=BEFORE)
    found = people.approval(NOW)
    public = people.key("ben").with_suffix(".key.pub").read_text().split()[1]
    assert re.fullmatch(r"approve/[0-9a-f]{64}", tag)
    assert (found.kind, found.ref, found.by) == ("standing", tag, fingerprint_of(public))
    assert found.at == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_without_a_tag_it_is_said_what_to_type(people: People) -> None:
    tag = tag_name(people.policies()["dormant"])
    assert people.found(NOW) == {
        "dormant": Missing(
            f"there is no tag {tag}",
            "Whoever has reviewed dormant, and did not write it, approves it with:"
            f" git -c gpg.format=ssh tag -u ~/.ssh/id_ed25519.pub -m 'Approve dormant' {tag}",
        )
    }


def _typed(people: People) -> str:
    """The command that is proposed."""
    found = people.found(NOW)["dormant"]
    assert isinstance(found, Missing)
    return found.todo.rpartition("approves it with: ")[2]


def test_what_is_said_to_type_makes_a_tag_that_counts_where_git_is_not_set_up_to_sign(people: People) -> None:
    home = people.folder / ".ssh"
    home.mkdir()
    for end in ("", ".pub"):
        (home / f"id_ed25519{end}").write_bytes(people.key("ben").with_name(f"ben.key{end}").read_bytes())
    (home / "id_ed25519").chmod(0o600)
    who = {"GIT_COMMITTER_NAME": "Ben", "GIT_COMMITTER_EMAIL": "ben@acme.example", "GIT_COMMITTER_DATE": BEFORE}
    subprocess.run(["sh", "-c", _typed(people)], cwd=people.repository, env=people.environment | who, check=True)
    assert people.approval(NOW).kind == "standing"


def test_where_git_is_set_up_to_sign_the_command_is_short(people: People) -> None:
    people.git("config", "gpg.format", "ssh")
    people.git("config", "user.signingKey", str(people.key("ben")))
    assert _typed(people) == f"git tag -s -m 'Approve dormant' {tag_name(people.policies()['dormant'])}"


@pytest.mark.parametrize("remote", ["origin", "company"])
def test_the_tag_is_pushed_to_the_remote_that_there_is_and_deleted_there(people: People, remote: str) -> None:
    people.git("remote", "add", remote, "https://git.acme.example/x.git")
    tag = tag_name(people.policies()["dormant"])
    assert _typed(people).endswith(f"Approve dormant' {tag} && git push {remote} {tag}")
    people.git("tag", tag)
    found = people.found(NOW)["dormant"]
    assert isinstance(found, Missing)
    assert found.todo.startswith(f"Delete it (git tag -d {tag}; git push --delete {remote} {tag}). ")


def test_the_remote_of_the_branch_comes_before_others(people: People) -> None:
    for remote in ("origin", "company"):
        people.git("remote", "add", remote, "https://git.acme.example/x.git")
    people.git("config", "branch.main.remote", "company")
    assert "git push company " in _typed(people)


def test_policies_that_are_approved_by_plan_are_not_asked_about(people: People) -> None:
    people.save(
        "dormant.yaml", standing().replace("  approval: standing\n  standing: {max_per_day: 40}\n", ""), by="ada"
    )
    assert people.found(NOW) == {}


def test_a_plain_pointer_does_not_count(people: People) -> None:
    people.git("tag", tag_name(people.policies()["dormant"]))
    assert "a plain pointer without a signature" in people.refusal(NOW)


def test_a_tag_without_a_signature_does_not_count(people: People) -> None:
    people.git("tag", "-a", tag_name(people.policies()["dormant"]), "-m", "x", by="ben")
    assert "it has no SSH signature" in people.refusal(NOW)


def test_a_tag_with_a_foreign_key_does_not_count(people: People) -> None:
    people.approve(by="eve")
    assert "its key did not count" in people.refusal(NOW)


def test_a_key_for_another_purpose_does_not_count(people: People) -> None:
    people.allow("eve", options='namespaces="file" ')
    people.approve(by="eve")
    assert "its key did not count" in people.refusal(NOW)


def test_a_key_that_has_ended_does_not_count_whatever_date_the_tag_has(people: People) -> None:
    people.allow("eve", options='namespaces="git",valid-before="20260101" ')
    people.approve(by="eve", at=BEFORE)
    assert "its key did not count at its date" in people.refusal(NOW)
    people.git("tag", "-d", tag_name(people.policies()["dormant"]))
    people.approve(by="eve", at="2025-06-01T00:00:00Z")
    assert "its key no longer counts" in people.refusal(NOW)


def test_a_key_that_was_taken_out_of_the_file_does_not_count(people: People) -> None:
    people.approve(by="ben", at=BEFORE)
    people.approval(NOW)
    people.approvers.write_text("")
    people.allow("ada")
    assert "its key did not count" in people.refusal(NOW)


def test_the_author_cannot_approve(people: People) -> None:
    people.approve(by="ada", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)
    assert "ada" not in people.refusal(NOW)


@pytest.mark.parametrize(
    "principals", [("ADA@Acme.Example",), ("other@x.example", "ada@acme.example"), ("*@acme.example",)]
)
def test_the_author_is_known_by_any_address_beside_the_key(people: People, principals: tuple[str, ...]) -> None:
    people.approvers.write_text("")
    people.allow("ada", *principals)
    people.approve(by="ada", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)


def test_the_author_is_known_by_any_line_with_the_key(people: People) -> None:
    people.approvers.write_text("")
    people.allow("ada", "other@x.example")
    people.allow("ada")
    people.approve(by="ada", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)


def test_who_only_committed_and_who_helped_to_write_it_cannot_approve(people: People) -> None:
    people.write("dormant.yaml", standing(most=41))
    people.git("commit", "--quiet", "-a", "-m", "x", "--author", "Eve <eve@acme.example>", by="ben")
    people.approve(by="ben", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)
    people.save("dormant.yaml", standing(most=42), by="eve", message="x\n\nCo-authored-by: Ben B <BEN@acme.example>")
    people.approve(by="ben", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)


def test_a_commit_under_another_address_with_the_same_key_is_of_the_same_person(people: People) -> None:
    people.save("dormant.yaml", standing(most=41), by="somebody", signed="ben")
    people.approve(by="ben", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)


def test_a_commit_with_another_key_of_the_same_person_is_of_the_same_person(people: People) -> None:
    people.allow("laptop-of-ben", "ben@acme.example")
    people.save("dormant.yaml", standing(most=41), by="somebody", signed="laptop-of-ben")
    people.approve(by="ben", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)


def test_a_key_that_no_address_stands_beside_does_not_count(people: People) -> None:
    people.allow("robot", "robot")
    people.approve(by="robot", at=BEFORE)
    assert "its key has no e-mail address beside it" in people.refusal(NOW)


def test_a_change_of_meaning_needs_a_new_tag_and_a_comment_does_not(people: People) -> None:
    people.approve(by="ben", at=BEFORE)
    people.save("dormant.yaml", f"# a comment\n{standing()}", by="ben")
    people.approval(NOW)
    people.save("dormant.yaml", standing(most=41), by="ada")
    assert people.refusal(NOW).startswith("there is no tag approve/")
    people.save("dormant.yaml", standing(), by="ada")
    people.approval(NOW)


def test_a_tag_that_is_moved_to_another_policy_does_not_count(people: People) -> None:
    old = people.approve(by="ben", at=BEFORE)
    people.save("dormant.yaml", standing(most=4000), by="ada")
    new = tag_name(people.policies()["dormant"])
    people.git("update-ref", f"refs/tags/{new}", people.git("rev-parse", f"refs/tags/{old}"))
    assert "it was signed under another name" in people.refusal(NOW)


def test_the_digest_in_the_name_counts_and_not_the_commit_beside_it(people: People) -> None:
    tag = tag_name(people.policies()["dormant"])
    people.save("dormant.yaml", standing(most=41), by="ada")
    people.git("tag", "-s", tag, "-m", "x", "HEAD", by="ben", at=BEFORE, signed="ben")
    assert people.refusal(NOW).startswith("there is no tag approve/")
    people.save("dormant.yaml", standing(), by="ada")
    assert people.approval(NOW).ref == tag


def test_a_tag_of_something_else_than_a_commit_does_not_count(people: People) -> None:
    tag = tag_name(people.policies()["dormant"])
    people.git("tag", "-s", tag, "-m", "x", "HEAD^{tree}", by="ben", at=BEFORE, signed="ben")
    assert "it does not point at a commit" in people.refusal(NOW)


def test_a_tag_whose_text_was_changed_does_not_count(people: People) -> None:
    tag = people.approve(by="ben", at=BEFORE)
    text = people.git("cat-file", "tag", tag).replace("Approve dormant", "Approve Dormant")
    made = subprocess.run(
        ["git", "hash-object", "-t", "tag", "-w", "--stdin"], cwd=people.repository, input=f"{text}\n".encode(),
        env=people.environment, capture_output=True, check=True,
    )  # fmt: skip
    people.git("update-ref", f"refs/tags/{tag}", made.stdout.decode().strip())
    assert "its signature does not fit" in people.refusal(NOW)


def test_a_tag_from_the_future_does_not_count(people: People) -> None:
    people.approve(by="ben", at="2026-11-23T12:06:00Z")
    assert "dated in the future" in people.refusal(NOW)
    assert people.approval(NOW + timedelta(minutes=1)).by


def test_an_author_is_found_behind_later_commits_that_change_nothing(people: People) -> None:
    """Who moves the policy to another file, or another document beside it, is not its author."""
    people.save("dormant.yaml", f"# more\n{standing()}---\n{standing('other')}", by="ben")
    people.approve(by="ada", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)
    people.write("moved.yaml", standing())
    people.write("dormant.yaml", standing("other"))
    people.git("add", "policies")
    people.git("commit", "--quiet", "-m", "moved", by="ben")
    assert "made by an author of the policy" in people.refusal(NOW)
    people.git("tag", "-d", tag_name(people.policies()["dormant"]))
    people.approve(by="ben", at=BEFORE)
    people.approval(NOW)
    people.approve("other", by="ada", at=BEFORE)
    people.approval(NOW, "other")


def test_authors_on_both_sides_of_a_merge_are_authors(people: People) -> None:
    people.git("checkout", "--quiet", "-b", "side")
    people.save("dormant.yaml", standing(most=41), by="ben")
    people.git("checkout", "--quiet", "main")
    people.save("dormant.yaml", f"# the same\n{standing(most=41)}", by="eve")
    people.git("merge", "--quiet", "-X", "ours", "side", "-m", "merge", by="somebody")
    people.approve(by="ben", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)


def test_an_author_in_a_merged_branch_is_found(people: People) -> None:
    people.git("checkout", "--quiet", "-b", "side")
    people.save("dormant.yaml", standing(most=41), by="ben")
    people.git("checkout", "--quiet", "main")
    people.save("other.yaml", standing("other"), by="eve")
    people.git("merge", "--quiet", "--no-ff", "side", "-m", "merge", by="ada")
    people.approve(by="ben", at=BEFORE)
    assert "made by an author of the policy" in people.refusal(NOW)
    people.git("tag", "-d", tag_name(people.policies()["dormant"]))
    people.approve(by="ada", at=BEFORE)
    people.approval(NOW)


def test_a_policy_with_local_edits_is_not_approved(people: People) -> None:
    people.write("dormant.yaml", standing(most=41))
    people.approve(by="ben", at=BEFORE)
    assert people.refusal(NOW) == "the policy as it is here is not committed"


def test_a_shallow_clone_does_not_tell_who_wrote_it(people: People, tmp_path: Path) -> None:
    people.approve(by="ben", at=BEFORE)
    people.save("other.yaml", standing("other"), by="ada")
    people.git("clone", "--quiet", "--depth", "1", f"file://{people.repository}", str(tmp_path / "shallow"))
    people.repository = tmp_path / "shallow"
    people.git("fetch", "--quiet", "--tags", "--depth", "1")
    assert "too shallow" in people.refusal(NOW)
    people.git("fetch", "--quiet", "--unshallow")
    people.approval(NOW)


def test_policies_in_a_folder_of_a_larger_repository_are_approved_too(people: People) -> None:
    (people.repository / "wiki").mkdir()
    people.git("mv", "policies", "wiki/policies")
    people.git("commit", "--quiet", "-m", "moved", by="ben")
    people.repository = people.repository / "wiki"
    people.approve(by="ben", at=BEFORE)
    assert "made by an author" in people.refusal(NOW)  # a policy that comes from elsewhere is new here
    people.git("tag", "-d", tag_name(people.policies()["dormant"]))
    people.approve(by="ada", at=BEFORE)
    people.approval(NOW)


def test_a_site_that_names_no_approvers_approves_nothing(people: People) -> None:
    people.approve(by="ben", at=BEFORE)
    assert [one.why for one in people.found(NOW, None).values() if isinstance(one, Missing)] == [
        "the Site names no `approvers`"
    ]


def test_a_file_of_approvers_that_does_not_count_is_an_error(people: People) -> None:
    with pytest.raises(StoreError, match="The environment variable OTHER is not set"):
        people.found(NOW, "OTHER")
    people.environment["APPROVERS"] = str(people.folder / "missing")
    with pytest.raises(StoreError, match="There is no file where APPROVERS says"):
        people.found(NOW)
    inside = people.repository / "approvers"
    inside.write_text(people.approvers.read_text())
    link = people.folder / "link"
    link.symlink_to(inside)
    for path in (inside, link):
        people.environment["APPROVERS"] = str(path)
        with pytest.raises(StoreError, match="could allow their own key"):
            people.found(NOW)


def test_principals_are_those_of_all_lines_with_the_key() -> None:
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIJ0v"
    text = (
        f'# {key}\nAda@x.example,"b c@x.example" namespaces="git,a b",valid-after="20260101" ssh-ed25519 {key} it\n'
        f"ben@x.example ssh-ed25519 {key}\n\n"
        "eve@x.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1v\nbroken ssh-ed25519\n"
    )
    assert principals_of(text, fingerprint_of(key)) == {"ada@x.example", "b c@x.example", "ben@x.example"}
    assert principals_of(text, "") == principals_of("", fingerprint_of(key)) == frozenset()


def test_an_address_is_compared_without_regard_to_case_and_with_patterns() -> None:
    assert among(["ADA@x.example"], ["ada@x.example"])
    assert among(["ada@x.example"], ["*@x.example"])
    assert among(["ada@x.example"], ["!ada@x.example"])
    assert not among(["ada@x.example"], ["ben@x.example", "*@y.example"])
