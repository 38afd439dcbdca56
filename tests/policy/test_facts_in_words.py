"""Conditions about facts in the words of plans and explanations."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Unknown, seen_at
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.match import Scope, explain_match, why
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
    HasRole,
    InactiveFor,
    InDirectory,
    InStatusFor,
    LicenseIs,
    ManagedIs,
    Match,
    NameIs,
    Node,
    SeatVia,
    StatusIs,
    SyncedIs,
)
from tests.policy.facts_here import BOARD, HERE, ROLE, SUITE, WIKI, verdict
from tests.policy.users import NOW, ago, day, group, inventory, user


@pytest.mark.parametrize(
    ("node", "facts", "sentence"),
    [
        (StatusIs(("suspended",)), {"status": "suspended"}, "status suspended"),
        (
            InStatusFor(30),
            {"status": "suspended", "status_since": day("2026-05-01")},
            "suspended since 2026-05-01, 205 days",
        ),
        (LicenseIs(("guest",)), {"license": "guest"}, "license guest"),
        (ManagedIs(wanted=False), {"managed": False}, "unmanaged account"),
        (SyncedIs(wanted=True), {"synced": True}, "synced by an identity provider"),
        (ExternalIs(wanted=True), {"external": True}, "external account"),
        (EmailIs(present=False), {"has_email": False}, "no e-mail address is shown"),
        (InDirectory(("def*",)), {}, "in directory default"),
        (NameIs(("Ada*",)), {}, "the name fits"),
        (HasRole(("site-admin",)), {"roles": ("confluence-admin", "site-admin")}, "holds site-admin"),
        (SeatVia(("board",)), {"seats": (WIKI, BOARD)}, "license through group board"),
        (SeatVia(("w*",), direct=True), {"seats": (SUITE, ROLE)}, "license through group wiki-users, role user"),
        (
            ActiveOnlyOnce(wanted=True),
            {"added": ago(9), "seen": seen_at(ago(9))},
            "last seen within a day of being added",
        ),
        (AddedFor(9), {"added": day("2026-05-01")}, "added 2026-05-01, 205 days"),
        (AttributeIs("department", ("Sales*",)), {"attributes": (("department", "Sales 1"),)}, "department Sales*"),
        (AccountIs(("712020:1",)), {}, "listed in the policy"),
    ],
)
def test_a_plan_says_why_in_plain_words(node: Node, facts: dict[str, Any], sentence: str) -> None:
    someone = user(**facts)
    assert verdict(node, someone) is True
    assert why(Match(all=(node,)), someone, HERE) == sentence


@pytest.mark.parametrize(
    ("node", "facts", "text"),
    [
        (StatusIs(("active",)), {"status": "unknown"}, "status active: unknown, the status is not known"),
        (LicenseIs(("seat",)), {"license": "unknown"}, "license seat: unknown, the license is not known"),
        (InStatusFor(9), {"status": "deactivated"}, "in_status_for 9d: unknown, deactivated since an unknown day"),
        (
            InStatusFor(9),
            {"status_by": ago(30)},
            "in_status_for 9d: yes, active by the snapshots: since 2026-10-23 at the latest, 30 days",
        ),
        (
            InStatusFor(9),
            {"status_by": ago(3)},
            "in_status_for 9d: unknown, active by the snapshots: since 2026-11-19 at the latest, and not known before",
        ),
        (
            InStatusFor(9),
            {"status_by": ago(3), "status_after": ago(9)},
            "in_status_for 9d: no, active by the snapshots: since 2026-11-13 at the earliest, 9 days",
        ),
        (
            InStatusFor(9),
            {"status_by": ago(3), "status_after": ago(10)},
            "in_status_for 9d: unknown, active by the snapshots: since a day between 2026-11-12 and 2026-11-19",
        ),
        (
            InStatusFor(9),
            {"status_by": ago(9), "status_after": ago(20)},
            "in_status_for 9d: unknown, active by the snapshots: since a day between 2026-11-02 and 2026-11-13",
        ),
        (AddedFor(9), {"added": None}, "added_for 9d: unknown, added an unknown day"),
        (AddedFor(9), {"added": ago(1)}, "added_for 9d: no, added 2026-11-21, 1 day"),
        (AddedFor(9), {"added": ago(0)}, "added_for 9d: no, added 2026-11-22, 0 days"),
        (AddedFor(9), {"added": ago(-3)}, "added_for 9d: no, added 2026-11-25, 0 days"),
        (
            InactiveFor(9),
            {"seen": seen_at(ago(0))},
            (
                "inactive_for 9d: no, last seen 2026-11-22 (directory, up to 1 day late), 0 days;"
                " added 2024-02-26, 1000 days"
            ),
        ),
        (
            InactiveFor(9),
            {"seen": seen_at(ago(1))},
            (
                "inactive_for 9d: no, last seen 2026-11-21 (directory, up to 1 day late), 0 days;"
                " added 2024-02-26, 1000 days"
            ),
        ),
        (ManagedIs(wanted=True), {}, "managed true: unknown, whether it is managed is not known"),
        (EmailIs(present=True), {}, "email present: unknown, whether there is an e-mail address is not known"),
        (EmailIs(present=False), {"has_email": True}, "email absent: no, an e-mail address is shown"),
        (InDirectory(("gone",)), {}, "directory gone: unknown, the site has no directory gone"),
        (NameIs(("a*", "b*")), {"id": "712020:2"}, "name (2 patterns): unknown, the name is not known here"),
        (NameIs(("b*",)), {}, "name (1 pattern): no, the name does not fit"),
        (HasRole(("site-admin",)), {}, "has_role site-admin: unknown, the administrative roles are not known"),
        (HasRole(("site-admin",)), {"roles": ()}, "has_role site-admin: no, holds none of these roles"),
        (SeatVia(("gone",)), {}, "seat_via gone: unknown, the site has no group gone"),
        (SeatVia(("board",)), {}, "seat_via board: unknown, how the license is held is not known"),
        (
            SeatVia(("board",), direct=True),
            {"seats": (WIKI,)},
            "seat_via board, a direct role: unknown, roles that are held directly are not known",
        ),
        (SeatVia(("board",)), {"seats": (WIKI,)}, "seat_via board: no, no license in such a way"),
        (
            ActiveOnlyOnce(wanted=True),
            {"seen": seen_at(ago(3))},
            "active_only_once true: unknown, whether it was used more than once is not known",
        ),
        (
            ActiveOnlyOnce(wanted=True),
            {"seen": Unknown("not read")},
            "active_only_once true: unknown, activity unknown: not read",
        ),
        (ActiveOnlyOnce(wanted=True), {"seen": Never()}, "active_only_once true: no, never seen"),
        (
            AttributeIs("job_title", ("Intern",)),
            {},
            "attribute job_title Intern: unknown, the job title is not known",
        ),
        (AccountIs(("a", "b")), {}, "account (2 listed): no, not listed"),
    ],
)
def test_an_explanation_says_what_was_asked_and_what_is_known(node: Node, facts: dict[str, Any], text: str) -> None:
    given = dict(facts)
    someone = user(**{key: value for key, value in given.items() if key != "id"})
    if "id" in given:
        someone = User(id=given["id"], directory="default")
    assert explain_match(Match(all=(node,)), someone, HERE).children[0].text == text


@pytest.mark.parametrize(
    ("node", "facts", "text"),
    [
        (AttributeIs("job_title", ("x",)), {}, "not kept in the snapshot: job title"),
        (AttributeIs("department", ("x",)), {}, "the department is not known"),
        (NameIs(("a*",)), {}, "not kept in the snapshot: name"),
        (SeatVia(direct=True), {"seats": (WIKI,)}, "not kept in the snapshot: roles held directly"),
        (EmailDomain(("acme.com",)), {"domain": None}, "not kept in the snapshot: e-mail domain"),
        (EmailDomain(("acme.com",)), {"domain": None, "has_email": False}, "the e-mail address is hidden"),
        (
            InactiveFor(9, "any"),
            {"seen": seen_at(ago(900)), "elsewhere": None},
            "other products activity unknown: not kept in the snapshot",
        ),
        (
            InactiveFor(9, "jira-software"),
            {"elsewhere": None},
            "jira-software activity unknown: not kept in the snapshot",
        ),
    ],
)
def test_an_explanation_from_a_snapshot_says_what_was_not_kept(node: Node, facts: dict[str, Any], text: str) -> None:
    site = replace(inventory(group(1, "wiki-users")), kept_attributes=("department",))
    found = explain_match(Match(all=(node,)), user(**facts), Scope(NOW, site)).children[0]
    assert found.verdict is None
    assert text in found.text
