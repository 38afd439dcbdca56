"""One user explained, as text, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cleanup_gitops.model.people import People, Person
from cleanup_gitops.views.person import render_person_markdown, render_person_text
from cleanup_gitops.views.person_json import render_person_json
from tests import golden
from tests.case_files import folders, read_case
from tests.rehearsal.test_person import explained, of_case
from tests.views.hostile import HOSTILE, PARSER

GOLDEN = Path(__file__).parent / "golden"
SHOWN = [
    ("stages", "bob"),
    ("stages", "hal"),
    ("mildest-wins", "ada"),
    ("seat-held-twice", "ada"),
    ("leaver-beats-dormant", ""),
    ("unknown-facts", ""),
]


@pytest.mark.parametrize(("name", "account"), SHOWN)
def test_somebody_of_a_case_is_explained_in_every_form(name: str, account: str) -> None:
    case = read_case(golden.CASES / name)
    everybody = explained(case)
    found = everybody[f"712020:{account}"] if account else everybody[min(everybody)]
    file = f"explain-{name}-{found.user.id.removeprefix('712020:')}"
    golden.check(GOLDEN / f"{file}.txt", render_person_text(found, case.people))
    golden.check(GOLDEN / f"{file}.md", render_person_markdown(found, case.people))
    golden.check(GOLDEN / f"{file}.json", render_person_json(found, case.people))


@pytest.mark.parametrize("folder", [pytest.param(one, id=one.name) for one in folders()])
def test_everybody_of_every_case_can_be_shown_and_without_people_nobody_is_named(folder: Path) -> None:
    case = read_case(folder)
    names = {case.people.name(user.id) for user in case.inventory.users} - {""}
    for found in explained(case).values():
        texts = [render_person_text(found), render_person_markdown(found), render_person_json(found)]
        document = json.loads(texts[2])
        assert document["disposition"]["state"] == found.disposition.state
        assert [one["verdict"] for one in document["policies"]] == [one.verdict for one in found.policies]
        assert not [name for name in names if any(name in text for text in texts)]


@pytest.mark.case("E80")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_does_no_harm(name: str) -> None:
    found = of_case("mildest-wins", "ada")
    people = People({found.user.id: Person(name, name)})
    text = render_person_text(found, people)
    assert len(text.splitlines()) == len(render_person_text(found).splitlines())
    assert "\x1b" not in text
    assert "\u202e" not in text
    kinds = {token.type for token in PARSER.parse(render_person_markdown(found, people))}
    assert kinds <= {
        "heading_open", "heading_close", "inline", "bullet_list_open", "bullet_list_close",
        "list_item_open", "list_item_close", "paragraph_open", "paragraph_close",
    }  # fmt: skip
    user = json.loads(render_person_json(found, people))["user"]
    assert user["name"] == (name.encode(errors="surrogatepass").decode(errors="replace") or None) or "\ud800" in name
