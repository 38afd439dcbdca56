"""What differs between the last snapshot and the site."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from deepdiff import DeepDiff
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.ledger.drift import ACCOUNT_FACTS, GROUP_FACTS, compare, drift_of
from cleanup_gitops.ledger.record import ground_of, record_drift
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.ledger.snapshot import manifest_bytes, manifest_of, snapshot
from cleanup_gitops.model.activity import Never, seen_at
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.user import User
from tests import strategies as some

ADA, BOB, CAI = "712020:ada", "712020:bob", "712020:cai"
UNKNOWN = (None, "unknown")


def account(name: str, *groups: str, **facts: Any) -> User:  # noqa: ANN401 - fields of a User
    """An active person with a seat, in these groups."""
    known: dict[str, Any] = {"status": "active", "kind": "person", "license": "seat", "admin": False, "roles": ()}
    return User(id=name, directory="default", groups=groups, **(known | facts))


def group(name: str, **facts: Any) -> Group:  # noqa: ANN401 - fields of a Group
    known: dict[str, Any] = {"license": "none", "admin": False, "modifiable": True, "grants": ()}
    return Group(id=f"g-{name}", name=name, directory="default", **(known | facts))


def site(users: Sequence[User], groups: Sequence[Group] | None = None, **other: Any) -> Inventory:  # noqa: ANN401
    """A Cloud site with these, in any order; by default with the groups ``users`` and ``wiki``."""
    found = groups if groups is not None else (group("users", license="seat"), group("wiki"))
    return Inventory(
        site="acme",
        hosting=other.pop("hosting", "cloud"),
        as_of=some.AS_OF,
        users=tuple(sorted(users, key=lambda one: one.id)),
        groups=tuple(sorted(found, key=lambda one: one.id)),
        directories=(Directory(id="default", name="Default"),),
        proof=some.proof_of(len(users), len(found)),
        **other,
    )


def files_of(inventory: Inventory, tool_version: str = "0.1.0") -> dict[str, bytes]:
    """The files of a snapshot of it, without a ledger."""
    shot = snapshot(inventory, domains=frozenset())
    manifest = manifest_of(
        inventory, shot.groups, lineage="sha256:0", serial=3, tool_version=tool_version, state="sha256:0"
    )
    return {**shot.files, "manifest.json": manifest_bytes(manifest)}


def settling(address: str, user: str, after: dict[str, str | bool], run: str = "run-1") -> Settling:
    return Settling(run=run, address=address, user=user, at=some.AS_OF, after=after)


BEFORE = site([account(ADA, "g-users"), account(BOB, "g-users", "g-wiki")])


def after(*users: User, groups: Sequence[Group] | None = None) -> Inventory:
    """``BEFORE`` with these accounts as they are here."""
    found = BEFORE.user_by_id | {one.id: one for one in users}
    return site(list(found.values()), groups)


def said(differences: Sequence[Difference]) -> list[tuple[str, str]]:
    return [(one.what, one.address) for one in differences]


@given(some.inventories())
def test_a_site_is_as_it_is(inventory: Inventory) -> None:
    assert compare(inventory, inventory) == ()


@given(some.inventories())
def test_a_site_is_as_it_was_recorded(inventory: Inventory) -> None:
    assert compare(recorded_inventory(files_of(inventory)), inventory) == ()


@given(some.inventories(), st.randoms(use_true_random=False))
def test_the_order_of_lists_means_nothing(inventory: Inventory, chance: random.Random) -> None:
    def mixed(values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return None if values is None else tuple(chance.sample(values, len(values)))

    users = tuple(replace(one, groups=mixed(one.groups), roles=mixed(one.roles)) for one in inventory.users)
    groups = tuple(replace(one, grants=mixed(one.grants), parents=mixed(one.parents) or ()) for one in inventory.groups)
    assert compare(inventory, replace(inventory, users=users, groups=groups)) == ()


@given(some.inventories(), st.data())
def test_what_passes_by_itself_is_no_drift(inventory: Inventory, data: st.DataObject) -> None:
    """The last use, dates, attributes, tokens: nobody decided them, or they are not kept."""
    assume(inventory.users)
    ids = tuple(one.id for one in inventory.groups)
    changed = []
    for user in inventory.users:
        other = data.draw(some.users(user.id, inventory.hosting, ids, (user.directory,)))
        changed.append(replace(other, groups=user.groups, **{one: getattr(user, one) for one in ACCOUNT_FACTS}))
    assert compare(inventory, replace(inventory, users=tuple(changed))) == ()


@given(some.inventories(), st.data())
def test_the_fields_of_a_changed_account_are_those_that_a_general_comparison_finds(
    inventory: Inventory, data: st.DataObject
) -> None:
    """Compared with DeepDiff, which knows nothing of accounts."""
    assume(inventory.users)
    chosen = data.draw(st.sampled_from(inventory.users))
    other = data.draw(some.users(chosen.id, inventory.hosting, (), (chosen.directory,)))
    changed = replace(other, groups=chosen.groups)
    live = replace(inventory, users=tuple(changed if one is chosen else one for one in inventory.users))
    old, new = ({field: getattr(one, field) for field in ACCOUNT_FACTS} for one in (chosen, changed))
    known = [field for field in ACCOUNT_FACTS if old[field] not in UNKNOWN and new[field] not in UNKNOWN]
    expected = DeepDiff({one: old[one] for one in known}, {one: new[one] for one in known}).affected_root_keys
    found = compare(inventory, live)
    assert {field for one in found for field in one.after} == set(expected)
    assert {one.user for one in found} == ({chosen.id} if expected else set())


@given(some.inventories(), st.data())
def test_each_single_change_is_found_and_nothing_else(inventory: Inventory, data: st.DataObject) -> None:
    live, expected = data.draw(planted(inventory))
    found = compare(inventory, live)
    assert [(one.what, one.user, one.group) for one in found] == [expected]
    mirrored = compare(live, inventory)
    assert [(one.user, one.group) for one in mirrored] == [expected[1:]]
    assert [(one.before, one.after) for one in mirrored] == [(one.after, one.before) for one in found]


@st.composite
def planted(draw: st.DrawFn, inventory: Inventory) -> tuple[Inventory, tuple[str, str, str]]:
    """The inventory after one act of somebody else, and the one difference that it makes."""
    users, groups = inventory.users, inventory.groups
    acts: list[str] = ["user.appeared"]
    acts += ["user.vanished"] if users else []
    acts += ["group.renamed"] if groups else []
    acts += ["group.appeared"]
    acts += ["status"] if any(one.status != "unknown" for one in users) else []
    acts += ["membership"] if groups and any(one.groups is not None for one in users) else []
    match draw(st.sampled_from(acts)):
        case "user.appeared":
            new = draw(some.users("712020:zz-new", inventory.hosting, tuple(one.id for one in groups), ("default",)))
            return replace(inventory, users=_sorted([*users, new])), ("user.appeared", new.id, "")
        case "user.vanished":
            gone = draw(st.sampled_from(users))
            return replace(inventory, users=tuple(one for one in users if one is not gone)), (
                "user.vanished",
                gone.id,
                "",
            )
        case "group.renamed":
            one = draw(st.sampled_from(groups))
            named = replace(one, name=one.name + "!")
            return replace(inventory, groups=tuple(named if each is one else each for each in groups)), (
                "group.changed",
                "",
                one.id,
            )
        case "group.appeared":
            fresh = Group(id="g-zz", name="new", directory="default")
            joined = tuple(replace(one, groups=(*one.groups, "g-zz")) if one.groups else one for one in users)
            return replace(inventory, groups=(*groups, fresh), users=joined), ("group.appeared", "", "g-zz")
        case "status":
            one_user = draw(st.sampled_from([one for one in users if one.status != "unknown"]))
            new_status: Any = "disabled" if one_user.status == "active" else "active"
            return _with(inventory, replace(one_user, status=new_status)), ("user.changed", one_user.id, "")
        case _:
            one_user = draw(st.sampled_from([one for one in users if one.groups is not None]))
            member = draw(st.sampled_from([one.id for one in groups]))
            now = tuple(sorted(set(one_user.groups or ()) ^ {member}))
            what = "membership.added" if member in now else "membership.removed"
            return _with(inventory, replace(one_user, groups=now)), (what, one_user.id, member)


def _with(inventory: Inventory, user: User) -> Inventory:
    return replace(inventory, users=tuple(user if one.id == user.id else one for one in inventory.users))


def _sorted(users: Sequence[User]) -> tuple[User, ...]:
    return tuple(sorted(users, key=lambda one: one.id))


def test_an_account_that_vanished_is_one_row_with_all_that_was_known() -> None:
    (one,) = compare(BEFORE, site([account(ADA, "g-users")]))
    assert said([one]) == [("user.vanished", f"user/{BOB}")]
    assert one.before == {
        "status": "active",
        "kind": "person",
        "license": "seat",
        "directory": "default",
        "admin": False,
        "roles": (),
        "groups": ("g-users", "g-wiki"),
    }
    assert one.after == {}


def test_an_account_that_appeared_is_one_row_with_its_groups() -> None:
    (one,) = compare(BEFORE, after(account(CAI, "g-wiki", license="none", domain="acme.com")))
    assert said([one]) == [("user.appeared", f"user/{CAI}")]
    assert one.after["groups"] == ("g-wiki",)
    assert "domain" not in one.after


def test_a_group_that_vanished_is_one_row_with_its_members() -> None:
    live = after(account(BOB, "g-users"), groups=[group("users", license="seat")])
    (one,) = compare(BEFORE, live)
    assert said([one]) == [("group.vanished", "group/g-wiki")]
    assert one.before["members"] == (BOB,)
    assert one.before["name"] == "wiki"


def test_what_a_group_gives_is_compared_as_a_set() -> None:
    grants = (Grant("confluence", "user"), Grant("jira", "user"))
    live = after(groups=[group("users", license="seat"), group("wiki", grants=grants, synced=True)])
    (one,) = compare(BEFORE, live)
    assert one.before == {"grants": ()}
    assert one.after == {"grants": ("confluence: user", "jira: user")}


def test_a_group_may_be_called_unknown() -> None:
    groups = [group("users", license="seat"), replace(group("wiki"), name="unknown")]
    (one,) = compare(BEFORE, after(groups=groups))
    assert one.after == {"name": "unknown"}


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ({"status": "unknown"}, {"status": "suspended"}),
        ({"license": "seat"}, {"license": "unknown"}),
        ({"admin": None}, {"admin": True}),
        ({"roles": ("site-admin",)}, {"roles": None}),
        ({"groups": None}, {"groups": ("g-wiki",)}),
        ({"groups": ("g-wiki",)}, {"groups": None}),
    ],
)
def test_what_is_unknown_on_either_side_is_no_difference(was: dict[str, Any], now: dict[str, Any]) -> None:
    one = account(ADA)
    assert compare(site([replace(one, **was)]), site([replace(one, **now)])) == ()


def test_no_use_of_the_site_is_drift() -> None:
    used = account(ADA, "g-users", seen=seen_at(some.AS_OF), added=some.AS_OF)
    idle = account(ADA, "g-users", seen=Never(None), attributes=(("department", "Sales"),))
    assert compare(site([idle]), site([used])) == ()


def test_a_data_center_has_the_directory_in_its_addresses() -> None:
    was = site([replace(account("ada", "g-users"), directory="1")], hosting="datacenter")
    now = site([replace(account("ada", "g-wiki", status="disabled"), directory="1")], hosting="datacenter")
    assert said(compare(was, now)) == [
        ("membership.removed", "membership/1/g-users/ada"),
        ("membership.added", "membership/1/g-wiki/ada"),
        ("user.changed", "user/1/ada"),
    ]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Inventory, Inventory]:
    """Two readings of a site that have little in common."""
    hosting = draw(some.HOSTINGS)
    was, now = (draw(some.inventories(hosting, max_users=3, max_groups=3)) for _ in range(2))
    return was, now


class TestLateEffects:
    """What a run of ours had written, and the site shows only now."""

    def drift(self, live: Inventory, *waiting: Settling, before: Inventory = BEFORE) -> Sequence[Difference]:
        found = drift_of(files_of(before), live, waiting)
        assert found is not None
        return found.differences

    def test_a_membership_that_ended_late_is_ours_and_so_is_the_license_that_went_with_it(self) -> None:
        ours = settling(f"membership/g-users/{BOB}", BOB, {"member": False})
        found = self.drift(after(account(BOB, "g-wiki", license="none")), ours)
        assert [(one.what, one.run) for one in found] == [("membership.removed", "run-1"), ("user.changed", "run-1")]

    def test_the_opposite_of_what_we_wrote_is_not_ours(self) -> None:
        ours = settling(f"membership/g-wiki/{ADA}", ADA, {"member": False})
        (one,) = self.drift(after(account(ADA, "g-users", "g-wiki")), ours)
        assert (one.what, one.run) == ("membership.added", "")

    def test_a_change_that_is_ours_in_part_is_two_differences(self) -> None:
        ours = settling(f"user/{BOB}", BOB, {"status": "suspended"})
        live = after(account(BOB, "g-users", "g-wiki", status="suspended", admin=True))
        assert [(one.after, one.run) for one in self.drift(live, ours)] == [
            ({"admin": True}, ""),
            ({"status": "suspended"}, "run-1"),
        ]

    def test_a_license_is_not_ours_when_others_changed_groups_of_the_same_account(self) -> None:
        ours = settling(f"membership/g-wiki/{BOB}", BOB, {"member": False})
        found = self.drift(after(account(BOB, license="none")), ours)
        assert [(one.what, one.group, one.run) for one in found] == [
            ("membership.removed", "g-users", ""),
            ("membership.removed", "g-wiki", "run-1"),
            ("user.changed", "", ""),
        ]

    def test_a_license_that_went_is_ours_when_others_only_gave_a_group(self) -> None:
        ours = settling(f"membership/g-users/{BOB}", BOB, {"member": False})
        before = after(account(BOB, "g-users"))
        found = self.drift(after(account(BOB, "g-wiki", license="none")), ours, before=before)
        assert [(one.what, one.group, one.run) for one in found] == [
            ("membership.removed", "g-users", "run-1"),
            ("membership.added", "g-wiki", ""),
            ("user.changed", "", "run-1"),
        ]

    def test_a_role_that_ended_late_shows_in_the_license(self) -> None:
        ours = settling(f"role/user/{BOB}", BOB, {"held": False})
        (one,) = self.drift(after(account(BOB, "g-users", "g-wiki", license="none")), ours)
        assert (one.after, one.run) == ({"license": "none"}, "run-1")

    def test_a_license_that_somebody_gave_does_not_come_from_a_role_that_we_took(self) -> None:
        ours = settling(f"role/user/{BOB}", BOB, {"held": False})
        before = after(account(BOB, "g-users", "g-wiki", license="none"))
        (one,) = self.drift(after(account(BOB, "g-users", "g-wiki", license="seat")), ours, before=before)
        assert (one.after, one.run) == ({"license": "seat"}, "")

    @pytest.mark.parametrize(
        ("was", "now", "run"),
        [
            ({"admin": True, "roles": ("site-admin",)}, {"admin": False, "roles": ()}, "run-1"),
            ({"admin": False, "roles": ()}, {"admin": True, "roles": ("site-admin",)}, ""),
            ({"roles": ("a", "b")}, {"roles": ("b", "c")}, ""),
            ({"external": False}, {"external": True}, ""),
        ],
    )
    def test_what_goes_with_a_group_is_ours_and_what_comes_is_not(
        self, was: dict[str, Any], now: dict[str, Any], run: str
    ) -> None:
        ours = settling(f"membership/g-wiki/{BOB}", BOB, {"member": False})
        before = after(account(BOB, "g-users", "g-wiki", **was))
        found = self.drift(after(account(BOB, "g-users", **now)), ours, before=before)
        assert [(one.what, one.run) for one in found] == [("membership.removed", "run-1"), ("user.changed", run)]

    @pytest.mark.parametrize("stays", [True, False])
    def test_whoever_leaves_the_directory_leaves_its_groups(self, stays: bool) -> None:
        ours = settling(f"user/{BOB}", BOB, {"status": "absent"})
        left = [account(BOB, status="absent", license="none")] if stays else []
        found = self.drift(site([account(ADA, "g-users"), *left]), ours)
        assert len(found) == (4 if stays else 1)
        assert {one.run for one in found} == {"run-1"}

    def test_an_account_that_is_gone_is_not_ours_when_it_was_only_to_be_suspended(self) -> None:
        ours = settling(f"user/{BOB}", BOB, {"status": "suspended"})
        (one,) = self.drift(site([account(ADA, "g-users")]), ours)
        assert (one.what, one.run) == ("user.vanished", "")

    @given(pairs(), st.data())
    def test_naming_runs_loses_and_invents_nothing(
        self, pair: tuple[Inventory, Inventory], data: st.DataObject
    ) -> None:
        was, now = pair
        plain = compare(was, now)
        waiting = [
            settling(one.address, one.user, {name: one.after[name] for name in list(one.after)[:1]})  # type: ignore[misc]
            for one in plain
            if one.user and data.draw(st.booleans())
            if one.what != "user.appeared"
        ]
        drift = drift_of(files_of(was), now, waiting)
        assert drift is not None
        assert _merged(drift.differences) == _merged(plain)


def _merged(differences: Sequence[Difference]) -> Mapping[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for one in differences:
        before, now = found.setdefault((one.address, one.what), ({}, {}))
        assert not one.after.keys() & now.keys()
        before.update(one.before)
        now.update(one.after)
    return found


def test_a_drift_says_what_it_was_compared_with() -> None:
    drift = drift_of(files_of(BEFORE, "0.0.9"), replace(BEFORE, as_of=some.AS_OF + timedelta(days=1)), ())
    assert drift is not None
    assert (drift.site, drift.serial, drift.recorded_by) == ("acme", 3, "0.0.9")
    assert drift.as_of - drift.since == timedelta(days=1)
    assert drift.differences == drift.by_others == drift.late == ()


def test_before_the_first_snapshot_there_is_nothing_to_compare_with() -> None:
    assert drift_of({}, BEFORE, ()) is None


def test_a_snapshot_that_cannot_be_read_is_no_empty_answer() -> None:
    with pytest.raises(StateError):
        drift_of(files_of(BEFORE) | {"manifest.json": b"{}"}, BEFORE, ())


@given(pairs())
def test_a_recorded_drift_is_read_back_and_is_none_any_more(pair: tuple[Inventory, Inventory]) -> None:
    was, now = pair
    first = ground_of("acme", {}, tool_version="0.1.0")
    before = drift_of(files_of(was), was, ())
    assert before is not None
    ground = first.after(record_drift(first, drift=before, inventory=was, time=some.AS_OF))
    drift = drift_of(ground.before, now, ground.memory.settling)
    assert drift is not None
    assert drift.run == "20261122T091500Z-drift"
    record = record_drift(ground, drift=drift, inventory=now, time=some.AS_OF + timedelta(hours=1))
    assert record.entry is not None
    data = record.files[f"runs/{record.entry.run}/drift.jsonl"]
    assert data is not None
    assert tuple(msgspec.json.decode(line, type=Difference) for line in data.splitlines()) == drift.differences
    again = drift_of(ground.after(record).before, now, record.memory.settling)
    assert again is not None
    assert again.differences == ()
    assert (again.run, again.serial) == (record.entry.run, 2)


def test_every_fact_that_is_compared_is_a_field() -> None:
    assert set(ACCOUNT_FACTS) < set(User.__struct_fields__)
    assert set(GROUP_FACTS) < set(Group.__struct_fields__)
