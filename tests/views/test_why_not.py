"""Why a policy does not mean somebody, as text, Markdown and JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.views.why_not import render_why_not, render_why_not_json
from tests import golden
from tests.rehearsal.test_why_not import asked

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "account", "policy"),
    [
        ("stages", "712020:finn", "long-gone"),
        ("mildest-wins", "712020:bob", "dormant"),
        ("unknown-facts", "712020:activity", "dormant-members"),
        ("leaver-beats-dormant", "u1", "dormant-members"),
    ],
)
def test_somebody_of_a_case_is_told_in_every_form(name: str, account: str, policy: str) -> None:
    found, case = asked(name, account, policy)
    file = f"why-not-{name}-{account.removeprefix('712020:')}"
    golden.check(GOLDEN / f"{file}.txt", render_why_not(found, case))
    golden.check(GOLDEN / f"{file}.md", render_why_not(found, case, form="md"))
    golden.check(GOLDEN / f"{file}.json", render_why_not_json(found, case))
