"""Valid documents become these values; defaults; which document concerns which site."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.policy.documents import (
    Ensure,
    Exemption,
    Placed,
    Policy,
    PolicySet,
    Protection,
    SitePolicies,
    Standing,
)
from cleanup_gitops.policy.guarding import Override, ReadingGuards
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.site import ActivityCsv, CredentialRef, Credentials, Site, StateSettings
from cleanup_gitops.policy.timing import Hours, Schedule, Windows
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
    InGroup,
    InStatusFor,
    KindIs,
    LicenseIs,
    ManagedIs,
    Match,
    NameIs,
    NeverActiveFor,
    SeatVia,
    StatusIs,
    SyncedIs,
)
from tests.policy.documents import VALID, document, load_texts, policy, site


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    folder = tmp_path_factory.mktemp("all") / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_bytes((VALID / "everything.yaml").read_bytes())
    return load(folder, today=date(2026, 11, 22))


def test_a_site_has_everything_its_document_says(everything: PolicySet) -> None:
    assert everything.sites == (
        Site(
            name="acme",
            hosting="cloud",
            url="https://acme.atlassian.net",
            organization="0f5e0000-0000-0000-0000-000000000000",
            directory="default",
            api_url="http://127.0.0.1:8080/admin",
            credentials=Credentials(
                org_api_key=CredentialRef("ATLASSIAN_ORG_API_KEY", date(2027, 5, 1), "policies/a.yaml:14"),
                user=CredentialRef("CONFLUENCE_USER"),
                token=CredentialRef("CONFLUENCE_API_TOKEN", date(2027, 5, 2), "policies/a.yaml:16"),
            ),
            runner_accounts=("712020:9a", "5b10ac8d82e05b22cc7d4ef5"),
            internal_domains=("acme.example", "xn--bcher-kva.example"),
            service_accounts=("svc-*",),
            state=StateSettings("state/acme", "origin", sign=True, allowed_signers="WIKI_SIGNERS"),
            recorded_attributes=("department", "organization"),
            where="policies/a.yaml:3",
        ),
    )


def test_a_policy_has_everything_its_document_says(everything: PolicySet) -> None:
    found = {one.name: one for one in everything.for_site("acme").policies}
    match = Match(
        all=(
            HasSeat(wanted=True),
            InactiveFor(90, "any"),
            Match(
                any=(NeverActiveFor(91), InactiveFor(30), InactiveFor(14, "jira-software")),
                none=(EmailDomain(("*.partner.example", "partner.example")),),
            ),
        ),
        any=(KindIs(("person", "customer")), InGroup(("wiki-users",))),
        none=(InGroup(("contractors-*", "Board")), KindIs(("app",))),
    )
    assert found["dormant-members"] == Policy(
        name="dormant-members",
        owner="iam@acme.example",
        codeowner="@acme/iam",
        why="Members who have not opened Confluence for a quarter give their seat back.",
        controls=("RTS-2024/1774:21(e)(iii)", "ISO27001:A.5.18"),
        match=match,
        include_admins=True,
        kinds=frozenset({"person", "customer"}),
        ensure=Ensure(
            status="suspended",
            groups_present=("former-members",),
            groups_absent=("wiki-users", "wiki-?"),
            where_groups="policies/a.yaml:53",
        ),
        where="policies/a.yaml:51",
    )
    assert match.products == {"any", "confluence", "jira-software"}
    assert match.domains == {"*.partner.example", "partner.example"}
    other = found["exactly-these"]
    assert other.ensure == Ensure(status="active", groups_exactly=("guests",), where_groups="policies/a.yaml:62")
    assert other.kinds == {"person"}
    assert not other.include_admins
    assert (other.codeowner, other.controls) == (None, ())


def test_the_other_kinds_have_everything_their_documents_say(everything: PolicySet) -> None:
    acme = everything.for_site("acme")
    assert acme.protections == (
        Protection(
            name="break-glass",
            owner="security@acme.example",
            accounts=("712020:01",),
            groups=("break-glass", "svc-*"),
            where="policies/a.yaml:64",
        ),
    )
    first = Exemption(
        account="712020:e2",
        reason="absence",
        owner="hr@acme.example",
        until=date(2027, 3, 1),
        ticket="HR-4711",
        document="leave",
        where="policies/a.yaml:77",
    )
    second = replace(
        first,
        account="712020:e3",
        reason="legal-hold",
        owner="hr-ops@acme.example",
        until=date(2027, 11, 22),
        ticket="HR-4712",
        where="policies/a.yaml:78",
    )
    assert acme.exemptions == (first, second)
    assert acme.guardrails == Guardrails(
        caps={
            **DEFAULT_CAPS,
            "membership.remove": Cap(100, 5),
            "user.disable": Cap(10, 2),
            "user.enable": Cap(1, 1),
            "membership.add": Cap(7, 100),
            "total": Cap(110, 12),
        },
        plan_ttl=timedelta(days=2),
        grace=21,
        flapping_after=2,
        handoff_sla=21,
        per_domain=40,
        min_admins=2,
        reading=ReadingGuards(max_drop=5, min_known=80, canary_accounts=("712020:01",), canary_groups=("wiki-users",)),
        name="bank",
        where="policies/a.yaml:83",
    )


def test_overrides_have_everything_their_documents_say_and_those_that_ended_are_there(everything: PolicySet) -> None:
    first = Override(
        name="first-clean-up",
        owner="security@acme.example",
        guard="membership.remove",
        policy="dormant-members",
        max=620,
        until=date(2026, 12, 5),
        reason="first-run",
        ticket="CHG-1",
        where="policies/a.yaml:105",
    )
    acme = everything.for_site("acme").overrides
    assert acme[1] == first
    assert (acme[0].name, acme[0].policy, acme[0].max, acme[0].until) == ("big-drop", None, 25, date(2026, 11, 20))
    assert everything.for_site("beta").overrides == acme[:1]


def test_what_guardrails_do_not_say_of_a_reading_is_the_default(tmp_path: Path) -> None:
    text = document("Guardrails", "{reading: {canaries: {groups: [wiki]}}}")
    found = load_texts(tmp_path / "policies", text).for_site("acme").guardrails
    assert found.reading == ReadingGuards(max_drop=10, min_known=90, canary_groups=("wiki",))
    assert (found.per_domain, found.min_admins, dict(found.caps)) == (50, 1, dict(DEFAULT_CAPS))


def test_standing_approvals_have_everything_their_documents_say(tmp_path: Path) -> None:
    loaded = load_texts(tmp_path, (VALID / "standing.yaml").read_text("utf-8"))
    assert [one.approvers for one in loaded.sites] == ["WIKI_APPROVERS"]
    found = {one.name: one for one in loaded.for_site("acme").policies}
    assert found["daily"].standing == Standing(40, timedelta(hours=48))
    assert found["usual"].standing == Standing(1, timedelta(hours=24))
    assert found["by-plan"].standing is None
    digests = {one.says.name: one.digest for one in loaded.documents if isinstance(one.says, Policy)}
    assert {name: one.digest for name, one in found.items()} == digests


def test_how_a_policy_acts_has_everything_its_document_says(tmp_path: Path) -> None:
    found = load_texts(tmp_path, (VALID / "acting.yaml").read_text("utf-8")).for_site("acme")
    by_name = {one.name: one for one in found.policies}
    left, first = by_name["left"], by_name["first"]
    assert (left.report, first.report) == (False, True)
    assert (left.once, left.until, first.once, first.until) == (False, None, True, date(2026, 12, 31))
    assert (left.termination, left.priority, left.standing) == (True, -1000, Standing(40, timedelta(0)))
    assert (first.termination, first.priority, first.standing) == (False, 1000, None)
    assert found.guardrails.caps["termination"] == Cap(30, 3)
    assert left.schedule is None
    assert first.schedule is not None
    assert replace(first.schedule, where="") == Schedule(("17 7 * * 1-5", "0 12 1 * *"), "Europe/Oslo")
    assert first.schedule.where.endswith("00.yaml:21")
    assert found.guardrails.windows == Windows(
        "Europe/Oslo",
        deny=((date(2026, 12, 15), date(2027, 1, 5)), (date(2027, 5, 17), date(2027, 5, 17))),
        allow=(
            Hours(frozenset(range(5)), 360, 1080),
            Hours(frozenset({5}), 570, 1440),
            Hours(frozenset({6, 0}), 0, 300),
        ),
    )


@pytest.mark.case("F30")
def test_what_has_ended_is_no_error_on_any_later_day(tmp_path: Path) -> None:
    load_texts(tmp_path / "policies", (VALID / "acting.yaml").read_text("utf-8"))
    for year in (2026, 2027, 2040):
        assert load(tmp_path / "policies", today=date(year, 12, 31)).documents


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    folder = tmp_path_factory.mktemp("accounts") / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_bytes((VALID / "accounts.yaml").read_bytes())
    return load(folder)


def test_a_site_says_where_activity_is_looked_for_and_what_becomes_of_synced_accounts(
    accounts: PolicySet, everything: PolicySet
) -> None:
    found = accounts.sites[0]
    assert found.synced_users == "suspend"
    assert found.sources == ("directory", "content", "audit", "csv")
    assert found.csv == ActivityCsv(
        env="LAST_SEEN_CSV", account="accountId", seen="Last seen (UTC)", where="policies/a.yaml:16"
    )
    usual = everything.sites[0]
    assert (usual.synced_users, usual.sources, usual.csv) == ("handoff", ("directory",), None)


def test_a_file_of_sightings_has_usual_columns(tmp_path: Path) -> None:
    more = ", activity: {sources: [directory, csv], csv: {path: /srv/seen.csv}}"
    found = load_texts(tmp_path / "policies", site(more=more)).sites[0].csv
    assert found == ActivityCsv(
        path="/srv/seen.csv", account="account", seen="last_seen_utc", where="policies/00.yaml:4"
    )


def test_every_predicate_about_an_account_has_what_its_document_says(accounts: PolicySet) -> None:
    found = {one.name: one for one in accounts.for_site("acme").policies}["everything"]
    assert found.match == Match(
        all=(
            StatusIs(("active", "disabled")),
            StatusIs(("suspended",)),
            InStatusFor(30),
            LicenseIs(("guest",)),
            LicenseIs(("seat", "none")),
            ManagedIs(wanted=True),
            SyncedIs(wanted=False),
            InDirectory(("default", "Corp*")),
            ExternalIs(wanted=True),
            EmailIs(present=True),
            EmailIs(present=False),
            NameIs(("Ada *", "*(Extern)")),
            HasRole(("organization-admin", "confluence-admin")),
            SeatVia(("wiki-users",)),
            SeatVia(("wiki-*", "board")),
            SeatVia(direct=True),
            SeatVia(("wiki-users",), direct=True),
            ActiveOnlyOnce(wanted=True),
            AddedFor(91),
        ),
        any=(
            AttributeIs("department", ("Sales*", "Marketing")),
            AttributeIs("job_title", ("Intern",)),
            AttributeIs("location", ("Oslo",)),
            AttributeIs("organization", ("Acme",)),
            AccountIs(("712020:4f",)),
            AccountIs(("712020:4f", "712020:4F")),
        ),
    )
    assert found.match.questions == {"roles"}
    assert found.match.products == {"confluence"}
    assert found.allow_shared_groups
    assert found.ensure == Ensure(
        no_access=True,
        where_access="policies/a.yaml:51",
        no_tokens=True,
        where_tokens="policies/a.yaml:53",
    )


def test_an_account_can_be_closed_removed_or_deleted(accounts: PolicySet) -> None:
    found = {one.name: one for one in accounts.for_site("acme").policies}
    assert found["close"].ensure == Ensure(status="deactivated")
    assert found["remove"].ensure == Ensure(status="removed")
    assert (found["delete"].ensure.status, found["delete"].ensure.no_tokens) == ("deleted", True)
    assert not any(found[name].allow_shared_groups for name in ("close", "remove", "delete"))
    assert not any(found[name].match.questions for name in ("close", "remove", "delete"))


def test_guardrails_have_limits_and_permission_for_each_action(accounts: PolicySet, everything: PolicySet) -> None:
    found = accounts.for_site("acme").guardrails
    assert {name: cap for name, cap in found.caps.items() if cap != DEFAULT_CAPS[name]} == {
        "user.delete": Cap(1, 1),
        "user.remove": Cap(2, 2),
        "user.deactivate": Cap(3, 1),
        "role.revoke": Cap(4, 4),
        "tokens.revoke": Cap(5, 0),
    }
    assert found.allow == {
        "membership.remove",
        "role.revoke",
        "tokens.revoke",
        "user.deactivate",
        "user.remove",
        "user.delete",
    }
    assert everything.for_site("acme").guardrails.allow == set(ACTIONS) - {"user.remove", "user.delete"}


def test_a_protection_may_be_about_roles_alone(accounts: PolicySet) -> None:
    (found,) = accounts.for_site("acme").protections
    assert (found.accounts, found.groups, found.roles) == ((), (), ("organization-admin", "site-admin"))


def test_every_kind_of_account_is_a_person_unless_a_positive_condition_names_another() -> None:
    assert Match(all=(HasSeat(wanted=True),)).kinds == {"person"}
    assert Match(all=(HasSeat(wanted=True),), none=(KindIs(("app",)),)).kinds == {"person"}
    assert Match(all=(Match(any=(KindIs(("service",)),), none=(KindIs(("app",)),)),)).kinds == {"service"}


@pytest.mark.case("F4", "F6")
def test_without_guardrails_there_are_limits_for_every_action(tmp_path: Path) -> None:
    guardrails = load_texts(tmp_path / "policies", site(), policy()).for_site("acme").guardrails
    assert set(guardrails.caps) == {*ACTIONS, "total", "termination"}
    assert guardrails.caps == DEFAULT_CAPS
    assert (guardrails.where, guardrails.plan_ttl) == ("default", timedelta(hours=72))
    assert (guardrails.grace, guardrails.flapping_after) == (14, 3)
    assert all(cap.max > 0 and cap.percent for cap in guardrails.caps.values())
    assert guardrails == SitePolicies(site="acme").guardrails


def test_documents_concern_the_sites_they_name(tmp_path: Path) -> None:
    loaded = load_texts(
        tmp_path / "policies",
        site(),
        site("acme-test"),
        site("intranet"),
        policy(name="a", top="sites: ['acme*']\n"),
        policy(name="b", top="sites: [intranet, acme]\n"),
        policy(name="c", top="sites: ['*']\n"),
        document("Protection", "{groups: [x]}", top="sites: ['acm?']\n"),
        document(
            "Exemptions", "[{account: a, reason: absence, until: 2027-03-01, ticket: T}]", top="sites: [intranet]\n"
        ),
        document("Guardrails", "{plan_ttl: 1h}", name="g", top="sites: [intranet]\n"),
        document("Guardrails", "{plan_ttl: 2h}", name="h", top="sites: ['acme*']\n"),
    )
    found = {one.name: loaded.for_site(one.name) for one in loaded.sites}
    assert {name: [one.name for one in each.policies] for name, each in found.items()} == {
        "acme": ["a", "b", "c"],
        "acme-test": ["a", "c"],
        "intranet": ["b", "c"],
    }
    assert {name: len(each.protections) for name, each in found.items()} == {"acme": 1, "acme-test": 0, "intranet": 0}
    assert {name: len(each.exemptions) for name, each in found.items()} == {"acme": 0, "acme-test": 0, "intranet": 1}
    assert {name: each.guardrails.name for name, each in found.items()} == {
        "acme": "h",
        "acme-test": "h",
        "intranet": "g",
    }
    assert len({each.digest for each in found.values()}) == 3


def test_a_site_without_a_document_has_policies_too(tmp_path: Path) -> None:
    texts = (policy("{all: [{inactive_for: 90d}]}", "{status: disabled}"), policy(name="b", top="sites: [wiki]\n"))
    loaded = load_texts(tmp_path / "policies", *texts)
    assert [one.name for one in loaded.for_site("wiki").policies] == ["b", "one"]
    assert [one.name for one in loaded.for_site("other").policies] == ["one"]


def test_two_guardrails_for_one_unnamed_site_are_never_mixed() -> None:
    says = [Guardrails(name=name, where=f"policies/{name}.yaml:7") for name in ("a", "b")]
    both = PolicySet(tuple(Placed(sites=None, digest=one.name, says=one) for one in says))
    with pytest.raises(PolicyError, match=r"policies/b.yaml:7:1: site x has two Guardrails, `a` .policies/a.yaml:7."):
        both.for_site("x")


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 11, 22), date(2027, 11, 22)),
        (date(2027, 2, 28), date(2028, 2, 28)),
        (date(2028, 2, 29), date(2029, 2, 28)),
    ],
)
def test_an_exemption_ends_within_twelve_months(tmp_path: Path, today: date, last: date) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()

    def write(until: date) -> None:
        entry = f"[{{account: a, reason: absence, until: {until.isoformat()}, ticket: T}}]"
        (folder / "a.yaml").write_text(document("Exemptions", entry))

    write(last)
    assert load(folder, today=today).for_site("acme").exemptions
    write(last + timedelta(days=1))
    with pytest.raises(PolicyError, match=f"at most 12 months ahead, {last.isoformat()}"):
        load(folder, today=today)
    assert load(folder).for_site("acme").exemptions


def test_a_cap_of_zero_can_be_written(tmp_path: Path) -> None:
    text = document("Guardrails", "{caps: {user.disable: {max: 0}, total: {max: 5, percent: 0}}}")
    caps = load_texts(tmp_path / "policies", text).for_site("acme").guardrails.caps
    assert caps["user.disable"] == Cap(0, DEFAULT_CAPS["user.disable"].percent)
    assert caps["total"] == Cap(5, 0)
