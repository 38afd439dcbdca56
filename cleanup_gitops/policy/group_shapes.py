"""The shape of Groups documents, and how they become values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field

from cleanup_gitops.policy.fields import AccountId, GroupName, Name, Some, Text
from cleanup_gitops.policy.groups import GroupEntry
from cleanup_gitops.policy.shape import Shape, one_key
from cleanup_gitops.policy.yaml_values import Seq


class GroupsMetadata(Shape):
    """Name and owner of a document that declares groups."""

    name: Name
    """Unique among documents of this kind, and not the name of a policy: changes are told of by it."""
    owner: Text | None = None
    """A team's address or handle, never a Confluence user."""


Accounts = Annotated[list[AccountId], Field(json_schema_extra={"minItems": 1, "uniqueItems": True})]
"""An empty list is refused in words of its own: see ``group_rules``."""


class MembersSpec(Shape):
    """Who must be a direct member: `at_least`, or `exactly`."""

    model_config = ConfigDict(json_schema_extra=one_key)

    at_least: Accounts | None = None
    """Account ids that must be members; others are left alone."""
    exactly: Accounts | None = None
    """The account ids that must be members, and nobody else may be one."""


class GroupEntrySpec(Shape):
    """One group."""

    name: GroupName
    """Name of the group."""
    members: MembersSpec
    previously: Some[GroupName] | None = None
    """Names that the group had before; it is looked for under these where the site does not know the new one."""
    allow_shared_groups: bool = False
    """Whether people may be taken out of the group though it gives other products too; for `exactly`."""


def entries_of(shapes: Sequence[GroupEntrySpec], data: Seq, file: str) -> tuple[GroupEntry, ...]:
    """The entries of a document; ``data`` is the list that they were read from."""
    return tuple(
        GroupEntry(
            name=shape.name,
            accounts=tuple(shape.members.exactly or shape.members.at_least or ()),
            exactly=shape.members.exactly is not None,
            previously=tuple(shape.previously or ()),
            allow_shared_groups=shape.allow_shared_groups,
            where=f"{file}:{entry.at_key('members')[0]}",
        )
        for shape, entry in zip(shapes, data, strict=True)
    )
