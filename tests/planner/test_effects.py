"""A user without the effects of an episode: only what the site still shows as the episode left it is taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from cleanup_gitops.model.activity import Never, Seen, Unknown
from cleanup_gitops.model.group import Grant
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Effect, Known
from cleanup_gitops.model.user import GroupSeat, RoleSeat, User
from cleanup_gitops.planner.effects import taken_back
from tests.fakes import NOON
from tests.runner.office import SEATS, office_site, person

SITE: Inventory = office_site(200)
USER = person(1, 200)
BARE = person(1, 200, ())
ADDRESS = f"user/{USER.id}"
LEFT = Effect(address=f"membership/{SEATS}/{USER.id}", before={"member": True}, after={"member": False})
JOINED = Effect(address=f"membership/g-others/{USER.id}", before={"member": False}, after={"member": True})
SUSPENDED = Effect(address=ADDRESS, before={"status": "active"}, after={"status": "suspended"})
DEACTIVATED = Effect(address=ADDRESS, before={"status": "suspended"}, after={"status": "deactivated"})
REVOKED = Effect(address=f"role/user/{USER.id}", before={"held": True}, after={"held": False})
WEEK = Seen(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 7, tzinfo=UTC), "snapshot")


def back(user: User, *effects: Effect, known: Known | None = None) -> User:
    return taken_back(user, effects, known, SITE)


def so(user: User, **facts: object) -> User:
    return msgspec.structs.replace(user, **facts)


def test_a_seat_that_a_stage_took_counts_as_held() -> None:
    assert back(BARE, LEFT) == USER
    assert back(BARE, LEFT).billed is True


def test_a_group_that_a_stage_gave_does_not_count() -> None:
    user = person(1, 200, ("g-others", SEATS))
    assert back(user, JOINED).groups == (SEATS,)


def test_what_somebody_else_changed_since_stays() -> None:
    assert back(USER, LEFT) is USER
    assert back(BARE, JOINED) is BARE
    deleting = so(USER, status="deleting")
    assert back(deleting, SUSPENDED) is deleting
    held = so(USER, direct=("user",), seats=(RoleSeat("user"),))
    assert back(held, REVOKED) is held


def test_stages_are_taken_back_newest_first() -> None:
    assert back(so(USER, status="deactivated"), SUSPENDED, DEACTIVATED).status == "active"
    assert back(so(USER, status="suspended"), SUSPENDED, DEACTIVATED).status == "active"
    assert back(so(USER, status="deactivated"), SUSPENDED).status == "deactivated"


ENABLED = Effect(address=ADDRESS, before={"status": "suspended"}, after={"status": "active"}, asked=True)


@pytest.mark.parametrize("status", ["suspended", "deactivated", "deleting"])
def test_who_was_to_be_opened_by_others_and_is_closed_was_opened_by_nobody(status: str) -> None:
    closed = so(USER, status=status)
    assert back(closed, ENABLED) is closed
    assert back(USER, ENABLED).status == "suspended"


@pytest.mark.parametrize(
    "effect",
    [
        Effect(address=ADDRESS, before={"status": "unknown"}, after={"status": "suspended"}),
        Effect(address=ADDRESS, before={}, after={"status": "suspended"}),
        Effect(address=ADDRESS, before={"status": "active"}, after={"status": "a newer one"}),
    ],
)
def test_a_status_that_nobody_knew_is_not_taken_back(effect: Effect) -> None:
    user = so(USER, status="suspended")
    assert back(user, effect) is user


def test_a_status_that_was_taken_back_is_as_old_as_was_known() -> None:
    closed = so(USER, status="suspended", status_since=NOON, status_by=NOON, status_after=NOON)
    assert back(closed, SUSPENDED).status_by is None
    found = back(closed, SUSPENDED, known=Known(status_by=date(2026, 1, 5)))
    assert (found.status_since, found.status_by, found.status_after) == (None, datetime(2026, 1, 5, tzinfo=UTC), None)


@pytest.mark.case("E34")
def test_an_identity_provider_may_close_an_account_further_than_it_was_asked_to() -> None:
    asked = so_effect(SUSPENDED)
    for status, expected in (("suspended", "active"), ("disabled", "active"), ("deactivated", "active")):
        assert back(so(USER, status=status), asked).status == expected
    assert back(USER, asked) is USER
    assert back(so(USER, status="unknown"), asked).status == "unknown"


def so_effect(effect: Effect) -> Effect:
    return msgspec.structs.replace(effect, asked=True)


def test_a_role_that_a_stage_took_counts_as_held() -> None:
    site = msgspec.structs.replace(SITE, groups=(), users=())
    found = taken_back(so(BARE, direct=()), (REVOKED,), None, site)
    assert (found.direct, found.seats, found.license) == (("user",), (RoleSeat("user"),), "seat")
    assert taken_back(so(BARE, direct=None), (REVOKED,), None, site).direct is None


def test_a_role_that_is_held_again_was_not_taken_whether_it_gives_a_seat_or_not() -> None:
    for held in (so(BARE, direct=("user",), seats=()), so(BARE, direct=None, seats=(RoleSeat("user"),))):
        assert back(held, REVOKED) is held


def test_a_group_that_is_gone_gives_nothing_back() -> None:
    gone = msgspec.structs.replace(SITE, groups=(), users=())
    assert taken_back(BARE, (LEFT,), None, gone) is BARE


def test_without_known_groups_or_seats_the_license_before_is_not_known_either() -> None:
    for effect in (LEFT, JOINED):
        found = back(so(USER, groups=None), effect)
        assert (found.groups, found.seats, found.license) == (None, None, "unknown")
    found = back(so(BARE, seats=None), LEFT)
    assert (found.groups, found.seats, found.license) == ((SEATS,), None, "unknown")
    assert back(so(USER, seats=None), LEFT).license == "seat"
    assert back(so(BARE, seats=None, direct=()), REVOKED).license == "unknown"


def test_a_removed_account_had_groups_that_nobody_remembers() -> None:
    removed = Effect(address=ADDRESS, before={"status": "active"}, after={"status": "absent"})
    found = back(so(BARE, status="absent"), removed)
    assert (found.status, found.groups, found.seats, found.license) == ("active", None, None, "unknown")


def test_the_last_use_that_was_known_stands_in_only_for_somebody_who_has_no_access() -> None:
    silent, known = Unknown("no access to Confluence"), Known(seen=WEEK)
    assert back(so(BARE, seen=silent), LEFT, known=known).seen == WEEK
    assert back(so(USER, seen=silent, status="suspended"), SUSPENDED, known=known).seen == WEEK
    assert back(so(BARE, seen=silent), LEFT, known=Known(seen=Never(None))).seen == Never(None)
    assert back(so(BARE, seen=silent), LEFT).seen == silent
    assert back(so(USER, seen=silent), LEFT, known=known).seen == silent
    odd = so(person(1, 200, ("g-others", SEATS)), seen=silent, status="unknown")
    assert back(odd, JOINED, known=known).seen == silent
    again = so(person(1, 200, ("g-others",)), license="seat", seats=(GroupSeat(("g-others",)),), seen=silent)
    assert back(again, LEFT, known=known).seen == silent
    assert back(BARE, LEFT, known=known).seen == USER.seen


def test_memberships_of_a_data_center_are_found_by_their_directory() -> None:
    site = msgspec.structs.replace(
        SITE,
        hosting="datacenter",
        groups=tuple(msgspec.structs.replace(one, grants=(Grant("confluence", "user"),)) for one in SITE.groups),
    )
    effect = Effect(address=f"membership/default/{SEATS}/{USER.id}", before={"member": True}, after={"member": False})
    assert taken_back(BARE, (effect,), None, site).groups == (SEATS,)
