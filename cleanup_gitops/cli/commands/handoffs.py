"""``cleanup-gitops handoffs``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.commands.plan import plan_now
from cleanup_gitops.cli.files import read_file, write_file
from cleanup_gitops.cli.lists import policy_lists
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock, progress
from cleanup_gitops.cli.wiring import Workplace, connected, only_one, workplaces
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.views.handoffs import FORMS, Form, handoff_files
from cleanup_gitops.views.words import counted


@click.command("handoffs")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@site_option
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="json", show_default=True, help="Whose files to write."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="FOLDER",
    help="Folder outside the repository: the files hold e-mail addresses.",
)
@click.pass_obj
def command(folder: Path, plan_file: Path | None, site_name: str | None, form: Form, out: Path) -> int:
    r"""Write what only others can change as files for them: for Entra ID, for Okta, or as JSON.

    Of a saved PLAN, or of a plan made now. The addresses are asked of the live site and stand in no plan and no record.

    \b
    Examples:
      cleanup-gitops handoffs --format entra --out /tmp/handoffs
      cleanup-gitops handoffs plan.json --out /tmp/handoffs
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise CleanupError(
            f"{out} lies in the repository, where e-mail addresses must not lie.",
            "Name a folder outside of it. Nothing was written.",
        )
    saved = read_plan(read_file(plan_file)) if plan_file else None
    place = only_one(workplaces(folder, SystemClock(), site_name or (saved.site if saved else None)))
    plan, people = _told(place, saved)
    found = handoff_files(plan, people, form)
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CleanupError(f"{out} could not be made: {error.strerror}.") from None
    for name, data in found.files.items():
        write_file(out / name, data)
        click.echo(str(out / name))
    told = f"{counted(len(plan.handoffs), 'change')} of {plan.site} handed off, in {counted(len(found.files), 'file')}."
    click.echo(told, err=True)
    if found.without_address:
        ids = ", ".join(found.without_address)
        click.echo(f"Of these accounts no address is known, so they stand in no file: {ids}.", err=True)
    return 0


def _told(place: Workplace, saved: Plan | None) -> tuple[Plan, People]:
    """The plan, and the people it is about as the site tells them now."""
    if saved is None:
        return plan_now(place, policy_lists(place.policies, place.folder), None)
    if saved.site != place.site.name:
        raise CleanupError(f"The plan is of {saved.site}, not of {place.site.name}.", "Leave out --site.")
    with progress() as steps, connected(place, steps) as site:
        return saved, site.reader.read().people
