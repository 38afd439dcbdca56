"""What is known of an account after a change, and what it was before our own changes."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Unknown, seen_at
from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    StatusChange,
    TokenRevoke,
    UserDisable,
    UserEnable,
    UserRemove,
    execution_order,
)
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import GrantSeat, GroupSeat, Lifecycle, RoleSeat, SeatPath, User
from cleanup_gitops.planner import rewound
from cleanup_gitops.planner.assume import assume_user, joined, left, seat_paths
from tests.planner.test_laws import invented, planned
from tests.policy.users import ago, group, inventory, user

TEAM, STAFF, WIKI = "g-1", "g-2", "g-3"


@pytest.mark.parametrize(("kind", "new"), [(UserDisable, "suspended"), (UserEnable, "active"), (UserRemove, "absent")])
def test_since_when_the_old_status_was_so_says_nothing_of_the_new_one(kind: type[StatusChange], new: str) -> None:
    old = user(groups=(), status_since=ago(400), status_by=ago(400), status_after=ago(401))
    change = kind(address="user/1", user=old.id, directory="default", old="active", new=new)  # type: ignore[arg-type]
    after = assume_user(old, [change], inventory(users=[old]))
    assert after.status == new
    assert (after.status_since, after.status_by, after.status_after) == (None, None, None)


def nested(*rest: Group) -> Inventory:
    """A team in the staff, which is in the group with the seats; the team's own group gives none."""
    groups = (
        replace(group(1, "team", parents=(STAFF,)), license="none"),
        replace(group(2, "staff", parents=(WIKI,)), license="none"),
        replace(group(3, "wiki"), license="seat"),
    )
    return inventory(*groups, *rest)


def test_a_seat_comes_with_the_group_that_leads_to_it_and_goes_with_it() -> None:
    site = nested()
    bare = user(groups=(), seats=(), license="none")
    member = joined(bare, TEAM, site)
    assert (member.groups, member.seats, member.license) == ((TEAM,), (GroupSeat((TEAM, STAFF, WIKI)),), "seat")
    assert left(member, TEAM, site) == bare
    for other in (STAFF, WIKI):
        assert left(member, other, site) == member


def test_the_same_seat_is_held_once_through_each_direct_membership() -> None:
    site = nested()
    member = joined(joined(user(groups=(), seats=(), license="none"), TEAM, site), WIKI, site)
    assert member.seats == (GroupSeat((TEAM, STAFF, WIKI)), GroupSeat((WIKI,)))
    assert joined(member, TEAM, site) == member
    assert left(member, TEAM, site).license == "seat"


def test_ways_to_a_seat_are_told_nearest_first() -> None:
    near, far = replace(group(4, "near"), license="seat"), replace(group(5, "far", parents=(WIKI,)), license="none")
    site = nested(near, far, group(6, "both", parents=("g-4", "g-5")))
    assert seat_paths("g-6", site) == [GroupSeat(("g-6", "g-4")), GroupSeat(("g-6", "g-5", WIKI))]


def change_of(kind: type[Change], **facts: object) -> Change:
    return kind(address="x", user="712020:1", directory="default", **facts)  # type: ignore[arg-type]


REVOKE = change_of(RoleRevoke, role="user")


def test_a_role_that_is_revoked_is_gone_and_all_others_stay() -> None:
    site = nested()
    seats = (RoleSeat("guest"), RoleSeat("user"), GroupSeat((WIKI,)))
    holder = user(groups=(WIKI,), direct=("guest", "user"), seats=seats)
    after = assume_user(holder, [REVOKE], site)
    assert (after.direct, after.seats, after.license) == (("guest",), (RoleSeat("guest"), GroupSeat((WIKI,))), "seat")
    alone = assume_user(replace(holder, seats=seats[:2]), [REVOKE], site)
    assert (alone.seats, alone.license) == ((RoleSeat("guest"),), "guest")


def test_what_is_not_known_is_not_known_after_a_change_either() -> None:
    site = nested()
    holder = user(groups=(), direct=None, tokens=None, seats=None, license="unknown")
    assert assume_user(holder, [REVOKE, change_of(TokenRevoke, token="t-1")], site) == holder


# -- our own changes thought away ----------------------------------------------------------------------


def test_without_our_changes_a_user_is_as_they_found_the_user() -> None:
    """Whoever goes on with the second change of a user decides about the user as if nothing had been done."""
    kinds: Counter[type[Change]] = Counter()
    for seed in range(80):
        site, policies = invented(seed)
        for account, made in by_user(planned(site, policies).changes).items():
            before = site.user_by_id[account]
            assert plain(rewound(assume_user(before, made, site), before, made, site)) == plain(before)
            kinds.update(type(one) for one in made)
    assert min(kinds[one] for one in (MembershipAdd, MembershipRemove, RoleRevoke, TokenRevoke, UserDisable)) > 0, kinds


def by_user(changes: tuple[Change, ...]) -> dict[str, list[Change]]:
    """In the order in which they are made; without removals, after which nothing else is done to anybody."""
    found: dict[str, list[Change]] = {}
    for one in sorted(changes, key=execution_order):
        if not isinstance(one, UserRemove):
            found.setdefault(one.user, []).append(one)
    return found


def plain(one: User) -> User:
    """Ways to a seat in one order."""
    return one if one.seats is None else replace(one, seats=tuple(sorted(one.seats, key=repr)))


def test_what_others_did_meanwhile_is_not_thought_away() -> None:
    site = nested(replace(group(4, "editors"), license="none"))
    before = user(groups=(WIKI,), seats=(GroupSeat((WIKI,)),), direct=("user",))
    made = [change_of(MembershipRemove, group=WIKI), change_of(NoticeSend, **NOTICE)]
    now = joined(replace(left(before, WIKI, site), status="suspended", admin=True), "g-4", site)
    found = rewound(now, before, made, site)
    assert (found.groups, found.seats, found.license) == ((WIKI, "g-4"), before.seats, "seat")
    assert (found.status, found.admin) == ("suspended", True)


NOTICE = {"policy": "p", "stage": "s", "episode": 1, "template": "t", "template_digest": ""}
TOLD = {
    "seen": seen_at(ago(100)),
    "elsewhere": (("jira-software", seen_at(ago(200))),),
    "seat_since": ago(300),
    "lifecycle": Lifecycle("", ""),
    "tokens": ("t-1",),
    "direct": ("guest",),
}
TOLD_NO_MORE = dict.fromkeys(TOLD) | {"seen": Unknown("no access to Confluence")}
OTHERWISE = {
    "seen": seen_at(ago(1)),
    "elsewhere": (),
    "seat_since": ago(2),
    "lifecycle": Lifecycle("managedAccount", ""),
    "tokens": (),
    "direct": (),
}


@pytest.mark.parametrize("fact", TOLD)
def test_what_is_told_of_nobody_without_access_is_what_was_told_before(fact: str) -> None:
    """A fact that is told now counts: who came back, or was given a token, did so meanwhile."""
    site = nested()
    before = user(groups=(WIKI,), seats=(GroupSeat((WIKI,)),), **TOLD)
    made = [change_of(MembershipRemove, group=WIKI)]
    now = left(before, WIKI, site)
    assert rewound(replace(now, **{fact: TOLD_NO_MORE[fact]}), before, made, site) == before
    other = {fact: OTHERWISE[fact]}
    assert rewound(replace(now, **other), before, made, site) == replace(before, **other)


@pytest.mark.parametrize("held", [(RoleSeat("user"),), (), (GrantSeat("use"), RoleSeat("user"))])
@pytest.mark.parametrize("now", [(), (RoleSeat("user"),), (GroupSeat((WIKI,)),)])
def test_a_role_that_we_revoked_counts_as_held_once_and_only_where_it_gave_a_seat(
    held: tuple[SeatPath, ...], now: tuple[SeatPath, ...]
) -> None:
    site = nested()
    before = user(groups=(), seats=held, direct=("user",), roles=("confluence-admin",))
    after = user(groups=(), seats=now, direct=(), roles=())
    found = rewound(after, before, [REVOKE], site)
    expected = {*now, *(path for path in held if path == RoleSeat("user"))}
    assert found.seats is not None
    assert (len(found.seats), set(found.seats)) == (len(expected), expected)
    assert (found.direct, found.roles) == (("user",), ("confluence-admin",))
    assert found.license == ("seat" if expected else "none")
