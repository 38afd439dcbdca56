"""Questions that cost one call for each account, asked about candidates of a plan only.

What was not answered about an account stays unknown: a refusal that is about this account, or an answer that leaves out
what was asked. A failing site or credential is an error as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from cleanup_gitops.model.activity import IN_FUTURE, Activity, Seen, seen_at
from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.inventory import TRY_AGAIN
from cleanup_gitops.model.user import Lifecycle, Question, RoleSeat, User
from cleanup_gitops.sites.cloud.activity import NOT_ANSWERED, UNREADABLE, Sightings, moment, with_sighting
from cleanup_gitops.sites.cloud.belonging import Belonging, Belongings
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.dates import told, with_told
from cleanup_gitops.sites.cloud.endpoints import api_tokens, contributions, manageable
from cleanup_gitops.sites.cloud.grants import bare_role, license_of
from cleanup_gitops.sites.cloud.later import settled, with_roles
from cleanup_gitops.sites.cloud.paging import Listing
from cleanup_gitops.sites.cloud.wire import Found, FoundPage, Manageable, Page, Rule, TokenRow, UserRolesRow
from cleanup_gitops.sites.http import StatusError

_ROLES = msgspec.json.Decoder(Page[UserRolesRow])
_MANAGEABLE = msgspec.json.Decoder(Manageable)
_TOKENS = msgspec.json.Decoder(list[TokenRow])
_FOUND = msgspec.json.Decoder(FoundPage)
T = TypeVar("T")
OF_THE_SITE = frozenset({401, 408, 429})
"""Statuses of 4xx that are not about what was asked."""
REFUSED = "refused"
"""Why something may not be done to an account when the site gives no reason, or a text that may hold a name."""
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}", re.ASCII)


def about_one(error: StatusError) -> bool:
    """Whether a refusal is about what was asked, and not about the site or the credential."""
    return 400 <= error.status < 500 and error.status not in OF_THE_SITE


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks about accounts of one site. ``content``: whether the site is set up to look for authorship."""

    client: Client
    ari: str
    belongings: Belongings
    sightings: Sightings
    content: bool

    def ask_all(self, wanted: Mapping[str, tuple[User, frozenset[Question]]]) -> dict[str, User]:
        """These users with their answers, by id. Raises `IncompleteReadingError` when the site fails."""
        found: dict[str, User] = {}
        with self.client.workers("asking about candidates", len(wanted)) as workers:
            waiting: list[tuple[str, Future[User]]] = [
                (account, workers.submit(self.ask, user, questions)) for account, (user, questions) in wanted.items()
            ]
            for account, answer in waiting:
                try:
                    found[account] = answer.result()
                except (CredentialError, IncompleteReadingError):
                    raise
                except SiteError as error:
                    raise IncompleteReadingError(
                        f"Questions about {account} failed: {error.message}", TRY_AGAIN
                    ) from None
        return found

    def ask(self, user: User, questions: frozenset[Question]) -> User:
        """The user with the answers to these questions."""
        if "roles" in questions:
            user = self._roles(user)
        if "lifecycle" in questions and user.managed is not False:
            user = replace(user, lifecycle=_answer(lambda: self._lifecycle(user.id)))
        if "tokens" in questions and user.managed is not False:
            user = replace(user, tokens=_answer(lambda: self._tokens(user.id)))
        if "products" in questions:
            user = self._products(user)
        if "content" in questions and self.content:
            user = settled(replace(user, seen=self._seen(user)))
        return user

    def _roles(self, user: User) -> User:
        rows = _answer(lambda: self._rows(user.id))
        if rows is None:
            return replace(user, direct=None)
        user = _here(user, rows)
        direct = _direct(rows)
        belonging = None if user.groups is None else self.belongings.of(user.groups)
        if direct is None or _left_out(user, direct, rows, belonging):
            return replace(user, direct=None)
        return with_roles(user, direct, belonging)

    def _rows(self, account: str) -> list[UserRolesRow]:
        place, client = self.client.place, self.client.admin
        listing = Listing(
            "roles of a user",
            place.user_roles(account, self.ari).endpoint,
            lambda cursor: client.read(place.user_roles(account, self.ari, cursor), _ROLES),
            lambda row: f"{row.resource_id} {row.directory_id}",
        )
        return [row for page in listing for row in page if row.resource_id == self.ari]

    def _lifecycle(self, account: str) -> Lifecycle:
        answer = self.client.admin.read(manageable(account), _MANAGEABLE)
        return Lifecycle(_reason(answer.enablement), _reason(answer.deletion))

    def _tokens(self, account: str) -> tuple[str, ...]:
        return tuple(sorted({row.id for row in self.client.admin.read(api_tokens(account), _TOKENS)}))

    def _products(self, user: User) -> User:
        """The user with every other product that was ever used, whatever the list of users left out."""
        dates = _answer(lambda: told(self.client, user.id))
        return replace(user, elsewhere=None if dates is None else with_told(user, dates, self.sightings).elsewhere)

    def _seen(self, user: User) -> Activity:
        """The activity with what authorship adds: it only ever makes somebody more active."""
        page = _answer(lambda: self.client.confluence.read(contributions(user.id), _FOUND))
        if page is None:
            return NOT_ANSWERED
        return with_sighting(user.seen, self._contributed(user, page.results[0])) if page.results else user.seen

    def _contributed(self, user: User, content: Found) -> Activity:
        """What the newest content tells to which the user contributed.

        When somebody else changed it last, the user did so at some time between what is known already and then.
        """
        at = moment(content.last_modified)
        if at is None:
            return UNREADABLE
        if self.sightings.in_future(at):
            return IN_FUTURE
        if content.changed_by == user.id:
            return seen_at(at, "content")
        since = user.seen.earliest if isinstance(user.seen, Seen) else user.added
        return Seen(min(since or at, at), at, "content")


def _answer(ask: Callable[[], T]) -> T | None:
    """What is told; ``None`` when the site refuses to tell of this account."""
    try:
        return ask()
    except StatusError as error:
        if not about_one(error):
            raise
        return None


def _direct(rows: list[UserRolesRow]) -> tuple[str, ...] | None:
    """Bare names of roles held directly; ``None`` when it is not told how one is held."""
    found: set[str] = set()
    for row in rows:
        if row.role_assignments is None:
            return None
        for given in row.role_assignments:
            if given.role_assignment_methods is None:
                return None
            if "direct" in given.role_assignment_methods:
                found.add(bare_role(given.role))
    return tuple(sorted(found))


def _left_out(user: User, direct: tuple[str, ...], rows: list[UserRolesRow], belonging: Belonging | None) -> bool:
    """Whether the answer lacks a role that the user holds by the lists: then it is not whole, and proves nothing."""
    if any(isinstance(path, RoleSeat) for path in user.seats or ()):
        return license_of(direct) == "none"
    if belonging is None:
        return False
    if user.seats is None and belonging.seats is not None:
        return not direct
    holds = bool(belonging.known_seats) and user.status == "active"
    return holds and not any(row.role_assignments for row in rows)


def _here(user: User, rows: list[UserRolesRow]) -> User:
    """The user with the status in this very directory: lists show whoever is active in any directory as active.

    What snapshots of those lists tell is then about another status.
    """
    told = {row.user_directory_status for row in rows if row.directory_id == user.directory}
    if told != {"suspended"} or user.status != "active":
        return user
    return replace(user, status="suspended", status_by=None, status_after=None)


def _reason(rule: Rule | None) -> str | None:
    """Empty when it is allowed, else why not; ``None`` when it was not told."""
    if rule is None or rule.allowed:
        return None if rule is None else ""
    key = rule.reason.key if rule.reason else ""
    return key if _KEY.fullmatch(key) else REFUSED
