"""Reads a site for a plan: first everything, then what only single calls tell, about the few for whom it matters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from cleanup_gitops.ledger.memory import baseline_of
from cleanup_gitops.model.activity import Seen, newest
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Memory, Settling
from cleanup_gitops.model.ports import Live, Reader
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.planner import questions, reading_checks
from cleanup_gitops.planner.undo import Undo
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists

Questions = Mapping[str, frozenset[Question]]
"""What was asked, by account id."""


def read_with_answers(
    reader: Reader,
    policies: SitePolicies,
    as_of: datetime,
    lists: Lists = NO_LISTS,
    undo: Undo | None = None,
    memory: Memory = BLANK,
) -> tuple[Live, Questions]:
    """The site now, with the answers to all questions that a plan for ``as_of`` (UTC) raises, and those questions.

    An answer may raise a further question about the same user; none is asked twice. With ``undo`` the plan is one that
    takes a run back. Raises what the reader raises.
    """
    return answered(reader, reader.read(), policies, as_of, lists, undo, memory=memory)


def answered(
    reader: Reader,
    live: Live,
    policies: SitePolicies,
    as_of: datetime,
    lists: Lists = NO_LISTS,
    undo: Undo | None = None,
    accounts: frozenset[str] | None = None,
    memory: Memory = BLANK,
) -> tuple[Live, Questions]:
    """The same for what was read already; with ``accounts`` only what is asked about these."""

    def raised(inventory: Inventory, who: Collection[str] | None) -> _Raised:
        return questions(inventory, policies, as_of, live.people, lists, accounts=who, undo=undo, memory=memory)

    return _until_told(reader, live, raised, accounts)


def answered_for_each(
    reader: Reader, live: Live, versions: Sequence[tuple[SitePolicies, Lists]], as_of: datetime, memory: Memory = BLANK
) -> Live:
    """What was read already, with the answers to all questions that a plan with any of these policies raises."""

    def raised(inventory: Inventory, who: Collection[str] | None) -> _Raised:
        found: _Raised = {}
        for policies, lists in versions:
            new = questions(inventory, policies, as_of, live.people, lists, accounts=who, memory=memory)
            found |= {account: found.get(account, frozenset()) | wanted for account, wanted in new.items()}
        return found

    return _until_told(reader, live, raised, None)[0]


_Raised = dict[str, frozenset[Question]]


def _until_told(
    reader: Reader,
    live: Live,
    raised: Callable[[Inventory, Collection[str] | None], _Raised],
    accounts: frozenset[str] | None,
) -> tuple[Live, Questions]:
    inventory = live.inventory
    asked: _Raised = {}
    wanted = raised(inventory, accounts)
    while wanted:
        inventory = reader.ask(inventory, wanted)
        asked |= {account: asked.get(account, frozenset()) | new for account, new in wanted.items()}
        again = raised(inventory, wanted)
        wanted = {account: new for account, found in again.items() if (new := found - asked[account])}
    return Live(inventory, live.people), asked


def with_sightings(after: Inventory, before: Inventory, asked: Questions) -> Inventory:
    """A later reading with what single answers told before about the last use: who was seen then was seen."""
    told = {account for account, questions in asked.items() if "content" in questions}
    if not told:
        return after

    def joined(user: User) -> User:
        known = before.user_by_id.get(user.id) if user.id in told else None
        if known is None or not (isinstance(known.seen, Seen) and isinstance(user.seen, Seen)):
            return user
        return msgspec.structs.replace(user, seen=newest(user.seen, known.seen))

    return msgspec.structs.replace(after, users=tuple(map(joined, after.users)))


def doubt(
    after: Inventory, before: Inventory, policies: SitePolicies, ours: Sequence[Settling], *, now: datetime
) -> str:
    """Why the reading after a run is not to be trusted beside the one before it; "" when it is.

    What the run did itself (``ours``) is no drop. An Override of the drop is for the time since the last snapshot, not
    for the minutes of a run. What the site tells of single users alone is in neither reading: a guard that does not
    hold in the reading before for want of it says nothing here.
    """
    kept = tuple(one for one in policies.overrides if one.guard != "reading.max_drop")
    strict = replace(policies, overrides=kept)
    held = {check.name for check in reading_checks(before, strict, BLANK, created=now) if check.passed}
    memory = Memory(baseline=baseline_of(before), settling=tuple(ours))
    found = (check for check in reading_checks(after, strict, memory, created=now) if not check.passed)
    return "; ".join(check.message for check in found if check.name in held)
