"""The short reasons of an error body: what a person may see of it, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.sites.bodies import SCOPE, further_reasons

ADA = "Ada.Example@acme.com"


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        ({}, ()),
        ([], ()),
        ({"context": None}, ()),
        ({"context": {"allowed": False, "reason": {"key": "externalDirectory.scim"}}}, ("externalDirectory.scim",)),
        ({"context": {"errorCodes": [{"code": "a.b"}, {"code": "c", "message": ADA}, {}]}}, ("a.b", "c")),
        ({"context": {"reason": {"key": ADA}, "errorCodes": [{"code": 7}, {"code": ADA}]}}, ()),
        ({"context": {"reason": "text"}}, ()),
        ({"code": 403, "message": "needs the scope manage:org."}, (SCOPE,)),
        ({"key": "forbidden", "message": '["manage:org"]', "context": {"reason": {"key": "x"}}}, (SCOPE, "x")),
        ({"message": "manage:organization, xmanage:org, manage:org:read"}, ()),
    ],
)
def test_codes_below_the_first_one_are_found_and_free_texts_are_not(body: object, reasons: tuple[str, ...]) -> None:
    assert further_reasons(json.dumps(body).encode()) == reasons


@pytest.mark.parametrize("body", [b"", b"<html>manage:org</html>", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_has_no_reasons_but_a_scope(body: bytes) -> None:
    assert further_reasons(body) in ((), (SCOPE,))
    assert (SCOPE in further_reasons(body)) == (b"manage:org" in body)


@given(st.binary(max_size=60))
def test_no_body_breaks_it(body: bytes) -> None:
    assert isinstance(further_reasons(body), tuple)
