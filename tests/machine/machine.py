"""A hypothesis state machine: plan, approve, apply, crash, recover, outside changes, faults and time, in any order.

Everything real but time and the place of the record: the planner, runner, ledger and client of the product against a
sandbox over HTTP. What must hold after every step is in `trail`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.errors import CleanupError, LeaseHeldError, StoreError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import WRITTEN
from cleanup_gitops.model.standing import Approvals
from cleanup_gitops.runner import Run, Stop
from cleanup_gitops.runner.desk import UnrecordedError
from cleanup_gitops.runner.workers import Workers
from tests.fake_store import FakeStore
from tests.machine.books import Books, InMemory
from tests.machine.events import DOCUMENTS, FAULTS, OUTSIDE
from tests.machine.house import House, small_world
from tests.machine.mortal import Killed, Life
from tests.machine.standing import Standings
from tests.machine.trail import Trail
from tests.machine.undone import Undone

numbers = st.integers(0, 63)
ends = st.one_of(st.just(0), st.just(0), st.integers(1, 90))
"""At which instant a process dies; 0: it does not."""
deeds = st.tuples(st.sampled_from(sorted(OUTSIDE)), numbers, numbers)


@dataclass(frozen=True)
class Luck:
    """What befalls one apply: at which instant its process dies or is asked to stop (0: not), which push is refused
    (0: none), what others do right after it has read the site, and what goes wrong from its start on.

    ``insists``: nobody mends first what is broken, nor ends a run that was cut off. ``workers``: users at a time.
    """

    ends: int
    stop: int
    refused: int
    meanwhile: list[tuple[str, int, int]]
    faults: list[str]
    insists: bool
    workers: int


soon = st.sampled_from([0, 1, 25])
seldom = st.one_of(st.just(0), st.just(0), st.just(0), st.integers(1, 90))
luck = st.builds(
    Luck,
    ends=ends,
    stop=seldom,
    refused=st.sampled_from([0, 0, 0, 0, 0, 1, 2, 3]),
    meanwhile=st.lists(deeds, max_size=2),
    faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=2),
    insists=st.sampled_from([False, False, False, True]),
    workers=st.sampled_from([1, 1, 4]),
)


class Trust(RuleBasedStateMachine):
    """The product, everybody else, and bad luck."""

    def books(self) -> Books:
        return InMemory()

    @initialize(number=st.integers(1, 5))
    def open(self, number: int) -> None:
        self.house = House(self.books(), small_world(number)).__enter__()
        self.trail = Trail(self.house)
        self.standings = Standings(self.house)
        self.undone = Undone(self.house)
        self.entries = 0
        """How much of the record was read."""
        self.saved: list[Plan] = []
        self.kept: bytes | None = None
        self.quiet = True
        """No fault is in force and nothing shows late."""

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.__exit__()

    # -- the product -----------------------------------------------------------------------------

    @rule()
    def plan(self) -> None:
        self._plan()

    def _plan(self) -> None:
        self.house.effects.act += 1
        try:
            self.saved = [*self.saved, self.house.plan()][-4:]
        except CleanupError:
            assert not self.quiet
        self._wrote_nothing()

    @rule(luck=luck, which=numbers)
    def apply_what_was_approved(self, luck: Luck, which: int) -> None:
        if not self.saved:
            self._plan()
        if self.saved:
            self._apply(self.saved[-1 - which % len(self.saved)], luck)

    @rule(luck=luck)
    def plan_and_apply(self, luck: Luck) -> None:
        self._plan()
        if self.saved:
            self._apply(self.saved[-1], luck)

    @rule(luck=luck, which=numbers)
    def roll_back(self, luck: Luck, which: int) -> None:
        """What some run did is taken back, by a plan that is approved and applied as any other."""
        runs = self.trail.runs()
        self.house.effects.act += 1
        try:
            undo = self.house.plan(undoing=runs[which % len(runs)]) if runs else None
        except CleanupError:
            undo = None  # it did nothing, or the site cannot be read now
        self._wrote_nothing()
        if undo is not None:
            self.saved = [*self.saved, undo][-4:]
            self._apply(undo, luck)

    @rule(luck=luck)
    def apply_at_once(self, luck: Luck) -> None:
        self._apply(None, luck)

    @rule(luck=luck, hours=st.lists(st.sampled_from([1, 1, 25, 25]), min_size=1, max_size=4))
    def apply_standing(self, luck: Luck, hours: list[int]) -> None:
        """Scheduled runs: each does what is approved as a whole, has waited long enough and fits into its day."""
        for pause in hours:
            self.house.clock.sleep(3600 * pause)
            self._apply(None, luck, standing=True)
            self.standings.judge()

    @rule(number=numbers, rewritten=st.booleans(), approves=st.sampled_from([True, True, False]))
    def somebody_decides_about_a_policy(self, number: int, rewritten: bool, approves: bool) -> None:
        self.standings.decide(number, rewritten=rewritten, approves=approves)

    def _apply(self, saved: Plan | None, luck: Luck, *, standing: bool = False) -> None:
        if not luck.insists:
            self._calm()
            self._recover(Life(), self.kept)
        self._go_wrong(luck.faults)
        self._read_the_record()
        spent, was_open, commits = self.trail.spent(), self.trail.open_runs(), self.trail.begin()
        run, error = self._run(saved, luck, self.standings.approvals() if standing else None)
        self.trail.end(commits, saved, spent)
        self._judge_claims(commits, standing=standing)
        self._read_the_record()
        if was_open:
            assert isinstance(error, LeaseHeldError | StoreError | Killed), "a second run while one is open"
            assert self.trail.open_runs() == was_open
        if isinstance(error, UnrecordedError):
            self.kept = error.run.record.files[f"runs/{error.run.id}/outcomes.jsonl"]
            self.trail.every_row_has_an_end(error.run, saved)
        elif isinstance(error, CleanupError):
            assert was_open or not isinstance(error, LeaseHeldError), "nobody is at work"
            self._wrote_nothing()
        if run is not None:
            self._went_through(run, saved, luck)

    def _read_the_record(self) -> None:
        for entry in self.house.books.entered(self.entries):
            self.standings.entered(entry)
            self.undone.entered(entry)
        self.entries = memory_of(self.house.books.files()).sequence

    def _judge_claims(self, commits: int, *, standing: bool) -> None:
        for intent, rows in self.house.books.claimed(commits):
            plan = self.house.books.plan_of(intent.run)
            assert (intent.approval.kind == "standing") is standing
            if standing:
                planned = dict(zip(plan.manifest, plan.changes, strict=True))
                self.standings.claims(intent, rows, planned, plan.created)
            if plan.rollback is None:
                self.undone.claims(rows)

    def _run(
        self, saved: Plan | None, luck: Luck, standing: Approvals | None
    ) -> tuple[Run | None, CleanupError | Killed | None]:
        """What came of one process."""
        stop, store = Stop(), self.house.books.open()
        life = Life(luck.ends, {luck.stop: stop.ask} if luck.stop else None)
        if isinstance(store, FakeStore) and luck.refused:
            store.broken["commit"] = [*([None] * (luck.refused - 1)), StoreError("The push was refused.")]
        try:
            run = self.house.apply(
                saved,
                life,
                lambda: self._outside(luck.meanwhile),
                store=store,
                stop=stop,
                workers=Workers(luck.workers),
                standing=standing,
            )
        except (CleanupError, Killed) as error:
            return None, error
        return run, None

    def _went_through(self, run: Run, saved: Plan | None, luck: Luck) -> None:
        self.trail.every_row_has_an_end(run, saved)
        self.trail.spent_or_open(run.approval.ref, run.outcomes)
        assert not self.trail.open_runs(), "a run that is through holds a lease"
        if not luck.meanwhile or any(one.result in WRITTEN for one in run.outcomes):  # then the site was read again
            self._as_recorded(run.unread)
        done = {one.result for one in run.outcomes} <= {"applied", "already"}
        others = run.choice.not_approved or run.choice.left
        if done and self.quiet and not luck.meanwhile and not run.unread and not others:
            self.trail.nothing_is_left()

    def _wrote_nothing(self) -> None:
        """What only reads, or was refused, sends no write."""
        assert not self.house.effects.accepted[self.house.effects.act]

    def _as_recorded(self, unread: str) -> None:
        if not unread and not len(self.house.box.state.late):
            self.trail.snapshot_is_live()

    @rule(ends=ends, again=st.integers(0, 2), with_kept=st.booleans(), elsewhere=st.booleans())
    def recover(self, ends: int, again: int, with_kept: bool, elsewhere: bool) -> None:
        """End a run that was cut off, if there is one; a process that recovers may die as well, and another goes on."""
        open_ = self.trail.open_runs()
        if not open_ and not again:
            self._plan()
            return
        self.house.effects.act += 1
        run = self._recover(Life(ends), self.kept if with_kept else None, elsewhere=elsewhere)
        self._once_only(run, again)
        self._wrote_nothing()

    def _recover(self, life: Life, kept: bytes | None, *, elsewhere: bool = False) -> str:
        """End the run that is open; its name, or one that nobody ever ran."""
        open_ = self.trail.open_runs()
        run = open_[0] if open_ else "20260101T000000Z-0000"
        if not open_:
            return run
        try:
            found = self.house.recover(run, life, kept, elsewhere=elsewhere)
        except Killed:
            assert life.dead
        except CleanupError:
            assert not self.quiet
        else:
            self.trail.spent_or_open(found.intent.approval.ref, found.outcomes)
            self._as_recorded("")
        if not self.trail.open_runs():
            self.kept = None
        return run

    def _once_only(self, run: str, times: int) -> None:
        """A run that was ended is not ended again."""
        if self.trail.open_runs():
            return
        before = len(self.house.books.history()[0])
        for _ in range(times):
            try:
                self.house.recover(run)
            except CleanupError:
                continue
            raise AssertionError("a run was ended twice")
        assert len(self.house.books.history()[0]) == before

    # -- everybody else ----------------------------------------------------------------------------

    def _outside(self, what: list[tuple[str, int, int]]) -> None:
        for deed, who, number in what:
            account = self._somebody(who)
            if account == self.house.world.credentials.runner_account and deed in ("vanishes", "is suspended"):
                continue  # nobody can work with the credentials of an account that is gone
            self.trail.outsider(account)
            self.undone.outsider(account)
            OUTSIDE[deed](self.house, account, number)

    def _somebody(self, who: int) -> str:
        """Anybody, and mostly somebody whom the last plan was about."""
        planned = sorted({change.user for plan in self.saved[-1:] for change in plan.changes})
        if planned and who % 4:
            return planned[who % len(planned)]
        return self.house.world.users[who % len(self.house.world.users)].id

    @rule(number=st.integers(0, 4), luck=luck, how=st.sampled_from(["saved", "at once", "standing"]), hours=soon)
    def somebody_undoes_it_and_a_run_comes_again(self, number: int, luck: Luck, how: str, hours: int) -> None:
        """What was done last to somebody is undone by hand; the plan is handed in once more, or a run plans anew."""
        if not self.house.effects.found:
            self._plan()
            return
        done = self.house.effects.found[-1 - number % len(self.house.effects.found)]
        self._read_the_record()
        known = self.undone.known(done.what)
        self.trail.outsider(done.user)
        self.undone.outsider(done.user)
        for address, field, value in done.what:
            if field == "member":
                group = address.split("/")[1]
                self.house.happens(done.user, **{"remove_groups" if value else "add_groups": [group]})
            elif field == "status":
                self.house.happens(done.user, status="active")
        self.undone.took_back(done.user, known)
        self.house.clock.sleep(3600 * hours)
        if self.saved or how != "saved":
            self._apply(self.saved[-1] if how == "saved" else None, luck, standing=how == "standing")

    @rule(what=st.lists(deeds, min_size=1, max_size=3))
    def others_act(self, what: list[tuple[str, int, int]]) -> None:
        self._outside(what)

    @rule(document=st.sampled_from(sorted(DOCUMENTS)), who=numbers, number=st.integers(0, 40))
    def policies_are_edited(self, document: str, who: int, number: int) -> None:
        DOCUMENTS[document](self.house, self._somebody(who), number)

    @rule(hours=st.sampled_from([1, 1, 20, 80, 24 * 8, 24 * 40]))
    def time_passes(self, hours: int) -> None:
        self.house.clock.sleep(3600 * hours)

    # -- bad luck ------------------------------------------------------------------------------------

    @rule(names=st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=3))
    def things_go_wrong(self, names: list[str]) -> None:
        self._go_wrong(names)

    def _go_wrong(self, names: list[str]) -> None:
        if names:
            self.quiet = False
            self.house.disturb([FAULTS[name] for name in names])

    @rule()
    def all_is_well_again(self) -> None:
        self._calm()

    def _calm(self) -> None:
        self.house.calm()
        self.quiet = True

    # -- what must hold --------------------------------------------------------------------------------

    @invariant()
    def nothing_happened_that_must_not(self) -> None:
        if hasattr(self, "trail"):
            self.trail.judge()
            self.standings.judge()

    @invariant()
    def the_record_is_whole(self) -> None:
        if hasattr(self, "trail"):
            self.trail.record_is_whole()
