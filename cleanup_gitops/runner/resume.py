"""Goes on with users whom a run that was cut off had changed in part: what is left of them is still approved.

Who has just lost the seat need not match the policy any more that wanted the account closed as well. Within a run that
is known, and no later change of the same user is dropped for it; this knows it after the end of that run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, read_tail
from cleanup_gitops.model.change import Change, change_digest, change_order
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan, State
from cleanup_gitops.model.ports import Reader, Store
from cleanup_gitops.model.run import ACTING, OutcomeRecord
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.needs import questions_about, took_effect

_OPEN: frozenset[State] = frozenset({"unchanged", "changed", "unknown"})
"""What the policies may say of such a user now: nobody protects the user, and nothing is in conflict."""
_ON_HOLD = frozenset({"hold", "flapping"})
"""Reasons for which policies leave such a user alone after what was done was undone."""


def applied_under(envelope: str, files: Mapping[str, bytes], store: Store) -> frozenset[str]:
    """Digests of the rows that earlier runs applied under this approval. Raises ``StateError``.

    ``files`` are those of the newest record, as ``store`` read them last.
    """
    tail = read_tail(files)
    runs = [one.run for one in tail.entries if one.envelope == envelope and one.kind in ACTING] if tail else []
    found: set[str] = set()
    for run in runs:
        path = layout.run_file(run, layout.OUTCOMES)
        for line in store.run_files(run).get(path, b"").splitlines():
            try:
                one = msgspec.json.decode(line, type=OutcomeRecord)
            except UNREADABLE:
                raise StateError(f"{path} cannot be read.", HINT) from None
            if one.result == "applied":
                found.add(one.change)
    return frozenset(found)


def resumed(
    choice: Choice, saved: Plan, current: Plan, site: Inventory, reader: Reader, applied: Collection[str]
) -> tuple[Choice, frozenset[str]]:
    """The choice with the approved rows that are left of users begun under the same approval, and those users.

    ``applied`` are the rows that were made under it; what somebody else made begins nothing. Only under the very same
    policies and version, and only where all that was done to the user is still in effect. What a row needs is asked
    again before its write, and whether the user is protected. Raises what the reader raises.
    """
    same = (saved.inputs.policy_digest, saved.inputs.tool_version)
    if same != (current.inputs.policy_digest, current.inputs.tool_version):
        return choice, frozenset()
    left = {one.user for one in choice.superseded if _open(current, one.user)}
    done = [one for one in choice.consumed if one.user in left and change_digest(one) in applied]
    begun = _in_effect(done, site, reader)
    back = sorted((one for one in choice.superseded if one.user in begun), key=change_order)
    superseded = tuple(one for one in choice.superseded if one.user not in begun)
    return replace(choice, changes=(*choice.changes, *back), superseded=superseded), begun


def _open(current: Plan, account: str) -> bool:
    disposition = current.dispositions.get(account)
    if disposition is None or disposition.state not in _OPEN or disposition.reason in _ON_HOLD:
        return False
    return all(one.change.user != account for one in current.pending)


def _in_effect(done: Sequence[Change], site: Inventory, reader: Reader) -> frozenset[str]:
    """Users of whom every one of these changes shows on the site."""
    asked = questions_about(done)
    users = (reader.ask(site, asked) if asked else site).user_by_id
    undone = {one.user for one in done if not took_effect(one, users.get(one.user))}
    return frozenset(one.user for one in done) - undone
