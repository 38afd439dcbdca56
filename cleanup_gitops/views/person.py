"""One user explained, as a tree of lines: who it is, what the plan does, and every policy with what it saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from cleanup_gitops.model.activity import LAG_DAYS, Never, Seen
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.plan import StageRow
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.match import Explanation
from cleanup_gitops.rehearsal.episode import ExplainedEpisode, ExplainedStage
from cleanup_gitops.rehearsal.person import Explained, ExplainedPolicy
from cleanup_gitops.views import words
from cleanup_gitops.views.columns import day, last_use
from cleanup_gitops.views.hindrances import hindrance, shelter
from cleanup_gitops.views.leavers import in_time
from cleanup_gitops.views.paint import paint
from cleanup_gitops.views.rows import CauseRow, with_details
from cleanup_gitops.views.safe import label, quoted
from cleanup_gitops.views.seat import seat_lines
from cleanup_gitops.views.stages import why_ended
from cleanup_gitops.views.trees import Branch, Part, leaves, render_tree

VERDICTS = {True: "meant", False: "not meant", None: "not known whether it is meant"}


def render_person_text(found: Explained, people: People = NOBODY, *, at: str = "", colour: bool = False) -> str:
    """The explanation for a terminal. ``at`` is said after the time of the reading, such as where it was recorded."""
    return paint(_render(found, people, at, "txt"), colour=colour)


def render_person_markdown(found: Explained, people: People = NOBODY, *, at: str = "") -> str:
    """The same for an issue or a pull request."""
    return _render(found, people, at, "md")


def _render(found: Explained, people: People, at: str, form: Literal["txt", "md"]) -> str:
    parts = (
        Part("Account", leaves(_account(found))),
        Part("Plan", tuple(_plan(found))),
        Part("Left alone", leaves(_left_alone(found)) or leaves(["by no protection, exemption or hold"])),
        Part("Policies", tuple(map(_policy, found.policies)) or leaves(["none concerns this site"])),
        Part("Seat", seat_lines(found)),
    )
    return render_tree(titled(found.user, found.site, found.read, people, at), parts, form)


def titled(user: User, site: str, read: datetime, people: People, at: str) -> str:
    """Who it is, on which site, read when (UTC)."""
    known = ", ".join(filter(None, (label(people.name(user.id)), label(people.email(user.id) or ""))))
    return f"{with_details(user.id, known)} on {site}, read at {read:%Y-%m-%d %H:%M:%S UTC}{at}"


def _account(found: Explained) -> Iterator[str]:
    user = found.user
    status = "invited, and the invitation was never accepted" if user.accepted is False else user.status
    since = f" since {day(user.status_since)}" if user.status_since else ""
    yield f"status: {status}{since}"
    yield f"type: {user.kind}" + ("; administrator" if user.admin else "") + _unless_known(user.admin)
    yield f"license: {user.license}"
    yield f"last use: {_last_use(found)}"
    for product, seen in user.elsewhere or ():
        yield f"last use of {product}: {last_use(seen)}"
    yield f"added: {day(user.added) if user.added else 'unknown'}"
    managed = {True: "by your organization", False: "not by your organization", None: "not known by whom"}
    yield f"managed: {managed[user.managed]}" + ("; synced by an identity provider" if user.synced else "")
    yield f"directory: {found.directory}"


def _unless_known(admin: bool | None) -> str:  # noqa: FBT001 - a fact
    return "; whether it is an administrator is not known" if admin is None else ""


def _last_use(found: Explained) -> str:
    seen = found.user.seen
    told = last_use(seen)
    if isinstance(seen, Seen | Never):
        lag = LAG_DAYS[seen.source]
        late = f", up to {words.counted(lag, 'day')} late" if lag else ""
        told += f" ({seen.source}{late})"
    return told if found.idle is None else f"{told}, {words.counted(found.idle, 'day')}"


def _plan(found: Explained) -> Iterator[Branch]:
    one = found.disposition
    asked = f", by {', '.join(one.policies)}" if one.policies else ""
    due = in_time([one.due], found.as_of)
    reason = "" if one.reason == one.state else f": {words.why(one)}"
    note = f" ({one.note})" if one.note and not reason else ""
    state = words.UNTOUCHED.get(one.state, one.state)
    yield Branch(f"{state}{reason}{note}{asked}{f'; {due}' if due else ''}")
    for change in found.changes:
        will = "will" if not found.unsafe else "would"
        done = words.done_to(change.action, found.hosting)
        yield Branch(f"{_subject(change)} {will} be {done}", leaves((*_causes(change.causes, found), change.note)))
    for hand in found.handoffs:
        done, group = (
            words.wished_for(hand.action, found.hosting),
            f" (group {quoted(hand.label)})" if hand.label else "",
        )
        text = f"{hand.address}{group} is to be {done} by {words.hands(hand.reason)}"
        yield Branch(text, leaves(_causes(hand.causes, found)))
    for wait in found.pending:
        done = words.done_to(wait.change.action, found.hosting)
        text = f"{_subject(wait.change)} would be {done}: {wait.note or words.reason(wait.reason)}"
        yield Branch(text, leaves(_causes(wait.change.causes, found)))
    if found.unsafe:
        yield Branch(f"the plan is unsafe, and nothing of it will be applied: {', '.join(found.unsafe)}")


def _subject(change: Change) -> str:
    name = getattr(change, "label", "")
    return f"{change.address} (group {quoted(name)})" if name else change.address


def _causes(causes: Sequence[Cause], found: Explained) -> Iterator[str]:
    for one in causes:
        yield CauseRow(one.name, one.where, "; ".join(filter(None, (one.why, in_time([one.due], found.as_of))))).text


def _left_alone(found: Explained) -> Iterator[str]:
    yield from map(shelter, found.shelters)
    for policy, held in found.holds:
        yield f"by {policy}: {held.note}"


def _policy(one: ExplainedPolicy) -> Branch:
    place = f" ({one.where})" if one.where else ""
    below = [*leaves(_standing(one)), *_episode(one.episode), _conditions(one.conditions)]
    if one.taken_back:
        below.append(Branch("asked as if the policy's own stages had changed nothing"))
    return Branch(f"{one.name}{place}: {VERDICTS[one.verdict]}{', and acts' if one.acts else ''}", tuple(below))


def _standing(one: ExplainedPolicy) -> Iterator[str]:
    """What keeps the policy from acting; of one that means the user and has nothing to do, that."""
    keeps = "would do nothing if it meant the user" if one.verdict is False else "does nothing"
    if one.acts:
        keeps = "leaves it to others"
    for other in one.hindrances:
        yield f"{keeps}: {hindrance(other)}"
    if one.verdict and not (one.acts or one.hindrances or (one.episode and one.episode.stages)):
        yield "does nothing: what it asks for is so already"


def _conditions(one: Explanation) -> Branch:
    return Branch(one.text, tuple(map(_conditions, one.children)))


def _episode(one: ExplainedEpisode | None) -> Iterator[Branch]:
    if one is None:
        return
    if one.opened:
        head = f"episode {one.number}, open since {one.opened}"
    elif one.ended:
        head = f"episode {one.number} is over since {one.ended[1]}: {why_ended(one.ended[0])}"
    else:
        head = "no episode yet"
    yield Branch(head, (*map(_stage, one.stages), *leaves(map(_today, one.today))))


def _stage(one: ExplainedStage) -> Branch:
    told = f"{one.name}: {_where(one)}"
    return Branch(
        told, (Branch(f"when {one.when.text}", tuple(map(_conditions, one.when.children))),) if one.when else ()
    )


def _where(one: ExplainedStage) -> str:
    if one.undelivered:
        return f"its notice came back on {one.undelivered}"
    if one.done:
        return f"{'sent' if one.notify else 'done'} on {one.done}"
    if one.entered:
        return f"entered on {one.entered}, and not done yet"
    if one.passed:
        return "passed by"
    if one.earliest:
        return f"can be entered from {one.earliest} on"
    return f"{words.counted(one.after, 'day')} after the stage before" if one.after else "not entered"


_TODAY = {
    "entered": "{stage} is entered with this plan",
    "due": "{stage} is due with this plan",
    "done": "{stage} is done with this plan",
    "free": "the policy may begin anew from this plan on",
}


def _today(row: StageRow) -> str:
    if row.what == "closed":
        return f"the episode ends with this plan: {why_ended(row.reason or 'no-longer-matching')}"
    return _TODAY[row.what].format(stage=row.stage)
