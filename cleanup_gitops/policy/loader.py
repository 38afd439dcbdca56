"""A folder of YAML files to one PolicySet, or to every problem of the folder at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.policy import versions
from cleanup_gitops.policy.acting_rules import broken_acting
from cleanup_gitops.policy.answerable import check_answerable
from cleanup_gitops.policy.authorities import broken_bundle
from cleanup_gitops.policy.billing_rules import broken_billing, check_billing
from cleanup_gitops.policy.checks import Source, check_together
from cleanup_gitops.policy.convert import placed
from cleanup_gitops.policy.documents import KINDS, Placed, PolicySet
from cleanup_gitops.policy.files import contents, policy_files
from cleanup_gitops.policy.group_rules import broken_groups, check_groups
from cleanup_gitops.policy.messages import problems_of
from cleanup_gitops.policy.notice_checks import Found, check_notices, templates_of
from cleanup_gitops.policy.notice_rules import broken_notifications
from cleanup_gitops.policy.notice_values import with_templates
from cleanup_gitops.policy.override_checks import check_overrides
from cleanup_gitops.policy.policytest_convert import broken_policy_test
from cleanup_gitops.policy.problems import PolicyError, Problem, did_you_mean, named
from cleanup_gitops.policy.roster_rules import broken_roster
from cleanup_gitops.policy.rules import broken_rules, lists_inside
from cleanup_gitops.policy.shapes import SHAPES
from cleanup_gitops.policy.site import Site
from cleanup_gitops.policy.stage_rules import broken_stages
from cleanup_gitops.policy.yaml_text import read_documents
from cleanup_gitops.policy.yaml_values import Map, Trap

__all__ = ["PolicyError", "load"]


@collector_paused()
def load(
    folder: Path, *, today: date | None = None, proposed: Mapping[Path, bytes] = MappingProxyType({})
) -> PolicySet:
    """Load and check every document below a folder.

    ``today`` (UTC) limits how far ahead exemptions and Overrides may end; without it they are not limited. ``proposed``
    are files, by their resolved paths, that are taken as if they had these bytes, whether or not they exist. Raises
    ``PolicyError`` with all problems, whatever the files hold.
    """
    root = folder.resolve()
    if not root.is_dir():
        message = "there is no such folder; `cleanup-gitops init` makes one"
        raise PolicyError([Problem(str(folder), 1, 1, message)])
    paths, problems = policy_files(root)
    sources: list[Source] = []
    whole = not problems
    for file, data in contents(sorted({*paths, *proposed}, key=lambda path: path.as_posix()), root, proposed):
        if isinstance(data, Problem):
            problems.append(data)
            whole = False
            continue
        reading = read_documents(data, file)
        problems += reading.problems
        whole = whole and reading.whole
        for document in reading.documents:
            source = _check(document, file, root, problems)
            if source:
                sources.append(source)
            else:
                whole = False
    if not sources and not problems:
        problems.append(Problem(str(folder), 1, 1, "this folder holds no policy documents (*.yaml, *.yml)"))
    problems += check_together(sources, whole=whole, today=today)
    problems += check_billing(sources)
    problems += check_groups(sources)
    problems += check_answerable(sources)
    problems += check_overrides(sources, whole=whole, today=today)
    templates = templates_of(sources, root)
    problems += check_notices(sources, templates, whole=whole)
    if problems:
        raise PolicyError(problems)
    found = [(placed(one.shape, one.data, one.file), number) for number, one in enumerate(sources) if one.shape]
    return PolicySet(tuple(_located(one, root, templates.get(number)) for one, number in found))


def _located(one: Placed, root: Path, templates: Found | None) -> Placed:
    """The same, with the path of a Site's own authorities from anywhere, and with the templates of notices."""
    if templates:
        return with_templates(one, templates.templates)
    if not isinstance(one.says, Site) or one.says.ca_bundle is None:
        return one
    return replace(one, says=replace(one.says, ca_bundle=str(root / one.says.ca_bundle)))


def _check(document: Map, file: str, root: Path, problems: list[Problem]) -> Source | None:
    """Check one document by itself; ``None`` when not even its version or its kind is known."""
    version = document.get("apiVersion")
    if isinstance(version, str) and (versions.is_newer(version) or versions.way(version, versions.STEPS)):
        problems.append(Problem(file, *document.at_value("apiVersion"), versions.trouble(version)))
        return None  # what its keys mean is for another version to say
    kind = document.get("kind")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        problems += _unknown_kind(document, file)
        return None
    if text := versions.trouble(version):
        problems.append(Problem(file, *document.at_value("apiVersion"), text))
    broken = chain(
        broken_rules(document),
        broken_acting(document),
        broken_stages(document),
        broken_billing(document),
        broken_groups(document),
        broken_notifications(document, root),
        lists_inside(document, root.parent),
        broken_bundle(document, root),
        broken_roster(document, root.parent),
        broken_policy_test(document),
    )
    problems += [Problem(file, *one.at, one.message) for one in broken]
    try:
        return Source(file, shape.__name__.removesuffix("Document"), document, shape.model_validate(document))
    except ValidationError as error:
        problems += [
            one for one in problems_of(error, document, shape, file) if "`apiVersion` cannot" not in one.message
        ]
    return Source(file, shape.__name__.removesuffix("Document"), document, None)


def _unknown_kind(document: Map, file: str) -> list[Problem]:
    kind = document.get("kind")
    if "kind" not in document:
        message = f"`kind` is missing here{did_you_mean('', KINDS)}"
        return [Problem(file, document.line, document.col, message)]
    if isinstance(kind, Trap):
        return []
    text = f"unknown kind{named(kind)}{did_you_mean(kind, KINDS)}" if isinstance(kind, str) else "`kind` must be text"
    return [Problem(file, *document.at_value("kind"), text)]
