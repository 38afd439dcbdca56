"""``cleanup-gitops explain``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from cleanup_gitops.cli.explaining import ask_about, person_options
from cleanup_gitops.cli.terminal import colours
from cleanup_gitops.rehearsal.person import explain_case
from cleanup_gitops.views.person import render_person_markdown, render_person_text
from cleanup_gitops.views.person_json import render_person_json


@click.command("explain")
@person_options
@click.option("--policy", "policy", metavar="NAME", help="Show this policy only.")
@click.pass_obj
def command(
    folder: Path,
    who: str,
    site_name: str | None,
    form: str,
    ids_only: bool,
    recorded: str | None,
    policy: str | None,
) -> int:
    r"""Show why the plan does to one user what it does. Changes nothing and records nothing.

    USER is an account id, an e-mail address or a display name; with --recorded an account id. Every policy is shown
    with what each condition saw, from which source and how old, and with what keeps it from acting; then who protects
    or exempts the account, and why its seat is billed and what would free it.

    \b
    Examples:
      cleanup-gitops explain ada@acme.com
      cleanup-gitops explain 712020:4f1c9a52 --policy dormant-members
      cleanup-gitops explain 712020:4f1c9a52 --recorded HEAD~7 --format json
    """
    asked = ask_about(folder, who, site_name, recorded, policy, ids_only=ids_only)
    found = explain_case(asked.case)
    if policy:
        found = replace(found, policies=tuple(one for one in found.policies if one.name == policy))
    match form:
        case "json":
            text = render_person_json(found, asked.people, asked.found.about)
        case "markdown":
            text = render_person_markdown(found, asked.people, at=asked.found.words)
        case _:
            text = render_person_text(found, asked.people, at=asked.found.words, colour=colours(sys.stdout))
    click.echo(text, nl=False)
    return 0
