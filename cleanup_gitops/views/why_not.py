"""What would have to change before a policy means a user, as a tree of lines and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.user import User
from cleanup_gitops.rehearsal.hindrances import Case
from cleanup_gitops.rehearsal.why_not import Lack, WhyNot
from cleanup_gitops.views import words
from cleanup_gitops.views.hindrances import hindrance
from cleanup_gitops.views.person import VERDICTS, titled
from cleanup_gitops.views.person_json import FORMAT_VERSION
from cleanup_gitops.views.safe import json_text
from cleanup_gitops.views.trees import Branch, Part, leaves, render_tree

_NOW = {True: "it holds", False: "it does not hold", None: "that is not known"}


def render_why_not(
    found: Sequence[WhyNot], case: Case, people: People = NOBODY, *, at: str = "", form: Literal["txt", "md"] = "txt"
) -> str:
    """For a terminal (``txt``) or a review (``md``). ``at`` is said after the time of the reading."""
    inventory = case.evaluation.scope.inventory
    title = titled(case.user, inventory.site, inventory.as_of, people, at)
    return render_tree(title, [part for one in found for part in _parts(one)], form)


def _parts(one: WhyNot) -> Iterator[Part]:
    shown = one.policy
    head = f"{shown.name} ({shown.where}): {VERDICTS[shown.verdict]}{', and acts' if shown.acts else ''}"
    yield Part(head, tuple(_meaning(one)))
    yield Part("What keeps it from acting, once it means the user", leaves(map(hindrance, one.hindrances)))


def _meaning(one: WhyNot) -> Iterator[Branch]:
    if one.from_day:
        yield Branch(
            f"will mean the user from {one.from_day} on if nothing but time passes: not seen until then, and no change"
        )
    if one.ways:
        many = len(one.ways) > 1 or one.more
        yield Branch("one of these has to change:" if many else "this has to change:", tuple(_ways(one)))
    elif one.policy.verdict:
        nothing = "" if one.policy.acts or one.hindrances else "; see `cleanup-gitops explain` for what it does"
        yield Branch(f"nothing has to change: its conditions hold{nothing}")
    else:
        yield Branch("no change of single conditions is enough: they contradict each other")


def _ways(one: WhyNot) -> Iterator[Branch]:
    for way in one.ways:
        if len(way) == 1:
            yield Branch(_lack(way[0]))
        else:
            yield Branch(f"all {len(way)} of", leaves(map(_lack, way)))
    if one.more:
        yield Branch(f"and {words.counted(one.more, 'more way')}, which change more")


def _lack(one: Lack) -> str:
    must = "has to hold" if one.wanted else "must not hold"
    known = " and has to be known" if one.verdict is None else ""
    time = f"; by time alone from {one.from_day} on" if one.from_day else ""
    return f"{one.asked} {must}{known}; now {_NOW[one.verdict]}: {one.detail}{time}"


def render_why_not_json(
    found: Sequence[WhyNot], case: Case, people: People = NOBODY, about: Mapping[str, Any] | None = None
) -> str:
    """The same for programs."""
    user: User = case.user
    read: datetime = case.evaluation.scope.inventory.as_of
    document = {
        "format_version": FORMAT_VERSION,
        "site": case.plan.site,
        "read": read,
        "as_of": case.plan.as_of,
        **(about or {}),
        "user": {"id": user.id, "name": people.name(user.id) or None, "email": people.email(user.id)},
        "policies": [
            {
                "name": one.policy.name,
                "where": one.policy.where,
                "termination": one.policy.termination,
                "verdict": one.policy.verdict,
                "acts": one.policy.acts,
                "ways": one.ways,
                "more": one.more,
                "from_day": one.from_day,
                "hindrances": one.hindrances,
            }
            for one in found
        ],
    }
    return json_text(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")
