"""The files with which a repository of policies begins, as templates; `init` and `demo` use them."""

from __future__ import annotations

import json
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

SUFFIX = ".j2"


class SiteFacts(Struct, frozen=True, kw_only=True):
    """What a new Site document says. All values were checked before: they are written into YAML as they are."""

    name: str
    url: str
    organization: str
    runner: str


def starter_files(site: SiteFacts) -> dict[str, str]:
    """Every file of a new repository, by its path in it."""
    policies = ("site", "guardrails", "protection", "exemptions", "dormant-members", "never-used", "tests")
    found = {f"policies/{name}.yaml": text(f"policies/{name}.yaml", site=site) for name in policies}
    return found | common_files() | {"README.md": text("README.md", site=site), "state/.gitkeep": ""}


def common_files() -> dict[str, str]:
    """What every repository of policies has, whatever its site is."""
    return {
        ".gitattributes": text("gitattributes"),
        ".gitignore": text("gitignore"),
        "policies/schema.json": schema_text(),
    }


def schema_text() -> str:
    """The JSON Schema of the policy files, as `cleanup-gitops schema` prints it."""
    from cleanup_gitops.policy.schema import json_schema

    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


def text(name: str, **values: object) -> str:
    """One template, filled in."""
    return _environment().get_template(name + SUFFIX).render(values)


def _yaml(value: str) -> str:
    """A text of letters, digits and dashes as YAML: in quotes where it could be taken for something else."""
    from cleanup_gitops.policy.yaml_values import scalar

    return value if value[0].isalnum() and scalar(value) == value else f'"{value}"'


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cleanup_gitops.cli.starter"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, Markdown and git's own files; no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = _yaml
    return environment
