"""Files that a user names: replaced whole, links followed, pipes and devices written into."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from cleanup_gitops.cli.files import change_file, saved, write_file
from cleanup_gitops.model.errors import CleanupError
from tests.patience import STALLED
from tests.views import plans


def test_a_file_is_replaced_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "plan.json", tmp_path / "link"
    if exists:
        target.write_text("old")
    link.symlink_to(target)
    write_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        write_file(pipe, b"new")
        said, _ = reader.communicate(timeout=STALLED)
    assert said == b"new"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_devices_are_written_into(tmp_path: Path) -> None:
    write_file(Path("/dev/null"), b"new")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_file(link, b"new")
    assert link.is_symlink()


def test_dev_stdout_is_the_output_even_where_that_is_a_file(tmp_path: Path) -> None:
    """The name leads to the file itself then; replacing it would leave the process writing into nothing."""
    script = "from cleanup_gitops.cli.files import *; write_file(Path('/dev/stdout'), b'x')"
    out = tmp_path / "out"
    root = Path(__file__).parent.parent.parent
    with out.open("wb") as stream:
        number = os.fstat(stream.fileno()).st_ino
        subprocess.run([sys.executable, "-c", script], stdout=stream, cwd=root, check=True)
    assert out.read_bytes() == b"x"
    assert out.stat().st_ino == number


def test_what_cannot_be_written_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "folder", tmp_path / "none" / "plan.json", tmp_path / "loop", tmp_path / ("x" * 300)):
        with pytest.raises(CleanupError, match="could not be written: "):
            write_file(path, b"new")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "loop"]


def test_a_long_name_that_the_disk_takes_is_taken(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_rollback_that_only_holds_policies_off_is_still_to_be_applied(tmp_path: Path) -> None:
    out = tmp_path / "undo.json"
    out.touch()
    plan = plans.nothing_to_roll_back()
    assert plan.rollback is not None
    held = replace(plan, rollback=replace(plan.rollback, holds={"712020:1": ("dormant",)}))
    bare = replace(plan, rollback=replace(plan.rollback, holds={}))
    assert "Apply it with: cleanup-gitops apply" in saved(Path(), out, held)
    assert saved(Path(), out, bare).endswith("There is nothing in it to apply.")


def test_a_file_is_changed_only_as_it_was_when_the_change_was_made(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    change_file(path, None, b"one\n")
    path.chmod(0o640)
    change_file(path, b"one\n", b"two\n")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two\n", 0o640)
    for before in (b"one\n", None):
        with pytest.raises(CleanupError, match="has changed meanwhile, so nothing was written"):
            change_file(path, before, b"three\n")
    assert path.read_bytes() == b"two\n"
    assert [one.name for one in tmp_path.iterdir()] == ["a.yaml"]
    link = tmp_path / "b.yaml"
    link.symlink_to(path)
    change_file(link, b"two\n", b"three\n")
    assert link.is_symlink()
    assert path.read_bytes() == b"three\n"
