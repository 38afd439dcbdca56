"""What others changed, as text, Markdown and JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.memory import Hold
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.views.drift import SHOWN, DriftReport, render_json, render_markdown, render_text, report_of
from tests.golden import check
from tests.views.hostile import HOSTILE, shape
from tests.views.plans import ADA, BOB, CAI, DEE, EDITORS, PEOPLE, USERS

GOLDEN = Path(__file__).parent / "golden"
COMMIT = "9d3c1e0f5b7a9d3c1e0f5b7a9d3c1e0f5b7a9d3c"
GROUPS = (
    Group(id=USERS, name="confluence-users-acme", directory="default"),
    Group(id=EDITORS, name="wiki-editors", directory="default"),
)
OLD, NEW = "11111111-0000-4000-8000-000000000003", "11111111-0000-4000-8000-000000000004"
LATE = "20261121T071700Z-0a1b2c3d"
NEW_GROUP = Group(id=NEW, name="project-x", directory="default")
EMPTY = Drift(
    site="acme",
    serial=3,
    since=datetime(2026, 11, 21, 7, 17, tzinfo=UTC),
    as_of=datetime(2026, 11, 22, 9, 15, tzinfo=UTC),
    recorded_by="0.1.0",
    differences=(),
    run=LATE,
)


def membership(user: str, group: str, *, joined: bool, run: str = "") -> Difference:
    return Difference(
        address=f"membership/{group}/{user}",
        what="membership.added" if joined else "membership.removed",
        user=user,
        group=group,
        before={"member": not joined},
        after={"member": joined},
        run=run,
    )


DIFFERENCES = (
    Difference(
        address=f"group/{OLD}",
        what="group.vanished",
        group=OLD,
        before={"name": "old-team", "license": "seat", "admin": False, "members": (ADA, BOB)},
    ),
    Difference(
        address=f"group/{EDITORS}",
        what="group.changed",
        group=EDITORS,
        before={"name": "editors", "admin": False, "grants": (), "parents": ()},
        after={"name": "wiki-editors", "admin": True, "grants": ("confluence: user",), "parents": (USERS,)},
    ),
    Difference(
        address=f"group/{NEW}",
        what="group.appeared",
        group=NEW,
        after={"name": "project-x", "license": "none", "admin": True, "members": (DEE,)},
    ),
    membership(DEE, EDITORS, joined=True),
    membership(BOB, USERS, joined=False),
    membership(CAI, USERS, joined=False, run=LATE),
    Difference(
        address=f"user/{ADA}",
        what="user.vanished",
        user=ADA,
        before={"status": "active", "kind": "person", "license": "seat", "admin": True, "groups": (USERS, OLD)},
    ),
    Difference(
        address=f"user/{BOB}",
        what="user.changed",
        user=BOB,
        before={"status": "active", "license": "seat", "roles": ()},
        after={"status": "suspended", "license": "none", "roles": ("site-admin",)},
    ),
    Difference(
        address=f"user/{CAI}", what="user.changed", user=CAI, before={"license": "seat"}, after={"license": "none"},
        run=LATE,
    ),
    Difference(
        address=f"user/{DEE}",
        what="user.appeared",
        user=DEE,
        after={"status": "active", "kind": "person", "license": "none", "external": True, "groups": ()},
    ),
)  # fmt: skip
FOUND = replace(EMPTY, differences=DIFFERENCES)
HANDED_OFF = Difference(
    address=f"user/{BOB}",
    what="user.changed",
    user=BOB,
    before={"status": "active", "license": "seat"},
    after={"status": "suspended", "license": "none"},
    asked="dormant/release",
)


def report(drift: Drift = FOUND, *, commit: str = COMMIT, version: str = "0.1.0") -> DriftReport:
    return report_of(drift, (*GROUPS, NEW_GROUP), version, commit=commit)


HELD = (
    Hold(user=ADA, policy="dormant", until=date(2026, 12, 6), why="restored", run=LATE),
    Hold(user=ADA, policy="guests", until=date(2026, 12, 6), why="restored", run=LATE),
)
REPORTS = {
    "undone": dataclasses.replace(report(), holds=HELD),
    "undone-not-recorded": dataclasses.replace(report(commit=""), holds=HELD),
    "undone-before": dataclasses.replace(report(EMPTY), holds=HELD[:1]),
    "usual": report(),
    "none": report(EMPTY, commit=""),
    "late": report(replace(FOUND, differences=tuple(one for one in DIFFERENCES if one.run)), commit=""),
    "asked": report(replace(EMPTY, differences=(HANDED_OFF,)), commit=""),
    "newer-version": report(version="0.2.0", commit=""),
}


@pytest.mark.parametrize("name", REPORTS)
def test_drifts_read_as_agreed(name: str) -> None:
    check(GOLDEN / f"drift-{name}.txt", render_text(REPORTS[name], PEOPLE))
    check(GOLDEN / f"drift-{name}.md", render_markdown(REPORTS[name]))


def test_no_golden_file_is_left_behind() -> None:
    kept = {path.name for path in GOLDEN.glob("drift-*")}
    assert kept == {f"drift-{name}.{ending}" for name in REPORTS for ending in ("txt", "md")}


def test_the_json_form_holds_every_difference_and_no_name_of_a_person() -> None:
    document = json.loads(render_json(report()))
    assert [one["address"] for one in document["differences"]] == [one.address for one in DIFFERENCES]
    assert document["found"] == {
        "group.appeared": 1,
        "group.changed": 1,
        "group.vanished": 1,
        "membership.added": 1,
        "membership.removed": 1,
        "user.appeared": 1,
        "user.changed": 1,
        "user.vanished": 1,
    }
    assert document["groups"][OLD] == "old-team"
    assert (document["format_version"], document["since"]) == ("1.0", "2026-11-21T07:17:00Z")
    assert (document["serial"], document["snapshot_run"], document["commit"]) == (3, LATE, COMMIT)
    assert "Ada" not in render_json(report()) + render_markdown(report())
    assert document["holds"] == []
    held = json.loads(render_json(REPORTS["undone"]))["holds"]
    assert held[0] == {"user": ADA, "policy": "dormant", "until": "2026-12-06", "run": LATE}


@pytest.mark.case("E84")
@pytest.mark.parametrize(
    ("fields", "said"),
    [({"kind": "person"}, True), ({"status": "active"}, False), ({"license": "seat", "status": "active"}, True)],
)
def test_a_newer_version_may_class_accounts_otherwise_and_that_is_said(fields: dict[str, str], said: bool) -> None:
    one = Difference(
        address=f"user/{BOB}", what="user.changed", user=BOB, before=fields, after=dict.fromkeys(fields, "guest")
    )
    drift = replace(EMPTY, differences=(one,))
    same, newer = report(drift), report(drift, version="0.2.0")
    for render in (render_text, render_markdown):
        assert ("may come from that alone" in render(newer)) is said
        assert "may come from that alone" not in render(same)
        assert "changed: " in render(newer)
    assert json.loads(render_json(newer))["recorded_by"] == "0.1.0"
    assert json.loads(render_json(newer))["tool_version"] == "0.2.0"


def test_what_is_gone_comes_first_in_each_part() -> None:
    text = render_text(report())
    parts = re.findall(r"^(\w+) \(\d+\):\n((?:  .*\n)+)", text, re.MULTILINE)
    assert [title for title, _ in parts] == ["Accounts", "Memberships", "Groups"]
    for _, lines in parts:
        symbols = [line[2] for line in lines.splitlines()]
        assert symbols == sorted(symbols, key="-~+".index)


def test_an_account_with_many_groups_stays_one_line() -> None:
    groups = tuple(f"g-{number:02}" for number in range(SHOWN + 3))
    one = Difference(address=f"user/{BOB}", what="user.appeared", user=BOB, after={"groups": groups})
    found = report(replace(EMPTY, differences=(one,)))
    assert '"g-09" and 3 more\n' in render_text(found)
    assert json.loads(render_json(found))["differences"][0]["after"]["groups"] == list(groups)


def test_colour_adds_nothing_that_a_person_reads() -> None:
    coloured = render_text(report(), PEOPLE, colour=True)
    assert "\x1b[31m-\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(report(), PEOPLE)


@pytest.mark.case("E80")
@pytest.mark.parametrize("bad", HOSTILE)
def test_no_name_breaks_out_of_its_line_or_cell(bad: str) -> None:
    def with_names(name: str) -> DriftReport:
        renamed = tuple(
            replace(one, before={**one.before, "name": name}) if "name" in one.before else one for one in DIFFERENCES
        )
        groups = [replace(one, name=name) for one in (*GROUPS, NEW_GROUP)]
        return report_of(replace(FOUND, differences=renamed), groups, "0.1.0", commit=COMMIT)

    people = People({ADA: Person(bad), DEE: Person(bad)})
    text = render_text(with_names(bad), people)
    assert len(text.splitlines()) == len(render_text(with_names("x"), people).splitlines())
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())
    assert shape(render_markdown(with_names(bad))) == shape(render_markdown(with_names("x")))
    assert json.loads(render_json(with_names(bad)))["groups"][USERS] == bad
