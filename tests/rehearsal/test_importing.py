"""Import: documents of a site as it is plan nothing on it, name nobody, and are the same every time."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.planner.assume import licenses
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.guardrails import Guardrails
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.tree import InGroup, Match
from cleanup_gitops.rehearsal import importing
from cleanup_gitops.rehearsal.importing import Imported, Importing, imported
from tests.case_files import read_inventory
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.strategies import AS_OF

SEEDS = st.integers(0, 2**32)
EMPTY = SitePolicies(site="acme")


def made(inventory: Inventory, policies: SitePolicies = EMPTY) -> Imported:
    return imported(Importing(inventory=inventory, policies=policies, owner="iam-team", internal_domains=True))


def loaded(what: Imported) -> SitePolicies:
    """The documents as the loader reads them from files."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "policies"
        root.mkdir()
        for name, text in what.files.items():
            (root / f"{name}.yaml").write_text(text, "utf-8")
        return load(root).for_site("acme")


def plan_of(inventory: Inventory, policies: SitePolicies) -> Plan:
    return make_plan(inventory, policies, BLANK, created=AS_OF, as_of=AS_OF, tool_version="0")


def site(*users: dict[str, object], groups: tuple[dict[str, object], ...]) -> Inventory:
    rows = [{"seen": "2026-11-20", "groups": [], **one} for one in users]
    told = {"about": "a test", "as_of": AS_OF, "groups": groups, "users": rows}
    return read_inventory(msgspec.json.encode(told))[1]


@settings(max_examples=150)
@given(SEEDS)
def test_what_was_imported_plans_nothing(seed: int) -> None:
    inventory = organization(Random(seed))
    policies = loaded(made(inventory))
    plan = plan_of(inventory, policies)
    assert plan.changes == ()
    assert plan.handoffs == ()
    assert plan.blocked == ()
    assert {one.reason for one in plan.pending} <= {"report"}
    bare = {check.name for check in plan_of(inventory, EMPTY).checks if not check.passed}
    assert {check.name for check in plan.checks if not check.passed} <= bare
    assert not [one for one in plan.warnings if "imported" in one]
    assert plan.adoption == ()


@settings(max_examples=150)
@given(SEEDS)
def test_beside_other_policies_it_adds_nothing_to_a_plan_and_takes_nothing_away(seed: int) -> None:
    rng = Random(seed)
    inventory = organization(rng)
    policies = site_policies(rng, inventory)
    mine = loaded(made(inventory, policies))
    both = replace(policies, policies=(*policies.policies, *mine.policies), groups=mine.groups)
    before, after = plan_of(inventory, policies), plan_of(inventory, both)
    assert [one.address for one in after.changes] == [one.address for one in before.changes]
    assert [one.address for one in after.handoffs] == [one.address for one in before.handoffs]


@settings(max_examples=60)
@given(SEEDS)
def test_the_same_site_gives_the_same_text_and_groups_with_seats_are_not_in_it(seed: int) -> None:
    inventory = organization(Random(seed))
    again = msgspec.json.decode(msgspec.json.encode(inventory), type=Inventory)
    assert made(inventory).files == made(again).files
    for entry in (one for document in loaded(made(inventory)).groups for one in document.entries):
        (group,) = inventory.groups_by_name[entry.name.casefold()]
        assert not entry.exactly
        assert licenses(group.id, inventory) == {"none"}
        assert group.modifiable
        assert not group.synced


def test_the_generated_sites_have_groups_to_write_and_to_leave_out() -> None:
    found = [made(organization(Random(seed))) for seed in range(200)]
    assert sum(importing.GROUPS in one.files for one in found) > 30
    assert sum(importing.PROTECTION in one.files for one in found) > 20
    told = Counter(sentence.partition(": ")[2] for one in found for sentence in one.left_out)
    assert sum(bool(number) for number in told.values()) >= 5


GROUPS: tuple[dict[str, object], ...] = (
    {"id": "g-users", "name": "users", "license": "seat"},
    {"id": "g-crew", "name": "crew"},
    {"id": "g-idp", "name": "idp", "modifiable": False, "synced": True},
    {"id": "g-all", "name": "all"},
    {"id": "g-none", "name": "nobody"},
    {"id": "g-glob", "name": "wiki-*"},
    {"id": "g-mail", "name": "ada@example.com"},
    {"id": "g-boss", "name": "bosses", "admin": True},
)


ELSEWHERE = "somebody else, such as an identity provider, decides who is in them, or it is not known who does"


def test_which_groups_are_written_and_why_others_are_not() -> None:
    everywhere = ["g-users", "g-idp", "g-all", "g-glob", "g-mail", "g-boss"]
    here = site(
        {"id": "b", "groups": ["g-crew", "g-all"]},
        {"id": "a", "groups": ["g-crew", *everywhere], "admin": False},
        {"id": "shut", "groups": ["g-crew", "g-all"], "status": "suspended"},
        {"id": "app", "groups": ["g-crew"], "kind": "app"},
        {"id": "x", "groups": ["g-all"]},
        {"id": "y", "groups": ["g-all"]},
        groups=GROUPS,
    )
    what = imported(Importing(inventory=here, policies=EMPTY, owner="iam-team", personal=lambda text: "@" in text))
    ((entry,),) = [document.entries for document in loaded(what).groups]
    assert (entry.name, entry.accounts) == ("crew", ("a", "b"))
    assert "@" not in "".join(what.files.values())
    assert [one for one in what.left_out if "left out" in one] == [
        "1 group was left out: more than half of all accounts are in them.",
        "1 group was left out: nobody with an open account is in them.",
        f"1 group was left out: {ELSEWHERE}.",
        "1 group was left out: their names cannot stand in a policy.",
        "1 group was left out: their names hold an e-mail address.",
        "1 group was left out: they give a license in Confluence, which policies give and take.",
        "1 group was left out: they make administrators, or may.",
    ]


@pytest.mark.parametrize(
    "ensure", [Ensure(groups_absent=("cr*",)), Ensure(groups_exactly=("users",))], ids=("absent", "exactly")
)
def test_a_group_out_of_which_a_policy_takes_people_is_not_declared(ensure: Ensure) -> None:
    here = site({"id": "a", "groups": ["g-crew"]}, {"id": "b"}, groups=GROUPS[:2])
    takes = Policy(name="out", owner="iam", why="because", match=Match(all=(InGroup(("users",)),)), ensure=ensure)
    policies = replace(EMPTY, policies=(takes,))
    assert importing.GROUPS in made(here).files
    what = made(here, policies)
    assert importing.GROUPS not in what.files
    assert "1 group was left out: a policy takes people out of them." in what.left_out


def test_guardrails_hold_canaries_and_are_left_out_where_there_are_some() -> None:
    people: list[dict[str, object]] = [{"id": f"u{one}", "groups": ["g-users"]} for one in range(4)]
    bosses: list[dict[str, object]] = [{"id": f"z{one}", "admin": True} for one in range(5)]
    here = msgspec.structs.replace(site(*people, *bosses, groups=GROUPS[:2]), runner=("u1",))
    guardrails = loaded(made(here)).guardrails
    assert guardrails.reading.canary_accounts == ("u1", "z0", "z1")
    assert guardrails.reading.canary_groups == ("users",)
    assert guardrails.min_admins == 2
    there = replace(EMPTY, guardrails=Guardrails(name="bank", where="policies/g.yaml:1"))
    what = made(here, there)
    assert importing.GUARDRAILS not in what.files
    assert what.left_out[-1] == "No Guardrails: there are some (policies/g.yaml:1); a site has one document."


def test_roles_and_groups_for_emergencies_are_protected() -> None:
    emergency: tuple[dict[str, object], ...] = (
        {"id": "g-1", "name": "Break Glass"},
        {"id": "g-2", "name": "emergency"},
    )
    people: list[dict[str, object]] = [{"id": "a", "roles": ["site-admin", "odd-role"], "admin": True}, {"id": "b"}]
    here = site(*people, groups=emergency)
    (protection,) = loaded(made(here)).protections
    assert (protection.roles, protection.groups) == (("site-admin",), ("Break Glass", "emergency"))
    unsure = site({"id": "a", "roles": None}, people[0] | {"id": "c"}, groups=emergency[:1])
    (protection,) = loaded(made(unsure)).protections
    assert (protection.roles, protection.groups) == ((), ("Break Glass",))
    assert "No roles are protected: of some accounts it is not known which ones they hold." in made(unsure).left_out


def test_many_members_are_written_into_several_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LONGEST", 3)
    teams: list[dict[str, object]] = [{"id": f"g-{one}", "name": f"team {one}"} for one in range(3)]
    groups = (GROUPS[0], *teams)
    people: list[dict[str, object]] = [{"id": f"u{one}", "groups": [f"g-{one % 3}"]} for one in range(6)]
    what = made(site(*people, groups=groups))
    assert [one for one in what.files if one.startswith(importing.GROUPS)] == [
        "imported-groups",
        "imported-groups-2",
        "imported-groups-3",
    ]
    assert [one.name for one in loaded(what).groups] == ["imported", "imported-2", "imported-3"]


def test_documents_get_names_that_are_free_and_say_which_site_they_are_about() -> None:
    here = site({"id": "a", "groups": ["g-crew"]}, {"id": "b"}, groups=GROUPS[:2])
    what = imported(
        Importing(inventory=here, policies=EMPTY, owner="iam", sites=("acme",), taken=("imported", "never-came"))
    )
    assert "sites: [acme]" in what.files[importing.GROUPS]
    assert "name: imported-2\n" in what.files[importing.GROUPS]
    assert "name: never-came-2\n" in what.files[importing.POLICIES]
    assert "idle-externals" not in what.files[importing.POLICIES]
