"""A new exemption in whatever layout people gave their file: one entry more, and every line that was there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.exempting import NewExemption, check_added, propose_exemption
from cleanup_gitops.policy.loader import load
from tests.policy.documents import site

NEW = NewExemption(account="712020:new", reason="project", until=date(2027, 3, 1), ticket="HR-1: no", owner="legal")
HEAD = "apiVersion: cleanup-gitops/v1\nkind: {kind}\nmetadata: {{name: {name}, owner: hr}}\n"
COMMENTS = st.sampled_from(["", "# about all\n", "\n", "\n# apart\n\n", "    # deep\n", "  # less deep\n"])


@st.composite
def entries(draw: st.DrawFn, number: int, dash: str, deep: str) -> str:
    """One entry of a list, as a block or between braces, with comments on and after its lines."""
    facts = [f'account: "712020:{number}"', "reason: absence", "until: 2027-01-31", f"ticket: HR-{number}"]
    facts = draw(st.permutations(facts))
    end = draw(st.sampled_from(["", " # why", "   "]))
    if draw(st.booleans()):
        gap = draw(st.sampled_from(["", " "]))
        text = f"{dash}- {{{gap}{', '.join(facts)}{gap}}}{end}\n"
    else:
        text = f"{dash}- " + f"{end}\n{deep}".join(facts) + f"{end}\n"
    return text + draw(COMMENTS)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file with Exemptions and perhaps other documents, in some layout."""
    dash = " " * draw(st.integers(0, 4))
    number = draw(st.integers(1, 3))
    listed = "".join(draw(entries(one, dash, f"{dash}  ")) for one in range(number))
    own = draw(COMMENTS) + HEAD.format(kind="Exemptions", name="leave") + f"spec:\n{listed}"
    other = HEAD.format(kind="Protection", name="safe") + "spec: { accounts: ['712020:x'] } # odd\n"
    documents = draw(st.sampled_from([[own], [own, other], [other, own]]))
    text = "---\n".join(documents)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=60)
@given(files())
def test_one_entry_comes_and_no_line_goes(text: str) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "policies"
        root.mkdir()
        (root / "a.yaml").write_bytes(text.encode())
        found = load(root)
        proposal = propose_exemption(root, found, "acme", NEW)
        after = load(root, proposed={proposal.path: proposal.after})
    check_added(found, after, NEW)
    (entry,) = [one for one in after.for_site("acme").exemptions if one.account == "712020:new"]
    assert (entry.reason, entry.until, entry.ticket, entry.owner) == ("project", date(2027, 3, 1), "HR-1: no", "legal")
    lines = iter(proposal.after.decode().split("\n"))
    missing = [line for line in text.rstrip("\n").split("\n") if line.rstrip("\r") not in map(_bare, lines)]
    assert missing == []
    assert ("\r" in text) == ("\r" in proposal.after.decode())


def _bare(line: str) -> str:
    return line.rstrip("\r")


def test_what_would_change_more_than_the_entry_is_refused_with_the_entry(tmp_path: Path) -> None:
    root = tmp_path / "policies"
    root.mkdir()
    text = HEAD.format(kind="Exemptions", name="leave") + (
        'spec:\n  - {account: "712020:1", reason: absence, until: 2027-01-31, ticket: HR-1}\n'
    )
    (root / "a.yaml").write_text(text)
    found = load(root)
    proposal = propose_exemption(root, found, "acme", NEW)
    (root / "a.yaml").write_bytes(proposal.after.replace(b"HR-1}", b"HR-2}"))
    with pytest.raises(CleanupError) as caught:
        check_added(found, load(root), NEW)
    assert "without changing something else, so nothing was written" in caught.value.message
    assert 'account: "712020:new", reason: project, until: 2027-03-01' in caught.value.hint


def test_a_file_whose_name_no_terminal_can_show_is_found_again(tmp_path: Path) -> None:
    root = tmp_path / "policies"
    root.mkdir()
    path = root / "leave\u202e.yaml"
    path.write_text(
        HEAD.format(kind="Exemptions", name="leave")
        + 'spec:\n  - {account: "712020:1", reason: absence, until: 2027-01-31, ticket: HR-1}\n'
    )
    proposal = propose_exemption(root, load(root), "acme", NEW)
    assert proposal.path == path.resolve()
    assert proposal.label == "policies/leave\\u202e.yaml"


# -- where an entry goes, and what it looks like there ---------------------------------------------

ENTRY = '{{account: "712020:{0}", reason: absence, until: 2027-01-31, ticket: HR-{0}}}'


def leave(name: str, *numbers: int, sites: str = "") -> str:
    listed = "".join(f"  - {ENTRY.format(number)}\n" for number in numbers or (1,))
    return HEAD.format(kind="Exemptions", name=name).replace("metadata:", f"{sites}metadata:") + f"spec:\n{listed}"


def folder_of(tmp_path: Path, **files: str) -> Path:
    root = tmp_path / "policies"
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / f"{name}.yaml").write_text(text, "utf-8")
    return root.resolve()


def after(root: Path, site: str = "acme", entry: NewExemption = NEW, file: str = "") -> str:
    return propose_exemption(root, load(root), site, entry, Path(file) if file else None).after.decode()


def told(root: Path, entry: NewExemption = NEW, file: str = "") -> str:
    with pytest.raises(CleanupError) as caught:
        after(root, entry=entry, file=file)
    return f"{caught.value.message} {caught.value.hint}"


ADDED = 'account: "712020:new", reason: project, until: 2027-03-01, ticket: "HR-1: no"'
WITH_OWNER = f"{{{ADDED}, owner: legal}}"


def test_one_of_several_documents_is_chosen_by_its_file_alone(tmp_path: Path) -> None:
    root = folder_of(tmp_path, a=leave("a"), b=leave("b", 2))
    said = "Several Exemptions documents are about acme: `a` (policies/a.yaml), `b` (policies/b.yaml)."
    assert told(root) == f"{said} Say which file with --file."
    assert after(root, file="policies/b.yaml") == f"{leave('b', 2)}  - {WITH_OWNER}\n"
    folder_of(tmp_path, b=f"{leave('b', 2)}---\n{leave('c', 3)}")
    assert told(root, file="policies/b.yaml").endswith(
        "`c` (policies/b.yaml). Write the entry into one of them by hand."
    )


def test_only_documents_about_the_site_count(tmp_path: Path) -> None:
    here, there = leave("here", sites="sites: [acme]\n"), leave("there", 2, sites="sites: [other]\n")
    root = folder_of(
        tmp_path, b=f"{there}---\n{here}", c=HEAD.format(kind="Protection", name="here") + "spec: {accounts: [x1]}\n"
    )
    assert after(root) == f"{there}---\n{here}  - {WITH_OWNER}\n"
    assert after(root, site="other") == f"{there}  - {WITH_OWNER}\n---\n{here}"


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ((), "exemptions"),
        (("exemptions",), "exemptions-acme"),
        (("exemptions", "exemptions-acme"), "exemptions-2"),
        (("exemptions", "exemptions-acme", "exemptions-2"), "exemptions-3"),
    ],
)
def test_a_new_document_has_a_name_of_its_own_and_the_site_where_there_are_several(
    tmp_path: Path, taken: tuple[str, ...], name: str
) -> None:
    others = {f"x{number}": leave(one, number, sites="sites: [other]\n") for number, one in enumerate(taken)}
    root = folder_of(tmp_path, site=site("acme"), **(others | ({"other": site("other")} if taken else {})))
    proposal = propose_exemption(root, load(root), "acme", NEW)
    assert (proposal.path, proposal.before) == (root / "exemptions.yaml", None)
    assert proposal.after.decode() == (
        "# yaml-language-server: $schema=schema.json\napiVersion: cleanup-gitops/v1\nkind: Exemptions\n"
        + ("sites: [acme]\n" if taken else "")
        + f"metadata:\n  name: {name}\n  owner: legal\nspec:\n"
        + '  - account: "712020:new"\n    reason: project\n    until: 2027-03-01\n    ticket: "HR-1: no"\n'
    )
    assert propose_exemption(root, load(root), "acme", NEW, Path("policies/new.yaml")).path == root / "new.yaml"
    assert "a new one needs an owner" in told(root, replace(NEW, owner=None))


BLOCK = """\
  - account: "712020:1" # Oslo
    reason: absence
    until: 2027-01-31
    ticket: HR-1
"""
NEW_BLOCK = """\
  - account: "712020:new"
    reason: project
    until: 2027-03-01
    ticket: "HR-1: no"
"""


@pytest.mark.parametrize(
    ("before", "added", "following"),
    [
        (f"  - {ENTRY.format(1)}\n", f"  - {{{ADDED}}}\n", ""),
        (f"  - {ENTRY.format(1)} # why\n", f"  - {{{ADDED}}}\n", "\n# The end.\n"),
        (
            f"  - {ENTRY.format(1)}\n  - {ENTRY.format(2)} # why\n    # about the second\n",
            f"  - {{{ADDED}}}\n",
            "# end\n",
        ),
        (BLOCK, NEW_BLOCK, ""),
        (BLOCK, NEW_BLOCK, "\n# The end.\n"),
        (f"{BLOCK}    # asked\n    # twice\n", NEW_BLOCK, ""),
        (f"{BLOCK}    # asked\n    # twice\n", NEW_BLOCK, "  # less deep\n\n# end\n"),
        (f"  - {ENTRY.format(2)}\n{BLOCK}", NEW_BLOCK, ""),
        (f"{BLOCK}  - {ENTRY.format(2)}\n", f"  - {{{ADDED}}}\n", ""),
    ],
)
@pytest.mark.parametrize("owner", [None, "hr"])
def test_comments_about_the_last_entry_stay_with_it_and_others_stay_at_the_end(
    tmp_path: Path, before: str, added: str, following: str, owner: str | None
) -> None:
    """Whoever the document names as its owner is not named again."""
    head = HEAD.format(kind="Exemptions", name="leave") + "spec:\n"
    root = folder_of(tmp_path, a=f"{head}{before}{following}")
    assert after(root, entry=replace(NEW, owner=owner)) == f"{head}{before}{added}{following}"


OTHER = HEAD.format(kind="Protection", name="safe") + "spec: {accounts: ['712020:x']}\n"
MORE = leave("leave", 1, 2).replace("712020:2", "712020:new").replace("HR-2", "HR-9")
WANTED = NewExemption(account="712020:new", reason="absence", until=date(2027, 1, 31), ticket="HR-9")


@pytest.mark.parametrize(
    ("written", "good"),
    [
        (f"{MORE}---\n{OTHER}", True),
        (f"{OTHER}---\n{MORE}", True),
        (MORE, False),
        (f"{MORE}---\n{OTHER.replace('712020:x', '712020:y')}", False),
        (f"{MORE}---\n{OTHER}---\n{OTHER.replace('safe', 'other')}", False),
        (f"{leave('leave', 1)}---\n{OTHER}", False),
        (f"{MORE.replace('HR-1', 'HR-3')}---\n{OTHER}", False),
        (f"{MORE.replace(ENTRY.format(1), ENTRY.format(3))}---\n{OTHER}", False),
        (f"{MORE}  - {ENTRY.format(3)}\n---\n{OTHER}", False),
        (f"{MORE.replace(f'  - {ENTRY.format(1)}', '').replace(chr(10) * 2, chr(10))}---\n{OTHER}", False),
        (f"{MORE.replace('HR-9', 'HR-8')}---\n{OTHER}", False),
    ],
)
def test_nothing_but_the_entry_may_be_new(tmp_path: Path, written: str, good: bool) -> None:
    before = load(folder_of(tmp_path / "before", a=f"{leave('leave', 1)}---\n{OTHER}"))
    found = load(folder_of(tmp_path / "after", a=written))
    if good:
        check_added(before, found, WANTED)
        return
    with pytest.raises(CleanupError) as caught:
        check_added(before, found, WANTED)
    assert "nothing was written" in caught.value.message
