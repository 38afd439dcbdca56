"""From a plan and the people it is about to the rows that a template prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET

from cleanup_gitops.model.change import (
    Action,
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    TokenRevoke,
    UserInvite,
)
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Check, Handoff, Limit, Plan, Seats, State
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.planner.guards.caps import counting
from cleanup_gitops.planner.unprotected import PROTECTION_GONE
from cleanup_gitops.runner.approval import USUAL_COMMAND, command_of
from cleanup_gitops.views import words
from cleanup_gitops.views.leavers import in_time, overdue_rows, unmatched_lines
from cleanup_gitops.views.rows import (
    CauseRow,
    ChangeRow,
    HandoffRow,
    HandoffRows,
    LimitRow,
    PlanRows,
    PolicyRows,
    Untouched,
    UserRow,
    UserRows,
)
from cleanup_gitops.views.safe import label
from cleanup_gitops.views.stages import cancelled, ended_rows, lifecycle
from cleanup_gitops.views.waiting import rollback_rows, waiting_rows

SHOWN = 20
"""Users listed in conflict or as unknown; more of them are counted."""
NEAR = 80
"""Percent of a cap from which on it is shown."""


def plan_rows(plan: Plan, people: People, limit: int | None = None) -> PlanRows:
    """Rows of a plan; at most ``limit`` changes in detail (``None``: all)."""
    shown = plan.changes if limit is None else plan.changes[:limit]
    symbols = {words.SYMBOLS[change.action] for change in shown}
    untouched, broken_off, overdue = _untouched(plan), cancelled(plan), overdue_rows(plan, people)
    return PlanRows(
        changes=tuple(_change_row(change, plan, people) for change in shown),
        more=len(plan.changes) - len(shown),
        legend=tuple((symbol, text) for symbol, text in words.LEGEND.items() if symbol in symbols),
        totals=totals(change.action for change in plan.changes),
        verdict=_verdict(plan),
        failed=tuple(check for check in plan.checks if not check.passed),
        lifted=tuple(check for check in plan.checks if check.passed and check.lifted),
        unprotected=tuple(text for text in plan.warnings if text.startswith(PROTECTION_GONE)),
        warnings=tuple(text for text in plan.warnings if not text.startswith(PROTECTION_GONE)),
        unliftable=", ".join(check.name for check in plan.checks if not check.passed and not check.override),
        overrides=_override_lines(plan.checks),
        again=command if (command := command_of(plan)) != USUAL_COMMAND else "",
        handoffs=_handoff_rows(plan, people),
        conflicts=_user_rows(plan, people, "conflict"),
        unknown=_user_rows(plan, people, "unknown"),
        untouched=untouched,
        untouched_counts=", ".join(f"{part.number:,} {part.word}" for part in untouched),
        limits=_limit_rows(plan),
        seats_left=_seats_left(plan.seats),
        pending=waiting_rows(plan, people, SHOWN),
        more_pending=max(0, len(plan.pending) - SHOWN),
        rollback=rollback_rows(plan, people),
        lifecycle=lifecycle(plan),
        cancelled=ended_rows(broken_off[:SHOWN], people),
        more_cancelled=max(0, len(broken_off) - SHOWN),
        adoption=tuple(words.ADOPTION[one.what].format(group=label(one.name)) for one in plan.adoption),
        overdue=overdue[:SHOWN],
        more_overdue=max(0, len(overdue) - SHOWN),
        unmatched=unmatched_lines(plan),
    )


def by_policy(rows: Iterable[ChangeRow]) -> tuple[PolicyRows, ...]:
    """The same rows by the policy that is named first, in the order in which policies appear."""
    found: dict[str, list[ChangeRow]] = {}
    for row in rows:
        found.setdefault(row.causes[0].policy if row.causes else "without a policy", []).append(row)
    return tuple(
        PolicyRows(
            policy=policy,
            counts=", ".join(f"{n:,} {done}" for done, n in Counter(row.done for row in own).items()),
            rows=tuple(own),
            named=any(row.name for row in own),
        )
        for policy, own in found.items()
    )


def totals(actions: Iterable[Action]) -> str:
    """``1 to add, 2 to change, 3 to remove``, and ``4 to notify`` where there are any."""
    count = Counter(words.SYMBOLS[action] for action in actions)
    return f"{count['+']:,} to add, {count['~']:,} to change, {count['-']:,} to remove" + (
        f", {count['>']:,} to notify" if count[">"] else ""
    )


def _verdict(plan: Plan) -> str:
    """What an empty plan means: only without anything left over does the site match its policies."""
    left = []
    if plan.rollback:
        return _nothing_taken_back(plan, plan.rollback.run)
    if plan.handoffs:
        left.append(f"{words.counted(len(plan.handoffs), 'change')} handed off")
    if conflicts := plan.summary.states.get("conflict"):
        left.append(f"{words.counted(conflicts, 'user')} in conflict")
    if kept := sum(one.reason == "last-administrator" for one in plan.dispositions.values()):
        left.append(f"{words.counted(kept, 'user')} kept because no administrator would be left")
    if waiting := plan.summary.states.get("pending"):
        left.append(f"{words.counted(waiting, 'user')} left alone for now")
    if rows := sum(len(one.lines) for one in plan.unmatched):
        left.append(f"{words.counted(rows, 'row')} of rosters about people who left, and who are nobody here")
    if plan.blocked:
        left.append(f"{words.counted(len(plan.blocked), 'policy', 'policies')} blocked")
    if left:
        return f"No changes. But {plan.site} does not match all of its policies: {', '.join(left)}."
    sentence = f"No changes. {plan.site} matches its policies."
    if unknown := plan.summary.states.get("unknown"):
        verb = "is" if unknown == 1 else "are"
        sentence += f" {words.counted(unknown, 'user')} {verb} left out because a fact is not known."
    return sentence


def _nothing_taken_back(plan: Plan, run: str) -> str:
    """What an empty plan means that was to take a run back."""
    states = plan.summary.states
    if plan.handoffs or states.get("conflict") or states.get("unknown"):
        return f"No changes. What run {run} did can only be taken back by others, or when the above is mended."
    return f"No changes. Nothing of run {run} can be taken back from here, or needs to be."


def _override_lines(checks: Iterable[Check]) -> tuple[str, ...]:
    """The Overrides that would lift what is broken, as one file of several documents."""
    proposed = [check.override.splitlines() for check in checks if not check.passed and check.override]
    return tuple(line for number, lines in enumerate(proposed) for line in (*(["---"] * bool(number)), *lines))


def _seats_left(seats: Seats) -> str:
    """What is not told is not guessed, and may be fewer than none."""
    if seats.limit is None:
        return f"; the site does not tell how many there are{_savings(seats)}"
    free = seats.limit - seats.after
    return f"{f', {-free:,} more than there are' if free < 0 else f', {free:,} free'}{_savings(seats)}"


def _savings(seats: Seats) -> str:
    """From when on freed seats save money, and those that save nothing, as sentences without the last full stop."""
    told = ""
    if seats.saves_from is not UNSET:
        told += f". What is freed saves from {seats.saves_from.isoformat()} on, when the next billing period begins"
    if seats.regained == 1:
        told += ". 1 seat that was freed in this period is in use again, and saves nothing"
    elif seats.regained is not UNSET:
        told += f". {seats.regained:,} seats that were freed in this period are in use again, and save nothing"
    return told


def _causes(causes: Iterable[Cause], now: datetime) -> tuple[CauseRow, ...]:
    return tuple(
        CauseRow(one.name, one.where, "; ".join(filter(None, (one.why, in_time([one.due], now))))) for one in causes
    )


def _change_row(change: Change, plan: Plan, people: People) -> ChangeRow:
    what, thing, before, after = "user", "", "", ""
    match change:
        case MembershipAdd() | MembershipRemove():
            what, thing = "membership", change.label or change.group
        case RoleRevoke():
            what, thing = "role", change.role
        case TokenRevoke():
            what, thing = "token", change.token
        case NoticeSend():
            what, thing = "notice", change.template
        case UserInvite():
            what, thing = "invitation", change.label or ", ".join(change.groups)
            before, after = "no account", change.role
        case _:
            before, after = change.old, change.new
    return ChangeRow(
        address=change.address,
        account=change.user,
        name=label(people.name(change.user)),
        symbol=words.SYMBOLS[change.action],
        done=words.done_to(change.action, plan.hosting),
        what=what,
        thing=thing,
        before=before,
        after=after,
        causes=_causes(change.causes, plan.as_of),
        note=change.note,
    )


def _handoff_rows(plan: Plan, people: People) -> tuple[HandoffRows, ...]:
    by_reason: dict[str, list[Handoff]] = {}
    for handoff in plan.handoffs:
        by_reason.setdefault(handoff.reason, []).append(handoff)
    return tuple(
        HandoffRows(
            hands=words.hands(reason),
            rows=tuple(
                HandoffRow(
                    address=one.address,
                    account=one.user,
                    name=label(people.name(one.user)),
                    done=words.wished_for(one.action, plan.hosting),
                    group=one.label,
                    causes=_causes(one.causes, plan.as_of),
                )
                for one in own
            ),
        )
        for reason, own in by_reason.items()
    )


def _user_rows(plan: Plan, people: People, state: State) -> UserRows:
    found = [(account, one) for account, one in plan.dispositions.items() if one.state == state]
    found.sort(key=lambda one: one[1].reason == "blocked")  # told once for each policy; the others are about the user
    return UserRows(
        total=len(found),
        rows=tuple(
            UserRow(
                account=account,
                name=label(people.name(account)),
                why=words.why(one),
                policies=one.policies,
            )
            for account, one in found[:SHOWN]
        ),
    )


def _untouched(plan: Plan) -> tuple[Untouched, ...]:
    reasons: dict[State, Counter[str]] = {state: Counter() for state in words.UNTOUCHED}
    for one in plan.dispositions.values():
        if one.state != "changed":
            reasons[one.state][words.reason(one.reason, one.state)] += 1
    return tuple(
        Untouched(
            word=word,
            number=reasons[state].total(),
            reasons=", ".join(
                f"{why} ({number:,})"
                for why, number in sorted(reasons[state].items(), key=lambda one: (-one[1], one[0]))
            ),
        )
        for state, word in words.UNTOUCHED.items()
        if reasons[state] or state == "unchanged"
    )


def _limit_rows(plan: Plan) -> tuple[LimitRow, ...]:
    """The caps that are near, reached or exceeded; those that an Override lifts are told with it instead."""
    lifted = {check.name for check in plan.checks if check.passed and check.lifted}
    counted = [(one, _found(one)) for one in plan.limits if f"cap:{one.name}" not in lifted]
    near = [(one, found) for one, found in counted if 100 * found >= NEAR * max(one.allowed, 1)]
    wide = max((len(one.name) for one, _ in near), default=0)
    digits = max((len(f"{max(found, one.allowed):,}") for one, found in near), default=0)
    return tuple(
        LimitRow(
            name=one.name.ljust(wide),
            found=f"{found:,}".rjust(digits),
            allowed=f"{one.allowed:,}".rjust(digits),
            verdict="over" if found > one.allowed else "reached" if found == one.allowed else "near",
            rule=one.rule,
        )
        for one, found in near
    )


def _found(one: Limit) -> int:
    """What counts against a cap, as its check counts it."""
    return counting(one.planned + one.pending, one.pending, one.recent)
