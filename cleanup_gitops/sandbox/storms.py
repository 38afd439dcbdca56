"""Storms: faults by chance, the same ones every time; and the rules in force.

A storm is a rule such as ``{"kind": "storm", "seed": 7, "rate": 0.2, "most_in_a_row": 2}``. Whether the n-th
request of one identity meets a fault, and which, is decided by a hash of the seed, the identity and n, and by
nothing else: not by when it arrives, nor by what others ask meanwhile. So a client that asks the same meets the
same, in whatever order its threads run.

``seed``           another number, another storm
``rate``           the share of requests that meet a fault, from 0 to 1
``match``          which requests it is about; `after` and `times` count them as they arrive
``faults``         what may happen, with a `weight` each, and a `match` by method and path; without any: `STANDARD`
``most_in_a_row``  so many times one after the other at most does the same request go wrong, then it passes

Every fault that was met is written down as a rule for that identity and number, so that a run can be repeated
without the storm.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cleanup_gitops.sandbox.asked import Asked
from cleanup_gitops.sandbox.faults import BESIDE, Fault, Match, applies
from cleanup_gitops.sandbox.world import SandboxError

STANDARD: tuple[Fault, ...] = (
    Fault("reset", weight=3),
    Fault("reset", carry_out=True, weight=3),
    Fault("status", status=500, weight=2),
    Fault("status", status=503, headers={"Retry-After": "1"}, weight=2),
    Fault("status", status=504, carry_out=True, weight=2),
    Fault("throttle", seconds=1, weight=2),
    Fault("throttle", seconds=1, reset="seconds", retry_after="seconds"),
    Fault("throttle", seconds=1, reset="short"),
    Fault("throttle", seconds=1, reset="past"),
    Fault("truncate"),
    Fault("truncate", length="part"),
    Fault("drip", seconds=0.001, piece=512),
    Fault("slow", seconds=0.02),
    Fault("html"),
    Fault("html", status=502, carry_out=True),
    Fault("not_json"),
    Fault("content_type"),
    Fault("error_in_ok"),
    Fault("cursor_expired"),
    Fault("cursor_loop"),
    Fault("repeat_page"),
    Fault("no_effect"),
    Fault("late", reads=2),
    Fault("skew", seconds=90),
    Fault("near_limit", seconds=1),
)
"""What may happen in a storm that does not say so. Left out is what no client can notice (``drop_rows``), what ends
the run (``revoked``), what changes who is there (``vanish``), and what waits for a time limit (endless ``drip``)."""


class Storm(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One storm; see the module's description."""

    kind: Literal["storm"]
    seed: int
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)]
    match: Match = msgspec.field(default_factory=Match)
    faults: list[Fault] = []
    most_in_a_row: Annotated[int, msgspec.Meta(ge=0)] | None = None

    def draw(self, asked: Asked, nth: int, in_a_row: int) -> Fault | None:
        """What the `nth` request like this meets, after `in_a_row` that went wrong one after the other."""
        if self.most_in_a_row is not None and in_a_row >= self.most_in_a_row:
            return None
        digest = hashlib.sha256(f"{self.seed}\n{asked.identity}\n{nth}".encode()).digest()
        chance, choice = (int.from_bytes(part) / 2**64 for part in (digest[:8], digest[8:16]))
        if chance >= self.rate:
            return None
        known: Sequence[Fault] = self.faults or STANDARD
        return _weighed([one for one in known if one.match.fits(asked) and applies(one.kind, asked)], choice)


Rule = Fault | Storm


def _weighed(faults: Sequence[Fault], choice: float) -> Fault | None:
    """The one at the place `choice`, from 0 to 1, where each is as long as its weight."""
    left = choice * sum(one.weight for one in faults)
    for one in faults:
        left -= one.weight
        if left < 0:
            return one
    return faults[-1] if faults else None


def read_rules(data: bytes) -> list[Rule]:
    """The rules in a JSON document, one or a list of them; raises ValueError saying what is wrong."""
    try:
        many = data.lstrip().startswith(b"[")
        rules = [
            _read_rule(one) for one in msgspec.json.decode(data if many else b"[%b]" % data, type=list[msgspec.Raw])
        ]
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    for rule in rules:
        for match in (rule.match, *(one.match for one in (rule.faults if isinstance(rule, Storm) else ()))):
            try:
                re.compile(match.path_regex)
            except re.error as error:
                raise ValueError(f"path_regex {match.path_regex!r}: {error}") from None
    return rules


def load_rules(path: Path | str) -> list[Rule]:
    """The rules in a file; raises `SandboxError` naming it."""
    try:
        return read_rules(Path(path).read_bytes())
    except OSError as error:
        raise SandboxError(f"{path}: cannot read the faults: {error.strerror}") from None
    except ValueError as error:
        raise SandboxError(f"{path}: not a list of faults: {error}") from None


def _read_rule(data: msgspec.Raw) -> Rule:
    kind = msgspec.json.decode(data, type=dict[str, object]).get("kind")
    if kind != "storm":
        return msgspec.json.decode(data, type=Fault)
    storm = msgspec.json.decode(data, type=Storm)
    if any(one.match != Match(one.match.method, one.match.path_regex) for one in storm.faults):
        raise ValueError("faults of a storm are chosen by method and path_regex alone")
    return storm


@dataclass(frozen=True)
class Met:
    """What a request meets: at most one fault, and those that come beside it."""

    fault: Fault | None = None
    beside: tuple[Fault, ...] = ()

    @property
    def name(self) -> str | None:
        """For the log."""
        return "+".join(one.kind for one in (self.fault, *self.beside) if one is not None) or None


@dataclass
class Rules:
    """The rules in force, with what they have counted.

    `seen` are the requests that each rule is about, `times` those of each identity, `in_a_row` how many of the
    last ones went wrong; `done` are the faults that were met, as rules; `revoked` maps credentials (their
    digests) to the status that they get.
    """

    rules: list[Rule] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)
    in_a_row: dict[str, int] = field(default_factory=dict)
    done: list[Fault] = field(default_factory=list)
    revoked: dict[str, int] = field(default_factory=dict)

    def add(self, rules: Sequence[Rule]) -> None:
        """Put more rules after those in force; with the first ones, counting begins."""
        if not self.rules:
            self.clear()
        self.rules += rules
        self.seen += [0] * len(rules)

    def clear(self) -> None:
        """Back to normal."""
        self.rules, self.seen, self.done = [], [], []
        self.times, self.in_a_row, self.revoked = {}, {}, {}

    def copy(self) -> Rules:
        """The same, to be counted on apart."""
        return Rules(
            list(self.rules),
            list(self.seen),
            dict(self.times),
            dict(self.in_a_row),
            list(self.done),
            dict(self.revoked),
        )

    def choose(self, asked: Asked, credentials: str) -> Met:
        """What this request meets, counting it for every rule that is about it."""
        if credentials in self.revoked:
            return Met(Fault("revoked", status=self.revoked[credentials]))
        identity = asked.identity
        nth = self.times[identity] = self.times.get(identity, 0) + 1
        fault: Fault | None = None
        beside: list[Fault] = []
        for number, rule in enumerate(self.rules):
            if not rule.match.fits(asked):
                continue
            self.seen[number] += 1
            if not rule.match.in_turn(self.seen[number]):
                continue
            found = rule.draw(asked, nth, self.in_a_row.get(identity, 0)) if isinstance(rule, Storm) else rule
            if found is not None and found.kind in BESIDE:
                beside.append(found)
            elif fault is None:
                fault = found
        self.in_a_row[identity] = 0 if fault is None else self.in_a_row.get(identity, 0) + 1
        met = Met(fault, tuple(beside))
        self._note(met, Match(identity=identity, nth=nth))
        if fault is not None and fault.kind == "revoked":
            self.revoked[credentials] = fault.status or 401
        return met

    def _note(self, met: Met, where: Match) -> None:
        self.done += [
            msgspec.structs.replace(one, match=where, weight=1.0) for one in (met.fault, *met.beside) if one is not None
        ]
