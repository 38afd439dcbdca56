"""Rules between documents: each is told of every document that breaks it, and of none that does not."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from tests.policy.documents import document, load_texts, policy, problems, site

TODAY = date(2026, 11, 22)


def told(folder: Path, *texts: str, word: str) -> list[str]:
    """The files of the problems that hold this word."""
    return [one.partition(":")[0].rpartition("/")[2] for one in problems(folder, *texts) if word in one]


def test_a_document_that_is_fine_or_wrong_in_itself_hides_no_problem_of_another(tmp_path: Path) -> None:
    nameless = policy().replace("name: one, ", "")
    texts = (nameless, policy(), policy(name="two"), policy(), policy(name="two"))
    assert told(tmp_path / "names", *texts, word="there is another Policy") == ["03.yaml", "04.yaml"]
    stray = policy(name="b", top="sites: [acne]\n")
    assert told(tmp_path / "sites", site(), policy(), stray, word="no Site matches") == ["02.yaml"]
    entry = "{account: a1, reason: absence, until: 2027-01-31, ticket: T}"
    wrong, first, second = (
        document("Exemptions", f"[{what}]", name=name)
        for name, what in (("w", entry.replace("absence", "abs")), ("x", entry), ("y", entry))
    )
    assert told(tmp_path / "people", wrong, first, second, word="has another exemption") == ["02.yaml"]


def test_each_site_of_a_directory_with_a_record_of_its_own_is_told_once(tmp_path: Path) -> None:
    """However many other sites of the directory there are."""
    sites = [
        site(name, more=f", state: {{branch: state-{name}}}").replace(f"org-{name}", "org") for name in ("a", "b", "c")
    ]
    assert told(tmp_path / "policies", *sites, word="may share a directory") == ["01.yaml", "02.yaml"]


@pytest.mark.parametrize("days", [0, 1])
def test_what_is_done_once_ends_within_twelve_months(tmp_path: Path, days: int) -> None:
    until = TODAY.replace(year=2027) + timedelta(days=days)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text(policy().replace("spec: {", f"spec: {{once: true, until: {until}, "))
    if not days:
        assert load(folder, today=TODAY).documents
        return
    with pytest.raises(PolicyError, match="at most 12 months ahead, 2027-11-22, for what is done once"):
        load(folder, today=TODAY)


def test_a_policy_whose_spec_is_no_mapping_is_a_problem_and_nothing_worse(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "policies", site(), document("Policy", "[status]"))
    assert found.startswith("policies/01.yaml:4:7: ")


JOINERS = """\
{source: {env: HR, columns: {email: mail, starts: first}, time_zone: UTC},
  joiners: {groups: [wiki], role: user, notify: {template: hello, from: wiki@acme.com}}}"""


def test_the_welcome_of_a_roster_has_a_name_that_nothing_else_may_have(tmp_path: Path) -> None:
    roster, taken = document("Roster", JOINERS, name="hr"), policy(name="hr-welcome")
    word = "there is a Roster `hr` (policies/00.yaml:3), which needs the name `hr-welcome` for its welcome"
    assert told(tmp_path / "policies", roster, taken, word=word) == ["01.yaml"]
    silent = roster.replace(", notify: {template: hello, from: wiki@acme.com}", "")
    assert load_texts(tmp_path / "good", silent, taken).for_site("acme").policies
    assert told(tmp_path / "other", policy(name="hr").replace("spec: {", "spec: {joiners: {notify: {}}, "), taken,
                word="for its welcome") == []  # fmt: skip
