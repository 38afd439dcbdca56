"""What another version of the policies does, as text, Markdown and JSON."""

from __future__ import annotations

import json
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.change import NoticeSend, stage_address
from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.plan import Disposition
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.rehearsal.comparison import Comparison, Shift, Treatment
from cleanup_gitops.views.comparison import (
    SHOWN,
    ComparisonReport,
    Version,
    render_json,
    render_markdown,
    render_text,
)
from tests.golden import check
from tests.rehearsal.edited import case, compared, edited
from tests.views import plans
from tests.views.hostile import HOSTILE, shape

GOLDEN = Path(__file__).parent / "golden"
COMMIT = "4be1d0c2a9f04be1d0c2a9f04be1d0c2a9f04be1"
MAIN = Version(f"main ({COMMIT[:12]})", "main", COMMIT)
PEOPLE = People({"712020:ada": Person("Ada Example", "ada@example.com"), "712020:bob": Person("Bob | Muster")})


def report(comparison: Comparison, **more: Any) -> ComparisonReport:  # noqa: ANN401 - fields of a report
    as_of = comparison.after.as_of
    return ComparisonReport(comparison=comparison, before=MAIN, after=Version(), as_of=as_of, **more)


@pytest.fixture
def usual(tmp_path: Path) -> ComparisonReport:
    """Bob is dropped, Ada suspended instead, Eve added, Cleo protected; one guard breaks."""
    one = case("usual-clean-up")
    idle = "      - inactive_for: 90d\n  ensure:\n    groups:\n      absent: [confluence-users-acme]\n"
    after = edited(
        one,
        tmp_path,
        (idle, "      - inactive_for: {for: 100d, product: any}\n  ensure: {status: suspended}\n"),
        ("never_active_for: 60d", "never_active_for: 10d"),
        ("groups: [break-glass]", 'groups: [break-glass]\n  accounts: ["712020:cleo"]'),
        ("membership.remove: {max: 10", "membership.remove: {max: 1"),
    )
    users = tuple(
        msgspec.structs.replace(user, attributes=(("department", "Sales"),)) if user.id == "712020:ada" else user
        for user in one.inventory.users
    )
    return report(compared(one, after, msgspec.structs.replace(one.inventory, users=users)))


def test_a_comparison_as_text(usual: ComparisonReport) -> None:
    check(GOLDEN / "comparison-usual.txt", render_text(usual, PEOPLE))


def test_a_comparison_in_markdown_counts_and_names_nobody(usual: ComparisonReport) -> None:
    text = render_markdown(usual)
    check(GOLDEN / "comparison-usual.md", text)
    assert "712020:" not in text
    assert "Ada" not in text


def test_who_asks_for_people_gets_them_in_markdown(usual: ComparisonReport) -> None:
    check(GOLDEN / "comparison-people.md", render_markdown(usual, PEOPLE, limit=SHOWN))
    assert "Ada" not in render_markdown(usual, NOBODY, limit=SHOWN)


def test_stages_and_policies_that_only_wait_are_told(tmp_path: Path) -> None:
    one = case("stages")
    slower = report(compared(one, edited(one, tmp_path / "slower", ("after: 14d", "after: 30d"))))
    renamed = report(compared(one, edited(one, tmp_path / "renamed", ("name: dormant\n", "name: idle\n"))))
    check(GOLDEN / "comparison-stages.txt", render_text(slower))
    check(GOLDEN / "comparison-renamed.txt", render_text(renamed))


def test_joiners_are_told_by_the_address_of_their_invitation(tmp_path: Path) -> None:
    one = case("joiners")
    after = edited(one, tmp_path, ("groups: [confluence-users-acme, newcomers]", "groups: [confluence-users-acme]"))
    check(GOLDEN / "comparison-joiners.txt", render_text(report(compared(one, after))))


def test_no_difference_is_one_line(tmp_path: Path) -> None:
    one = case("usual-clean-up")
    same = report(
        with_fields(compared(one, edited(one, tmp_path)), unknown=0),
        found=", as recorded with serial 1 in commit 4be1d0c2a9f0",
    )
    line = (
        f"main ({COMMIT[:12]}) and the working tree do the same on acme, to 3 users (as read at 2026-11-22 06:00:00"
        " UTC, as recorded with serial 1 in commit 4be1d0c2a9f0).\n"
    )
    assert render_text(same, PEOPLE, colour=True) == f"No difference. {line}"
    assert render_markdown(same) == f"**No difference.** {line}"
    assert json.loads(render_json(same))["differs"] is False


def test_what_is_unknown_both_times_is_never_told_to_be_the_same() -> None:
    one = case("usual-clean-up")
    same = report(compared(one, one.policies))
    assert same.comparison.unknown == 1
    said = " 1 user is unknown both times: what differs there does not show."
    assert render_text(same).endswith(f"{said}\n")
    assert render_markdown(same).endswith(f"{said}\n")
    many = report(with_fields(same.comparison, unknown=1_200))
    assert " 1,200 users are unknown both times: what differs there does not show.\n" in render_text(many)


def test_only_so_many_users_of_each_sort_are_shown_and_the_others_are_counted() -> None:
    one = case("usual-clean-up")
    gone = report(compared(one, with_fields(one.policies, policies=())))
    text = render_text(gone, limit=1)
    assert "Dropped, touched only before (3):\n" in text
    assert text.count("\n  - 712020:") == 1
    assert "  ... and 2 more; --limit shows more of them, the JSON form holds all.\n" in text
    none = render_text(gone, limit=0)
    assert "\n  - 712020:" not in none
    assert "more; --limit" not in none
    assert "And 2 more; the JSON form holds all of them." in render_markdown(gone, limit=1)
    assert "\x1b[31m-\x1b[0m 712020:" in render_text(gone, colour=True)


def test_json_holds_everything_and_no_name(usual: ComparisonReport) -> None:
    text = render_json(usual)
    found = json.loads(text)
    assert (found["format_version"], found["site"], found["differs"]) == ("1.0", "acme", True)
    assert found["before"]["revision"] == "main"
    assert found["before"]["commit"] == COMMIT
    assert (found["after"]["revision"], found["after"]["commit"]) == (None, None)
    assert found["before"]["actions"] == {"membership.remove": 3}
    assert found["after"]["actions"] == {"membership.remove": 2, "user.disable": 1}
    assert found["counts"] == {"added": 1, "dropped": 1, "moved": 1, "untouched": 1, "alike": 1, "unknown": 1}
    assert {one["account"]: one["sort"] for one in found["users"]} == {
        "712020:ada": "moved",
        "712020:bob": "dropped",
        "712020:cleo": "untouched",
        "712020:eve": "added",
    }
    assert found["by"]["department"] == [
        {"name": "Sales", "added": 0, "dropped": 0, "moved": 1, "untouched": 0},
        {"name": None, "added": 1, "dropped": 1, "moved": 0, "untouched": 1},
    ]
    assert [one["name"] for one in found["guards"]["broken"]] == ["cap:membership.remove"]
    assert "Ada" not in text
    assert found["users"][0]["after"]["changes"][0]["action"] == "user.disable"
    assert found["users"][0]["after"]["changes"][0]["causes"] == ["dormant-members"]


def notice(digest: str) -> Treatment:
    change = NoticeSend(
        address=stage_address(plans.ADA, "dormant", "notice", 1, None),
        user=plans.ADA,
        directory="default",
        causes=(Cause(policy="dormant", stage="notice"),),
        policy="dormant",
        stage="notice",
        episode=1,
        template="inactivity",
        template_digest=digest,
    )
    return Treatment(disposition=Disposition("changed", "changed"), changes=(change,))


def test_another_text_of_a_notice_is_a_difference_that_is_said() -> None:
    before, after = notice("sha256:aa"), notice("sha256:bb")
    plan = plans.plan(after.changes)
    shift = Shift(account=plans.ADA, sort="moved", before=before, after=after)
    text = render_text(report(Comparison(plan, plan, (shift,), 0)))
    assert "notified (inactivity), by dormant/notice -> the same, with another text of the notice\n" in text


def test_texts_of_others_do_no_harm(usual: ComparisonReport) -> None:
    found = usual.comparison
    usual_shape = shape(render_markdown(usual, PEOPLE, limit=SHOWN))
    for text in HOSTILE:
        shifts = tuple(
            with_fields(one, domain=text or "x", groups=(text or "x",) if one.groups else one.groups)
            for one in found.shifts
        )
        names = People({account: Person(text or "x") for account in ("712020:ada", "712020:bob")})
        bad = report(with_fields(found, shifts=shifts))
        bad = with_fields(bad, before=Version(text or "x", text, COMMIT))
        lines = render_text(bad, names).splitlines()
        assert all(line.isprintable() for line in lines)
        assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
        assert shape(render_markdown(bad, names, limit=SHOWN)) == usual_shape, text
        assert json.loads(render_json(bad))["before"]["revision"] == (text or None)
