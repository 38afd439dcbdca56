"""Digests of the policies in one file, of whatever age: what a tag that approves a policy is named after."""

from __future__ import annotations

from pydantic import ValidationError

from cleanup_gitops.policy.convert import meaning_digest
from cleanup_gitops.policy.shapes import PolicyDocument
from cleanup_gitops.policy.yaml_text import read_documents


def policy_digests(data: bytes) -> frozenset[str]:
    """The digests of those policies in the file that can be read. Never raises, whatever the bytes are."""
    found = set()
    for document in read_documents(data, "").documents:
        if document.get("kind") != "Policy":
            continue
        try:
            found.add(meaning_digest(PolicyDocument.model_validate(document)))
        except ValidationError:  # what is no policy now was none then
            continue
    return frozenset(found)
