"""What a plan does to one user, in one line, as a comparison of two plans tells it."""

from __future__ import annotations

from collections.abc import Iterable

from cleanup_gitops.model.change import ACTIONS, Action, Change, NoticeSend, UserInvite
from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.model.plan import Pending, StageRow
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.rehearsal.comparison import Shift, Treatment
from cleanup_gitops.views import words
from cleanup_gitops.views.safe import quoted
from cleanup_gitops.views.stages import why_ended


def after_words(one: Shift, before: str, after: str, otherwise: str) -> str:
    """What is done after; ``otherwise`` where these words are those of before."""
    if before != after:
        return after
    return "the same, with another text of the notice" if one.retold else otherwise


def kind(one: Treatment) -> str:
    """What is done, by whom, without the groups and dates of a single user."""
    if not one.touched:
        return _fate(one)
    done = sorted({row.action for row in one.changes}, key=ACTIONS.index)
    return f"{', '.join(done)} by {_by(row.causes for row in one.changes)}"


def told(one: Treatment, hosting: Hosting) -> str:
    """The same with all that concerns the user."""
    parts = []
    if one.changes:
        done = ", ".join(dict.fromkeys(_done(row, hosting) for row in one.changes))
        parts.append(f"{done}, by {_by(row.causes for row in one.changes)}")
    else:
        parts.append(_fate(one))
    if one.disposition and one.disposition.due:
        parts.append(f"due {one.disposition.due.strftime('%Y-%m-%d %H:%M UTC')}")
    parts += (
        f"to be {_thing(words.wished_for(row.action, hosting), row.action, row.label)}, by {_by([row.causes])}"
        for row in one.handoffs
    )
    known = one.fate[1]
    parts += (_waits(row, hosting, known) for row in one.pending)
    said = {("entered", name) for row in one.changes for name in names(row.causes)}
    parts += (_stage(row) for row in one.stages if (row.what, f"{row.policy}/{row.stage}") not in said)
    return "; ".join(parts)


def _fate(one: Treatment) -> str:
    if one.disposition is None:
        return "handed off, no account" if one.handoffs else "not invited"
    state = one.disposition.state
    word = words.UNTOUCHED.get(state, state)
    return f"{word}, {words.reason(one.disposition.reason, state)}"


def _done(change: Change, hosting: Hosting) -> str:
    done = words.done_to(change.action, hosting)
    if isinstance(change, NoticeSend):
        return f"{done} ({change.template})"
    if isinstance(change, UserInvite):
        return f"{done} as {change.role}" + (f", into {quoted(change.label)}" if change.label else "")
    return _thing(done, change.action, getattr(change, "label", "") or getattr(change, "role", ""))


def _thing(done: str, action: Action, thing: str) -> str:
    """The past participle with what it is about."""
    match action:
        case "membership.add":
            return f"{done} to group {quoted(thing)}"
        case "membership.remove":
            return f"{done} from group {quoted(thing)}"
        case "role.revoke":
            return f"role {quoted(thing)} {done}"
        case "tokens.revoke":
            return done if done.startswith("freed") else f"API tokens {done}"
        case _:
            return done


def _waits(row: Pending, hosting: Hosting, known: str) -> str:
    """``known``: the reason that was said already."""
    until = f" until {row.until.isoformat()}" if row.until else ""
    why = f", {words.reason(row.reason)}" if row.reason != known or until else ""
    return f"would be {_done(row.change, hosting)}, by {_by([row.change.causes])}{why}{until}"


def _stage(row: StageRow) -> str:
    where = f"{row.policy}/{row.stage}" if row.stage else row.policy
    match row.what:
        case "entered" | "due":
            return f"enters {where}"
        case "done":
            return f"is done with {where}"
        case "closed":
            return f"leaves {where}: {why_ended(row.reason)}"
        case "free":
            return f"may begin {where} anew"


def names(causes: Iterable[Cause]) -> tuple[str, ...]:
    """``policy``, or ``policy/stage``, of each."""
    return tuple(cause.name for cause in causes)


def _by(causes: Iterable[Iterable[Cause]]) -> str:
    return ", ".join(sorted({name for some in causes for name in names(some)}))
