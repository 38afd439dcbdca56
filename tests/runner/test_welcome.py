"""People who begin are welcomed: once, by mail, when they have an account; whoever is invited first gets one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.model.people import Person
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.roster_rows import roster_rows
from cleanup_gitops.runner import Run
from cleanup_gitops.runner.notices import Post
from tests.fakes import FakeNotifier, FakeSite
from tests.runner.office import Office, office_site, open_office
from tests.runner.test_joiners import ADA, PEOPLE, TODAY

SITE = (Path(__file__).parents[1] / "cases/joiners/policies/site.yaml").read_text("utf-8")
ROSTER = """\
apiVersion: cleanup-gitops/v1
kind: Roster
metadata: {name: hr, owner: hr-ops@acme.com}
spec:
  source: {env: HR, columns: {account: id, email: mail, starts: from, ends: to}, time_zone: UTC}
  joiners: {groups: [confluence-users-acme], notify: hello}
"""
MAIL = """\
apiVersion: cleanup-gitops/v1
kind: Notifications
metadata: {name: mail}
spec: {outbox: mail, templates: texts/}
---
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: wide, owner: security@acme.com}
spec:
  caps:
    membership.add: {max: 100, percent: 100}
    user.invite: {max: 100, percent: 100}
    notice.send: {max: 100, percent: 100}
    total: {max: 100, percent: 100}
"""
HELLO = "Subject: Welcome to Confluence\n\nHello {{ name }}, open {{ url }}. Questions? Ask {{ owner }}.\n"


def loaded(folder: Path, roster: str = ROSTER, mail: str = MAIL, template: str = "hello") -> SitePolicies:
    policies = folder / "policies"
    (policies / "texts").mkdir(parents=True)
    (policies / "texts" / f"{template}.txt.j2").write_text(HELLO)
    for name, text in (("site.yaml", SITE), ("hr.yaml", roster), ("mail.yaml", mail)):
        (policies / name).write_text(text)
    return load(policies).for_site("acme")


def office_of(folder: Path, *rows: str) -> Office:
    """A site with Ada and Bo, who hold seats, and a roster with these rows."""
    office = open_office()
    office.site = FakeSite(office_site(0, 0), PEOPLE)
    office.policies = loaded(folder)
    found = roster_rows(office.policies.rosters[0].source, "\n".join(("id,mail,from,to", *rows)).encode())
    office.lists = Lists({}, {"hr": found})
    office.post = Post(FakeNotifier(), "https://acme.atlassian.net")
    return office


def done(run: Run) -> list[tuple[str, str, str]]:
    return [(one.action, one.user, one.result) for one in run.outcomes]


def told(office: Office) -> list[tuple[str, str]]:
    assert office.post is not None
    assert isinstance(office.post.notifier, FakeNotifier)
    return [(one.user, one.template) for one, _ in office.post.notifier.sent]


def test_who_begins_and_has_an_account_is_welcomed_once(tmp_path: Path) -> None:
    office = office_of(tmp_path, f",ada@acme.com,{TODAY},", ",bo@acme.com,,")
    run = office.apply()
    assert done(run) == [("notice.send", ADA, "applied")]
    assert run.plan.changes[0].causes[0].name == "hr-welcome/welcome"
    for _ in range(3):
        office.later(1)
        assert done(office.apply()) == []
    assert told(office) == [(ADA, "hello")]


def test_what_somebody_is_given_does_not_wait_for_the_welcome(tmp_path: Path) -> None:
    office = office_of(tmp_path, f",ada@acme.com,{TODAY},")
    office.site.happens(ADA, groups=(), seats=(), license="none")
    assert done(office.apply()) == [("membership.add", ADA, "applied"), ("notice.send", ADA, "applied")]


def test_who_is_invited_is_welcomed_when_the_account_is_there(tmp_path: Path) -> None:
    office = office_of(tmp_path, f",new@acme.com,{TODAY},")
    run = office.apply()
    ((action, user, result),) = done(run)
    assert (action, result) == ("user.invite", "applied")
    assert user.startswith("invite/hr/")
    account = run.outcomes[0].account
    office.site.people_become(PEOPLE.beside({account: Person("New One", "new@acme.com")}))
    office.later(1)
    assert done(office.apply()) == [("notice.send", account, "applied")]
    office.later(1)
    assert done(office.apply()) == []


def test_nobody_is_welcomed_who_has_left_or_came_long_ago(tmp_path: Path) -> None:
    office = office_of(tmp_path, f",ada@acme.com,{TODAY},{TODAY}", ",bo@acme.com,2026-10-01,")
    office.later(1)
    assert done(office.apply()) == []
    assert told(office) == []


def test_who_no_policy_may_touch_is_not_told_either(tmp_path: Path) -> None:
    office = office_of(tmp_path, f",ada@acme.com,{TODAY},")
    assert [one.user for one in office.plan().changes] == [ADA]
    office.site.happens(ADA, admin=True)
    assert not office.plan().changes


@pytest.mark.parametrize(
    ("roster", "mail", "template", "said"),
    [
        (ROSTER, "", "hello", "no Notifications document"),
        (ROSTER, MAIL, "helo", "there is no template `hello` in `texts/`; did you mean `helo`?"),
        (ROSTER, MAIL + "---\n" + ROSTER.replace("name: hr,", "name: hr-welcome,"), "hello",
         "there is another Roster `hr` (policies/hr.yaml:3), which needs the name `hr-welcome` for its welcome"),
    ],
)  # fmt: skip
def test_a_welcome_that_cannot_be_sent_is_an_error(
    tmp_path: Path, roster: str, mail: str, template: str, said: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        loaded(tmp_path, roster, mail, template)
    assert any(said in str(one) for one in caught.value.problems), caught.value.problems
