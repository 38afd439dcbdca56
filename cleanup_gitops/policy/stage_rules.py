"""Rules about the stages of a policy: their order, their names, and the days between them."""

from __future__ import annotations

from collections.abc import Iterator

from cleanup_gitops.policy.condition_shapes import TREE
from cleanup_gitops.policy.problems import shown
from cleanup_gitops.policy.rules import Broken, asked_status, broken_ensure, broken_entries
from cleanup_gitops.policy.yaml_values import Map, Seq


def broken_stages(document: Map) -> Iterator[Broken]:
    """Every broken rule of this kind, whatever else may be wrong with the document."""
    spec = document.get("spec")
    if document.get("kind") != "Policy" or not isinstance(spec, Map):
        return
    if "ensure" not in spec and "stages" not in spec:
        message = "`spec` needs `ensure`, the state to be in, or `stages`, one step after the other"
        yield Broken(document.at_key("spec"), message)
    if "ensure" in spec and "stages" in spec:
        message = "a policy has either `ensure`, a state, or `stages`, one step after the other: leave one of them out"
        yield Broken(spec.at_key("stages"), message)
    if "stages" in spec and spec.get("once") is True:
        message = "`once` is for one run, and stages need several: leave it out; each user goes through the stages once"
        yield Broken(spec.at_key("once"), message)
    stages = spec.get("stages")
    if isinstance(stages, Seq):
        yield from _order(stages)
        if spec.get("class") == "termination":
            yield from _told_first(stages)
        for stage in stages:
            if isinstance(stage, Map):
                yield from _one(stage)


def _order(stages: Seq) -> Iterator[Broken]:
    """Names, days between stages, and what is the end of an account."""
    seen: set[str] = set()
    ended = ""
    for number, (stage, place) in enumerate(zip(stages, stages.marks, strict=True)):
        if not isinstance(stage, Map):
            continue
        if ended:
            yield Broken(place, f"this stage comes after `{ended}`, when there is no account left to change")
        name = stage.get("name")
        if isinstance(name, str) and name in seen:
            yield Broken(stage.at_value("name"), f"another stage of this policy is named {shown(name)}")
        if isinstance(name, str):
            seen.add(name)
        if number == 0 and "after" in stage:
            message = "the first stage begins with the match: leave `after` out, and count the days in `match`"
            yield Broken(stage.at_key("after"), message)
        if number and "after" not in stage:
            message = (
                "`after` is missing: how many days since all of the stage before was done, such as `14d`;"
                " there is no default"
            )
            yield Broken(place, message)
        status = asked_status(stage.get("ensure"))
        ended = status if status in ("removed", "deleted") and status else ended


def _told_first(stages: Seq) -> Iterator[Broken]:
    """Mails to somebody who leaves that come before the access ends: one that comes back keeps the account open."""
    last = max((number for number, one in enumerate(stages) if isinstance(one, Map) and "ensure" in one), default=0)
    for stage in stages[:last]:
        if isinstance(stage, Map) and "notify" in stage:
            message = (
                "a mail that cannot be delivered would keep the access of somebody who leaves open:"
                " with `class: termination` every `ensure` comes before `notify`"
            )
            yield Broken(stage.at_key("notify"), message)


def _one(stage: Map) -> Iterator[Broken]:
    """The state or the notice of one stage, and its condition."""
    if "ensure" not in stage and "notify" not in stage:
        message = "a stage needs `ensure`, the state to be in, or `notify`, the template of a mail to the user"
        yield Broken(stage.at_key("name") if "name" in stage else (stage.line, stage.col), message)
    if "ensure" in stage and "notify" in stage:
        message = "a stage has either `notify`, a mail to the user, or `ensure`, a state: make two stages of it"
        yield Broken(stage.at_key("notify"), message)
    if isinstance(stage.get("ensure"), Map):
        yield from broken_ensure(stage["ensure"], stage.at_key("ensure"))
    when = stage.get("when")
    if not isinstance(when, Map):
        return
    if not when:
        yield Broken(stage.at_key("when"), "`when` says nothing; name a condition, or leave the key out")
    for key in TREE:
        yield from broken_entries(when.get(key))
