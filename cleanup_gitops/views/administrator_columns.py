"""The columns of ``cleanup-gitops audit admins``."""

from __future__ import annotations

from cleanup_gitops.evidence.administrators import Administrator
from cleanup_gitops.views.columns import Column, Labelled, Value
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.user_columns import USER_COLUMNS


def _of_user(name: str) -> Column[Administrator]:
    one = USER_COLUMNS[name]
    return Column(one.name, one.title, one.meaning, lambda row, facts: one.value(row.user, facts), one.cut, one.number)


def _groups(row: Administrator, facts: Facts) -> Value:
    if row.user.groups is None:
        return None
    return tuple(Labelled(facts.group(one), {"id": one, "name": facts.group(one)}) for one in row.groups)


_COLUMNS: tuple[Column[Administrator], ...] = (
    _of_user("id"),
    Column("admin", "ADMIN", "yes, or unknown", lambda row, _: True if row.sure else None),
    _of_user("status"),
    _of_user("status_since"),
    _of_user("kind"),
    Column("groups", "BY GROUPS", "direct groups that make administrators, or may", _groups, cut=True),
    Column("roles", "BY ROLES", "administrative roles", lambda row, _: row.user.roles, cut=True),
    _of_user("seen"),
    _of_user("idle"),
    _of_user("added"),
    _of_user("directory"),
)
ADMINISTRATOR_COLUMNS = {column.name: column for column in _COLUMNS}
SHOWN = ("id", "admin", "status", "kind", "groups", "roles", "seen")
"""Columns of a table when nobody says which."""
