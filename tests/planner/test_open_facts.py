"""What a plan says of users whom it could not decide about: which facts the site did not tell."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Unknown, seen_at
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.planner.open_facts import open_facts
from cleanup_gitops.planner.rules import make_rule
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.lists import NO_LISTS, Lists, UserList
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.roster_rows import RosterRows
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
    HasLeft,
    HasRole,
    HasSeat,
    InactiveFor,
    InDirectory,
    InGroup,
    InStatusFor,
    KindIs,
    LicenseIs,
    ListedIn,
    ManagedIs,
    Match,
    NameIs,
    NeverActiveFor,
    Node,
    SeatVia,
    StatusIs,
    SyncedIs,
)
from tests.policy.users import NOW, ago, group, inventory, user

KNOWN = user(
    status_since=ago(9),
    managed=True,
    synced=False,
    external=False,
    has_email=True,
    roles=(),
    direct=(),
    seats=(GroupSeat(("g-1",)),),
    seen=seen_at(ago(1000)),
    attributes=(("job_title", "Head"),),
)
ADA = People({"712020:1": Person("Ada", "ada@acme.com")})
BY_ID, BY_EMAIL = ListedIn("id", env="LEAVERS"), ListedIn("mail", "email", env="LEAVERS")
LISTS = Lists(
    {
        BY_ID: UserList("LEAVERS", frozenset(), 9, "sha256:0"),
        BY_EMAIL: UserList("LEAVERS", frozenset({"ada@acme.com"}), 9, "sha256:0"),
    }
)
UNKNOWN = User(id="712020:1", directory="default")
EVERYTHING: tuple[Node, ...] = (
    HasSeat(wanted=True),
    InactiveFor(90),
    InactiveFor(90, "any"),
    NeverActiveFor(90),
    InGroup(("wiki",)),
    KindIs(("person",)),
    EmailDomain(("acme.com",)),
    StatusIs(("active",)),
    InStatusFor(9),
    LicenseIs(("seat",)),
    ManagedIs(wanted=True),
    SyncedIs(wanted=True),
    InDirectory(("default",)),
    ExternalIs(wanted=True),
    EmailIs(present=True),
    NameIs(("a*",)),
    HasRole(("site-admin",)),
    SeatVia(("wiki",), direct=True),
    ActiveOnlyOnce(wanted=True),
    AddedFor(9),
    AttributeIs("job_title", ("x",)),
    AccountIs(("a",)),
    BY_ID,
    BY_EMAIL,
)


def facts(
    someone: User, *nodes: Node, people: People = ADA, lists: Lists = LISTS, kept: tuple[str, ...] | None = None
) -> str:
    site = replace(inventory(group(1, "wiki"), users=(KNOWN,)), kept_attributes=kept)
    scope = Scope(NOW, site, people, lists)
    match = Match(all=nodes)
    policy = Policy(name="one", owner="iam", why="because", match=match, ensure=Ensure(no_tokens=True))
    return open_facts([make_rule(policy, scope)], someone, scope)


def test_of_whom_all_is_known_nothing_is_missing() -> None:
    assert facts(KNOWN, *EVERYTHING) == ""


@pytest.mark.parametrize(
    ("node", "missing"),
    [
        (HasSeat(wanted=True), "license, status"),
        (StatusIs(("active",)), "status"),
        (InStatusFor(9), "since when the status is so"),
        (LicenseIs(("seat",)), "license"),
        (ManagedIs(wanted=True), "whether it is managed"),
        (SyncedIs(wanted=True), "whether it is synced"),
        (ExternalIs(wanted=True), "whether it is external"),
        (EmailIs(present=True), "whether there is an e-mail address"),
        (EmailDomain(("acme.com",)), "e-mail domain"),
        (InGroup(("wiki",)), "groups"),
        (HasRole(("site-admin",)), "administrative roles"),
        (SeatVia(("wiki",)), "how the license is held"),
        (SeatVia(direct=True), "how the license is held, roles held directly"),
        (AddedFor(9), "the day it was added"),
        (ActiveOnlyOnce(wanted=True), "activity (not read), the day it was added"),
        (NeverActiveFor(9), "activity (not read), the day it was added"),
        (AttributeIs("job_title", ("x",)), "job title"),
        (BY_EMAIL, "who is listed in LEAVERS (whether the account is managed is not known)"),
    ],
)
def test_each_condition_names_the_fact_that_it_needs(node: Node, missing: str) -> None:
    assert facts(UNKNOWN, node) == f"not known: {missing}"


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ({"status_by": ago(20)}, ""),
        ({"status_by": ago(3), "status_after": ago(9)}, ""),
        ({"status_by": ago(3)}, "since when the status is so (by the snapshots: since 2026-11-19 at the latest)"),
        (
            {"status_by": ago(3), "status_after": ago(10)},
            "since when the status is so (by the snapshots: between 2026-11-12 and 2026-11-19)",
        ),
    ],
)
def test_what_snapshots_tell_of_a_status_may_be_enough(known: dict[str, Any], missing: str) -> None:
    assert facts(user(**known), InStatusFor(9)) == (f"not known: {missing}" if missing else "")


@pytest.mark.parametrize(
    ("node", "known", "said"),
    [
        (AttributeIs("job_title", ("x",)), {}, "not kept in the snapshot: job title"),
        (AttributeIs("department", ("x",)), {}, "not known: department"),
        (EmailDomain(("acme.com",)), {"domain": None}, "not kept in the snapshot: e-mail domain"),
        (EmailDomain(("acme.com",)), {"domain": None, "has_email": False}, "not known: e-mail domain"),
        (
            SeatVia(direct=True),
            {"seats": None},
            "not known: how the license is held; not kept in the snapshot: roles held directly",
        ),
        (NameIs(("a*",)), {}, "not kept in the snapshot: name"),
        (BY_EMAIL, {}, "not kept in the snapshot: e-mail address"),
        (
            InactiveFor(90, "any"),
            {"seen": seen_at(ago(500)), "elsewhere": None},
            "not kept in the snapshot: activity in other products",
        ),
    ],
)
def test_what_a_snapshot_did_not_keep_is_told_apart(node: Node, known: dict[str, Any], said: str) -> None:
    assert facts(user(**known), node, people=People(), kept=("department",)) == said


def test_a_name_is_missing_where_only_the_snapshot_is_there() -> None:
    assert facts(KNOWN, NameIs(("a*",)), people=People()) == "not known: name"


def test_an_address_is_missing_where_it_is_hidden_and_a_list_where_it_was_not_read() -> None:
    assert facts(KNOWN, BY_EMAIL, people=People()) == "not known: e-mail address"
    assert facts(KNOWN, BY_EMAIL, BY_ID, lists=NO_LISTS) == "not known: list LEAVERS (not read)"
    assert facts(replace(KNOWN, managed=False), BY_EMAIL).endswith("LEAVERS (the account is not managed)")


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ({"seen": seen_at(ago(900))}, "not known: whether it was used more than once"),
        ({"seen": seen_at(ago(998))}, "not known: whether it was used more than once"),
        ({"seen": seen_at(ago(999))}, ""),
        ({"seen": Unknown("not in the answer")}, "not known: activity (not in the answer)"),
    ],
)
def test_somebody_who_came_back_later_may_have_come_once_or_often(known: dict[str, Any], missing: str) -> None:
    assert facts(user(**known), ActiveOnlyOnce(wanted=True)) == missing


JIRA, TRELLO = Unknown("not in the answer"), Unknown("hidden")


@pytest.mark.case("E7")
@pytest.mark.parametrize(
    ("product", "missing"),
    [
        ("any", "activity in jira (not in the answer), activity in trello (hidden)"),
        ("jira", "activity in jira (not in the answer)"),
        ("other", "activity in other (not listed)"),
        ("confluence", ""),
    ],
)
def test_of_other_products_those_are_named_whose_use_is_not_known(product: str, missing: str) -> None:
    someone = user(seen=seen_at(ago(500)), elsewhere=(("jira", JIRA), ("trello", TRELLO)))
    assert facts(someone, InactiveFor(90, product)) == (f"not known: {missing}" if missing else "")


@pytest.mark.parametrize(("read", "missing"), [(False, "the roster hr was not read"), (True, "")])
def test_who_has_left_is_not_known_where_the_roster_does_not_tell(read: bool, missing: str) -> None:
    rows = RosterRows("hr.csv", (), "sha256:0", "UTC")
    lists = Lists(rosters={"hr": rows}) if read else NO_LISTS
    told = facts(KNOWN, HasLeft("hr"), lists=lists)
    assert told == (f"not known: who has left by the roster hr ({missing})" if missing else "")
