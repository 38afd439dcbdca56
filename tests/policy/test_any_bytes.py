"""Whatever stands in a policy folder, loading it gives policies or a PolicyError with places, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import date
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
SEEDS += [path.read_bytes() for path in sorted((VALID.parents[2] / "policies").glob("*.yaml"))]
GOOD = tuple(SEEDS)
SEEDS += [path.read_bytes() for path in sorted((VALID.parent / "wrong").glob("*.yaml"))]
PIECES = [b"", b"\n", b" ", b"\t", b":", b"- ", b"[", b"}", b"*a", b"&a ", b"!t ", b"no", b"1e3", b"\x00"]
TODAY = date(2026, 11, 22)
MORE = settings(max_examples=settings().max_examples * 4)
MANY = settings(max_examples=settings().max_examples * 50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bytes") / "policies"
    path.mkdir()
    return path


def outcome(folder: Path, data: bytes) -> PolicySet | PolicyError:
    """Load one file of these bytes; nothing but a PolicyError may be raised."""
    (folder / "a.yaml").write_bytes(data)
    try:
        loaded = load(folder, today=TODAY)
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
        lines = re.split(r"\r\n?|\n", data.decode("utf-8", "replace"))
        for one in found.problems:
            assert 1 <= one.line <= len(lines)
            assert 1 <= one.col <= len(lines[one.line - 1]) + 1


@MORE
@example(b"\r\x00")
@example(b"a: 1\rb: 2\r\x80")
@example(b"a: 1\nens")
@example(b"a:\r\n  b: 1\r\n  ens")
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


def parts(value: Json) -> list[Json]:
    """The value and all that is in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(part for one in inner for part in parts(one))]


TREES = [json.loads(json.dumps(one, default=str)) for seed in GOOD for one in read_documents(seed, "").documents]
SUBTREES = [part for tree in TREES for part in parts(tree)]
"""Every value that stands anywhere in a valid document."""


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


def renamed(value: Json, path: tuple[Any, ...], new: str) -> Json:
    """The same with another name for one key."""
    if len(path) > 1:
        return replaced(value, path[:1], renamed(value[path[0]], path[1:], new))
    return {new if key == path[0] else key: one for key, one in value.items()} if isinstance(value, dict) else value


def without(value: Json, path: tuple[Any, ...]) -> Json:
    """The same with one thing left out."""
    if len(path) > 1:
        return replaced(value, path[:1], without(value[path[0]], path[1:]))
    if isinstance(value, dict):
        return {key: one for key, one in value.items() if key != path[0]}
    return [one for number, one in enumerate(value) if number != path[0]]


@st.composite
def rearranged(draw: st.DrawFn) -> bytes:
    """Valid documents in which parts are left out, named otherwise, doubled, or taken from another document."""
    document = draw(st.sampled_from(TREES))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([hole for hole in holes(document) if hole] or [()]))
        if not path:
            break
        match draw(st.sampled_from(("leave out", "rename", "graft", "double"))):
            case "leave out":
                document = without(document, path)
            case "rename":
                document = renamed(document, path, draw(st.sampled_from(KEYS) | st.text(max_size=5)))
            case "graft":
                document = replaced(document, path, draw(st.sampled_from(SUBTREES)))
            case _:
                document = replaced(document, path, [draw(st.sampled_from(SUBTREES))] * 2)
    others = draw(st.lists(st.sampled_from(TREES), max_size=2))
    return "\n---\n".join(json.dumps(one, ensure_ascii=False) for one in (document, *others)).encode(
        "utf-8", "surrogatepass"
    )


@MORE
@given(rearranged())
def test_valid_documents_that_are_rearranged(folder: Path, data: bytes) -> None:
    check(folder, data)


WORDS = st.sampled_from(
    (*KEYS, *TEXTS, "- ", ": ", "? ", "| ", "> ", "{", "}", "[", "]", ", ", "#", "---", "...", "\n", "\n  ")
)


@MORE
@given(st.lists(WORDS | st.text(max_size=3), max_size=40).map("".join))
def test_arbitrary_yaml(folder: Path, text: str) -> None:
    check(folder, text.encode("utf-8", "surrogatepass"))


ANYTHING = st.binary(max_size=400) | mutated() | misshapen() | rearranged()


@pytest.mark.slow
@MANY
@given(ANYTHING)
def test_anything_for_longer(folder: Path, data: bytes) -> None:
    check(folder, data)


def test_the_same_bytes_give_the_same_problems(folder: Path) -> None:
    for seed in SEEDS[::7]:
        first, second = outcome(folder, seed), outcome(folder, seed)
        assert str(first) == str(second) or first == second


def test_no_valid_document_is_taken_for_a_wrong_one(folder: Path) -> None:
    """Else what is made of them would only ever be refused."""
    assert sum(isinstance(outcome(folder, seed), PolicySet) for seed in GOOD) >= len(GOOD) // 2
