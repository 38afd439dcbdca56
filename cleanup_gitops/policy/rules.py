"""Rules between several keys of one document.

They are read from the raw document, so that they are found together with everything else that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cleanup_gitops.policy.patterns import glob
from cleanup_gitops.policy.shapes import PREDICATES, TREE
from cleanup_gitops.policy.yaml_values import Map, Place, Seq


class Broken(NamedTuple):
    """A broken rule and where it stands."""

    at: Place
    message: str


def broken_rules(document: Map) -> Iterator[Broken]:
    """Every broken rule of one document, whatever else may be wrong with it."""
    yield from _named_twice(document, "")
    spec = document.get("spec")
    if not isinstance(spec, Map):
        return
    if document.get("kind") == "Policy":
        if isinstance(spec.get("match"), Map):
            yield from _match(spec["match"], spec.at_key("match"))
        if isinstance(spec.get("ensure"), Map):
            yield from _ensure(spec["ensure"], spec.at_key("ensure"))
    elif document.get("kind") in ("Protection", "Guardrails"):
        if not spec:
            yield Broken(document.at_key("spec"), "`spec` says nothing; name something, or remove the document")
        if isinstance(spec.get("caps"), Map) and not spec["caps"]:
            yield Broken(spec.at_key("caps"), "`caps` says nothing; name a limit, or leave the key out")


def _named_twice(value: object, key: str) -> Iterator[Broken]:
    """Texts that stand twice in one list. Ids and references differ by case; names of groups and domains do not."""
    if isinstance(value, Map):
        for name, part in value.items():
            yield from _named_twice(part, name)
    if isinstance(value, Seq):
        seen: set[str] = set()
        for entry, place in zip(value, value.marks, strict=True):
            if isinstance(entry, str):
                same = entry if key in ("accounts", "controls") else entry.casefold()
                if same in seen:
                    yield Broken(place, f"this entry stands twice in `{key}`")
                seen.add(same)
            yield from _named_twice(entry, key)


def _match(match: Map, at: Place) -> Iterator[Broken]:
    named = [key for key in TREE if key in match]
    if not named and not set(match) & set(PREDICATES):
        yield Broken(at, "`match` needs conditions under `all` or `any`; an empty match never means everybody")
    elif named == ["none"]:
        yield Broken(
            match.at_key("none"),
            "`none` alone would mean everybody else; say under `all` or `any` who is meant",
        )
    elif named and not _positive(match):
        yield Broken(at, "every condition is a `none`, which would mean everybody else; say who is meant")
    for key in named:
        yield from _conditions(match[key])


def _conditions(entries: object) -> Iterator[Broken]:
    if not isinstance(entries, Seq):
        return
    for entry, place in zip(entries, entries.marks, strict=True):
        if not isinstance(entry, Map):
            continue
        asked = [key for key in entry if key in PREDICATES]
        trees = [key for key in entry if key in TREE]
        if not entry:
            yield Broken(place, "an empty condition; it would mean everybody")
        if len(asked) > 1 or (asked and trees):
            second = (asked[1:] or trees)[0]
            yield Broken(
                entry.at_key(second),
                f"one condition in each entry: begin a new entry (`- {second}: …`) for this one",
            )
        for key in trees:
            yield from _conditions(entry[key])


def _positive(tree: object) -> bool:
    """Whether a condition says who is meant, not only who is not.

    Wrong types and empty lists count as positive: they are reported elsewhere.
    """
    if not isinstance(tree, Map):
        return True
    keys = [key for key in TREE if key in tree]
    if not keys:
        return True
    sure = tree.get("all")
    branches = tree.get("any")
    if "all" in tree and (not isinstance(sure, Seq) or not sure or any(map(_positive, sure))):
        return True
    return "any" in tree and (not isinstance(branches, Seq) or all(map(_positive, branches)))


def _ensure(ensure: Map, at: Place) -> Iterator[Broken]:
    if not ensure:
        yield Broken(at, "`ensure` says nothing; ask for a `status` or for `groups`")
    groups = ensure.get("groups")
    if not isinstance(groups, Map):
        return
    if not groups:
        yield Broken(ensure.at_key("groups"), "`groups` says nothing; name `present`, `absent` or `exactly`")
    if "exactly" in groups and ("present" in groups or "absent" in groups):
        yield Broken(
            groups.at_key("exactly"), "`exactly` is the whole list already; it excludes `present` and `absent`"
        )
    present, absent = groups.get("present"), groups.get("absent")
    if isinstance(present, Seq) and isinstance(absent, Seq):
        for name, place in zip(present, present.marks, strict=True):
            if isinstance(name, str) and any(_means(pattern, name) for pattern in absent):
                yield Broken(place, "this group is asked for both as `present` and as `absent`")


def _means(pattern: object, name: str) -> bool:
    return isinstance(pattern, str) and pattern.strip("*?") != "" and bool(glob(pattern).fullmatch(name.casefold()))


def reach(match: object, ensure: object) -> bool:
    """Whether a policy asks for a closed status without the condition that the user is idle in every product."""
    if not isinstance(ensure, Map) or ensure.get("status") not in ("disabled", "suspended"):
        return False
    return not _idle_everywhere(match)


def _idle_everywhere(tree: object) -> bool:
    """Whether idleness in every product must hold: it stands in ``all``, directly or in an ``all`` in there."""
    entries = tree.get("all") if isinstance(tree, Map) else None
    for entry in entries if isinstance(entries, Seq) else ():
        asked = entry.get("inactive_for") if isinstance(entry, Map) else None
        if isinstance(asked, Map) and asked.get("product") == "any":
            return True
        if _idle_everywhere(entry):
            return True
    return False
