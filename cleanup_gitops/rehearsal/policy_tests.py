"""Runs policy tests: plans for invented sites, held against what their documents expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from cleanup_gitops.model.change import Action, Change, MembershipAdd, MembershipRemove, NoticeSend
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Memory
from cleanup_gitops.model.plan import Handoff, Plan
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.policytest import PolicyTest, Stated, TestDay
from cleanup_gitops.policy.policytest_shapes import Expected, Untouched
from cleanup_gitops.policy.site import Site
from cleanup_gitops.rehearsal.invented import BYSTANDER, Invented, first_day, marks_of, next_day, noon
from cleanup_gitops.rehearsal.succession import succeed

_STATUS: Mapping[str, Action] = {
    "active": "user.enable",
    "suspended": "user.disable",
    "disabled": "user.disable",
    "deactivated": "user.deactivate",
    "removed": "user.remove",
    "deleted": "user.delete",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as a test says: where it says so (``file:line``), and what happens instead."""

    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One test on one site. ``plans`` are those of its days, with the invented site that each was made for."""

    name: str
    site: str
    where: str
    failures: tuple[Failure, ...]
    plans: tuple[tuple[Invented, Plan], ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as the test says."""
        return not self.failures


def run_policy_test(test: PolicyTest, policies: SitePolicies, site: Site | None = None) -> Tested:
    """What the policies make of the people of a test, day by day. ``site``: whose domains are the own ones.

    Every plan is carried out as a whole before the next day, whatever guards, approvals, schedules and windows say:
    a test is about whom policies mean.
    """
    failures = list(_unknown_names(test, policies))
    memory = BLANK if failures else _with_marks(test)
    plans: list[tuple[Invented, Plan]] = []
    adopt = frozenset(entry.name for one in policies.groups for entry in one.entries if entry.exactly)
    invented = first_day(test, policies, site)
    for number, day in enumerate(() if failures else test.days):
        if number:
            before, plan = plans[-1]
            after, memory = succeed(plan, before.inventory, memory, policies)
            invented = next_day(test, number, after, policies, site)
        at = noon(day.as_of)
        plan = make_plan(
            invented.inventory,
            policies,
            memory,
            created=at,
            as_of=at,
            tool_version="",
            people=invented.people,
            lists=invented.lists,
            adopt=adopt,
        )
        plans.append((invented, plan))
        failures += _compared(test, day, plan, invented.inventory)
    return Tested(name=test.name, site=policies.site, where=test.where, failures=tuple(failures), plans=tuple(plans))


def _with_marks(test: PolicyTest) -> Memory:
    return replace(BLANK, marks=marks_of(test))


def _unknown_names(test: PolicyTest, policies: SitePolicies) -> Iterator[Failure]:
    """What a test names and the policies of the site do not have."""
    rosters = {one.name for one in policies.rosters}
    lists = {asked.source for policy in policies.asking for match in policy.conditions for asked in match.lists}
    stages = {(policy.name, stage.name) for policy in policies.policies for stage in policy.stages}
    for user in (user for day in test.days for user in day.users):
        for name in user.says.listed_in or ():
            if name not in rosters | lists:
                yield Failure(user.where, f"no Roster and no `listed_in` of these policies is called {name}")
        for name in user.says.begins_in or ():
            if name not in rosters:
                yield Failure(user.where, f"there is no Roster {name}")
        for one in user.says.stages or ():
            if (one.policy, one.stage) not in stages:
                yield Failure(user.where, f"there is no stage {one.stage} of a policy {one.policy}")


@dataclass(frozen=True, slots=True)
class _Row:
    """One change of a plan, whether it is made now, handed off or waits."""

    state: str
    user: str
    action: Action
    group: str
    template: str
    causes: tuple[Cause, ...]
    reason: str = ""

    @property
    def words(self) -> str:
        """The change as a plan calls it: ``membership.remove of wiki-users``."""
        what = self.group or self.template
        return f"{self.action} of {what}" if what else self.action


def _rows(plan: Plan) -> list[_Row]:
    rows = [_row("changed", one) for one in plan.changes]
    rows += [_row("pending", one.change, one.reason) for one in plan.pending]
    rows += [_handed(one) for one in plan.handoffs]
    return [one for one in rows if one.user != BYSTANDER]


def _row(state: str, change: Change, reason: str = "") -> _Row:
    group = change.label if isinstance(change, MembershipAdd | MembershipRemove) else ""
    template = change.template if isinstance(change, NoticeSend) else ""
    return _Row(state, change.user, change.action, group, template, change.causes, reason)


def _handed(one: Handoff) -> _Row:
    return _Row("handed_off", one.user, one.action, one.label, "", one.causes, one.reason)


def _compared(test: PolicyTest, day: TestDay, plan: Plan, inventory: Inventory) -> Iterator[Failure]:
    rows = _rows(plan)
    told: set[int] = set()
    for expected in day.expect:
        for wish, fitting in _wishes(expected.says, rows, inventory):
            told |= {number for number in fitting if rows[number].state == "changed"}
            yield from _missing(expected, wish, [rows[number] for number in fitting], plan, rows)
    for left in day.untouched:
        own = [number for number, row in enumerate(rows) if row.state == "changed" and row.user == left.says.user]
        told |= set(own)
        yield from _touched(left, [rows[number] for number in own], plan)
    lines = {one.says.id: one.where for earlier in reversed(test.days) for one in earlier.users}
    for number, row in enumerate(rows):
        if row.state == "changed" and number not in told:
            yield Failure(lines.get(row.user, day.where), f"{row.user}: {row.words} was not expected; {_asked(row)}")
    if plan.blocked:
        yield from (Failure(day.where, f"a policy is blocked here: {one}") for one in plan.blocked)


def _asked(row: _Row) -> str:
    """Who asks for a change, and why."""
    named = (f"{one.name} asks for it ({one.where}): {one.why}" for one in row.causes)
    return "; ".join(named) or "no policy asks for it"


def _wishes(expected: Expected, rows: Sequence[_Row], inventory: Inventory) -> Iterator[tuple[str, list[int]]]:
    """Each change that is expected, in words, and the rows of its user that are it."""
    own = [number for number, row in enumerate(rows) if row.user == expected.user and row.state == expected.is_]

    def found(action: Action, *, group: str = "", template: str = "") -> list[int]:
        return [
            number
            for number in own
            if rows[number].action == action
            and rows[number].group.casefold() == (group or rows[number].group).casefold()
            and template in ("", rows[number].template)
        ]

    if expected.status:
        yield f"status {expected.status}", found(_STATUS[expected.status])
    if expected.product_access:
        ways = [number for number in found("membership.remove") if _gives_license(rows[number], inventory)]
        yield "product_access absent", [*found("role.revoke"), *ways]
    if expected.api_tokens:
        yield "api_tokens revoked", found("tokens.revoke")
    if expected.notify:
        yield f"notice {expected.notify}", found("notice.send", template=expected.notify)
    for group in (expected.groups and expected.groups.present) or ():
        yield f"membership of {group}", found("membership.add", group=group)
    for group in (expected.groups and expected.groups.absent) or ():
        yield f"end of membership of {group}", found("membership.remove", group=group)


def _gives_license(row: _Row, inventory: Inventory) -> bool:
    return any(one.license in ("seat", "guest") for one in inventory.groups_by_name.get(row.group.casefold(), ()))


def _missing(
    expected: Stated[Expected], wish: str, found: Sequence[_Row], plan: Plan, rows: Iterable[_Row]
) -> Iterator[Failure]:
    """Nothing that fits, or something that others ask for."""
    says = expected.says
    how = {"changed": "", "handed_off": ", handed off", "pending": ", pending"}[says.is_]
    if not found:
        yield Failure(expected.where, f"{says.user}: {wish}{how} was expected; {_instead(says.user, plan, rows)}")
        return
    for row in found:
        if not says.because or any(_is(one, says) for one in row.causes):
            continue
        named = f"{says.because}/{says.stage}" if says.stage else says.because
        asking = ", ".join(one.name for one in row.causes) or "no policy"
        message = f"{says.user}: {row.words} was expected because of {named}, and happens because of {asking}"
        yield Failure(expected.where, message)


def _is(cause: Cause, says: Expected) -> bool:
    return cause.policy == says.because and says.stage in (None, cause.stage)


def _instead(user: str, plan: Plan, rows: Iterable[_Row]) -> str:
    """What becomes of a user."""
    found = plan.dispositions[user]
    own = [row for row in rows if row.user == user]
    words = f"the user is {found.state.replace('_', ' ')}"
    details = [found.reason * (found.reason != found.state), *(f"by {name}" for name in found.policies), found.note]
    words += f" ({', '.join(filter(None, details))})" if any(details) else ""
    made = ", ".join(f"{row.words}{'' if row.state == 'changed' else ' ' + row.state.replace('_', ' ')}" for row in own)
    return f"{words}: {made}" if made else words


def _touched(left: Stated[Untouched], own: Sequence[_Row], plan: Plan) -> Iterator[Failure]:
    says = left.says
    for row in own:
        yield Failure(left.where, f"{says.user}: nothing may change, but {row.words} does; {_asked(row)}")
    found = plan.dispositions[says.user]
    if own:
        return
    if says.is_ and found.state != says.is_:
        wanted = says.is_.replace("_", " ")
        yield Failure(left.where, f"{says.user} should be {wanted}; {_instead(says.user, plan, ())}")
    elif says.because and says.because not in (found.reason, *found.policies):
        told = f"should be left alone because of {says.because}"
        yield Failure(left.where, f"{says.user} {told}; {_instead(says.user, plan, ())}")
