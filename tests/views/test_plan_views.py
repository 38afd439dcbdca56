"""A plan as text, Markdown and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.plan import Check, Disposition, Limit, Plan, Seats
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.views.gather import SHOWN
from cleanup_gitops.views.plan import RENDERERS, render_json, render_markdown, render_text
from tests.golden import check
from tests.views import plans
from tests.views.hostile import HOSTILE, shape

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", plans.PLANS)
def test_plans_read_as_agreed(name: str) -> None:
    plan = plans.PLANS[name]()
    check(GOLDEN / f"plan-{name}.txt", render_text(plan, plans.PEOPLE))
    check(GOLDEN / f"plan-{name}.md", render_markdown(plan, plans.PEOPLE))


def test_no_golden_file_is_left_behind() -> None:
    expected = {f"plan-{name}.{ending}" for name in plans.PLANS for ending in ("txt", "md")}
    kept = {path.name for path in GOLDEN.iterdir() if path.name.startswith("plan-")}
    assert kept == expected


@pytest.mark.parametrize("name", plans.PLANS)
def test_the_json_form_is_the_plan_file_and_holds_no_name(name: str) -> None:
    plan = plans.PLANS[name]()
    text = render_json(plan)
    assert text.encode() == plan_bytes(plan)
    assert read_plan(text.encode()) == plan
    assert RENDERERS["json"](plan, plans.PEOPLE, colour=True, limit=1) == text
    assert "Ada" not in text
    assert len(json.loads(text)["changes"]) == len(plan.changes)


def test_each_format_gives_the_whole_plan_without_wishes() -> None:
    plan = plans.usual()
    assert RENDERERS["text"](plan, plans.PEOPLE) == render_text(plan, plans.PEOPLE)
    assert RENDERERS["markdown"](plan, plans.PEOPLE) == render_markdown(plan, plans.PEOPLE)


@pytest.mark.parametrize("name", plans.PLANS)
def test_colour_adds_nothing_that_a_person_reads(name: str) -> None:
    plan = plans.PLANS[name]()
    coloured = render_text(plan, plans.PEOPLE, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(plan, plans.PEOPLE)
    assert "\x1b[" in coloured


def test_what_is_removed_is_red_and_what_is_added_is_green() -> None:
    lines = render_text(plans.usual(), colour=True).splitlines()
    assert any(line.startswith('  \x1b[31m-\x1b[0m membership "confluence-users-acme"') for line in lines)
    assert any(line.startswith('  \x1b[32m+\x1b[0m membership "wiki-editors"') for line in lines)
    assert render_text(plans.unsafe(), colour=True).startswith("\x1b[1;31mUnsafe plan\x1b[0m")


def test_the_legend_explains_only_symbols_that_are_there() -> None:
    legend = render_text(plans.plan([plans.leave(plans.ADA)])).split("cleanup-gitops will")[0]
    assert "  - remove\n" in legend
    assert "  ~ change\n" not in legend
    assert "  + add\n" not in legend


def test_removals_stand_before_additions() -> None:
    for text in (render_text(plans.usual()), render_markdown(plans.usual())):
        positions = [
            text.index(word)
            for word in ("suspended", "removed", "restored", "added:" if text[0] == "#" else "will be added")
        ]
        assert positions == sorted(positions)


def test_a_limit_leaves_out_details_but_no_count() -> None:
    plan = plans.plan([plans.leave(f"712020:{number:04}") for number in range(1234)])
    text = render_text(plan, limit=3)
    assert text.count("- membership") == 3
    assert "... and 1,231 more that are not shown here" in text
    assert "Plan: 0 to add, 0 to change, 1,234 to remove." in text
    none = render_text(plan, limit=0)
    assert none.startswith(
        "cleanup-gitops will make 1,234 changes on acme, not shown here; the JSON form holds all of them.\n\nPlan: "
    )
    assert "not shown here" not in render_text(plan, limit=1234)
    assert render_text(plan).count("- membership") == 1234
    assert render_markdown(plan).count("| removed: ") == 1234


def test_an_unsafe_plan_says_so_first_and_last_with_every_broken_guard() -> None:
    lines = render_text(plans.unsafe()).splitlines()
    assert lines[0] == "Unsafe plan: nothing of it will be applied."
    assert lines[1].startswith("  * cap:user.disable: 2 planned")
    assert lines[2].startswith("  * protected-groups: protected groups that this site does not have: brake-glass")
    assert lines[-1].startswith("Unsafe plan: nothing of it will be applied.")
    assert not any("will perform" in line for line in lines)
    markdown = [line for line in render_markdown(plans.unsafe()).splitlines() if line]
    assert markdown[1] == markdown[-1] == "**Unsafe plan: nothing of it will be applied.**"


def test_an_unsafe_plan_without_changes_is_still_unsafe() -> None:
    broken = Check(name="protected-groups", passed=False, message="no group matches x")
    lines = render_text(plans.plan(failed=(broken,))).splitlines()
    assert lines[0].startswith("Unsafe plan")
    assert lines[-1] == "Unsafe plan: nothing of it will be applied. Failed: protected-groups."


def test_an_empty_plan_still_counts_who_was_not_touched_and_why() -> None:
    text = render_text(plans.empty())
    assert text.startswith("No changes. acme matches its policies.\n")
    assert "Not touched: 3 protected, 4 exempt, 2,892 unchanged.\n" in text
    assert "protected: administrator (2), the account that runs this (1)\n" in text


def test_a_site_with_something_left_to_do_is_not_said_to_match() -> None:
    for text in (render_text(plans.left_over()), render_markdown(plans.left_over())):
        assert "matches its policies" not in text
        assert "3 changes handed off, 2 users in conflict, 1 policy blocked" in text


@pytest.mark.parametrize(("number", "words"), [(1, "1 user is"), (1234, "1,234 users are")])
def test_a_site_with_unknown_facts_matches_only_as_far_as_is_known(number: int, words: str) -> None:
    text = render_text(plans.plan(others=plans.untouched(policy_undecided=number)))
    assert text.count(f"matches its policies. {words} left out because a fact is not known.\n") == 1


def test_every_user_is_counted_once() -> None:
    for name, make in plans.PLANS.items():
        plan = make()
        counted = re.search(r"^Not touched: (.*)\.$", render_text(plan), re.MULTILINE)
        assert counted, name
        numbers = [int(part.split()[0].replace(",", "")) for part in counted[1].split(", ")]
        assert sum(numbers) + plan.summary.states.get("changed", 0) == len(plan.dispositions), name


def test_long_lists_of_unknown_users_are_cut_and_counted() -> None:
    others = {f"u{n:03}": Disposition("unknown", "groups-unknown") for n in range(SHOWN + 7)}
    text = render_text(plans.plan(others=others))
    assert text.count("* u0") == SHOWN
    assert "... and 7 more; the JSON form holds all of them." in text
    exact = dict(list(others.items())[:SHOWN])
    assert "more;" not in render_text(plans.plan(others=exact))


@pytest.mark.case("E51")
@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (None, "Seats: 9 -> 7; the site does not tell how many there are.\n"),
        (10, "Seats: 9 of 10 -> 7, 3 free.\n"),
        (7, "Seats: 9 of 7 -> 7, 0 free.\n"),
        (5, "Seats: 9 of 5 -> 7, 2 more than there are.\n"),
    ],
)
def test_how_many_seats_are_left_is_told_as_far_as_it_is_known(limit: int | None, text: str) -> None:
    plan = plans.plan(seats=Seats(before=9, after=7, limit=limit))
    assert text in render_text(plan)
    assert text.replace("->", "→") in render_markdown(plan)


@pytest.mark.parametrize(
    ("planned", "recent", "allowed", "verdict"),
    [(7, 0, 10, None), (8, 0, 10, "near"), (4, 6, 10, "reached"), (11, 0, 10, "over"), (0, 0, 1, None)],
)
def test_caps_are_shown_from_eighty_percent_on(planned: int, recent: int, allowed: int, verdict: str | None) -> None:
    limit = Limit(name="total", planned=planned, recent=recent, allowed=allowed, rule="max 10")
    plan = plans.plan(limits=(limit,))
    text, markdown = render_text(plan), render_markdown(plan)
    if verdict is None:
        assert "Caps" not in text + markdown
    else:
        assert f"{planned + recent:>2} found, {allowed} allowed: {verdict} (max 10)" in text
        assert f"| {verdict} | max 10 |" in markdown


def test_a_cap_that_an_override_lifts_is_told_once_with_the_override_and_its_end() -> None:
    told = "14 planned, 4 allowed (max 4), and 20 for dormant by Override big until 2026-12-05 (first-run, o.yaml:1)"
    check = Check(name="cap:total", passed=True, message=told, found=14, allowed=16, lifted=("big",))
    plan = plans.plan(limits=(Limit(name="total", planned=14, recent=0, allowed=16, rule="max 4"),), lifted=(check,))
    for text in (render_text(plan), render_markdown(plan)):
        assert "Caps" not in text
        assert text.count(told) == 1


def test_what_waits_counts_against_a_cap_as_its_check_counts_it() -> None:
    limit = Limit(name="total", planned=3, recent=2, allowed=10, rule="max 10", pending=7)
    assert "total  10 found, 10 allowed: reached" in render_text(plans.plan(limits=(limit,)))


def test_reasons_that_have_no_words_yet_show_their_code() -> None:
    text = render_text(plans.plan(others={"u1": Disposition("unknown", "brand-new-reason")}))
    assert "* u1: brand new reason" in text


def test_the_whole_digest_and_envelope_are_shown() -> None:
    plan = plans.usual()
    for text in (render_text(plan), render_markdown(plan)):
        assert plan.digest in text
        assert plan.envelope in text


def hostile(text: str) -> tuple[Plan, People]:
    """A plan in which everything that others may write is this text."""
    cause = Cause(policy="rule", where="policies/a.yaml:1", why=text)
    return plans.plan(
        [plans.suspend(plans.ADA, cause), plans.leave(plans.BOB, cause, cause, label=text, note=text)],
        others={
            plans.CAI: Disposition("unknown", "policy-undecided", ("rule",), text),
            plans.DEE: Disposition("conflict", text, (text,)),
        },
        handoffs=(
            plans.left_over()
            .handoffs[0]
            .__class__(
                address="user/x", user=plans.CAI, action="user.disable", reason=text, label=text, causes=(cause,)
            ),
        ),
        failed=(Check(name=text, passed=False, message=text),),
        limits=(Limit(name=text, planned=2, recent=0, allowed=1, rule=text),),
        blocked=(text,),
        warnings=(text,),
    ), People({user: Person(text) for user in (plans.ADA, plans.BOB, plans.CAI, plans.DEE)})


def code_as_text(parts: list[str]) -> list[str]:
    """Foreign text that is no plain word stands outside code spans; that is no difference here."""
    return [part for part in parts if part != "code_inline"]


@pytest.mark.case("E80")
@pytest.mark.parametrize("text", [one for one in HOSTILE if one])
def test_hostile_texts_change_neither_lines_nor_structure(text: str) -> None:
    usual, others = render_text(*hostile("x")), render_text(*hostile(text))
    assert len(others.splitlines()) == len(usual.splitlines())
    assert not any(line.lstrip().startswith("::") for line in others.splitlines())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", others)
    assert code_as_text(shape(render_markdown(*hostile(text)))) == code_as_text(shape(render_markdown(*hostile("x"))))


@pytest.mark.case("E80", "F22")
@given(st.text(min_size=1, max_size=60))
def test_any_texts_change_neither_lines_nor_structure(text: str) -> None:
    text += "x"
    plan, people = hostile(text)
    rendered = render_text(plan, people)
    assert rendered.count("\n") == render_text(*hostile("x")).count("\n")
    assert len(rendered.splitlines()) == rendered.count("\n")
    assert code_as_text(shape(render_markdown(plan, people))) == code_as_text(shape(render_markdown(*hostile("x"))))


def test_accounts_without_a_name_show_only_their_id() -> None:
    text = render_text(plans.plan([plans.suspend(plans.ADA)]), NOBODY)
    assert f"# user/{plans.ADA} will be suspended\n" in text
    assert "Name" not in render_markdown(plans.plan([plans.suspend(plans.ADA)]))


def test_addresses_of_people_are_never_shown() -> None:
    for name, make in plans.PLANS.items():
        plan = make()
        assert "@example.com" not in render_text(plan, plans.PEOPLE) + render_markdown(plan, plans.PEOPLE), name


def test_conflicts_of_users_are_not_lost_among_those_of_a_blocked_policy() -> None:
    others = {f"712020:{number:04}": Disposition("conflict", "blocked", ("old",)) for number in range(SHOWN + 5)}
    plan = plans.plan(others=others | {"712020:9999": Disposition("conflict", "no-seat-left", ("new",))})
    for text in (render_text(plan), render_markdown(plan)):
        listed = [line for line in text.splitlines() if "712020:" in line]
        assert len(listed) == SHOWN
        assert "712020:9999" in listed[0]
