"""A new repository of policies: valid from the start, and nothing of the user's is overwritten."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.policy.loader import load
from tests.patience import STALLED

FILES = {
    ".gitattributes",
    ".gitignore",
    "README.md",
    "policies/dormant-members.yaml",
    "policies/exemptions.yaml",
    "policies/guardrails.yaml",
    "policies/never-used.yaml",
    "policies/protection.yaml",
    "policies/site.yaml",
    "policies/schema.json",
    "policies/tests.yaml",
    "state/.gitkeep",
}
ORGANIZATION = "9d9be011-7b3c-4a57-a9d6-5a0c1a5a2f10"


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_it_writes_is_valid_and_says_what_was_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(tmp_path), "init"]) == 0
    said = capsys.readouterr().out
    assert written(tmp_path) == FILES
    for line in ("spec.url and metadata.name", "spec.cloud.organization", "spec.runner.accounts"):
        assert f"policies/site.yaml: {line}" in said
    assert run(["-C", str(tmp_path), "validate"]) == 0
    assert "example: 2 policies, 1 protection, 0 exemptions" in capsys.readouterr().out
    assert run(["-C", str(tmp_path), "test", "--coverage"]) == 0
    said = capsys.readouterr().out
    assert "Every policy, stage and condition is touched, conditions with both outcomes." in said
    assert "1 policy test, 0 failed." in said


@pytest.mark.parametrize("name", ["plan.json", "undo.json", "cleanup-gitops-1.outcomes.jsonl", ".env"])
def test_what_is_handed_over_as_a_file_is_not_committed(tmp_path: Path, name: str) -> None:
    assert run(["-C", str(tmp_path), "init"]) == 0
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / name).write_text("{}")
    assert subprocess.run(["git", "check-ignore", "--quiet", name], cwd=tmp_path, check=False).returncode == 0


def test_given_values_stand_in_the_site_and_in_the_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--url", "https://north-wind.atlassian.net/wiki/home", "--organization", ORGANIZATION]
    assert run(["-C", str(tmp_path), "init", "new/repository", *options]) == 0
    said = capsys.readouterr().out
    assert "spec.url" not in said
    assert "spec.cloud.organization" not in said
    assert "spec.runner.accounts" in said
    found = load(tmp_path / "new" / "repository" / "policies")
    (site,) = found.sites
    assert (site.name, site.url) == ("north-wind", "https://north-wind.atlassian.net")
    assert site.organization == ORGANIZATION
    groups = {policy.ensure.groups_absent for policy in found.for_site("north-wind").policies}
    assert groups == {("confluence-users-north-wind",)}


def test_a_name_of_its_own_beats_that_of_the_address(tmp_path: Path) -> None:
    assert run(["-C", str(tmp_path), "init", "--url", "acme.atlassian.net", "--site", "wiki"]) == 0
    (site,) = load(tmp_path / "policies").sites
    assert (site.name, site.url) == ("wiki", "https://acme.atlassian.net")


def test_files_that_exist_are_left_alone_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "site.yaml").write_text("# mine\n")
    (tmp_path / "README.md").symlink_to(tmp_path / "nowhere")
    assert run(["-C", str(tmp_path), "init"]) == 0
    said = capsys.readouterr().out
    assert (tmp_path / "policies" / "site.yaml").read_text() == "# mine\n"
    assert (tmp_path / "README.md").is_symlink()
    assert not (tmp_path / "nowhere").exists()
    left_alone = said.split("Left alone")[1].split("Next:")[0]
    assert set(re.findall(r"^  (\S+)$", left_alone, re.MULTILINE)) == {"README.md", "policies/site.yaml"}
    assert "made up" not in said
    before = {path: (tmp_path / path).read_bytes() for path in written(tmp_path)}
    assert run(["-C", str(tmp_path), "init"]) == 0
    assert "Wrote nothing" in capsys.readouterr().out
    assert {path: (tmp_path / path).read_bytes() for path in written(tmp_path)} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "acme"], "is not the address of a site"),
        (["--url", "http://acme.atlassian.net"], "is not the address of a site"),
        (["--url", "https://ac me"], "is not the address of a site"),
        (["--url", "https://"], "is not the address of a site"),
        (["--url", "https://user:secret@acme.atlassian.net"], "is not the address of a site"),
        (["--site", "Acme: {}"], "cannot be the name of a site"),
        (["--organization", "acme'\n"], "is not the id of an organization"),
    ],
)
def test_values_that_no_site_could_have_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert run(["-C", str(tmp_path), "init", *options]) == 1
    assert message in capsys.readouterr().err
    assert written(tmp_path) == set()


def test_a_file_in_the_place_of_a_folder_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policies").write_text("not a folder")
    assert run(["-C", str(tmp_path), "init"]) == 1
    said = capsys.readouterr().err
    assert "policies is no folder" in said
    assert "Traceback" not in said


def test_state_is_never_converted_and_plans_are_never_committed(tmp_path: Path) -> None:
    assert run(["-C", str(tmp_path), "init"]) == 0
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    asked = ["git", "check-attr", "text", "state/example/manifest.json"]
    attributes = subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert attributes.strip().endswith("text: unset")
    ignored = ["git", "check-ignore", "plan.json", ".env", "cleanup-gitops-x.outcomes.jsonl"]
    assert subprocess.run(ignored, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.count("\n") == 3


def test_the_schema_is_where_the_first_line_of_each_policy_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(tmp_path), "init"]) == 0
    for path in (tmp_path / "policies").glob("*.yaml"):
        first = path.read_text().splitlines()[0]
        named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert named is not None
        assert (path.parent / named[1]).resolve() == tmp_path / "policies/schema.json"
    capsys.readouterr()
    run(["schema"])
    assert capsys.readouterr().out == (tmp_path / "policies/schema.json").read_text()


def test_on_a_terminal_it_asks_for_what_is_missing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    quiet = {name: value for name, value in os.environ.items() if name != "CI"}
    quiet["PYTHONPATH"] = str(Path(__file__).parent.parent.parent)
    with subprocess.Popen(
        [sys.executable, "-m", "cleanup_gitops", "init"],
        cwd=tmp_path,
        env=quiet,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as started:
        os.close(theirs)
        os.write(ours, f"globex.atlassian.net\n{ORGANIZATION}\n".encode())
        said = _all_of(ours)
        assert started.wait(STALLED) == 0
    os.close(ours)
    assert "Address of the Confluence site" in said
    assert "Id of the Atlassian organization" in said
    (site,) = load(tmp_path / "policies").sites
    assert (site.name, site.organization) == ("globex", ORGANIZATION)


def _all_of(terminal: int) -> str:
    """Everything a terminal shows until the other end is closed."""
    said = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux reports the closed end
            part = b""
        if not part:
            return said.decode()
        said += part


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--site", name) for name in ("123", "1e3", "no", "true", "null", "2026-01-01")),
        *(("--organization", name) for name in ("123", "1e3", "007", "true", "null", "2026-01-01", "-", "---")),
        *(("--url", url) for url in ("https://127.0.0.1", "https://no.example", "https://1e3.example:8443")),
    ],
)
def test_a_value_that_yaml_could_take_for_something_else_is_valid(tmp_path: Path, option: str, value: str) -> None:
    assert run(["-C", str(tmp_path), "init", option, value]) == 0
    assert run(["-C", str(tmp_path), "validate"]) == 0


@pytest.mark.parametrize(
    "url",
    ["https://x.example:0", "https://x.example:65536", "https://x..example", "https://[::1", "https://x-.example"],
)
def test_an_address_that_validate_would_refuse_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run(["-C", str(tmp_path), "init", "--url", url]) == 1
    assert "is not the address of a site" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
