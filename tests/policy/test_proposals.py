"""Where a command may write a policy, and how a document is put at the end of a file that people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.proposals import policy_path, read_bytes, with_document
from cleanup_gitops.policy.yaml_text import read_documents

NEW = "kind: B\nspec: {}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "policies"
    (folder / "teams" / "deep").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    "name", ["policies/a.yaml", "policies/teams/a.yml", "policies/A.YAML", "policies/../policies/a.yml"]
)
def test_policies_are_written_where_they_are_read(root: Path, name: str) -> None:
    assert policy_path(root, Path(name)) == (root.parent / name).resolve()


@pytest.mark.parametrize(
    "name",
    [
        "a.yaml",
        "policies/a.txt",
        "policies/a",
        "policies/.a.yaml",
        "policies/.git/a.yaml",
        "policies/.git/deep/a.yaml",
        "policies/../a.yaml",
        "/etc/a.yaml",
    ],
)
def test_no_policy_is_written_where_none_is_read(root: Path, name: str) -> None:
    with pytest.raises(CleanupError) as caught:
        policy_path(root, Path(name))
    assert caught.value.message == (
        f"{name} is no place for policies: they are read from *.yaml and *.yml below policies/."
    )
    assert caught.value.hint == "Name a file such as policies/exemptions.yaml."


def test_a_link_out_of_the_folder_is_no_place_and_is_not_read(root: Path) -> None:
    (root.parent / "else.yaml").write_text(NEW)
    (root / "a.yaml").symlink_to("../else.yaml")
    with pytest.raises(CleanupError):
        policy_path(root, Path("policies/a.yaml"))
    with pytest.raises(CleanupError) as caught:
        read_bytes(root / "a.yaml", root)
    assert caught.value.message == "policies/a.yaml: a link that leads out of the policy folder is not read."


@pytest.mark.parametrize(("file", "schema"), [("a.yaml", "schema.json"), ("teams/deep/a.yaml", "../../schema.json")])
def test_a_new_file_says_where_the_schema_is(root: Path, file: str, schema: str) -> None:
    proposal = with_document(root / file, root, NEW)
    assert (proposal.path, proposal.label, proposal.before) == (root / file, f"policies/{file}", None)
    assert proposal.after.decode() == f"# yaml-language-server: $schema={schema}\n{NEW}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", NEW),
        ("# nothing yet\n", f"# nothing yet\n{NEW}"),
        ("\ufeff# nothing yet\n\n", f"\ufeff# nothing yet\n\n{NEW}"),
        ("# nothing yet", f"# nothing yet\n{NEW}"),
        ("kind: A\n", f"kind: A\n---\n{NEW}"),
        ("kind: A", f"kind: A\n---\n{NEW}"),
        ("# about A\nkind: A # one\n# end\n", f"# about A\nkind: A # one\n# end\n---\n{NEW}"),
        ("kind: A\r\n", f"kind: A\n---\n{NEW}".replace("\n", "\r\n")),
        ("kind: A\r\nspec: 1", f"kind: A\nspec: 1\n---\n{NEW}".replace("\n", "\r\n")),
    ],
)
def test_a_document_comes_after_every_line_that_was_there(root: Path, before: str, after: str) -> None:
    (root / "a.yaml").write_bytes(before.encode())
    proposal = with_document(root / "a.yaml", root, NEW)
    assert proposal.before == before.encode()
    assert proposal.after.decode() == after
    assert read_documents(proposal.after, "a").documents[-1]["kind"] == "B"
