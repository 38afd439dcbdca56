"""A long list of users read in parts side by side, where the site's own counts say that it pays.

A list by cursor is one page after the other, so that only several lists keep several workers busy. The parts are those
that filters make; they are taken only if their counts add up to the count of the whole. What was read is proven by the
accounts that were found, each counted once, against the count of the whole before and after; a list in parts that does
not fit is read again as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from cleanup_gitops.model.inventory import Reading
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import USERS_SEARCH, Filters
from cleanup_gitops.sites.cloud.paging import Listing, counted
from cleanup_gitops.sites.cloud.wire import Count, Page
from cleanup_gitops.sites.exchange import WORKERS
from cleanup_gitops.sites.http import StatusError

T = TypeVar("T")
R = TypeVar("R")
COUNT = msgspec.json.Decoder(Count)

PAYS_FROM = 5000
"""Users from which on a list is divided: below, the counts cost more than they save."""
WORTH = 0.9
"""The share of the list that its largest part may have: beyond, dividing it saves nothing."""
MOST_DOMAINS = 30
STATUSES = ("active", "suspended", "not_invited", "deactivated", "for_deletion")


class Part(Struct, frozen=True):
    """One part of a list: what to ask for, and how many users there are."""

    filters: Filters
    count: int


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """A list of users: what it is, how a page is fetched, and which account a row is about."""

    what: str
    filters: Filters
    fetch: Callable[[Filters, str | None], Page[T]]
    account: Callable[[T], str]


def read_list(
    client: Client, asked: Asked[T], domains: Iterable[str], begin: Callable[[int], tuple[R, Callable[[list[T]], None]]]
) -> tuple[R, Reading]:
    """A list read whole, and its proof.

    ``begin`` is given the site's count and returns what is to be filled and what takes a page; for a second try it is
    called again. ``domains`` are those by which managed accounts can be told apart.
    """
    first = True

    def read(before: int) -> tuple[R, Parts[T]]:
        nonlocal first
        parts = divided(client, Part(asked.filters, before), domains) if first else [Part(asked.filters, before)]
        first = False
        found, take = begin(before)
        listing = Parts(client, asked, parts)
        listing.read(take)
        return found, listing

    return counted(read, lambda: _count(client, asked.filters))


def divided(client: Client, whole: Part, domains: Iterable[str]) -> list[Part]:
    """Parts that cover the list, largest first; the list itself where dividing it does not pay or cannot be proven."""
    parts = [whole]
    if whole.count < PAYS_FROM:
        return parts
    try:
        for axis in _axes(list(domains)):
            parts = _finer(client, parts, axis, whole.count // WORKERS)
    except StatusError as error:
        if error.status != 400:
            raise
        return [whole]  # a site that cannot count like this is read in one go
    parts.sort(key=lambda part: -part.count)
    return parts if parts[0].count <= whole.count * WORTH else [whole]


Axis = Callable[[Filters], list[Filters]]


def _axes(domains: list[str]) -> Iterator[Axis]:
    """Ways to divide: by claim, by domain and second factor of managed accounts, by status."""
    yield lambda _: [{"claimStatus": "managed"}, {"claimStatus": "unmanaged"}]
    if 1 < len(domains) <= MOST_DOMAINS:
        yield lambda part: [{"emailDomains": [one]} for one in domains] if _managed(part) else []
    yield lambda part: [{"mfaEnabled": True}, {"mfaEnabled": False}] if _managed(part) else []
    yield lambda _: [{"status": [one]} for one in STATUSES]


def _managed(part: Filters) -> bool:
    return part.get("claimStatus") == "managed"


def _finer(client: Client, parts: list[Part], axis: Axis, small: int) -> list[Part]:
    """The parts, each divided unless it is small, not divided by this, or its pieces do not add up."""
    ways = [axis(part.filters) if part.count > small else [] for part in parts]
    with client.workers("counting users", sum(map(len, ways))) as workers:
        counts: list[list[tuple[Filters, Future[int]]]] = []
        for part, pieces in zip(parts, ways, strict=True):
            asked: list[Filters] = [{**part.filters, **way} for way in pieces]
            counts.append([(filters, workers.submit(_count, client, filters)) for filters in asked])
        told = [[Part(filters, count.result()) for filters, count in pieces] for pieces in counts]
    found: list[Part] = []
    for part, split in zip(parts, told, strict=True):
        covers = bool(split) and sum(piece.count for piece in split) == part.count
        found.extend([piece for piece in split if piece.count] if covers else [part])
    return found


def _count(client: Client, filters: Filters) -> int:
    return client.admin.read(client.place.count_users(filters), COUNT).count


class Parts(Generic[T]):
    """One reading of a list in its parts. After `read`, `reading` tells what was read."""

    def __init__(self, client: Client, asked: Asked[T], parts: list[Part]) -> None:
        self._client = client
        self._asked = asked
        self._parts = parts
        self._listings: list[Listing[T]] = []
        self._stopped = False

    def read(self, take: Callable[[list[T]], None]) -> None:
        """Hand every page to ``take``, in this thread. Raises what `Listing` raises."""
        size = len(self._parts)
        with ThreadPoolExecutor(min(size, WORKERS), thread_name_prefix="cleanup-gitops") as pool:
            try:
                if size == 1:
                    self._listings = [self._listing(self._parts[0], pool)]
                    for page in self._listings[0]:
                        take(page)
                else:
                    self._side_by_side(pool, take)
            except BaseException as error:
                self._stopped = True
                if isinstance(error, KeyboardInterrupt):
                    self._client.give_up()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def reading(self, before: int | None = None, after: int | None = None) -> Reading:
        """What was read, every account counted once, with the site's own counts of the whole before and after."""
        readings = [listing.reading() for listing in self._listings]
        accounts: set[str] = set()
        for listing in self._listings:
            accounts |= listing.keys
        return Reading(
            what=self._asked.what,
            endpoint=USERS_SEARCH,
            pages=sum(one.pages for one in readings),
            items=len(accounts),
            ended=bool(readings) and all(one.ended for one in readings),
            reported_before=before,
            reported_after=after,
        )

    def _side_by_side(self, pool: ThreadPoolExecutor, take: Callable[[list[T]], None]) -> None:
        pages: SimpleQueue[list[T] | None] = SimpleQueue()
        self._listings = [self._listing(part) for part in self._parts]
        running = [pool.submit(self._drain, listing, pages) for listing in self._listings]
        left = len(running)
        while left:
            page = pages.get()
            if page is None:
                left -= 1
            elif not self._stopped:
                take(page)
        for one in running:
            one.result()

    def _drain(self, listing: Listing[T], pages: SimpleQueue[list[T] | None]) -> None:
        """One part, in a worker; an error stops the others at their next page."""
        try:
            for page in () if self._stopped else listing:
                if self._stopped:
                    return
                pages.put(page)
        except BaseException:
            self._stopped = True
            raise
        finally:
            pages.put(None)

    def _listing(self, part: Part, ahead: ThreadPoolExecutor | None = None) -> Listing[T]:
        fetch, filters = self._asked.fetch, part.filters
        what, account = self._asked.what, self._asked.account
        return Listing(what, USERS_SEARCH, lambda cursor: fetch(filters, cursor), account, ahead)
