"""Golden wrong documents: ``wrong/NAME.yaml`` must give exactly the problems of ``wrong/NAME.txt``.

A line of the latter is ``line:col: message``. ``python -m tests.golden --accept tests/policy`` accepts new messages.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from tests import golden

WRONG = sorted(Path(__file__).with_name("wrong").glob("*.yaml"))
TODAY = date(2026, 11, 22)


def problems_of(document: Path, folder: Path) -> PolicyError:
    folder.mkdir()
    shutil.copy(document, folder / "wrong.yaml")
    with pytest.raises(PolicyError) as caught:
        load(folder, today=TODAY)
    return caught.value


@pytest.mark.case("E31", "E82", "F2")
@pytest.mark.parametrize("document", WRONG, ids=lambda path: path.stem)
def test_a_wrong_document_gives_these_problems_at_these_places(document: Path, tmp_path: Path) -> None:
    error = problems_of(document, tmp_path / "policies")
    lines = [str(one).removeprefix("policies/wrong.yaml:") for one in error.problems]
    golden.check(document.with_suffix(".txt"), "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("document", WRONG, ids=lambda path: path.stem)
def test_every_place_exists_in_the_file(document: Path, tmp_path: Path) -> None:
    text = document.read_text("utf-8").split("\n")
    for problem in problems_of(document, tmp_path / "policies").problems:
        assert 1 <= problem.line <= len(text)
        assert 1 <= problem.col <= len(text[problem.line - 1]) + 1


def test_the_problems_are_one_a_line_and_sorted_by_place(tmp_path: Path) -> None:
    document = next(path for path in WRONG if path.stem == "guardrails-wrong")
    error = problems_of(document, tmp_path / "policies")
    assert str(error).split("\n") == [str(one) for one in error.problems]
    assert list(error.problems) == sorted(error.problems)
    assert len(error.problems) > 10


def test_the_wrong_documents_are_many() -> None:
    assert len(WRONG) >= 40


@pytest.mark.case("E78", "F21")
def test_no_message_repeats_a_pasted_secret_or_an_address(tmp_path: Path) -> None:
    names = {
        "nothing-of-a-pasted-secret-is-repeated",
        "site-wrong-values",
        "site-urls",
        "protection-accounts",
        "match-domains",
    }
    for number, document in enumerate(path for path in WRONG if path.stem in names):
        text = str(problems_of(document, tmp_path / str(number))).lower()
        assert text.count("\n") >= 1
        leaks = ("atatt", "verysecret", ":secret", "ada", "someone")
        assert not [word for word in leaks if word in text]
