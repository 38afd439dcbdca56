"""Names, addresses and secrets get nowhere: no type has room for them, and planted canaries never turn up."""

from __future__ import annotations

import json
import subprocess
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.ledger.rows import AccountRow, Manifest
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.memory import Remembered
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Intent, Lease, LedgerEntry, OutcomeRecord
from cleanup_gitops.sandbox.records import Token
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import World
from tests import canaries
from tests.cli.workspace import DORMANT, SITE, Said, Workspace
from tests.ledger.repository import plain_git

# -- types -----------------------------------------------------------------------------------------

RECORDED = (
    AccountRow,
    Manifest,
    LedgerEntry,
    OutcomeRecord,
    Intent,
    Lease,
    Plan,
    Difference,
    *typing.get_args(Remembered),
)
"""Everything that is written into a repository or a plan file."""

ALLOWED = {
    "ids of accounts, groups, directories, roles and tokens, and addresses made of them": """
        AccountRow.id AccountRow.directory AccountRow.roles Directory.id GroupRow.id GroupRow.directory GroupRow.parents
        GroupSeat.chain RoleSeat.role GrantSeat.permission Grant.product Grant.role Manifest.runner
        MemberIs.group GroupModifiable.group RoleHeld.role TokenExists.token NotSeenAfter.product
        Handoff.address Handoff.user Plan.dispositions Intent.directories Lease.directory
        OutcomeRecord.actor Intent.actor OutcomeRecord.address OutcomeRecord.user Approval.by
        Difference.address Difference.user Difference.group
        Settling.address Settling.user Mark.user Hold.user Flap.user Done.address Done.user
        Lost.address Lost.user Rollback.holds Rollback.users
        Adopted.group Adoption.group
        Closed.user Effect.address StageRow.address StageRow.user Protected.accounts Protected.roles
    """
    + " ".join(
        f"{change}.{field}"
        for change in (
            "MembershipAdd", "MembershipRemove", "RoleRevoke", "TokenRevoke",
             "UserDeactivate", "UserDelete", "UserDisable", "UserEnable", "UserInvite", "UserRemove", "NoticeSend",
        )
        for field in ("address", "directory", "user")
    )
    + " MembershipAdd.group MembershipRemove.group RoleRevoke.role TokenRevoke.token"
    " OutcomeRecord.account UserInvite.role UserInvite.groups",
    "digests, commits, runs, versions": """
        Manifest.lineage Manifest.state Manifest.tool_version Inputs.inventory_digest Inputs.lineage
        Inputs.policy_commit Inputs.policy_digest Inputs.tool_version ListInput.digest Plan.digest Plan.envelope
        Plan.format_version LedgerEntry.digests LedgerEntry.envelope LedgerEntry.intent LedgerEntry.lineage
        LedgerEntry.parts LedgerEntry.plan LedgerEntry.policy_commit LedgerEntry.policy_digest LedgerEntry.prev
        LedgerEntry.run LedgerEntry.snapshot LedgerEntry.state LedgerEntry.tool_version Origin.commit Origin.head
        OutcomeRecord.change OutcomeRecord.plan OutcomeRecord.policy_commit OutcomeRecord.run
        OutcomeRecord.tool_version Approval.ref Intent.changes Intent.digests Intent.envelope Intent.lineage
        Intent.plan Intent.policy_commit Intent.run Intent.tool_version Lease.intent Lease.run
        Applied.run Consumed.envelope Consumed.rows Waiting.change Waiting.meaning Settling.run Hold.run Difference.run
        Done.run Spent.digest Spent.run
        Adopted.run Rollback.run NoticeSend.template_digest
        Receipt.request_id
    """,
    "words of a closed list, weeks, and values of managed fields": """
        AccountRow.groups SeenIn.first SeenIn.last Applied.actions Applied.terminations Summary.actions Summary.states
        LedgerEntry.actions LedgerEntry.results LedgerEntry.found LedgerEntry.left Check.name Limit.name
        Disposition.reason Handoff.reason Lost.reason Reason.code OutcomeRecord.before OutcomeRecord.after
        Settling.after Done.after
        Difference.before Difference.after Receipt.method Receipt.server_date Manifest.attributes
        Effect.before Effect.after
    """,
    "what the owners of the policies wrote, and names of their files and variables": """
        Adoption.policy Difference.asked
        Cause.stage Closed.policy StageRow.policy StageRow.stage NoticeSend.policy NoticeSend.stage NoticeSend.template
        Cause.policy Cause.where Disposition.policies Mark.policy Mark.stage Hold.policy Flap.policy Done.policies
        Waiting.policy Daily.policy Spent.policy Served.policy Protected.protection Intent.approvals Check.lifted
        Manifest.site Plan.site LedgerEntry.site OutcomeRecord.site Intent.site Lease.site ListInput.name
        Unmatched.policy Unmatched.source Handed.name
    """,
    "labels of groups and directories, which say what was changed": """
        GroupRow.name GroupRow.file Directory.name Handoff.label Lost.label MembershipAdd.label
        Adopted.name Adoption.name MembershipRemove.label UserInvite.label Protected.groups
    """,
    "domains: only internal ones, those that policies name, and those that the organization claims": """
        AccountRow.domain Manifest.claimed_domains
    """,
    "attributes, but only those that the Site document names": "AccountRow.attributes",
    "where a run works: a process number and the address of a job": """
        Intent.holder Intent.place Lease.holder Lease.place
    """,
    "sentences that this tool makes of ids, codes, days and labels; what a site says is not repeated": """
        Cause.why Check.message Check.override Limit.rule Disposition.note Plan.blocked Plan.warnings
        OutcomeRecord.detail Pending.note Lost.note Reason.text NotKnown.reason Reading.what Reading.endpoint
        Receipt.endpoint
    """
    + " ".join(
        f"{change}.note"
        for change in (
            "MembershipAdd", "MembershipRemove", "RoleRevoke", "TokenRevoke",
             "UserDeactivate", "UserDelete", "UserDisable", "UserEnable", "UserInvite", "UserRemove", "NoticeSend",
        )
    ),
}  # fmt: skip
"""Every field that may hold a text, by why no name, address or secret gets into it."""


def structs(kind: object, seen: set[type[Struct]]) -> None:
    """All Structs that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, Struct) and kind not in seen:
        seen.add(kind)
        for part in typing.get_type_hints(kind).values():
            structs(part, seen)
    for part in typing.get_args(kind):
        structs(part, seen)


def holds_text(kind: object) -> bool:
    """Whether a value of the type may hold any text, in itself and not in a Struct in it."""
    if typing.get_origin(kind) is typing.Literal:
        return False
    return kind in (str, bytes, object, typing.Any) or any(map(holds_text, typing.get_args(kind)))


@pytest.mark.case("E79")
def test_every_field_that_can_hold_a_text_has_a_reason_why_no_name_gets_into_it() -> None:
    found: set[type[Struct]] = set()
    for kind in RECORDED:
        structs(kind, found)
    texts = {
        f"{kind.__name__}.{name}"
        for kind in found
        for name, part in typing.get_type_hints(kind).items()
        if holds_text(part)
    }
    allowed = [field for fields in ALLOWED.values() for field in fields.split()]
    assert len(allowed) == len(set(allowed))
    assert texts == set(allowed)


# -- canaries --------------------------------------------------------------------------------------

CANARY = "Quetzalcoatl"
PROBE = CANARY.casefold()
KEPT = "Dept of Kept Things"
ELSEWHERE = f"{PROBE}.example"
SUSPEND = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: long-idle, owner: iam@acme.com, why: seats}
spec:
  match:
    all:
      - inactive_for: {for: 200d, product: any}
    none:
      - attribute: {department: ["nothing*"]}
      - name: ["nobody*"]
  ensure:
    status: suspended
    api_tokens: revoked
"""


def planted(now: str) -> World:
    """An organization in which everything that people write about themselves holds the canary."""
    world = seed(users=120, seed=7, now=now)
    for number, user in enumerate(world.users):
        user.name, user.nickname = f"{CANARY} {number}", f"{CANARY}{number}"
        if user.email and not user.email.startswith("svc-") and user.email != world.credentials.user_email:
            domain = "acme.com" if user.email.endswith("@acme.com") else ELSEWHERE
            user.email = f"{PROBE}.{number}@{domain}"
        user.job_title, user.organization, user.location = f"{CANARY} Clerk", f"{CANARY} Inc", f"{CANARY} City"
        user.department = KEPT
        user.tokens = [Token(id=f"{number}-a", label=f"{CANARY} laptop", created="2024-01-01T00:00:00Z")]
    world.content = [replace(page, title=f"{CANARY}'s page") for page in world.content]
    world.audit = [
        replace(one, summary=CANARY, description=CANARY, object_name=CANARY, remote=CANARY) for one in world.audit
    ]
    return world


def body(**texts: object) -> str:
    return json.dumps({"message": f"{CANARY} said no", "detail": CANARY, **texts})


REFUSALS = (
    {"kind": "status", "status": 400, "message": f"{CANARY} is not in the group"},
    {"kind": "status", "status": 409, "shape": "spring", "message": CANARY},
    {"kind": "not_json", "status": 403, "body": body(title=f"{CANARY} Example is suspended")},
    {"kind": "not_json", "status": 403, "body": body(errors=[{"title": CANARY, "code": f"{CANARY} Example"}])},
    {"kind": "not_json", "status": 409, "body": body(context={"reason": {"key": f"{PROBE}@acme.com"}})},
    {"kind": "html", "status": 404, "body": f"<html>{CANARY}</html>", "headers": {"X-Request-Id": CANARY}},
)
"""Answers to the first writes, each with the canary where a server may repeat what it was asked about."""


@pytest.fixture
def workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Workspace]:
    plain_git(monkeypatch)
    with running(planted(SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ"))) as box:
        found = Workspace(tmp_path / "repository", box, capsys)
        found.folder.mkdir()
        found.git("init", "-q")
        values = {"url": box.url, "organization": box.org_id, "directory": "default", "runner": box.runner_account}
        found.policy("site.yaml", f"{SITE.format(**values)}  snapshot: {{attributes: [department]}}\n")
        found.policy("dormant.yaml", DORMANT)
        found.policy("long-idle.yaml", SUSPEND)
        monkeypatch.setenv("ORG_KEY", box.org_api_key)
        monkeypatch.setenv("SITE_USER", box.user_email)
        monkeypatch.setenv("SITE_TOKEN", box.api_token)
        yield found


def every_object(workspace: Workspace) -> bytes:
    """All that git holds: contents, trees, commits, also what no branch leads to any more."""
    listed = subprocess.run(
        ["git", "-C", str(workspace.folder), "cat-file", "--batch-all-objects", "--batch", "--unordered"],
        check=True,
        capture_output=True,
    )
    return listed.stdout


def assert_clean(what: str, text: bytes | str, workspace: Workspace) -> None:
    data = text.encode() if isinstance(text, str) else text
    for secret in canaries.found(data):
        pytest.fail(f"{secret} is in {what}")
    assert workspace.box.user_email.encode() not in data, f"the user's address is in {what}"
    at = data.lower().find(PROBE.encode())
    assert at < 0, f"{what}: {data[max(0, at - 200) : at + 100]!r}"


def json_forms(workspace: Workspace, plan: Path) -> Iterator[tuple[str, Said]]:
    """What programs read."""
    for args in (
        ("show", str(plan), "--format", "json"),
        ("plan", "--format", "json"),
        ("status", "--format", "json"),
        ("drift", "--no-record", "--format", "json"),
        ("audit", "verify", "--format", "json"),
        ("users", "--recorded", "HEAD", "--format", "json", "--columns", "all"),
        ("groups", "--recorded", "HEAD", "--format", "json"),
    ):
        yield " ".join(args[:3]), workspace.run(*args)


@pytest.mark.case("E78", "E79", "F21")
def test_no_name_address_or_secret_gets_into_git_plans_json_or_errors(workspace: Workspace, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    made = workspace.run("plan", "--out", str(plan))
    assert CANARY in made.out  # people see names on their screens
    assert_clean("what plan says beside it", made.err, workspace)
    assert_clean("the plan file", plan.read_bytes(), workspace)
    planned = json.loads(plan.read_bytes())["changes"]
    assert {"membership.remove", "user.disable", "tokens.revoke"} <= {one["action"] for one in planned}
    for number, refusal in enumerate(REFUSALS, start=1):
        workspace.fault(match={"method": "DELETE", "nth": number}, **refusal)
        workspace.fault(match={"path_regex": "/suspend$", "nth": number}, **refusal)
    applied = workspace.run("apply", str(plan))
    assert applied.code == 5
    assert_clean("what apply says beside its result", applied.err, workspace)
    recorded = every_object(workspace)
    assert KEPT.encode() in recorded
    assert_clean("git", recorded, workspace)
    outcomes = next((workspace.folder / "state/acme/runs").glob("*/outcomes.jsonl")).read_text()
    details = [json.loads(line).get("detail", "") for line in outcomes.splitlines()]
    assert sum("refused" in detail for detail in details) >= len(REFUSALS)
    for what, said in json_forms(workspace, plan):
        assert said.code in (0, 3), said.err  # 3: with what was applied already, the plan is over a cap
        assert_clean(what, said.out + said.err, workspace)


@pytest.mark.case("E78", "E79")
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_reading_is_told_and_recorded_without_what_the_site_said(
    workspace: Workspace, refusal: dict[str, object]
) -> None:
    workspace.fault(match={"path_regex": "users/search$"}, **refusal)
    said = workspace.run("apply", "--auto-approve")
    assert said.code in (1, 3)
    assert "Error: " in said.err
    assert_clean("the error", said.out + said.err, workspace)
    assert_clean("git", every_object(workspace), workspace)


@pytest.mark.case("E79")
def test_what_others_changed_is_recorded_without_names(workspace: Workspace) -> None:
    assert workspace.run("apply", "--auto-approve").code == 0
    world = workspace.box.world
    people = [user for user in world.users if user.directories.get("default") == "active" and user.groups]
    closed = people[-1]
    closed.directories["default"] = "suspended"
    world.groups[0].name = "renamed group"
    workspace.box.refresh()
    found = workspace.run("drift", "--format", "json")
    assert found.code == 0, found.err
    assert closed.id in found.out
    assert_clean("drift", found.out + found.err, workspace)
    assert_clean("git", every_object(workspace), workspace)
