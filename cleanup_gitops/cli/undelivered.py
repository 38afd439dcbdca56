"""``cleanup-gitops notices undelivered``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops import __version__
from cleanup_gitops.cli.files import read_file
from cleanup_gitops.cli.options import site_option
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import only_one, place_of_record, recorded_domains, tell_notes, workplaces
from cleanup_gitops.runner.undelivered import MailRoom, undelivered
from cleanup_gitops.views.undelivered import render_returned

FAILURES = 5


@click.command("undelivered")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--again", is_flag=True, help="The addresses were mended: have the notices that came back sent again.")
@site_option
@click.pass_obj
def undelivered_command(folder: Path, file: Path, again: bool, site_name: str | None) -> int:
    r"""Stop the clock of people whose notices came back. Reads no site, and writes to none; it is recorded in git.

    FILE holds one Message-ID (from the mail that came back) or account id a line; what follows a # is for people. An
    account id stands for all notices of the account that can still be stopped. Who was not told does not count as told:
    nothing follows, and no policy tells the person again by itself. When the address has been mended, the same FILE
    with --again has the next run send the notice again, and the days of the next stage begin then.

    Exit code 5 when it came too late for some, because the next stage has begun, or a line names nobody's notice.

    \b
    Examples:
      cleanup-gitops notices undelivered bounces.txt
      cleanup-gitops notices undelivered bounces.txt --again
    """
    place = only_one(workplaces(folder, SystemClock(), site_name))
    desk = MailRoom(
        policies=place.policies,
        store=place.store,
        clock=place.clock,
        tool_version=__version__,
        domains=recorded_domains(place),
        attributes=place.site.recorded_attributes,
    )
    found = undelivered(desk, read_file(file), again=again)
    text = render_returned(found, place.policies, str(file), place=place_of_record(place), again=again)
    click.echo(text, nl=False)
    tell_notes(place)
    return FAILURES if found.late or found.unknown else 0
