"""`test`: tests beside the policies, for a person, a pull request and a build server."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run
from tests.policy.documents import site
from tests.rehearsal.worlds import HEAD, IDLE

GOOD = HEAD + (
    "  as_of: 2026-11-22\n"
    "  users: [{id: u1, seat: true, seen: 2026-08-22, groups: [wiki]}]\n"
    "  expect: [{user: u1, groups: {absent: [wiki]}}]\n"
)
BAD = GOOD.replace("name: it", "name: other").replace("2026-08-22", "2026-08-23")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    put(tmp_path, "site", site())
    put(tmp_path, "idle", IDLE)
    return tmp_path


def put(folder: Path, name: str, text: str) -> None:
    (folder / "policies" / f"{name}.yaml").write_text(text, "utf-8")


def said(folder: Path, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = run(["-C", str(folder), "test", *args])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_what_passes_is_said_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "tests", GOOD)
    assert said(folder, capsys) == (0, "ok      it\n1 policy test, 0 failed.\n", "")


def test_what_fails_is_told_at_its_line_and_by_the_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "tests", f"{GOOD}---\n{BAD}")
    code, out, _ = said(folder, capsys)
    assert code == 1
    assert out == (
        "ok      it\n"
        "FAILED  other\n"
        "        policies/tests.yaml:15: u1: end of membership of wiki was expected;"
        " the user is unchanged (no-policy-matches)\n"
        "2 policy tests, 1 failed.\n"
    )
    assert said(folder, capsys, "it")[0] == 0


def test_a_name_that_no_test_has_is_an_error_with_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "tests", BAD)
    code, _, err = said(folder, capsys, "othr")
    assert code == 1
    assert "There is no policy test othr; did you mean `other`?" in err


def test_without_a_test_that_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(folder, capsys) == (0, "There is no policy test.\n", "")
    _, out, _ = said(folder, capsys, "--coverage")
    assert "idle: no test has a change by this policy" in out


def test_a_pull_request_gets_annotations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "tests", BAD)
    code, out, _ = said(folder, capsys, "--format", "github", "--coverage")
    first, second = out.splitlines()[:2]
    assert code == 1
    assert first == (
        f"::error file={folder.as_posix()}/policies/tests.yaml,line=7,title=other"
        "::u1: end of membership of wiki was expected; the user is unchanged (no-policy-matches)"
    )
    assert second.startswith(f"::notice file={folder.as_posix()}/policies/idle.yaml,line=")
    assert out.endswith("1 policy test, 1 failed.\n")


def test_a_build_server_gets_junit_xml(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "tests", f"{GOOD}---\n{BAD}")
    file = folder / "results.xml"
    assert said(folder, capsys, "--junit", str(file))[0] == 1
    (suite,) = ET.parse(file).getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("acme", "2", "1")
    passed, failed = suite
    assert (passed.get("name"), len(passed)) == ("it", 0)
    (failure,) = failed
    assert (failed.get("file"), failed.get("line")) == ("policies/tests.yaml", "9")
    assert "no-policy-matches" in (failure.get("message") or "")
    assert "policies/tests.yaml:15: u1" in (failure.text or "")


def test_each_site_runs_its_own_tests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "second", site("intranet"))
    everywhere = "metadata:", "sites: ['*']\nmetadata:"
    put(folder, "idle", IDLE.replace(*everywhere))
    put(folder, "tests", GOOD.replace(*everywhere))
    assert said(folder, capsys)[1] == "ok      acme/it\nok      intranet/it\n2 policy tests, 0 failed.\n"
    assert said(folder, capsys, "--site", "intranet")[1] == "ok      it\n1 policy test, 0 failed.\n"
    code, _, err = said(folder, capsys, "--site", "nowhere")
    assert (code, "There is no Site 'nowhere'" in err) == (1, True)


def test_policies_that_cannot_be_loaded_are_told_of_as_by_every_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, "tests", GOOD.replace("expect", "expects"))
    code, _, err = said(folder, capsys)
    assert code == 1
    assert "policies/tests.yaml:7:3: unknown key `expects`; did you mean `expect`?" in err
