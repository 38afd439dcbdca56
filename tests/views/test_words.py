"""Codes of the model have words: nobody reads ``lifecycle-unknown`` in a plan."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanup_gitops import planner
from cleanup_gitops.model.plan import Disposition
from cleanup_gitops.model.user import Kind
from cleanup_gitops.sites.cloud import write_refusals
from cleanup_gitops.sites.cloud.questions import REFUSED
from cleanup_gitops.views import words

PLACES = {"Obstacle": (2, "reason"), "Disposition": (1, "reason"), "Step": (2, "handoff")}
"""Where a reason code stands in a call: its position, or its keyword."""
KINDS: tuple[Kind, ...] = ("person", "service", "app", "customer", "unknown")


def codes() -> set[str]:
    """Every reason code that is written out in the planner."""
    folder = Path(planner.__file__).parent
    return {code for file in folder.glob("*.py") for code in _codes(file)}


def _codes(file: Path) -> Iterator[str]:
    protects = file.name == "protect.py"  # where functions return a code and the document that protects
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACES:
            place, keyword = PLACES[node.func.id]
            yield from _texts(node.args[place : place + 1])
            yield from _texts([one.value for one in node.keywords if one.arg == keyword])
        elif protects and isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield from _texts(node.value.elts[:1])


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for one in ast.walk(node):
            if (
                isinstance(one, ast.Constant)
                and isinstance(one.value, str)
                and re.fullmatch(r"[a-z]+(-[a-z]+)*", one.value)
            ):
                yield one.value


def test_every_reason_of_the_planner_has_words() -> None:
    found = codes() - {"changed"}
    assert {"lifecycle-unknown", "account-absent", "protected-role", "last-administrator", "already-so"} <= found
    assert found <= words._REASONS.keys()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_type_of_account_that_is_protected_has_words(kind: Kind) -> None:
    assert f"account-type-{kind}" in words._REASONS


@pytest.mark.case("E45")
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("administrative", "an administrative restriction forbids it"),
        ("authPolicy.saml", "the account signs in through SAML single sign-on"),
        (REFUSED, "it does not say why"),
    ],
)
def test_the_reasons_of_the_vendor_are_worded(code: str, why: str) -> None:
    text = words.why(Disposition("conflict", "lifecycle-refused", (), code))
    assert text == f"the site does not allow to change the account ({why})"


def test_a_plan_and_a_refused_write_give_the_same_reason_in_the_same_words() -> None:
    of_writes = {code: why for code, (why, _) in write_refusals._REASONS.items() if not code.startswith("external")}
    assert {code: why for code, why in words._REFUSALS.items() if code != REFUSED} == of_writes


@pytest.mark.case("E45")
def test_a_reason_that_is_new_is_shown_as_the_site_told_it() -> None:
    text = words.why(Disposition("conflict", "lifecycle-refused", (), "newReason"))
    assert text == "the site does not allow to change the account (newReason)"


@pytest.mark.case("E45")
def test_a_directory_of_a_new_kind_is_still_a_directory() -> None:
    assert words.reason("externalDirectory.ldap") == "account synced from another directory"
    assert words.hands("externalDirectory.ldap") == "whoever runs the directory that these accounts are synced from"
