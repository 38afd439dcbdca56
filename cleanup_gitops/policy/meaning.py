"""Digests of the policies in one file, of whatever age: what a tag that approves a policy is named after."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from cleanup_gitops.policy.convert import meaning_digest
from cleanup_gitops.policy.shapes import PolicyDocument, RosterDocument
from cleanup_gitops.policy.yaml_text import read_documents

_APPROVED: Mapping[str, type[PolicyDocument | RosterDocument]] = {"Policy": PolicyDocument, "Roster": RosterDocument}
"""Kinds of documents that may have a standing approval."""


def policy_digests(data: bytes) -> frozenset[str]:
    """The digests of those policies in the file that can be read. Never raises, whatever the bytes are."""
    found = set()
    for document in read_documents(data, "").documents:
        shape = _APPROVED.get(str(document.get("kind")))
        if shape is None:
            continue
        try:
            found.add(meaning_digest(shape.model_validate(document)))
        except ValidationError:  # what is no policy now was none then
            continue
    return frozenset(found)
