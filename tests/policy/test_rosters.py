"""Rosters: what their documents mean, how their rows are read, and who has left when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.csv_rows import CsvError
from cleanup_gitops.policy.documents import Ensure, SitePolicies, Standing
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.match import Scope, compile_match, explain_match, why
from cleanup_gitops.policy.roster import Joiners, Source
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows, leaving, roster_rows
from cleanup_gitops.policy.tree import HasLeft, Match
from tests.policy.documents import VALID, document, problems
from tests.policy.users import NOW, ago, group, inventory, user

SOURCE = Source(
    columns={"account": "id", "email": "mail", "starts": "", "ends": "until"}, time_zone="Europe/Oslo", env="HR"
)
ADA, OTHER = "712020:1", "712020:2"
LEFT = HasLeft("hr", timedelta(hours=24))


def read(text: str | bytes, **said: Any) -> RosterRows:  # noqa: ANN401 - fields of a Source
    data = text if isinstance(text, bytes) else text.encode()
    return roster_rows(replace(SOURCE, **said), data)


def refused(text: str | bytes, **said: Any) -> str:  # noqa: ANN401 - fields of a Source
    with pytest.raises(CsvError) as caught:
        read(text, **said)
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SitePolicies:
    folder = tmp_path_factory.mktemp("rosters") / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_bytes((VALID / "rosters.yaml").read_bytes())
    return load(folder).for_site("acme")


# -- documents -------------------------------------------------------------------------------------


def test_a_roster_stands_for_a_termination_of_its_name(site: SitePolicies) -> None:
    consultants, hr = site.rosters
    assert [one.name for one in site.policies] == ["consultants", "hr"]
    assert (consultants.policy, hr.policy) == site.policies
    policy = hr.policy
    assert policy is not None
    assert policy.termination
    assert policy.match == Match(all=(HasLeft("hr", timedelta(hours=48)),))
    assert policy.ensure.status == "deactivated"
    assert policy.ensure.no_tokens
    assert policy.allow_shared_groups
    assert policy.standing == hr.standing == Standing(60, timedelta())
    assert policy.digest == hr.digest != consultants.digest
    assert (policy.where, hr.where) == ("policies/a.yaml:16", "policies/a.yaml:2")


def test_what_a_roster_leaves_out(site: SitePolicies) -> None:
    one = site.rosters[0]
    assert one.standing is None
    assert one.joiners is None
    assert one.leavers is not None
    assert one.leavers.sla == timedelta(hours=24)
    assert one.leavers.ensure == Ensure(status="disabled")
    assert one.source.name == "../lists/consultants.csv"
    assert one.policy is not None
    assert not one.policy.allow_shared_groups
    assert one.source == Source(
        columns={"account": "", "email": "E-mail", "starts": "", "ends": "Until"},
        time_zone="UTC",
        path="../lists/consultants.csv",
    )


def test_who_joins(site: SitePolicies) -> None:
    assert site.rosters[1].joiners == Joiners(("confluence-users-acme",), "user", "policies/a.yaml:18")


@pytest.mark.parametrize(
    ("form", "good"),
    [
        ("YYYYMMDD", True),
        ("YYYY/MM/DD", True),
        ("YYYY MM DD", False),
        ("YYYY-MM-DDDD", False),
        ("YYYY-MM", False),
        ("YYYY-MM-MM", False),
        ("YYYY-MM--DD", False),
    ],
)
def test_a_form_of_days_names_year_month_and_day_once_each(tmp_path: Path, form: str, good: bool) -> None:
    source = f"{{env: HR, columns: {{email: mail, ends: until}}, time_zone: UTC, days: '{form}'}}"
    text = document("Roster", f"{{source: {source}, leavers: {{ensure: {{status: disabled}}}}}}")
    said = problems(tmp_path / "p", text)
    assert [one for one in said if "`days`" in one] == ([] if good else said)
    assert bool(said) is not good


# -- rows ------------------------------------------------------------------------------------------

ROWS = "id;mail;until\n712020:1;Ada@Acme.com;2026-11-20\n;bø@acme.com;\n"
FOUND = (
    RosterRow(2, "ada@acme.com", ADA, ends=date(2026, 11, 20)),
    RosterRow(3, "bø@acme.com"),
)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (ROWS.encode(), None),
        (ROWS.encode(), "utf-8"),
        (ROWS.encode("utf-8-sig"), None),
        (ROWS.encode("utf-8-sig"), "utf-8"),
        (ROWS.encode("utf-16"), None),
        (ROWS.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + ROWS.encode("utf-16-be"), None),
        (ROWS.encode("latin-1"), "latin-1"),
        (ROWS.encode("cp1252"), "cp1252"),
        (ROWS.replace(";", ",").replace("\n", "\r\n").encode(), None),
        (ROWS.replace(";", "\t").encode(), None),
    ],
)
def test_encodings_byte_order_marks_and_separators_make_no_difference(data: bytes, encoding: str | None) -> None:
    found = read(data, encoding=encoding)
    assert found == RosterRows("HR", FOUND, f"sha256:{sha256(data).hexdigest()}", "Europe/Oslo")
    assert found.words == "HR (2 rows)"
    assert "acme" not in repr(found)


@pytest.mark.case("F21")
def test_no_part_of_a_roster_can_be_printed() -> None:
    """A trace of an error that shows local values shows neither an address nor an account."""
    found = read("id;mail;until\n712020:1;a@acme.com;2026-01-31\n712020:2;;\n;b@acme.com;2026-01-31\n;c@acme.com;\n")
    shown = [repr(found), repr(leaving(found, NOW)), *map(repr, found.rows)]
    assert not [text for text in shown if "acme" in text or "712020" in text]
    assert "RosterRow(" not in repr(found)


def test_the_first_day_of_the_year_2000_is_a_day() -> None:
    assert read("id,mail,until\n1,,2000-01-01\n").rows[0].ends == date(2000, 1, 1)
    assert refused("id,mail,until\n1,,1999-12-31\n").startswith("2: column 'until' holds a day before 2000")


@pytest.mark.case("E14", "F1", "F2")
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (cell, "2: column 'until' holds no day in the form YYYY-MM-DD")
        for cell in (
            "Never accessed",
            "n/a",
            "-",
            "0",
            "20.11.2026",
            "20. november 2026",
            "2026-11-20 00:00",
            "2026-11-20T00:00:00Z",
            "26-11-20",
            "2026-11-31",
            "٢٠٢٦-١١-٢٠",
            "46346",
        )
    ]
    + [("1970-01-01", "2: column 'until' holds a day before 2000, which is no day of anybody's: leave it empty")],
)
def test_a_cell_that_is_no_day_is_an_error_with_its_line(cell: str, said: str) -> None:
    assert refused(f"id;mail;until\n712020:1;secret@acme.com;{cell}\n") == said


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("DD.MM.YYYY", "03.02.2026"),
        ("MM/DD/YYYY", "02/03/2026"),
        ("YYYYMMDD", "20260203"),
        ("YYYY-MM-DD", "2026-02-03"),
    ],
)
def test_days_are_read_in_the_form_that_the_roster_names(form: str, cell: str) -> None:
    assert read(f"id,mail,until\n1,,{cell}\n", days=form).rows[0].ends == date(2026, 2, 3)


@pytest.mark.case("E14")
def test_a_day_in_another_form_is_not_guessed_at() -> None:
    assert refused("id,mail,until\n1,,2/3/2026\n", days="MM/DD/YYYY").endswith("no day in the form MM/DD/YYYY")
    assert refused("id,mail,until\n1,,13.13.2026\n", days="DD.MM.YYYY").endswith("no day in the form DD.MM.YYYY")


@pytest.mark.case("E14", "F1")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the column 'id', which `columns` of the Roster names, is not there"),
        ("id;mail;until\n", "1: there is no row below the header"),
        ("id;mail;until\n;;2026-11-20\n", "2: nothing says who this is: 'id' and 'mail' are empty"),
        ("id;mail;until\nsecret;;\n", "2: column 'id' holds no account id"),
        ("id;mail;until\n;secret;\n", "2: column 'mail' holds no e-mail address"),
        ("id;mail;until\n1;a@b.de;2026-01-01;x\n", "2: 4 fields, but the header has 3"),
        (
            "id;mail;until;mail\n1;a@b.de;;\n",
            "1: the column 'mail', which `columns` of the Roster names, is twice there",
        ),
        ("id;mail,until\n", "1: the header has both commas and semicolons outside quotation marks"),
        ("id;mail\tuntil\n", "1: the header has both semicolons and tabs outside quotation marks"),
        ("id;mail;until\n\n1;søren@b.de;\n".encode("latin-1"), "3: the text here is not UTF-8"),
    ],
)
def test_what_cannot_be_understood_is_an_error_with_its_line(text: str | bytes, said: str) -> None:
    assert refused(text) == said


def test_an_encoding_that_the_file_contradicts_is_refused() -> None:
    said = "1: the file begins with the byte order mark of UTF-8, and is said to be latin-1"
    assert refused(ROWS.encode("utf-8-sig"), encoding="latin-1") == said
    assert refused(ROWS.encode() + b"\xff", encoding="utf-8").endswith("the text here is not UTF-8")


def test_an_end_before_the_beginning_is_an_error() -> None:
    columns = {"account": "id", "email": "", "starts": "from", "ends": "until"}
    text = "id,from,until\n1,2026-02-01,2026-02-01\n2,2026-02-02,2026-02-01\n"
    assert refused(text, columns=columns) == "3: column 'until' lies before column 'from'"


# -- who has left ----------------------------------------------------------------------------------


def left_at(text: str, at: datetime, zone: str = "Europe/Oslo") -> set[str]:
    found = leaving(read(text, time_zone=zone), at)
    return {*found.by_account, *found.by_email}


@pytest.mark.case("E18")
@pytest.mark.parametrize(
    ("zone", "day", "over"),
    [
        ("Europe/Oslo", "2026-11-20", datetime(2026, 11, 20, 23, tzinfo=UTC)),
        ("Europe/Oslo", "2026-07-20", datetime(2026, 7, 20, 22, tzinfo=UTC)),
        ("Europe/Oslo", "2026-03-28", datetime(2026, 3, 28, 23, tzinfo=UTC)),  # the night before clocks go forward
        ("Europe/Oslo", "2026-03-29", datetime(2026, 3, 29, 22, tzinfo=UTC)),  # a day of 23 hours
        ("Europe/Oslo", "2026-10-25", datetime(2026, 10, 25, 23, tzinfo=UTC)),  # a day of 25 hours
        ("Europe/Oslo", "2028-02-29", datetime(2028, 2, 29, 23, tzinfo=UTC)),
        ("America/New_York", "2026-11-20", datetime(2026, 11, 21, 5, tzinfo=UTC)),
        ("Pacific/Kiritimati", "2026-11-20", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("Africa/Cairo", "2026-04-23", datetime(2026, 4, 23, 22, tzinfo=UTC)),  # midnight is left out by the clocks
        ("America/Havana", "2026-10-31", datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_day_ends_by_the_clocks_of_the_roster(zone: str, day: str, over: datetime) -> None:
    text = f"id,mail,until\n1,,{day}\n"
    assert left_at(text, over - timedelta(microseconds=1), zone) == set()
    assert left_at(text, over, zone) == {"1"}


@pytest.mark.parametrize("until", ["9999-12-31", "2199-12-31", ""])
def test_a_day_that_never_comes_is_no_end(until: str) -> None:
    assert left_at(f"id,mail,until\n1,,{until}\n", NOW) == set()


@pytest.mark.parametrize("other", ["", "2026-12-31"])
def test_several_rows_of_one_person_count_together_and_the_last_end_decides(other: str) -> None:
    over = "id,mail,until\n1,,2026-01-31\n1,,2026-03-31\n,a@b.de,2026-01-31\n,A@B.de,2026-02-28\n"
    assert left_at(over, NOW) == {"1", "a@b.de"}
    assert left_at(f"{over}1,,{other}\n", NOW) == {"a@b.de"}
    assert left_at(f"{over},a@b.de,{other}\n", NOW) == {"1"}
    found = leaving(read(over), NOW).by_account["1"]
    assert (found.day, found.lines) == (date(2026, 3, 31), (2, 3))


DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(st.lists(st.none() | DAYS, min_size=1, max_size=5), st.integers(0, 40_000))
def test_nobody_has_left_while_one_row_goes_on(ends: list[date | None], days: int) -> None:
    at = datetime(2001, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)
    roster = RosterRows("HR", tuple(RosterRow(2, "", ADA, ends=one) for one in ends), "", "UTC")
    gone = ADA in leaving(roster, at).by_account
    assert gone == all(one is not None and one < at.date() for one in ends)


# -- who is meant ----------------------------------------------------------------------------------


def ask(text: str, someone: User, **emails: str | None) -> bool | None:
    """The verdict, which all readings give, and none of whose texts names anybody."""
    other = User(id=OTHER if someone.id == ADA else ADA, directory="default")
    people = People({ADA: Person("Ada Secret", emails.get("ada")), OTHER: Person("B Secret", emails.get("other"))})
    lists = Lists(rosters={"hr": read(text)})
    where = Scope(
        NOW, inventory(group(1, "wiki"), users=tuple(sorted((someone, other), key=lambda one: one.id))), people, lists
    )
    match = Match(all=(LEFT,))
    found = compile_match(match, where).verdict(someone)
    explained = explain_match(match, someone, where)
    assert explained.verdict is found is leaver("hr", someone, where).verdict
    for told in (explained.text, *(child.text for child in explained.children), why(match, someone, where)):
        assert "@" not in told
        assert "Secret" not in told
    return found


def test_an_id_says_who_is_meant_whatever_the_address() -> None:
    text = "id,mail,until\n712020:1,other@acme.com,2026-01-31\n"
    assert ask(text, user(), ada=None, other="other@acme.com") is True
    assert ask(text, msgspec.structs.replace(user(), id=OTHER), ada=None, other="other@acme.com") is False


@pytest.mark.case("E46")
def test_an_id_whose_address_is_that_of_another_account_means_nobody_for_certain() -> None:
    text = "id,mail,until\n712020:1,other@acme.com,2026-01-31\n"
    assert ask(text, user(), ada="ada@acme.com", other="Other@acme.com") is None
    assert ask(text, user(), ada="ada@acme.com", other="b@acme.com") is True
    also = f"{text}712020:1,ada@acme.com,2026-01-31\n"
    assert ask(also, user(), ada="ada@acme.com", other="other@acme.com") is True


@pytest.mark.case("E46")
def test_an_address_says_who_is_meant_only_where_one_account_has_it_for_certain() -> None:
    text = "id,mail,until\n,ada@acme.com,2026-01-31\n"
    someone = msgspec.structs.replace(user(), managed=True, added=ago(500))
    assert ask(text, someone, ada="Ada@ACME.com", other="other@acme.com") is True
    assert ask(text, someone, ada="ada.2@acme.com") is False
    assert ask(text, someone, ada="ada@acme.com", other="ada@acme.com") is None
    assert ask(text, someone) is None
    assert ask(text, msgspec.structs.replace(someone, managed=None), ada="ada@acme.com") is None
    assert ask(text, msgspec.structs.replace(someone, added=ago(20)), ada="ada@acme.com") is None
    assert ask(text, msgspec.structs.replace(someone, added=None), ada="ada@acme.com") is None


@pytest.mark.case("E46")
def test_whoever_was_added_when_the_last_day_was_over_may_be_somebody_else_with_the_address() -> None:
    over = datetime(2026, 1, 31, 23, tzinfo=UTC)  # midnight in Oslo
    someone = msgspec.structs.replace(user(), managed=True, added=over)
    text = "id,mail,until\n,ada@acme.com,2026-01-31\n"
    assert ask(text, someone, ada="ada@acme.com") is None
    before = msgspec.structs.replace(someone, added=over - timedelta(microseconds=1))
    assert ask(text, before, ada="ada@acme.com") is True


@pytest.mark.parametrize(
    ("recorded", "said"),
    [(None, "the e-mail address is not known here"), ((), "not kept in the snapshot: e-mail address")],
)
def test_why_an_address_is_not_known_is_said(recorded: tuple[str, ...] | None, said: str) -> None:
    here = msgspec.structs.replace(inventory(group(1, "wiki"), users=(user(),)), kept_attributes=recorded)
    lists = Lists(rosters={"hr": read("id,mail,until\n,ada@acme.com,2026-01-31\n")})
    assert leaver("hr", user(), Scope(NOW, here, lists=lists)).doubt == said


def test_an_account_that_is_not_managed_has_left_all_the_same() -> None:
    text = "id,mail,until\n,ada@acme.com,2026-01-31\n"
    assert ask(text, msgspec.structs.replace(user(), managed=False, added=ago(500)), ada="ada@acme.com") is True


@pytest.mark.case("E46")
def test_rows_that_contradict_each_other_mean_nobody_for_certain() -> None:
    someone = msgspec.structs.replace(user(), managed=True, added=ago(500))
    again = "id,mail,until\n712020:1,,2026-01-31\n,ada@acme.com,\n"
    assert ask(again, someone, ada="ada@acme.com") is None
    stays = "id,mail,until\n712020:1,,\n,ada@acme.com,2026-01-31\n"
    assert ask(stays, someone, ada="ada@acme.com") is None
    assert ask(stays, someone) is False


@pytest.mark.case("F21")
def test_where_conditions_are_asked_prints_no_address() -> None:
    here = inventory(group(1, "wiki"), users=(user(),))
    lists = Lists(rosters={"hr": read("id,mail,until\n,ada@acme.com,2026-01-31\n,bo@acme.com,\n")})
    where = Scope(NOW, here, People({ADA: Person("Ada Secret", "ada@acme.com")}), lists)
    assert leaver("hr", user(), where).left is not None
    assert where.beginning("hr") is not None
    assert not [word for word in ("ada@", "bo@", "Secret") if word in repr(where)]


def test_without_its_rows_a_roster_says_nothing_of_anybody() -> None:
    where = Scope(NOW, inventory(group(1, "wiki"), users=(user(),)))
    compiled = compile_match(Match(all=(LEFT,)), where)
    assert compiled.verdict(user()) is None
    assert [(one.kind, one.name) for one in compiled.missing] == [("roster", "hr")]


@pytest.mark.parametrize("leavers", ["{}", "{sla: 24h}", "[]", "text"])
def test_leavers_without_a_state_are_refused(tmp_path: Path, leavers: str) -> None:
    source = "source: {env: HR, columns: {account: id, ends: until}, time_zone: UTC}"
    (found,) = problems(tmp_path / "policies", document("Roster", f"{{{source}, leavers: {leavers}}}"))
    assert "`ensure` is missing here" in found or "`leavers` must be a mapping" in found


ENDS = "leavers: {ensure: {status: disabled}}"
BEGINS = "joiners: {groups: [wiki]}"


@pytest.mark.parametrize(
    ("place", "columns", "more", "message"),
    [
        ("env: HR", "account: id, ends: until", ENDS, ""),
        ("env: HR", "email: mail, starts: from", BEGINS, ""),
        ("path: /srv/hr.csv", "email: mail, starts: from, ends: until", f"{ENDS}, {BEGINS}", ""),
        ("env: HR, path: /srv/hr.csv", "account: id, ends: until", ENDS, "name the file by `env` or by `path`"),
        ("encoding: utf-8", "account: id, ends: until", ENDS, "`source` needs `env`"),
        ("path: hr.csv", "account: id, ends: until", ENDS, "`path` leads into the repository"),
        ("env: HR", "account: id, ends: until", "approval: plan", "a Roster needs `leavers`, `joiners` or both"),
        ("env: HR", "ends: until", ENDS, "`columns` needs `account` or `email`"),
        ("env: HR", "account: id", ENDS, "`leavers` needs the column `ends`"),
        ("env: HR", "account: id, starts: from", BEGINS, "`joiners` needs the column `email`"),
        ("env: HR", "email: mail", BEGINS, "`joiners` needs the column `starts`"),
        ("env: HR", "account: id, ends: id", ENDS, "this column is named as `account` already"),
        (
            "env: HR",
            "account: id, ends: until",
            f"standing: {{max_per_day: 3}}, {ENDS}",
            "`standing` counts only with `approval: standing`",
        ),
        ("env: HR", "account: id, ends: until", f"approval: standing, {ENDS}", ""),
        ("env: HR", "account: id, ends: until", "leavers: {ensure: {}}", "`ensure` says nothing"),
        ("env: HR", "account: id, ends: until", "leavers: {ensure: {status: active}}", "a termination only takes away"),
    ],
)
def test_a_roster_says_where_its_file_lies_who_is_meant_and_what_follows(
    tmp_path: Path, place: str, columns: str, more: str, message: str
) -> None:
    spec = f"{{source: {{{place}, columns: {{{columns}}}, time_zone: UTC}}, {more}}}"
    found = [one.split(": ", 1)[1] for one in problems(tmp_path / "policies", document("Roster", spec))]
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


@pytest.mark.parametrize(("approval", "good"), [("plan", True), ("standing", False)])
def test_a_roster_that_is_approved_as_a_whole_deletes_nobody(tmp_path: Path, approval: str, good: bool) -> None:
    source = "source: {env: HR, columns: {account: id, ends: until}, time_zone: UTC}"
    roster = document("Roster", f"{{{source}, approval: {approval}, leavers: {{ensure: {{status: deleted}}}}}}")
    found = problems(tmp_path / "policies", roster, document("Guardrails", "{allow: [user.delete]}"))
    assert len(found) == (0 if good else 1)
    assert all("does not cover `deleted`, which cannot be put back" in one for one in found)
