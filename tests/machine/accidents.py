"""Accidents that happened to tools of this kind, each as small as it gets: a function that says whether it happens.

What is asked for are facts of the world (who was touched, what is recorded, what was executed), never messages of the
product. Whatever error stops the accident counts as safe.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import wraps
from pathlib import Path

import msgspec

from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.errors import CleanupError, RefusedError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Baseline
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import NOTHING_ASKED, Ensure, Policy, Protection, SitePolicies, Stage
from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.guarding import Override
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.tree import InactiveFor, InGroup, Match
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.views.plan import render_markdown, render_text
from tests.fakes import FakeSite
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, plan_of, policy, site
from tests.runner.office import DORMANT, SEATS, office_site, open_office
from tests.runner.test_lease import KilledError, Mortal
from tests.sites.box import connected, disturb
from tests.views import plans

Accident = Callable[[], bool]


def stopped_by_errors(accident: Accident) -> Accident:
    """The same accident, which an error of the product keeps from happening."""

    @wraps(accident)
    def happens() -> bool:
        try:
            return accident()
        except CleanupError:
            return False

    return happens


# -- reading ---------------------------------------------------------------------------------------


@stopped_by_errors
def half_a_list_is_taken_for_everybody() -> bool:
    """The site leaves rows out of a page and does not say so."""
    with running(seed(users=30)) as box, connected(box) as cloud:
        disturb(box, {"kind": "drop_rows", "rows": 9, "match": {"path_regex": "/users/search$"}})
        return len(cloud.reader.read().inventory.users) < 30


def _dormant(number: int) -> Inventory:
    """So many people who have been idle for long, and ten who were not."""
    idle = [{"id": f"712020:{one:04}"} for one in range(number)]
    busy = [{"id": f"712020:busy-{one}", "seen": "2026-11-21"} for one in range(10)]
    return site(*idle, *busy)


def a_list_that_fell_by_half_is_planned_on() -> bool:
    """A complete reading of a site that has lost half of its people since yesterday: a key that sees less."""
    inventory = _dormant(1)
    before = Baseline(as_of=inventory.as_of - timedelta(days=1), accounts=40, seats=40, known=40, members={})
    rules = SitePolicies(site="acme", policies=(policy(IDLE),), guardrails=replace(WIDE, per_domain=100))
    memory = msgspec.structs.replace(BLANK, lineage="sha256:0", serial=1, baseline=before)
    now = inventory.as_of
    return make_plan(inventory, rules, memory, created=now, as_of=now, tool_version="0").applyable


def everybody_looks_idle_and_is_taken_out() -> bool:
    """A source of activity stands still: nobody was seen for months."""
    idle = [{"id": f"712020:{one:04}"} for one in range(20)]
    return plan_of(site(*idle), policy(IDLE), guardrails=replace(WIDE, per_domain=100)).applyable


def who_is_not_known_is_taken_for_idle() -> bool:
    """A missing value counts as a match, and under negation as well."""
    inventory = site({"id": "712020:0001", "seen": "unknown: no answer"})
    negated = policy(InGroup(("users",)), none=InactiveFor(5), name="negated")
    return any(plan_of(inventory, one).changes for one in (policy(IDLE), negated))


def a_group_was_renamed_and_those_in_it_are_not_spared() -> bool:
    """The policy leaves the members of a group alone; somebody gives the group another name."""
    inventory = site({"id": "712020:0001", "groups": ["g-users", "g-editors"]})
    return bool(plan_of(inventory, policy(IDLE, none=InGroup(("vips",)))).changes)


# -- taking over, protections, waiting -------------------------------------------------------------


def a_list_that_is_not_whole_yet_empties_a_group() -> bool:
    """Somebody begins to write down who is in a group; two of three are not on the list yet."""
    office = open_office(1, 2, 3)
    others = ("712020:0002", "712020:0003")
    for account in others:
        office.site.happens(account, groups=(SEATS, "g-others"))
    entry = GroupEntry(name="others", accounts=("712020:0001",), exactly=True)
    office.under(policies=(), groups=(Groups(name="declared", entries=(entry,)),))
    office.apply()
    return any(change.user in others for change in office.site.written)


def a_protection_goes_with_the_file_it_stood_in() -> bool:
    """The file is deleted; whom it protected is planned like everybody else, and nothing in the plan is about that."""
    office = open_office(100)
    office.under(protections=(Protection(name="break-glass", owner="o@acme.com", accounts=("712020:0001",)),))
    office.apply()
    office.under(protections=())
    plan = office.plan()
    return bool(plan.changes) and not plan.warnings and not any(change.note for change in plan.changes)


def a_stage_does_not_wait_for_the_days_before_it() -> bool:
    """The seat is released today; the suspension that is to come two weeks later comes tomorrow."""
    office = open_office(200)
    stages = (
        Stage(name="release", ensure=Ensure(groups_absent=("confluence-users-acme",))),
        Stage(name="suspend", ensure=Ensure(status="suspended"), after=14),
    )
    office.under(policies=(replace(DORMANT, ensure=NOTHING_ASKED, stages=stages),))
    office.apply()
    office.later(1)
    office.apply()
    return "user.disable" in {change.action for change in office.site.written}


HASTY = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: hasty, owner: iam@acme.com, why: Nobody wrote how long to wait.}
spec:
  match: {all: [{inactive_for: {for: 90d, product: any}}]}
  stages:
    - {name: first, ensure: {product_access: absent}}
    - {name: second, ensure: {status: disabled}}
"""


@stopped_by_errors
def a_stage_without_days_gets_some_by_default() -> bool:
    """A policy does not say how long after the first stage the second one comes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hasty.yaml").write_text(HASTY, "utf-8")
        return bool(load(Path(folder)).documents)


# -- guards ----------------------------------------------------------------------------------------


def many_memberships_go_under_a_limit_for_people() -> bool:
    """Sixty people lose a group. Nobody is suspended, so a limit for people sees nothing."""
    caps = {**WIDE.caps, "membership.remove": Cap(5, 10), "total": Cap(50, 12)}
    return plan_of(_dormant(60), policy(IDLE), guardrails=replace(WIDE, caps=caps, per_domain=100)).applyable


def most_of_a_small_site_goes_because_few_are_no_percent() -> bool:
    """Eight people, seven of them idle, and a limit that is not looked at below ten."""
    busy = {"id": "712020:busy", "seen": "2026-11-21"}
    few = site(*({"id": f"712020:{one:04}"} for one in range(7)), busy)
    return plan_of(few, policy(IDLE), guardrails=Guardrails(per_domain=100)).applyable


def nobody_wrote_a_limit_so_there_is_none() -> bool:
    """A first run, with a policy and without any Guardrails document."""
    rules = SitePolicies(site="acme", policies=(policy(IDLE),), guardrails=Guardrails(per_domain=100))
    inventory = _dormant(60)
    now = inventory.as_of
    return make_plan(inventory, rules, BLANK, created=now, as_of=now, tool_version="0").applyable


def one_exception_opens_everything() -> bool:
    """Somebody lifts the limit of memberships; sixty people would be suspended as well."""
    caps = {**WIDE.caps, "membership.remove": Cap(5), "user.disable": Cap(5), "total": Cap(300)}
    lifted = Override(
        name="spring-clean",
        guard="membership.remove",
        max=100,
        until=date(2026, 12, 1),
        reason="first-run",
        ticket="IAM-1",
    )
    inventory = _dormant(60)
    suspends = policy(InactiveFor(90, "any"), ensure=Ensure(status="suspended"), name="suspends")
    plan = plan_of(inventory, suspends, guardrails=replace(WIDE, caps=caps, per_domain=100), overrides=(lifted,))
    return plan.applyable


# -- approval --------------------------------------------------------------------------------------


@stopped_by_errors
def what_nobody_approved_is_applied() -> bool:
    """One row is approved; until the apply another person becomes idle."""
    office = open_office(100, 10)
    saved = office.plan()
    office.site.happens("712020:0002", seen=office_site(200).users[0].seen)
    office.apply(saved)
    return any(change.user == "712020:0002" for change in office.site.written)


OTHERS = Policy(
    name="others",
    owner="iam@acme.com",
    why="tidy",
    match=Match(all=(InGroup(("others",)),)),
    ensure=Ensure(groups_absent=("others",)),
)


@stopped_by_errors
def a_plan_is_applied_twice() -> bool:
    """After an apply somebody puts the person back, and the same plan is handed in again."""
    office = open_office(10)
    office.under(policies=(OTHERS,))
    office.site.happens("712020:0001", groups=(SEATS, "g-others"))
    saved = office.plan()
    office.apply(saved)
    office.site.happens("712020:0001", groups=(SEATS, "g-others"))
    with suppress(CleanupError):
        office.apply(saved)
    return len(office.site.written) == 2


class _Returns(FakeSite):
    """A site on which somebody comes back after everything was read and asked."""

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        if not self.written:
            self.happens("712020:0001", seen=office_site(0).users[0].seen)
        return super().user(account, questions)


@stopped_by_errors
def who_has_come_back_is_taken_out_all_the_same() -> bool:
    """Somebody opens Confluence between the reading of the site and the write."""
    office = open_office(100)
    office.site = _Returns(office_site(100))
    office.apply()
    return bool(office.site.written)


# -- carrying out ----------------------------------------------------------------------------------


@stopped_by_errors
def one_bad_account_stops_everybody_else() -> bool:
    """The site refuses the second of three."""
    office = open_office(100, 200, 300)
    office.site.broken["write"] = [None, RefusedError("The site answered 403.")]
    office.apply()
    return "712020:0003" not in {change.user for change in office.site.written}


@stopped_by_errors
def success_is_told_and_nothing_changed() -> bool:
    """The site says yes to everything and does nothing."""
    office = open_office(100)
    office.site.deaf = True
    run = office.apply()
    member = SEATS in (office.site.read().inventory.user_by_id["712020:0001"].groups or ())
    return member and {one.result for one in run.outcomes} == {"applied"}


def a_crash_loses_what_was_done() -> bool:
    """The process dies right after a write; the next run takes its effect for somebody else's doing."""
    office = open_office(10)
    office.apply()
    dying = Mortal(10, at=1, after=True)
    office.site = dying
    dying.happens("712020:0001", seen=office_site(200).users[0].seen)
    with suppress(KilledError):
        office.apply()
    run = None
    with suppress(CleanupError):
        run = office.apply()
    return run is not None and run.found is not None


def one_record_overwrites_another() -> bool:
    """Two processes have read the same state, and both record."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        first, second = (GitStore(Path(folder), "acme") for _ in range(2))
        first.read()
        second.read()
        first.commit({"memory.jsonl": b"first\n"}, "First", {"Site": "acme"})
        with suppress(CleanupError):
            second.commit({"memory.jsonl": b"second\n"}, "Second", {"Site": "acme"})
        return GitStore(Path(folder), "acme").read()["memory.jsonl"] != b"first\n"


@stopped_by_errors
def a_day_on_which_people_worked_is_reported_as_a_difference() -> bool:
    """Nobody decided anything; everybody opened Confluence."""
    office = open_office(5, 10, 20)
    office.apply()
    for number in (1, 2, 3):
        office.site.happens(f"712020:{number:04}", seen=office_site(0).users[0].seen)
    return office.apply().found is not None


# -- what is shown, and what is read ---------------------------------------------------------------


def a_secret_stands_in_an_error() -> bool:
    """The site's answer repeats the key."""
    world = seed(users=12)
    world.credentials.org_api_key = "a-key-that-nobody-uses"
    with running(world) as box, connected(box) as cloud:
        fault = {"kind": "status", "status": 400, "shape": "application", "code": box.org_api_key}
        disturb(box, fault | {"match": {"path_regex": "/users/search$"}})
        try:
            cloud.reader.read()
        except CleanupError as error:
            return box.org_api_key in f"{error}"
        return False


def _named(name: str) -> tuple[Plan, People]:
    return plans.usual(), People({plans.ADA: Person(name, "ada@example.com")})


def a_name_calls_somebody() -> bool:
    """A display name is a mention."""
    return "@everyone" in render_markdown(*_named("@everyone"))


def a_name_is_a_command_to_the_build_server() -> bool:
    """A display name that a build server reads as a command of its own."""
    return any("##[error]" in line for line in render_text(*_named("##[error]boom")).splitlines())


class Executed(Exception):  # noqa: N818 - says that foreign code ran
    """Raised by what a policy must never be able to call."""


def strike() -> None:
    """What a policy must never be able to call."""
    raise Executed


def a_policy_runs_code() -> bool:
    """A YAML tag names a function."""
    with tempfile.TemporaryDirectory() as folder:
        tag = f"!!python/object/apply:{strike.__module__}.{strike.__name__} []"
        (Path(folder) / "evil.yaml").write_text(f"kind: Policy\nmetadata: {tag}\n", "utf-8")
        try:
            load(Path(folder))
        except Executed:
            return True
        except CleanupError:
            return False
    return False
