"""Rules about notices between documents: who tells people at all, and which templates there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cleanup_gitops.policy.checks import Source, one_for_a_site, universe_of
from cleanup_gitops.policy.notice_rules import no_folder
from cleanup_gitops.policy.notifying import Template
from cleanup_gitops.policy.problems import Problem, did_you_mean, shown
from cleanup_gitops.policy.yaml_values import Map, Seq


class Found(NamedTuple):
    """The templates of one Notifications document, what is wrong with them, and the names of all there are."""

    templates: Mapping[str, Template]
    problems: Sequence[Problem]
    names: frozenset[str]


def templates_of(sources: Sequence[Source], root: Path) -> dict[int, Found]:
    """The templates of each Notifications document whose folder can be read, by the number of its source."""
    found: dict[int, Found] = {}
    for number, source in enumerate(sources):
        spec = source.data.get("spec")
        folder = spec.get("templates") if isinstance(spec, Map) else None
        if source.kind == "Notifications" and isinstance(folder, str) and folder and not no_folder(folder, root):
            from cleanup_gitops.policy.templates import read_templates  # noqa: PLC0415 - Jinja takes its time

            language = spec.get("language") if isinstance(spec, Map) else None
            default = language.get("default") if isinstance(language, Map) else None
            found[number] = Found(*read_templates(root / folder, root, default if isinstance(default, str) else None))
    return found


def check_notices(sources: Sequence[Source], found: Mapping[int, Found], *, whole: bool) -> Iterator[Problem]:
    """Every broken rule of this kind. ``whole``: no document was lost to a syntax error."""
    scoped = [one for one in sources if one.kind != "Site"]
    universe = universe_of(sources)
    tellers = {number: one for number, one in enumerate(sources) if one.kind == "Notifications"}
    yield from one_for_a_site("Notifications", list(tellers.values()), universe)
    yield from {problem for each in found.values() for problem in each.problems}
    for source in scoped:
        own = {site: _teller(site, tellers) for site in universe if source.concerns(site)} if whole else {}
        without = [site for site, teller in own.items() if teller is None]
        for stage in _telling(source):
            if without:
                left = "`notify`" if source.kind == "Roster" else "this stage"
                where = f" of {', '.join(filter(None, without))}" if any(without) else ""
                message = f"no Notifications document{where} says how mail is sent: write one, or leave {left} out"
                yield source.problem(stage.at_key("notify"), message)
            template = stage["notify"]
            for number in sorted({one for one in own.values() if one is not None and one in found}):
                if isinstance(template, str) and template not in found[number].names:
                    folder = shown(tellers[number].data["spec"]["templates"])
                    hint = did_you_mean(template, found[number].names)
                    yield source.problem(
                        stage.at_value("notify"), f"there is no template {shown(template)} in {folder}{hint}"
                    )


def _teller(site: str, tellers: Mapping[int, Source]) -> int | None:
    """The number of the Notifications document of a site."""
    return next((number for number, one in tellers.items() if one.concerns(site)), None)


def _telling(policy: Source) -> Iterator[Map]:
    """What tells users something: stages of a policy, and what a Roster gives to those who begin."""
    spec = policy.data.get("spec")
    joiners = spec.get("joiners") if policy.kind == "Roster" and isinstance(spec, Map) else None
    if isinstance(joiners, Map) and "notify" in joiners:
        yield joiners
    stages = spec.get("stages") if policy.kind == "Policy" and isinstance(spec, Map) else None
    for stage in stages if isinstance(stages, Seq) else ():
        if isinstance(stage, Map) and "notify" in stage:
            yield stage
