"""What is handed off, as files for whoever runs the identity provider. They hold addresses, and belong to no record.

Entra ID, "Bulk remove group members": the template begins with one header line and has one member in each row, by
object id or user principal name (learn.microsoft.com, entra/identity/users/groups-bulk-remove-members). Okta, "Assign
people with CSV import": the column is ``userIdOrLogin`` (support.okta.com, Bulk-adding-users-to-group-via-CSV-file).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Handoff, Plan
from cleanup_gitops.views import words
from cleanup_gitops.views.leavers import instant
from cleanup_gitops.views.safe import cell, json_text

Form = Literal["entra", "json", "okta"]
FORMS: tuple[Form, ...] = get_args(Form)
_HEADERS = {"entra": "Member object ID or user principal name [memberObjectIdOrUpn] Required", "okta": "userIdOrLogin"}
_VERBS = {"membership.remove": "remove", "membership.add": "add"}


@dataclass(frozen=True, slots=True)
class HandoffFiles:
    """Files by name, and the accounts (ids) that stand in none of them, because nobody knows their address."""

    files: dict[str, bytes] = field(repr=False)
    without_address: tuple[str, ...] = ()


def handoff_files(plan: Plan, people: People, form: Form) -> HandoffFiles:
    """What a plan hands off, with the addresses of these people.

    JSON holds all of it. The others have a file for each group whose members change, and ``accounts.csv`` for what is
    to be done to whole accounts.
    """
    if form == "json":
        return HandoffFiles({"handoffs.json": _json(plan, people)})
    groups: dict[str, set[str]] = {}
    accounts: list[tuple[str, ...]] = []
    missing: set[str] = set()
    for one in plan.handoffs:
        login = people.email(one.user)
        if not login:
            missing.add(one.user)
        elif one.action in _VERBS:
            groups.setdefault(_file_name(one), set()).add(login)
        else:
            accounts.append((login, words.wished_for(one.action, plan.hosting), words.hands(one.reason), _due(one)))
    files = {name: _csv([(_HEADERS[form],), *((one,) for one in sorted(own))]) for name, own in sorted(groups.items())}
    if accounts:
        files["accounts.csv"] = _csv([("login", "to be", "by", "until"), *sorted(accounts)])
    return HandoffFiles(files, tuple(sorted(missing)))


def _group(one: Handoff) -> str:
    return one.address.split("/")[-2]


def _file_name(one: Handoff) -> str:
    """Of the group's name what any file system takes; its id tells apart what is then the same."""
    name = re.sub(r"[^a-z0-9]+", "-", one.label.casefold()).strip("-")[:60] or "group"
    return f"{_VERBS[one.action]}-{name}-{re.sub(r'[^A-Za-z0-9-]', '-', _group(one))[:36]}.csv"


def _csv(rows: Iterable[tuple[str, ...]]) -> bytes:
    """Cells that no spreadsheet takes for formulas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([cell(one) for one in row] for row in rows)
    return text.getvalue().encode()


def _json(plan: Plan, people: People) -> bytes:
    rows: list[dict[str, Any]] = []
    for one in plan.handoffs:
        row: dict[str, Any] = {
            "account": one.user,
            "email": people.email(one.user),
            "action": one.action,
            "reason": one.reason,
            "by": words.hands(one.reason),
            "policies": [cause.name for cause in one.causes],
        }
        if one.action in _VERBS:
            row["group"] = {"id": _group(one), "name": one.label}
        if due := _due(one):
            row["until"] = due
        rows.append(row)
    document = {
        "format_version": "1.0",
        "site": plan.site,
        "created": plan.created.isoformat(),
        "plan": plan.digest,
        "handoffs": rows,
    }
    return (json_text(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)) + "\n").encode()


def _due(one: Handoff) -> str:
    return instant(min(dues)) if (dues := [cause.due for cause in one.causes if cause.due]) else ""
