"""What a generated organization has beside people and groups: tokens, provisioning, content, audit records.

Drawn from a random generator of its own, so that it changes nothing about who is in the organization.
Nobody writes anything after their last use of Confluence.
"""

from __future__ import annotations

import random
from datetime import timedelta

from cleanup_gitops.sandbox.blueprint import identifier
from cleanup_gitops.sandbox.records import AuditRecord, Changed, Page, ScimDirectory, ScimGroup, ScimUser, Token
from cleanup_gitops.sandbox.world import User, World, format_time, parse_time

SCIM_KEY = "sandbox-scim-key"
MOST_PAGES = 200
SPACES = ("ENG", "OPS", "HR", "SALES")
_AUDITED = (
    ("Space permission added", "Permissions", "Space"),
    ("User added to group", "Users and groups", "Group"),
    ("Global settings changed", "Global administration", "Site"),
    ("App installed", "Apps", "App"),
)


def furnish(world: World, number: int) -> None:
    """Add all of it to a generated `world`; the same `number` gives the same."""
    source = random.Random(f"{number}/{world.site.name}/furnishing")
    _give_tokens(world, source)
    _provision(world)
    _restrict(world)
    _write_content(world, source)
    _audit(world, source)


def _ago(world: World, days: float) -> str:
    return format_time(world.clock() - timedelta(days=days))


def _give_tokens(world: World, source: random.Random) -> None:
    """The runner's own token, and some of every fortieth managed account."""
    managed = [user for user in world.users if user.managed and user.type == "atlassian"]
    for place, user in enumerate(managed):
        if place % 40 not in (0, 17):
            continue
        for serial in range(1 + place % 3 // 2):
            made = source.randint(20, 350)
            token = Token(
                id=identifier(world.site.name, f"token/{user.id}/{serial}"),
                label="cleanup-gitops" if user.id == world.credentials.runner_account else f"script {serial + 1}",
                created=_ago(world, made),
                expires=_ago(world, made - 365),
            )
            if source.random() < 0.7:
                token.last_used = _ago(world, source.randint(1, made))
            user.tokens.append(token)


def _provision(world: World) -> None:
    """One SCIM directory that knows every synced account and group."""
    site = world.site.name
    directory = ScimDirectory(identifier(site, "scim"), world.directories[0].id, SCIM_KEY)
    world.scim_directories.append(directory)
    made = _ago(world, 1500)
    for group in world.groups:
        if group.external_synced:
            group.scim = ScimGroup(identifier(site, f"scim/group/{group.name}"), directory.id)
    for user in world.users:
        if user.source == "synced":
            record = identifier(site, f"scim/user/{user.id}")
            active = user.account == "active"
            world.scim_users.append(
                ScimUser(record, directory.id, user.email or user.id, made, made, user.id, active=active)
            )


def _restrict(world: World) -> None:
    """Somebody owns a site, somebody comes from another identity provider, somebody is barred from export."""
    owner = next((user for user in world.users if user.name == "Diego Castro"), None)
    if owner is not None:
        owner.lifecycle_errors = {"siteOwner": "The account owns the site globex.atlassian.net."}
    synced = [user for user in world.users if user.source == "synced"]
    if len(synced) > 1:
        synced[1].restrictions = {"lifecycle": "externalDirectory.google", "email.set": "externalDirectory.google"}
    barred = next((user for user in world.users if user.account == "inactive" and user.managed), None)
    if barred is not None:
        barred.restrictions = {"lifecycle.enablement": "blocked.exportControl"}


def _write_content(world: World, source: random.Random) -> None:
    writers = [user for user in world.users if user.type == "atlassian" and "confluence" in user.activity]
    for number in range(min(MOST_PAGES, len(writers) // 2)):
        authors = source.sample(writers, min(len(writers), source.randint(1, 3)))
        creator = min(authors, key=lambda user: user.activity["confluence"])
        edits = {user.id: _before_last_use(user, source) for user in authors}
        created = min(edits.values())
        edits[creator.id] = max(created, edits[creator.id])
        world.content.append(
            Page(
                id=str(1_000_001 + number),
                title=f"Note {number + 1}",
                space=SPACES[number % len(SPACES)],
                creator=creator.id,
                created=created,
                edits=edits,
                type="comment" if number % 7 == 3 else "blogpost" if number % 11 == 5 else "page",
                restricted=number % 13 == 6,
            )
        )


def _before_last_use(user: User, source: random.Random) -> str:
    """Up to twenty days before the last use of Confluence, to the millisecond as the site shows it."""
    last = parse_time(user.activity["confluence"])
    at = last - timedelta(days=source.randint(0, 20), milliseconds=1)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _audit(world: World, source: random.Random) -> None:
    """What administrators did, the oldest of it longer ago than such records are kept."""
    admins = [user for user in world.users if user.platform_roles and "confluence" in user.activity]
    if not admins:
        return
    for number in range(24):
        author = admins[number % len(admins)]
        at = parse_time(author.activity["confluence"]) - timedelta(days=20 * (number // len(admins)))
        summary, category, kind = _AUDITED[number % len(_AUDITED)]
        world.audit.append(
            AuditRecord(
                at=format_time(at),
                author=author.id,
                summary=summary,
                category=category,
                object_name=SPACES[source.randrange(len(SPACES))],
                object_type=kind,
                remote="192.0.2.10",
                changed=[Changed("Description", "old", "new")] if number % 5 == 2 else [],
            )
        )
    world.audit.append(
        AuditRecord(
            at=_ago(world, 500),
            summary="Site created",
            category="Global administration",
            object_name=world.site.title,
            object_type="Site",
            system_admin=True,
        )
    )
    world.audit.sort(key=lambda record: record.at)
