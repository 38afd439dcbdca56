"""What an apply did, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.record import Record
from cleanup_gitops.ledger.subjects import found_of, subject_of
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.plan import Plan, Rollback
from cleanup_gitops.model.run import ACCEPTED, Approval, Outcome, Result
from cleanup_gitops.runner.attempt import SILENT
from cleanup_gitops.runner.desk import Found
from cleanup_gitops.runner.later import Code, Left
from cleanup_gitops.runner.outcomes import Freed
from cleanup_gitops.views import words
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.rows import with_details
from cleanup_gitops.views.safe import label
from cleanup_gitops.views.stages import lifecycle

RESULTS: dict[Result, str] = {
    "failed": "failed",
    "not_effective": "not effective",
    "not_attempted": "not attempted",
    "superseded": "superseded",
    "settling": "settling",
    "already": "already so",
    "applied": "applied",
}
"""Results in the order in which they are told, what needs a person first."""

REACHED: frozenset[Result] = ACCEPTED | {"already"}
"""Results of a rollback after which its hold counts for the user."""
UNFINISHED: tuple[Result, ...] = ("failed", "not_effective", "not_attempted")

_MEANINGS: dict[Result, str] = {
    "failed": "Failed",
    "not_effective": "Not effective (the site accepted the change, but reading back shows none)",
    "not_attempted": "Not attempted",
    "superseded": "Superseded (facts or policies changed after the plan was made; nothing was written)",
    "settling": "Settling (the site accepted the change but does not show it yet)",
}


_PERHAPS_SENT = "Perhaps sent (nobody knows whether the mail relay took it)"
_ACCOUNTS = 5
"""So many accounts stand in one sentence."""
_LATER: dict[Code, str] = {
    "settling": "Sent by an earlier run, and may still show",
    "doubtful": "Perhaps done by an earlier run and undone by others, so only a saved plan does it",
    "soak": "Pending for too short a time, so that people can object",
    "daily-maximum": "Over what their policies may do on this day",
    "not-approved": "Not approved",
    "schedule": "Not a time of their policies' schedules",
    "window": "Outside the windows of the site",
    "billing-day": "Would free a seat before that saves anything",
}
"""Rows that are left for later, by why."""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One change that needs a look: what it was, whom it concerned, and why it went as it did."""

    address: str
    name: str
    group: str
    done: str
    why: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        what = with_details(self.address, self.name, self.group)
        what += f" was to be {self.done}" if self.done else ""
        return f"{what}: {self.why}" if self.why else what


@dataclass(frozen=True, slots=True)
class ResultRows:
    """All changes with the same result."""

    title: str
    rows: tuple[OutcomeRow, ...]


def render_run(
    plan: Plan,
    outcomes: Sequence[Outcome],
    approval: Approval,
    commit: str,
    people: People = NOBODY,
    *,
    place: str = "",
    found: Sequence[str] = (),
    not_approved: Sequence[Change] = (),
    left: Sequence[Left] = (),
    to_approve: Sequence[str] = (),
    unread: str = "",
    recovered: str = "",
    quiet: bool = False,
    second: Approval | None = None,
    seats: Freed | None = None,
    colour: bool = False,
) -> str:
    """What became of the approved changes, who approved them, where it is recorded, and what to do next.

    ``commit`` is the commit that holds the record, "" when there is none, ``place`` the branch that it is on. ``found``
    are sentences on what others changed before or meanwhile. ``not_approved`` are changes that are planned now but
    stand in no approval, ``left`` those that standing approvals leave for later, and ``to_approve`` says how policies
    are approved that wait for it. ``unread`` says why the site could not be read again after the writes.
    ``recovered`` names the run that was cut off, when this is how it ended after all. ``quiet``: it is not recorded,
    because it brought nothing new and the day has a record. ``second`` is who else approved what was deleted.
    because it brought nothing new and the day has a record. ``seats`` is what became of them.
    """
    counts = Counter(outcome.result for outcome in outcomes)
    text = render(
        "run.txt.j2",
        site=plan.site,
        headline=_recovery(recovered, outcomes, counts) if recovered else _headline(plan.site, outcomes, counts, left),
        lifecycle=lifecycle(plan, outcomes),
        place=place,
        found=found,
        results=results_told(counts),
        groups=_by_result(plan, people, outcomes),
        waiting=[_told(one, people) for one in not_approved],
        later=_later(left, people),
        unread=unread,
        seats=_seats(seats),
        approval=approval,
        second=second,
        approved_at=approval.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        commit=commit,
        quiet=quiet,
        steps=[
            *_next_steps(
                plan, counts, _again(approval, recovered), [*not_approved, *left], recorded=bool(commit) or quiet
            ),
            *_untold_steps(outcomes),
            *to_approve,
        ],
    )
    return paint(text, colour=colour)


def results_told(counts: Mapping[Result, int] | Mapping[str, int]) -> str:
    """How often each result came, what needs a person first: ``2 failed, 41 applied``."""
    return ", ".join(f"{counts[one]:,} {word}" for one, word in RESULTS.items() if counts.get(one))


def found_before(found: Found | None, tool_version: str) -> tuple[str, ...]:
    """What others had changed before a run of this version, which is recorded apart from it."""
    if found is None:
        return ()
    drift = found.drift
    since = f"{drift.since:%Y-%m-%d %H:%M} UTC"
    told = f"Since the snapshot of {since}, {subject_of(found.entry)} (recorded apart, commit {found.commit})."
    if drift.recorded_by == tool_version:
        return (told,)
    other = f"That snapshot was made by version {drift.recorded_by}, this is {tool_version}"
    return (told, f"{other}: accounts and groups may only be classed otherwise.")


def found_meanwhile(record: Record) -> tuple[str, ...]:
    """What others changed while a run was under way, which its record lists."""
    if record.entry is None or not record.entry.found:
        return ()
    listed = layout.run_file(record.entry.run, layout.DRIFT)
    return (f"While the run was under way others changed: {found_of(record.entry)} (listed in {listed}).",)


def _by_result(plan: Plan, people: People, outcomes: Sequence[Outcome]) -> tuple[ResultRows, ...]:
    """The outcomes that need a look, those together that mean the same."""
    found: dict[str, list[Outcome]] = {title: [] for title in (*_MEANINGS.values(), _PERHAPS_SENT)}
    for one in outcomes:
        if one.result == "not_effective" and one.action == "notice.send":
            found[_PERHAPS_SENT].append(one)
        elif one.result in _MEANINGS:
            found[_MEANINGS[one.result]].append(one)
    return tuple(ResultRows(title, _rows(plan, people, own)) for title, own in found.items() if own)


def _told(change: Change, people: People) -> str:
    return with_details(change.address, label(people.name(change.user)), getattr(change, "label", ""))


def _later(left: Sequence[Left], people: People) -> list[ResultRows]:
    """Rows for later, by why; each says from when on it is due, as far as that is known."""
    found = []
    for code, title in _LATER.items():
        rows = tuple(
            OutcomeRow(
                address=one.change.address,
                name=label(people.name(one.change.user)),
                group=getattr(one.change, "label", ""),
                done="",
                why=_why_later(one),
            )
            for one in left
            if one.code == code
        )
        if rows:
            found.append(ResultRows(title, rows))
    return found


def _why_later(one: Left) -> str:
    """Why a row is for later, and from when on it is due; the words about a billing period name the day already."""
    if one.until is None or one.code == "billing-day":
        return one.why
    return f"{one.why}, due from {one.until:%Y-%m-%d %H:%M} UTC"


def _headline(site: str, outcomes: Sequence[Outcome], counts: Counter[Result], left: Sequence[Left]) -> str:
    made = Counter(words.SYMBOLS[one.action] for one in outcomes if one.result == "applied")
    silent = sum(one.detail == SILENT for one in outcomes)
    told = f", {made['>']:,} notified{' (silent: no mail was sent)' if silent else ''}" if made[">"] else ""
    later = f"; {words.counted(len(left), 'change')} left for later" if left else ""
    done = f"{made['+']:,} added, {made['~']:,} changed, {made['-']:,} removed{told} on {site}{later}"
    if any(counts[one] for one in (*UNFINISHED, "settling")):
        return f"Apply incomplete: {done}."
    if counts:
        return f"Apply complete! {done}."
    if left and all(one.code == "not-approved" for one in left):
        return f"Nothing was applied: nothing is approved on {site}{later}."
    return f"Apply complete! Nothing {'is due' if left else 'to do'} on {site}{later}."


def _seats(seats: Freed | None) -> str:
    """How many seats were freed, as the site was read again, and which were not."""
    if seats is None or (seats.before == seats.after and not seats.kept and not seats.suspended):
        return ""
    told = f"Seats in use: {seats.before:,} before the run, {seats.after:,} now."
    if seats.kept:
        people = words.counted(len(seats.kept), "user")
        who = f"{people} {'was' if len(seats.kept) == 1 else 'were'} to lose a seat and still"
        held = "holds" if len(seats.kept) == 1 else "hold"
        told += f" Seat not freed: {who} {held} one ({shortened(seats.kept)})."
    if seats.suspended:
        told += (
            f" {words.counted(seats.suspended, 'suspended user')} {'keeps' if seats.suspended == 1 else 'keep'} the"
            " license: on a Free plan such a seat is not freed, so look at the number under Billing."
        )
    return told


def shortened(accounts: Sequence[str]) -> str:
    """The first of these accounts, and how many more there are."""
    more = len(accounts) - _ACCOUNTS
    return ", ".join(accounts[:_ACCOUNTS]) + (f" and {more:,} more" if more > 0 else "")


def _recovery(run: str, outcomes: Sequence[Outcome], counts: Counter[Result]) -> str:
    open_ = sum(counts[one] for one in (*UNFINISHED, "settling"))
    if open_:
        return f"Run {run} recovered: {open_:,} of {words.counted(len(outcomes), 'change')} are not in effect."
    return f"Run {run} recovered: all that it meant to do is in effect, or no longer to be done."


def _rows(plan: Plan, people: People, outcomes: Iterable[Outcome]) -> tuple[OutcomeRow, ...]:
    """In the order of the plan, beside which they are read; what it does not have comes last."""
    groups = {one.address: getattr(one, "label", "") for one in plan.changes}
    place = {address: number for number, address in enumerate(groups)}
    return tuple(
        OutcomeRow(
            address=one.address,
            name=label(people.name(one.user)),
            group=groups.get(one.address, ""),
            done=words.done_to(one.action, plan.hosting),
            why=one.detail or "; ".join(map(words.no_longer, one.unmet)),
        )
        for one in sorted(outcomes, key=lambda one: place.get(one.address, len(place)))
    )


def _again(approval: Approval, recovered: str) -> str:
    if approval.kind == "plan":
        return "apply the same plan again"
    return "plan and apply again" if recovered else "run the same command again"


def _next_steps(
    plan: Plan, counts: Counter[Result], again: str, rest: Sequence[Change | Left], *, recorded: bool
) -> list[str]:
    """``rest`` is planned and was not approved, or left for later."""
    steps = []
    if not recorded:
        steps.append("Find out why the record is not in git before anything else is applied.")
    if counts["not_attempted"] and not counts["failed"] and not counts["not_effective"]:
        steps.append(f"For what was not attempted, {again}: what is done is not repeated.")
    elif any(counts[one] for one in UNFINISHED):
        steps.append(f"Look into what did not work, then {again}: what is done is not repeated.")
    steps += _later_steps([one for one in rest if isinstance(one, Left)], again)
    if any(not isinstance(one, Left) for one in rest):
        steps.append("Make a new plan for what was not approved.")
    if counts["superseded"]:
        steps.append("Make a new plan for what was superseded.")
    if counts["settling"]:
        steps.append(
            "Plan again in some minutes: what took effect is then no longer planned. Until then nothing is proven."
        )
    if (undo := plan.rollback) is not None and _holds(undo, counts):
        until = undo.until.isoformat()
        steps.append(
            f"Until {until} the policies of run {undo.run} leave these users alone: mend the policy before, and plan."
        )
    elif not steps and counts and not rest:
        steps.append("Plan again: it should say that there are no changes.")
    return steps


def _holds(undo: Rollback, counts: Counter[Result]) -> bool:
    """Whether policies leave somebody alone now: whom the rollback reached, or for whom it can do nothing from here."""
    return any(counts[one] for one in REACHED) or any(one.user in undo.holds for one in undo.irreversible)


def _untold_steps(outcomes: Iterable[Outcome]) -> list[str]:
    """What to do about people who could not be told."""
    if not any(one.action == "notice.send" and one.result == "failed" for one in outcomes):
        return []
    step = "reach these people in another way, or mend their addresses"
    return [f"Who could not be told does not count as told, and nothing follows: {step}."]


def _later_steps(left: Iterable[Left], again: str) -> list[str]:
    """What to do about rows that an earlier run has sent, or may have."""
    steps = []
    ends = [one.until for one in left if one.code == "settling" and one.until]
    if ends:
        until = f"{max(ends):%Y-%m-%d %H:%M} UTC"
        steps.append(f"For what may still show, {again} after {until}: what shows by then is not sent again.")
    if any(one.code == "doubtful" for one in left):
        steps.append("Look whether others changed these users back; then make a plan and have it reviewed.")
    return steps
