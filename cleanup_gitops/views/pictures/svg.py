"""Static SVG of a specification: no script, no reference to anything outside, the same bytes for the same picture."""

from __future__ import annotations

from html import escape
from types import ModuleType
from typing import Any

from cleanup_gitops.model.errors import CleanupError

INSTALL = "pip install 'cleanup-gitops[report]'"


def converter() -> ModuleType:
    """The library that draws. Raises ``CleanupError`` when its extra is not installed."""
    try:
        import vl_convert  # noqa: PLC0415 - an extra, and 90 MB that only a picture needs
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing != "vl_convert":
            raise
        raise CleanupError(
            "A picture as SVG needs the package vl-convert-python, which is not installed.",
            f"Install it with: {INSTALL}; --chart draws in the terminal without it.",
        ) from None
    module: ModuleType = vl_convert
    return module


def svg_of(spec: dict[str, Any]) -> str:
    """The picture as one SVG document. Raises ``CleanupError`` as ``converter`` does."""
    svg: str = converter().vegalite_to_svg(spec, allowed_base_urls=[])
    head, end, rest = svg.partition(">")
    return f"{head}{end}<title>{escape(spec['description'])}</title>{rest}\n"
