"""``cleanup-gitops show``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops.cli.files import read_file
from cleanup_gitops.cli.options import format_option, limit_option
from cleanup_gitops.cli.terminal import colours
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.views.plan import RENDERERS


@click.command("show")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@format_option
@limit_option
def command(plan_file: Path, form: str, limit: int | None) -> int:
    """Show a saved plan; its digests are checked first. Names are not in it, only account ids.

    Example: cleanup-gitops show plan.json
    """
    plan = read_plan(read_file(plan_file))
    click.echo(RENDERERS[form](plan, colour=colours(sys.stdout), limit=limit), nl=False)
    return 0
