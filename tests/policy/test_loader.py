"""Which files are read, and how all problems of a folder come at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.yaml_text import MAX_BYTES
from tests.policy.documents import document, load_texts, policy, problems, site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "policies"
    path.mkdir()
    return path


def errors(folder: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(folder)
    return str(caught.value).split("\n")


def test_files_are_found_at_any_depth_by_their_ending(folder: Path) -> None:
    (folder / "b" / "c").mkdir(parents=True)
    (folder / "a.yaml").write_text(policy(name="a"))
    (folder / "b" / "b.yml").write_text(policy(name="b"))
    (folder / "b" / "c" / "LOUD.YAML").write_text(policy(name="c"))
    (folder / "notes.md").write_text("kind: none")
    (folder / "old.yaml.bak").write_text("kind: none")
    (folder / ".hidden.yaml").write_text("kind: none")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.yaml").write_text("kind: none")
    policies = load(folder).for_site("acme").policies
    assert [(one.name, one.where) for one in policies] == [
        ("a", "policies/a.yaml:4"),
        ("b", "policies/b/b.yml:4"),
        ("c", "policies/b/c/LOUD.YAML:4"),
    ]


def test_places_do_not_depend_on_how_the_folder_was_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.yaml").write_text("kind: 1\n")
    expected = ["policies/a.yaml:1:7: `kind` must be text"]
    assert errors(folder) == expected
    monkeypatch.chdir(folder)
    assert errors(Path()) == expected
    assert errors(Path("../policies")) == expected


@pytest.mark.case("E82")
def test_all_problems_of_all_files_come_at_once_sorted(folder: Path) -> None:
    (folder / "b.yaml").write_text(policy("{all: [{has_seat: maybe}]}", "{status: gone}"))
    (folder / "a.yaml").write_text("kind: [\n")
    (folder / "c.yaml").write_text(policy())
    assert errors(folder) == [
        "policies/a.yaml:2:1: not valid YAML: did not find expected node content (while parsing a flow node)",
        "policies/b.yaml:4:33: `has_seat` must be true or false, not text",
        (
            "policies/b.yaml:4:60: `status` cannot be `gone`;"
            " known here: active, deactivated, deleted, disabled, removed, suspended"
        ),
        "policies/c.yaml:3:18: there is another Policy `one` (policies/b.yaml:3)",
    ]


def test_a_missing_folder_and_one_without_documents_are_said_to_be_so(folder: Path) -> None:
    assert errors(folder / "none")[0].endswith("none:1:1: there is no such folder; `cleanup-gitops init` makes one")
    assert errors(folder)[0].endswith("policies:1:1: this folder holds no policy documents (*.yaml, *.yml)")
    (folder / "only-comments.yaml").write_text("# nothing\n---\n")
    assert errors(folder)[0].endswith("policies:1:1: this folder holds no policy documents (*.yaml, *.yml)")
    (folder / "file").write_text("")
    assert "there is no such folder" in errors(folder / "file")[0]


def test_a_policy_error_is_an_error_that_people_can_act_on(folder: Path) -> None:
    with pytest.raises(CleanupError) as caught:
        load(folder)
    assert caught.value.exit_code == 1


def test_links_that_lead_out_of_the_folder_are_not_read(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(policy())
    (folder / "a.yaml").symlink_to(outside)
    (folder / "b.yaml").symlink_to("nowhere.yaml")
    (folder / "c.yaml").symlink_to("c.yaml")
    (folder / "d").symlink_to(tmp_path)
    found = errors(folder)
    assert found[0] == "policies/a.yaml:1:1: a link that leads out of the policy folder is not read"
    assert found[1] == "policies/b.yaml:1:1: the file cannot be read (No such file or directory)"
    assert found[2].startswith("policies/c.yaml:1:1: ")
    assert found[3] == "policies/d:1:1: a linked folder is not read; put a real folder here"
    assert len(found) == 4


@pytest.mark.parametrize("lost", ["a link out", "of an unknown kind", "of another version", "no YAML"])
def test_what_is_missed_may_stand_in_what_could_not_be_read(folder: Path, tmp_path: Path, lost: str) -> None:
    """One problem is told, and not a second one that goes away with the first."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(policy(name="one"))
    if lost == "a link out":
        (folder / "a.yaml").symlink_to(outside)
    elif lost == "of an unknown kind":
        (folder / "a.yaml").write_text(policy(name="one").replace("kind: Policy", "kind: Polcy"))
    elif lost == "of another version":
        (folder / "a.yaml").write_text(policy(name="one").replace("cleanup-gitops/v1", "cleanup-gitops/v2"))
    else:
        (folder / "a.yaml").write_text("kind: [\n")
    needs = "{guard: total, policy: one, max: 620, until: 2026-12-24, reason: first-run, ticket: CHG-1}"
    (folder / "b.yaml").write_text(document("Override", needs))
    (found,) = errors(folder)
    assert found.startswith("policies/a.yaml:")
    (folder / "a.yaml").unlink()
    assert "there is no Policy `one`" in errors(folder)[0]


def test_a_link_within_the_folder_is_read(folder: Path) -> None:
    (folder / ".data").mkdir()
    (folder / ".data" / "a.yaml").write_text(policy())
    (folder / "a.yaml").symlink_to(".data/a.yaml")
    assert load(folder).for_site("acme").policies[0].where == "policies/a.yaml:4"


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "a.yaml")
    assert errors(folder) == ["policies/a.yaml:1:1: not a regular file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_problem(folder: Path) -> None:
    (folder / "a.yaml").write_text(policy())
    (folder / "a.yaml").chmod(0)
    (folder / "b").mkdir()
    (folder / "b").chmod(0)
    try:
        assert errors(folder) == [
            "policies/a.yaml:1:1: the file cannot be read (Permission denied)",
            "policies/b:1:1: this folder cannot be read (Permission denied)",
        ]
    finally:
        (folder / "b").chmod(0o700)


def test_a_very_large_file_is_refused_unread(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    assert errors(folder) == ["policies/a.yaml:1:1: the file is larger than 5 MB; split it"]
    (folder / "a.yaml").write_bytes(policy().encode().ljust(MAX_BYTES, b"\n"))
    assert load(folder).for_site("acme").policies


def test_odd_file_names_cannot_disturb_a_terminal(folder: Path) -> None:
    try:
        (folder / "a\x1b[2J\n.yaml").write_text("kind: 1\n")
        (Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.yaml"))).write_text("kind: 1\n")
    except OSError:
        pytest.skip("this file system does not take such names")
    found = errors(folder)
    assert found == [
        "policies/a\\x1b[2J\\n.yaml:1:7: `kind` must be text",
        "policies/b\\udcff.yaml:1:7: `kind` must be text",
    ]
    assert all(line.isascii() for line in found)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"kind: a\n# \xe4\n", "2:3: not UTF-8 from here on; save the file as UTF-8"),
        ("# ä".encode() + b"\xff", "1:4: not UTF-8 from here on; save the file as UTF-8"),
        (b"# a\x00b\n", "1:4: invisible character U+0000; remove it, or write it as an escape in double quotes"),
        (b"\n  # \x1b[2J", "2:5: invisible character U+001B; remove it, or write it as an escape in double quotes"),
        (
            "# a\u202eb".encode(),
            "1:4: invisible character U+202E; remove it, or write it as an escape in double quotes",
        ),
        (
            "# a\u2028b".encode(),
            "1:4: invisible character U+2028; remove it, or write it as an escape in double quotes",
        ),
        (
            "# a\U000e0041".encode(),
            "1:4: invisible character U+E0041; remove it, or write it as an escape in double quotes",
        ),
        ("kind: ä".encode("utf-16"), "1:1: the file is UTF-16; save it as UTF-8"),
    ],
)
@pytest.mark.case("E82")
def test_bytes_that_are_no_plain_text_are_refused_with_their_place(folder: Path, data: bytes, message: str) -> None:
    (folder / "a.yaml").write_bytes(data)
    assert errors(folder) == [f"policies/a.yaml:{message}"]


def test_a_byte_order_mark_and_foreign_line_ends_change_nothing(folder: Path) -> None:
    text = policy("{all: [{has_seat: nearly}]}")
    expected = ["policies/00.yaml:4:33: `has_seat` must be true or false, not text"]
    assert problems(folder, text) == expected
    for data in (b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n").encode()):
        (folder / "00.yaml").write_bytes(data)
        assert errors(folder) == expected


def test_a_document_lost_to_a_syntax_error_causes_no_other_problems(folder: Path) -> None:
    policies = policy(top="sites: [acme]\n") + "---\n" + policy(name="two", top="sites: [intranet]\n")
    found = problems(folder, site(), policies, site("intranet").replace("}}\n", "}\n"))
    assert len(found) == 1
    assert found[0].startswith("policies/02.yaml:5:1: not valid YAML")


def test_a_wrong_site_still_counts_as_a_site(folder: Path) -> None:
    found = problems(folder, site().replace("cloud, url", "clout, url"), policy(top="sites: [acme]\n"))
    assert found == ["policies/00.yaml:4:17: `hosting` cannot be `clout`; did you mean `cloud`?"]


def test_documents_of_one_name_may_be_of_different_kinds(folder: Path) -> None:
    assert not problems(folder, policy(), document("Protection", "{groups: [a]}"))


def test_one_site_needs_no_names_of_sites(folder: Path) -> None:
    loaded = load_texts(folder, site(), policy())
    assert [one.name for one in loaded.for_site("acme").policies] == ["one"]


@pytest.mark.case("E25")
def test_an_exemption_names_an_account_id_and_nothing_else(folder: Path) -> None:
    entry = "[{account: ada@acme.example, reason: absence, until: 2027-03-01, ticket: T-1}]"
    found = problems(folder, document("Exemptions", entry))
    assert len(found) == 1
    assert "must be an account id" in found[0]


@pytest.mark.case("E29")
@pytest.mark.parametrize("left_out", ["until", "ticket", "reason"])
def test_an_exemption_cannot_be_without_an_end_a_ticket_or_a_reason(folder: Path, left_out: str) -> None:
    parts = {"account": "712020:01", "reason": "absence", "until": "2027-03-01", "ticket": "T-1"}
    entry = ", ".join(f"{key}: {value}" for key, value in parts.items() if key != left_out)
    assert problems(folder, document("Exemptions", f"[{{{entry}}}]")) == [
        f"policies/00.yaml:4:8: `{left_out}` is missing here"
    ]


@pytest.mark.case("E7")
@pytest.mark.parametrize("status", ["disabled", "suspended", "deactivated", "removed", "deleted"])
@pytest.mark.parametrize(
    ("match", "allowed"),
    [
        ("{all: [{inactive_for: {for: 90d, product: any}}]}", True),
        ("{all: [{has_seat: true}, {all: [{inactive_for: {for: 1d, product: any}}]}]}", True),
        ("{all: [{inactive_for: 90d}]}", False),
        ("{any: [{inactive_for: {for: 90d, product: any}}]}", False),
        ("{all: [{any: [{inactive_for: {for: 90d, product: any}}, {has_seat: true}]}]}", False),
        ("{all: [{has_seat: true}], none: [{inactive_for: {for: 90d, product: any}}]}", False),
        ("{all: [{never_active_for: 90d}]}", False),
        ("{all: [{never_active_for: 90d}, {inactive_for: {for: 90d, product: any}}]}", True),
        ("{all: [{active_only_once: true}, {account: '712020:4f'}]}", False),
    ],
)
def test_closing_an_account_on_cloud_needs_idleness_in_every_product(
    folder: Path, status: str, match: str, allowed: bool
) -> None:
    everything_goes = document("Guardrails", "{allow: [user.disable, user.deactivate, user.remove, user.delete]}")
    found = problems(folder, site(), policy(match, f"{{status: {status}}}"), everything_goes)
    assert allowed == (not found)
    assert all("takes away every product" in one for one in found)
    assert not problems(folder, site(), policy(match, "{status: active}"))


@pytest.mark.parametrize(("status", "action"), [("removed", "user.remove"), ("deleted", "user.delete")])
def test_what_cannot_simply_be_taken_back_must_be_allowed_by_name(folder: Path, status: str, action: str) -> None:
    asks = policy("{all: [{inactive_for: {for: 90d, product: any}}]}", f"{{status: {status}}}")
    for limits in ([], [document("Guardrails", "{plan_ttl: 1h}")], [document("Guardrails", "{allow: [user.disable]}")]):
        (found,) = problems(folder, site(), asks, *limits)
        assert found.startswith("policies/01.yaml:4:")
        assert f"`{action}`" in found
        assert ("policies/02.yaml:4" in found) == bool(limits)
    assert not problems(folder, site(), asks, document("Guardrails", f"{{allow: [{action}]}}"))


def test_a_file_that_cannot_be_read_may_hold_the_guardrails_that_allow_it(folder: Path) -> None:
    asks = policy("{all: [{inactive_for: {for: 90d, product: any}}]}", "{status: removed}")
    found = problems(folder, site(), asks, "kind: [")
    assert found
    assert not any("user.remove" in one for one in found)


def test_access_may_be_taken_from_people_who_use_other_products(folder: Path) -> None:
    """It is about this Confluence alone, unlike the account."""
    match = "{all: [{inactive_for: 90d}]}"
    for ensure in ("{product_access: absent}", "{product_access: absent, status: active}", "{api_tokens: revoked}"):
        assert not problems(folder, site(), policy(match, ensure))


def test_a_short_form_is_reported_where_it_stands(folder: Path) -> None:
    match = "{all: [{seat_via: [board, '*']}]}"
    assert problems(folder, policy(match)) == [
        "policies/00.yaml:4:41: an entry of `seat_via` would mean every name; write at least one letter"
    ]
