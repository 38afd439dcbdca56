"""One account of a live site, found by what a person knows of it."""

from __future__ import annotations

import re

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.protect import Shield
from cleanup_gitops.policy.patterns import normal_email

SHOWN = 5
"""Accounts of one name that an error lists."""
_ADDRESS = re.compile(r"[^\s<>(),;:\"']+@[^\s<>(),;:\"']+")


def find_account(who: str, live: Live, *, by_name: bool = False) -> User:
    """The one account with this id or this e-mail address, or with ``by_name`` this display name.

    Raises ``CleanupError``, which does not repeat it.
    """
    site, user = live.inventory.site, live.inventory.user_by_id.get(who)
    if user is not None:
        return user
    if live.inventory.recorded:
        raise CleanupError(
            f"No account in this snapshot of {site} has this id.",
            "A snapshot holds neither names nor addresses. `cleanup-gitops users --recorded REV` lists its ids.",
        )
    if "@" not in who:
        if by_name:
            return _named(who, live)
        raise CleanupError(
            f"No account of {site} has this id.",
            "Give an e-mail address, or an id that `cleanup-gitops users` lists.",
        )
    return _with_address(who, live)


def _named(who: str, live: Live) -> User:
    """The one account with this display name, without regard to case and to runs of spaces."""
    site, wanted = live.inventory.site, _plain(who)
    found = [user for user in live.inventory.users if wanted and _plain(live.people.name(user.id)) == wanted]
    if len(found) > 1:
        ids = ", ".join(user.id for user in found[:SHOWN])
        more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        raise CleanupError(f"{len(found):,} accounts of {site} have this name: {ids}{more}.", "Give the account id.")
    if not found:
        raise CleanupError(
            f"No account of {site} has this id or this name.",
            "Give the whole display name, an e-mail address, or an id that `cleanup-gitops users` lists.",
        )
    return found[0]


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _with_address(who: str, live: Live) -> User:
    site, address = live.inventory.site, normal_email(who)
    if address is None:
        raise CleanupError("This is no e-mail address.", "Give the whole address, or the account id.")
    shown = {user.id: email for user in live.inventory.users if (email := live.people.email(user.id))}
    found = [account for account, email in shown.items() if normal_email(email) == address]
    if len(found) > 1:
        raise CleanupError(
            f"{len(found)} accounts of {site} have this address: {', '.join(sorted(found))}.", "Give the account id."
        )
    if not found:
        hidden = len(live.inventory.users) - len(shown)
        unseen = f" The site hides the addresses of {hidden:,} accounts, which were not looked at." if hidden else ""
        raise CleanupError(f"No account of {site} shows this address.{unseen}", "Give the account id.")
    return live.inventory.user_by_id[found[0]]


def sure_protection(shield: Shield, user: User) -> tuple[str, str] | None:
    """Reason code and document of what protects the account from every policy; ``None`` where that is not known."""
    found = shield.protection(user)
    return None if found is None or found[0].endswith("unknown") else found


def names_somebody(text: str, live: Live, user: User | None = None) -> bool:
    """Whether a text that is to be kept holds the e-mail address of anybody on the site, or the name of ``user``."""
    held = {normal_email(found.rstrip(".")) for found in _ADDRESS.findall(text)} - {None}
    shown = (live.people.email(one.id) for one in live.inventory.users if held)
    if any(normal_email(email) in held for email in shown if email):
        return True
    name = _plain(live.people.name(user.id)) if user else ""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", _plain(text))
    return len(name) > 3 and found is not None
