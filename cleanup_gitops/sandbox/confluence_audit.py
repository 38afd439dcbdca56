"""Confluence's own audit log, for its administrators, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import confluence, json_answer
from cleanup_gitops.sandbox.confluence_answers import display_name, number, offset_page, query
from cleanup_gitops.sandbox.confluence_rights import is_confluence_admin
from cleanup_gitops.sandbox.handlers import Table
from cleanup_gitops.sandbox.records import AuditRecord
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import parse_time

PAGE = 1000
RETENTION = timedelta(days=365)
_SECONDS = {
    "NANOS": 1e-9, "MICROS": 1e-6, "MILLIS": 1e-3, "SECONDS": 1.0, "MINUTES": 60.0, "HOURS": 3600.0,
    "HALF_DAYS": 43_200.0, "DAYS": 86_400.0, "WEEKS": 604_800.0, "MONTHS": 2_592_000.0, "YEARS": 31_536_000.0,
    "DECADES": 315_360_000.0, "CENTURIES": 3_153_600_000.0,
}  # fmt: skip


class Audit:
    """Handlers about the audit log."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> Table:
        """Method, path below ``/wiki/rest/api`` and handler of every endpoint."""
        return [
            ("GET", "audit", self.audit),
            ("GET", "audit/since", self.since),
            ("GET", "audit/retention", self.retention),
        ]

    async def audit(self, request: Request) -> Response:
        """GET audit: between two instants in epoch milliseconds, both inside."""
        self._check_admin()
        asked = query(request, "startDate", "endDate", "searchString", "start", "limit")
        first, last = _instant(asked, "startDate"), _instant(asked, "endDate")
        return self._page(request, asked, first, last)

    async def since(self, request: Request) -> Response:
        """GET audit/since: so many units of time back, three months by default."""
        self._check_admin()
        asked = query(request, "number", "units", "searchString", "start", "limit")
        unit = asked.get("units", "MONTHS")
        if unit not in _SECONDS:
            raise confluence(400, f"units must be one of {', '.join(_SECONDS)}")
        seconds = number(asked, "number", 3) * _SECONDS[unit]
        # Further back than the log is kept there is nothing to find.
        span = min(seconds, RETENTION.total_seconds())
        return self._page(request, asked, self._state.now() - timedelta(seconds=span), None)

    async def retention(self, request: Request) -> Response:
        """GET audit/retention: records are kept for a year at most."""
        self._check_admin()
        query(request)
        return json_answer({"number": RETENTION.days, "units": "DAYS"})

    def _check_admin(self) -> None:
        if not is_confluence_admin(self._state):
            raise confluence(403, "Only a Confluence administrator may see the audit log")

    def _page(self, request: Request, asked: dict[str, str], first: datetime | None, last: datetime | None) -> Response:
        start, limit = number(asked, "start", 0), min(number(asked, "limit", PAGE), PAGE)
        self._state.count_read()
        oldest = self._state.now() - RETENTION
        text = asked.get("searchString", "").casefold()
        rows = [
            (at, record)
            for record in self._state.world.audit
            if (at := parse_time(record.at)) >= max(oldest, first or oldest)
            and (last is None or at <= last)
            and text in self._words(record)
        ]
        rows.sort(key=lambda row: row[0], reverse=True)
        return offset_page(request, [record for _, record in rows], self._view, start=start, limit=limit)

    def _author(self, record: AuditRecord) -> str:
        user = self._state.user(record.author or "")
        return "System" if user is None else display_name(user)

    def _words(self, record: AuditRecord) -> str:
        words = (record.summary, record.description, record.category, record.object_name, self._author(record))
        return "\n".join((*words, *record.associated)).casefold()

    def _view(self, record: AuditRecord) -> dict[str, object]:
        author = {"type": "user", "displayName": self._author(record), "accountId": record.author, "operations": None}
        return {
            "author": author,
            "remoteAddress": record.remote,
            "creationDate": int(parse_time(record.at).timestamp() * 1000),
            "summary": record.summary,
            "description": record.description,
            "category": record.category,
            "sysAdmin": record.system_admin,
            "superAdmin": False,
            "affectedObject": {"name": record.object_name, "objectType": record.object_type},
            "changedValues": [
                {"name": item.name, "oldValue": item.old, "newValue": item.new} for item in record.changed
            ],
            "associatedObjects": [{"name": name, "objectType": kind} for name, kind in record.associated.items()],
        }


def _instant(asked: dict[str, str], name: str) -> datetime | None:
    """An instant in epoch milliseconds, as text; raises `Refusal` 400."""
    text = asked.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 15):
        raise confluence(400, f"{name} must be in epoch milliseconds, not {text!r}")
    return datetime.fromtimestamp(int(text) / 1000, UTC)
