"""What became of an invitation: every item of the answer is looked at, also when the whole was accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from cleanup_gitops.model.errors import LostAnswerError, RefusedError
from cleanup_gitops.model.run import Invitation, Invited, Receipt
from cleanup_gitops.sites.cloud.grants import bare_id

DONE = "INVITED"
_REASON = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,79}", re.ASCII)


class RoleResult(Struct):
    """Whether one role was given."""

    resource: str | None = None
    status: str | None = None
    status_reason: str | None = msgspec.field(default=None, name="statusReason")


class GroupResult(Struct):
    """Whether one group was joined."""

    group: str | None = None
    status: str | None = None
    status_reason: str | None = msgspec.field(default=None, name="statusReason")


class Results(Struct, rename="camel"):
    """Results of one invitation, by kind."""

    role_assignment_result: list[RoleResult] | None = None
    group_assignment_result: list[GroupResult] | None = None


class InvitedRow(Struct):
    """One person of the answer."""

    id: str | None = None
    email: str | None = None
    results: list[Results] | None = None


class InviteAnswer(Struct):
    """Answer of ``users/invite``."""

    data: list[InvitedRow]


_ANSWER = msgspec.json.Decoder(InviteAnswer)


def judged(body: bytes, invitation: Invitation, ari: str, receipt: Receipt) -> Invited:
    """The account and what it did not get.

    Raises `RefusedError` when nothing of the invitation was done, `LostAnswerError` when the answer does not tell.
    """
    row = _row(body, invitation, receipt)
    refused = tuple(_refused(row, invitation, ari))
    asked = len(invitation.groups) + (invitation.role is not None)
    if asked and len(refused) == asked and not row.id:
        raise RefusedError(f"The invitation was refused: {'; '.join(refused)} ({receipt.status}; {receipt.endpoint}).")
    if not row.id:
        raise LostAnswerError(f"{receipt.endpoint} did not tell the account of the invited person.", _LOOK)
    return Invited(receipt=receipt, account=row.id, refused=refused)


def _row(body: bytes, invitation: Invitation, receipt: Receipt) -> InvitedRow:
    try:
        rows = _ANSWER.decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rows = []
    ours = [row for row in rows if row.email is None or row.email.casefold() == invitation.email.casefold()]
    if len(ours) != 1 or len(rows) != 1:
        raise LostAnswerError(
            f"{receipt.endpoint} was accepted with an answer that does not tell what was done.", _LOOK
        )
    return ours[0]


def _refused(row: InvitedRow, invitation: Invitation, ari: str) -> Iterator[str]:
    """What was asked for and is not said to be done."""
    results = row.results or []
    roles = [one for result in results for one in result.role_assignment_result or () if one.resource in (ari, None)]
    if invitation.role is not None:
        yield from _missed(f"role {invitation.role}", roles)
    joined = [one for result in results for one in result.group_assignment_result or ()]
    for group in invitation.groups:
        yield from _missed(f"group {group}", [one for one in joined if bare_id(one.group or "") == group])


def _missed(what: str, results: list[RoleResult] | list[GroupResult]) -> Iterator[str]:
    if not results:
        yield f"{what}: not in the answer"
    for one in results:
        if one.status != DONE:
            reason = one.status_reason or ""
            yield f"{what}: {reason if _REASON.fullmatch(reason) else 'refused'}"
            return


_LOOK = "Whether the person was invited is not known until the directory is searched for the address."
