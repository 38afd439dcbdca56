"""Goes on with users whom a run that was cut off had changed in part: what is left of them is still approved.

Who has just lost the seat need not match the policy any more that wanted the account closed as well. Within a run what
it did itself is thought away when the user is decided about again; this does the same after the end of that run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, read_tail
from cleanup_gitops.model.change import Change, change_digest, change_order
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan, State
from cleanup_gitops.model.ports import Reader, Store
from cleanup_gitops.model.run import ACCEPTED, ACTING, OutcomeRecord
from cleanup_gitops.planner import Evaluation, rewound
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.attempt import Past
from cleanup_gitops.runner.needs import questions_about, took_effect
from cleanup_gitops.runner.reading import Questions

Ask = Callable[[Inventory, frozenset[str]], tuple[Inventory, Questions]]
"""The inventory with the answers to what a plan asks about these accounts, and what was asked."""

_OPEN: frozenset[State] = frozenset({"unchanged", "changed", "unknown"})
"""What the policies may say of such a user now: nobody protects the user, and nothing is in conflict."""
_ON_HOLD = frozenset({"hold", "flapping"})
"""Reasons for which policies leave such a user alone after what was done was undone."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A choice with the rows that are left of users begun before: what was done to them, and asked about them."""

    choice: Choice
    begun: Mapping[str, Past] = field(default_factory=dict)
    questions: Questions = field(default_factory=dict)


def made_under(envelope: str, files: Mapping[str, bytes], store: Store) -> frozenset[str]:
    """Digests of the rows that the site accepted from earlier runs under this approval. Raises ``StateError``.

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
            if one.result in ACCEPTED:
                found.add(one.change)
    return frozenset(found)


def resumed(
    choice: Choice,
    saved: Plan,
    current: Plan,
    site: Inventory,
    reader: Reader,
    ask: Ask,
    evaluation: Evaluation,
    made: Collection[str],
) -> Resumed:
    """The choice with the approved rows that are left of users begun under the same approval.

    ``made`` are the rows that were made under it; what somebody else made begins nothing. One that was settling then
    and shows by now is planned no more, and begins its user as well. Only under the very same policies, lists and
    version, only where all that was done to the user is still in effect, and only what would still be planned if it had
    not been done. ``ask`` gets answers to what a plan asks. Raises what the reader raises.
    """
    if current.rollback is not None or _made_from(saved) != _made_from(current):
        return Resumed(choice)
    left = {one.user for one in choice.superseded if _open(current, one.user, evaluation)}
    done, sent = (
        [one for one in rows if one.user in left and change_digest(one) in made]
        for rows in (choice.consumed, choice.superseded)
    )
    begun, asked = _begun(done, sent, site, reader, ask)
    shown = {change_digest(one) for past in begun.values() for one in past.made}
    planned = {change_digest(one) for past in begun.values() for one in evaluation.fate(past.before).changes}
    back = [one for one in choice.superseded if one.user in begun and change_digest(one) in planned - shown]
    kept = {change_digest(one) for one in back}
    superseded = tuple(one for one in choice.superseded if change_digest(one) not in kept)
    changes = (*choice.changes, *sorted(back, key=change_order))
    users = {one.user for one in back}
    kept_on = {user: past for user, past in begun.items() if user in users}
    return Resumed(replace(choice, changes=changes, superseded=superseded), kept_on, asked)


def _made_from(plan: Plan) -> tuple[object, ...]:
    return plan.inputs.policy_digest, plan.inputs.tool_version, plan.inputs.lists


def _open(current: Plan, account: str, evaluation: Evaluation) -> bool:
    user = evaluation.scope.inventory.user_by_id.get(account)
    found = current.dispositions.get(account) if user is None else evaluation.without_trials(user).disposition
    if found is None or found.state not in _OPEN or found.reason in _ON_HOLD:
        return False
    return all(one.change.user != account for one in current.pending if one.reason != "report")


def _begun(
    done: Collection[Change], sent: Collection[Change], site: Inventory, reader: Reader, ask: Ask
) -> tuple[dict[str, Past], Questions]:
    """What was done to each user, and what was asked about the user without it.

    Of ``done`` all of a user must show on the site; of ``sent`` counts what shows.
    """
    shown = questions_about((*done, *sent))
    told = (reader.ask(site, shown) if shown else site).user_by_id
    undone = {one.user for one in done if not took_effect(one, told.get(one.user))}
    made = (*done, *(one for one in sent if took_effect(one, told.get(one.user))))
    in_effect: dict[str, tuple[Change, ...]] = {}
    for one in sorted(made, key=change_order):
        if one.user not in undone and one.user in told:
            in_effect[one.user] = (*in_effect.get(one.user, ()), one)
    if not in_effect:
        return {}, {}
    without = {user: rewound(told[user], told[user], made, site) for user, made in in_effect.items()}
    users = tuple(without.get(user.id, user) for user in site.users)
    found, asked = ask(msgspec.structs.replace(site, users=users), frozenset(without))
    answers = found.user_by_id  # an answer tells the present, so it has to be thought back as well
    return {
        user: Past(rewound(answers[user], without[user], made, site), made, made, here=False)
        for user, made in in_effect.items()
    }, asked
