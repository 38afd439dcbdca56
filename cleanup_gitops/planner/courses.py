"""Policies with stages, ready to be asked where any user of one inventory stands: one rule for each stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal

from cleanup_gitops.model.activity import LAG_DAYS, Never, Seen, midnight
from cleanup_gitops.model.change import stage_address
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Known
from cleanup_gitops.model.plan import StageRow
from cleanup_gitops.model.requirement import NoticeRequirement
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.effects import taken_back
from cleanup_gitops.planner.holds import Holds, only_listed
from cleanup_gitops.planner.lifecycle import NO_EPISODE, Episode, Facts, Position, Row, position
from cleanup_gitops.planner.protect import Shield
from cleanup_gitops.planner.rules import NOTHING, NOTICE, Rule, Verdict, make_rule
from cleanup_gitops.planner.settle import settle
from cleanup_gitops.planner.unmet import Step
from cleanup_gitops.policy.documents import NOTHING_ASKED, Policy, Stage
from cleanup_gitops.policy.guardrails import DEFAULT_HANDOFF_SLA
from cleanup_gitops.policy.match import Scope, compile_match
from cleanup_gitops.policy.tree import InStatusFor, Match, predicates


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """What counts of earlier runs and of this reading: episodes by user and policy, and who undid what.

    ``undone`` are users and policies. Those of ``unbound`` policies begin anew at once. ``late`` are users of whom
    something that was sent may still show.
    """

    by_user: Mapping[tuple[str, str], Episode] = field(default_factory=dict)
    undone: Collection[tuple[str, str]] = ()
    unbound: Collection[str] = ()
    late: Collection[str] = ()


NO_EPISODES = Episodes()


class Course:
    """One policy with stages, asked about any user on one day."""

    def __init__(
        self,
        policy: Policy,
        scope: Scope,
        shield: Shield,
        holds: Holds,
        episodes: Episodes,
        templates: Mapping[str, str] = MappingProxyType({}),
        handoff_sla: int = DEFAULT_HANDOFF_SLA,
    ) -> None:
        """``templates`` are digests of what notices say, by name; ``handoff_sla`` are days."""
        self.policy = policy
        self._scope = scope
        self._shield = shield
        self._holds = holds
        self._handoff_sla = handoff_sla
        self._episodes = episodes
        self.today = scope.as_of.astimezone(UTC).date()
        self._match = compile_match(policy.match, scope).verdict
        self._whens = [compile_match(one.when, scope).verdict if one.when else _always for one in policy.stages]
        self.episodes = {user: one for (user, name), one in episodes.by_user.items() if name == policy.name}
        bare = [rule_of_stage(policy, stage, scope, templates, self._number) for stage in policy.stages]
        missing = tuple(sorted({one for rule in bare for one in rule.missing}))
        self.blocked = bool(missing)
        self._last: tuple[User, Position] | None = None
        self.stages = tuple(
            replace(
                rule,
                missing=missing,
                verdict=self._asks(number),
                included=None if number else rule.included,
                why=self._why(rule),
                hands_until=self._hands_until(rule.stage),
            )
            for number, rule in enumerate(bare)
        )
        self.waiting = replace(
            make_rule(replace(policy, stages=(), ensure=NOTHING_ASKED), scope),
            level=NOTHING,
            included=None,
            missing=missing,
            verdict=self._waits,
            why=self._until,
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """One for each stage, and the one that asks for nothing while the next stage is not due."""
        return (*self.stages, self.waiting)

    def episode(self, user: str) -> Episode:
        """What is remembered of the user."""
        return self.episodes.get(user, NO_EPISODE)

    def before(self, user: User) -> User:
        """The user without what the episode did."""
        episode = self.episode(user.id)
        return taken_back(user, episode.effects, episode.known, self._scope.inventory) if episode.effects else user

    def position(self, user: User) -> Position:
        """Where the user stands on this day."""
        known = self._last
        if known is not None and known[0] is user:
            return known[1]
        found = self._position(user)
        self._last = (user, found)
        return found

    def stuck(self, user: User) -> tuple[str, date | None]:
        """The stage that is due and does not ask; "" where there is none.

        And the UTC day on which its notice came back (``None``: its own condition does not hold).
        """
        if not self.episode(user.id).open:
            return "", None
        found = self.position(user)
        waits = found.asks is False and found.due is None and not found.rows
        return (self.policy.stages[found.stage].name, found.undelivered) if waits else ("", None)

    def _number(self, user: User) -> int:
        """The episode in which the user is, or would be."""
        return self.position(user).episode

    def rows(self, user: User) -> Iterator[StageRow]:
        """What this day changes about the user's episode."""
        if self.blocked:
            return
        found = self.position(user)
        since = self.episode(user.id).opened or self.today
        for row in found.rows:
            opens = row.what in ("entered", "due") and not self.episode(user.id).open
            yield self._row(user, found.episode, row, since, self._known(user) if opens else None)
        if found.ended and found.rows[-1].reason == "restored" and self.policy.name in self._episodes.unbound:
            fresh = self._anew(user)
            for row in fresh.rows:
                known = self._known(user) if row.what in ("entered", "due") else None
                yield self._row(user, fresh.episode, row, self.today, known)

    def _row(self, user: User, episode: int, row: Row, since: date, known: Known | None) -> StageRow:
        stage = self.policy.stages[row.stage].name
        several = self._scope.inventory.hosting == "datacenter"
        return StageRow(
            address=stage_address(user.id, self.policy.name, stage, episode, user.directory if several else None),
            user=user.id,
            policy=self.policy.name,
            stage=stage,
            episode=episode,
            what=row.what,
            since=since,
            reason=row.reason,
            known=known,
        )

    def _position(self, user: User) -> Position:
        episode = self.episode(user.id)
        found = position(self.policy.stages, episode, self._facts(user, self.before(user), episode), self.today)
        if not (found.ended and found.rows[-1].reason in ("restored", "protected", "exempt")):
            return found
        fresh = self._anew(user)  # what the policy would ask now, and a hold or a protection keeps from the user
        return replace(found, stage=fresh.stage, asks=fresh.asks)

    def _anew(self, user: User) -> Position:
        """Where the user would stand had the episode ended before."""
        number = self.episode(user.id).number
        found = position(self.policy.stages, NO_EPISODE, self._facts(user, user, NO_EPISODE), self.today)
        return replace(found, episode=number + 1)

    def _facts(self, user: User, before: User, episode: Episode) -> Facts:
        spared = self._spared(before)
        open_ = self.blocked or spared is None or (not spared and self._spared(user) != "")
        matches = None if open_ else self._match(before)
        holds = self._holds.of_leaver(user.id) if self.policy.termination else self._holds.of(user.id)
        undone = episode is not NO_EPISODE and (user.id, self.policy.name) in self._episodes.undone
        return Facts(
            matches=matches,
            when=lambda number: self._whens[number](before),
            met=lambda number: is_met(self.stages[number], user, self._scope.inventory),
            returned=lambda number: self._returned(user, episode, number),
            spared=spared or "",
            held=self.policy.name in holds,
            undone=undone or bool(matches and self.policy.termination and self._is_open_again(user, episode)),
        )

    def _is_open_again(self, user: User, episode: Episode) -> bool:
        """Whether what a stage asked for, and was done, is not so any more for certain, whoever had done it."""
        if user.id in self._episodes.late:
            return False
        done = {mark.stage for mark in episode.marks if mark.done}
        stages = [one for one in self.stages if episode.finished or one.stage in done]
        return any(is_unmet(one, user, self._scope.inventory) for one in stages)

    def _spared(self, user: User) -> Literal["", "protected", "exempt"] | None:
        """Whether the policy may not touch the user; ``None`` where a fact is unknown that may protect."""
        policy, protection = self.policy, self._shield.protection(user)
        if protection and protection[0].endswith("-unknown"):
            return None
        if protection or user.kind not in policy.kinds:
            return "protected"
        if user.admin is not False and not policy.include_admins:
            return "protected"
        return "exempt" if user.id in self._shield.exempt else ""

    def _returned(self, user: User, episode: Episode, due: int | None) -> bool:
        """Whether the user was seen for certain on a day after the episode opened, in a product that counts.

        Somebody who leaves does not come back by working on: of terminations the match alone decides.
        """
        if self.policy.termination:
            return False
        when = None if due is None else self.policy.stages[due].when
        products = self.policy.match.products | (when.products if when else frozenset())
        opened = episode.opened
        sightings = (one for product in products for one in user.uses(product) if isinstance(one, Seen))
        return opened is not None and any(one.earliest.date() > opened for one in sightings)

    def _known(self, user: User) -> Known | None:
        """What may not be told any more once a stage has changed the user, as far as the conditions ask for it."""
        asked = [one for match in self.policy.conditions for one in predicates(match)]
        seen = _to_the_week(user.seen) if self.policy.match.products and isinstance(user.seen, Seen | Never) else None
        by = user.status_since or user.status_by if any(isinstance(one, InStatusFor) for one in asked) else None
        return Known(seen=seen, status_by=by.date() if by else None) if seen or by else None

    def _asks(self, number: int) -> Verdict:
        """Whether this stage asks of a user. Almost nobody is in an episode, and is asked about the first one only."""
        match, when, episodes = self._match, self._whens[number], self.episodes

        def verdict(user: User) -> bool | None:
            if user.id not in episodes:
                if number:
                    return False
                fits = match(user)
                return fits if when is _always or fits is False else _both(fits, when(user))
            found = self.position(user)
            return found.asks if found.stage == number and found.due is None else False

        return verdict

    def _hands_until(self, stage: str) -> Callable[[User], datetime]:
        """So many whole days (UTC) after the day on which the stage was entered."""

        def until(user: User) -> datetime:
            entered = (one.entered for one in self.episode(user.id).marks if one.stage == stage and not one.done)
            day = next((at.astimezone(UTC).date() for at in entered), self.today)
            return datetime.combine(day + timedelta(days=self._handoff_sla + 1), time(), UTC)

        return until

    def _waits(self, user: User) -> bool | None:
        if user.id not in self.episodes:
            return False
        found = self.position(user)
        if found.due is not None:
            return found.asks is not None or None
        return self._stays(user, found) if self.policy.termination and found.asks is False else False

    def _stays(self, user: User, found: Position) -> bool | None:
        """Whether a termination has ended an access, or waits before a stage, and goes on being meant.

        Routine policies would give back what it took.
        """
        episode = self.episode(user.id)
        over = any(row.what in ("closed", "free") and row.reason != "done" for row in found.rows)
        if over or not (episode.open or episode.finished):
            return False
        return self._facts(user, self.before(user), episode).matches

    def _why(self, rule: Rule) -> Callable[[User, Scope], str]:
        telling = {stage.name for stage in self.policy.stages if stage.notify}

        def why(user: User, scope: Scope) -> str:
            text = rule.why(self.before(user), scope)
            done = [mark for mark in self.episode(user.id).marks if mark.done]
            if not done:
                return text
            last = max(done, key=lambda one: (one.done, one.entered))
            what = "sent" if last.stage in telling else "done"
            told = f"{last.stage} {what} on {last.done.astimezone(UTC).date().isoformat()}" if last.done else ""
            return "; ".join(filter(None, (told, text)))

        return why

    def _until(self, user: User, scope: Scope) -> str:
        del scope
        found = self.position(user)
        if found.due is None:
            return waits_before(*self.stuck(user))
        return f"{self.policy.stages[found.stage].name} is due on {found.due}"


def _always(user: User) -> bool:
    del user
    return True


def _both(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - truth values
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _of_stage(policy: Policy, stage: Stage) -> Policy:
    """The policy as if this was its only state."""
    match = Match(all=(policy.match, stage.when)) if stage.when else policy.match
    return replace(
        policy,
        match=match,
        ensure=stage.ensure,
        stages=(),
        allow_shared_groups=stage.allow_shared_groups,
        where=stage.where,
    )


def rule_of_stage(
    policy: Policy, stage: Stage, scope: Scope, templates: Mapping[str, str], episode: Callable[[User], int]
) -> Rule:
    """The rule of one stage; ``episode`` tells in which one a user is."""
    rule = replace(make_rule(_of_stage(policy, stage), scope), stage=stage.name)
    template = stage.notify
    if template is None:
        return rule
    several = scope.inventory.hosting == "datacenter"

    def notice(user: User) -> NoticeRequirement:
        number = episode(user)
        directory = user.directory if several else None
        return NoticeRequirement(
            address=stage_address(user.id, policy.name, stage.name, number, directory),
            policy=policy.name,
            stage=stage.name,
            episode=number,
            template=template,
            template_digest=templates.get(template, ""),
        )

    return replace(rule, level=NOTICE, notice=notice)


def is_met(rule: Rule, user: User, inventory: Inventory) -> bool:
    """Whether all that the rule asks of the user is seen. What is not known is not seen, and nothing shows a notice."""
    if rule.notice or (user.groups is None and rule.about_groups) or rule.unreachable(user):
        return False
    settled = settle([rule], user)
    return not settled.conflict and not steps(settled, user, inventory)


def is_unmet(rule: Rule, user: User, inventory: Inventory) -> bool:
    """Whether something that the rule asks of the user is known not to be so. A notice was sent, and stays so."""
    if rule.notice or (user.groups is None and rule.about_groups) or rule.unreachable(user):
        return False
    settled = settle([rule], user)
    found = () if settled.conflict else steps(settled, user, inventory)
    opened = rule.status is not None and only_listed(rule.status, user, inventory)
    return any(isinstance(one, Step) for one in found) and not opened


def waits_before(stage: str, back: date | None) -> str:
    """Said of a stage whose own condition does not hold, or whose notice came back; "" without one."""
    if not stage:
        return ""
    return f"{stage} came back on {back.isoformat()}" if back else f"{stage} waits until its `when` holds"


def _to_the_week(seen: Seen | Never) -> Seen | Never:
    """As coarse as a snapshot keeps it, and never narrower than the truth."""
    if isinstance(seen, Never):
        return seen
    first, last = midnight(seen.earliest), midnight(seen.latest) + timedelta(days=LAG_DAYS[seen.source])
    monday, sunday = first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())
    return Seen(monday, sunday, "snapshot")


def first_stage(policy: Policy, scope: Scope, templates: Mapping[str, str]) -> Rule:
    """The rule of a policy that only reports: what its first stage would do, whatever is remembered."""
    return rule_of_stage(policy, policy.stages[0], scope, templates, lambda _: 1)
