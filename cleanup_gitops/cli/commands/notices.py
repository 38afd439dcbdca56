"""``cleanup-gitops notices``: what people are told before policies act."""

from __future__ import annotations

import click

from cleanup_gitops.cli.undelivered import undelivered_command


@click.group("notices")
def command() -> None:
    """Notices to people: those that came back."""


command.add_command(undelivered_command)
