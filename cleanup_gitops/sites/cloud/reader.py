"""Reads a Confluence Cloud site: groups and what they give, users with their facts, and the proof that it is all.

The order: groups; then the list of users beside the lists of role holders; then the few things that these lists leave
open, one user at a time. ``user`` asks the same questions about one account and gives the same facts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, RefusedError, SiteError
from cleanup_gitops.model.group import Directory
from cleanup_gitops.model.inventory import Inventory, Proof, Reading
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.documents import Site
from cleanup_gitops.sites.cloud.activity import Sightings
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.dates import ask_dates, ask_one
from cleanup_gitops.sites.cloud.direct import COUNT, Holders, holder, read_holders, settle
from cleanup_gitops.sites.cloud.endpoints import USERS_SEARCH
from cleanup_gitops.sites.cloud.facts import Translator, must_be_asked
from cleanup_gitops.sites.cloud.grants import Groups, find_group, modifiable, read_groups
from cleanup_gitops.sites.cloud.paging import HINT, Listing, counted
from cleanup_gitops.sites.cloud.preflight import Ground
from cleanup_gitops.sites.cloud.wire import Page, UserRow
from cleanup_gitops.sites.http import StatusError

_USERS = msgspec.json.Decoder(Page[UserRow])
OF_THE_SITE = frozenset({401, 408, 429})
"""Statuses of 4xx that are not about what was asked."""


class CloudReader:
    """The Reader port for Confluence Cloud. Raises what the port says; reading changes nothing."""

    def __init__(self, site: Site, ground: Ground, client: Client) -> None:
        self._site = site
        self._ground = ground
        self._client = client
        self._quiet = dataclasses.replace(client, progress=None)
        self._groups: Groups | None = None

    def read(self) -> Live:
        """The whole directory with its proof. Names and addresses are in ``people`` only."""
        try:
            return self._read()
        except (CredentialError, IncompleteReadingError):
            raise
        except SiteError as error:
            raise IncompleteReadingError(f"The reading of {self._site.name} broke off: {error.message}", HINT) from None

    def _read(self) -> Live:
        self._client.admin.resume_waiting()
        as_of = self._client.clock.now()
        self._client.step("reading groups", 0, None)
        groups = self._groups = read_groups(self._client, self._ground.ari)
        translator = self._translator(groups, as_of)
        with collector_paused():
            users, people, reading, holders = self._everybody(translator)
            self._complete(users, holders, translator, self._client)
            lately = translator.sightings.lately
            asked = [user for user in users.values() if must_be_asked(user, lately)]
            users.update(ask_dates(self._client, asked, translator.sightings))
            inventory = Inventory(
                site=self._site.name,
                hosting="cloud",
                as_of=as_of,
                users=tuple(users[account] for account in sorted(users)),
                groups=tuple(groups.by_id.values()),
                directories=(Directory(id=self._ground.directory, name=self._ground.directory_name),),
                proof=Proof(readings=(reading, *groups.readings, *holders.readings)),
                runner=tuple(dict.fromkeys((self._ground.account, *sorted(self._site.runner_accounts)))),
            )
        return Live(inventory, People(people))

    def user(self, account: str) -> User | None:
        """One account of the directory now, with the same facts as in `read`.

        Raises `RefusedError` when the site answers about other accounts, but not about this one.
        """
        client = self._quiet
        with _about(account):
            page = client.admin.read(client.place.search_users(expand=True, filters={"accountIds": [account]}), _USERS)
        if not page.data:
            return None
        row = page.data[0]
        if len(page.data) > 1 or row.account_id != account:
            raise SiteError(f"The site answered with other accounts when asked for {account}.")
        translator = self._translator(self._known_groups(row), client.clock.now())
        users = {account: translator.user(row)}
        with _about(account):
            holders = holder(client, self._ground.ari, account)
            self._complete(users, holders, translator, client)
            user = users[account]
            if must_be_asked(user, translator.sightings.lately):
                return ask_one(client, user, translator.sightings)
        return user

    def group_modifiable(self, group: str) -> bool | None:
        """Whether memberships can be changed here now; False also for a group that is gone."""
        row = find_group(self._client, group)
        return False if row is None else modifiable(row)

    def _known_groups(self, row: UserRow) -> Groups:
        """The groups as read last, read again when the user is in one that is not among them."""
        groups = self._groups
        if groups is None or self._translator(groups, self._client.clock.now()).unknown_groups(row):
            groups = self._groups = read_groups(self._quiet, self._ground.ari)
        return groups

    def _translator(self, groups: Groups, now: datetime) -> Translator:
        return Translator(
            directory=self._ground.directory,
            groups=groups.by_id,
            sightings=Sightings(self._ground.ari, now),
            service_accounts=self._site.service_accounts,
            internal_domains=self._site.internal_domains,
        )

    def _everybody(self, translator: Translator) -> tuple[dict[str, User], dict[str, Person], Reading, Holders]:
        """All users, read beside the holders of roles."""
        with ThreadPoolExecutor(1, thread_name_prefix="cleanup-gitops") as aside:
            holders = aside.submit(read_holders, self._client, self._ground.ari)
            try:
                (users, people), reading = counted(lambda before: self._list(translator, before), self._count)
            except KeyboardInterrupt:
                self._client.admin.give_up()
                raise
            return users, people, reading, holders.result()

    def _list(
        self, translator: Translator, expected: int
    ) -> tuple[tuple[dict[str, User], dict[str, Person]], Listing[UserRow]]:
        """The list of users, translated while the next page is on its way."""
        users: dict[str, User] = {}
        people: dict[str, Person] = {}
        with ThreadPoolExecutor(1, thread_name_prefix="cleanup-gitops") as ahead:
            listing = Listing("users", USERS_SEARCH, self._page, lambda row: row.account_id, ahead)
            try:
                for page in listing:
                    for row in page:
                        users[row.account_id] = translator.user(row)
                        people[row.account_id] = translator.person(row)
                    self._client.step("reading users", listing.items, expected)
            except KeyboardInterrupt:
                self._client.admin.give_up()
                raise
        return (users, people), listing

    def _page(self, cursor: str | None) -> Page[UserRow]:
        return self._client.admin.read(self._client.place.search_users(cursor, expand=True), _USERS)

    def _count(self) -> int:
        return self._client.admin.read(self._client.place.count_users(), COUNT).count

    def _complete(self, users: dict[str, User], holders: Holders, translator: Translator, client: Client) -> None:
        """Add what the list leaves open: administrators and licenses by roles given directly."""
        for account in holders.admins & users.keys():
            if not users[account].admin:
                users[account] = replace(users[account], admin=True)
        direct = [
            users[account]
            for account in sorted(holders.any & users.keys())
            if users[account].groups is not None and not translator.has_role_through_group(users[account])
        ]
        users.update(settle(client, self._ground.ari, direct, holders.admins))


@contextmanager
def _about(account: str) -> Iterator[None]:
    """A question that is refused for this account alone is no failure of the site."""
    try:
        yield
    except StatusError as error:
        if not 400 <= error.status < 500 or error.status in OF_THE_SITE:
            raise
        raise RefusedError(f"The site refused to tell of {account} ({error.status}, {error.endpoint}).") from None
