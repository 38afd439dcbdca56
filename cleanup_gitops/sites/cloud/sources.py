"""Further sources of activity beside the directory, as the Site document names them: the audit log and a CSV list.

Authorship is not among them, because it costs one call a user (`questions`). The newest sighting of all sources counts.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from cleanup_gitops.model.inventory import Reading
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.site import ActivityCsv, Site
from cleanup_gitops.sites.cloud.activity import with_sighting
from cleanup_gitops.sites.cloud.audit import Trail
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.later import settled
from cleanup_gitops.sites.csv_activity import Listed, read_sightings


class Sources:
    """What other sources say; read with the site, and kept for questions about one account.

    ``file`` is where the list lies, ``None`` without one. Safe between threads: one reads at a time, and who looks
    something up meanwhile sees what was known before or what is new.
    """

    def __init__(self, site: Site, file: Path | None) -> None:
        self._trail = Trail() if "audit" in site.sources else None
        self._csv: ActivityCsv | None = site.csv if "csv" in site.sources else None
        self._file = file
        self._listed: Listed | None = None
        self._lock = threading.Lock()
        self._begun = 0
        self._ended = 0

    def read_list(self, now: datetime) -> None:
        """Read the CSV list. Raises `SiteError` naming the line."""
        if self._csv and self._file:
            self._listed = read_sightings(self._file, account=self._csv.account, seen=self._csv.seen, now=now)

    def read(self, client: Client) -> tuple[Reading, ...]:
        """Read what is on the site, and how that was done."""
        readings: list[Reading] = []
        if self._listed is not None:
            readings.append(
                Reading(what="rows of the activity list", endpoint="csv", pages=1, items=self._listed.rows, ended=True)
            )
        if self._trail:
            with self._lock:
                self._trail.follow(client)
                readings.append(self._trail.reading())
        return tuple(readings)

    def renew(self, client: Client) -> None:
        """What is new since the last reading; the list is read only once.

        A thread that waited while another one began and ended a reading has its answer already.
        """
        begun = self._begun
        with self._lock:
            if self._listed is None:
                self.read_list(client.clock.now())
            if self._trail and self._ended <= begun:
                self._begun += 1
                self._trail.follow(client)
                self._ended = self._begun

    def applied(self, users: Iterable[User]) -> list[User]:
        """The users with what these sources say of them."""
        return [settled(self._seen(user)) for user in users]

    def tell_strangers(self, client: Client, known: Container[str]) -> None:
        """Say how many accounts of the list are not in the directory: often it is the wrong list, or names."""
        strangers = sum(1 for account in self._listed.sightings if account not in known) if self._listed else 0
        if strangers:
            client.step("accounts of the activity list that are not in the directory", strangers, None)

    def _seen(self, user: User) -> User:
        seen = user.seen
        done = self._trail.of(user.id) if self._trail else None
        listed = self._listed.sightings.get(user.id) if self._listed else None
        for more in (done, listed):
            if more is not None:
                seen = with_sighting(seen, more)
        return user if seen is user.seen else replace(user, seen=seen)
