"""What is installed, pinned and released is what the files say."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cleanup_gitops

ROOT = Path(__file__).parent.parent
PINNED = ("demo", "test", "dev")  # each holds everything that the one before it holds

_PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pins(extra: str) -> dict[str, str]:
    """The versions in one requirements file, by normalized name."""
    lines = (ROOT / "requirements" / f"{extra}.txt").read_text("utf-8").splitlines()
    return {row["name"]: row["version"] for line in lines if (row := _PIN.match(line))}


def declared(extra: str) -> list[Requirement]:
    """What pyproject.toml asks for with one extra, its references to itself followed."""
    project = pyproject()["project"]
    found = [Requirement(text) for text in project["dependencies"]]
    waiting = [extra]
    while waiting:
        for text in project["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(text)
            if requirement.name == project["name"]:
                waiting.extend(requirement.extras)
            else:
                found.append(requirement)
    return found


def test_package_project_and_newest_changelog_entry_have_one_version() -> None:
    changelog = (ROOT / "docs" / "changelog.md").read_text("utf-8")
    entry = re.search(r"^## (?P<version>\S+)(?: - (?P<date>\S+))?$", changelog, re.MULTILINE)
    assert entry is not None
    assert entry["version"] == pyproject()["project"]["version"] == cleanup_gitops.__version__


@pytest.mark.parametrize("extra", PINNED)
def test_a_requirements_file_holds_pins_hashes_and_comments_and_nothing_else(extra: str) -> None:
    text = (ROOT / "requirements" / f"{extra}.txt").read_text("utf-8")
    other = [
        line for line in text.splitlines() if not (_PIN.match(line) or _HASH.match(line) or re.match(r" *#", line))
    ]
    assert other == []
    assert "://" not in text
    assert not re.search(r"(^|\s)/\w", text), "a path of somebody's machine"


@pytest.mark.parametrize("extra", PINNED)
def test_everything_that_is_declared_is_pinned_within_its_bounds(extra: str) -> None:
    pinned = pins(extra)
    build = (ROOT / "requirements" / "build.in").read_text("utf-8").splitlines()
    wanted = [*declared(extra), *(Requirement(row) for row in build if not row.startswith("#"))]
    for requirement in wanted:
        version = pinned.get(canonicalize_name(requirement.name), "missing")
        assert version != "missing", f"{requirement}: run .ci/lock"
        assert requirement.specifier.contains(version), f"{requirement}: {version} is pinned"


def test_what_builds_the_package_is_pinned_too() -> None:
    build = (ROOT / "requirements" / "build.in").read_text("utf-8").splitlines()
    assert set(pyproject()["build-system"]["requires"]) <= set(build)


def test_a_larger_requirements_file_holds_the_smaller_one() -> None:
    for smaller, larger in itertools.pairwise(PINNED):
        assert pins(smaller).items() <= pins(larger).items()


def test_all_means_every_extra_that_users_switch_on() -> None:
    extras = pyproject()["project"]["optional-dependencies"]
    assert set(extras) == {"all", "demo", "dev", "postgres", "report", "test"}
    (everything,) = (Requirement(text) for text in extras["all"])
    assert everything.extras == set(extras) - {"all", "dev", "test"}


def test_the_wheel_holds_the_package_its_data_and_its_licence_and_nothing_else(
    tmp_path: Path,
) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    info = f"cleanup_gitops-{cleanup_gitops.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"cleanup_gitops", info}
    assert f"{info}/licenses/LICENSE" in names
    packaged = {name for name in names if name.startswith("cleanup_gitops/")}
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "cleanup_gitops").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "policies").rglob("*") if path.is_file()]
    examples = {f"cleanup_gitops/example/{path}" for path in files}
    assert packaged == package | examples
