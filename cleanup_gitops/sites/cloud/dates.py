"""last-active-dates: asked one user at a time, for those of whom the listing said nothing (200 a minute)."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future

import msgspec

from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.inventory import TRY_AGAIN
from cleanup_gitops.model.user import User
from cleanup_gitops.sites.cloud.activity import Sightings, moment, never
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.later import age_known, with_dates, without_dates
from cleanup_gitops.sites.cloud.wire import LastActiveDates, LastActivePage
from cleanup_gitops.sites.http import StatusError

_DATES = msgspec.json.Decoder(LastActivePage)
MOST_PAGES = 50
"""Products of one user come on one page; so many pages mean that the list has no end."""


def ask_dates(client: Client, users: Iterable[User], sightings: Sightings) -> dict[str, User]:
    """These users, by id, with what last-active-dates says of them."""
    asked = list(users)
    found: dict[str, User] = {}
    with client.workers("asking last-active dates", len(asked)) as workers:
        waiting: list[tuple[User, Future[User]]] = [
            (user, workers.submit(ask_one, client, user, sightings)) for user in asked
        ]
        for user, answer in waiting:
            try:
                found[user.id] = answer.result()
            except CredentialError:
                raise
            except SiteError as error:
                raise IncompleteReadingError(
                    f"The last activity of {user.id} could not be read: {error.message}", TRY_AGAIN
                ) from None
    return found


def ask_one(client: Client, user: User, sightings: Sightings) -> User:
    """The user with what last-active-dates says; unknown when the organization does not know the account."""
    try:
        return with_told(user, told(client, user.id), sightings)
    except StatusError as error:
        if error.status != 404:
            raise
        return without_dates(user)


def with_told(user: User, dates: LastActiveDates, sightings: Sightings) -> User:
    """The user with this answer."""
    added = user.added or moment(dates.added_to_org_timestamp) or moment(dates.added_to_org)
    activities = sightings.of_dates(dates.product_access)
    return age_known(with_dates(user, activities, never(added)), added)


def told(client: Client, account: str) -> LastActiveDates:
    """What last-active-dates says of an account: every product that it ever used."""
    page = client.admin.read(client.place.last_active_dates(account), _DATES)
    whole, asked = page.data, set[str]()
    while cursor := page.links.next if page.links else None:
        if cursor in asked or len(asked) >= MOST_PAGES:
            raise SiteError(f"The products of {account} go round in circles (last-active-dates).")
        asked.add(cursor)
        page = client.admin.read(client.place.last_active_dates(account, cursor), _DATES)
        whole.product_access.extend(page.data.product_access)
    return whole
