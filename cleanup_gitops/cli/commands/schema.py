"""``cleanup-gitops schema``."""

from __future__ import annotations

import click

from cleanup_gitops.cli.starter import schema_text


@click.command("schema")
def command() -> int:
    r"""Print the JSON Schema of one policy document.

    Save it and point your editor at it with a first line in each file:

    \b
      # yaml-language-server: $schema=schema.json

    Example: cleanup-gitops schema > policies/schema.json
    """
    click.echo(schema_text(), nl=False)
    return 0
