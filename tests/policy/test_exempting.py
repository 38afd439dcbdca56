"""A new exemption in whatever layout people gave their file: one entry more, and every line that was there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.exempting import NewExemption, check_added, propose_exemption
from cleanup_gitops.policy.loader import load

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
