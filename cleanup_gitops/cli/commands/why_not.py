"""``cleanup-gitops why-not``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.explaining import ask_about, person_options
from cleanup_gitops.rehearsal.why_not import named
from cleanup_gitops.views.why_not import render_why_not, render_why_not_json


@click.command("why-not")
@person_options
@click.option("--policy", "policy", metavar="NAME", required=True, help="The policy that is asked about.")
@click.pass_obj
def command(
    folder: Path,
    who: str,
    site_name: str | None,
    form: str,
    ids_only: bool,
    recorded: str | None,
    policy: str,
) -> int:
    r"""Show what would have to change before a policy means a user, and what keeps it from acting. Changes nothing.

    USER is an account id, an e-mail address or a display name; with --recorded an account id. Where time alone is
    enough, the day is named from which on the policy means the user.

    \b
    Examples:
      cleanup-gitops why-not ada@acme.com --policy dormant-members
      cleanup-gitops why-not 712020:4f1c9a52 --policy dormant-members --recorded HEAD
    """
    asked = ask_about(folder, who, site_name, recorded, policy, ids_only=ids_only, conditions=True)
    found = tuple(named(policy, asked.case))
    if form == "json":
        text = render_why_not_json(found, asked.case, asked.people, asked.found.about)
    else:
        text = render_why_not(
            found, asked.case, asked.people, at=asked.found.words, form="md" if form == "markdown" else "txt"
        )
    click.echo(text, nl=False)
    return 0
