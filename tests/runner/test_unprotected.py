"""A protection that ends is told: on top of the next plan, and at each row of whom it protected."""

from __future__ import annotations

import pytest

from cleanup_gitops.model.change import change_digest
from cleanup_gitops.planner.unprotected import PROTECTION_GONE
from cleanup_gitops.policy.documents import Protection
from cleanup_gitops.views.plan import render_markdown, render_text
from tests.runner.office import DORMANT, Office, open_office

ADA, BEN = "712020:0001", "712020:0002"
GLASS = Protection(name="break-glass", owner="security@acme.com", accounts=(ADA,))
WIKI = Protection(name="wiki", owner="security@acme.com", groups=("confluence-users-*",))
GONE = "The last run protected what no Protection protects any more: account 712020:0001 (break-glass)."

pytestmark = pytest.mark.case("F14")


def office_under(*protections: Protection) -> Office:
    """Two dormant people, after a run under these protections."""
    office = open_office(100, 100)
    office.under(policies=(DORMANT,), protections=protections)
    if protections == (GLASS,):
        office.apply(office.plan())
        office.site.happens(BEN, status="active")
    else:
        office.apply()
    return office


def notes(office: Office) -> dict[str, str]:
    return {one.user: one.note for one in office.plan().changes}


def test_an_account_that_is_protected_no_longer_is_told() -> None:
    office = office_under(GLASS)
    assert not office.plan().warnings
    office.under(protections=())
    plan = office.plan()
    assert plan.warnings == (GONE,)
    assert list(notes(office)) == [ADA]
    assert notes(office)[ADA].startswith("protected by break-glass until the last run")


def test_it_stands_above_all_that_a_plan_changes_and_once() -> None:
    office = office_under(GLASS)
    office.under(protections=())
    plan = office.plan()
    for shown, first in ((render_text(plan), "Actions are marked"), (render_markdown(plan), "<details>")):
        assert shown.count(PROTECTION_GONE) == 1
        assert shown.index(PROTECTION_GONE) < shown.index(first)
        assert "Warnings" not in shown


def test_it_is_told_until_a_run_is_recorded_and_changes_no_digest() -> None:
    office = office_under(GLASS)
    office.under(protections=())
    (change,) = office.plan().changes
    run = office.apply(office.plan())
    assert [one.change for one in run.outcomes] == [change_digest(change)]
    assert run.plan.warnings == (GONE,)
    assert not office.plan().warnings


def test_moving_an_entry_to_another_document_ends_nothing() -> None:
    office = office_under(GLASS)
    office.under(protections=(Protection(name="emergency", owner="o@acme.com", accounts=(BEN, ADA)),))
    assert not office.plan().warnings
    assert not office.plan().changes


def test_a_group_and_a_role_that_protect_no_longer_are_told() -> None:
    both = Protection(name="wiki", owner="o", groups=WIKI.groups, roles=("organization-admin",))
    office = office_under(both)
    office.under(protections=())
    (told,) = office.plan().warnings
    assert told.endswith("any more: group confluence-users-*, role organization-admin (wiki).")
    assert list(notes(office)) == [ADA, BEN]
    assert all(one.startswith("protected by wiki until the last run") for one in notes(office).values())


def test_a_run_that_protects_something_else_is_recorded_though_nothing_is_due() -> None:
    office = office_under(WIKI)
    assert office.apply(standing={}, sparing=True).quiet
    office.under(protections=(WIKI, GLASS))
    assert not office.apply(standing={}, sparing=True).quiet
    assert office.apply(standing={}, sparing=True).quiet
