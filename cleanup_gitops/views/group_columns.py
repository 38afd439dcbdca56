"""The columns of ``cleanup-gitops groups``."""

from __future__ import annotations

from cleanup_gitops.model.group import Group
from cleanup_gitops.views.columns import Column, Labelled, Value
from cleanup_gitops.views.facts import Facts


def _grants(group: Group, _: Facts) -> Value:
    if group.grants is None:
        return None
    return tuple(
        Labelled(f"{one.product}: {one.role}", {"product": one.product, "role": one.role}) for one in group.grants
    )


def _protected(group: Group, facts: Facts) -> Value:
    document = facts.protected.get(group.id)
    return Labelled(document or "", document)


_COLUMNS: tuple[Column[Group], ...] = (
    Column("id", "ID", "group id", lambda group, _: group.id),
    Column("name", "NAME", "name of the group", lambda group, _: group.name, cut=True),
    Column("members", "MEMBERS", "direct members", lambda group, facts: facts.members[group.id], number=True),
    Column("seats", "SEATS", "seats held through it", lambda group, facts: facts.seats[group.id], number=True),
    Column(
        "license",
        "LICENSE",
        "license that membership alone gives: seat, guest or none",
        lambda group, _: None if group.license == "unknown" else group.license,
    ),
    Column("admin", "ADMIN", "whether it makes administrators", lambda group, _: group.admin),
    Column("synced", "SYNCED", "whether an identity provider fills it", lambda group, _: group.synced),
    Column("modifiable", "MODIFIABLE", "whether members can be changed here", lambda group, _: group.modifiable),
    Column("grants", "GRANTS", "what membership gives", _grants, cut=True),
    Column("protected_by", "PROTECTED BY", "Protection document that covers its members", _protected),
    Column("directory", "DIRECTORY", "where the group lives", lambda group, _: group.directory),
)
GROUP_COLUMNS = {column.name: column for column in _COLUMNS}
SHOWN = ("id", "name", "members", "seats", "license", "admin", "modifiable", "protected_by")
"""Columns of a table when nobody says which."""
