"""What a stage had handed off and somebody has done is no drift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Effect, Mark
from cleanup_gitops.model.user import Status
from tests import strategies as some
from tests.ledger.test_drift import ADA, BEFORE, BOB, account, after, files_of, settling

WIKI = f"membership/g-wiki/{BOB}"


def mark(*effects: Effect, user: str = BOB) -> Mark:
    return Mark(user=user, policy="dormant", episode=1, stage="release", entered=some.AS_OF, effects=effects)


def asked(address: str, before: dict[str, str | bool], after: dict[str, str | bool]) -> Effect:
    return Effect(address=address, before=before, after=after, asked=True)


LEAVES = asked(WIKI, {"member": True}, {"member": False})


def drift(live: Inventory, *marks: Mark) -> Drift:
    found = drift_of(files_of(BEFORE), live, (), marks)
    assert found is not None
    return found


def told(differences: Sequence[Difference]) -> list[tuple[str, str]]:
    return [(one.what, one.asked) for one in differences]


def test_a_membership_that_a_stage_asked_to_end_names_the_stage_and_so_does_the_license_that_went_with_it() -> None:
    found = drift(after(account(BOB, "g-users", license="guest")), mark(LEAVES))
    assert found.by_others == found.late == ()
    assert told(found.asked) == [
        ("membership.removed", "dormant/release"),
        ("user.changed", "dormant/release"),
    ]


def test_whatever_else_changed_is_by_others() -> None:
    found = drift(after(account(BOB, "g-users"), account(ADA)), mark(LEAVES))
    assert told(found.asked) == [("membership.removed", "dormant/release")]
    assert [one.user for one in found.by_others] == [ADA]


@pytest.mark.parametrize("done", [False, True])
def test_only_what_the_site_had_not_shown_yet_is_waited_for(done: bool) -> None:
    one = replace(mark(LEAVES), done=some.AS_OF + timedelta(days=1) if done else None)
    found = drift(after(account(BOB, "g-users")), one)
    assert len(found.by_others) == int(done)


def test_what_we_were_to_change_ourselves_was_not_asked_of_anybody() -> None:
    found = drift(after(account(BOB, "g-users")), mark(replace(LEAVES, asked=False)))
    assert told(found.by_others) == [("membership.removed", "")]


@pytest.mark.parametrize(
    ("status", "as_asked"),
    [("suspended", False), ("deactivated", True), ("deleting", True), ("unknown", False)],
)
def test_an_account_may_be_closed_further_than_was_asked_but_not_less(status: Status, as_asked: bool) -> None:
    closes = asked(f"user/{BOB}", {"status": "active"}, {"status": "deactivated"})
    found = drift(after(account(BOB, "g-users", "g-wiki", status=status)), mark(closes))
    assert bool(found.asked) is as_asked
    assert not (as_asked and found.by_others)


def test_an_account_that_is_gone_was_closed() -> None:
    closes = asked(f"user/{BOB}", {"status": "active"}, {"status": "suspended"})
    without = replace(BEFORE, users=tuple(user for user in BEFORE.users if user.id != BOB))
    assert told(drift(without, mark(closes)).differences) == [("user.vanished", "dormant/release")]
    assert told(drift(without, mark(LEAVES)).differences) == [("user.vanished", "")]


def test_an_account_that_was_to_be_opened_and_is_closed_is_by_others() -> None:
    opens = asked(f"user/{ADA}", {"status": "suspended"}, {"status": "active"})
    found = drift(after(account(ADA, "g-users", status="suspended")), mark(opens, user=ADA))
    assert told(found.by_others) == [("user.changed", "")]


def test_what_a_run_had_written_is_its_own_though_a_stage_asked_for_the_same() -> None:
    ours = settling(WIKI, BOB, {"member": False})
    found = drift_of(files_of(BEFORE), after(account(BOB, "g-users")), (ours,), (mark(LEAVES),))
    assert found is not None
    assert [(one.run, one.asked) for one in found.differences] == [("run-1", "")]
