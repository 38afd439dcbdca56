"""One user against all rules: what becomes of the user, and which changes and handoffs follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.plan import Disposition, Pending
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.access import becomes_guest
from cleanup_gitops.planner.build import also_asked, build
from cleanup_gitops.planner.courses import NO_EPISODES, Course, Episodes, waits_before
from cleanup_gitops.planner.declared import NOTHING_DECLARED, Declared
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.fate import UNCHANGED, Fate, names
from cleanup_gitops.planner.grace import waiting
from cleanup_gitops.planner.holds import NO_HOLDS, Held, Holds, wait_for
from cleanup_gitops.planner.joining import NO_JOINING, Joining
from cleanup_gitops.planner.leavers import as_a_whole, leaver_spared, with_deadline
from cleanup_gitops.planner.open_facts import open_facts
from cleanup_gitops.planner.protect import Shield, kind_protection, speakable
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import Settled, class_that_decides, completions, could_decide, settle, unblocked
from cleanup_gitops.planner.shortlist import Shortlist
from cleanup_gitops.planner.trial import with_trial
from cleanup_gitops.planner.unmet import Obstacle, Step, Unmet
from cleanup_gitops.policy.match import Scope


def _nowhere(settled: Settled, user: User) -> list[Rule]:
    """The rules that want the user in a group that the user's directory does not have."""
    return [rule for rules in settled.asked.values() for rule in rules if rule.unreachable(user)]


def _waits(rule: Rule, held: Mapping[str, Held]) -> bool:
    """Whether the rule asks and nothing is done for it now: its policy is on hold, or its group is not adopted."""
    return rule.adopting or rule.name in held


def _all_wait(settled: Settled, step: Step, held: Mapping[str, Held]) -> bool:
    """Whether only rules that wait ask for the step."""
    return all(_waits(rule, held) for rule in settled.asked[step.requirement])


def _adopts(settled: Settled, step: Step) -> bool:
    """Whether a group that is not adopted yet is among the reasons why the step waits."""
    return any(rule.adopting for rule in settled.asked[step.requirement])


def without(settled: Settled, held: Mapping[str, Held]) -> Settled:
    """The same, asked by the rules alone that do not wait.

    Which policy wins is not asked again: one on hold goes on sparing the user harsher ones.
    """
    free = {asked: tuple(rule for rule in rules if not _waits(rule, held)) for asked, rules in settled.asked.items()}
    return replace(settled, asked=free)


def _untouched(user: User, rules: tuple[Rule, ...], scope: Scope) -> Fate:
    """Nobody asks anything; say so when a ``none`` part is the only reason (an exclusion wins), or the grace period."""
    excluded = [rule for rule in rules if rule.included and rule.included(user)]
    if excluded:
        return Fate(Disposition("unchanged", "excluded", names(excluded)))
    new = waiting(user, rules, scope.as_of)
    if new:
        policy, days = new
        return Fate(Disposition("unchanged", "new", (policy,), f"{days} day{'s' if days > 1 else ''} left"))
    return UNCHANGED


NOT_ADOPTED = "the group is not adopted yet: at first a plan only adds to it"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that is needed to decide about any user of one inventory."""

    rules: tuple[Rule, ...]
    shield: Shield
    scope: Scope
    shortlist: Shortlist
    holds: Holds = NO_HOLDS
    leavers: bool = False
    """Whether any rule ends the access of people who leave."""
    courses: tuple[Course, ...] = ()
    """The policies with stages; each has a rule for every stage, and one for while it waits."""
    episodes: Episodes = NO_EPISODES
    """Where users stand in the stages of policies, those included that are gone."""
    declared: Declared = NOTHING_DECLARED
    """Groups whose members are declared; their rules are among ``rules``."""
    joining: Joining = NO_JOINING
    """What becomes of people who begin."""

    def fate(self, user: User) -> Fate:
        """The first disposition that applies: a leaver nobody may touch, then in the order of ``model.plan.STATES``."""
        return self._with_deadline(user, self._fate(user, trials=True))

    def without_trials(self, user: User) -> Fate:
        """The same, as if the policies that only report were not there."""
        return self._with_deadline(user, self._fate(user, trials=False))

    def _with_deadline(self, user: User, fate: Fate) -> Fate:
        return with_deadline(fate, user, self.rules, self.scope) if self.leavers else fate

    def _fate(self, user: User, *, trials: bool) -> Fate:
        if self.leavers and (leaver := leaver_spared(user, self.rules, self.shield, self.scope)):
            return leaver
        shielded = self._shielded(user)
        if shielded:
            return shielded
        rules = self.shortlist(user)
        if user.admin or user.kind != "person":
            rules = speakable(user, rules)
        verdicts = [(verdict, rule) for rule in rules if (verdict := rule.verdict(user)) is not False]
        if not verdicts:  # nearly everybody
            return self._unasked(user, rules)
        enforced = [(verdict, rule) for verdict, rule in verdicts if not rule.report]
        found = self._settled(user, enforced) if enforced else self._unasked(user, rules)
        if len(enforced) == len(verdicts) or not trials:
            return found
        return with_trial(found, self._settled(user, verdicts), [rule for _, rule in verdicts if rule.report])

    def _settled(self, user: User, verdicts: Sequence[tuple[bool | None, Rule]]) -> Fate:
        """What becomes of a user for whom these rules say yes or unknown."""
        known = unblocked([rule for verdict, rule in verdicts if verdict])
        open_ = [rule for verdict, rule in verdicts if verdict is None]
        unknown = could_decide(open_, known)
        deciding = [*class_that_decides(known), *unknown]
        blocked = [rule for rule in deciding if rule.missing]
        if blocked:
            return Fate(Disposition("conflict", "blocked", names(blocked)))
        if user.groups is None and any(rule.about_groups for rule in deciding):
            return Fate(Disposition("unknown", "groups-unknown", names([*known, *unknown])))
        return self._decide(user, known, unknown)

    def decidable(self, user: User) -> bool:
        """Whether every group of the user was there when the inventory was read."""
        return not user.groups or self.scope.inventory.group_by_id.keys() >= set(user.groups)

    def spares(self, user: User) -> bool:
        """Whether no policy can touch the user, who is protected or exempt."""
        return self.shield.protection(user) is not None or user.id in self.shield.exempt

    def forbids(self, user: User, policies: Iterable[str]) -> bool:
        """Whether the user is protected by now against these policies, or exempt."""
        if self.spares(user):
            return True
        asking = set(policies)
        named = [rule for rule in self.rules if rule.name in asking]
        return len(speakable(user, named)) < len(named)

    def _shielded(self, user: User) -> Fate | None:
        protection = self.shield.protection(user)
        if protection:
            reason, document = protection
            return Fate(Disposition("protected", reason, self._would_match(user), document))
        if user.admin or user.kind != "person":
            spoken = speakable(user, self.shortlist(user))
            if not any(rule.verdict(user) is not False for rule in spoken):
                return Fate(Disposition("protected", kind_protection(user), self._would_match(user)))
        entry = self.shield.exempt.get(user.id)
        if entry:
            note = f"{entry.reason} until {entry.until.isoformat()}"
            return Fate(Disposition("exempt", entry.reason, self._would_match(user), note))
        return None

    def _would_match(self, user: User) -> tuple[str, ...]:
        return names([rule for rule in self.shortlist(user) if rule.verdict(user)])

    def _unasked(self, user: User, rules: tuple[Rule, ...]) -> Fate:
        """Nobody asks anything. Of somebody whom a policy would leave alone that is said all the same, with the day."""
        held = self.holds.by_user.get(user.id)
        if held:
            longest = max(held.values(), key=lambda one: one.order)
            return Fate(Disposition("unchanged", longest.reason, tuple(sorted(held)), longest.note))
        stuck = self._stuck(user) if self.courses else None
        return stuck or _untouched(user, rules, self.scope)

    def _stuck(self, user: User) -> Fate | None:
        """Somebody whose next stage is due and does not ask: its condition does not hold, or its notice came back."""
        stuck = [course for course in self.courses if course.stuck(user)[0]]
        if not stuck:
            return None
        told = ", ".join(waits_before(*course.stuck(user)) for course in stuck)
        return Fate(
            Disposition("unchanged", _stuck_reason(stuck, user), tuple(course.policy.name for course in stuck), told)
        )

    def _decide(self, user: User, known: list[Rule], unknown: list[Rule]) -> Fate:
        settled = settle(known, user)
        made = () if settled.conflict else steps(settled, user, self.scope.inventory)
        if unknown and self._open(user, known, unknown, settled, made):
            note = open_facts(unknown, user, self.scope)
            return Fate(Disposition("unknown", "policy-undecided", names(unknown), note))
        if settled.conflict:
            return Fate(Disposition("conflict", "policies-disagree", names(settled.parties), settled.conflict))
        nowhere = _nowhere(settled, user)
        if not settled.asked and not settled.waits:  # a group elsewhere may be all that a policy wants
            lost = {rule for rule, _ in settled.listed}
            nowhere = [rule for rule in known if rule not in lost and rule.unreachable(user)]
        if nowhere:
            return Fate(Disposition("conflict", "group-not-in-directory", names(nowhere)))
        obstacles = sorted(
            (one for one in made if isinstance(one, Obstacle)),
            key=lambda one: (one.state, one.reason),
        )
        for one in obstacles:
            askers = settled.asked[one.requirement] if one.requirement else settled.access
            return Fate(Disposition(one.state, one.reason, names(askers), one.note))
        todo = [one for one in made if isinstance(one, Step)]
        return self._carry_out(user, settled, as_a_whole(todo, settled))

    def _carry_out(self, user: User, settled: Settled, made: list[Step]) -> Fate:
        asking = {rule for rules in settled.asked.values() for rule in rules}
        askers, note = names(asking), also_asked(settled)
        leaves = any(rule.termination for rule in asking)
        held = self.holds.of_leaver(user.id) if leaves else self.holds.of(user.id)
        later: list[Step] = []
        some = held or any(rule.adopting for rule in asking)
        if some and (later := [step for step in made if _all_wait(settled, step, held)]):
            made = [step for step in made if step not in later]
            if obstacle := becomes_guest(made, user, self.scope.inventory):
                return Fate(Disposition(obstacle.state, obstacle.reason, askers, obstacle.note))
        changes, handoffs = build(made, without(settled, held) if some else settled, user, self.scope)
        changes = [self._with_returns(one) for one in changes]
        pending = self._later(user, settled, later, held) if later else []
        if changes:
            return Fate(Disposition("changed", "changed", askers, note), changes, handoffs, pending)
        if handoffs:
            return Fate(Disposition("handed_off", handoffs[0].reason, askers, note), [], handoffs, pending)
        if later and any(_adopts(settled, step) for step in later):
            return Fate(Disposition("pending", "adopt", askers, NOT_ADOPTED), [], [], pending)
        if later:
            longest = max((held[name] for name in askers if name in held), key=lambda one: one.order)
            return Fate(Disposition("pending", longest.reason, askers, longest.note), [], [], pending)
        if told := [text for rule in settled.waits if (text := rule.why(user, self.scope))]:
            courses = [course for course in self.courses if course.waiting in settled.waits]
            note = "; ".join(filter(None, (*told, note)))
            if all(course.stuck(user)[0] for course in courses):
                return Fate(Disposition("unchanged", _stuck_reason(courses, user), names(settled.waits), note))
            return Fate(Disposition("pending", "waiting-stage", names(settled.waits), note))
        return Fate(Disposition("unchanged", "already-so", askers or names(settled.waits), note))

    def _later(self, user: User, settled: Settled, later: list[Step], held: Mapping[str, Held]) -> list[Pending]:
        """The rows that wait: for a hold to end, or for a group to be adopted."""
        new = [step for step in later if _adopts(settled, step)]
        held_up = build([step for step in later if step not in new], settled, user, self.scope)[0]
        adopting = build(new, settled, user, self.scope)[0]
        return [
            *wait_for(held_up, held),
            *(Pending(change=one, reason="adopt", note=NOT_ADOPTED) for one in adopting),
        ]

    def _with_returns(self, change: Change) -> Change:
        """The change, with a note when others have undone the same before."""
        told = self.holds.came_back(change.user, (cause.policy for cause in change.causes))
        return replace(change, note="; ".join(filter(None, (change.note, told)))) if told else change

    def _open(
        self,
        user: User,
        known: list[Rule],
        unknown: list[Rule],
        settled: Settled,
        made: tuple[Unmet, ...],
    ) -> bool:
        """Whether the unknown verdicts could change what is done: then nothing is done."""
        usual = (bool(settled.conflict), frozenset(made), bool(_nowhere(settled, user)))
        for rules in completions(known, unknown):
            other = settle(rules, user)
            steps_of = () if other.conflict else steps(other, user, self.scope.inventory)
            if (bool(other.conflict), frozenset(steps_of), bool(_nowhere(other, user))) != usual:
                return True
        return False


def _stuck_reason(courses: Iterable[Course], user: User) -> str:
    """Why the next stages of a user are due and do not ask."""
    return "undelivered" if any(course.stuck(user)[1] for course in courses) else "stage-condition"
