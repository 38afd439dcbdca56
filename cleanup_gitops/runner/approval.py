"""What an approval covers: the rows of a saved plan that are still planned, young enough and not consumed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cleanup_gitops.model.change import GIVING, Change
from cleanup_gitops.model.errors import ApprovalError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.runner.later import Left, left_whole, unsettled
from cleanup_gitops.runner.needs import took_effect

USUAL_COMMAND = "cleanup-gitops plan"
NEW_PLAN = "Make a new plan with `cleanup-gitops plan --out plan.json` and have it reviewed."


def command_of(plan: Plan) -> str:
    """What makes such a plan anew: ``plan``, also of what it adopts, or the ``rollback`` of the same run and users."""
    if plan.rollback is None:
        groups = (part for one in plan.adoption if one.what == "asked" for part in ("--adopt", one.name))
        return shlex.join(("cleanup-gitops", "plan", *groups))
    users = (part for user in plan.rollback.users for part in ("--user", user))
    return shlex.join(("cleanup-gitops", "rollback", plan.rollback.run, *users))


def new_plan(saved: Plan) -> str:
    """What to do instead of applying a saved plan that cannot be applied."""
    file = "plan.json" if saved.rollback is None else "undo.json"
    return f"Make a new plan with `{command_of(saved)} --out {file}` and have it reviewed."


@dataclass(frozen=True, slots=True)
class Choice:
    """The rows of the current plan that may be carried out, and what became of the rest.

    ``superseded`` are approved rows that the current plan no longer has in the same form; ``consumed`` were carried
    out under this approval before; ``not_approved`` stand only in the current plan. ``left`` are rows for later,
    neither consumed nor failed; ``unapproved``: there are rows of policies with a standing approval, and none of these
    policies is approved. ``unseconded``: accounts are not deleted because nobody else has approved that.
    """

    changes: tuple[Change, ...]
    superseded: tuple[Change, ...] = ()
    consumed: tuple[Change, ...] = ()
    not_approved: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    unapproved: bool = False
    unseconded: bool = False


def check_saved(saved: Plan, *, site: str, memory: Memory, now: datetime, ttl: timedelta) -> None:
    """Refuse a saved plan before anything is read: another site, another lineage, too old, consumed, unsafe.

    Raises ``ApprovalError``. Its digests were checked when the file was read.
    """
    if saved.site != site:
        raise ApprovalError(f"The saved plan is for {saved.site}, not for {site}.", new_plan(saved))
    if not saved.applyable:
        raise ApprovalError(
            "The saved plan is unsafe: a guard was broken when it was made.",
            f"Narrow what it does, or merge the Override that it shows, if it shows one. {new_plan(saved)}",
        )
    lineage = saved.inputs.lineage
    if lineage != memory.lineage and not (lineage == "" and memory.lineage == saved.envelope):
        raise ApprovalError(
            f"The saved plan was made on another state of {site} (lineage {lineage[:19] or 'none'},"
            f" recorded {memory.lineage[:19] or 'none'}).",
            new_plan(saved),
        )
    if saved.inputs.serial > memory.serial:
        raise ApprovalError(
            f"The saved plan is newer than the recorded state: serial {saved.inputs.serial} against {memory.serial}.",
            "Fetch the commits of the state first (`git pull`).",
        )
    age = now - saved.created
    if age > ttl or age < -timedelta(minutes=5):
        raise ApprovalError(
            f"The saved plan was made at {saved.created:%Y-%m-%d %H:%M} UTC; it is now {now:%Y-%m-%d %H:%M} UTC"
            f" and a plan lives {_hours(ttl)} (Guardrails plan_ttl).",
            new_plan(saved),
        )
    consumed = _consumed(saved, memory)
    if consumed is not None and consumed.issuperset(saved.manifest):
        raise ApprovalError("The saved plan was applied before: all of its rows are consumed.", new_plan(saved))


def choose(saved: Plan, current: Plan, memory: Memory) -> Choice:
    """Approved and still planned, by change digest, in the order of the current plan."""
    consumed = _consumed(saved, memory) or set()
    approved = dict(zip(saved.manifest, saved.changes, strict=True))
    now = dict(zip(current.manifest, current.changes, strict=True))
    covered = tuple(change for key, change in now.items() if key in approved and key not in consumed)
    superseded = tuple(change for key, change in approved.items() if key not in now and key not in consumed)
    return Choice(
        changes=covered,
        superseded=superseded,
        consumed=tuple(change for key, change in approved.items() if key in consumed),
        not_approved=tuple(change for key, change in now.items() if key not in approved),
    )


def without_unsettled(choice: Choice, memory: Memory, now: datetime, *, reviewed: bool) -> Choice:
    """The choice without users of whom an earlier run has sent a row that may still show: they are left for later.

    Unless somebody hands in a saved plan (``reviewed``), so are those of whom a row may have been made and undone.
    """
    waits = unsettled(choice.changes, memory, now, reviewed=reviewed)
    if not waits:
        return choice
    changes, left = left_whole(choice.changes, waits)
    return replace(choice, changes=changes, left=(*choice.left, *left))


def ungiven(choice: Choice, site: Inventory) -> frozenset[str]:
    """Users who were to get something, as approved, that they do not get from this run because it is planned no longer.

    Nothing is taken from them: who is to go from one group to another must not be left without both.
    """
    users = site.user_by_id
    missed = (one for one in choice.superseded if one.action in GIVING)
    return frozenset(one.user for one in missed if not took_effect(one, users.get(one.user)))


def _consumed(saved: Plan, memory: Memory) -> set[str] | None:
    """Digests of rows consumed under this envelope; ``None`` when it was never applied."""
    for consumed in memory.consumed:
        if consumed.envelope == saved.envelope:
            return set(consumed.rows)
    return None


def _hours(span: timedelta) -> str:
    hours, rest = divmod(int(span.total_seconds()), 3600)
    return f"{hours} hours" if not rest else f"{span.total_seconds() / 3600:.1f} hours"
