"""Lists by cursor: what counts as their end, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.sites.cloud.paging import Listing, counted
from cleanup_gitops.sites.cloud.wire import Links, Page

Fetch = Callable[[str | None], Page[str]]


def pages(*given: tuple[str, str | None]) -> Fetch:
    """Pages in order, each of one-letter rows and the cursor of the next."""
    waiting = iter(given)

    def fetch(_: str | None) -> Page[str]:
        rows, cursor = next(waiting)
        return Page(list(rows), Links(cursor))

    return fetch


def listing(fetch: Fetch) -> Listing[str]:
    return Listing("letters", "POST letters", fetch, str)


def read(fetch: Fetch) -> list[str]:
    return [row for page in listing(fetch) for row in page]


def test_the_list_ends_with_the_page_that_names_no_next_one() -> None:
    fetch = pages(("ab", "1"), ("", "2"), ("c", None))
    one = listing(fetch)
    assert [row for page in one for row in page] == ["a", "b", "c"]
    reading = one.reading(3, 3)
    assert (reading.pages, reading.items, reading.ended, reading.flaw()) == (3, 3, True, None)


def test_the_cursor_of_a_page_is_what_the_next_one_is_asked_with() -> None:
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> Page[str]:
        asked.append(cursor)
        return Page([], Links(None if len(asked) == 3 else f"c{len(asked)}"))

    read(fetch)
    assert asked == [None, "c1", "c2"]


@pytest.mark.parametrize("last", [Page(["a"]), Page(["a"], Links()), Page(["a"], Links(""))])
def test_links_may_be_left_out_on_the_last_page(last: Page[str]) -> None:
    assert read(lambda _: last) == ["a"]


@pytest.mark.case("E61")
def test_a_cursor_that_comes_twice_is_a_circle() -> None:
    with pytest.raises(IncompleteReadingError, match="round in circles after 3 pages"):
        read(pages(("a", "1"), ("b", "2"), ("c", "1")))


@pytest.mark.case("E61")
def test_empty_pages_without_an_end_are_a_circle() -> None:
    cursors = count()
    with pytest.raises(IncompleteReadingError, match="round in circles after 3 pages"):
        read(lambda _: Page([], Links(str(next(cursors)))))


@pytest.mark.case("E61")
@pytest.mark.parametrize("given", [[("ab", "1"), ("ca", None)], [("aa", None)]])
def test_a_row_that_comes_twice_is_no_list(given: list[tuple[str, str | None]]) -> None:
    with pytest.raises(IncompleteReadingError, match="has a twice"):
        read(pages(*given))


def failing_at(page: int, error: SiteError) -> Fetch:
    number = count(1)

    def fetch(_: str | None) -> Page[str]:
        current = next(number)
        if current == page:
            raise error
        return Page([str(current)], Links(str(current)))

    return fetch


@pytest.mark.case("E61")
def test_a_failure_midway_says_how_far_it_came_and_one_at_the_start_is_itself() -> None:
    with pytest.raises(IncompleteReadingError, match="letters broke off after 2 pages: no luck"):
        read(failing_at(3, SiteError("no luck")))
    with pytest.raises(SiteError, match=r"^no luck$") as caught:
        read(failing_at(1, SiteError("no luck")))
    assert type(caught.value) is SiteError


def test_a_credential_that_fails_midway_stays_a_matter_of_the_credential() -> None:
    with pytest.raises(CredentialError):
        read(failing_at(2, CredentialError("expired")))


def test_a_list_that_was_not_read_to_its_end_proves_nothing() -> None:
    one = listing(pages(("a", "1"), ("b", None)))
    next(iter(one))
    assert one.reading().flaw() is not None


@pytest.mark.parametrize(
    ("counts", "lists", "times", "proven"),
    [
        ([2, 2], ["ab"], 1, True),
        ([2, 3], ["ab"], 1, True),
        ([3, 3, 3, 3], ["ab", "abc"], 2, True),
        ([3, 3, 3, 3], ["ab", "ab"], 2, False),
        ([1, 1, 1, 1], ["ab", "ab"], 2, False),
    ],
)
def test_a_list_that_does_not_fit_the_counts_is_read_once_more_and_no_further(
    counts: list[int], lists: list[str], times: int, proven: bool
) -> None:
    told, given = iter(counts), iter(lists)
    reads = 0

    def once(_: int) -> tuple[list[str], Listing[str]]:
        nonlocal reads
        reads += 1
        one = listing(pages((next(given), None)))
        return [row for page in one for row in page], one

    rows, reading = counted(once, lambda: next(told))
    assert (reads, "".join(rows), reading.flaw() is None) == (times, lists[-1], proven)
