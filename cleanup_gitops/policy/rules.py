"""Rules between several keys of one document.

They are read from the raw document, so that they are found together with everything else that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cleanup_gitops.policy.condition_shapes import PREDICATES, TREE, Attribute
from cleanup_gitops.policy.lists import lies_inside
from cleanup_gitops.policy.patterns import glob
from cleanup_gitops.policy.state_shapes import STATES
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
            yield from broken_ensure(spec["ensure"], spec.at_key("ensure"))
    elif document.get("kind") == "Site":
        yield from _activity(spec)
    elif document.get("kind") in ("Protection", "Guardrails"):
        if not spec:
            yield Broken(document.at_key("spec"), "`spec` says nothing; name something, or remove the document")
        yield from _says_nothing(spec, "caps", "reading")
        if isinstance(spec.get("reading"), Map):
            yield from _says_nothing(spec["reading"], "canaries")
        windows = spec.get("windows")
        if isinstance(windows, Map) and not {"deny", "allow"} & set(windows):
            yield Broken(spec.at_key("windows"), "`windows` says nothing; name `deny` or `allow`")


_SAY = {"caps": "name a limit", "reading": "name a limit or `canaries`", "canaries": "name `accounts` or `groups`"}
"""What to write into a mapping of a Guardrails document that is empty."""


def _says_nothing(part: Map, *keys: str) -> Iterator[Broken]:
    """Mappings of a Guardrails document without any key."""
    for key in keys:
        if isinstance(part.get(key), Map) and not part[key]:
            yield Broken(part.at_key(key), f"`{key}` says nothing; {_SAY[key]}, or leave the key out")


_MEMBERS = "members."
"""Before the keys of `members`, whose lists hold account ids and no names."""


def _named_twice(value: object, key: str) -> Iterator[Broken]:
    """Texts that stand twice in one list. Ids and references differ by case; names of groups and domains do not."""
    if isinstance(value, Map):
        for name, part in value.items():
            yield from _named_twice(part, _MEMBERS + name if key == "members" else name)
    if isinstance(value, Seq):
        seen: set[str] = set()
        for entry, place in zip(value, value.marks, strict=True):
            if isinstance(entry, str):
                exact = key in ("accounts", "account", "controls", "untouched") or key.startswith(_MEMBERS)
                same = entry if exact else entry.casefold()
                if same in seen:
                    yield Broken(place, f"this entry stands twice in `{key.removeprefix(_MEMBERS)}`")
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
        yield from broken_entries(match[key])


def broken_entries(entries: object) -> Iterator[Broken]:
    """Every broken rule of the conditions in one list."""
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
        yield from _one_attribute(entry)
        yield from _one_list(entry)
        for key in trees:
            yield from broken_entries(entry[key])


def _one_attribute(entry: Map) -> Iterator[Broken]:
    """Conditions that are mappings and say nothing, or two things at once."""
    ways, attribute = entry.get("seat_via"), entry.get("attribute")
    if isinstance(ways, Map) and not ways:
        yield Broken(entry.at_key("seat_via"), "`seat_via` says nothing; name `groups`, or write `role: direct`")
    if isinstance(attribute, Map) and not attribute:
        yield Broken(entry.at_key("attribute"), "`attribute` says nothing; write for example `{department: [Sales]}`")
    if isinstance(attribute, Map) and len(attribute) > 1:
        second = list(attribute)[1]
        if second in Attribute.model_fields:
            message = f"one attribute in each entry: begin a new entry (`- attribute: {{{second}: …}}`) for this one"
            yield Broken(attribute.at_key(second), message)


def _one_list(entry: Map) -> Iterator[Broken]:
    """A list of people has one place and one column."""
    listed = entry.get("listed_in")
    if not isinstance(listed, Map):
        return
    if "env" in listed and "path" in listed:
        yield Broken(listed.at_key("path"), "name the list by `env` or by `path`, not by both")
    if "env" not in listed and "path" not in listed:
        message = "`listed_in` needs `env` (a variable that holds the path of the file) or `path`"
        yield Broken(entry.at_key("listed_in"), message)
    if "account" in listed and "email" in listed:
        yield Broken(listed.at_key("email"), "name one column: `account`, with ids, or `email`, with addresses")
    if "account" not in listed and "email" not in listed:
        message = "`listed_in` needs `account` or `email`: the name of the column with account ids or addresses"
        yield Broken(entry.at_key("listed_in"), message)


def lists_inside(document: object, repository: Path) -> Iterator[Broken]:
    """Lists of people that would lie in the repository, anywhere in a document."""
    if isinstance(document, Map):
        listed = document.get("listed_in")
        path = listed.get("path") if isinstance(listed, Map) else None
        if isinstance(listed, Map) and isinstance(path, str) and lies_inside(path, repository):
            message = "`path` leads into the repository, where personal data must not lie: name a file outside of it"
            yield Broken(listed.at_value("path"), message)
        for part in document.values():
            yield from lists_inside(part, repository)
    elif isinstance(document, Seq):
        for part in document:
            yield from lists_inside(part, repository)


def broken_conditions(tree: Map) -> Iterator[Broken]:
    """Every broken rule of one condition that stands by itself, as in a filter."""
    yield from _named_twice(tree, "")
    yield from _one_attribute(tree)
    yield from _one_list(tree)
    for key in TREE:
        yield from broken_entries(tree.get(key))


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


def _activity(spec: Map) -> Iterator[Broken]:
    activity = spec.get("activity")
    if not isinstance(activity, Map):
        return
    if not activity:
        yield Broken(spec.at_key("activity"), "`activity` says nothing; name `sources`, or leave the key out")
    sources, csv = activity.get("sources"), activity.get("csv")
    if isinstance(sources, Seq):
        if sources and "directory" not in sources:
            message = "`directory` must be among the sources: only it tells when an account was never used"
            yield Broken(activity.at_key("sources"), message)
        if "csv" in sources and "csv" not in activity:
            at = sources.marks[sources.index("csv")]
            yield Broken(at, "the source `csv` needs a `csv` beside `sources` that says where the file is")
    if "csv" in activity and isinstance(sources, Seq | None) and "csv" not in (sources or ()):
        yield Broken(activity.at_key("csv"), "this file would not be read: add `csv` to `sources`")
    if isinstance(csv, Map) and "env" in csv and "path" in csv:
        yield Broken(csv.at_key("path"), "name the file by `env` or by `path`, not by both")
    if isinstance(csv, Map) and "env" not in csv and "path" not in csv:
        yield Broken(activity.at_key("csv"), "`csv` needs `env` (a variable that holds the path of the file) or `path`")


def broken_ensure(ensure: Map, at: Place) -> Iterator[Broken]:
    """Every broken rule of one state that a policy asks for."""
    if not ensure or set(ensure) == {"allow_shared_groups"}:
        yield Broken(at, f"`ensure` says nothing; ask for one of {', '.join(STATES)}")
    elif ensure.get("allow_shared_groups") is True and not {"product_access", "groups"} & set(ensure):
        message = "`allow_shared_groups` is about memberships that end; nothing here asks for that"
        yield Broken(ensure.at_key("allow_shared_groups"), message)
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


CLOSED = ("disabled", "suspended", "deactivated", "removed", "deleted")
"""States of an account that reach beyond Confluence on Cloud."""


class Asked(NamedTuple):
    """One state that a policy asks for, and what must hold for it beside `match`."""

    ensure: Map
    when: object = None


def asked_states(spec: Map) -> Iterator[Asked]:
    """Every state that a policy or a Roster asks for: the one of `ensure`, of `leavers`, or those of its stages."""
    stages = spec.get("stages")
    for part in (spec, spec.get("leavers"), *(stages if isinstance(stages, Seq) else ())):
        if isinstance(part, Map) and isinstance(part.get("ensure"), Map):
            yield Asked(part["ensure"], None if part is spec else part.get("when"))


def asked_status(ensure: object) -> str | None:
    """The status that ``ensure`` asks for."""
    status = ensure.get("status") if isinstance(ensure, Map) else None
    return status if isinstance(status, str) else None


def reach(match: object, asked: Asked) -> bool:
    """Whether a policy asks for a closed status without the condition that the user is idle in every product."""
    return asked_status(asked.ensure) in CLOSED and not _idle_everywhere(match) and not _idle_everywhere(asked.when)


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
