"""What must hold after every step, whatever happened: judged by the sandbox's world and by the record alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import FINISHED, Outcome
from cleanup_gitops.runner import Run
from tests.machine.effects import STATUS, What
from tests.machine.house import House


@dataclass(frozen=True)
class Act:
    """One apply: the approval it had, what its intent claimed, and what was spent under that approval before."""

    approval: str
    rows: Mapping[What, str]
    """Digests of the claimed changes, by what each brings about."""
    spent: frozenset[str]
    rollback: bool
    """Whether it took a run back: then administrators and the exempt may get back what they had."""


def brought(change: Change) -> list[What]:
    """What a change brings about."""
    return [(change.address, name, value) for name, value in change.after.items()]


@dataclass
class Trail:
    """What was seen of one house so far."""

    house: House
    acts: dict[int, Act] = field(default_factory=dict)
    _judged: int = 0
    _done: Counter[tuple[str, What]] = field(default_factory=Counter)

    # -- around one apply ----------------------------------------------------------------------------

    def begin(self) -> int:
        """An act begins; the commits so far."""
        self.house.effects.act += 1
        return len(self.house.books.history()[0])

    def end(self, commits: int, saved: Plan | None, spent: Mapping[str, frozenset[str]]) -> None:
        """The apply of this act is over, however it ended: what it claimed was approved, and is all it may do."""
        claimed = self.house.books.claimed(commits)
        assert len(claimed) <= 1, "one apply claimed twice"
        for intent, rows in claimed:
            assert saved is None or set(rows) <= set(saved.manifest), "claimed what nobody approved"
            assert saved is None or intent.approval.ref == saved.envelope
            ref = intent.approval.ref
            wanted = {what: key for key, change in rows.items() for what in brought(change)}
            undoes = saved is not None and saved.rollback is not None
            self.acts[self.house.effects.act] = Act(ref, wanted, spent.get(ref, frozenset()), undoes)
        if not claimed:
            assert not self.house.effects.accepted[self.house.effects.act], "something was written without an intent"

    def spent(self) -> dict[str, frozenset[str]]:
        """Digests of spent rows by approval, as recorded."""
        return {one.envelope: frozenset(one.rows) for one in memory_of(self.house.books.files()).consumed}

    def runs(self) -> list[str]:
        """All runs that are recorded, oldest first."""
        tail = read_tail(self.house.books.files())
        return [entry.run for entry in tail.entries if entry.kind in ("run", "recovery")] if tail else []

    def open_runs(self) -> list[str]:
        """Runs that hold a lease."""
        return [str(json.loads(data)["run"]) for data in self.house.books.leases().values()]

    def outsider(self, account: str) -> None:
        """Somebody else changed the user: what we did before may have been undone."""
        for approval, what in [one for one in self._done if account in one[1][0]]:
            del self._done[approval, what]

    # -- invariants ----------------------------------------------------------------------------------

    def judge(self) -> None:
        """Nobody was touched who may not be, nothing was done that was not approved, and nothing twice."""
        news, self._judged = self.house.effects.found[self._judged :], len(self.house.effects.found)
        for effect in news:
            act = self.acts.get(effect.act)
            given = all(value in (True, "active") for _, _, value in effect.what)
            allowed = act is not None and act.rollback and given and effect.shielded in ("an administrator", "exempt")
            assert not effect.shielded or allowed, f"{effect.user} was touched: {effect.shielded}"
            assert act is not None, f"a write outside of any apply: {effect}"
            for what in effect.what:
                assert what in act.rows, f"{what} was not approved"
                assert act.rows[what] not in act.spent, f"{what} was spent under this approval before"
                self._done[act.approval, what] += 1
                assert self._done[act.approval, what] == 1, f"{what} was done twice under one approval"

    def record_is_whole(self) -> None:
        """The whole history fits, and at most one run is open."""
        verdict = self.house.books.verdict()
        nothing_yet = not verdict.commits
        findings = [one for one in verdict.findings if not (nothing_yet and one.what.startswith("nothing is recorded"))]
        assert not findings, findings
        assert len(self.open_runs()) <= 1
        assert len(verdict.open_runs) == len(self.open_runs())

    # -- after a run that came to its end ------------------------------------------------------------

    def every_row_has_an_end(self, run: Run, saved: Plan | None) -> None:
        """Each approved row has exactly one outcome, was spent before, or is left for later."""
        told = [one.change for one in run.outcomes]
        assert len(told) == len(set(told)), "two outcomes for one change"
        wanted = set(run.plan.manifest) if saved is None else set(saved.manifest)
        before = self.acts.get(self.house.effects.act)
        later = {change_digest(one.change) for one in run.choice.left}
        assert not later & set(told), "an outcome for what is left for later"
        assert set(told) | later | (before.spent if before else wanted) >= wanted, "an approved row without an outcome"

    def spent_or_open(self, approval: str, outcomes: tuple[Outcome, ...]) -> None:
        """A row is spent by what it came to, or may be tried again: never both, never neither."""
        spent = self.spent().get(approval, frozenset())
        for one in outcomes:
            assert (one.change in spent) == (one.result in FINISHED), one

    def snapshot_is_live(self) -> None:
        """The last snapshot says what is so: statuses and memberships, as far as a directory's list goes."""
        recorded = recorded_inventory(self.house.books.files())
        state = self.house.box.state
        listed = {user.id: user for user in state.world.users if user.directories}
        assert {user.id for user in recorded.users} == set(listed)
        for user in recorded.users:
            there = listed[user.id]
            status = state.status(there)
            assert user.status == STATUS.get(status, status), user.id
            assert user.groups is None or set(user.groups) == set(there.groups), user.id

    def nothing_is_left(self) -> None:
        """After everything was carried out: an empty plan, and no drift."""
        plan = self.house.plan()
        assert not plan.changes, [(one.address, one.after) for one in plan.changes]
        files = self.house.books.files()
        drift = drift_of(files, self.house.site.reader.read().inventory, memory_of(files).settling)
        assert drift is not None
        assert not drift.differences
