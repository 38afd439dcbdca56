"""The benchmarks run and say what they promise; how long anything takes is no test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.children import Used
from tests.benchmarks.measures import MEASURES, Sample
from tests.benchmarks.report import BEGIN, END, PAGE, Report, result, table, write

HELP = next(measure for measure in MEASURES if measure.name == "help")


def report_of(*samples: float) -> Report:
    row = result(HELP, 1, [Sample(value, Used(value, 2.0, 30.0)) for value in samples])
    return Report(date="2026-11-22", machine="2 cores", runs=len(samples), results=(row,))


def test_the_cheap_measurements_run_and_give_rows_of_the_promised_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    asked = ["help", "digest", "rules", "offline", "--users", "50", "--size", "20", "--runs", "1"]
    main([*asked, "--json", str(file), "--work", str(tmp_path)])

    written = json.loads(file.read_bytes())
    assert written["runs"] == 1
    assert [(row["name"], row["size"], row["budget"]) for row in written["results"]] == [
        ("help", 1, 0.25),
        ("rules", 50, None),
        ("digest", 20, None),
        ("offline", 50, None),
    ]
    for row in written["results"]:
        assert row["unit"] == "CPU s"
        assert len(row["samples"]) == 1
        assert row["measured"] == row["samples"][0]
        assert row["peak"] > 1
        assert row["reached"] is None or row["name"] == "help"
    shown = capsys.readouterr().out
    assert shown.count("\n| ") == 1 + len(written["results"])
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.slow
def test_a_year_is_recorded_day_by_day_packed_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "year.json"
    main(["year", "--users", "50", "--days", "3", "--json", str(file), "--work", str(tmp_path)])

    rows = json.loads(file.read_bytes())["results"]
    assert [row["unit"] for row in rows] == ["wall s", "wall s", "MB", "MB", "MB", "wall s", "wall s"]
    assert [len(row["samples"]) for row in rows] == [2, 1, 1, 1, 1, 1, 3]  # the first day is no quiet one
    assert all(row["measured"] > 0 and row["budget"] is None for row in rows)
    assert rows[1]["measured"] == max(rows[0]["samples"])
    assert rows[1]["what"] == "the slowest day of 3, 50 users"


def test_the_median_counts_and_a_budget_is_reached_up_to_its_own_value() -> None:
    (row,) = report_of(0.1, 0.9, 0.25).results
    assert (row.measured, row.reached) == (0.25, True)
    (row,) = report_of(0.1, 0.9, 0.26).results
    assert (row.measured, row.reached) == (0.26, False)


def test_the_table_takes_its_place_on_the_page_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    write(report_of(0.1), page)
    assert page.read_text("utf-8") == f"before\n{BEGIN}\n{table(report_of(0.1))}{END}\nafter\n"


def test_the_page_in_docs_has_a_row_for_every_measurement() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    rows = rest.partition(END)[0]
    for measure in MEASURES:
        for size in measure.usual:
            assert measure.what.format(size=f"{size:,}") in rows


@pytest.mark.parametrize("asked", [["nothing-of-ours"], ["help", "--write"], ["--users", "0"]])
def test_a_wrong_command_line_is_refused(asked: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(asked)
    assert refused.value.code == 2
