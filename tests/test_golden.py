"""Golden files fail on every difference, and only the command rewrites them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import golden


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when these tests run under the command that accepts."""
    monkeypatch.setattr(golden.accepting, "on", False)


def failure(path: Path, actual: str | bytes) -> str:
    with pytest.raises(pytest.fail.Exception) as caught:
        golden.check(path, actual)
    return str(caught.value)


def test_equal_output_passes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("one\nzwei ä\n".encode())
    golden.check(path, "one\nzwei ä\n")
    golden.check(path, "one\nzwei ä\n".encode())


def test_a_difference_fails_shows_itself_and_names_the_command(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n", "utf-8")
    message = failure(path, "one\nthree\n")
    assert "-two\n+three\n" in message
    assert f"python -m tests.golden --accept {tmp_path}" in message
    assert path.read_text("utf-8") == "one\ntwo\n"


def test_a_missing_file_fails_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert "does not exist yet" in failure(path, "one\n")
    assert not path.exists()


@pytest.mark.parametrize(
    "actual",
    [b"one\ntwo", b"one\r\ntwo\n", b"one\ntwo \n", b"one\ntwo\n\n", b"one\nt\xcc\x80wo\n", b"\xff"],
)
def test_the_smallest_difference_fails_and_can_be_seen(tmp_path: Path, actual: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\ntwo\n")
    changed = [line for line in failure(path, actual).splitlines() if line.startswith("+")]
    assert len(changed) > 1  # besides the head of the difference


def test_the_folder_of_a_case_stands_for_the_test_that_compares_it() -> None:
    (test,) = golden._tests([str(golden.CASES / "restore")])
    assert test.endswith("test_cases.py::test_the_plan_is_the_expected_one_in_every_form[restore]")
    assert golden._tests(["tests/views"]) == ["tests/views"]


def test_the_folder_of_all_cases_stands_for_all_of_them() -> None:
    (test,) = golden._tests([str(golden.CASES)])
    assert test.endswith("test_cases.py::test_the_plan_is_the_expected_one_in_every_form")


def test_the_command_rewrites_what_differs_and_lists_it(tmp_path: Path) -> None:
    same, other, new = (tmp_path / name for name in ("same.txt", "other.txt", "new.txt"))
    same.write_text("same\n", "utf-8")
    other.write_text("old\n", "utf-8")
    (tmp_path / "test_outputs.py").write_text(
        "from pathlib import Path\n"
        "from tests.golden import check\n"
        "HERE = Path(__file__).parent\n"
        "def test_same(): check(HERE / 'same.txt', 'same\\n')\n"
        "def test_other(): check(HERE / 'other.txt', 'new\\n')\n"
        "def test_new(): check(HERE / 'new.txt', 'first\\n')\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "tests.golden", "--accept", str(tmp_path)]
    done = subprocess.run(command, cwd=golden.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("accepted")) == [
        f"accepted {new}",
        f"accepted {other}",
    ]
    assert (same.read_text("utf-8"), other.read_text("utf-8")) == ("same\n", "new\n")
    assert new.read_text("utf-8") == "first\n"
