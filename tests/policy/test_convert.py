"""What small documents become: each thing that they say, and what holds where they say nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.policy.documents import Policy, Stage, Standing
from cleanup_gitops.policy.guarding import ReadingGuards
from cleanup_gitops.policy.guardrails import DEFAULT_ALLOW, DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.roster import Joiners
from cleanup_gitops.policy.site import DEFAULT_API_URL, USUAL_PLACE, CredentialRef, Site
from cleanup_gitops.policy.timing import Hours, Schedule
from cleanup_gitops.policy.tree import Match
from tests.policy.documents import document, load_texts, policy, site

BILLED = ", license: {billing: monthly, period_day: 31}"


def a_policy(tmp_path: Path, more: str = "", **said: str) -> Policy:
    text = policy(**said).replace("spec: {", f"spec: {{{more}")
    tmp_path.mkdir(exist_ok=True)
    (found,) = load_texts(tmp_path / "policies", site(more=BILLED), text).for_site("acme").policies
    return found


def a_site(tmp_path: Path, text: str) -> Site:
    return load_texts(tmp_path / "policies", text).sites[0]


def guardrails(tmp_path: Path, spec: str) -> Guardrails:
    return load_texts(tmp_path / "policies", document("Guardrails", spec)).for_site("acme").guardrails


# -- policies --------------------------------------------------------------------------------------


def test_a_policy_that_says_no_more_is_routine_and_acts_in_every_run(tmp_path: Path) -> None:
    found = a_policy(tmp_path)
    assert not any((found.termination, found.report, found.once, found.include_admins, found.allow_shared_groups))
    assert (found.standing, found.until, found.schedule, found.before_billing) == (None, None, None, None)
    assert (found.priority, found.stages, found.where) == (0, (), "policies/01.yaml:4")
    assert found.ensure.groups_absent == ("wiki",)
    assert (found.ensure.groups_present, found.ensure.groups_exactly, found.ensure.status) == (None, None, None)
    assert (found.ensure.no_access, found.ensure.where_access) == (False, "")
    assert (found.ensure.no_tokens, found.ensure.where_tokens) == (False, "")


def test_a_policy_is_what_it_says(tmp_path: Path) -> None:
    assert a_policy(tmp_path / "a", "mode: report, ").report
    assert a_policy(tmp_path / "b", "class: termination, ").termination
    assert a_policy(tmp_path / "c", "priority: -3, ").priority == -3
    found = a_policy(tmp_path / "d", "once: true, until: 2027-01-31, ")
    assert (found.once, found.until) == (True, date(2027, 1, 31))
    assert a_policy(tmp_path / "e", match="{all: [{has_seat: true}], include_admins: true}").include_admins
    assert a_policy(tmp_path / "f", ensure="{product_access: absent, allow_shared_groups: true}").allow_shared_groups


@pytest.mark.parametrize(
    ("how", "standing"),
    [
        ("approval: standing, standing: {max_per_day: 4}, ", Standing(4, timedelta(hours=24))),
        ("approval: standing, standing: {max_per_day: 4, after: 2d}, ", Standing(4, timedelta(hours=48))),
        ("class: termination, approval: standing, standing: {max_per_day: 4}, ", Standing(4, timedelta(0))),
    ],
)
def test_only_people_who_leave_are_not_waited_for(tmp_path: Path, how: str, standing: Standing) -> None:
    assert a_policy(tmp_path, how).standing == standing


@pytest.mark.parametrize(
    ("schedule", "cron", "days"),
    [
        ("{cron: ['17 7 * * *'], time_zone: UTC}", ("17 7 * * *",), None),
        ("{before_billing: 1w}", None, 7),
        ("{cron: ['17 7 * * *'], time_zone: UTC, before_billing: 3d}", ("17 7 * * *",), 3),
    ],
)
def test_when_a_policy_acts(tmp_path: Path, schedule: str, cron: tuple[str, ...] | None, days: int | None) -> None:
    found = a_policy(tmp_path, f"schedule: {schedule}, ", ensure="{product_access: absent}")
    assert found.schedule == (Schedule(cron, "UTC", where="policies/01.yaml:4") if cron else None)
    assert found.before_billing == days


STAGED = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: one, owner: iam, why: Seats cost money.}
spec:
  match:
    all: [{has_seat: true}]
  stages:
    - name: seat
      ensure: {product_access: absent, allow_shared_groups: true}
    - name: group
      after: 2w
      when:
        any: [{managed: true}]
      ensure:
        groups: {present: [b], exactly: ~}
    - name: tokens
      after: 1d
      ensure:
        groups: {absent: [c]}
        api_tokens: revoked
"""


def test_every_stage_is_what_it_says(tmp_path: Path) -> None:
    text = STAGED.replace(", exactly: ~", "")
    (found,) = load_texts(tmp_path / "policies", text).for_site("acme").policies
    seat, group, tokens = found.stages
    assert [(one.name, one.after, one.when is None) for one in found.stages] == [
        ("seat", 0, True),
        ("group", 14, False),
        ("tokens", 1, True),
    ]
    assert [one.where for one in found.stages] == [f"policies/00.yaml:{line}" for line in (9, 14, 18)]
    assert [one.allow_shared_groups for one in found.stages] == [True, False, False]
    assert found.where == "policies/00.yaml:7"
    assert not found.allow_shared_groups
    assert (seat.ensure.no_access, seat.ensure.where_access) == (True, "policies/00.yaml:9")
    assert (group.ensure.groups_present, group.ensure.no_access) == (("b",), False)
    assert group.ensure.where_groups == "policies/00.yaml:15"
    assert (tokens.ensure.no_tokens, tokens.ensure.where_tokens) == (True, "policies/00.yaml:20")
    assert tokens.ensure.groups_absent == ("c",)


def test_an_approval_by_a_signed_tag_outlives_versions_of_the_program(tmp_path: Path) -> None:
    """A tag is named after this digest: another one for the same document would void what people signed."""
    roster = document(
        "Roster",
        "{source: {env: HR, columns: {account: id, ends: until}, time_zone: UTC},"
        " leavers: {ensure: {status: disabled}}}",
        name="hr",
    )
    found = load_texts(tmp_path / "policies", policy(), roster).for_site("acme").policies
    assert {one.name: one.digest.removeprefix("sha256:")[:16] for one in found} == {
        "hr": "a5ed252aac35b657",
        "one": "10450019e63ad55a",
    }


# -- rosters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "standing"),
    [
        ("", None),
        ("approval: standing, ", Standing(20, timedelta(0))),
        ("approval: standing, standing: {max_per_day: 3}, ", Standing(3, timedelta(0))),
    ],
)
def test_a_roster_may_be_approved_as_a_whole(tmp_path: Path, how: str, standing: Standing | None) -> None:
    source = "source: {env: HR, columns: {email: mail, starts: from, ends: until}, time_zone: UTC}"
    more = "leavers: {ensure: {status: disabled}}, joiners: {groups: [wiki, board]}"
    text = document("Roster", f"{{{how}{source}, {more}}}", name="hr")
    loaded = load_texts(tmp_path / "policies", text).for_site("acme")
    (roster,) = loaded.rosters
    assert roster.standing == standing
    assert roster.source.name == "HR"
    assert roster.joiners == Joiners(("wiki", "board"), "user", "policies/00.yaml:4", None)
    ending, joining = loaded.asking
    assert (ending.termination, joining.termination) == (True, False)
    assert ending.standing == joining.standing == standing
    assert joining.ensure.groups_present == ("wiki", "board")
    assert roster.welcome is None
    assert [one.name for one in loaded.policies] == ["hr"]


# -- sites -----------------------------------------------------------------------------------------


def test_a_site_that_says_no_more(tmp_path: Path) -> None:
    found = a_site(tmp_path, site())
    assert (found.api_url, found.directory, found.synced_users) == (DEFAULT_API_URL, None, "handoff")
    assert (found.ca_bundle, found.where_tls, found.approvers, found.license) == (None, "", None, None)
    assert (found.internal_domains, found.service_accounts, found.recorded_attributes) == ((), (), ())
    assert found.credentials.org_api_key == CredentialRef("KEY")
    assert (found.sources, found.csv) == (("directory",), None)


def test_a_site_is_what_it_says(tmp_path: Path) -> None:
    text = site(more=", approvers: {env: APPROVERS}, snapshot: {attributes: [location, department]}")
    text = text.replace("env: KEY", "env: KEY, expires: 2027-05-01").replace("org-acme}", "o, api_url: 'https://a.b'}")
    found = a_site(tmp_path, text)
    assert (found.api_url, found.approvers) == ("https://a.b", "APPROVERS")
    assert found.recorded_attributes == ("department", "location")
    assert found.credentials.org_api_key == CredentialRef("KEY", date(2027, 5, 1), "policies/00.yaml:4")


@pytest.mark.parametrize(("license_", "day"), [("billing: monthly, period_day: 31", 31), ("billing: annual", 1)])
def test_a_billing_period_begins_on_the_first_where_nothing_else_is_said(
    tmp_path: Path, license_: str, day: int
) -> None:
    renews = ", renews: 2027-03-01" if "annual" in license_ else ""
    found = a_site(tmp_path, site(more=f", license: {{{license_}{renews}}}")).license
    assert found is not None
    assert found.period_day == day
    assert found.where == "policies/00.yaml:4"


# -- guardrails ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ("{plan_ttl: 1h}", "plan_ttl", timedelta(hours=1)),
        ("{min_admins: 3}", "min_admins", 3),
        ("{grace: 1d}", "grace", 1),
        ("{handoff_sla: 1d}", "handoff_sla", 1),
        ("{flapping: {after: 1}}", "flapping_after", 1),
        ("{caps: {per_domain: {percent: 1}}}", "per_domain", 1),
        ("{caps: {total: {max: 1, percent: 0}}}", "caps", {**DEFAULT_CAPS, "total": Cap(1, 0)}),
        ("{caps: {total: {max: 1}}}", "caps", {**DEFAULT_CAPS, "total": Cap(1, 12)}),
        (
            "{caps: {user.disable: {max: 0}, termination: {max: 9, percent: 9}}}",
            "caps",
            {**DEFAULT_CAPS, "user.disable": Cap(0, 2), "termination": Cap(9, 9)},
        ),
        ("{allow: [user.delete]}", "allow", frozenset({"user.delete"})),
        ("{reading: {max_drop: 1%}}", "reading", ReadingGuards(max_drop=1)),
        ("{reading: {min_known_activity: 1%}}", "reading", ReadingGuards(min_known=1)),
        ("{reading: {canaries: {accounts: [a]}}}", "reading", ReadingGuards(canary_accounts=("a",))),
        ("{reading: {canaries: {groups: [b]}}}", "reading", ReadingGuards(canary_groups=("b",))),
    ],
)
def test_what_a_guard_says_counts_and_the_rest_stays_as_it_was(
    tmp_path: Path, spec: str, field: str, value: object
) -> None:
    found, usual = guardrails(tmp_path, spec), Guardrails()
    kept = {"name", "where", field}
    assert getattr(found, field) == value
    assert all(getattr(found, one) == getattr(usual, one) for one in Guardrails.__dataclass_fields__ if one not in kept)


def test_limits_where_nothing_is_said() -> None:
    usual = Guardrails()
    assert (usual.grace, usual.flapping_after, usual.handoff_sla) == (14, 3, 14)
    assert (usual.per_domain, usual.min_admins, usual.plan_ttl) == (50, 1, timedelta(hours=72))
    assert usual.allow == DEFAULT_ALLOW
    assert not {"user.remove", "user.delete"} & usual.allow
    assert {"user.deactivate", "user.disable", "membership.remove"} <= usual.allow
    assert (usual.reading.max_drop, usual.reading.min_known) == (10, 90)
    assert {name: (cap.max, cap.percent) for name, cap in usual.caps.items()} == {
        "user.delete": (5, 1),
        "user.remove": (10, 1),
        "user.deactivate": (10, 1),
        "user.disable": (25, 2),
        "role.revoke": (200, 10),
        "membership.remove": (200, 10),
        "tokens.revoke": (100, 10),
        "user.enable": (50, 5),
        "membership.add": (200, 10),
        "notice.send": (500, 25),
        "user.invite": (50, 5),
        "total": (300, 12),
        "termination": (20, 2),
    }


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("mon 00:00-24:00", Hours(frozenset({0}), 0, 1440)),
        ("mon-fri 06:30-18:05", Hours(frozenset(range(5)), 390, 1085)),
        ("fri-mon 22:00-23:59", Hours(frozenset({4, 5, 6, 0}), 1320, 1439)),
        ("sun-sat 01:00-02:00", Hours(frozenset(range(7)), 60, 120)),
        ("sat-sun 01:00-02:00", Hours(frozenset({5, 6}), 60, 120)),
    ],
)
def test_hours_are_minutes_of_days_that_may_go_over_the_end_of_the_week(
    tmp_path: Path, text: str, hours: Hours
) -> None:
    found = guardrails(
        tmp_path, f"{{windows: {{time_zone: Europe/Oslo, allow: ['{text}'], deny: [2026-12-24]}}}}"
    ).windows
    assert found is not None
    assert found.allow == (hours,)
    assert found.deny == ((date(2026, 12, 24), date(2026, 12, 24)),)
    assert found.time_zone == "Europe/Oslo"


def test_what_is_not_said_touches_fewer_people() -> None:
    quiet = Policy(name="quiet", owner="iam", why="idle", match=Match())
    assert (quiet.include_admins, quiet.allow_shared_groups, quiet.kinds) == (False, False, frozenset({"person"}))
    assert (quiet.stages, quiet.standing) == ((), None)
    stage = Stage(name="first")
    assert (stage.after, stage.allow_shared_groups, stage.notify, stage.when) == (0, False, None, None)
    assert (USUAL_PLACE.branch, USUAL_PLACE.remote, USUAL_PLACE.sign) == (None, None, False)
