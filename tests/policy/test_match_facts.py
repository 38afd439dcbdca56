"""Conditions about one plain fact: yes, no, and unknown wherever the site did not tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.model.activity import Activity, Never, Seen, Unknown, seen_at
from cleanup_gitops.model.user import GrantSeat, SeatPath, User
from cleanup_gitops.policy.match import Scope, compile_match, explain_match, why
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.patterns import normal_domain
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
    HasRole,
    HasSeat,
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
from tests.policy.documents import load_texts, policy
from tests.policy.facts_here import BOARD, HERE, ROLE, SUITE, WIKI, verdict
from tests.policy.users import NOW, ago, inventory, scope, user


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (("active",), "active", True),
        (("active",), "suspended", False),
        (("suspended",), "suspended", True),
        (("suspended",), "disabled", False),
        (("disabled",), "suspended", True),
        (("disabled",), "disabled", True),
        (("disabled",), "deactivated", False),
        (("deactivated", "deleting"), "deleting", True),
        (("absent",), "absent", True),
        (("active",), "unknown", None),
        (("disabled", "active"), "unknown", None),
    ],
)
def test_a_status_is_a_word_and_disabled_is_the_one_for_every_hosting(
    words: tuple[Any, ...], status: str, expected: bool | None
) -> None:
    assert verdict(StatusIs(words), user(status=status)) is expected


@pytest.mark.case("E48")
@pytest.mark.parametrize(
    ("licenses", "license_", "expected"),
    [
        (("guest",), "guest", True),
        (("guest",), "seat", False),
        (("guest",), "none", False),
        (("seat", "guest"), "guest", True),
        (("none",), "none", True),
        (("none",), "unknown", None),
    ],
)
def test_guests_are_a_class_of_their_own(licenses: tuple[Any, ...], license_: str, expected: bool | None) -> None:
    assert verdict(LicenseIs(licenses), user(license=license_)) is expected
    assert verdict(LicenseIs(licenses), user(license=license_, status="suspended")) is expected


@pytest.mark.case("E48")
def test_a_policy_about_guests_has_its_own_threshold_and_leaves_seats_alone() -> None:
    match = Match(all=(LicenseIs(("guest",)), InactiveFor(180)))
    asked = compile_match(match, HERE).verdict
    assert asked(user(license="guest", seen=seen_at(ago(182)))) is True
    assert asked(user(license="guest", seen=seen_at(ago(181)))) is False
    assert asked(user(license="seat", seen=seen_at(ago(900)))) is False
    assert asked(user(license="unknown", seen=seen_at(ago(900)))) is None


@pytest.mark.parametrize(("more", "expected"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("days", [1, 30, 365])
@pytest.mark.parametrize("hour", [0, 23])
def test_days_in_a_status_and_since_being_added_are_strictly_more(
    days: int, more: int, expected: bool, hour: int
) -> None:
    at = ago(days + more, hour)
    assert verdict(InStatusFor(days), user(status="suspended", status_since=at)) is expected
    assert verdict(AddedFor(days), user(added=at)) is expected


def test_days_without_a_beginning_are_unknown() -> None:
    assert verdict(InStatusFor(1), user(status_since=None)) is None
    assert verdict(AddedFor(1), user(added=None)) is None


@pytest.mark.parametrize(
    ("field", "node", "opposite"),
    [
        ("managed", ManagedIs(wanted=True), ManagedIs(wanted=False)),
        ("synced", SyncedIs(wanted=True), SyncedIs(wanted=False)),
        ("external", ExternalIs(wanted=True), ExternalIs(wanted=False)),
        ("has_email", EmailIs(present=True), EmailIs(present=False)),
    ],
)
def test_a_fact_that_was_not_told_is_neither_so_nor_not_so(field: str, node: Node, opposite: Node) -> None:
    for told in (True, False, None):
        assert verdict(node, user(**{field: told})) is told
        assert verdict(opposite, user(**{field: told})) is (None if told is None else not told)


@pytest.mark.case("E50")
def test_people_from_outside_have_a_policy_and_a_threshold_of_their_own() -> None:
    """By being external, or by their domain; whose address is hidden, nobody knows."""
    match = Match(
        all=(HasSeat(wanted=True), InactiveFor(45)), any=(ExternalIs(wanted=True), EmailDomain(("partner.example",)))
    )
    asked = compile_match(match, HERE).verdict
    long_ago = seen_at(ago(47))
    assert asked(user(external=True, domain="other.example", seen=long_ago)) is True
    assert asked(user(external=None, domain="partner.example", seen=long_ago)) is True
    assert asked(user(external=True, domain="other.example", seen=seen_at(ago(46)))) is False
    assert asked(user(external=False, domain="acme.com", seen=long_ago)) is False
    assert asked(user(external=None, domain=None, seen=long_ago)) is None
    assert asked(user(external=None, domain=None, seen=seen_at(ago(3)))) is False


@pytest.mark.case("E42")
@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("default",), True),
        (("DEFAULT",), True),
        (("def*",), True),
        (("Default",), True),
        (("other",), False),
        (("other", "default"), True),
        (("Another directory",), False),
        (("default", "not there"), None),
        (("no*",), None),
    ],
)
def test_a_directory_is_named_by_its_id_or_its_name(patterns: tuple[str, ...], expected: bool | None) -> None:
    where = Scope(NOW, inventory(directories=("default", "Default"), other=("other", "Another directory")))
    assert verdict(InDirectory(patterns), user(), where) is expected
    missing = tuple(Missing("directory", one) for one in patterns if one in ("not there", "no*"))
    assert compile_match(Match(none=(InDirectory(patterns),)), where).missing == missing


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("Ada *",), True),
        (("ADA BEISPIEL (EXTERN)",), True),
        (("*(extern)",), True),
        (("Ada",), False),
        (("Bob*", "ada*"), True),
        (("[A]da*",), False),
    ],
)
def test_a_name_is_compared_without_regard_to_case(patterns: tuple[str, ...], expected: bool) -> None:
    assert verdict(NameIs(patterns), user()) is expected


def test_a_name_that_is_not_known_is_unknown() -> None:
    assert verdict(NameIs(("*a*",)), user(), scope()) is None
    for account in ("712020:2", "712020:3"):
        someone = User(id=account, directory="default")
        assert verdict(NameIs(("*a*",)), someone) is None


@pytest.mark.case("E78", "F21")
def test_no_text_holds_a_name_or_an_attribute_of_a_person() -> None:
    match = Match(
        all=(NameIs(("Ada Beispiel (Extern)",)), AttributeIs("job_title", ("Head *",)), AttributeIs("location", ("x",)))
    )
    someone = user(attributes=(("job_title", "Head of Ada's office"), ("location", "Ada's home")))
    found = explain_match(Match(none=(match,)), someone, HERE)
    texts = [found.text, why(match, someone, HERE), *(part.text for part in found.children[0].children)]
    assert len(texts) == 5
    assert not [text for text in texts if "Ada" in text or "Beispiel" in text]
    assert "name (1 pattern): yes, the name fits" in texts
    assert "attribute job_title Head *: yes, job title Head *" in texts
    assert "attribute location x: no, another location" in texts


@pytest.mark.parametrize(
    ("roles", "held", "expected"),
    [
        (("organization-admin",), ("confluence-admin", "organization-admin"), True),
        (("site-admin", "confluence-admin"), ("confluence-admin",), True),
        (("site-admin",), ("confluence-admin",), False),
        (("site-admin",), (), False),
        (("site-admin",), None, None),
    ],
)
def test_roles_are_those_that_were_told(
    roles: tuple[str, ...], held: tuple[str, ...] | None, expected: bool | None
) -> None:
    assert verdict(HasRole(roles), user(roles=held)) is expected


@pytest.mark.case("E30", "E37", "E39")
@pytest.mark.parametrize(
    ("node", "seats", "expected"),
    [
        (SeatVia(("wiki-users",)), (WIKI,), True),
        (SeatVia(("WIKI-*",)), (WIKI,), True),
        (SeatVia(("wiki-users",)), (SUITE,), True),
        (SeatVia(("product-suite",)), (SUITE,), True),
        (SeatVia(("product-suite",)), (WIKI,), False),
        (SeatVia(("board",)), (WIKI, BOARD), True),
        (SeatVia(("board", "wiki-users")), (WIKI,), True),
        (SeatVia(("board",)), (WIKI, ROLE), False),
        (SeatVia(("board",)), (), False),
        (SeatVia(("board",)), None, None),
        (SeatVia(("board", "gone")), (BOARD,), None),
        (SeatVia(("gone-*",), direct=True), (ROLE,), True),
        (SeatVia(("gone-*",), direct=True), (BOARD,), None),
        (SeatVia(("board",), direct=True), (ROLE,), True),
        (SeatVia(("board",), direct=True), (BOARD,), True),
        (SeatVia(("board",), direct=True), (WIKI,), False),
        (SeatVia(direct=True), (WIKI, ROLE), True),
        (SeatVia(direct=True), (GrantSeat("USECONFLUENCE"),), True),
        (SeatVia(direct=True), (WIKI,), False),
        (SeatVia(direct=True), None, None),
    ],
)
def test_a_seat_is_held_through_groups_or_by_a_role(
    node: SeatVia, seats: tuple[SeatPath, ...] | None, expected: bool | None
) -> None:
    assert verdict(node, user(seats=seats, direct=())) is expected
    missing = tuple(one for one in node.groups if one.startswith("gone"))
    assert compile_match(Match(any=(node,)), HERE).missing == tuple(Missing("group", one) for one in missing)


@pytest.mark.parametrize(
    ("node", "seats", "expected"),
    [
        (SeatVia(direct=True), (WIKI,), None),
        (SeatVia(direct=True), (), None),
        (SeatVia(direct=True), (ROLE,), True),
        (SeatVia(("board",), direct=True), (WIKI,), None),
        (SeatVia(("board",), direct=True), (BOARD,), True),
        (SeatVia(("board",)), (WIKI,), False),
    ],
)
def test_a_role_beside_a_group_is_unknown_until_it_was_asked_for(
    node: SeatVia, seats: tuple[SeatPath, ...] | None, expected: bool | None
) -> None:
    assert verdict(node, user(seats=seats, direct=None)) is expected
    assert Match(none=(Match(any=(node,)),)).questions == (frozenset({"roles"}) if node.direct else frozenset())


@pytest.mark.parametrize(
    ("added", "seen", "expected"),
    [
        (ago(100, 23), seen_at(ago(100, 23)), True),
        (ago(100, 23), seen_at(ago(100, 1)), True),
        (ago(100, 1), seen_at(ago(99, 23)), True),
        (ago(100, 23), seen_at(ago(98, 0)), None),
        (ago(100), seen_at(ago(101)), None),
        (ago(100), Seen(ago(100, 0), ago(99, 23)), True),
        (ago(100), Seen(ago(101), ago(100)), None),
        (ago(100), Seen(ago(100), ago(98)), None),
        (None, seen_at(ago(100)), None),
        (ago(100), Unknown("not read"), None),
        (None, Unknown("not read"), None),
    ],
)
def test_once_is_certain_only_where_nothing_was_seen_after_the_first_day(
    added: datetime | None, seen: Activity, expected: bool | None
) -> None:
    someone = user(added=added, seen=seen)
    assert verdict(ActiveOnlyOnce(wanted=True), someone) is expected
    assert verdict(ActiveOnlyOnce(wanted=False), someone) is (None if expected is None else not expected)


@pytest.mark.parametrize("added", [None, ago(100)])
def test_who_never_came_did_not_come_once(added: datetime | None) -> None:
    assert verdict(ActiveOnlyOnce(wanted=True), user(added=added, seen=Never(added))) is False
    assert verdict(ActiveOnlyOnce(wanted=False), user(added=added, seen=Never(added))) is True


@pytest.mark.case("E6")
def test_who_came_only_once_must_not_have_come_back() -> None:
    """The use of Confluence that the condition relies on is asked for again before anything is written."""
    assert Match(all=(ActiveOnlyOnce(wanted=True),)).products == {"confluence"}
    assert not Match(all=(AddedFor(3), LicenseIs(("guest",)))).products


@pytest.mark.parametrize(
    ("patterns", "attributes", "expected"),
    [
        (("Sales*",), (("department", "sales EMEA"),), True),
        (("Sales",), (("department", "Sales EMEA"),), False),
        (("Sales*", "Legal"), (("department", "LEGAL"), ("location", "Oslo")), True),
        (("Sales*",), (("location", "Sales"),), None),
        (("Sales*",), (), None),
        (("Sales*",), (("department", ""),), False),
    ],
)
def test_an_attribute_that_is_not_listed_is_unknown(
    patterns: tuple[str, ...], attributes: tuple[tuple[str, str], ...], expected: bool | None
) -> None:
    assert verdict(AttributeIs("department", patterns), user(attributes=attributes)) is expected


def test_one_compiled_condition_keeps_values_apart() -> None:
    asked = compile_match(Match(all=(AttributeIs("department", ("Sales*",)),)), HERE).verdict
    values: Sequence[tuple[str, bool]] = (("Sales", True), ("Legal", False), ("Sales", True), ("Legal", False))
    for value, expected in values:
        assert asked(user(attributes=(("department", value),))) is expected


@pytest.mark.case("E25", "E46")
def test_an_account_is_named_by_its_id_exactly() -> None:
    assert verdict(AccountIs(("712020:9", "712020:1")), user()) is True
    assert verdict(AccountIs(("712020:11", "712020:", "712020:2")), user()) is False


@pytest.mark.case("E32", "E33")
@pytest.mark.parametrize(
    ("written", "domain", "expected"),
    [
        ("Example.COM", "example.com", True),
        ("example.com.", "example.com", True),
        ("EXAMPLE.com", "eu.example.com", False),
        ("'*.Example.com'", "eu.example.com", True),
        ("'*.example.com.'", "a.b.example.com", True),
        ("'*.example.com'", "example.com", False),
        ("'*.example.com'", "notexample.com", False),
        ("Bücher.example", "xn--bcher-kva.example", True),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example", True),
        ("'*.Bücher.example'", "shop.xn--bcher-kva.example", True),
        ("bücher。example", "xn--bcher-kva.example", True),
        ("bucher.example", "xn--bcher-kva.example", False),
        ("example.com", None, None),
        ("'*.example.com'", None, None),
    ],
)
def test_domains_have_one_form_however_they_are_written(
    tmp_path: Path, written: str, domain: str | None, expected: bool | None
) -> None:
    (found,) = load_texts(tmp_path / "p", policy(f"{{all: [{{email_domain: {written}}}]}}")).for_site("acme").policies
    (node,) = found.match.all
    assert verdict(node, user(domain=domain)) is expected


@pytest.mark.case("E32")
def test_a_domain_of_the_directory_gets_the_same_form() -> None:
    for text in ("Bücher.Example", "BÜCHER.example.", "xn--bcher-kva.EXAMPLE", "bücher．example"):
        assert normal_domain(text) == "xn--bcher-kva.example"
    for text in ("", ".", "example", "a..b", ".example.com", "exa mple.com", "example.com.."):
        assert normal_domain(text) is None


@pytest.mark.case("E32")
def test_a_domain_may_be_as_long_as_the_name_system_allows() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 57, "com"])
    assert len(longest) == 253
    assert normal_domain(longest) == longest
    assert normal_domain(longest.replace("b", "bb", 1)) is None
