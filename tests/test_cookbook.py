"""Every recipe of docs/cookbook.md is complete, and does to one invented company exactly what stands here.

Whoever is not named is untouched, five hundred busy colleagues among them.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists, user_list
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.roster_rows import roster_rows
from cleanup_gitops.policy.tree import ListedIn
from cleanup_gitops.rehearsal.policy_tests import run_policy_test
from cleanup_gitops.runner.times import times_of
from tests.case_files import read_inventory
from tests.planner.staged import Days
from tests.strategies import proof_of

PAGE = (Path(__file__).parent.parent / "docs" / "cookbook.md").read_text("utf-8")
TEMPLATES = Path(__file__).parent.parent / "policies" / "templates"
_, COMPANY = read_inventory((Path(__file__).parent / "cookbook" / "inventory.json").read_bytes())
LISTS = {
    ListedIn("account_id", env="HR_LEAVERS_CSV"): b"account_id\n712020:leaver1\n712020:leaver2\n",
    ListedIn("id", env="MERGER_CSV"): b"id\n712020:editor1\n",
}
ROSTER = b"""account_id,contract_end
712020:leaver1,2026-11-20
712020:leaver2,2026-11-21
712020:dormant1,
712020:editor1,2026-11-22
"""
"""The last day of `editor1` is not over yet."""
NEWCOMERS = b"""mail,first_day
new.colleague@acme.com,2026-11-20
transferred@acme.com,2026-11-20
next.month@acme.com,2026-12-01
old.hand@acme.com,2019-05-01
"""
PEOPLE = People({"712020:sales1": Person("Sales One", "transferred@acme.com")}, b"a key for pseudonyms, long enough")
"""Of the others the company shows no address."""
INVITED = f"invite/newcomers/{PEOPLE.pseudonym('new.colleague@acme.com')}"
LEAVES = ["membership.remove confluence-users-acme"]
OURS = dict.fromkeys(("dormant1", "dormant2", "glass1", "jira1", "leave1"), LEAVES)
DORMANT = OURS | {"agency1": LEAVES}
"""Members of the usual group who were last seen more than 90 days ago. Not `ninety1`, by one day."""
BEYOND = {
    "role1": ["role.revoke user"],
    "shared1": ["conflict: shared-group"],
    "synced1": ["handed off: membership.remove okta-wiki"],
}
"""The same people where every way to a seat is to end: a direct role, a group with Jira, a group in Okta."""
SUSPENDED = ["user.disable suspended"]

EXPECTED: dict[str, dict[str, list[str]]] = {
    "Dormant members": DORMANT,
    "Never used": {"jira2": LEAVES, "never1": LEAVES},
    "New accounts are given time": {
        **DORMANT,
        **BEYOND,
        **dict.fromkeys(("contractor1", "jira2", "never1", "ninety1", "sales1"), LEAVES),
    },
    "Jira people who do not use Confluence": {"jira1": LEAVES, "jira2": LEAVES},
    "Seats by roles that were given directly": {"role1": ["role.revoke user"]},
    "Groups that give another product too": {"shared1": ["membership.remove office"]},
    "Administrators who do not administer": {"admin1": ["membership.remove confluence-admins-acme"]},
    "Guests": {"guest1": ["membership.remove confluence-guests-acme"]},
    "Consultants of one partner": {"agency1": LEAVES},
    "Everybody from outside": {"agency1": LEAVES},
    "Contractors in groups of their own": {"contractor1": LEAVES},
    "Idle everywhere": {
        **dict.fromkeys(("dormant1", "glass1", "guest1", "leave1", "never1", "role1", "shared1"), SUSPENDED),
        "synced1": ["handed off: user.disable"],
    },
    "Long suspended": {"suspended1": LEAVES},
    "Coming back, if a seat is free": {"returning1": ["user.enable active"]},
    "Service accounts": {"service1": LEAVES},
    "Leavers from a list": {
        "leaver1": ["tokens.revoke t1", "user.deactivate deactivated"],
        "leaver2": ["handed off: tokens.revoke", "handed off: user.deactivate"],
    },
    "Leavers from the roster of HR": {
        "leaver1": ["tokens.revoke t1", "user.deactivate deactivated"],
        "leaver2": ["handed off: tokens.revoke", "handed off: user.deactivate"],
    },
    "Newcomers from the roster of HR": {
        INVITED: ["user.invite wiki-editors"],
        "sales1": ["membership.add wiki-editors"],
    },
    "Clean-up after a merger": {"editor1": LEAVES, "merged1": LEAVES},
    "The first clean-up": DORMANT,
    "Release the seat, then suspend": DORMANT | BEYOND,
    "Tell people first": {one: ["notice.send inactivity-notice"] for one in DORMANT},
    "Several schedules": DORMANT,
    "Freeze": DORMANT,
    "Shortly before the bill": DORMANT,
    "Without a look at each plan": DORMANT,
    "Try it first": {"sales1": ["pending, report: membership.remove"]},
    "Test a policy": {
        **OURS,
        "agency1": LEAVES,
        "leaver1": ["tokens.revoke t1", "user.deactivate deactivated"],
        "leaver2": ["handed off: tokens.revoke", "handed off: user.deactivate"],
    },
    "Seats through a synced group": {"synced1": ["handed off: membership.remove okta-wiki"]},
    "One department, one group": {"sales1": ["membership.add wiki-editors"]},
    "Who is in a group": {
        "agency2": ["membership.add contractors-berlin"],
        "contractor1": ["pending, adopt: membership.remove"],
        "sales1": ["membership.add wiki-editors"],
    },
    "Exemptions": {account: told for account, told in DORMANT.items() if account != "leave1"},
    "Break-glass accounts": {account: told for account, told in DORMANT.items() if account != "glass1"},
}


def blocks(text: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


DOCUMENTS, _, COMMANDS = PAGE.partition("\n## Rehearse\n")
"""Recipes that are documents, and those that are commands, which `test_walkthrough` types."""


def recipes() -> Iterator[tuple[str, str]]:
    """Title and YAML of each that is a document."""
    for part in re.split(r"^### ", DOCUMENTS, flags=re.MULTILINE)[1:]:
        title, _, rest = part.partition("\n")
        (block,) = blocks(rest)
        yield title, block


def anchor(title: str) -> str:
    """How a heading is linked."""
    return "#" + re.sub(r"[^\w -]", "", title.casefold()).replace(" ", "-")


RECIPES = dict(recipes())
(SITE,) = blocks(PAGE.partition("## The site")[2].partition("\n## ")[0])


def cooked(folder: Path, title: str) -> SitePolicies:
    folder.mkdir()
    (folder / "site.yaml").write_text(SITE, "utf-8")
    (folder / "recipe.yaml").write_text(RECIPES[title], "utf-8")
    shutil.copytree(TEMPLATES, folder / "templates")
    return load(folder, today=COMPANY.as_of.date()).for_site("acme")


def plan_of(policies: SitePolicies, company: Inventory = COMPANY) -> Plan:
    lists = Lists(
        {asked: user_list(asked, data) for asked, data in LISTS.items()},
        {one.name: roster_rows(one.source, NEWCOMERS if one.joiners else ROSTER) for one in policies.rosters},
    )
    at = company.as_of
    return make_plan(company, policies, BLANK, created=at, as_of=at, tool_version="0", people=PEOPLE, lists=lists)


def effect(plan: Plan) -> dict[str, list[str]]:
    """What the plan says of everybody whom it does not simply leave alone."""
    found: dict[str, list[str]] = {}
    for change in plan.changes:
        what = next(filter(None, (getattr(change, key, "") for key in ("label", "role", "token", "new", "template"))))
        found.setdefault(change.user, []).append(f"{change.action} {what}")
    for handoff in plan.handoffs:
        found.setdefault(handoff.user, []).append(f"handed off: {handoff.action} {handoff.label}".strip())
    for waiting in plan.pending:
        found.setdefault(waiting.change.user, []).append(f"pending, {waiting.reason}: {waiting.change.action}")
    for account, one in plan.dispositions.items():
        if one.state == "conflict":
            found.setdefault(account, []).append(f"conflict: {one.reason}")
    return {account.removeprefix("712020:"): sorted(told) for account, told in found.items()}


def test_the_recipes_are_many_and_each_has_its_expectation() -> None:
    assert list(RECIPES) == list(EXPECTED)
    assert len(RECIPES) >= 20


def test_every_recipe_stands_in_the_list_at_the_top_in_its_order() -> None:
    listed = re.findall(r"\]\((#[\w-]+)\)", PAGE.partition("\n## ")[0])
    titles = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert [one for one in listed if one != "#rehearse"] == [anchor(title) for title in titles]
    assert len(titles) == len(RECIPES) + COMMANDS.count("\n### ")


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    headings = re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE)
    assert set(re.findall(r"\]\((#[\w-]+)\)", PAGE)) <= {anchor(title) for title in headings}


def test_the_tests_among_the_recipes_pass(tmp_path: Path) -> None:
    policies = cooked(tmp_path / "policies", "Test a policy")
    (one,) = policies.tests
    result = run_policy_test(one, policies, load(tmp_path / "policies").sites[0])
    assert (one.name, result.failures) == ("leaver-beats-dormant", ())


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_touches_these_people_and_nobody_else(title: str, tmp_path: Path) -> None:
    plan = plan_of(cooked(tmp_path / "policies", title))
    assert effect(plan) == EXPECTED[title]
    assert plan.applyable
    assert plan.blocked == ()


@pytest.mark.parametrize("title", RECIPES)
def test_the_policies_of_a_recipe_are_blocked_or_unsafe_where_its_groups_are_not_there(
    title: str, tmp_path: Path
) -> None:
    bare = replace(
        COMPANY,
        users=tuple(replace(one, groups=(), seats=(), license="none", admin=False) for one in COMPANY.users),
        groups=(),
        proof=proof_of(len(COMPANY.users), 0),
    )
    policies = cooked(tmp_path / "policies", title)
    plan = plan_of(policies, bare)
    if re.search(r'groups:|in_group:|seat_via: "', RECIPES[title].replace("allow_shared_groups:", "")):
        assert plan.blocked or not plan.applyable
    assert not any(change.action.startswith("membership") for change in plan.changes)


# -- what recipes promise beside their plan ----------------------------------------------------------------


def waits(policies: SitePolicies, at: datetime) -> dict[str, str]:
    """Why rows of a plan at this time are left for later, by account."""
    company = replace(COMPANY, as_of=at)
    times = times_of(plan_of(policies, company), policies, BLANK, company)
    found = {change.user: times.wait(change) for change in plan_of(policies, company).changes}
    return {account.removeprefix("712020:"): left.code if left else "goes" for account, left in found.items()}


def test_a_freeze_holds_up_what_would_be_done(tmp_path: Path) -> None:
    policies = cooked(tmp_path / "policies", "Freeze")
    frozen, late, open_ = (datetime(2026, 12, day, hour, tzinfo=UTC) for day, hour in ((15, 9), (14, 18), (14, 9)))
    for at, code in ((frozen, "window"), (late, "window"), (open_, "goes")):
        assert set(waits(policies, at).values()) == {code}


def test_seats_are_freed_shortly_before_the_bill(tmp_path: Path) -> None:
    policies = cooked(tmp_path / "policies", "Shortly before the bill")
    for day, code in ((27, "billing-day"), (28, "goes"), (30, "goes")):
        assert set(waits(policies, datetime(2026, 11, day, 6, tzinfo=UTC)).values()) == {code}


def test_two_schedules_have_times_of_their_own(tmp_path: Path) -> None:
    quarterly, daily = cooked(tmp_path / "policies", "Several schedules").policies
    assert daily.schedule is not None
    assert quarterly.schedule is not None
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert daily.schedule.next_after(friday) == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    assert quarterly.schedule.next_after(friday) == datetime(2027, 1, 4, 5, 30, tzinfo=UTC)


def test_the_first_clean_up_is_unsafe_without_its_override(tmp_path: Path) -> None:
    policies = cooked(tmp_path / "policies", "The first clean-up")
    assert plan_of(policies).applyable
    assert not plan_of(dataclasses.replace(policies, overrides=())).applyable


def test_nobody_comes_back_where_no_seat_is_free(tmp_path: Path) -> None:
    policies = cooked(tmp_path / "policies", "Coming back, if a seat is free")
    full = replace(COMPANY, seat_limit=COMPANY.seats_used)
    assert "user.enable" not in plan_of(policies, full).summary.actions


def test_the_second_step_comes_after_its_days_for_those_who_are_idle_everywhere(tmp_path: Path) -> None:
    days = Days(COMPANY, cooked(tmp_path / "policies", "Release the seat, then suspend"))
    first = COMPANY.as_of
    days.run(first)
    assert "user.disable" not in days.plan(first + timedelta(days=29)).summary.actions
    second = effect(days.plan(first + timedelta(days=30)))
    suspended = {account for account, told in second.items() if told == SUSPENDED}
    assert suspended == {"agency1", "dormant1", "dormant2", "glass1", "leave1", "role1"}  # not jira1, seen in Jira
