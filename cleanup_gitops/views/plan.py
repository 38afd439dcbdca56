"""A plan as text for terminals, Markdown for reviews, JSON for programs."""

from __future__ import annotations

from typing import Protocol

from cleanup_gitops.ledger.planfile import plan_bytes
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.gather import by_policy, plan_rows
from cleanup_gitops.views.paint import paint


def render_text(plan: Plan, people: People = NOBODY, *, colour: bool = False, limit: int | None = None) -> str:
    """The plan for a terminal: removals first, every change with its reasons, then what is not touched, and totals.

    Shows at most ``limit`` changes in detail and says how many it leaves out. An unsafe plan says so first and last.
    """
    made = plan.created.strftime("%Y-%m-%d %H:%M:%S UTC")
    text = render("plan.txt.j2", plan=plan, rows=plan_rows(plan, people, limit), made=made)
    return paint(text, colour=colour)


def render_markdown(plan: Plan, people: People = NOBODY) -> str:
    """The plan for a pull request: totals and failed checks first, then one folded table for each policy."""
    rows = plan_rows(plan, people)
    made = plan.created.strftime("%Y-%m-%d %H:%M:%S UTC")
    return render("plan.md.j2", plan=plan, rows=rows, policies=by_policy(rows.changes), made=made)


def render_json(plan: Plan) -> str:
    """The plan file: always the whole plan, never a name."""
    return plan_bytes(plan).decode()


class Renderer(Protocol):
    """One form of a plan. Colour and limit are wishes that only the text form knows."""

    def __call__(self, plan: Plan, people: People = NOBODY, *, colour: bool = False, limit: int | None = None) -> str:
        """The plan in this form, with a line end at its end."""
        ...


def _markdown(plan: Plan, people: People = NOBODY, **_wishes: object) -> str:
    return render_markdown(plan, people)


def _json(plan: Plan, people: People = NOBODY, **_wishes: object) -> str:  # noqa: ARG001 - no names in JSON
    return render_json(plan)


RENDERERS: dict[str, Renderer] = {"text": render_text, "json": _json, "markdown": _markdown}
"""Forms of a plan by the name that ``--format`` takes."""
