"""Sightings in Confluence's own audit log: whoever did something was there.

Only authors count. What was done to somebody, or tried in somebody's name and failed, is no activity of theirs. The log
is read from its newest entry back, in a window that no new entry can get into while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from cleanup_gitops.model.activity import IN_FUTURE, Activity, newest, seen_at
from cleanup_gitops.model.errors import IncompleteReadingError
from cleanup_gitops.model.inventory import TRY_AGAIN, Reading
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import AUDIT_PAGE, audit
from cleanup_gitops.sites.cloud.wire import AuditPage, AuditRow

_PAGE = msgspec.json.Decoder(AuditPage)
REACH = timedelta(days=365)
"""How far back is read: the longest time for which Confluence Cloud keeps its log."""
OVERLAP = timedelta(hours=1)
"""Entries may be written a little late, so that a later reading begins before the end of the one before."""
ENDPOINT = audit(0, 0, 0).endpoint
_FAILED = re.compile(r"fail|denied|unsuccess|invalid", re.IGNORECASE)
_LOGIN = re.compile(r"log(ged|ging)?[ -]?in\b|sign(ed|ing)?[ -]?in\b|authenticat", re.IGNORECASE)


class Trail:
    """Who did something when, by account id; read once as a whole and then only what is new."""

    def __init__(self) -> None:
        self._known: dict[str, Activity] = {}
        self._until: datetime | None = None
        self._pages = 0
        self._entries = 0

    def of(self, account: str) -> Activity | None:
        """The last thing that the account did, ``None`` when the log has nothing of it."""
        return self._known.get(account)

    def follow(self, client: Client) -> None:
        """Read up to now. Raises `IncompleteReadingError` and what a refusal means."""
        now = client.clock.now().astimezone(UTC)
        since = now - REACH if self._until is None else self._until - OVERLAP
        for rows in self._read(client, since, now):
            for row in rows:
                self._note(row, now)
        self._until = now

    def reading(self) -> Reading:
        """The whole reading, for the proof."""
        return Reading(what="audit entries", endpoint=ENDPOINT, pages=self._pages, items=self._entries, ended=True)

    def _note(self, row: AuditRow, now: datetime) -> None:
        account = row.author and row.author.account_id
        if not account or (_LOGIN.search(row.summary) and _FAILED.search(row.summary)):
            return
        at = _moment(row.creation_date)
        sighting = IN_FUTURE if at is None or at > now + timedelta(days=1) else seen_at(at, "audit")
        known = self._known.get(account)
        if known != IN_FUTURE:
            self._known[account] = sighting if known is None or sighting == IN_FUTURE else newest(known, sighting)

    def _read(self, client: Client, since: datetime, until: datetime) -> Iterator[list[AuditRow]]:
        start = 0
        last: list[AuditRow] = []
        while True:
            page = client.confluence.read(audit(_millis(since), _millis(until), start), _PAGE)
            self._pages += 1
            self._entries += len(page.results)
            linked = bool(page.links and page.links.next)
            if linked and not page.results:
                raise IncompleteReadingError(f"The audit log has an empty page before its end ({ENDPOINT}).", TRY_AGAIN)
            if page.results and page.results == last:
                raise IncompleteReadingError(f"The audit log goes round in circles ({ENDPOINT}).", TRY_AGAIN)
            yield page.results
            start += len(page.results)
            client.step("reading the audit log", start, None)
            if not page.results or not (linked or len(page.results) >= min(page.limit, AUDIT_PAGE)):
                return
            last = page.results


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _moment(millis: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(millis // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
