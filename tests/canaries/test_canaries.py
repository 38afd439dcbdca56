"""The search for canaries finds them however they got out: a test that leaks on purpose fails for each way."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import canaries

ROOT = Path(__file__).parent.parent.parent
CONFTEST = """\
from tests.canaries import plugin

def pytest_configure(config):
    plugin.register(config)
"""
LEAKS = (Path(__file__).parent / "leaks.py").read_text()


def run(folder: Path, *options: str) -> str:
    """What pytest says of the leaks, in a process of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_leaks.py").write_text(LEAKS)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", f"--rootdir={folder}", f"--basetemp={folder / 'tmp'}"]
    command += ["-p", "no:cacheprovider", "-p", "no:schemathesis", "--tb=no", "--show-capture=no"]
    command += ["--disable-warnings", *options]
    # On a build server pytest shows values in full, and this output is looked into as any other.
    plain = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")}
    done = subprocess.run([*command, str(folder)], cwd=ROOT, env=plain, capture_output=True, check=False, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.case("E78", "F21")
@pytest.mark.parametrize("options", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)])
def test_a_test_that_lets_a_secret_out_in_any_way_fails(options: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not below a folder that is looked into
        said = run(Path(folder), *options)
    leaking = set(re.findall(r"^def (test_\w+)\(", LEAKS, re.MULTILINE))
    leaking -= {"test_clean", "test_shared_folder", "test_warning"}  # for the last two the run fails as a whole
    failed = set(re.findall(r"^ERROR \S+::(test_\w+)", said, re.MULTILINE))
    assert failed == leaking, said
    for place in ("the file x", "a warning of"):
        assert f"a secret got out: the organization's key is in {place}" in said


@pytest.mark.case("E78")
def test_every_dozen_characters_of_a_canary_is_found_in_all_forms() -> None:
    rng = random.Random(1)
    for secret, name in canaries.NAMES.items():
        for start in range(len(secret) - 11):
            assert canaries.found(f"x{secret[start : start + 12]}x") == [name]
        for before in range(6):
            text = rng.randbytes(before) + secret.encode() + rng.randbytes(5 - before)
            for coded in (base64.b64encode(text), base64.urlsafe_b64encode(text), base64.b64encode(text)[6:30]):
                assert canaries.found(coded) == [name]
        assert canaries.found(quote(secret, safe="")) == [name]
        assert canaries.found(json.dumps(secret).replace("/", "\\/")) == [name]


@pytest.mark.case("E78")
def test_nothing_else_is_taken_for_a_canary() -> None:
    rng = random.Random(2)
    noise = rng.randbytes(3_000_000)
    for data in (noise, base64.b64encode(noise), noise.hex().encode(), canaries.MARK.encode() * 9, b""):
        assert canaries.found(data) == []


def test_no_two_canaries_share_a_piece() -> None:
    pieces = [canaries._PIECES[name] for name in canaries.NAMES.values()]
    assert sum(map(len, pieces)) == len(frozenset[bytes]().union(*pieces))
