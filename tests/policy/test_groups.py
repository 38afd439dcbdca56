"""Documents that declare members of groups: what they become, and what their digests cover."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.problems import PolicyError
from tests.policy.documents import VALID, document, load_texts, policy, problems, site

GROUPS = (VALID / "groups.yaml").read_text("utf-8")


@pytest.mark.case("F15", "E38")
def test_groups_have_everything_their_documents_say(tmp_path: Path) -> None:
    loaded = load_texts(tmp_path / "policies", GROUPS)
    acme, intranet = loaded.for_site("acme"), loaded.for_site("intranet")
    file = acme.groups[0].where.partition(":")[0]
    assert acme.groups == (
        Groups(
            name="declared",
            entries=(
                GroupEntry(name="wiki-editors", accounts=("712020:4f",), where=f"{file}:6"),
                GroupEntry(
                    name="wiki-admins",
                    accounts=("712020:01", "5b10ac8d82e05b22cc7d4ef5"),
                    exactly=True,
                    previously=("conf-admins", "Wiki Masters"),
                    allow_shared_groups=True,
                    where=f"{file}:8",
                ),
            ),
            where=f"{file}:1",
        ),
    )
    assert acme.groups[0].entries[1].names == ("wiki-admins", "conf-admins", "Wiki Masters")
    assert [(one.name, one.owner) for one in intranet.groups] == [("others", "iam@acme.example")]


def test_the_digest_of_a_site_covers_its_groups_and_what_they_mean_alone(tmp_path: Path) -> None:
    before = load_texts(tmp_path / "one", GROUPS)
    moved = load_texts(tmp_path / "two", GROUPS.replace("spec:", "# who is in\nspec:", 1))
    other = load_texts(tmp_path / "three", GROUPS.replace("712020:01", "712020:02"))
    assert before.for_site("acme").digest == moved.for_site("acme").digest
    assert before.for_site("acme").digest != other.for_site("acme").digest
    assert before.for_site("intranet").digest == other.for_site("intranet").digest


def test_ids_that_differ_by_case_alone_are_two_accounts(tmp_path: Path) -> None:
    load_texts(tmp_path / "one", GROUPS.replace('["712020:4f"]', '["712020:4f", "712020:4F"]'))
    with pytest.raises(PolicyError, match="stands twice in `at_least`"):
        load_texts(tmp_path / "two", GROUPS.replace('["712020:4f"]', '["712020:4f", "712020:4f"]', 1))


def test_an_override_may_be_about_the_rows_of_a_groups_document(tmp_path: Path) -> None:
    override = """
---
apiVersion: cleanup-gitops/v1
kind: Override
sites: [acme]
metadata: {name: first}
spec: {guard: membership.remove, policy: NAME, max: 40, until: 2026-12-05, reason: first-run, ticket: CHG-1}
"""
    load_texts(tmp_path / "one", GROUPS + override.replace("NAME", "declared"))
    with pytest.raises(PolicyError, match="there is no Policy"):
        load_texts(tmp_path / "two", GROUPS + override.replace("NAME", "nothing"))


def said(tmp_path: Path, *texts: str) -> list[str]:
    return [one.split(": ", 1)[1] for one in problems(tmp_path / "policies", *texts)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{name: wiki, members: {}}", "`members` says nothing; write `at_least`, or `exactly`"),
        ("{name: wiki, members: {exactly: []}}", "an empty `exactly` would take everybody out"),
        ("{name: wiki, members: {at_least: []}}", "an empty `at_least` asks for nothing"),
        ("{name: wiki, members: {at_least: [a], exactly: [a]}}", "`exactly` is the whole list already"),
        ("{name: wiki, members: {at_least: [a]}, allow_shared_groups: true}", "`allow_shared_groups` is about"),
        ("{name: wiki, members: {exactly: [a]}, previously: [old, WIKI]}", "`previously` is for names"),
        ("{name: wiki, members: {exactly: [a]}, previously: [old], allow_shared_groups: true}", ""),
        ("{name: wiki, members: {at_least: [a]}, allow_shared_groups: false}", ""),
    ],
)
def test_a_group_that_would_mean_nobody_or_two_things_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    found = said(tmp_path, document("Groups", f"[{entry}]"))
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


def test_every_entry_is_looked_at_whatever_stands_before_it(tmp_path: Path) -> None:
    wiki = "{name: wiki, members: {exactly: []}}"
    found = said(tmp_path, document("Groups", f"[text, {wiki}, {{name: Wiki, members: {{exactly: [a]}}}}]"))
    assert sorted(one.partition(";")[0] for one in found) == [
        "an empty `exactly` would take everybody out",
        "an entry of `spec` must be a mapping (keys and values), not text",
        "group `Wiki` has another entry for the same site (policies/00.yaml:4): join the two",
    ]


@pytest.mark.case("E38")
@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        ("acme", "acme", 1),
        ("acme", "beta", 0),
        ("'*'", "beta", 1),
        ("acme, beta", "'*'", 1),
    ],
)
def test_one_group_of_one_site_has_one_entry_under_whatever_name(
    tmp_path: Path, first: str, second: str, places: int
) -> None:
    """Two lists that must be exact would take each other's people out."""
    one = document("Groups", "[{name: new, previously: [old], members: {exactly: [a]}}]", top=f"sites: [{first}]\n")
    other = document("Groups", "[{name: Old, members: {exactly: [b]}}]", name="two", top=f"sites: [{second}]\n")
    found = said(tmp_path, site(), site("beta"), one, policy(top="sites: [acme]\n", name="three"), other)
    assert found == ["group `Old` has another entry for the same site (policies/02.yaml:5): join the two"] * places
