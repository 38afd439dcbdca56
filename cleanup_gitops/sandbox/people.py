"""Makes the accounts of a generated organization, one at a time, from one random generator."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from cleanup_gitops.sandbox import blueprint
from cleanup_gitops.sandbox.cases import Case, Fixed
from cleanup_gitops.sandbox.names import (
    DEPARTMENTS,
    FIRST_NAMES,
    HOSTILE_NAMES,
    LAST_NAMES,
    OUTSIDE_DOMAINS,
    PLACES,
)
from cleanup_gitops.sandbox.world import User

SYNCED_SHARE = 0.25
"""How many of the organization's own people come from the identity provider."""
UNKNOWN_SOURCE_SHARE = 0.02
TEAM_SIZE = 40
_DAY = 86_400
_UUID_FORMS = ("712020:", "712020:", "712020:", "557058:")
_HEX_ID_SHARE = 0.15


class Maker:
    """Accounts of one site.

    Kinds: person (a quarter synced), invited, synced, contractor, external, hidden (external
    without a visible address), guest, service, app, customer.
    """

    def __init__(self, source: random.Random, now: datetime, site: str, directory: str) -> None:
        self.random = source
        self.site = site
        self.directory = directory
        self._now = now
        self._midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._seconds_today = int((now - self._midnight).total_seconds())
        self._mailboxes: dict[str, int] = {}
        self._departments = list(DEPARTMENTS.items())
        self._group_ids: dict[str, str] = {}
        self._midnights: dict[int, str] = {}

    def account(self, case: Case, place: int) -> User:
        """The account number `place` of `case`."""
        user = self._of_kind(case.kind, place)
        user.groups += [self._group(name) for name in case.groups]
        if case.direct:
            resource, role = case.direct
            user.roles = {resource: [role]}
        seen = self._days(case.seen)
        jira = self._days(case.jira)
        if case.added:
            oldest = max((days for days in (seen, jira) if days is not None), default=0)
            user.added = self.instant(max(self.random.randint(*case.added), oldest))
        user.activity = self.activity(seen, jira)
        self._set_status(user, case.status)
        return user

    def fixed(self, fixed: Fixed) -> User:
        """One of the people that every world has."""
        user = self.person(fixed.name, f"{fixed.local_part}@{self.site}.com", source="invited")
        user.id = fixed.account_id or user.id
        user.department, user.job_title = "IT", "Systems Administrator"
        user.groups = [self._group(name) for name in (*fixed.groups, "dept-it")]
        user.platform_roles = list(fixed.platform_roles)
        user.added = self.instant(1500)
        user.activity = self.activity(fixed.confluence_days, fixed.jira_days)
        user.mfa = True
        return user

    def person(self, name: str, email: str, *, source: str | None) -> User:
        """Somebody of the organization itself, in a department, without a seat so far."""
        rng = self.random
        department, titles = self._departments[int(rng.random() * len(self._departments))]
        place, zone = PLACES[int(rng.random() * len(PLACES))]
        user = User(
            id=self._account_id(),
            name=name,
            nickname=name,
            email=email,
            directories={self.directory: "active"},
            source=source,
            mfa=rng.random() < 0.8,
            job_title=titles[int(rng.random() * len(titles))],
            department=department,
            organization=self.site.capitalize(),
            location=place,
            time_zone=zone,
        )
        user.groups = [self._group(blueprint.department_group(department))]
        if source == "synced":
            user.groups.append(self._group("all-staff-idp"))
        return user

    def give_hostile_name(self, user: User, number: int) -> int:
        """Rename `user` to the hostile name `number`, if there is one left; 1 if so."""
        if number >= len(HOSTILE_NAMES):
            return 0
        user.name = user.nickname = HOSTILE_NAMES[number]
        return 1

    def activity(self, confluence: int | None, jira: int | None) -> dict[str, str]:
        """Last use by resource name, from days ago; what was never used is left out."""
        found = {}
        if confluence is not None:
            found["confluence"] = self.instant(confluence, fine=True)
        if jira is not None:
            found["jira-software"] = self.instant(jira, fine=True)
        return found

    def instant(self, days: int, *, fine: bool = False) -> str:
        """Some time on the UTC date `days` ago, never in the future; `fine` adds nanoseconds."""
        day = self._midnights.get(days)
        if day is None:
            day = (self._midnight - timedelta(days=days)).strftime("%Y-%m-%dT")
            self._midnights[days] = day
        second = int(self.random.random() * (_DAY if days else self._seconds_today))
        minutes, seconds = divmod(second, 60)
        hours, minutes = divmod(minutes, 60)
        fraction = f".{int(self.random.random() * 1e9):09d}" if fine else ""
        return f"{day}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}Z"

    def join_teams(self, users: list[User]) -> list[str]:
        """Put people of the organization into teams that grant nothing; the names of the teams."""
        staff = [user for user in users if user.department]
        names = [f"team-{number:03d}" for number in range(1, len(staff) // TEAM_SIZE + 2)]
        ids = [self._group(name) for name in names]
        for user in staff:
            user.groups.append(ids[int(self.random.random() * len(ids))])
        return names

    def _of_kind(self, kind: str, place: int) -> User:
        match kind:
            case "app":
                return self._machine(f"App {place + 1} for Confluence", "app", None)
            case "service":
                email = f"svc-{place + 1:02d}-{self.site}@serviceaccount.atlassian.com"
                return self._machine(f"Service {place + 1:02d}", "atlassian", email)
            case "customer":
                return self._outsider("customer", place)
            case "external" | "guest" | "hidden":
                user = self._outsider("atlassian", place)
                user.email_hidden = kind == "hidden"
            case "contractor":
                user = self._insider(place, "invited")
                contractors = blueprint.CONTRACTOR_GROUPS
                user.groups.append(self._group(contractors[place % len(contractors)]))
                user.job_title = "Contractor"
            case _:
                source = kind if kind in ("invited", "synced") else self._source()
                user = self._insider(place, source)
        return user

    def _source(self) -> str | None:
        draw = self.random.random()
        if draw < SYNCED_SHARE:
            return "synced"
        return None if draw > 1 - UNKNOWN_SOURCE_SHARE else "invited"

    def _insider(self, place: int, source: str | None) -> User:
        name = self._name()
        domain = f"{self.site}.com"
        if place % 60 == 7:
            domain = f"eu.{self.site}.com"
        email = self._mailbox(name, domain)
        if place % 50 == 11:
            email = email.title()
        if place % 70 == 13:
            email = email.replace("@", "+wiki@")
        return self.person(name, email, source=source)

    def _outsider(self, account_type: str, place: int) -> User:
        name = self._name()
        return User(
            id=self._account_id(),
            name=name,
            nickname=name,
            type=account_type,
            email=self._mailbox(name, OUTSIDE_DOMAINS[place % len(OUTSIDE_DOMAINS)]),
            email_verified=place % 9 != 5,
            directories={self.directory: "active"},
            managed=False,
        )

    def _machine(self, name: str, account_type: str, email: str | None) -> User:
        return User(
            id=self._account_id(),
            name=name,
            nickname=name,
            type=account_type,
            email=email,
            directories={self.directory: "active"},
            managed=False,
        )

    def _set_status(self, user: User, status: str) -> None:
        match status:
            case "suspended":
                user.directories = {self.directory: "suspended"}
            case "deactivated" | "for_deletion":
                user.account = "inactive"
                user.for_deletion = status == "for_deletion"
                user.deactivated_on = self.instant(self.random.randint(2, 12))
            case "not_invited":
                user.directories = {}
                user.groups = []
                user.activity = {}

    def _name(self) -> str:
        first = FIRST_NAMES[int(self.random.random() * len(FIRST_NAMES))]
        last = LAST_NAMES[int(self.random.random() * len(LAST_NAMES))]
        return f"{first} {last}"

    def _mailbox(self, name: str, domain: str) -> str:
        local = name.lower().replace(" ", ".")
        number = self._mailboxes.get(local, 0) + 1
        self._mailboxes[local] = number
        return f"{local}@{domain}" if number == 1 else f"{local}{number}@{domain}"

    def _account_id(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        if self.random.random() < _HEX_ID_SHARE:
            return digits[:24]
        prefix = _UUID_FORMS[int(digits[31], 16) % len(_UUID_FORMS)]
        tail = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        return prefix + tail

    def _days(self, span: tuple[int, int] | None) -> int | None:
        if span is None:
            return None
        low, high = span
        return low + int(self.random.random() * (high - low + 1))

    def _group(self, name: str) -> str:
        found = self._group_ids.get(name)
        if found is None:
            found = self._group_ids[name] = blueprint.group_id(self.site, name)
        return found
