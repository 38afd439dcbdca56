"""What a query can say about content, and about users."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cleanup_gitops.sandbox.cql import CqlError, Query, Test, parse
from cleanup_gitops.sandbox.records import Page
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User, parse_time

_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_NOW = re.compile(r"^now\((?:([+-]?\d{1,6})([ymwdhMH]|mo)?)?\)$")
_UNITS = {"y": 365.0, "M": 30.0, "mo": 30.0, "w": 7.0, "d": 1.0, "h": 1 / 24, "H": 1 / 24, "m": 1 / 1440}
_FORMATS = (("%Y-%m-%d %H:%M", 60), ("%Y/%m/%d %H:%M", 60), ("%Y-%m-%d", 86_400), ("%Y/%m/%d", 86_400))


class ContentQueries:
    """Understands queries about content. Raises `CqlError` for all that it does not know."""

    def __init__(self, state: State) -> None:
        self._state = state

    def parse(self, cql: str) -> Query[Page]:
        """The query `cql`."""
        found = parse(cql, self._predicate)
        for field, _ in found.order:
            if field not in ("created", "lastmodified", "title"):
                raise CqlError(f"cannot order by {field}")
        return found

    def sorted(self, pages: list[Page], order: list[tuple[str, bool]]) -> list[Page]:
        """`pages` in that order, by id where nothing else tells them apart."""
        found = sorted(pages, key=lambda page: page.id)
        for field, descending in reversed(order):
            found.sort(key=lambda page: _sort_key(page, field), reverse=descending)
        return found

    def _predicate(self, field: str, op: str, values: list[str]) -> Test[Page]:
        if field in ("lastmodified", "created"):
            return self._by_time(field, op, values)
        if field in ("contributor", "creator"):
            accounts = {self._account(value) for value in values}
            if op not in ("=", "in"):
                raise CqlError(f"{field} does not know {op}")
            if field == "creator":
                return lambda page: page.creator in accounts
            return lambda page: not accounts.isdisjoint(page.edits)
        if field == "title" and op == "~":
            wanted = values[0].rstrip("*").casefold()
            return lambda page: wanted in page.title.casefold()
        if field in ("type", "space", "title", "id") and op in ("=", "in"):
            return lambda page: str(getattr(page, field)) in values
        if field == "user" or field.startswith("user."):
            raise CqlError(f"{field} is a field of user searches, use search/user")
        raise CqlError(f"no such field, or not with {op}: {field}")

    def _account(self, value: str) -> str:
        return self._state.world.credentials.runner_account if value == "currentuser()" else value

    def _by_time(self, field: str, op: str, values: list[str]) -> Test[Page]:
        first, last = self._span(values[0])

        def instant(page: Page) -> datetime:
            return parse_time(page.created if field == "created" else page.modified()[0])

        if op == "=":
            return lambda page: first <= instant(page) < last
        if op not in _COMPARE:
            raise CqlError(f"{field} does not know {op}")
        return lambda page: _COMPARE[op](instant(page), first)

    def _span(self, text: str) -> tuple[datetime, datetime]:
        """The first instant that `text` stands for, and the first one after it."""
        try:
            return self._exact_span(text)
        except OverflowError:
            raise CqlError(f"out of range: {text}") from None

    def _exact_span(self, text: str) -> tuple[datetime, datetime]:
        relative = _NOW.match(text)
        if relative:
            days = float(relative.group(1) or 0) * _UNITS[relative.group(2) or "d"]
            at = self._state.now() + timedelta(days=days)
            return at, at + timedelta(seconds=1)
        for form, seconds in _FORMATS:
            try:
                at = datetime.strptime(text, form).replace(tzinfo=self._zone())
            except ValueError:
                continue
            return at.astimezone(UTC), at.astimezone(UTC) + timedelta(seconds=seconds)
        raise CqlError(f"not a date: {text}")

    def _zone(self) -> ZoneInfo:
        """Dates are those of the caller's time zone."""
        caller = self._state.user(self._state.world.credentials.runner_account)
        try:
            return ZoneInfo((caller.time_zone if caller else None) or "Etc/UTC")
        except (ValueError, OSError, KeyError):  # a profile may hold any text
            return ZoneInfo("Etc/UTC")


def _sort_key(page: Page, field: str) -> str:
    if field == "title":
        return page.title.casefold()
    return page.created if field == "created" else page.modified()[0]


def parse_user_query(cql: str) -> Query[User]:
    """A query about users: only fields of users, and ``type=user``. Raises `CqlError`."""

    def predicate(field: str, op: str, values: list[str]) -> Test[User]:
        if field == "type" and op == "=" and values == ["user"]:
            return lambda user: True  # noqa: ARG005 - all of them
        if field in ("user", "user.accountid", "user.userkey") and op in ("=", "in"):
            return lambda user: user.id in values
        if field == "user.fullname" and op in ("=", "~"):
            wanted = values[0].rstrip("*").casefold()
            if op == "=":
                return lambda user: wanted == user.name.casefold()
            return lambda user: any(
                name.casefold().startswith(wanted) for name in (user.name, user.nickname, *user.name.split())
            )
        raise CqlError(f"no such field of users, or not with {op}: {field}")

    return parse(cql, predicate)
