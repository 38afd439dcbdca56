"""Checked PolicyTest documents to values, and the rules between their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from cleanup_gitops.policy.policytest import PolicyTest, Stated, TestDay
from cleanup_gitops.policy.policytest_shapes import WISHES, DayFacts, PolicyTestSpec
from cleanup_gitops.policy.problems import did_you_mean, shown
from cleanup_gitops.policy.rules import Broken
from cleanup_gitops.policy.yaml_values import Map, Place, Seq

T = TypeVar("T")


def policy_test_of(name: str, spec: PolicyTestSpec, data: Map, file: str) -> PolicyTest:
    """The value of one document; ``data`` is what it was read from."""
    given = data["spec"]
    later = zip(spec.then or (), given.get("then", ()), strict=True)
    days = (_day(spec, given, file), *(_day(one, part, file) for one, part in later))
    return PolicyTest(name=name, days=days, groups=tuple(spec.groups or ()), where=f"{file}:{data.line}")


def _day(spec: PolicyTestSpec | DayFacts, data: Map, file: str) -> TestDay:
    return TestDay(
        as_of=spec.as_of,
        users=_stated(spec.users, data.get("users"), file),
        expect=_stated(spec.expect, data.get("expect"), file),
        untouched=_stated(spec.untouched, data.get("untouched"), file),
        where=f"{file}:{data.at_key('as_of')[0]}",
    )


def _stated(shapes: Sequence[T] | None, data: Seq | None, file: str) -> tuple[Stated[T], ...]:
    marks = data.marks if data is not None else []
    return tuple(Stated(one, f"{file}:{line}") for one, (line, _) in zip(shapes or (), marks, strict=True))


def broken_policy_test(document: Map) -> Iterator[Broken]:
    """Every broken rule of one PolicyTest, whatever else may be wrong with it."""
    spec = document.get("spec")
    if document.get("kind") != "PolicyTest" or not isinstance(spec, Map):
        return
    users = list(_texts(spec.get("users"), "id"))
    known = {name for name, _ in users if "@" not in name}  # an address is no id, and is repeated nowhere
    yield from _twice(users)
    later = [one for one in _entries(spec.get("then")) if isinstance(one, Map)]
    yield from _days(spec, later)
    if not any(key in day for day in (spec, *later) for key in ("expect", "untouched")):
        yield Broken(document.at_key("spec"), "the test asks for nothing; name changes under `expect` or `untouched`")
    for day in (spec, *later):
        if day is not spec:
            told = list(_texts(day.get("users"), "id"))
            yield from _twice(told)
            yield from _strangers(told, known)
            yield from _standing_later(day)
        expected, left = list(_texts(day.get("expect"), "user")), list(_texts(day.get("untouched"), "user"))
        yield from _strangers([*expected, *left], known)
        changed = {name for name, _ in expected if name in _changed(day)}
        for name, at in left:
            if name in changed:
                yield Broken(at, f"{shown(name)} is expected to change, and `untouched` as well")
        yield from _facts(day)
        yield from _without_seat(day, spec)


def _entries(part: object) -> Seq | tuple[()]:
    return part if isinstance(part, Seq) else ()


def _texts(part: object, key: str) -> Iterator[tuple[str, Place]]:
    """Who is named in a list, by the text alone or under a key."""
    if not isinstance(part, Seq):
        return
    for entry, place in zip(part, part.marks, strict=True):
        if isinstance(entry, Map) and isinstance(entry.get(key), str):
            yield entry[key], entry.at_value(key)
        elif isinstance(entry, str):
            yield entry, place


def _changed(day: Map) -> set[str]:
    """Who is expected to be changed now."""
    entries = [one for one in _entries(day.get("expect")) if isinstance(one, Map)]
    named = (one.get("user") for one in entries if one.get("is", "changed") == "changed")
    return {one for one in named if isinstance(one, str)}


def _standing_later(day: Map) -> Iterator[Broken]:
    """On a later day users stand where the days before have led them."""
    for one in _entries(day.get("users")):
        if isinstance(one, Map) and "stages" in one:
            message = "`stages` says where a user stands when the test begins; name it under the first `users`"
            yield Broken(one.at_key("stages"), message)


def _twice(named: Iterable[tuple[str, Place]]) -> Iterator[Broken]:
    seen: set[str] = set()
    for name, at in named:
        if name in seen:
            yield Broken(at, f"there is another user {shown(name)}")
        seen.add(name)


def _strangers(named: Iterable[tuple[str, Place]], known: set[str]) -> Iterator[Broken]:
    for name, at in named:
        if name not in known:
            yield Broken(at, f"the test has no user {shown(name)}{did_you_mean(name, known)}")


def _days(spec: Map, later: Sequence[Map]) -> Iterator[Broken]:
    """Days in order."""
    before = spec.get("as_of")
    for day in later:
        now = day.get("as_of")
        if before is not None and now is not None and str(now) <= str(before):
            yield Broken(day.at_value("as_of"), f"must be a later day than the one before, {before}")
        before = now or before


def _facts(day: Map) -> Iterator[Broken]:
    """Facts of users that exclude each other, and expectations of nothing."""
    for one in _entries(day.get("users")):
        if isinstance(one, Map):
            if "seat" in one and "license" in one:
                yield Broken(one.at_key("license"), "`seat` says so already; leave `seat` or `license` out")
            yield from _products(one.get("elsewhere"))
            if one.get("email") == "absent" and "domain" in one:
                yield Broken(one.at_key("domain"), "without an e-mail address the site tells no domain; leave it out")
    for one in _entries(day.get("expect")):
        if isinstance(one, Map) and not set(one) & set(WISHES):
            names = ", ".join(f"`{key}`" for key in WISHES)
            yield Broken((one.line, one.col), f"which change is expected? Name one of {names}")
        if isinstance(one, Map) and one.get("groups") == {}:
            yield Broken(one.at_key("groups"), "`groups` says nothing; name `present` or `absent`")
        if isinstance(one, Map) and "stage" in one and "because" not in one:
            yield Broken(one.at_key("stage"), "`stage` needs the policy beside it, as `because`")


def _without_seat(day: Map, spec: Map) -> Iterator[Broken]:
    """``seat: false`` of somebody in a group that gives one."""
    groups = [one for one in _entries(spec.get("groups")) if isinstance(one, Map) and one.get("license") == "seat"]
    giving = {one["name"].casefold() for one in groups if isinstance(one.get("name"), str)}
    for one in _entries(day.get("users")):
        if isinstance(one, Map) and one.get("seat") is False:
            own = [name for name in _entries(one.get("groups")) if isinstance(name, str) and name.casefold() in giving]
            if own:
                yield Broken(
                    one.at_key("seat"), f"the group {shown(own[0])} gives a seat; leave `seat` or the group out"
                )


def _products(elsewhere: object) -> Iterator[Broken]:
    for product in ("any", "confluence"):
        if isinstance(elsewhere, Map) and product in elsewhere:
            message = f"`elsewhere` is about single products beside Confluence, not `{product}`"
            yield Broken(elsewhere.at_key(product), message)
