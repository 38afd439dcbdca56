"""Whom a roster's joiners mean beside the accounts that are there: who is to be invited, and who is not, and why. Pure.

People who begin and have an open account are a matter of the roster's policy like everybody else. An address proves
nobody's identity: an account that was closed is not opened again for whoever comes with the same address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cleanup_gitops.model.change import GroupModifiable, UserInvite, invite_address, user_address
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.memory import Done, Memory
from cleanup_gitops.model.plan import Disposition, Handoff, Pending
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.holds import wait_for
from cleanup_gitops.planner.joining import NO_JOINING, Joining
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.statuses import no_seat_left
from cleanup_gitops.policy.beginning import Beginner
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guests import pseudonym_of
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.roster import Joiners, Roster
from cleanup_gitops.policy.roster_rows import Leaving, Left


def joining_of(evaluation: Evaluation, policies: SitePolicies, memory: Memory) -> Joining:
    """What becomes of everybody who begins and whom no policy about accounts can mean.

    Without the names of a live reading nobody is known to have no account, and nobody is invited.
    """
    scope = evaluation.scope
    if not scope.people.keyed or scope.inventory.hosting != "cloud":
        return NO_JOINING
    leaving = tuple(one.name for one in policies.rosters if one.leavers)
    desk = _Desk(evaluation, _invited(memory), frozenset(one.address for one in memory.settling), leaving)
    for roster in policies.rosters:
        begun = scope.beginning(roster.name)
        rule = next((one for one in evaluation.rules if one.policy is roster.joining), None)
        if roster.joiners is None or begun is None or rule is None or rule.missing:
            continue
        place = _Place(roster, roster.joiners, rule)
        for person in sorted(begun.people, key=lambda one: (one.email, one.ids)):
            desk.decide(person, place)
    return desk.joining


def _invited(memory: Memory) -> dict[str, Done]:
    """Invitations of ours that are remembered with the account that came of them, by pseudonym."""
    lines = (one for one in memory.done if "invited" in one.after and one.user != one.address)
    return {pseudonym_of(one.address): one for one in sorted(lines, key=lambda one: one.at)}


@dataclass(frozen=True, slots=True)
class _Place:
    """What one roster asks for those who begin."""

    roster: Roster
    joiners: Joiners
    rule: Rule

    def cause(self, person: Beginner) -> Cause:
        """Why somebody is invited."""
        return Cause(policy=self.roster.name, where=self.joiners.where, why=f"first day {person.starts.isoformat()}")


@dataclass(slots=True)
class _Desk:
    """Where people who begin are sorted."""

    evaluation: Evaluation
    invited: Mapping[str, Done]
    settling: frozenset[str]
    """Addresses of invitations that were sent and may still show."""
    leaving: tuple[str, ...] = ()
    """The rosters by which people leave."""
    invites: list[UserInvite] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, tuple[Disposition, tuple[Handoff, ...]]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    @property
    def joining(self) -> Joining:
        """All that was decided."""
        return Joining(
            tuple(self.invites), tuple(self.handoffs), tuple(self.pending), self.addresses, dict(self.accounts)
        )

    def decide(self, person: Beginner, place: _Place) -> None:
        """What becomes of one person."""
        inventory = self.evaluation.scope.inventory
        users = [inventory.user_by_id[account] for account in person.accounts]
        if person.shared:
            for user in users:
                self._account(user, "joiner-unclear", person, place)
        elif users:
            for user in users:
                self._with_account(user, person, place)
        elif person.named:
            for account in person.ids:
                self._nobody(user_address(account, None), account, "joiner-account-gone", person, place)
        else:
            self._without_account(person, place)

    def _with_account(self, user: User, person: Beginner, place: _Place) -> None:
        if user.status != "active" and self._leaves(user, person):
            return  # closed because the person left: nobody is told to open it
        if user.status != "active":
            self._account(user, "joiner-closed", person, place)
        elif user.accepted is False:
            told = Disposition("pending", "invited", (place.roster.name,))
            self.accounts.setdefault(user.id, (told, ()))

    def _leaves(self, user: User, person: Beginner) -> bool:
        """Whether a termination means the user, and no first day says that the person has begun anew since."""
        scope = self.evaluation.scope
        meant = [one for one in self.evaluation.rules if one.termination and not one.report and one.verdict(user)]
        asked = [rule.roster.roster for rule in meant if rule.roster]
        days = [left.day for roster in asked if (left := leaver(roster, user, scope).left)]
        return bool(meant) and (len(days) < len(meant) or person.starts <= max(days))

    def _has_left(self, person: Beginner) -> bool:
        """Whether a roster says of the address that the person left on the first day or later."""
        found = (self.evaluation.scope.leaving(name) for name in self.leaving)
        return any(person.starts <= left.day for one in found if one for left in _left_with(person.email, one))

    def _account(self, user: User, reason: str, person: Beginner, place: _Place) -> None:
        """Somebody has to look whose account it is."""
        handoff = Handoff(
            address=user_address(user.id, None),
            user=user.id,
            action="user.enable" if user.status != "active" else "membership.add",
            reason=reason,
            label="" if user.status != "active" else ", ".join(one.name for one in place.rule.present),
            causes=(place.cause(person),),
        )
        self.accounts.setdefault(user.id, (Disposition("handed_off", reason, (place.roster.name,)), (handoff,)))

    def _without_account(self, person: Beginner, place: _Place) -> None:
        evaluation = self.evaluation
        pseudonym = evaluation.scope.people.pseudonym(person.email)
        address = invite_address(place.roster.name, pseudonym)
        if pseudonym in self.seen:  # another roster invites the same person, and this one goes on from there
            return
        self.seen.add(pseudonym)
        done = self.invited.get(pseudonym)
        user = evaluation.scope.inventory.user_by_id.get(done.user) if done else None
        if user is not None:  # the account that we invited hides its address, or has another one by now
            self._with_account(user, person, place)
        elif done is not None and address not in self.settling:
            self._nobody(address, address, "joiner-invited-before", person, place)
        elif self._has_left(person):
            self._nobody(address, address, "joiner-has-left", person, place)
        elif not evaluation.scope.addresses.of:
            self._nobody(address, address, "joiner-addresses-hidden", person, place)
        elif (found := _obstacle(place.rule.present, evaluation)) is not None:
            self._nobody(address, address, found[0], person, place, found[1])
        else:
            self._invite(address, person, place)

    def _invite(self, address: str, person: Beginner, place: _Place) -> None:
        groups = sorted(place.rule.present, key=lambda one: one.id)
        invite = UserInvite(
            address=address,
            user=address,
            directory=groups[0].directory,
            causes=(place.cause(person),),
            needs=tuple(GroupModifiable(one.id) for one in groups),
            role=place.joiners.role,
            groups=tuple(one.id for one in groups),
            label=", ".join(one.name for one in groups),
        )
        held = self.evaluation.holds.of(address)
        if place.roster.name in held:
            self.pending += wait_for([invite], held)
            return
        self.invites.append(invite)
        self.addresses[address] = person.email

    def _nobody(self, address: str, user: str, reason: str, person: Beginner, place: _Place, label: str = "") -> None:
        """Somebody else has to see to a person of whom the site has no account."""
        cause = place.cause(person)
        self.handoffs.append(
            Handoff(address=address, user=user, action="user.invite", reason=reason, label=label, causes=(cause,))
        )


def _left_with(email: str, known: Leaving) -> list[Left]:
    """Who has left by rows with this address, whether they have an id or not; nobody where another such row goes on."""
    if email in known.emails_that_stay:
        return []
    by_id = [known.by_account[account] for account, written in known.emails_of.items() if email in written]
    left = known.by_email.get(email)
    return [*by_id, left] if left else by_id


def _obstacle(groups: Iterable[Group], evaluation: Evaluation) -> tuple[str, str] | None:
    """Why nobody can be invited into all of these groups, as a reason code and the name of the group."""
    closed = {group.id for one in evaluation.declared.all if one.entry.exactly for group in one.groups}
    for group in groups:
        if group.id in closed:
            return "group-declared", group.name
        if group.admin is not False:
            return "administrator-group", group.name
        if group.modifiable is not True:
            return "group-managed-elsewhere" if group.modifiable is False else "group-modifiable-unknown", group.name
    return ("no-seat-left", "") if no_seat_left(evaluation.scope.inventory) else None
