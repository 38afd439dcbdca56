"""`--chart` and `--svg` of `users` and `forecast`: the same people as the list, nobody named, files as always."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.workspace import ROOMY, Workspace
from tests.patience import STALLED

SEATS = ("--where", "has_seat: true")
SVG = "{http://www.w3.org/2000/svg}"


def number(text: str) -> int:
    return int(text.replace(",", ""))


def rows(chart: str) -> dict[str, int]:
    """The numbers of the users' chart, by what stands before them."""
    found = re.findall(r"^ +(never|not known|[\d,]+ or more|[\d,-]+)  +([\d,]+)(?:  |$)", chart, re.MULTILINE)
    return {name: number(text) for name, text in found}


def test_bars_count_those_whom_the_list_has(workspace: Workspace) -> None:
    listed = json.loads(workspace.run("users", "--format", "json", *SEATS).out)["rows"]
    said = workspace.run("users", "--chart", *SEATS)
    assert said.code == 0, said.err
    assert said.out.startswith("Users of acme by days since last seen\n")
    assert "more than 90 days: dormant\n" in said.out
    found = rows(said.out)
    assert sum(found.values()) == len(listed) > 50
    for name, kind in (("never", "never"), ("not known", "unknown")):
        assert found[name] == sum(one["seen"]["is"] == kind for one in listed)
    later = [total for name, total in found.items() if name[0].isdigit() and int(re.split(r"\D", name)[0]) > 90]
    assert sum(later) == sum((one["idle"] or 0) > 90 for one in listed)


@pytest.mark.case("F2")
def test_who_cannot_be_decided_is_counted_beside_the_bars(workspace: Workspace) -> None:
    condition = ("--where", "inactive_for: 90d")
    document = json.loads(workspace.run("users", "--format", "json", *condition).out)
    said = workspace.run("users", "--chart", *condition)
    assert sum(rows(said.out).values()) == document["count"]
    assert f"of {document['undecided']} more users that is not known." in said.out
    other = workspace.run("users", "--chart", "--unknown", *condition).out
    assert sum(rows(other).values()) == document["undecided"]


def test_pictures_name_nobody(workspace: Workspace, tmp_path: Path) -> None:
    workspace.policy("caps.yaml", ROOMY)
    people = json.loads(workspace.run("users", "--columns", "id,name,email", "--format", "json").out)["rows"]
    asked = (
        ("users", "--chart", "--svg", str(tmp_path / "a.svg")),
        ("forecast", "--days", "20", "--chart", "--svg", str(tmp_path / "b.svg")),
    )
    for args in asked:
        said = workspace.run(*args)
        assert said.code == 0, said.err
        assert f"The picture was written to {args[-1]}." in said.err
        shown = said.out + said.err + Path(args[-1]).read_text("utf-8")
        assert [text for one in people for text in one.values() if text and len(text) > 3 and text in shown] == []
    assert workspace.writes() == []


def test_a_forecast_has_the_seats_as_bars_and_as_a_picture(workspace: Workspace, tmp_path: Path) -> None:
    workspace.policy("caps.yaml", ROOMY)
    told = json.loads(workspace.run("forecast", "--days", "5", "--format", "json").out)
    out = tmp_path / "seats.svg"
    out.write_text("what was there before")
    text = workspace.run("forecast", "--days", "5").out
    said = workspace.run("forecast", "--days", "5", "--chart", "--svg", str(out))
    assert said.code == 0, said.err
    assert said.out.startswith(text)
    chart = said.out.removeprefix(text)
    assert [number(one) for one in re.findall(r"^ .{10} .{5} +([\d,]+)  ", chart, re.MULTILINE)] == [
        told["seats"]["now"],
        *(day["seats"] for day in told["days"]),
    ]
    root = ET.fromstring(out.read_bytes())
    shown = {one.text for one in root.iter() if one.tag in (f"{SVG}text", f"{SVG}tspan")}
    last = told["days"][-1]["at"][:10]
    seats = told["seats"]
    assert {f"Seats of acme: forecast up to {last}", f"{seats['now']:,}", f"{seats['after']:,}"} <= shown
    assert f"limit {seats['limit']:,}" in shown


def test_a_recorded_snapshot_has_bars_without_anybody_asked(workspace: Workspace) -> None:
    workspace.run("apply", "--auto-approve")
    before = workspace.requests("POST")
    said = workspace.run("users", "--recorded", "HEAD", "--chart", *SEATS)
    assert said.code == 0, said.err
    assert "as recorded with serial 1 in commit" in said.out
    assert "last seen between two days" in said.out
    listed = workspace.run("users", "--recorded", "HEAD", "--format", "jsonl", *SEATS).out.splitlines()
    assert sum(rows(said.out).values()) == len(listed)
    assert workspace.requests("POST") == before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("users", "--chart", "--format", "csv"), "leave out --format"),
        (("users", "--chart", "--limit", "3"), "leave out --limit"),
        (("users", "--chart", "--sort", "idle"), "leave out --sort"),
        (("users", "--chart", "--columns", "id"), "leave out --columns"),
        (("forecast", "--chart", "--format", "json"), "--chart is for --format text"),
    ],
)
def test_what_says_nothing_about_bars_is_refused(workspace: Workspace, args: tuple[str, ...], said: str) -> None:
    refused = workspace.run(*args)
    assert refused.code == 1
    assert said in refused.err
    assert workspace.requests("POST") == []


def test_a_picture_that_cannot_be_written_is_an_error(workspace: Workspace, tmp_path: Path) -> None:
    said = workspace.run("users", "--svg", str(tmp_path / "none" / "a.svg"))
    assert said.code == 1
    assert "a.svg could not be written: No such file or directory." in said.err


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=STALLED
    )


@pytest.mark.parametrize("command", ["users", "forecast"])
def test_without_its_extra_a_picture_says_what_to_install_before_anything_is_read(command: str, tmp_path: Path) -> None:
    out = tmp_path / "a.svg"
    ended = python(
        "import sys; sys.modules['vl_convert'] = None\n"
        f"from cleanup_gitops.cli.main import run\nsys.exit(run(['{command}', '--svg', '{out}']))",
        tmp_path,
    )
    assert ended.returncode == 1
    assert "vl-convert-python" in ended.stderr
    assert "pip install 'cleanup-gitops[report]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not out.exists()


def test_help_and_lists_load_no_drawing(tmp_path: Path) -> None:
    ended = python(
        "import sys\nfrom cleanup_gitops.cli.main import run\nrun(['--help'])\nrun(['users', '--help'])\n"
        "sys.exit(str([one for one in sys.modules if 'views.pictures' in one or 'vl_convert' in one]))",
        tmp_path,
    )
    assert ended.stderr == "[]\n"
