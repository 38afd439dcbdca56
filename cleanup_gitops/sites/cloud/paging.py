"""Lists by cursor, read to their proven end or not at all.

A page that fails after others came, a cursor or a row that comes twice, and pages without an end are never an end of
the list. Where the site counts, it is asked before and after; a list that does not fit is read once more (somebody may
have come or gone), and after that its `Reading` proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from typing import Generic, Protocol, TypeVar

from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.inventory import TRY_AGAIN, Reading
from cleanup_gitops.sites.cloud.wire import Page

T = TypeVar("T")
R = TypeVar("R")

MOST_EMPTY = 3
"""Pages without a row, one after the other, after which a list is taken to have no end."""


class Listing(Generic[T]):
    """One reading of one list. Iterate it once; `reading` then tells what was read.

    With ``ahead``, a pool, the next page is asked for while its reader is still busy with the last one.
    """

    def __init__(
        self,
        what: str,
        endpoint: str,
        fetch: Callable[[str | None], Page[T]],
        key: Callable[[T], str],
        ahead: Executor | None = None,
    ) -> None:
        self._what = what
        self._endpoint = endpoint
        self._fetch = fetch
        self._key = key
        self._ahead = ahead
        self._seen: set[str] = set()
        self._pages = 0
        self._items = 0
        self._ended = False

    @property
    def items(self) -> int:
        """Rows so far."""
        return self._items

    @property
    def keys(self) -> AbstractSet[str]:
        """Keys of the rows so far."""
        return self._seen

    def __iter__(self) -> Iterator[list[T]]:
        """The rows, page by page. Raises `SiteError` on the first page, `IncompleteReadingError` later."""
        asked: set[str] = set()
        empty = 0
        coming = self._ask(None)
        while True:
            page = self._page(coming)
            self._pages += 1
            self._items += len(page.data)
            self._check_new(page.data)
            cursor = page.links.next if page.links else None
            if not cursor:
                self._ended = True
                yield page.data
                return
            empty = 0 if page.data else empty + 1
            if cursor in asked or empty >= MOST_EMPTY:
                raise IncompleteReadingError(
                    f"The list of {self._what} goes round in circles after {self._pages} pages ({self._endpoint}).",
                    TRY_AGAIN,
                )
            asked.add(cursor)
            coming = self._ask(cursor)
            yield page.data

    def reading(self, before: int | None = None, after: int | None = None) -> Reading:
        """What was read, with the site's own counts before and after, if it has any."""
        return Reading(
            what=self._what,
            endpoint=self._endpoint,
            pages=self._pages,
            items=self._items,
            ended=self._ended,
            reported_before=before,
            reported_after=after,
        )

    def _check_new(self, rows: list[T]) -> None:
        for row in rows:
            key = self._key(row)
            if key in self._seen:
                raise IncompleteReadingError(f"The list of {self._what} has {key} twice ({self._endpoint}).", TRY_AGAIN)
            self._seen.add(key)

    def _ask(self, cursor: str | None) -> Callable[[], Page[T]]:
        """Begin to fetch a page if there is a pool; what is returned waits for it."""
        if self._ahead is None:
            return lambda: self._fetch(cursor)
        return self._ahead.submit(self._fetch, cursor).result

    def _page(self, coming: Callable[[], Page[T]]) -> Page[T]:
        try:
            return coming()
        except CredentialError:
            raise
        except SiteError as error:
            if not self._pages:
                raise
            raise IncompleteReadingError(
                f"The reading of {self._what} broke off after {self._pages} pages: {error.message}", TRY_AGAIN
            ) from None


class Counted(Protocol):
    """Something that was read and can tell how."""

    def reading(self, before: int | None = None, after: int | None = None) -> Reading:
        """What was read, with the site's own counts before and after."""
        ...


def counted(read: Callable[[int], tuple[R, Counted]], count: Callable[[], int]) -> tuple[R, Reading]:
    """What ``read`` (given the count before) makes of a list, read again once when the counts do not fit."""
    result, reading = _once(read, count)
    return (result, reading) if reading.flaw() is None else _once(read, count)


def _once(read: Callable[[int], tuple[R, Counted]], count: Callable[[], int]) -> tuple[R, Reading]:
    before = count()
    result, listing = read(before)
    return result, listing.reading(before, count())
