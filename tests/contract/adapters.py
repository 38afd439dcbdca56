"""One implementation of both ports at a time, and what a site's other administrators can do to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import httpx

from cleanup_gitops.model.errors import LostAnswerError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Reader, Writer
from cleanup_gitops.model.user import QUESTIONS, Question, User
from cleanup_gitops.sandbox.server import RunningSandbox
from cleanup_gitops.sites.cloud import CloudSite
from tests.fakes import FakeSite
from tests.patience import STALLED
from tests.sites.box import disturb, requests

WRITTEN = r"/(suspend|restore|memberships|revoke|invite)$|/lifecycle/|/memberships/|/manage/api-tokens/"
"""Paths of most writes, and of no reading."""
SEARCHES = ("/search", "/workspaces")
"""Ends of the paths of readings that the API makes POST."""
FEW_READS = 6
"""Readings after which a change shows that shows late by itself."""


class Adapter(ABC):
    """A Reader and a Writer of one site, and the site as it was read first, without and with all answers."""

    def __init__(self, reader: Reader, writer: Writer, inventory: Inventory, asked: Inventory) -> None:
        self.reader = reader
        self.writer = writer
        self.inventory = inventory
        self.asked = asked

    def everybody(self) -> Inventory:
        """The whole site now, with all answers."""
        inventory = self.reader.read().inventory
        return self.reader.ask(inventory, dict.fromkeys(inventory.user_by_id, QUESTIONS))

    def find(self, fits: Callable[[User], object]) -> User:
        """Somebody who fits now as at first, with all answers."""
        once = (user for user in self.asked.users if fits(user))
        return next(user for one in once if (user := self.reader.user(one.id, QUESTIONS)) and fits(user))

    def now(self, user: User) -> User:
        """The user now, with all answers."""
        found = self.reader.user(user.id, QUESTIONS)
        assert found is not None
        return found

    def shows(self, look: Callable[[], bool]) -> bool:
        """Whether something comes to show within a few readings."""
        return any(look() for _ in range(FEW_READS))

    @abstractmethod
    def be_late(self) -> None:
        """Writes show no effect until `settle`."""

    @abstractmethod
    def settle(self) -> None:
        """Everything shows, and from now on at once."""

    @abstractmethod
    def be_deaf(self) -> None:
        """Writes are accepted and change nothing, until `settle`."""

    @abstractmethod
    def lose_the_next_answer(self) -> None:
        """The next write is carried out, and its answer lost."""

    @abstractmethod
    def silence(self, account: str, question: Question) -> None:
        """A question about one account is refused until `settle`."""

    @abstractmethod
    def sell(self, free: int | None) -> None:
        """So many seats are free; ``None``: as many as anybody wants."""

    @abstractmethod
    def writes(self) -> int:
        """How many writes reached the site."""


class Cloud(Adapter):
    """Confluence Cloud over HTTP."""

    def __init__(self, box: RunningSandbox, site: CloudSite) -> None:
        inventory = site.reader.read().inventory
        asked = site.reader.ask(inventory, dict.fromkeys(inventory.user_by_id, QUESTIONS))
        super().__init__(site.reader, site.writer, inventory, asked)
        self.box = box

    def be_late(self) -> None:
        disturb(self.box, {"kind": "late", "reads": 10_000})

    def settle(self) -> None:
        httpx.delete(f"{self.box.url}/_sandbox/faults", verify=False, timeout=STALLED).raise_for_status()
        self.box.state.settle_all()

    def be_deaf(self) -> None:
        disturb(self.box, {"kind": "no_effect"})

    def lose_the_next_answer(self) -> None:
        fault: dict[str, Any] = {"kind": "reset", "carry_out": True}
        disturb(self.box, fault | {"match": {"path_regex": WRITTEN, "times": 1}})

    def silence(self, account: str, question: Question) -> None:
        path = {
            "roles": f"users/{account}/role-assignments$",
            "lifecycle": f"users/{account}/manage$",
            "tokens": f"users/{account}/manage/api-tokens$",
            "content": "/wiki/rest/api/search$",
            "products": f"users/{account}/last-active-dates$",
        }[question]
        disturb(self.box, {"kind": "status", "status": 400, "match": {"path_regex": path}})

    def sell(self, free: int | None) -> None:
        self.box.world.options.restore_checks_seats = True
        used = self.box.state.seats("confluence")
        next(one for one in self.box.world.resources if one.name == "confluence").capacity = (
            None if free is None else used + free
        )

    def writes(self) -> int:
        return sum(
            1
            for one in requests(self.box)
            if one["method"] == "DELETE" or (one["method"] == "POST" and not one["path"].endswith(SEARCHES))
        )


class Fake(Adapter):
    """The fake that other tests use, holding what the Cloud site told."""

    def __init__(self, cloud: Cloud) -> None:
        site = FakeSite(cloud.inventory, asked=cloud.asked)
        super().__init__(site, site, cloud.inventory, cloud.asked)
        self.site = site

    def be_late(self) -> None:
        self.site.late = True

    def settle(self) -> None:
        self.site.late = self.site.deaf = False
        self.site.settle()
        self.site.silent.clear()

    def be_deaf(self) -> None:
        self.site.deaf = True

    def lose_the_next_answer(self) -> None:
        self.site.lost = LostAnswerError("The answer was lost.")

    def silence(self, account: str, question: Question) -> None:
        self.site.silent.add((account, question))

    def sell(self, free: int | None) -> None:
        self.site.sells(None if free is None else self.site.read().inventory.seats_used + free)

    def writes(self) -> int:
        return self.site.writes
