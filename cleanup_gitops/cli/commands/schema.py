"""``cleanup-gitops schema``."""

from __future__ import annotations

import json

import click

from cleanup_gitops.policy.schema import json_schema


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of one policy document.

    Save it and point your editor at it with a first line in each file:
    # yaml-language-server: $schema=../schema.json

    Example: cleanup-gitops schema > schema.json
    """
    click.echo(json.dumps(json_schema(), indent=2, sort_keys=True))
    return 0
