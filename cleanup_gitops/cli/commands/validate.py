"""``cleanup-gitops validate``."""

from __future__ import annotations

from pathlib import Path

import click

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.cli.wiring import load_policies, with_sites
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.expiry import ended_policies, site_warnings
from cleanup_gitops.policy.guarding import ended
from cleanup_gitops.policy.notifying import told_nobody
from cleanup_gitops.views.words import counted


@click.command("validate")
@click.pass_obj
def command(folder: Path) -> int:
    """Check every file under policies/ and report all problems at once.

    Talks to no site and needs no credential. Exit code 0 when all is well, else 1. Warns of credentials that end
    soon and of Overrides and policies that have ended.

    Example: cleanup-gitops validate
    """
    clock = SystemClock()
    found = with_sites(load_policies(folder, clock), folder)
    for site in found.sites:
        own = found.for_site(site.name)
        click.echo(
            f"{site.name}: {counted(len(own.policies), 'policy', 'policies')},"
            f" {counted(len(own.protections), 'protection')},"
            f" {counted(len(own.exemptions), 'exemption')}{_groups(own)}."
            f" Guardrails: {own.guardrails.where}{_lifted(len(own.overrides))}."
        )
        today = clock.now().date()
        warnings = (
            *site_warnings(site, today),
            *ended(own.overrides, today),
            *ended_policies(own.policies, today),
            *((told_nobody(own.notifications),) if own.notifications else ()),
        )
        for warning in filter(None, warnings):
            click.echo(f"Warning: {warning}", err=True)
    click.echo(f"The policies are valid. Digest: {found.digest}")
    return 0


def _groups(own: SitePolicies) -> str:
    """How many groups are declared, where there are any."""
    number = sum(len(one.entries) for one in own.groups)
    return f", {counted(number, 'declared group')}" if number else ""


def _lifted(number: int) -> str:
    """How many Overrides there are, where there are any."""
    return f", with {counted(number, 'Override')}" if number else ""
