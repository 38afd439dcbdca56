"""Whole documents from templates. Templates hold layout and no decisions; they receive rows that are ready to print."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cleanup_gitops.views import safe


def count(number: int) -> str:
    """``2,892``."""
    return f"{number:,}"


@cache
def _environment(ending: str) -> Environment:
    """Everything a template prints passes ``plain`` or ``inline``, so that none can forget it."""
    environment = Environment(
        loader=PackageLoader("cleanup_gitops.views"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - HTML escaping would be the wrong one; `finalize` is ours
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=safe.inline if ending == "md" else safe.plain,
    )
    environment.filters["count"] = count
    environment.filters["code"] = safe.code
    environment.filters["quoted"] = safe.quoted
    environment.filters["verbatim"] = safe.verbatim
    environment.filters["layout"] = safe.Markdown
    return environment


@cache
def _template(name: str) -> Template:
    ending = name.rsplit(".", 2)[1]
    return _environment(ending).get_template(name)


def render(name: str, **values: Any) -> str:  # noqa: ANN401 - rows of any shape
    """The document ``templates/<name>``, made of these rows. ``name`` ends in ``.txt.j2`` or ``.md.j2``."""
    return _template(name).render(values)
