"""Conditions that a site can never answer as its document stands: a policy with one would not act on anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cleanup_gitops.policy.checks import Source
from cleanup_gitops.policy.problems import Problem, shown
from cleanup_gitops.policy.yaml_values import Map, Place, Seq


def check_answerable(sources: Sequence[Source]) -> Iterator[Problem]:
    """Every condition of a policy that one of its sites has nothing to answer from."""
    bare = [one for one in sources if one.kind == "Site" and one.name and not _names_domains(one)]
    for policy in sources:
        sites = [site.name for site in bare if site.name and policy.concerns(site.name)]
        for place in _places(policy.data.get("spec"), "external") if sites and policy.kind == "Policy" else ():
            message = (
                f"`external` cannot be answered on {', '.join(map(shown, sites))}: name the organization's own domains"
                " in the Site, `identity: {internal_domains: [example.com]}`"
            )
            yield policy.problem(place, message)


def _names_domains(site: Source) -> bool:
    spec = site.data.get("spec")
    identity = spec.get("identity") if isinstance(spec, Map) else None
    return isinstance(identity, Map) and "internal_domains" in identity


def _places(value: object, key: str) -> Iterator[Place]:
    """Where a key stands, at any depth."""
    if isinstance(value, Map):
        if key in value:
            yield value.at_key(key)
        for part in value.values():
            yield from _places(part, key)
    elif isinstance(value, Seq):
        for part in value:
            yield from _places(part, key)
