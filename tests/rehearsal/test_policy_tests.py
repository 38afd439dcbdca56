"""Tests of policies: what they expect is looked for, and everything else is unexpected."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.change import Change, MembershipAdd, MembershipRemove
from cleanup_gitops.policy.loader import load
from cleanup_gitops.rehearsal.gaps import gaps
from cleanup_gitops.rehearsal.invented import BYSTANDER
from cleanup_gitops.rehearsal.policy_tests import run_policy_test
from tests.policy.documents import document, policy
from tests.rehearsal.worlds import HEAD, IDLE, documents, result_of, said

UNDECIDED = "policy-undecided, by idle, not known: activity (the test says so)"
EXAMPLES = Path(__file__).parents[2] / "policies"
USERS = """
as_of: 2026-11-22
groups: [{name: wiki, license: seat}]
users:
  - {id: away, groups: [wiki], seen: 2026-08-22}
  - {id: here, groups: [wiki], seen: 2026-08-23}
  - {id: who, groups: [wiki], seen: unknown}
"""
ROSTER = document(
    "Roster",
    "{source: {env: HR_CSV, columns: {account: id, email: mail, ends: last, starts: first}, time_zone: Europe/Oslo},"
    " leavers: {ensure: {status: deactivated, api_tokens: revoked}}, joiners: {groups: [wiki], role: user}}",
    name="hr",
)
STAGED = document(
    "Policy",
    "{match: {all: [{has_seat: true}, {inactive_for: {for: 90d, product: any}}]}, stages: ["
    "{name: release, ensure: {groups: {absent: [wiki]}}},"
    " {name: suspend, after: 30d, ensure: {status: suspended}}]}",
    name="steps",
)


def test_what_happens_as_expected_and_nothing_else_passes(tmp_path: Path) -> None:
    spec = USERS + "expect: [{user: away, groups: {absent: [wiki]}, because: idle}]\nuntouched: [here, who]"
    result = result_of(tmp_path, spec, IDLE)
    assert result.passed, said(result)
    assert (result.name, result.site) == ("it", "acme")


def test_a_change_that_does_not_come_tells_what_becomes_of_the_user(tmp_path: Path) -> None:
    spec = USERS + (
        "expect:\n"
        "  - {user: away, groups: {absent: [wiki]}}\n"
        "  - {user: here, groups: {absent: [wiki]}}\n"
        "  - {user: who, status: suspended}\n"
        "  - {user: away, api_tokens: revoked}\n"
    )
    result = result_of(tmp_path, spec, IDLE)
    assert said(result) == [
        "here: end of membership of wiki was expected; the user is unchanged (no-policy-matches)",
        f"who: status suspended was expected; the user is unknown ({UNDECIDED})",
        "away: api_tokens revoked was expected; the user is changed (by idle): membership.remove of wiki",
    ]
    lines = (tmp_path / "all.yaml").read_text("utf-8").splitlines()
    for failure, entry in zip(result.failures, ("user: here", "user: who", "api_tokens"), strict=True):
        file, _, line = failure.where.rpartition(":")
        assert file == f"{tmp_path.name}/all.yaml"
        assert entry in lines[int(line) - 1]


def test_a_change_that_nobody_expects_fails_at_its_user_with_who_asks_for_it(tmp_path: Path) -> None:
    result = result_of(tmp_path, USERS + "untouched: [here]", IDLE)
    (failure,) = result.failures
    assert "away: membership.remove of wiki was not expected; idle asks for it (" in failure.message
    assert "last seen by 2026-08-22" in failure.message
    lines = (tmp_path / "all.yaml").read_text("utf-8").splitlines()
    assert "{id: away" in lines[int(failure.where.rpartition(":")[2]) - 1]


def test_who_is_to_be_left_alone_and_is_not_is_told_once(tmp_path: Path) -> None:
    (message,) = said(result_of(tmp_path, USERS + "untouched: [away]", IDLE))
    assert message.startswith("away: nothing may change, but membership.remove of wiki does; idle asks for it")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{user: who, is: unknown}", ""),
        ("{user: who, because: idle}", ""),
        ("{user: who, because: policy-undecided}", ""),
        (
            "{user: who, is: exempt}",
            f"who should be exempt; the user is unknown ({UNDECIDED})",
        ),
        (
            "{user: here, because: idle}",
            "here should be left alone because of idle; the user is unchanged (no-policy-matches)",
        ),
    ],
)
def test_why_somebody_is_left_alone_can_be_said(tmp_path: Path, entry: str, message: str) -> None:
    spec = USERS + f"expect: [{{user: away, groups: {{absent: [wiki]}}}}]\nuntouched: [{entry}]"
    assert said(result_of(tmp_path, spec, IDLE)) == ([message] if message else [])


def test_another_policy_than_the_one_that_was_meant_is_no_success(tmp_path: Path) -> None:
    both = policy(match="{all: [{has_seat: true}, {inactive_for: 60d}]}", name="sooner")
    entries = (f"  - {{user: {one}, groups: {{absent: [wiki]}}, because: idle}}\n" for one in ("away", "here"))
    spec = USERS + "expect:\n" + "".join(entries)
    assert said(result_of(tmp_path, spec, IDLE, both)) == [
        "here: membership.remove of wiki was expected because of idle, and happens because of sooner"
    ]


@pytest.mark.case("E48")
def test_who_has_left_by_a_roster_and_who_begins(tmp_path: Path) -> None:
    spec = """
as_of: 2026-11-22
groups: [{name: wiki, license: seat}]
users:
  - {id: left, groups: [wiki], seen: 2026-05-01, listed_in: [hr], api_tokens: 2}
  - {id: left-and-synced, groups: [wiki], listed_in: [hr], synced: true}
  - {id: begins, begins_in: [hr]}
  - {id: stays, groups: [wiki]}
expect:
  - {user: left, status: deactivated, api_tokens: revoked, because: hr}
  - {user: begins, groups: {present: [wiki]}, because: hr}
  - {user: left-and-synced, status: deactivated, because: hr, is: handed_off}
untouched: [stays, {user: left-and-synced, is: handed_off}]
"""
    result = result_of(tmp_path, spec, IDLE, ROSTER)
    assert result.passed, said(result)


@pytest.mark.parametrize("by", ["account", "email"])
def test_who_is_on_a_list_by_id_or_by_address(tmp_path: Path, by: str) -> None:
    listed = policy(match=f"{{all: [{{listed_in: {{env: GONE_CSV, {by}: who}}}}]}}", name="gone")
    spec = """
as_of: 2026-11-22
groups: [{name: wiki, license: seat}]
users: [{id: u1, groups: [wiki], listed_in: [GONE_CSV]}, {id: u2, groups: [wiki]}]
expect: [{user: u1, groups: {absent: [wiki]}, because: gone}]
"""
    result = result_of(tmp_path, spec, listed)
    assert result.passed, said(result)


def test_names_that_the_policies_do_not_have_fail_the_test(tmp_path: Path) -> None:
    spec = """
as_of: 2026-11-22
users:
  - {id: u1, listed_in: [payroll], begins_in: [payroll]}
  - {id: u2, stages: [{policy: idle, stage: warn, entered: 2026-11-01}]}
untouched: [u1]
"""
    assert said(result_of(tmp_path, spec, IDLE)) == [
        "no Roster and no `listed_in` of these policies is called payroll",
        "there is no Roster payroll",
        "there is no stage warn of a policy idle",
    ]


def test_a_lifecycle_goes_on_day_by_day(tmp_path: Path) -> None:
    spec = """
as_of: 2026-11-22
groups: [{name: wiki, license: seat}]
users:
  - {id: away, groups: [wiki], seen: 2026-06-01}
  - {id: back, groups: [wiki], seen: 2026-06-01}
expect:
  - {user: away, groups: {absent: [wiki]}, because: steps, stage: release}
  - {user: back, groups: {absent: [wiki]}, because: steps, stage: release}
then:
  - {as_of: 2026-12-21, untouched: [away, back]}
  - as_of: 2026-12-22
    users: [{id: back, seen: 2026-12-20}]
    expect: [{user: away, status: suspended, because: steps, stage: suspend}]
    untouched: [back]
"""
    result = result_of(tmp_path, spec, STAGED)
    assert result.passed, said(result)
    assert len(result.plans) == 3


def test_a_test_may_begin_in_the_middle_of_a_lifecycle(tmp_path: Path) -> None:
    spec = """
as_of: 2026-11-22
groups: [{name: wiki, license: seat}]
users:
  - id: u1
    seat: true
    seen: 2026-06-01
    stages: [{policy: steps, stage: release, entered: 2026-10-01, done: 2026-10-01}]
  - id: u2
    seat: true
    seen: 2026-06-01
    stages: [{policy: steps, stage: release, entered: 2026-11-01, done: 2026-11-01}]
expect: [{user: u1, status: suspended, because: steps, stage: suspend}]
untouched: [u2]
"""
    result = result_of(tmp_path, spec, STAGED)
    assert result.passed, said(result)


@pytest.mark.parametrize(
    ("facts", "match"),
    [
        ("license: guest", "license: guest"),
        ("license: unknown", ""),
        ("status: suspended, status_since: 2026-01-01", "in_status_for: 90d"),
        ("added: 2020-01-01", "added_for: 1500d"),
        ("added: unknown", ""),
        ("roles: [confluence-admin]", "has_role: confluence-admin"),
        ("managed: false", "managed: false"),
        ("synced: true", "synced: true"),
        ("domain: partner.example", "external: true"),
        ("domain: partner.example", "email_domain: partner.example"),
        ("email: absent", "email: absent"),
        ("name: Build Bot", "name: build*"),
        ("attributes: {department: Sales}", "attribute: {department: sales}"),
        ("seen: never, accepted: false", "never_active_for: 90d"),
        ("seat: true", "seat_via: {role: direct}"),
        ("groups: [elsewhere-1]", "in_group: elsewhere-*"),
        ("seen: 2026-01-01, elsewhere: {jira-software: 2026-01-01}", "inactive_for: {for: 90d, product: any}"),
        ("seen: 2026-01-01, elsewhere: {jira-software: 2026-11-20}", "inactive_for: 90d"),
        ("kind: service", "kind: service"),
    ],
)
def test_every_fact_can_be_said_and_is_what_conditions_see(tmp_path: Path, facts: str, match: str) -> None:
    asked = f"{{include_admins: true, all: [{{{match or 'has_seat: true'}}}]}}"
    rule = policy(match=asked, ensure="{groups: {present: [found]}}", name="finds")
    spec = f"as_of: 2026-11-22\nusers: [{{id: u1, {facts}}}, {{id: usual}}]\n"
    spec += "expect: [{user: u1, groups: {present: [found]}}]" if match else "untouched: [u1]"
    result = result_of(tmp_path, spec, rule)
    assert result.passed, said(result)


def test_a_user_may_be_in_another_directory(tmp_path: Path) -> None:
    rule = policy(match="{all: [{directory: partner*}]}", ensure="{product_access: absent}", name="partners")
    spec = """
as_of: 2026-11-22
users: [{id: u1, directory: PartnerX, seat: true}, {id: u2, seat: true}]
expect: [{user: u1, product_access: absent}]
"""
    result = result_of(tmp_path, spec, rule)
    assert result.passed, said(result)


def test_the_last_administrator_of_a_test_is_not_the_last_of_its_site(tmp_path: Path) -> None:
    rule = policy(
        match="{include_admins: true, all: [{inactive_for: {for: 90d, product: any}}]}",
        ensure="{status: suspended}",
        name="strict",
    )
    spec = """
as_of: 2026-11-22
users: [{id: u1, roles: [organization-admin], seen: 2026-01-01}]
expect: [{user: u1, status: suspended}]
"""
    result = result_of(tmp_path, spec, rule)
    assert result.passed, said(result)


def test_tests_change_no_digest(tmp_path: Path) -> None:
    spec = "  as_of: 2026-11-22\n  users: [{id: u1}]\n  untouched: [u1]\n"
    before, after = documents(tmp_path / "one", IDLE), documents(tmp_path / "two", IDLE, HEAD + spec)
    assert before.digest == after.digest
    assert load(tmp_path / "one").digest == load(tmp_path / "two").digest
    assert not before.tests
    assert after.tests


def test_the_examples_pass_their_tests_which_touch_everything() -> None:
    found = load(EXAMPLES)
    own = found.for_site("acme")
    ran = [run_policy_test(one, own, found.sites[0]) for one in own.tests]
    assert {one.name for one in ran} >= {"leaver-beats-dormant", "seats-that-nobody-uses"}
    assert not any(said(one) for one in ran)
    assert gaps([(own, ran)]) == ()


def test_what_no_test_touches_is_named(tmp_path: Path) -> None:
    texts = (IDLE, STAGED, policy(match="{all: [{in_group: nobody}]}", name="never"))
    spec = USERS + "expect: [{user: away, groups: {absent: [wiki]}}]"
    result = result_of(tmp_path, spec, *texts)
    assert [one.message for one in gaps([(documents(tmp_path, *texts), [result])])] == [
        "idle: in no test is `has_seat true` false",
        "never: no test has a change by this policy",
        "never: in no test is `in_group nobody` true",
        "steps: no test comes to the stage suspend",
        "steps: in no test is `has_seat true` false",
    ]


FACTS = {
    "seat": ["true"],
    "seen": ["2026-05-01", "2026-11-21", "never", "unknown"],
    "elsewhere": ["{jira-software: never}", "{jira-software: 2026-01-01, jira-core: unknown}"],
    "status": ["active", "suspended", "deactivated", "deleting", "absent", "unknown"],
    "status_since": ["2026-01-01"],
    "added": ["2026-11-20", "unknown"],
    "kind": ["person", "service", "app", "customer", "unknown"],
    "groups": ["[wiki]", "[Wiki, 'a/b']", "[]"],
    "roles": ["[site-admin]"],
    "managed": ["true", "false", "unknown"],
    "synced": ["true", "false", "unknown"],
    "external": ["true", "unknown"],
    "email": ["absent"],
    "accepted": ["false"],
    "api_tokens": ["0", "3"],
    "listed_in": ["[hr]"],
    "begins_in": ["[hr]"],
    "directory": ["elsewhere"],
}


@given(st.lists(st.fixed_dictionaries({}, optional={key: st.sampled_from(FACTS[key]) for key in FACTS}), max_size=4))
def test_whatever_is_invented_the_changes_that_a_plan_has_are_what_a_test_may_expect(
    people: list[dict[str, str]],
) -> None:
    """Of any people: a test that expects what it was told to be unexpected passes."""
    users = [
        ", ".join([f"id: u{number}", *(f"{key}: {one}" for key, one in facts.items())])
        for number, facts in enumerate(people)
    ]
    spec = "as_of: 2026-11-22\ngroups: [{name: wiki, license: seat}]\nusers:\n  - {id: usual}\n"
    spec += "".join(f"  - {{{one}}}\n" for one in users)
    with TemporaryDirectory() as folder:
        first = result_of(Path(folder), spec + "untouched: [usual]", IDLE, ROSTER)
        told = [change for _, plan in first.plans for change in plan.changes]
        assert len(first.failures) == len([one for one in told if one.user != BYSTANDER])
        wishes = "".join(f"  - {{user: {one.user}, {wish_of(one)}, because: {one.causes[0].policy}}}\n" for one in told)
        again = result_of(
            Path(folder), f"{spec}untouched: [usual]\n" + (f"expect:\n{wishes}" if told else ""), IDLE, ROSTER
        )
        assert again.passed, said(again)


def wish_of(change: Change) -> str:
    """The change as an expectation."""
    if isinstance(change, MembershipAdd | MembershipRemove):
        return f"groups: {{{'present' if isinstance(change, MembershipAdd) else 'absent'}: [{change.label}]}}"
    return {"tokens.revoke": "api_tokens: revoked", "role.revoke": "product_access: absent"}.get(
        change.action, f"status: {getattr(change, 'new', '')}"
    )
