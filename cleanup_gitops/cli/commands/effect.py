"""``cleanup-gitops effect``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cleanup_gitops.cli.comparing import Compared, compared, versions_of
from cleanup_gitops.cli.listing import recorded_option
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, colours
from cleanup_gitops.cli.wiring import only_one, workplaces
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.views.comparison import SHOWN, render_json, render_markdown, render_text

DIFFERENT = 2
FORMS = ("json", "markdown", "text")


@click.command("effect")
@click.argument("versions", metavar="[BASE..HEAD]", default="HEAD")
@site_option
@recorded_option
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="How to print the comparison."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show at most N users of each sort (default: {SHOWN} as text, none in Markdown). JSON always has all.",
)
@click.option(
    "--names/--ids-only",
    default=None,
    help="Show names beside account ids (default: as text on the live site only). JSON never does.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is a difference.")
@click.pass_obj
def command(
    folder: Path,
    versions: str,
    site_name: str | None,
    recorded: str | None,
    form: str,
    limit: int | None,
    names: bool | None,
    detailed_exitcode: bool,
) -> int:
    r"""Compare two versions of the policies on one site: who is added, dropped or treated otherwise. Changes nothing.

    BASE and HEAD are commits, tags or branches of git. Without HEAD it is the working tree as it is, without BASE the
    commit that is checked out; `BASE...HEAD` begins where the two parted. The site is read once, as the Site document
    of the working tree says, and asked what either version needs to know.

    \b
    Examples:
      cleanup-gitops effect
      cleanup-gitops effect main
      cleanup-gitops effect main...HEAD --format markdown > effect.md
      cleanup-gitops effect v1..v2 --recorded HEAD --detailed-exitcode
    """
    if form == "json" and names:
        raise click.UsageError("--names: the JSON form never holds names.")
    clock = SystemClock()
    places = workplaces(folder, clock, site_name)
    if form == "json":
        only_one(places)
    both = versions_of(folder, versions, places)
    different = False
    for place in places:
        found = compared(place, both, recorded)
        for note in found.notes:
            click.echo(f"Note: {note}", err=True)
        click.echo(_rendered(found, form, limit, names=names), nl=False)
        different = different or found.report.comparison.differs
    return DIFFERENT if detailed_exitcode and different else 0


def _rendered(found: Compared, form: str, limit: int | None, *, names: bool | None) -> str:
    """Identities in a comment are for whoever asks for them."""
    if form == "json":
        return render_json(found.report)
    if form == "markdown":
        shown = SHOWN if limit is None and names is not None else limit or 0
        return render_markdown(found.report, found.people if names else NOBODY, limit=shown)
    people = NOBODY if names is False else found.people
    return render_text(found.report, people, colour=colours(sys.stdout), limit=limit)
