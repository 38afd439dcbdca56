"""Ports without a site behind them: the same laws as the real adapters, checked by tests/contract."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from msgspec.structs import replace

from cleanup_gitops.model.change import Change, NoticeSend
from cleanup_gitops.model.errors import LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.notices import Notice, Sent
from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Invitation, Invited, Receipt
from cleanup_gitops.model.user import Question, User
from tests import fake_rules

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still but for those who sleep; nobody really waits. Safe between threads."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = self._began = now
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now.replace(microsecond=0)

    def elapsed(self) -> float:
        return (self._now - self._began).total_seconds()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += timedelta(seconds=seconds)


class FakeProgress:
    """Remembers every step."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int | None]] = []

    def step(self, what: str, done: int, total: int | None) -> None:
        self.steps.append((what, done, total))


class FakeSite:
    """Reader and Writer over an inventory in memory; also a site's other administrators.

    With ``asked``, the same users with the answers to all questions, what must be asked is hidden from readings;
    without it the inventory tells everything at once. ``silent`` are questions that are not answered. ``broken`` are
    errors for the next calls, by method name (``read``, ``ask``, ``user``, ``write``, ...), one a call. ``late`` writes
    take no visible effect until ``settle``, those to a ``deaf`` site none at all; ``lost`` is raised for the next write
    after it was carried out. ``written`` lists the changes that reached the site, ``writes`` counts all writes,
    ``questions`` lists what was asked. Those ``elsewhere`` are active in another directory: readings show them as
    active, until somebody asks for their roles.
    """

    def __init__(self, inventory: Inventory, people: People = NOBODY, *, asked: Inventory | None = None) -> None:
        self._inventory = inventory
        self._people = people
        self._hides = asked is not None
        self._seen = {user.id: user.seen for user in inventory.users}
        self._users = dict((asked or inventory).user_by_id)
        self._groups = dict(inventory.group_by_id)
        self._addresses: dict[str, str] = {}
        self._waiting: list[Callable[[], None]] = []
        self.broken: dict[str, list[SiteError | None]] = {}
        self.silent: set[tuple[str, Question]] = set()
        self.questions: list[tuple[str, frozenset[Question]]] = []
        self.late = False
        self.deaf = False
        self.lost: SiteError | None = None
        self.written: list[Change] = []
        self.writes = 0
        self.elsewhere: set[str] = set()

    # -- Reader ----------------------------------------------------------------------------------

    def read(self) -> Live:
        self._fail("read")
        users = tuple(self._shown(self._users[one]) for one in sorted(self._users))
        groups = tuple(self._groups[one] for one in sorted(self._groups))
        return Live(replace(self._inventory, users=users, groups=groups), self._people)

    def ask(self, inventory: Inventory, questions: Mapping[str, frozenset[Question]]) -> Inventory:
        self._fail("ask")
        users = (self._answered(user, questions[user.id]) if user.id in questions else user for user in inventory.users)
        return replace(inventory, users=tuple(users))

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        self._fail("user")
        user = self._users.get(account)
        return None if user is None else self._answered(self._shown(user), questions)

    def find(self, email: str) -> tuple[str, ...]:
        self._fail("find")
        known = self._addresses | {(self._people.email(one) or one).casefold(): one for one in self._users}
        account = known.get(email.casefold())
        return (account,) if account in self._users else ()

    def group_modifiable(self, group: str) -> bool | None:
        known = self._groups.get(group)
        return known.modifiable if known else False

    def _shown(self, user: User) -> User:
        if user.id in self.elsewhere:
            user = replace(user, status="active", direct=None)
        if not self._hides:
            return user
        return replace(fake_rules.told(user, self._groups), seen=self._seen.get(user.id, user.seen))

    def _answered(self, user: User, questions: frozenset[Question]) -> User:
        truth = self._users.get(user.id)
        if questions:
            self.questions.append((user.id, questions))
        for question in sorted(questions):
            if truth is None or (user.id, question) in self.silent:
                user = fake_rules.unanswered(user, question)
            else:
                user = fake_rules.answered(user, truth, question)
                if question == "roles" and user.id in self.elsewhere:
                    user = replace(user, status=truth.status)
        return user

    # -- Writer ----------------------------------------------------------------------------------

    def write(self, change: Change) -> Receipt:
        self._fail("write")
        user = self._users.get(change.user)
        if user is None or change.directory != user.directory or isinstance(change, NoticeSend):
            raise RefusedError(f"The site does not know {change.user}, or sends no notices.")
        fake_rules.check(change, user, self._groups)
        self._check_seats(user, fake_rules.after(change, user, self._groups))
        self.written.append(change)
        self._do(lambda: self._take(change))
        return Receipt(method="FAKE", endpoint=f"/{change.action}", status=204)

    def invite(self, invitation: Invitation) -> Invited:
        self._fail("invite")
        account = self._account_of(invitation.email)
        user = self._users.get(account) or self._newcomer(account)
        before, refused = user, []
        for one in invitation.groups:
            group = self._groups.get(one)
            if group is None or group.modifiable is False:
                refused.append(f"group {one}: refused")
            else:
                user = fake_rules.joined(user, group, self._groups)
        if invitation.role is not None:
            user = fake_rules.given(user, invitation.role, self._groups)
        self._check_seats(before, user)
        self._addresses[invitation.email.casefold()] = account
        self._do(lambda: self._users.__setitem__(account, user))
        status = 206 if refused else 200
        receipt = Receipt(method="FAKE", endpoint="/invite", status=status)
        return Invited(receipt=receipt, account=account, refused=tuple(refused))

    def create_group(self, name: str) -> Receipt:
        self._fail("create_group")
        if any(group.name.casefold() == name.casefold() for group in self._groups.values()):
            raise RefusedError("A group of this name exists.")
        group = Group(
            id=f"00000000-0000-0000-0000-{len(self._groups):012}",
            name=name,
            directory=self._inventory.directories[0].id,
            modifiable=True,
            synced=False,
            license="none",
            admin=False,
            grants=(),
        )
        self._do(lambda: self._groups.__setitem__(group.id, group))
        return Receipt(method="FAKE", endpoint="/create_group", status=201)

    def delete_group(self, group: str) -> Receipt:
        self._fail("delete_group")
        known = self._groups.get(group)
        if known is None:
            raise RefusedError(f"The site does not know the group {group}.")
        if known.modifiable is False or known.admin:
            raise RefusedError(f"The group {group} cannot be deleted here.")
        self._do(lambda: self._dissolve(group))
        return Receipt(method="FAKE", endpoint="/delete_group", status=204)

    # -- what else happens -------------------------------------------------------------------------

    def settle(self) -> None:
        """Let late writes show."""
        for effect in self._waiting:
            effect()
        self._waiting.clear()

    def happens(self, account: str, **facts: Any) -> None:  # noqa: ANN401 - any field of a user
        """Somebody else changes a user."""
        self._users[account] = replace(self._users[account], **facts)
        if "seen" in facts:
            self._seen[account] = facts["seen"]

    def group_becomes(self, group: str, **facts: Any) -> None:  # noqa: ANN401 - any field of a group
        """Somebody else changes a group."""
        self._groups[group] = replace(self._groups[group], **facts)

    def group_begins(self, group: Group) -> None:
        """Somebody else makes a group."""
        self._groups[group.id] = group

    def leaves(self, account: str) -> None:
        """The account is gone."""
        del self._users[account]

    def people_become(self, people: People) -> None:
        """The site shows other names and addresses."""
        self._people = people

    def sells(self, seats: int | None) -> None:
        """The site has so many seats from now on; ``None``: it does not say."""
        self._inventory = replace(self._inventory, seat_limit=seats)

    # -- how -----------------------------------------------------------------------------------------

    def _fail(self, method: str) -> None:
        waiting = self.broken.get(method)
        error = waiting.pop(0) if waiting else None
        if error:
            raise error

    def _do(self, effect: Callable[[], None]) -> None:
        self.writes += 1
        if self.late:
            self._waiting.append(effect)
        elif not self.deaf:
            effect()
        lost, self.lost = self.lost, None
        if lost:
            raise lost

    def _take(self, change: Change) -> None:
        user = fake_rules.after(change, self._users[change.user], self._groups)
        if user is None:
            del self._users[change.user]
        else:
            self._users[change.user] = user

    def _dissolve(self, group: str) -> None:
        for account, user in self._users.items():
            if group in (user.groups or ()):
                self._users[account] = fake_rules.parted(user, group, self._groups)
        del self._groups[group]

    def _check_seats(self, before: User, now: User | None) -> None:
        limit = self._inventory.seat_limit
        if limit is None or now is None or not now.billed or before.billed:
            return
        if sum(1 for user in self._users.values() if user.billed is not False) >= limit:
            raise RefusedError("No seat is left.")

    def _account_of(self, email: str) -> str:
        known = self._addresses | {
            (self._people.email(account) or account).casefold(): account for account in self._users
        }
        return known.get(email.casefold(), f"712020:invited-{len(self._addresses)}")

    def _newcomer(self, account: str) -> User:
        return User(
            id=account,
            directory=self._inventory.directories[0].id,
            status="active",
            kind="person",
            license="none",
            writable=True,
            admin=False,
            added=self._inventory.as_of,
            groups=(),
            seats=(),
            accepted=False,
        )


class FakeNotifier:
    """A Notifier without a relay behind it: it remembers whom it told what, and never the address.

    ``broken`` are errors for the next calls, by method name, one a call; ``lost`` is raised for the next notice after
    it was taken.
    """

    def __init__(self, *, silent: bool = False, templates: Mapping[str, str] = MappingProxyType({})) -> None:
        self.sent: list[tuple[Notice, str]] = []
        self.checks = 0
        self.broken: dict[str, list[SiteError | None]] = {}
        self.lost: LostAnswerError | None = None
        self._silent = silent
        self._templates = dict(templates)

    def check(self) -> None:
        self.checks += 1
        self._fail("check")

    def send(self, notice: Notice, person: Person | None) -> Sent:
        self._fail("send")
        if not self._silent and (person is None or not person.email):
            raise RefusedError(f"{notice.user} shows no e-mail address.")
        told = hashlib.sha256(f"{notice.site}\n{notice.address}".encode()).hexdigest()[:32]
        message_id = f"<{told}@fake.example>"
        self.sent.append((notice, message_id))
        lost, self.lost = self.lost, None
        if lost:
            raise lost
        how: Literal["relay", "silent"] = "silent" if self._silent else "relay"
        return Sent(message_id=message_id, how=how, answer="" if self._silent else "250")

    def template_digest(self, template: str) -> str:
        if template not in self._templates:
            raise RefusedError(f"There is no template {template}.")
        return self._templates[template]

    def _fail(self, method: str) -> None:
        waiting = self.broken.get(method)
        error = waiting.pop(0) if waiting else None
        if error:
            raise error
