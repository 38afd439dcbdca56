"""Whom a roster means by somebody who has left: asked of any account of a site, three-valued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from cleanup_gitops.model.user import User
from cleanup_gitops.policy.finding import Finding, not_kept
from cleanup_gitops.policy.roster_rows import Leaving, Left
from cleanup_gitops.policy.scope import Scope
from cleanup_gitops.policy.tree import HasLeft


@dataclass(frozen=True, slots=True)
class Leaver:
    """What a roster says of one account: that its person has left (``verdict``), by which rows, and what is doubtful.

    ``by_email``: the row has no id, so that an address says who is meant.
    """

    verdict: bool | None
    left: Left | None = None
    by_email: bool = False
    doubt: str = ""


_STAYS = Leaver(verdict=False)


def leaver(roster: str, user: User, scope: Scope) -> Leaver:
    """By id; or by an address where the row has none, if it is that of one account alone.

    Where an address means an account that is not managed, somebody has left and nobody here may act on it.
    """
    known = scope.leaving(roster)
    if known is None:
        return Leaver(None, doubt=f"the roster {roster} was not read")
    address = scope.addresses.of.get(user.id)
    if (left := known.by_account.get(user.id)) is not None:
        doubt = "a row with the same address goes on" if address in known.emails_that_stay else ""
        written = known.emails_of.get(user.id, frozenset())
        if address and address not in written and not written.isdisjoint(scope.addresses.of.values()):
            doubt = doubt or "the address in its row is that of another account"
        return Leaver(None if doubt else True, left, doubt=doubt)
    if address is None:
        return _without_address(known, user, scope)
    left = known.by_email.get(address)
    if left is None:
        return _STAYS
    doubt = _doubt(user, address, left, known, scope)
    return Leaver(None if doubt else True, left, by_email=True, doubt=doubt)


def _without_address(known: Leaving, user: User, scope: Scope) -> Leaver:
    if not known.by_email or user.id in known.accounts_that_stay:
        return _STAYS
    text = not_kept("e-mail address") if scope.inventory.recorded else "the e-mail address is not known here"
    return Leaver(None, doubt=text)


def _doubt(user: User, address: str, left: Left, known: Leaving, scope: Scope) -> str:
    """Why an address of somebody who left need not mean the person who has this account; empty when it does."""
    if user.id in known.accounts_that_stay:
        return "a row with the account's id goes on"
    if address in scope.addresses.shared:
        return "several accounts have the address"
    if user.managed is None:
        return "whether the account is managed is not known"
    if user.added is None:
        return "when the account was added is not known, so that somebody else may have the address now"
    if user.added.astimezone(UTC) >= left.over:
        return "the account was added after the last day, so that somebody else may have the address now"
    return ""


def find_leaver(node: HasLeft, user: User, scope: Scope) -> Finding:
    """The condition of a roster about one user, in words without the address."""
    asked = f"has left by the roster {node.roster}"
    found = leaver(node.roster, user, scope)
    if found.verdict is False:
        return Finding(asked, verdict=False, detail="no row says so")
    day = f"last day {found.left.day.isoformat()}" if found.left else ""
    told = ", but ".join(filter(None, (day, found.doubt)))
    return Finding(asked, found.verdict, told)
