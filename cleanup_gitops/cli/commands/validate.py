"""``cleanup-gitops validate``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import load_policies
from cleanup_gitops.views.words import counted


@click.command("validate")
@click.pass_obj
def command(folder: Path) -> int:
    """Check every file under policies/ and report all problems at once.

    Talks to no site and needs no credential. Exit code 0 when all is well, else 1.

    Example: cleanup-gitops validate
    """
    found = load_policies(folder, SystemClock())
    for site in found.sites:
        own = found.for_site(site.name)
        click.echo(
            f"{site.name}: {counted(len(own.policies), 'policy', 'policies')},"
            f" {counted(len(own.protections), 'protection')}, {counted(len(own.exemptions), 'exemption')}."
            f" Guardrails: {own.guardrails.where}."
        )
    click.echo(f"The policies are valid. Digest: {found.digest}")
    return 0
