"""Rules about Groups documents: within one, and between all that concern a site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cleanup_gitops.policy.checks import Source, universe_of
from cleanup_gitops.policy.problems import Problem, shown
from cleanup_gitops.policy.rules import Broken
from cleanup_gitops.policy.yaml_values import Map, Seq

_NOBODY = {
    "exactly": "an empty `exactly` would take everybody out; name who stays, or remove the entry to leave the group be",
    "at_least": "an empty `at_least` asks for nothing; name accounts, or remove the entry",
}


def broken_groups(document: Map) -> Iterator[Broken]:
    """Every broken rule of one Groups document, whatever else may be wrong with it."""
    spec = document.get("spec")
    if document.get("kind") != "Groups" or not isinstance(spec, Seq):
        return
    for entry in spec:
        if not isinstance(entry, Map):
            continue
        members = entry.get("members")
        if isinstance(members, Map):
            yield from _members(members, entry)
        name, earlier = entry.get("name"), entry.get("previously")
        for one, place in zip(earlier, earlier.marks, strict=True) if isinstance(earlier, Seq) else ():
            if isinstance(name, str) and isinstance(one, str) and one.casefold() == name.casefold():
                yield Broken(place, "`previously` is for names that the group had before; this is its name now")


def _members(members: Map, entry: Map) -> Iterator[Broken]:
    """``at_least`` or ``exactly``, and never nobody."""
    if not members:
        message = "`members` says nothing; write `at_least`, or `exactly` for a group that nobody else may be in"
        yield Broken(entry.at_key("members"), message)
    if "at_least" in members and "exactly" in members:
        message = "`exactly` is the whole list already; leave `at_least` or `exactly` out"
        yield Broken(members.at_key("at_least"), message)
    for key, message in _NOBODY.items():
        if members.get(key) == []:
            yield Broken(members.at_value(key), message)
    if entry.get("allow_shared_groups") is True and "exactly" not in members:
        message = "`allow_shared_groups` is about memberships that end, and `at_least` ends none; leave it out"
        yield Broken(entry.at_key("allow_shared_groups"), message)


def check_groups(sources: Sequence[Source]) -> Iterator[Problem]:
    """Groups that two entries of one site are about, under whatever name."""
    universe = universe_of(sources)
    documents = [one for one in sources if one.kind == "Groups"]
    first: dict[tuple[str, str], tuple[Source, int, str]] = {}
    for document in documents:
        about = [site for site in universe if document.concerns(site)]
        for index, name, at in _names(document):
            told = set()
            for site in about:
                earlier = first.setdefault((site, name.casefold()), (document, index, f"{document.file}:{at[0]}"))
                if earlier[:2] != (document, index):
                    told.add(earlier[2])
            if told:
                message = f"group {shown(name)} has another entry for the same site ({min(told)}): join the two"
                yield document.problem(at, message)


def _names(document: Source) -> Iterator[tuple[int, str, tuple[int, int]]]:
    """The number of each entry, with every name that its group has or had, and where that stands."""
    spec = document.data.get("spec")
    for index, entry in enumerate(spec if isinstance(spec, Seq) else ()):
        if not isinstance(entry, Map):
            continue
        if isinstance(entry.get("name"), str):
            yield index, entry["name"], entry.at_value("name")
        earlier = entry.get("previously")
        for name, place in zip(earlier, earlier.marks, strict=True) if isinstance(earlier, Seq) else ():
            if isinstance(name, str):
                yield index, name, place
