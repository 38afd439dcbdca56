"""What became of notices that came back, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cleanup_gitops.model.memory import Mark
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.runner.undelivered import Returned
from cleanup_gitops.views.words import counted


def render_returned(found: Returned, policies: SitePolicies, file: str, *, place: str, again: bool) -> str:
    """Whose clock was stopped, or who is told again, what was not understood, and what to do next.

    ``file`` is what was read, ``place`` the branch that holds the record.
    """
    return "".join(f"{line}\n" for line in _lines(found, policies, file, place, again=again))


def _lines(found: Returned, policies: SitePolicies, file: str, place: str, *, again: bool) -> Iterator[str]:
    if found.changed and again:
        yield f"{_notices(found.changed)} will be sent again by the next run on {policies.site}:"
    elif found.changed:
        yield f"{_notices(found.changed)} came back on {policies.site}; nothing follows for these users:"
    yield from map(_row, found.changed)
    if not found.changed:
        what = "came back and waits to be sent again" if again else "still has to be stopped"
        yield f"Nothing to do on {policies.site}: none of these notices {what}."
    if found.late:
        yield f"Too late for {_notices(found.late)}, because the next stage has begun:"
        yield from map(_row, found.late)
    if found.unknown:
        lines = f"{'lines' if len(found.unknown) > 1 else 'line'} {', '.join(map(str, found.unknown))}"
        yield f"No notice of anybody who is in the middle of stages: {file}, {lines}."
    if found.commit:
        yield f"Recorded: commit {found.commit}, state/{policies.site}/{' in ' + place if place else ''}."
    if found.changed and not again:
        owners = {one.name: one.owner for one in policies.policies}
        asked = ", ".join(sorted({owners[one.policy] for one in found.changed}))
        yield f"Next: {asked} should reach these people in another way, and have their addresses mended."
        yield f"Next: cleanup-gitops notices undelivered {file} --again, once that is done."
    if found.late:
        yield "Next: take back what was done to those for whom it is too late: cleanup-gitops rollback RUN --user ID"


def _notices(marks: Iterable[Mark]) -> str:
    return counted(len(tuple(marks)), "notice")


def _row(one: Mark) -> str:
    sent = f"sent on {one.done:%Y-%m-%d}" if one.done else f"came back on {one.undelivered:%Y-%m-%d}"
    return f"  * {one.user}: {one.policy}/{one.stage}, {sent}"
