"""Rules between the keys of one document: what would mean other people or states than it says is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.documents import KINDS
from tests.policy.documents import document, policy, problems, site

NOBODY_IS_NAMED = "would mean everybody else"


def told(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with one document, without its places."""
    return [one.split(": ", 1)[1] for one in problems(tmp_path / "policies", text)]


def one_told(tmp_path: Path, text: str) -> str:
    (message,) = told(tmp_path, text)
    return message


# -- who is meant ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "match",
    [
        "{none: [{kind: app}]}",
        "{all: [{none: [{kind: app}]}]}",
        "{any: [{none: [{kind: app}]}]}",
        "{any: [{has_seat: true}, {none: [{kind: app}]}]}",
        "{all: [{any: [{has_seat: true}, {none: [{kind: app}]}]}]}",
        "{all: [{none: [{kind: app}]}, {all: [{none: [{kind: app}]}]}]}",
        "{all: [{none: [{kind: app}]}], any: [{has_seat: true}, {none: [{kind: app}]}]}",
        "{any: [{any: [{has_seat: true}, {none: [{kind: app}]}]}, {has_seat: true}]}",
    ],
)
def test_conditions_that_only_say_who_is_not_meant_are_refused(tmp_path: Path, match: str) -> None:
    """They would mean everybody else, and everybody who comes later."""
    assert NOBODY_IS_NAMED in one_told(tmp_path, policy(match))


@pytest.mark.parametrize(
    "match",
    [
        "{all: [{has_seat: true}], none: [{kind: app}]}",
        "{all: [{none: [{kind: app}]}, {has_seat: true}]}",
        "{any: [{has_seat: true}], none: [{kind: app}]}",
        "{all: [{none: [{kind: app}]}], any: [{has_seat: true}, {managed: true}]}",
        "{any: [{all: [{has_seat: true}], none: [{kind: app}]}, {all: [{managed: true}]}]}",
        "{all: [{any: [{has_seat: true}, {managed: true}]}]}",
    ],
)
def test_one_condition_that_says_who_is_meant_is_enough(tmp_path: Path, match: str) -> None:
    assert told(tmp_path, policy(match)) == []


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ("{}", "`match` needs conditions under `all` or `any`; an empty match never means everybody"),
        ("{has_seat: true}", "`has_seat` is a condition: write it into a list under `all`, `any` or `none`"),
        ("{any: [everybody]}", "an entry of `any` must be a mapping (keys and values), not text"),
        ("{all: everybody}", "`all` must be a list, not text"),
        ("{any: everybody}", "`any` must be a list, not text"),
        ("{all: [], none: [{kind: app}]}", "`all` is an empty list; name something, or leave the key out"),
        ("{any: [], none: [{kind: app}]}", "`any` is an empty list; name something, or leave the key out"),
    ],
)
def test_what_has_the_wrong_type_is_told_once(tmp_path: Path, match: str, message: str) -> None:
    """And nothing is guessed about whom it would mean."""
    assert told(tmp_path, policy(match)) == [message]


def test_every_entry_of_a_list_is_looked_at_whatever_stands_before_it(tmp_path: Path) -> None:
    assert sorted(told(tmp_path, policy("{all: [everybody, {}, {any: [{}]}]}"))) == [
        "an empty condition; it would mean everybody",
        "an empty condition; it would mean everybody",
        "an entry of `all` must be a mapping (keys and values), not text",
    ]


@pytest.mark.parametrize(
    ("entry", "second"),
    [
        ("{has_seat: true, managed: true}", "managed"),
        ("{has_seat: true, managed: true, synced: true}", "managed"),
        ("{has_seat: true, any: [{managed: true}]}", "any"),
        ("{has_seat: true, managed: true, any: [{managed: true}]}", "managed"),
        ("{has_seat: true, any: [{managed: true}], none: [{kind: app}]}", "any"),
    ],
)
def test_two_conditions_in_one_entry_are_refused_at_the_second(tmp_path: Path, entry: str, second: str) -> None:
    found = one_told(tmp_path, policy(f"{{all: [{entry}]}}"))
    assert found == f"one condition in each entry: begin a new entry (`- {second}: …`) for this one"


@pytest.mark.parametrize(
    ("entry", "messages"),
    [
        ("{department: Sales}", []),
        ("{}", ["`attribute` says nothing; write for example `{department: [Sales]}`"]),
        (
            "{department: Sales, location: Oslo}",
            ["one attribute in each entry: begin a new entry (`- attribute: {location: …}`) for this one"],
        ),
        (
            "{department: Sales, location: Oslo, organization: Acme}",
            ["one attribute in each entry: begin a new entry (`- attribute: {location: …}`) for this one"],
        ),
    ],
)
def test_an_attribute_is_asked_for_alone(tmp_path: Path, entry: str, messages: list[str]) -> None:
    assert told(tmp_path, policy(f"{{all: [{{attribute: {entry}}}]}}")) == messages


@pytest.mark.parametrize(("ways", "good"), [("{}", False), ("{role: direct}", True), ("{groups: [a]}", True)])
def test_a_way_to_a_seat_says_something(tmp_path: Path, ways: str, good: bool) -> None:
    found = told(tmp_path, policy(f"{{all: [{{seat_via: {ways}}}]}}"))
    assert found == ([] if good else ["`seat_via` says nothing; name `groups`, or write `role: direct`"])


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("{env: LIST, account: id}", ""),
        ("{path: /srv/list.csv, email: mail}", ""),
        ("{env: LIST, path: /srv/list.csv, account: id}", "name the list by `env` or by `path`, not by both"),
        ("{account: id}", "`listed_in` needs `env`"),
        ("{env: LIST, account: id, email: mail}", "name one column"),
        ("{env: LIST}", "`listed_in` needs `account` or `email`"),
        ("{path: /srv/list.csv}", "`listed_in` needs `account` or `email`"),
        ("{path: list.csv, account: id}", "`path` leads into the repository, where personal data must not lie"),
    ],
)
@pytest.mark.parametrize("around", ["{{all: [{0}]}}", "{{any: [{{all: [{{any: [{0}]}}]}}]}}"])
def test_a_list_of_people_has_one_place_outside_the_repository_and_one_column(
    tmp_path: Path, listed: str, message: str, around: str
) -> None:
    found = told(tmp_path, policy(around.format(f"{{listed_in: {listed}}}")))
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (policy("{all: [{in_group: [Wiki, wiki]}]}"), "in_group"),
        (policy("{all: [{account: ['1:4f', '1:4F', '1:4f']}]}"), "account"),
        (document("Protection", "{accounts: ['1:4f', '1:4F', '1:4f']}"), "accounts"),
        (document("Protection", "{groups: [board, Board]}"), "groups"),
        (policy().replace("why: ", "controls: [A, a, A], why: "), "controls"),
        (policy("{all: [{email_domain: [acme.example, ACME.example]}]}"), "email_domain"),
        (document("Groups", "[{name: a, members: {exactly: ['1:4f', '1:4F', '1:4f']}}]"), "exactly"),
        (document("Groups", "[{name: a, previously: [b, B], members: {exactly: ['1:4f']}}]"), "previously"),
    ],
)
def test_what_stands_twice_in_a_list_is_told_and_ids_differ_by_case(tmp_path: Path, text: str, key: str) -> None:
    assert one_told(tmp_path, text) == f"this entry stands twice in `{key}`"


# -- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ensure", "message"),
    [
        ("{groups: {exactly: [a], present: [b]}}", "`exactly` is the whole list already"),
        ("{groups: {exactly: [a], absent: [b]}}", "`exactly` is the whole list already"),
        ("{groups: {present: [a], absent: [A]}}", "this group is asked for both as `present` and as `absent`"),
        ("{groups: {present: [c, wiki], absent: ['w*']}}", "this group is asked for both as `present` and as `absent`"),
        ("{groups: {}}", "`groups` says nothing"),
        ("{allow_shared_groups: false}", "`ensure` says nothing"),
        ("{allow_shared_groups: true, status: active}", "`allow_shared_groups` is about memberships that end"),
    ],
)
def test_a_state_that_contradicts_itself_or_says_nothing_is_refused(tmp_path: Path, ensure: str, message: str) -> None:
    assert one_told(tmp_path, policy(ensure=ensure)).startswith(message)


@pytest.mark.parametrize(
    "ensure",
    [
        "{groups: {exactly: [a]}}",
        "{groups: {present: [a], absent: [b]}}",
        "{groups: {absent: [a]}, allow_shared_groups: true}",
        "{product_access: absent, allow_shared_groups: true}",
        "{status: active, allow_shared_groups: false}",
    ],
)
def test_a_state_that_can_be_reached_is_taken(tmp_path: Path, ensure: str) -> None:
    assert told(tmp_path, policy(ensure=ensure)) == []


# -- the other documents ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{}", "`spec` says nothing; name something, or remove the document"),
        ("{caps: {}}", "`caps` says nothing; name a limit, or leave the key out"),
        ("{reading: {}}", "`reading` says nothing; name a limit or `canaries`, or leave the key out"),
        (
            "{reading: {canaries: {}}}",
            "`canaries` says nothing; name `accounts` or `groups`, or leave the key out",
        ),
        ("{windows: {time_zone: UTC}}", "`windows` says nothing; name `deny` or `allow`"),
    ],
)
def test_a_guard_that_is_written_and_says_nothing_is_refused(tmp_path: Path, spec: str, message: str) -> None:
    """Who wrote it believes that something is guarded."""
    assert told(tmp_path, document("Guardrails", spec)) == [message]


@pytest.mark.parametrize(
    "spec",
    [
        "{caps: {total: {max: 1}}}",
        "{reading: {max_drop: 5%}}",
        "{reading: {canaries: {accounts: [a]}}}",
        "{windows: {time_zone: UTC, deny: [2026-12-24]}}",
        "{windows: {time_zone: UTC, allow: ['mon-fri 06:00-18:00']}}",
    ],
)
def test_a_guard_that_says_something_is_taken(tmp_path: Path, spec: str) -> None:
    assert told(tmp_path, document("Guardrails", spec)) == []


@pytest.mark.parametrize(
    ("activity", "message"),
    [
        ("{sources: [directory, csv], csv: {env: SEEN}}", ""),
        ("{sources: [directory, csv], csv: {path: /srv/seen.csv}}", ""),
        ("{sources: [directory, content]}", ""),
        ("{}", "`activity` says nothing"),
        ("{sources: [content]}", "`directory` must be among the sources"),
        ("{sources: []}", "`sources` is an empty list"),
        ("{sources: [directory, csv]}", "the source `csv` needs a `csv` beside `sources`"),
        ("{sources: [directory], csv: {env: SEEN}}", "this file would not be read: add `csv` to `sources`"),
        ("{csv: {env: SEEN}}", "this file would not be read: add `csv` to `sources`"),
        ("{sources: text, csv: {env: SEEN}}", "`sources` must be a list, not text"),
        (
            "{sources: [directory, csv], csv: {env: A, path: /srv/b}}",
            "name the file by `env` or by `path`, not by both",
        ),
        ("{sources: [directory, csv], csv: {account: id}}", "`csv` needs `env`"),
    ],
)
def test_a_source_of_activity_that_would_not_be_read_is_refused(tmp_path: Path, activity: str, message: str) -> None:
    """Who was seen only there would count as idle."""
    found = told(tmp_path, site(more=f", activity: {activity}"))
    assert len(found) == (1 if message else 0)
    assert all(one.startswith(message) for one in found)


# -- whatever stands there -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", ["", "spec: ~\n", "spec: text\n", "spec: [text, [], 1]\n", "spec: 1\n"])
def test_a_document_of_any_kind_may_hold_anything_and_is_only_refused(tmp_path: Path, kind: str, spec: str) -> None:
    """One problem or more with a place, and never an error of the program."""
    text = f"apiVersion: cleanup-gitops/v1\nkind: {kind}\nmetadata: {{name: one}}\n{spec}"
    assert [one for one in told(tmp_path, text) if "`spec`" in one]
