"""Failures on request: rules that say which requests go wrong, and how.

A rule is JSON, for example ``{"match": {"method": "POST", "path_regex": "users/search$", "nth":
2}, "kind": "status", "status": 503}``. `Match`: `method`, `path_regex` (searched in the path), and
of the requests that fit, either only number `nth` (from 1), or those after the first `after`, at
most `times` of them. The first rule that fits wins. Kinds:

``status``       answer `status` in the body shape `shape` (application, gateway, spring,
                 confluence, empty), with `headers`
``html``         an HTML page with `status` (200 by default), as a proxy or a login page sends it
``not_json``     plain text that claims to be JSON
``reset``        close the connection without an answer
``truncate``     close it in the middle of the body
``slow``         wait `seconds` of real time, then answer as always
``cursor_loop``  the page names the cursor that it was asked with as its next one
``repeat_page``  the page has the rows of the page before it in the same search, a first page those of
                 the search that was answered last (counted from the first rule on)
``drop_rows``    the page lacks its last `rows` rows and does not say so
``no_effect``    a write answers as if it had worked and changes nothing
``late``         a write shows only after `reads` further reads

``status``, ``html``, ``not_json``, ``reset`` and ``truncate`` happen instead of the request; with
`carry_out` the request is carried out first and only its answer is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import msgspec


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which requests a rule is about."""

    method: str | None = None
    path_regex: str = ""
    nth: int | None = None
    after: int = 0
    times: int | None = None


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One rule; see the module's description."""

    kind: Literal[
        "status", "html", "not_json", "reset", "truncate", "slow", "cursor_loop", "repeat_page",
        "drop_rows", "no_effect", "late",
    ]  # fmt: skip
    match: Match = msgspec.field(default_factory=Match)
    status: int | None = None
    shape: Literal["application", "gateway", "spring", "confluence", "empty"] = "application"
    code: str = "ADMIN-500-1"
    message: str = "Something went wrong"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0
    rows: int = 1
    reads: int = 1
    carry_out: bool = False


@dataclass
class Rules:
    """The rules in force, with how many requests each has seen."""

    faults: list[Fault] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def add(self, faults: list[Fault]) -> None:
        """Put more rules after those in force."""
        self.faults += faults
        self.seen += [0] * len(faults)

    def clear(self) -> None:
        """Back to normal."""
        self.faults, self.seen = [], []

    def choose(self, method: str, path: str) -> Fault | None:
        """The rule for this request, counting it for every rule that is about it."""
        chosen = None
        for number, fault in enumerate(self.faults):
            match = fault.match
            if match.method not in (None, method) or not re.search(match.path_regex, path):
                continue
            self.seen[number] += 1
            if chosen is None and _in_turn(match, self.seen[number]):
                chosen = fault
        return chosen


def _in_turn(match: Match, count: int) -> bool:
    if match.nth is not None:
        return count == match.nth
    past = count - match.after
    return past > 0 and (match.times is None or past <= match.times)
