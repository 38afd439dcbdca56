"""Whatever stands in a policy folder, loading it gives policies or a PolicyError with places, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_gitops.policy.condition_shapes import PREDICATES, TREE
from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError
from cleanup_gitops.policy.yaml_text import read_documents
from tests.policy.documents import VALID

Json = Any
"""A value as JSON has it."""
SEEDS = [path.read_bytes() for path in sorted(VALID.glob("*.yaml"))]
SEEDS += [path.read_bytes() for path in sorted((VALID.parent / "wrong").glob("*.yaml"))]
PIECES = [b"", b"\n", b" ", b"\t", b":", b"- ", b"[", b"}", b"*a", b"&a ", b"!t ", b"no", b"1e3", b"\x00"]
MORE = settings(max_examples=settings().max_examples * 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bytes") / "policies"
    path.mkdir()
    return path


def outcome(folder: Path, data: bytes) -> PolicySet | PolicyError:
    """Load one file of these bytes; nothing but a PolicyError may be raised."""
    (folder / "a.yaml").write_bytes(data)
    try:
        loaded = load(folder)
    except PolicyError as error:
        return error
    for name in ("acme", *(one.name for one in loaded.sites)):
        assert loaded.for_site(name).digest.startswith("sha256:")
    return loaded


def check(folder: Path, data: bytes) -> None:
    """Problems have places that exist, and no message can disturb a terminal."""
    found = outcome(folder, data)
    if isinstance(found, PolicyError):
        assert found.problems
        assert all(line.isprintable() for line in str(found).split("\n"))
        lines = data.decode("utf-8", "replace").splitlines() or [""]
        assert all(1 <= one.line <= len(lines) + 1 and one.col >= 1 for one in found.problems)


@MORE
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_arbitrary_bytes(folder: Path, data: bytes) -> None:
    check(folder, data)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A document with pieces cut out, put in, doubled and swapped."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=6) | st.just(data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data


@MORE
@given(mutated())
def test_documents_with_accidents(folder: Path, data: bytes) -> None:
    check(folder, data)


KEYS = ("apiVersion", "kind", "metadata", "name", "spec", "sites", "for", "product", "max", *PREDICATES, *TREE)
TEXTS = (
    "90d",
    "any",
    "cloud",
    "*",
    "712020:4f",
    "2027-03-01",
    "Policy",
    "https://[",
    "https://a:b/",
    "xn--",
    "a." * 200,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
TREES = [json.loads(json.dumps(one, default=str)) for seed in SEEDS[:2] for one in read_documents(seed, "").documents]


def holes(value: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(hole for key, one in inner for hole in holes(one, (*path, key)))]


def replaced(value: Json, path: tuple[Any, ...], new: Json) -> Json:
    """The same with something else at one place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def misshapen(draw: st.DrawFn) -> bytes:
    """Documents in which a few values are of another type, or are missing."""
    documents = []
    for tree in draw(st.lists(st.sampled_from(TREES), min_size=1, max_size=3)):
        document = tree
        for _ in range(draw(st.integers(0, 2))):
            document = replaced(document, draw(st.sampled_from(holes(document))), draw(VALUES))
        documents.append(document)
    return "\n---\n".join(json.dumps(one, ensure_ascii=False) for one in documents).encode("utf-8", "surrogatepass")


@MORE
@given(misshapen())
@example(b'{"kind": "Policy", "spec": {"match": {"all": [{"all": [{"all": 1}]}], "any": {}}}}')
@example(b'{"kind": "Exemptions", "sites": [1, null, []], "spec": [[], 1, {"account": {}}]}')
def test_documents_with_values_of_other_types(folder: Path, data: bytes) -> None:
    check(folder, data)
