"""Pictures on a command line: bars in the terminal, SVG in a file."""

from __future__ import annotations

import shutil
import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanup_gitops.cli.files import write_file

if TYPE_CHECKING:
    from cleanup_gitops.views.pictures.canvas import Spec
    from cleanup_gitops.views.pictures.terminal import Signs

_WIDEST = 120
"""Cells beyond which longer bars say no more."""

svg_option = click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a picture to this file, too: counts alone, nobody is named.",
)


def check_svg(out: Path | None) -> None:
    """Raise ``CleanupError`` when a picture is asked for and its extra is missing: before anything is read."""
    if out is not None:
        from cleanup_gitops.views.pictures.svg import converter

        converter()


def write_picture(out: Path, spec: Spec) -> None:
    """Draw, replace the file, and say so. Raises ``CleanupError``."""
    from cleanup_gitops.views.pictures.svg import svg_of

    write_file(out, svg_of(spec).encode())
    click.echo(f"The picture was written to {out}.", err=True)


def chart_width() -> int:
    """Cells of a line of a chart: those of the terminal, where there is one."""
    from cleanup_gitops.views.pictures.terminal import WIDTH

    if sys.stdout is None or not sys.stdout.isatty():
        return WIDTH
    return min(shutil.get_terminal_size().columns, _WIDEST)


def chart_signs() -> Signs:
    """What bars are made of where this output goes."""
    from cleanup_gitops.views.pictures.terminal import ASCII, UNICODE

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "".join(astuple(UNICODE)).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
