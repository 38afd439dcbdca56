"""`exempt`: an address becomes an id on the live site, and the id an entry in a reviewed file."""

from __future__ import annotations

import json
import shlex
import subprocess
from datetime import date, timedelta

import pytest

from cleanup_gitops.policy.documents import Exemption
from cleanup_gitops.policy.loader import load
from cleanup_gitops.sandbox.world import User
from tests.cli.day import TODAY
from tests.cli.workspace import SITE, Workspace

UNTIL = (TODAY + timedelta(days=90)).isoformat()
ASKED = ("--until", UNTIL, "--ticket", "HR-4711")
LEAVE = """\
# yaml-language-server: $schema=schema.json
#
# Who is away.
apiVersion: cleanup-gitops/v1
kind: Exemptions
metadata:
  name: leave   # of absence
  owner: 'hr-ops@acme.com'
spec:
  - account: "712020:e2000000-0000-4000-8000-000000000001" # Oslo
    reason: absence
    until: {until}
    ticket: HR-1
    # asked twice

# The end of the list.
"""


def planned(workspace: Workspace) -> set[str]:
    """The accounts that a plan would change."""
    return {one["user"] for one in json.loads(workspace.run("plan", "--format", "json").out)["changes"]}


def somebody(workspace: Workspace) -> User:
    """A person whose address the site shows."""
    return next(
        one
        for one in workspace.box.world.users
        if one.email and not one.email_hidden and one.type == "atlassian" and one.id != workspace.box.runner_account
    )


def exemptions(workspace: Workspace) -> tuple[Exemption, ...]:
    return load(workspace.folder / "policies", today=TODAY).for_site("acme").exemptions


def files(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.folder / "policies"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.case("E22", "E25")
def test_an_address_becomes_an_id_and_the_plan_leaves_the_account_alone(workspace: Workspace) -> None:
    ids = planned(workspace)
    user = next(one for one in workspace.box.world.users if one.id in ids and one.email and not one.email_hidden)
    assert user.email
    said = workspace.run("exempt", user.email.upper(), *ASKED, "--owner", "hr-team")
    assert said.code == 0, said.err
    (entry,) = exemptions(workspace)
    assert (entry.account, entry.reason, entry.until.isoformat()) == (user.id, "absence", UNTIL)
    assert (entry.ticket, entry.owner) == ("HR-4711", "hr-team")
    written = (workspace.folder / "policies" / "exemptions.yaml").read_text()
    assert written.startswith("# yaml-language-server: $schema=schema.json\n")
    assert user.email not in written + said.out
    assert user.name not in written + said.out
    assert user.id not in planned(workspace)


def test_the_diff_is_shown_and_the_next_step_works_as_printed(workspace: Workspace) -> None:
    user = somebody(workspace)
    said = workspace.run("exempt", user.id, *ASKED, "--owner", "hr-team")
    added = [line[1:] for line in said.out.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == (workspace.folder / "policies" / "exemptions.yaml").read_text().splitlines()
    assert f'  - account: "{user.id}"' in added
    commands = [shlex.split(line) for line in said.err.splitlines() if line.startswith("  git ")]
    workspace.git("config", "user.name", "tester")
    workspace.git("config", "user.email", "tester@localhost")
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)
    assert workspace.git("status", "--porcelain") == ""
    assert workspace.git("show", "--name-only", "--format=%s").split("\n\n") == [
        f"Exempt one account until {UNTIL} (HR-4711)",
        "policies/exemptions.yaml\n",
    ]


def test_comments_order_and_quotes_of_the_file_stay(workspace: Workspace) -> None:
    before = LEAVE.format(until=UNTIL)
    workspace.policy("people.yaml", before)
    path = workspace.folder / "policies" / "people.yaml"
    path.chmod(0o640)
    user = somebody(workspace)
    assert workspace.run("exempt", user.id, *ASKED, "--reason", "project").code == 0
    head, tail = before.split("\n\n# The end")
    new = f"""
  - account: "{user.id}"
    reason: project
    until: {UNTIL}
    ticket: HR-4711
"""
    assert path.read_text() == f"{head}{new}\n# The end{tail}"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.owner for one in exemptions(workspace)] == ["hr-ops@acme.com"] * 2


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("\n- {account: 712020:e2, until: %s, ticket: HR-1, reason: absence} # Oslo\n# end\n", "\n- {account: "),
        (' [{account: "712020:e2", until: %s, ticket: HR-1, reason: absence}]\n', ', {account: "'),
        (
            '\n    - account: "712020:e2"\n      until: %s\n      ticket: HR-1\n      reason: absence\n',
            "\n    - account: ",
        ),
    ],
    ids=["flow-entries", "flow-list", "deep"],
)
def test_an_entry_looks_like_the_one_before_it(workspace: Workspace, spec: str, wanted: str) -> None:
    text = f"apiVersion: cleanup-gitops/v1\nkind: Exemptions\nmetadata: {{name: leave, owner: hr}}\nspec:{spec % UNTIL}"
    workspace.policy("leave.yaml", text)
    user = somebody(workspace)
    said = workspace.run("exempt", user.id, *ASKED, "--owner", "legal")
    assert said.code == 0, said.err
    after = (workspace.folder / "policies" / "leave.yaml").read_text()
    assert after.count(wanted) == wanted.count(",") + ("\n- " in wanted) + ("\n    - " in wanted) + (wanted[0] == "\n")
    entry = next(one for one in exemptions(workspace) if one.account == user.id)
    assert (entry.owner, entry.document) == ("legal", "leave")


def test_a_file_of_comments_alone_keeps_them(workspace: Workspace) -> None:
    workspace.policy("exemptions.yaml", "# People who are left alone for a while.\n")
    assert workspace.run("exempt", somebody(workspace).id, *ASKED, "--owner", "hr-team").code == 0
    text = (workspace.folder / "policies" / "exemptions.yaml").read_text()
    assert text.startswith("# People who are left alone for a while.\napiVersion: ")


def test_a_file_with_other_documents_gets_one_more(workspace: Workspace) -> None:
    before = (workspace.folder / "policies" / "dormant.yaml").read_text()
    said = workspace.run(
        "exempt", somebody(workspace).id, *ASKED, "--owner", "hr-team", "--file", "policies/dormant.yaml"
    )
    assert said.code == 0
    text = (workspace.folder / "policies" / "dormant.yaml").read_text()
    assert text.startswith(f"{before}---\napiVersion: ")
    assert len(exemptions(workspace)) == 1


def test_a_new_file_in_a_folder_names_the_schema_from_there(workspace: Workspace) -> None:
    account = somebody(workspace).id
    assert workspace.run("exempt", account, *ASKED, "--owner", "hr", "--file", "policies/hr/x.yml").code == 0
    assert files(workspace)["hr/x.yml"].startswith(b"# yaml-language-server: $schema=../schema.json\n")


def refused(workspace: Workspace, *args: str) -> str:
    """What is said when nothing is written."""
    before = files(workspace)
    said = workspace.run("exempt", *args)
    assert (said.code, said.out) == (1, "")
    assert files(workspace) == before
    return said.err


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("nobody@acme.com", "No account of acme shows this address. The site hides the addresses of "),
        ("712020:nobody", "No account of acme has this id."),
        ("Ada Lovelace", "No account of acme has this id."),
        ("ada@", "This is no e-mail address."),
    ],
)
def test_who_is_not_there_is_not_exempted_and_not_repeated(workspace: Workspace, who: str, said: str) -> None:
    told = refused(workspace, who, *ASKED, "--owner", "hr-team")
    assert said in told
    assert who not in told


def test_an_address_that_two_accounts_have_is_refused_with_their_ids(workspace: Workspace) -> None:
    first = somebody(workspace)
    second = next(one for one in workspace.box.world.users if one.directories and one is not first)
    second.email_hidden = False
    second.email = first.email
    assert first.email
    told = refused(workspace, first.email, *ASKED, "--owner", "hr-team")
    ids = ", ".join(sorted((first.id, second.id)))
    assert f"2 accounts of acme have this address: {ids}.\n  Give the account id." in told


def test_who_is_exempt_already_is_told_where_also_when_it_has_ended(workspace: Workspace) -> None:
    user = somebody(workspace)
    ended = LEAVE.format(until="2024-02-29").replace("712020:e2000000-0000-4000-8000-000000000001", user.id)
    workspace.policy("people.yaml", ended)
    told = refused(workspace, user.id, *ASKED)
    assert f"{user.id} has an exemption on acme already, until 2024-02-29 (policies/people.yaml:10)." in told


def test_who_is_protected_needs_no_exemption(workspace: Workspace) -> None:
    told = refused(workspace, workspace.box.runner_account, *ASKED, "--owner", "hr-team")
    assert "is protected on acme (the account that runs this), so no policy touches it." in told
    user = somebody(workspace)
    workspace.policy(
        "protection.yaml",
        "apiVersion: cleanup-gitops/v1\nkind: Protection\nmetadata: {name: envelope, owner: security}\n"
        f'spec: {{accounts: ["{user.id}"]}}\n',
    )
    told = refused(workspace, user.id, *ASKED, "--owner", "hr-team")
    assert "(named by a protection: Protection envelope)" in told


def in_a_year(days: int) -> str:
    year = TODAY.replace(year=TODAY.year + 1, day=min(TODAY.day, 28)) if TODAY.month == 2 else None
    return ((year or date(TODAY.year + 1, TODAY.month, TODAY.day)) + timedelta(days=days)).isoformat()


@pytest.mark.case("E31")
def test_an_exemption_ends_within_twelve_months_and_not_in_the_past(workspace: Workspace) -> None:
    account = somebody(workspace).id
    rest = ("--ticket", "HR-1", "--owner", "hr-team")
    assert "must be at most 12 months ahead" in refused(workspace, account, "--until", in_a_year(2), *rest)
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    assert f"--until {yesterday} is past." in refused(workspace, account, "--until", yesterday, *rest)
    assert "is not a day like 2027-03-01" in refused(workspace, account, "--until", "March", *rest)
    assert workspace.requests("GET") == [], "nobody is asked before that"
    assert workspace.run("exempt", account, "--until", in_a_year(0), *rest).code == 0


def test_nothing_personal_is_kept_beside_the_id(workspace: Workspace) -> None:
    user = somebody(workspace)
    other = next(one for one in workspace.box.world.users if one.email and one is not user)
    assert other.email
    for texts in (
        ("--ticket", f"mail of {other.email}.", "--owner", "hr-team"),
        ("--ticket", f"{user.name.upper()} is away", "--owner", "hr-team"),
        ("--ticket", "HR-1", "--owner", other.email),
    ):
        told = refused(workspace, user.id, "--until", UNTIL, *texts)
        assert "holds the name or the e-mail address of somebody on acme" in told
        assert other.email not in told
        assert user.name.upper() not in told


def test_a_new_document_needs_an_owner_and_a_place_that_is_read(workspace: Workspace) -> None:
    account = somebody(workspace).id
    assert "a new one needs an owner." in refused(workspace, account, *ASKED)
    for file in ("exemptions.yaml", "policies/../x.yaml", "policies/x.txt", "policies/.x.yaml"):
        told = refused(workspace, account, *ASKED, "--owner", "hr", "--file", file)
        assert f"{file} is no place for policies" in told
        assert "reading users" not in told


def test_what_would_not_be_valid_is_not_written(workspace: Workspace) -> None:
    account = somebody(workspace).id
    told = refused(workspace, account, "--until", UNTIL, "--ticket", " ", "--owner", "hr")
    assert "With this change the policies would not be valid, so nothing was written:" in told
    assert "policies/exemptions.yaml:11:13: `ticket` must not be empty" in told


def test_of_several_documents_one_is_named_by_its_file(workspace: Workspace) -> None:
    for number in (1, 2):
        text = LEAVE.format(until=UNTIL).replace("712020:e2", f"712020:e{number}").replace("leave", f"leave-{number}")
        workspace.policy(f"leave-{number}.yaml", text)
    account = somebody(workspace).id
    told = refused(workspace, account, *ASKED)
    assert (
        "`leave-1` (policies/leave-1.yaml), `leave-2` (policies/leave-2.yaml).\n  Say which file with --file." in told
    )
    assert workspace.run("exempt", account, *ASKED, "--file", "policies/leave-2.yaml").code == 0
    assert exemptions(workspace)[-1].document in ("leave-1", "leave-2")
    assert account.encode() in files(workspace)["leave-2.yaml"]


def test_with_several_sites_an_exemption_says_of_which_it_is(workspace: Workspace) -> None:
    other = SITE.format(
        url=workspace.box.url, organization="other", directory="default", runner=workspace.box.runner_account
    )
    workspace.policy("other.yaml", other.replace("name: acme", "name: other"))
    dormant = (workspace.folder / "policies" / "dormant.yaml").read_text()
    workspace.policy("dormant.yaml", dormant.replace("kind: Policy", "kind: Policy\nsites: [acme]"))
    account = somebody(workspace).id
    told = refused(workspace, account, *ASKED, "--owner", "hr-team")
    assert "There are several sites: acme, other.\n  Say which one with --site NAME." in told
    assert workspace.run("exempt", account, *ASKED, "--owner", "hr-team", "--site", "acme").code == 0
    found = load(workspace.folder / "policies", today=TODAY)
    assert [one.account for one in found.for_site("acme").exemptions] == [account]
    assert found.for_site("other").exemptions == ()
