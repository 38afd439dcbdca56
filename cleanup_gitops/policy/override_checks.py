"""Rules between an Override and the documents beside it: its policy, its end, and caps that nothing lifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cleanup_gitops.policy.checks import Source
from cleanup_gitops.policy.guard_shapes import OverrideSpec
from cleanup_gitops.policy.guarding import MAX_OVERRIDE_DAYS, OF_A_READING
from cleanup_gitops.policy.messages import key_of, place_of
from cleanup_gitops.policy.problems import Problem, did_you_mean, shown
from cleanup_gitops.policy.shapes import OverrideDocument
from cleanup_gitops.policy.yaml_values import Map


def check_overrides(sources: Sequence[Source], *, whole: bool, today: date | None) -> Iterator[Problem]:
    """Every broken rule about Overrides. ``whole``: no document was lost to a syntax error."""
    for source in sources:
        if not isinstance(source.shape, OverrideDocument):
            continue
        spec = source.shape.spec
        yield from _of_a_reading(source, spec)
        if today and spec.until > (latest := today + timedelta(days=MAX_OVERRIDE_DAYS)):
            message = (
                f"`until` must be at most {MAX_OVERRIDE_DAYS} days ahead, {latest.isoformat()}; what is to last longer"
                " belongs into Guardrails"
            )
            yield source.problem(place_of(source.data, ("spec", "until")), message)
        if whole:
            yield from _policy(source, spec, sources)
            yield from _never(source, spec, sources)


def _of_a_reading(source: Source, spec: OverrideSpec) -> Iterator[Problem]:
    if spec.guard not in OF_A_READING:
        return
    if spec.policy is not None:
        message = f"`{spec.guard}` is about what was read, not about rows of a policy; leave `policy` out"
        yield source.problem(key_of(source.data, ("spec", "policy")), message)
    if spec.max > 100:
        message = f"`max` counts percent for `{spec.guard}`, so it must be at most 100"
        yield source.problem(place_of(source.data, ("spec", "max")), message)


def _policy(source: Source, spec: OverrideSpec, sources: Sequence[Source]) -> Iterator[Problem]:
    """An Override for a policy that is not there would lift nothing, and nobody would know why."""
    if spec.policy is None:
        return
    policies = [one for one in sources if one.kind in ("Policy", "Roster", "Groups") and one.name]
    named = [one for one in policies if one.name == spec.policy]
    at = place_of(source.data, ("spec", "policy"))
    if not named:
        known = [one.name or "" for one in policies]
        yield source.problem(at, f"there is no Policy {shown(spec.policy)}{did_you_mean(spec.policy, known)}")
        return
    sites = sorted({one.name or "" for one in sources if one.kind == "Site" and source.concerns(one.name or "")})
    if sites and not any(one.concerns(site) for one in named for site in sites):
        message = f"the Policy {shown(spec.policy)} ({named[0].where}) is about none of the same sites"
        yield source.problem(at, message)


def _never(source: Source, spec: OverrideSpec, sources: Sequence[Source]) -> Iterator[Problem]:
    """A cap of 0 says never, and an Override does not say otherwise."""
    sites = [one.name or "" for one in sources if one.kind == "Site" and source.concerns(one.name or "")]
    for other in sources:
        if other.kind != "Guardrails" or (sites and not any(other.concerns(site) for site in sites)):
            continue
        guarded = other.data.get("spec")
        caps = guarded.get("caps") if isinstance(guarded, Map) else None
        cap = caps.get(spec.guard) if isinstance(caps, Map) else None
        if isinstance(cap, Map) and 0 in (cap.get("max"), cap.get("percent")):
            line = key_of(other.data, ("spec", "caps", spec.guard))[0]
            message = f"the cap of `{spec.guard}` is 0, which means never ({other.file}:{line}); change it there"
            yield source.problem(place_of(source.data, ("spec", "guard")), message)
