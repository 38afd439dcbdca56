"""``cleanup-gitops migrate``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.authoring import load_with, write
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.policy import versions
from cleanup_gitops.policy.documents import API_VERSION
from cleanup_gitops.policy.migrating import propose_migration
from cleanup_gitops.views.words import counted


@click.command("migrate")
@click.pass_obj
def command(folder: Path) -> int:
    """Rewrite policy files of older versions to the one that this program reads.

    Comments, order and layout stay. Talks to no site. When every document is of the present version there is nothing to
    do; a document of a newer one is an error. Nothing is written when the result would not be valid.

    Example: cleanup-gitops migrate
    """
    found = propose_migration(folder / "policies", versions.STEPS)
    if not found.proposals:
        documents = counted(found.documents, "document")
        click.echo(f"Nothing to do: {documents} under policies/, and none older than {API_VERSION}.")
        return 0
    load_with(folder, SystemClock(), found.proposals)
    for step in found.steps:
        click.echo(f"{step.source} -> {step.target}: {step.what}", err=True)
    write(folder, found.proposals, f"Migrate the policies to {API_VERSION}")
    return 0
