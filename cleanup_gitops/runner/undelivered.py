"""Stops the clock of users whose notices came back, or has them told again. Reads no site, and writes to none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cleanup_gitops.ledger.undelivered import Place, place_of, record_undelivered
from cleanup_gitops.model.change import stage_address
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.memory import Mark
from cleanup_gitops.model.notices import message_key
from cleanup_gitops.model.ports import Clock, Store
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.runner.books import refuse_open_run
from cleanup_gitops.runner.ground import ground_here

_MESSAGE_ID = re.compile(r"<?([0-9a-f]{32})@[^\s@<>]+>?")


@dataclass(frozen=True, slots=True)
class Returned:
    """What was said of notices: those that it changed, those of users for whom it comes too late, and lines of no use.

    ``late`` are notices after which another stage has begun. ``unknown`` are numbers of lines that name no notice of
    anybody who is in the middle of the stages of a policy. ``commit`` is "" when there was nothing to record.
    """

    changed: tuple[Mark, ...]
    late: tuple[Mark, ...]
    unknown: tuple[int, ...]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class MailRoom:
    """Where it is said that notices came back: the policies and the record of one site, and the time."""

    policies: SitePolicies
    store: Store
    clock: Clock
    tool_version: str
    domains: frozenset[str] = frozenset()
    attributes: tuple[str, ...] = ()


def undelivered(desk: MailRoom, data: bytes, *, again: bool) -> Returned:
    """Stop the clocks of the notices that ``data`` names, or with ``again`` have those sent again that came back.

    A line holds a Message-ID or an account id, which stands for all notices of the account; what follows a ``#`` is for
    people. Raises ``CleanupError`` for a line that is neither, ``LeaseHeldError`` while a run is under way, and
    ``StateError`` when the record cannot be trusted or written; then nothing was recorded.
    """
    wanted = tuple(_lines(data))
    with desk.store.exclusive():
        desk.store.check_writable()
        now = desk.clock.now()
        ground = ground_here(
            desk.store,
            desk.policies.site,
            now,
            tool_version=desk.tool_version,
            domains=desk.domains,
            attributes=desk.attributes,
        )
        refuse_open_run(ground.before, now)
        found = _sorted(wanted, ground.memory.marks, desk.policies, again=again)
        if not found.changed:
            return found
        record = record_undelivered(ground, {place_of(one) for one in found.changed}, again=again, time=now)
        commit = desk.store.commit(record.files, record.subject, record.trailers)
    return Returned(found.changed, found.late, found.unknown, commit)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """What each line names, by its number. What is wrong with a line never stands in an error: it may be an address."""
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        told = _MESSAGE_ID.fullmatch(text)
        if told is None and ("@" in text or len(text.split()) > 1):
            raise CleanupError(
                f"Line {number} is neither a Message-ID of a notice nor an account id.",
                "Write one a line, as they stand in the mail that came back (`Message-ID`) or in `plan`; no e-mail"
                " address. Nothing was recorded.",
            )
        yield number, told[1] if told else text


def _sorted(
    wanted: Iterable[tuple[int, str]], marks: Iterable[Mark], policies: SitePolicies, *, again: bool
) -> Returned:
    """The notices that the lines name, each once, and what can be done about them."""
    telling = {(policy.name, stage.name) for policy in policies.policies for stage in policy.stages if stage.notify}
    told = [one for one in marks if (one.policy, one.stage) in telling]
    last = _last(marks)
    named: dict[Place, Mark] = {}
    unknown = []
    for number, text in wanted:
        mine = [one for one in told if text in (one.user, message_key(policies.site, _address(one)))]
        named |= {place_of(one): one for one in mine}
        if not mine:
            unknown.append(number)
    open_ = [one for one in named.values() if last[one.user, one.policy] == one]
    return Returned(
        changed=tuple(one for one in open_ if (one.undelivered if again else one.done)),
        late=tuple(one for one in named.values() if one not in open_),
        unknown=tuple(unknown),
    )


def _last(marks: Iterable[Mark]) -> Mapping[tuple[str, str], Mark]:
    """The newest stage that each user has entered, by user and policy."""
    found: dict[tuple[str, str], Mark] = {}
    for one in marks:
        before = found.get((one.user, one.policy))
        if before is None or before.entered <= one.entered:
            found[one.user, one.policy] = one
    return found


def _address(mark: Mark) -> str:
    return stage_address(mark.user, mark.policy, mark.stage, mark.episode, None)
