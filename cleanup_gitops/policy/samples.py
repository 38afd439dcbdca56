"""Made-up notices, to try templates on and to preview them: with and without what may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import product

from cleanup_gitops.policy.template_text import Value

MARK = "zqadaexamplezq"
"""A name that stands in no template: where it comes out is where a person's name would."""

_SAMPLE: dict[str, Value] = {
    "name": MARK,
    "user": "712020:00000000-0000-0000-0000-000000000000",
    "site": "acme",
    "url": "https://acme.atlassian.net",
    "policy": "dormant-members",
    "why": "Members who have not opened Confluence for a quarter give their seat back.",
    "owner": "iam@acme.com",
    "stage": "notice",
    "episode": 1,
    "as_of": date(2026, 11, 22),
    "last_seen": date(2026, 8, 3),
    "days": 111,
    "next_stage": "release-seat",
    "next_does": "access to Confluence ends",
    "next_day": date(2026, 12, 6),
    "language": "de",
    "address": "stage/712020:00000000-0000-0000-0000-000000000000/dormant-members/notice/1",
}
_MAY_MISS: tuple[dict[str, Value], ...] = (
    {"last_seen": None},
    {"days": None},
    {"next_stage": "", "next_does": "", "next_day": None},
    {"language": ""},
)


def sample(name: str = "Ada Example") -> dict[str, Value]:
    """A whole notice to a made-up person."""
    return _SAMPLE | {"name": name}


@cache
def samples() -> tuple[dict[str, Value], ...]:
    """Notices with and without each thing that may be missing, in every combination."""
    return tuple(_samples())


def _samples() -> Iterator[dict[str, Value]]:
    for choices in product((False, True), repeat=len(_MAY_MISS)):
        values = dict(_SAMPLE)
        for missing, chosen in zip(_MAY_MISS, choices, strict=True):
            values |= missing if chosen else {}
        yield values
