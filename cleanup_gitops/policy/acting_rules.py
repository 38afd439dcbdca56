"""Rules about how a policy acts: its class, its approval, how long, and what these say of each other."""

from __future__ import annotations

from collections.abc import Iterator

from cleanup_gitops.policy.rules import Broken, asked_states, asked_status
from cleanup_gitops.policy.yaml_values import Map


def broken_acting(document: Map) -> Iterator[Broken]:
    """Every broken rule of this kind, whatever else may be wrong with the document."""
    spec = document.get("spec")
    if document.get("kind") == "Policy" and isinstance(spec, Map):
        yield from _approval(spec)
        if spec.get("once") is True and "until" not in spec:
            yield Broken(spec.at_key("once"), "`once: true` needs `until: DAY`, the last day on which it may act")
        if ends_access(spec):
            yield from _termination(spec)


def ends_access(spec: Map) -> bool:
    """Whether the policy is of the class that ends the access of people who leave."""
    return spec.get("class") == "termination"


def _approval(spec: Map) -> Iterator[Broken]:
    """A standing approval has a limit, and covers only what can be put back; a termination may revoke tokens."""
    if spec.get("approval", "plan") != "standing":
        if "standing" in spec and spec.get("approval", "plan") == "plan":
            message = "`standing` counts only with `approval: standing`; write that too, or leave `standing` out"
            yield Broken(spec.at_key("standing"), message)
        return
    if "standing" not in spec:
        message = (
            "`approval: standing` needs `standing: {max_per_day: N}`: how many changes a day may be made that nobody"
            " has looked at one by one"
        )
        yield Broken(spec.at_key("approval"), message)
    for ensure, _ in asked_states(spec):
        yield from broken_standing_state(ensure, termination=ends_access(spec))


def broken_standing_state(ensure: Map, *, termination: bool) -> Iterator[Broken]:
    """What a state asks for beyond what a standing approval covers."""
    beyond = "which cannot be put back: only an approved plan may do that; leave out `approval: standing`"
    if asked_status(ensure) in ("removed", "deleted"):
        message = f"a standing approval does not cover `{ensure['status']}`, {beyond}"
        yield Broken(ensure.at_value("status"), message)
    if "api_tokens" in ensure and not termination:
        yield Broken(ensure.at_key("api_tokens"), f"a standing approval does not cover tokens, {beyond}")


def _termination(spec: Map) -> Iterator[Broken]:
    """Who leaves gets nothing, and does not wait."""
    standing = spec.get("standing")
    if isinstance(standing, Map) and "after" in standing:
        yield Broken(standing.at_key("after"), "a termination does not wait; leave `after` out")
    for ensure, _ in asked_states(spec):
        yield from broken_termination_state(ensure)


def broken_termination_state(ensure: Map) -> Iterator[Broken]:
    """What a state gives, which a termination may not."""
    gives = "a termination only takes away, so that two of them never contradict each other"
    if asked_status(ensure) == "active":
        yield Broken(ensure.at_value("status"), f"{gives}; `active` opens an account")
    groups = ensure.get("groups")
    for key in ("present", "exactly"):
        if isinstance(groups, Map) and key in groups:
            yield Broken(groups.at_key(key), f"{gives}; name under `absent` what ends, instead of `{key}`")
