"""A list of last sightings: what is understood, and that everything else is an error with its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.activity import Seen
from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sites.csv_activity import NO_SIGHTING, Listed, read_sightings

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
WHOLE_DAY = Seen(MAY, MAY + timedelta(hours=23, minutes=59, seconds=59), "csv")


def at(hour: int, minute: int = 0, second: int = 0) -> Seen:
    moment = MAY.replace(hour=hour, minute=minute, second=second)
    return Seen(moment, moment, "csv")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "seen.csv"


def read(file: Path, text: str | bytes) -> Listed:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_sightings(file, account="account", seen="last_seen_utc", now=NOW)


def refused(file: Path, text: str | bytes) -> str:
    """The message, after making sure that it repeats no value of the list."""
    with pytest.raises(SiteError) as caught:
        read(file, text)
    assert "ada" not in str(caught.value)
    assert "Never" not in str(caught.value)
    assert caught.value.hint.startswith("Correct the list")
    return caught.value.message.removeprefix(f"{file.name}:")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("2026-05-01", WHOLE_DAY),
        ("2026-05-01T08:30", at(8, 30)),
        ("2026-05-01T08:30:15Z", at(8, 30, 15)),
        ("2026-05-01 08:30:15.123456789Z", at(8, 30, 15)),
        ("2026-05-01T08:30:15+02:00", at(6, 30, 15)),
        (" 2026-05-01T08:30:15 ", at(8, 30, 15)),
    ],
)
def test_dates_and_times_in_iso_8601_are_sightings_in_utc(file: Path, text: str, seen: Seen) -> None:
    assert read(file, f"account,last_seen_utc\n712020:1,{text}\n") == Listed({"712020:1": seen}, 1)


@pytest.mark.case("E14")
@pytest.mark.parametrize("word", ["", "never", "Never accessed", "NEVER"])
def test_the_known_words_for_never_are_no_sighting_and_no_evidence_of_idleness(file: Path, word: str) -> None:
    assert read(file, f"account,last_seen_utc\n712020:1,{word}\n") == Listed({}, 1)


@pytest.mark.case("E14")
@pytest.mark.parametrize(
    "text",
    [
        "Not active in the last 180 days",
        "01.05.2026",
        "5/1/2026",
        "1 May 2026",
        "May 1, 2026",
        "2026-5-1",
        "20260501",
        "2026-W18-5",
        "2026-02-30",
        "2026-05-01T25:00",
        "2026-05-01T08",
        "1777593600",
        "46143",
        "yesterday",
        "-",
        "n/a",
        "0",
        "２０２６-05-01",
    ],
)
def test_what_is_no_date_is_an_error_with_its_line_and_never_the_oldest_date(file: Path, text: str) -> None:
    rows = f'account,last_seen_utc\n712020:1,2026-05-01\n712020:2,"{text}"\n'
    assert refused(file, rows).startswith("3: column 'last_seen_utc' holds no date or time in ISO 8601")


@given(st.text(st.characters(exclude_characters='"\r\n\0', exclude_categories=["Cs"]), max_size=20))
def test_any_text_is_a_date_a_known_word_or_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("list") / "seen.csv"
    try:
        found = read(file, f'account,last_seen_utc\n712020:1,"{text}"\n')
    except SiteError:
        return
    assert bool(found.sightings) != (text.strip().casefold() in NO_SIGHTING)


@pytest.mark.case("E17")
def test_a_date_in_the_future_is_an_error(file: Path) -> None:
    tomorrow = (NOW + timedelta(days=1)).date()
    assert read(file, f"account,last_seen_utc\n712020:1,{tomorrow}\n").rows == 1
    text = refused(file, f"account,last_seen_utc\n712020:1,{tomorrow + timedelta(days=1)}\n")
    assert text == "2: column 'last_seen_utc' holds a date in the future."


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_rows_about_one_account_the_newer_counts(file: Path, order: int) -> None:
    rows = ["1,2026-05-01T08:00", "1,2026-05-01T09:00", "1,never"][::order]
    assert read(file, "\n".join(["account,last_seen_utc", *rows])) == Listed({"1": at(9)}, 3)


def test_other_columns_order_byte_order_mark_quotes_and_blank_lines_do_not_matter(file: Path) -> None:
    text = '\ufeffName,last_seen_utc,account\r\n"Ada, ""the first""\nof many",2026-05-01,1\r\n\r\nBo,never,2\r\n'
    assert read(file, text) == Listed({"1": WHOLE_DAY}, 2)


def test_semicolons_separate_as_well(file: Path) -> None:
    assert read(file, "account;last_seen_utc\n1;2026-05-01\n2;\n") == Listed({"1": WHOLE_DAY}, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: the column 'account', which spec.activity.csv of the site names, is not there."),
        (
            "account,seen\n1,2\n",
            "1: the column 'last_seen_utc', which spec.activity.csv of the site names, is not there.",
        ),
        (
            "account,last_seen_utc,account\n",
            "1: the column 'account', which spec.activity.csv of the site names, is twice",
        ),
        ("account;last_seen_utc\n1,2026-05-01\n", "2: 1 field, but the header has 2."),
        ("account,last_seen_utc\n", "1: there is no row below the header."),
        ("account,last_seen_utc\n1,2026-05-01\n2\n", "3: 1 field, but the header has 2."),
        ("account,last_seen_utc\n1,2026-05-01,x\n", "2: 3 fields, but the header has 2."),
        ("account,last_seen_utc\n,2026-05-01\n", "2: column 'account' holds no account id."),
        ("account,last_seen_utc\nada@acme.com,2026-05-01\n", "2: column 'account' holds no account id."),
        ("account,last_seen_utc\nada example,2026-05-01\n", "2: column 'account' holds no account id."),
        ('account,last_seen_utc\n1,"2026-05-01"x\n', "2: this is no CSV"),
        ('account,last_seen_utc\n1,2026-05-01\n2,"2026', "3: this is no CSV"),
        (b"account,last_seen_utc\n\xe5da,2026-05-01\n", "2: the text here is not UTF-8."),
        ("account,last_seen_utc\n".encode("utf-16"), "1: there is no row below the header."),
        (b"\xff\xfea", "1: the text here is not UTF-16."),
    ],
)
def test_a_list_that_is_wrong_somewhere_says_where(file: Path, text: str | bytes, message: str) -> None:
    assert refused(file, text).startswith(message)


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(SiteError, match=f"The activity list {path.name} cannot be read .{reason}") as caught:
            read_sightings(path, account="account", seen="seen", now=NOW)
        assert f"Correct the list {path}, or take csv" in caught.value.hint
        assert str(tmp_path) not in caught.value.message  # which is recorded, and a path may name a person
