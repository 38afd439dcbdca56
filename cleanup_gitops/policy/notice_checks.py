"""Rules between stages that tell users something and the document that says how mail is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cleanup_gitops.policy.checks import Source
from cleanup_gitops.policy.problems import Problem
from cleanup_gitops.policy.yaml_values import Map, Seq


def check_notices(sources: Sequence[Source], *, whole: bool) -> Iterator[Problem]:
    """Stages with `notify` at sites where nobody says how mail is sent.

    ``whole``: no document was lost to a syntax error.
    """
    if not whole:
        return
    sites = [one.name for one in sources if one.kind == "Site" and one.name]
    others = [one for one in sources if one.kind != "Site"]
    universe = sites or sorted({name for one in others for name in one.patterns or ()}) or [""]
    senders = [one for one in others if one.kind == "Notifications"]
    for policy in others:
        without = [
            site for site in universe if policy.concerns(site) and not any(sender.concerns(site) for sender in senders)
        ]
        for stage in _telling(policy) if without else ():
            where = f" of {', '.join(filter(None, without))}" if any(without) else ""
            message = f"no Notifications document{where} says how mail is sent: write one, or leave this stage out"
            yield policy.problem(stage.at_key("notify"), message)


def _telling(policy: Source) -> Iterator[Map]:
    """The stages of a policy that tell users something."""
    spec = policy.data.get("spec")
    stages = spec.get("stages") if policy.kind == "Policy" and isinstance(spec, Map) else None
    for stage in stages if isinstance(stages, Seq) else ():
        if isinstance(stage, Map) and "notify" in stage:
            yield stage
