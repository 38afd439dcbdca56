"""One invitation: look for the address, write, read back. Only here a pseudonym becomes an address, for one call."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cleanup_gitops.model.change import UserInvite
from cleanup_gitops.model.errors import RefusedError, SiteError
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Invitation, Outcome, Receipt, Result
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.guests import accounts_by_pseudonym, pseudonym_of
from cleanup_gitops.runner.attempt import Attempt
from cleanup_gitops.runner.needs import describe, took_effect, unmet

NOT_LISTED = "no roster that was handed over asks for this person any more"
CLOSED = "somebody with this address has an account by now, and it is not open: an invitation would open it again"
SHORT = "somebody with this address has an account by now, which is not in all of the groups"


class Inviting(Attempt):
    """The attempt of an invitation. An account that is there by now is never invited, whatever it is."""

    _account = ""
    _partly = ""

    def make(self) -> Outcome:
        """What became of the invitation. Raises as every attempt does."""
        change, hands = self._change, self._hands
        email = self._email()
        if email is None or not isinstance(change, UserInvite):
            return self._outcome("superseded", NOT_LISTED)
        try:
            found = self._found_now(email)
        except RefusedError as error:
            return self._outcome("failed", error.message)
        if found:
            if (user := next((one for one in found if took_effect(change, one)), None)) is not None:
                self._account = user.id
                return self._outcome("already", seen=True)
            return self._outcome("superseded", SHORT if any(one.status == "active" for one in found) else CLOSED)
        gone = unmet(change.needs, _NOBODY, hands.reader, own_effects=False)
        if gone:
            return msgspec.structs.replace(self._outcome("superseded", describe(gone)), unmet=gone)
        return self._write(_NOBODY)

    def _email(self) -> str | None:
        return self._evaluation.joining.addresses.get(self._change.address)

    def _found_now(self, email: str) -> list[User]:
        """The accounts of the directory with this address, as they are now."""
        reader = self._hands.reader
        return [user for account in reader.find(email) if (user := reader.user(account)) is not None]

    def _send(self) -> Receipt:
        change, email = self._change, self._email()
        if email is None or not isinstance(change, UserInvite):
            raise RefusedError(f"{NOT_LISTED}; nothing was sent.")
        invited = self._hands.writer.invite(Invitation(email, role=change.role, groups=change.groups, notify=True))
        self._account = invited.account
        self._partly = "; ".join(invited.refused)
        return invited.receipt

    def _look(self) -> bool | None:
        try:
            found = self._seen()
        except SiteError:
            return None
        shown = next((one for one in found if took_effect(self._change, one)), None)
        self._account = self._account or (found[0].id if len(found) == 1 else "")
        return shown is not None

    def _seen(self) -> list[User]:
        """The account that the site named in its answer, else those that it finds by the address."""
        if self._account:
            user = self._hands.reader.user(self._account)
            return [user] if user else []
        email = self._email()
        return self._found_now(email) if email else []

    def _outcome(
        self, result: Result, detail: str = "", *, receipt: Receipt | None = None, seen: bool = False
    ) -> Outcome:
        told = "; ".join(filter(None, (detail, self._partly and f"not done: {self._partly}")))
        outcome = super()._outcome(result, told, receipt=receipt, seen=seen)
        return msgspec.structs.replace(outcome, account=self._account) if self._account else outcome


_NOBODY = User(id="nobody", directory="")
"""Who is asked about where a need is about a group alone."""


def with_accounts(outcomes: Iterable[Outcome], live: Live) -> tuple[Outcome, ...]:
    """The outcomes, in which invitations name the account that has their address now, where the site shows it."""
    rows = tuple(outcomes)
    if not any(_unknown(one) for one in rows):
        return rows
    accounts = accounts_by_pseudonym(live)
    return tuple(
        msgspec.structs.replace(one, account=accounts.get(pseudonym_of(one.address), "")) if _unknown(one) else one
        for one in rows
    )


def _unknown(one: Outcome) -> bool:
    return one.action == "user.invite" and not one.account and one.result not in ("superseded", "not_attempted")
