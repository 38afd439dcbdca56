"""What is refused in a file is told once, and hides nothing else that stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.yaml_text import read_documents
from tests.policy.documents import document, policy, problems


def told(data: bytes) -> list[str]:
    return [f"{one.line}:{one.col}: {one.message}" for one in read_documents(data, "f").problems]


def test_a_file_may_have_five_megabytes_and_no_more() -> None:
    assert told(b"\xff" * 5_000_000) == ["1:1: not UTF-8 from here on; save the file as UTF-8"]
    assert told(b"\xff" * 5_000_001) == ["1:1: the file is larger than 5 MB; split it"]


def test_a_number_may_have_sixty_digits_and_no_more() -> None:
    assert read_documents(b"a: " + b"9" * 60, "f").documents == ({"a": 10**60 - 1},)
    assert told(b"a: " + b"9" * 61) == ["1:4: a number too large to be meant"]


@pytest.mark.parametrize("data", [b"\xff", b"# a\x00", b"\xff\xfe", b"a: [\n", b"[" * 100])
def test_a_file_that_was_not_read_to_its_end_is_not_whole(data: bytes) -> None:
    assert not read_documents(data, "f").whole


def test_what_is_missed_may_stand_in_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_bytes(policy(name="one").encode() + b"# \xff\n")
    needs = "{guard: total, policy: one, max: 620, until: 2026-12-24, reason: first-run, ticket: CHG-1}"
    (found,) = problems(tmp_path, document("Override", needs))
    assert "other.yaml:5:3: not UTF-8 from here on" in found


def test_yaml_1_2_may_be_said_and_no_other_version() -> None:
    assert told(b"%YAML 1.2\n---\na: 1\n") == []
    assert told(b"%YAML 1.1\n---\na: 1\n") == ["1:1: directives (`%TAG`, `%YAML` other than 1.2) are not allowed"]
    assert len(told(b"%YAML 2.2\n---\na: 1\n")) == 1
    assert len(told(b"%YAML 1.3\n---\na: 1\n")) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  ? [x]\n  : v\n  b: c\n", "2:5: a key must be one word of text"),
        ("a:\n  ? {x: y}\n  : [v, w]\n  b: c\n", "2:5: a key must be one word of text"),
        ("a:\n  1:\n  b: c\n", "2:3: a key must be text; put it in quotes if it really is one"),
        ("a:\n  1: v\n  b: c\n", "2:3: a key must be text; put it in quotes if it really is one"),
        ("a:\n  <<: {x: y}\n  b: c\n", "2:3: merge keys (`<<`) are not allowed; write the keys out"),
        ("a:\n  b: c\n  b:\n", "3:3: the key `b` stands here twice (first in line 2)"),
    ],
)
def test_a_refused_key_takes_its_value_with_it_and_nothing_more(text: str, problem: str) -> None:
    reading = read_documents(text.encode(), "f")
    assert told(text.encode()) == [problem]
    assert list(reading.documents) == [{"a": {"b": "c"}}]
    assert reading.whole
