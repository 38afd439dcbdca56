"""The guided tour, run whole as a user runs it, and what it says when something is in its way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.cli.demo.embedded import environment
from cleanup_gitops.cli.demo.folder import LEAVE_DAYS, ROSTER, adapted_policies, fresh_folder, git
from cleanup_gitops.cli.demo.tour import Step, _run, tour
from cleanup_gitops.cli.example import example_policies
from cleanup_gitops.cli.main import run
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.loader import load
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.world import World

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Done:
    """One whole demo: what it printed and the repository it left."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def plan(self) -> Plan:
        return read_plan((self.folder / "plan.json").read_bytes())


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter without a terminal, as in a build server."""
    quiet = {**os.environ, "NO_COLOR": "1", "CI": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=quiet, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    base = tmp_path_factory.mktemp("demo")
    ended = python("-m", "cleanup_gitops", "demo", cwd=base)
    return Done(ended.returncode, ended.stdout, ended.stderr, base / "cleanup-gitops-demo")


def test_it_runs_the_main_job_in_order_and_ends_well(done: Done) -> None:
    assert done.code == 0, done.out + done.err
    shown = re.findall(r"^\$ (.+)$", done.out, re.MULTILINE)
    assert shown == [
        "cd cleanup-gitops-demo",
        "cleanup-gitops validate",
        "cleanup-gitops plan --out plan.json --limit 6",
        "cleanup-gitops apply plan.json",
        "cleanup-gitops plan --detailed-exitcode",
        "git log",
    ]
    assert done.out.count("\n--> ") == len(shown) - 1
    assert re.search(r"^No changes\.", done.out, re.MULTILINE)
    assert "Apply complete!" in done.out
    assert "Traceback" not in done.out + done.err
    assert "\x1b" not in done.out + done.err


def test_a_plan_that_is_shortened_says_so_and_the_saved_one_is_whole(done: Done) -> None:
    rest = len(done.plan.changes) - 6
    assert f"... and {rest} more" in done.out
    assert f"Plan: {done.plan.summary.actions['membership.add']} to add" in done.out


def test_the_examples_show_a_handful_of_everything_within_the_limits(done: Done) -> None:
    plan = done.plan
    assert plan.applyable
    assert plan.complete
    assert 20 <= plan.summary.actions["membership.remove"] <= 40
    assert 1 <= plan.summary.actions["user.disable"] <= 8
    assert 1 <= plan.summary.actions["membership.add"] <= 8
    assert {"protected", "exempt", "handed_off", "unknown", "unchanged"} <= set(plan.summary.states)
    reasons = {one.reason for one in plan.dispositions.values()}
    assert {"excluded", "absence", "listed", "administrator", "group-managed-elsewhere"} <= reasons
    named = {cause.policy for change in plan.changes for cause in change.causes}
    assert named == {path.stem for path in (ROOT / "policies").glob("*.yaml")} - {
        "exemptions",
        "guardrails",
        "hr",
        "protection",
        "site",
        "tests",
    }
    (warning,) = plan.warnings
    assert "never viewed a page" in warning


def test_the_plan_on_the_front_page_is_this_one_but_for_its_dates(done: Done) -> None:
    (shown,) = re.findall(r"```text\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    totals = shown.partition("\nPlan: ")[2]
    assert totals
    assert f"\nPlan: {totals}" in done.out
    lines = set(re.findall(r"\(policies/\S+:\d+\)", shown))
    assert lines
    assert lines <= {f"({cause.where})" for change in done.plan.changes for cause in change.causes}


def test_the_repository_it_leaves_is_clean_and_holds_no_person(done: Done) -> None:
    assert git(done.folder, "status", "--porcelain") == ""
    assert len(git(done.folder, "log", "--format=%h").split()) == 3
    tracked = git(done.folder, "ls-files").splitlines()
    assert {"NEXT.md", "policies/schema.json", "policies/site.yaml", "state/acme/manifest.json"} <= set(tracked)
    assert not {"world.json", "plan.json"} & set(tracked)
    committed = git(done.folder, "log", "-p", "--", "state")
    world = World.load(done.folder / "world.json")
    names = [user.name for user in world.users if len(user.name) > 6 and "\n" not in user.name]
    assert len(names) > 400
    assert not [name for name in names if name in committed]


def test_the_world_it_leaves_is_the_one_after_the_run(done: Done) -> None:
    world = World.load(done.folder / "world.json")
    status = {user.id: user.directories for user in world.users}
    suspended = [change.user for change in done.plan.changes if change.action == "user.disable"]
    assert suspended
    assert all(status[account] == {"default": "suspended"} for account in suspended)


def test_next_steps_name_what_the_repository_needs(done: Done) -> None:
    text = (done.folder / "NEXT.md").read_text()
    url = load(done.folder / "policies").sites[0].url
    assert url in text
    assert f"--world world.json --port {url.rpartition(':')[2]}" in text
    for name in ("ATLASSIAN_ORG_API_KEY", "CONFLUENCE_USER", "CONFLUENCE_API_TOKEN"):
        assert f"export {name}=" in text
    assert str(done.folder / "NEXT.md") in done.out


def test_comments_survive_when_policies_are_pointed_at_the_sandbox() -> None:
    examples = example_policies()
    world = seed(users=20, now="2026-11-22T09:00:00Z")
    adapted = adapted_policies(examples, world, "http://127.0.0.1:1234")
    assert examples.keys() - adapted.keys() == {ROSTER}
    del examples[ROSTER]
    for name, data in examples.items():
        comments = re.findall(rb"#.*", data)
        assert re.findall(rb"#.*", adapted[name]) == comments
    changed = [name for name, data in examples.items() if adapted[name] != data]
    assert changed == ["exemptions.yaml", "site.yaml"]
    until = date(2026, 11, 22) + timedelta(days=LEAVE_DAYS)
    assert f"until: {until.isoformat()}".encode() in adapted["exemptions.yaml"]


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert run(["-C", str(tmp_path), "demo", "--folder", "mine"]) == 1
    assert "mine is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CleanupError, match="mine cannot be used"):
        fresh_folder(tmp_path, Path("mine"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can write")
def test_without_a_place_to_write_it_takes_a_temporary_folder() -> None:
    folder = fresh_folder(Path("/proc"), None)
    try:
        assert folder.is_dir()
        assert "cleanup-gitops-demo" in folder.name
    finally:
        folder.rmdir()
    with pytest.raises(CleanupError, match="cannot be used"):
        fresh_folder(Path("/proc"), Path("mine"))


def test_without_its_extra_it_says_what_to_install_and_makes_nothing(tmp_path: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None\nfrom cleanup_gitops.cli.main import run\nsys.exit(run(['demo']))"
    ended = python("-c", code, cwd=tmp_path)
    assert ended.returncode == 1
    assert "uvicorn" in ended.stderr
    assert "pip install 'cleanup-gitops[demo]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_git_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["-C", str(tmp_path), "demo"]) == 1
    assert "git was not found" in capsys.readouterr().err


def test_a_git_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(CleanupError, match=r"git log failed in .*: fatal: not a git repository"):
        git(tmp_path, "log")


def test_a_step_that_ends_otherwise_than_it_should_stops_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CleanupError, match="`cleanup-gitops validate` ended with exit code 1") as caught:
        _run(Step(("validate",), "never said"), tmp_path)
    assert str(tmp_path) in caught.value.hint


class NearMidnight:
    """A clock that stands at half a minute before midnight until somebody waits."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def test_it_does_not_begin_right_before_the_days_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = NearMidnight()
    monkeypatch.setenv("PATH", str(tmp_path))  # without git it ends right after the beginning
    with pytest.raises(CleanupError, match="git was not found"):
        tour(tmp_path, 200, clock)
    assert clock.slept == [31]
    assert "almost midnight" in capsys.readouterr().out
    assert World.load(tmp_path / "world.json").now == "2026-11-23T00:00:01Z"


@pytest.fixture
def one_variable(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLEANUP_GITOPS_KNOWN", "before")
    monkeypatch.delenv("CLEANUP_GITOPS_NEW", raising=False)
    return "CLEANUP_GITOPS_KNOWN"


def test_variables_are_set_for_the_demo_only(one_variable: str) -> None:
    with environment({one_variable: "within", "CLEANUP_GITOPS_NEW": "within"}):
        assert os.environ[one_variable] == os.environ["CLEANUP_GITOPS_NEW"] == "within"
    assert os.environ[one_variable] == "before"
    assert "CLEANUP_GITOPS_NEW" not in os.environ


def test_the_examples_are_found_in_a_package_and_in_a_checkout_and_nowhere_else(tmp_path: Path) -> None:
    packed = tmp_path / "package" / "example" / "policies"
    packed.mkdir(parents=True)
    (packed / "site.yaml").write_bytes(b"packed")
    assert example_policies(tmp_path / "package") == {"site.yaml": b"packed"}
    assert set(example_policies()) == {path.name for path in (ROOT / "policies").glob("*.yaml")}
    with pytest.raises(CleanupError, match="missing"):
        example_policies(tmp_path)


def test_the_projects_own_policies_are_valid_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(ROOT), "validate"]) == 0, capsys.readouterr().err
    assert len(load(ROOT / "policies").for_site("acme").policies) >= 6
    for name, data in example_policies().items():
        first, _, rest = data.decode().partition("\n")
        assert first == "# yaml-language-server: $schema=schema.json", name
        assert rest.count("\n#") >= 4, name


def test_the_schema_beside_the_policies_is_the_one_of_this_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    saved = (ROOT / "policies/schema.json").read_text()
    assert capsys.readouterr().out == saved, "run: cleanup-gitops schema > policies/schema.json"
