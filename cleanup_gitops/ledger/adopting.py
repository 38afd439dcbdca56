"""The lines about declared groups after a record: from which of them people may be taken out, and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cleanup_gitops.model.memory import Adopted, Remembered
from cleanup_gitops.model.plan import Plan


def with_adopted(lines: Iterable[Remembered], plan: Plan, run: str, at: datetime) -> list[Remembered]:
    """The lines with what a recorded plan says of adoption; ``at`` (UTC) is when its run ended."""
    new = [
        Adopted(group=one.group, name=one.name, run=run, at=at, why=one.what)
        for one in plan.adoption
        if one.what != "dropped"
    ]
    over = {one.group for one in plan.adoption}
    return [*(line for line in lines if not (isinstance(line, Adopted) and line.group in over)), *new]
