from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.canonical import canonical, digest, manifest_digest, sha256
from cleanup_gitops.model.plan import Plan
from tests import strategies as some

SAFE_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | SAFE_INTEGERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_values_without_floats_and_with_ascii_keys_have_the_bytes_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(some.plans())
def test_all_that_a_plan_holds_has_the_bytes_of_rfc_8785(plan: Plan) -> None:
    assert canonical(plan) == rfc8785.dumps(msgspec.to_builtins(plan))


def test_digests_are_those_of_sha256sum() -> None:
    # printf '{"a":[1,true,null],"b":"\xc3\xa9"}' | sha256sum
    assert digest({"b": "é", "a": [1, True, None]}) == sha256('{"a":[1,true,null],"b":"é"}'.encode())
    assert sha256(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_manifest_is_the_same_in_any_order() -> None:
    assert manifest_digest(["b", "a"]) == manifest_digest(["a", "b"]) == sha256(b"a\nb\n")


def test_times_are_texts_and_not_numbers() -> None:
    assert canonical(datetime(2026, 11, 22, 9, 15, tzinfo=UTC)) == b'"2026-11-22T09:15:00Z"'
