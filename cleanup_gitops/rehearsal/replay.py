"""One policy on the recorded snapshots of a site, day by day, as if it had been in force. Pure.

Each snapshot is planned as a run would plan it, with what the replay itself has changed so far made to it, and with
what it remembers. Nearly everybody is as on the day before, so only those are planned of whom anything can be new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import msgspec

from cleanup_gitops.ledger.compose import run_id
from cleanup_gitops.ledger.memory import lines_of, still_remembered, with_lines
from cleanup_gitops.ledger.past import Past
from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.ledger.record import lines_after
from cleanup_gitops.ledger.remember import Ran
from cleanup_gitops.model.change import TAKING, Action, Change, UserRemove
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Closed, Hold, Mark, Memory, Remembered, Settling
from cleanup_gitops.model.plan import Plan, State
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import make_plan, undone
from cleanup_gitops.planner.assume import assume_user
from cleanup_gitops.planner.lifecycle import Episode, current
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.match import CompiledMatch, Scope, compile_match
from cleanup_gitops.policy.missing import lacking
from cleanup_gitops.rehearsal.ahead import outcomes_of
from cleanup_gitops.rehearsal.hits import Hit, hit_of
from cleanup_gitops.rehearsal.verdicts import Verdicts

_NEVER = date.max
_LEFT_ALONE: frozenset[State] = frozenset({"protected", "exempt", "handed_off", "unknown", "conflict"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What the policy would have done on one recorded UTC day.

    ``matching`` users met its conditions, ``unknown`` ones may have. ``hits`` is how many lost something who had not
    before, or had come back since; ``actions`` are all changes, notices too; ``entered`` and ``closed`` count episodes
    by stage and by why they ended. ``recorded`` seats were in use, and ``seats`` would have been. ``blocked``: what the
    policy names was not there, and it acted on nobody.
    """

    day: date
    matching: int
    unknown: int
    hits: int = 0
    actions: Mapping[Action, int] = field(default_factory=dict)
    entered: Mapping[str, int] = field(default_factory=dict)
    closed: Mapping[str, int] = field(default_factory=dict)
    recorded: int
    seats: int
    blocked: tuple[str, ...] = ()


class Replay:
    """A policy with the site's Protections and Exemptions, moved on by ``day``; ``hits`` are all so far, by day.

    Everything else of the policies is left out, and so is what only says when a policy acts: its schedule, its end,
    that it only reports, acts once, or needs an approval.
    """

    def __init__(self, policy: Policy, policies: SitePolicies) -> None:
        self.policy = enforced(policy)
        self.hits: list[Hit] = []
        self._policies = replace(
            policies, policies=(self.policy,), rosters=(), groups=(), overrides=(), tests=(), notifications=None
        )
        self._exempt = {one.account for one in policies.exemptions}
        self._verdicts = Verdicts(policy.match)
        first = self.policy.stages[0] if self.policy.stages else None
        self._waits = first is not None and first.when is not None
        """Whether somebody may meet the conditions and yet enter the first stage on a later day."""
        self._open: dict[str, Hit] = {}
        self._made: dict[str, list[tuple[date, Sequence[Change]]]] = {}
        self._freed: set[str] = set()
        self._lines: dict[str, list[Remembered]] = {}
        self._next: dict[str, date] = {}
        self._calendar: dict[date, set[str]] = {}
        self._blocked: tuple[str, ...] = ()
        self.spared: dict[str, tuple[State, str]] = {}
        """Those who met the conditions on some day and were left alone when last looked at: what became of them."""
        self._open_episodes: set[str] = set()

    @property
    def met(self) -> Mapping[str, bool | None]:
        """Who met the conditions on the newest day (True), or may have (None)."""
        return self._verdicts.met

    def day(self, past: Past) -> Replayed:
        """The policy on the newest snapshot, which is of a later day than the one before."""
        day = past.as_of.astimezone(UTC).date()
        site = _site(past)
        compiled = compile_match(self.policy.match, Scope(past.as_of, site))
        for account in past.changed:
            if account not in past:
                self._forget(account, day)
        back = self._look(past, day)
        recorded = past.manifest.counts.seats
        if compiled.missing:
            blocked = (lacking(compiled.missing),)
            seats = recorded - self._count_freed(past, back, site)
            return Replayed(day=day, matching=0, unknown=len(past), recorded=recorded, seats=seats, blocked=blocked)
        new = self._ask(past, compiled)
        looked = back | new | self._due(past, day) | set(self._administrators(past))
        plan = self._run(past, site, looked, day)
        if plan is not None:
            self._blocked = tuple(one.partition(": ")[2] for one in plan.blocked)
            self._spare(plan)
        seats = recorded - self._count_freed(past, looked, site)
        met = Counter(self.met.values())
        return self._told(
            plan,
            Replayed(
                day=day,
                matching=met[True],
                unknown=met[None],
                recorded=recorded,
                seats=seats,
                blocked=self._blocked if met[True] else (),
            ),
        )

    def _spare(self, plan: Plan) -> None:
        for account, found in plan.dispositions.items():
            if found.state in _LEFT_ALONE and self.met.get(account):
                self.spared[account] = found.state, found.reason
            else:
                self.spared.pop(account, None)

    # -- the record --------------------------------------------------------------------------------

    def _forget(self, account: str, day: date) -> None:
        """The account is gone, and what the replay knew of it."""
        if hit := self._open.get(account):
            hit.look(None, day)
        self._lines.pop(account, None)
        self._next.pop(account, None)
        self._open_episodes.discard(account)
        self._made.pop(account, None)
        self._freed.discard(account)

    def _look(self, past: Past, day: date) -> set[str]:
        """What the snapshot tells of those who were hit. Who came back gets back what was taken; returns these."""
        back: set[str] = set()
        for account, hit in self._open.items():
            if account in past.changed or account in past.moving:
                hit.look(past.user(account), day)
                if hit.back is not None:
                    back.add(account)
            else:
                hit.before = day
        for account in back:
            del self._open[account]
            self._made.pop(account, None)
        return back

    def _ask(self, past: Past, compiled: CompiledMatch) -> set[str]:
        """Ask everybody of whom the answer may be another one; returns those with whom something may be new by that."""
        come, gone = self._verdicts.ask(past, compiled)
        met = self.met
        again = {one for one in (*past.changed, *self._exempt) if met.get(one)}
        if self._waits:
            again |= {one for one, meets in met.items() if meets and one not in self._lines}
        return come | again | {one for one in gone if one in self._lines}

    def _due(self, past: Past, day: date) -> set[str]:
        """Those with something remembered of whom the day, or a changed row, may bring something new."""
        found = past.changed & self._next.keys()
        for one in [one for one in self._calendar if one <= day]:
            found |= {account for account in self._calendar.pop(one) if self._next.get(account) == one}
        if past.moving:
            found |= {one for one in self._open_episodes if one in past.moving}
        return found

    # -- the run -----------------------------------------------------------------------------------

    def _shown(self, account: str, past: Past, site: Inventory) -> User | None:
        """The account as it would be, with all that the replay has changed; ``None`` when it was removed."""
        user = past.user(account)
        if user is None:
            return None
        for day, changes in self._made.get(account, ()):
            if any(isinstance(one, UserRemove) for one in changes):
                return None
            before, user = user, assume_user(user, changes, site)
            if user.status != before.status:
                at = datetime.combine(day, datetime.min.time(), UTC)
                user = msgspec.structs.replace(user, status_by=at, status_after=at, status_since=None)
        return user

    def _run(self, past: Past, site: Inventory, looked: Collection[str], day: date) -> Plan | None:
        """Plan and carry out what concerns these accounts, and remember it; ``None`` when there are none."""
        shown = {one: user for one in sorted(looked) if (user := self._shown(one, past, site)) is not None}
        if not shown:
            return None
        now = past.as_of
        inventory = _site(past, shown.values())
        memory = with_lines(BLANK, [line for one in shown for line in self._lines.get(one, ())])
        plan = make_plan(inventory, self._policies, memory, created=now, as_of=now, tool_version="")
        by_user: dict[str, list[Change]] = {}
        for change in plan.changes:
            by_user.setdefault(change.user, []).append(change)
        after = []
        for account, user in shown.items():
            own = by_user.get(account, ())
            if own:
                self._made.setdefault(account, []).append((day, own))
                self._hit(past, account, own, now)
            after.append(assume_user(user, own, inventory) if own else user)
        self._remember(plan, memory, inventory, msgspec.structs.replace(inventory, users=tuple(after)), shown)
        return plan

    def _administrators(self, past: Past) -> Iterator[str]:
        """Whoever counts for the question whether a plan leaves any administrator, where it may take one."""
        if self.policy.include_admins:
            users = (past.user(account) for account in (*past.settled, *past.moving))
            yield from (user.id for user in users if user is not None and user.admin)

    def _hit(self, past: Past, account: str, changes: Iterable[Change], now: datetime) -> None:
        taken = [one for one in changes if one.action in TAKING]
        user = past.user(account)
        if not taken or user is None:
            return
        hit = self._open.get(account)
        if hit is None:
            hit = self._open[account] = hit_of(user, now)
            self.hits.append(hit)
        for one in taken:
            hit.actions.setdefault(one.action, now.astimezone(UTC).date())

    def _remember(
        self, plan: Plan, memory: Memory, inventory: Inventory, after: Inventory, accounts: Iterable[str]
    ) -> None:
        """What a run leaves about these accounts, and when each of them has to be looked at again."""
        now = plan.created
        ran = Ran(
            run=run_id(now, plan.envelope),
            at=now,
            envelope=plan.envelope,
            outcomes=outcomes_of(plan.changes, now),
            noticed=undone(inventory, self._policies, memory, created=now),
        )
        lines = still_remembered(lines_after(lines_of(memory), ran, plan, Terms(), {}, after), now)
        for account in accounts:
            self._lines.pop(account, None)
            self._next.pop(account, None)
            self._open_episodes.discard(account)
        for line in lines:
            if (account := getattr(line, "user", "")) in plan.dispositions:
                self._lines.setdefault(account, []).append(line)
        for account in accounts:
            if own := self._lines.get(account):
                meets = self.met.get(account), account in self._made
                due = self._next[account] = self._next_day(own, *meets)
                self._calendar.setdefault(due, set()).add(account)
                if any(isinstance(line, Mark) for line in own):
                    self._open_episodes.add(account)

    def _next_day(self, lines: Sequence[Remembered], met: bool | None, given: bool) -> date:  # noqa: FBT001 - facts
        """The UTC day on which something may become new by itself; one that is over: on every day.

        ``met`` is what the conditions say of the user as recorded; ``given``: the replay has changed something.
        """
        days = [line.until + timedelta(days=1) for line in lines if isinstance(line, Hold)]
        marks = tuple(line for line in lines if isinstance(line, Mark))
        if marks:
            _, entered, due = current(self.policy.stages, Episode(marks))
            days.append(date.min if entered or due is None else due)
        for line in lines:
            # After an episode another one may open, and after one that is done not before the user once did not match.
            ended = isinstance(line, Closed) and (not met if line.why == "done" else bool(met) or given)
            if ended or isinstance(line, Settling):
                days.append(date.min)
        return min(days, default=_NEVER)

    # -- counting ----------------------------------------------------------------------------------

    def _count_freed(self, past: Past, looked: Iterable[str], site: Inventory) -> int:
        """How many paid seats are in use by the record that would not be."""
        for account in {*looked, *(self._made.keys() & past.changed)}:
            user = past.user(account)
            self._freed.discard(account)
            if user is not None and user.billed and account in self._made:
                shown = self._shown(account, past, site)
                if shown is None or not shown.billed:
                    self._freed.add(account)
        return len(self._freed)

    def _told(self, plan: Plan | None, day: Replayed) -> Replayed:
        if plan is None:
            return day
        return replace(
            day,
            hits=sum(1 for one in self._hits_of(day.day)),
            actions=Counter(one.action for one in plan.changes),
            entered=Counter(row.stage for row in plan.lifecycle if row.what == "entered"),
            closed=Counter(str(row.reason) for row in plan.lifecycle if row.what == "closed"),
        )

    def _hits_of(self, day: date) -> Iterator[Hit]:
        for hit in reversed(self.hits):
            if hit.day != day:
                return
            yield hit


def _site(past: Past, users: Iterable[User] = ()) -> Inventory:
    """The site with these users alone: how many seats are left for others cannot be told of some."""
    return msgspec.structs.replace(past.inventory(users), seat_limit=None)


def enforced(policy: Policy) -> Policy:
    """The policy as if it acted on every day, at any time, as soon as it can."""
    return replace(policy, report=False, once=False, until=None, schedule=None, before_billing=None, standing=None)
