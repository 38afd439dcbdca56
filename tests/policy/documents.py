"""Texts of documents for tests of the loader."""

from __future__ import annotations

from pathlib import Path

from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.problems import PolicyError

VALID = Path(__file__).with_name("valid")


def document(kind: str, spec: str, *, name: str = "one", more: str = "", top: str = "") -> str:
    """A document with its owner (and ``why``, for a policy); ``spec`` is a flow value, ``top`` ends in a line end."""
    owned = "" if kind == "Site" else ", owner: iam"
    purpose = ", why: Seats cost money." if kind == "Policy" else ""
    return (
        f"apiVersion: cleanup-gitops/v1\nkind: {kind}\n{top}"
        f"metadata: {{name: {name}{owned}{purpose}{more}}}\nspec: {spec}\n"
    )


def site(name: str = "acme", *, more: str = "") -> str:
    """A Site on Cloud."""
    spec = (
        f"{{hosting: cloud, url: 'https://{name}.atlassian.net', cloud: {{organization: org-{name}}},"
        " credentials: {org_api_key: {env: KEY}, user: {env: WIKI_USER}, token: {env: WIKI_TOKEN}},"
        f" runner: {{accounts: ['712020:01']}}{more}}}"
    )
    return document("Site", spec, name=name)


def policy(
    match: str = "{all: [{has_seat: true}]}",
    ensure: str = "{groups: {absent: [wiki]}}",
    *,
    name: str = "one",
    top: str = "",
) -> str:
    """A Policy."""
    return document("Policy", f"{{match: {match}, ensure: {ensure}}}", name=name, top=top)


def load_texts(folder: Path, *texts: str) -> PolicySet:
    """Load one folder with a file for each text."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"{number:02}.yaml").write_text(text, "utf-8")
    return load(folder)


def problems(folder: Path, *texts: str) -> list[str]:
    """The problems of these files; empty when there is none."""
    try:
        load_texts(folder, *texts)
    except PolicyError as error:
        return [str(one) for one in error.problems]
    return []
