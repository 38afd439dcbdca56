"""A site from day to day, as our own runs leave it and as long as nobody else changes anything. Writes nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from cleanup_gitops.ledger.compose import run_id
from cleanup_gitops.ledger.memory import baseline_of, lines_of, still_remembered, with_lines
from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.ledger.record import lines_after
from cleanup_gitops.ledger.remember import Ran
from cleanup_gitops.ledger.since import History, first_history
from cleanup_gitops.model.activity import LAG_DAYS, Activity, Never, Seen, cutoff
from cleanup_gitops.model.change import Change, UserInvite, UserRemove, change_digest
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live, Reader
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.model.user import Question, RoleSeat, SeatPath, User
from cleanup_gitops.planner import make_plan, questions, undone
from cleanup_gitops.planner.assume import assume_user, license_of, seat_paths
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import NO_LISTS, Lists


class Ahead:
    """One site with its memory, moved on by ``plan`` and ``carried_out``.

    ``live`` is the site as it told itself, ``history`` what its snapshots know (``None``: there is none yet). The
    reader is asked about single users, once each; an answer is one about the user as read, and what the runs did since
    is made to it as to everything else.

    Use goes on where it was seen in the last ``regular`` days: each day as it was on the day of the reading, so many
    days later, as long as the account is open and has a license. With 0 nobody is seen again.
    """

    def __init__(
        self,
        live: Live,
        policies: SitePolicies,
        memory: Memory,
        history: History | None,
        reader: Reader,
        lists: Lists = NO_LISTS,
        *,
        regular: int = 0,
    ) -> None:
        self.policies = policies
        self.memory = memory
        self._people = live.people
        self._lists = lists
        self._reader = reader
        self._history = history
        self._read = self._base = live.inventory
        self._made: dict[str, list[Sequence[Change]]] = {}
        self._invited: dict[str, User] = {}
        self._gone: set[str] = set()
        self._asked: dict[str, frozenset[Question]] = {}
        self._recorded = False
        self.regular = regular
        self._began: datetime | None = None
        self._days: dict[str, int] = {}
        self._shown: dict[str, User] = {}

    def inventory(self, now: datetime) -> Inventory:
        """The site at this time (UTC), with what snapshots know of it."""
        users = tuple(self._shown[account] for account in sorted(self._shown))
        return replace(self._base, as_of=now, users=users)

    def plan(self, now: datetime) -> tuple[Plan, Inventory]:
        """The plan of a run at this time (UTC), and the site that it was made from."""
        self._began = self._began or now
        if not self._recorded:  # what the last snapshot does not show yet counts from today
            self._show({user.id for user in self._base.users} | self._invited.keys(), now.astimezone(UTC).date())
        self._go_on((now - self._began).days, self._began)
        inventory = self._answered(now)
        plan = make_plan(
            inventory,
            self.policies,
            self.memory,
            created=now,
            as_of=now,
            tool_version="",
            people=self._people,
            lists=self._lists,
        )
        return plan, inventory

    def carried_out(
        self, plan: Plan, inventory: Inventory, outcomes: Sequence[Outcome], changes: Sequence[Change], terms: Terms
    ) -> Inventory:
        """The site after a recorded run that made these changes of the plan. ``plan`` was made from ``inventory``."""
        now, today = plan.created, plan.created.astimezone(UTC).date()
        noticed = undone(inventory, self.policies, self.memory, created=now)
        touched = self._take(changes, now)
        everybody = {user.id for user in self._base.users} | self._invited.keys()
        self._remember(touched if self._recorded else everybody, today)
        # After the first snapshot its history may tell something of everybody.
        self._show(touched if self._recorded else everybody, today)
        self._recorded = True
        after = self.inventory(now)
        ran = Ran(
            run=run_id(now, plan.envelope),
            at=now,
            envelope=plan.envelope,
            outcomes=outcomes,
            noticed=noticed,
            seats=plan.seats.before,
        )
        lines = still_remembered(lines_after(lines_of(self.memory), ran, plan, terms, {}, after), now)
        known = replace(
            self.memory,
            lineage=self.memory.lineage or plan.envelope,
            serial=self.memory.serial + 1,
            baseline=baseline_of(after),
            last={**self.memory.last, "run": now},
        )
        self.memory = with_lines(known, lines)
        return after

    # -- single users ------------------------------------------------------------------------------

    def _show(self, accounts: Iterable[str], today: date) -> None:
        for account in accounts:
            if account in self._gone:
                self._shown.pop(account, None)
                continue
            user = self._told(account)
            shown = self._history.joined(user, today) if self._history else user
            if self._asked_otherwise(account):
                shown = replace(shown, status_by=None, status_after=None)
            self._shown[account] = shown

    def _told(self, account: str) -> User:
        """The user as the site would tell."""
        user = self._invited.get(account) or self._base.user_by_id[account]
        if self._began and (days := self._days.get(account)):
            user = self._later(user, days, self._began)
        for changes in self._made.get(account, ()):
            user = assume_user(user, changes, self._base)
        return user

    def _go_on(self, days: int, began: datetime) -> None:
        """Whoever is usually there is seen again, so many days after the reading."""
        if not (self.regular and days):
            return
        for user in self._base.users:
            shown = self._shown.get(user.id)
            if shown is None or shown.status != "active" or shown.license == "none":
                continue
            later = self._later(user, days, began)
            if later is not user:
                self._days[user.id] = days
                self._shown[user.id] = replace(shown, seen=later.seen, elsewhere=later.elsewhere)

    def _later(self, user: User, days: int, began: datetime) -> User:
        """The user as read, with what was seen lately seen so many days later; the same one where nothing was."""

        def moved(one: Activity) -> Activity:
            if not isinstance(one, Seen) or one.latest < cutoff(began, self.regular, LAG_DAYS[one.source]):
                return one
            return Seen(one.earliest + timedelta(days=days), one.latest + timedelta(days=days), one.source)

        seen = moved(user.seen)
        elsewhere = user.elsewhere and tuple((name, moved(one)) for name, one in user.elsewhere)
        same = seen is user.seen and elsewhere == user.elsewhere
        return user if same else replace(user, seen=seen, elsewhere=elsewhere)

    def _asked_otherwise(self, account: str) -> bool:
        """Whether an answer tells another status than the list of all users: snapshots know of that of the list."""
        if account not in self._asked or account in self._made or account in self._invited:
            return False
        return self._base.user_by_id[account].status != self._read.user_by_id[account].status

    def _remember(self, accounts: Iterable[str], today: date) -> None:
        users = map(self._told, accounts)
        self._history = self._history.following(users, today) if self._history else first_history(users, today)

    def _take(self, changes: Iterable[Change], now: datetime) -> set[str]:
        """These changes are made; the accounts that they are about."""
        by_user: dict[str, list[Change]] = {}
        for change in changes:
            if isinstance(change, UserInvite):
                user = _invited(change, now, self._base)
                self._invited[user.id] = user
                by_user[user.id] = []
            else:
                by_user.setdefault(change.user, []).append(change)
                if isinstance(change, UserRemove):
                    self._gone.add(change.user)  # a site lists the accounts of its directories
        for account, own in by_user.items():
            self._made.setdefault(account, []).append(own)
        return set(by_user)

    # -- questions ---------------------------------------------------------------------------------

    def _answered(self, now: datetime) -> Inventory:
        """The site with the answers to all questions that a plan for this time raises; none is asked twice."""
        inventory = self.inventory(now)
        wanted = self._raised(inventory, now, None)
        while wanted:
            known = {account: asked for account, asked in wanted.items() if account not in self._invited}
            if known:
                self._base = self._reader.ask(self._base, known)
            for account, asked in wanted.items():
                self._asked[account] = self._asked.get(account, frozenset()) | asked
            self._show(wanted, now.astimezone(UTC).date())
            inventory = self.inventory(now)
            wanted = self._raised(inventory, now, wanted)
        return inventory

    def _raised(
        self, inventory: Inventory, now: datetime, accounts: Collection[str] | None
    ) -> Mapping[str, frozenset[Question]]:
        found = questions(
            inventory, self.policies, now, self._people, self._lists, accounts=accounts, memory=self.memory
        )
        return {
            account: new for account, asked in found.items() if (new := asked - self._asked.get(account, frozenset()))
        }


def outcomes_of(changes: Iterable[Change], now: datetime) -> tuple[Outcome, ...]:
    """All of these changes applied, and seen at once."""
    return tuple(
        Outcome(
            address=one.address,
            action=one.action,
            change=change_digest(one),
            user=one.user,
            result="applied",
            at=now,
            before=one.before,
            after=one.after,
            causes=one.causes,
            verified=now,
            account=_account(one) if isinstance(one, UserInvite) else "",
        )
        for one in changes
    )


def _account(invite: UserInvite) -> str:
    """A name for the account that an invitation makes, which only a site can give."""
    return f"invited:{invite.address}"


def _invited(invite: UserInvite, now: datetime, inventory: Inventory) -> User:
    """Somebody who was invited and has not come yet; of the address nothing is known here."""
    seats: tuple[SeatPath, ...] = (
        *(path for group in invite.groups for path in seat_paths(group, inventory)),
        RoleSeat(invite.role),
    )
    return User(
        id=_account(invite),
        directory=invite.directory,
        status="active",
        kind="person",
        license=license_of(seats, inventory),
        synced=False,
        writable=True,
        admin=False,
        added=now,
        seen=Never(now),
        elsewhere=(),
        groups=tuple(sorted(invite.groups)),
        seats=seats,
        direct=(invite.role,),
        roles=(),
        accepted=False,
    )
