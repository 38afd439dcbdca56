"""Accounts that do not exist yet, and how an address finds one that does."""

from __future__ import annotations

import uuid

from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User, format_time

_NAMESPACE = uuid.UUID("5a0db0c5-0000-4000-8000-c1ea0fc1ea0f")


def by_address(state: State, email: str) -> User | None:
    """The account with this address, whatever the case of its letters."""
    wanted = email.casefold()
    return next((user for user in state.world.users if (user.email or "").casefold() == wanted), None)


def is_claimed(state: State, email: str) -> bool:
    """Whether the domain of the address is verified, so that its accounts are managed."""
    domain = email.rpartition("@")[2].casefold()
    return any(item.name.casefold() == domain and item.status == "verified" for item in state.world.domains)


def newcomer(state: State, email: str, source: str) -> User:
    """A new account with this address, in no directory so far; the same address gives the same id."""
    name = email.partition("@")[0]
    return User(
        id=f"712020:{uuid.uuid5(_NAMESPACE, email.casefold())}",
        name=name,
        nickname=name,
        email=email,
        email_verified=source == "synced",
        managed=is_claimed(state, email),
        source=source,
    )


def admit(state: State, user: User, directory: str) -> None:
    """Put the account into the directory; nothing where it is there already."""
    user.directories.setdefault(directory, "active")
    user.added = user.added or format_time(state.now())


def new_id(state: State, what: str) -> str:
    """An id for something new, never the same twice in one world."""
    world = state.world
    serial = len(world.events) + len(world.audit) + len(world.groups) + len(world.scim_users)
    return str(uuid.uuid5(_NAMESPACE, f"{world.organization.id}/{what}/{serial}"))
