"""A deterministic, realistic organization of any size; its numbers are data in ``cases``."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from cleanup_gitops.sandbox import blueprint
from cleanup_gitops.sandbox.cases import CASES, EXTRAS, FIXED, RUNNER
from cleanup_gitops.sandbox.furnishing import furnish
from cleanup_gitops.sandbox.people import Maker
from cleanup_gitops.sandbox.world import (
    FORMAT,
    Credentials,
    Directory,
    Event,
    Options,
    Organization,
    Site,
    User,
    World,
    format_time,
    parse_time,
)

DIRECTORY = "default"
ORG_API_KEY = "sandbox-org-api-key"
API_TOKEN = "sandbox-api-token"  # noqa: S105 - as fake as the organization
KEY_DAYS = 200
CAPACITY_SHARE = 500 / 480


def seed(users: int = 480, seed: int = 1, now: str = "2026-11-22T09:00:00Z", site: str = "acme") -> World:
    """A world of `users` accounts at the instant `now` (ISO 8601, UTC).

    The same arguments give the same bytes on every machine. The runner's account always comes
    first, so `users` must be at least 1 (`ValueError`).
    """
    if users < 1:
        raise ValueError("a world needs at least one account, the runner's own")
    clock = parse_time(now)
    maker = Maker(random.Random(f"{seed}/{site}"), clock, site, DIRECTORY)
    head = [maker.fixed(fixed) for fixed in FIXED[:users]]
    rest = _everybody_else(maker, users - len(head))
    teams = maker.join_teams([*head, *rest])
    maker.random.shuffle(rest)
    cloud_id = blueprint.identifier(site, "cloud")
    expires = format_time(clock + timedelta(days=KEY_DAYS))
    world = World(
        format=FORMAT,
        now=format_time(clock),
        site=Site(name=site, cloud_id=cloud_id, title=f"{site.capitalize()} Wiki"),
        organization=Organization(id=blueprint.organization_id(site), name=site.capitalize()),
        directories=[Directory(id=DIRECTORY, name=DIRECTORY)],
        credentials=Credentials(
            org_api_key=ORG_API_KEY,
            org_api_key_expires=expires,
            user_email=f"{FIXED[0].local_part}@{site}.com",
            api_token=API_TOKEN,
            api_token_expires=expires,
            runner_account=RUNNER,
        ),
        options=Options(),
        resources=blueprint.resources(site, cloud_id, max(1, round(users * CAPACITY_SHARE))),
        groups=blueprint.groups(site, DIRECTORY, teams),
        users=head + rest,
        foreign_organizations=[blueprint.identifier(site, "foreign organization")],
        domains=blueprint.domains(site),
        events=_history([*head, *rest], clock),
    )
    furnish(world, seed)
    return world


def _everybody_else(maker: Maker, total: int) -> list[User]:
    found = []
    hostile = 0
    for case, size in zip(CASES, _sizes(total), strict=True):
        for place in range(size):
            user = maker.account(case, place)
            if case.hostile and place % 4 == 1:
                hostile += maker.give_hostile_name(user, hostile)
            _set_apart(user, [extra.trait for extra in EXTRAS if extra.case == case.name and place in extra.places])
            found.append(user)
    return found


def _set_apart(user: User, traits: list[str]) -> None:
    if "direct" in traits:
        user.roles = {"confluence": ["atlassian/user"]}
    if "synced" in traits:
        user.source = "synced"
    if "pending" in traits:
        user.email_verified = False


def _history(users: list[User], now: datetime) -> list[Event]:
    """Who was suspended lately, oldest first."""
    suspended = [user for user in users if "suspended" in user.directories.values()][:3]
    return [
        Event(
            id=f"event-{number + 1:06d}",
            at=format_time(now - timedelta(days=30 - number)),
            action="user_suspended_in_directory",
            actor=users[0].id,
            about={"user": user.id},
        )
        for number, user in enumerate(suspended)
    ]


def _sizes(total: int) -> list[int]:
    """How many accounts of each case, largest remainders first, so that the sum is `total`."""
    weight = sum(case.per_480 for case in CASES)
    exact = [total * case.per_480 / weight for case in CASES]
    sizes = [int(value) for value in exact]
    order = sorted(range(len(CASES)), key=lambda i: (sizes[i] - exact[i], i))
    for index in order[: total - sum(sizes)]:
        sizes[index] += 1
    return sizes
