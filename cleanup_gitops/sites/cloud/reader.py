"""Reads a Confluence Cloud site: groups and what they give, users with their facts, and the proof that it is all.

The order: groups and what is around them; then the list of users beside the lists of role holders; then the few things
that these lists leave open, one user at a time; then other sources of activity. ``user`` asks the same questions about
one account and gives the same facts.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, RefusedError, SiteError
from cleanup_gitops.model.group import Directory
from cleanup_gitops.model.inventory import TRY_AGAIN, Inventory, Proof, Reading
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.policy.site import Site
from cleanup_gitops.sites.cloud.activity import Sightings
from cleanup_gitops.sites.cloud.around import Around, read_around
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.dates import ask_dates, ask_one
from cleanup_gitops.sites.cloud.direct import Holders, holder, read_holders, settle
from cleanup_gitops.sites.cloud.endpoints import Filters
from cleanup_gitops.sites.cloud.facts import Translator
from cleanup_gitops.sites.cloud.grants import find_group, modifiable
from cleanup_gitops.sites.cloud.later import administering, must_be_asked
from cleanup_gitops.sites.cloud.parts import Asked, read_list
from cleanup_gitops.sites.cloud.preflight import Ground
from cleanup_gitops.sites.cloud.questions import Questions, about_one
from cleanup_gitops.sites.cloud.sources import Sources
from cleanup_gitops.sites.cloud.wire import IdRow, Page, UserRow
from cleanup_gitops.sites.http import StatusError
from cleanup_gitops.sites.secret import Secret

_USERS = msgspec.json.Decoder(Page[UserRow])
_IDS = msgspec.json.Decoder(Page[IdRow])
Everybody = tuple[dict[str, User], dict[str, Person]]


class CloudReader:
    """The Reader port for Confluence Cloud. Raises what the port says; reading changes nothing.

    All but `read` may be called by many threads at once, `read` by one. What they share is replaced as a whole
    (``_around``), has its own lock (``_sources``, the HTTP clients), or is never changed.
    """

    def __init__(self, site: Site, ground: Ground, client: Client, sources: Sources, key: Secret) -> None:
        """``key`` is the one under which addresses become pseudonyms."""
        self._key = key
        self._site = site
        self._ground = ground
        self._client = client
        self._sources = sources
        self._quiet = dataclasses.replace(client, progress=None)
        self._around: Around | None = None
        self._reading_around = threading.Lock()

    def read(self) -> Live:
        """The whole directory with its proof. Names and addresses are in ``people`` only."""
        self._sources.read_list(self._client.clock.now())
        with self._whole("The reading"):
            return self._read()

    def _read(self) -> Live:
        self._client.resume_waiting()
        as_of = self._client.clock.now()
        self._client.step("reading groups", 0, None)
        around = self._around = read_around(self._client, self._ground.ari, self._site.url)
        translator = self._translator(around, as_of)
        with collector_paused():
            users, people, reading, holders = self._everybody(translator, around)
            self._complete(users, holders, translator, self._client)
            lately = translator.sightings.lately
            asked = [user for user in users.values() if must_be_asked(user, lately)]
            users.update(ask_dates(self._client, asked, translator.sightings))
            sources = self._sources.read(self._client)
            known = self._sources.applied(users.values())
            inventory = Inventory(
                site=self._site.name,
                hosting="cloud",
                as_of=as_of,
                users=tuple(sorted(known, key=lambda user: user.id)),
                groups=tuple(around.groups.by_id.values()),
                directories=(Directory(id=self._ground.directory, name=self._ground.directory_name),),
                proof=Proof(readings=(reading, *around.groups.readings, *holders.readings, *sources)),
                runner=tuple(dict.fromkeys((self._ground.account, *sorted(self._site.runner_accounts)))),
                seat_limit=around.seat_limit,
                claimed_domains=around.domains,
            )
        self._sources.tell_strangers(self._client, inventory.user_by_id)
        return Live(inventory, People(people, self._key.reveal().strip().encode()))

    def ask(self, inventory: Inventory, questions: Mapping[str, frozenset[Question]]) -> Inventory:
        """The inventory with answers; accounts that are not in it are left out."""
        users = inventory.user_by_id
        wanted = {account: (users[account], what) for account, what in questions.items() if what and account in users}
        if not wanted:
            return inventory
        with self._whole("Asking about candidates"):
            around = self._around or self._read_around(None)
            translator = self._translator(around, inventory.as_of)
            found = self._questions(self._client, translator).ask_all(wanted)
        return replace(inventory, users=tuple(found.get(user.id, user) for user in inventory.users))

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        """One account of the directory now, with the same facts as in `read` and the answers to ``questions``.

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
        translator = self._translator(self._known_around(row), client.clock.now())
        users = {account: translator.user(row)}
        with _about(account):
            holders = holder(client, self._ground.ari, account)
            self._complete(users, holders, translator, client)
            user = users[account]
            if must_be_asked(user, translator.sightings.lately):
                user = ask_one(client, user, translator.sightings)
        self._sources.renew(client)
        (user,) = self._sources.applied([user])
        return self._questions(client, translator).ask(user, questions)

    def find(self, email: str) -> tuple[str, ...]:
        """Accounts of the directory with this address, which need not show it. No error holds the address."""
        page = self._quiet.admin.read(self._quiet.place.search_users(filters={"emails": [email]}), _IDS)
        return tuple(sorted({row.account_id for row in page.data}))

    def group_modifiable(self, group: str) -> bool | None:
        """Whether memberships can be changed here now; False also for a group that is gone."""
        row = find_group(self._client, group)
        return False if row is None else modifiable(row)

    @contextmanager
    def _whole(self, what: str) -> Iterator[None]:
        """Whatever breaks off here leaves no whole inventory."""
        try:
            yield
        except (CredentialError, IncompleteReadingError):
            raise
        except SiteError as error:
            raise IncompleteReadingError(f"{what} of {self._site.name} broke off: {error.message}", TRY_AGAIN) from None

    def _known_around(self, row: UserRow) -> Around:
        """The groups as read last, read again when the user is in one that is not among them."""
        around = self._around
        if around is None or self._translator(around, self._client.clock.now()).unknown_groups(row):
            around = self._read_around(around)
        return around

    def _read_around(self, outdated: Around | None) -> Around:
        """The groups, read anew unless another thread has done so while this one waited for its turn."""
        with self._reading_around:
            if self._around is None or self._around is outdated:
                self._around = read_around(self._quiet, self._ground.ari, self._site.url)
            return self._around

    def _translator(self, around: Around, now: datetime) -> Translator:
        return Translator(
            directory=self._ground.directory,
            groups=around.groups.by_id,
            sightings=Sightings(self._ground.ari, now),
            service_accounts=self._site.service_accounts,
            internal_domains=self._site.internal_domains,
            claimed_domains=around.domains,
            suspend_synced=self._site.synced_users == "suspend",
        )

    def _questions(self, client: Client, translator: Translator) -> Questions:
        content = "content" in self._site.sources
        return Questions(client, self._ground.ari, translator.belongings, translator.sightings, content)

    def _everybody(
        self, translator: Translator, around: Around
    ) -> tuple[dict[str, User], dict[str, Person], Reading, Holders]:
        """All users, read beside the holders of roles."""
        domains = around.domains or ()

        def begin(expected: int) -> tuple[Everybody, Callable[[list[UserRow]], None]]:
            users: dict[str, User] = {}
            people: dict[str, Person] = {}

            def take(rows: list[UserRow]) -> None:
                for row in rows:
                    users[row.account_id] = translator.user(row)
                    people[row.account_id] = translator.person(row)
                self._client.step("reading users", len(users), expected)

            return (users, people), take

        with ThreadPoolExecutor(1, thread_name_prefix="cleanup-gitops") as aside:
            holders = aside.submit(read_holders, self._client, self._ground.ari, domains)
            try:
                asked = Asked("users", {}, self._page, lambda row: row.account_id)
                (users, people), reading = read_list(self._client, asked, domains, begin)
            except KeyboardInterrupt:
                self._client.give_up()
                raise
            return users, people, reading, holders.result()

    def _page(self, filters: Filters, cursor: str | None) -> Page[UserRow]:
        return self._client.admin.read(self._client.place.search_users(cursor, expand=True, filters=filters), _USERS)

    def _complete(self, users: dict[str, User], holders: Holders, translator: Translator, client: Client) -> None:
        """Add what the list leaves open: administrators and licenses by roles given directly."""
        for account in holders.admins & users.keys():
            users[account] = administering(users[account])
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
        if not about_one(error):
            raise
        raise RefusedError(f"The site refused to tell of {account} ({error.status}, {error.endpoint}).") from None
