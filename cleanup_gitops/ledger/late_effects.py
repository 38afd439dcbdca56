"""Which differences nobody else decided: what a run had written and that shows late, and what a stage handed off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from cleanup_gitops.model.change import is_invite_address
from cleanup_gitops.model.drift import Difference, Fact
from cleanup_gitops.model.memory import Mark, Settling
from cleanup_gitops.model.run import ACCEPTED, Outcome, deadline_of
from cleanup_gitops.model.user import CLOSED

_ADDED, _REMOVED = "membership.added", "membership.removed"
_ASKED = "asked:"
"""How the name begins that stands in the place of a run while what was handed off is told apart; no run has it."""
_CLOSED: dict[str, int] = dict(CLOSED.items())
_LICENSES = {"none": 0, "guest": 1, "seat": 2}


def effect_of(run: str, one: Outcome, *, unsure: bool = False) -> Settling:
    """What is expected to show on the site when this change of a run takes effect.

    ``unsure``: nobody knows whether it was sent, or whether it had shown before somebody looked.
    """
    deadline = None if unsure else deadline_of(one)
    return Settling(
        run=run,
        address=one.address,
        user=one.account or one.user,
        at=one.at,
        after=one.after,
        deadline=deadline,
        verified=one.verified,
    )


def effects_of(run: str, outcomes: Iterable[Outcome]) -> tuple[Settling, ...]:
    """What is expected to show on the site after a run."""
    return tuple(effect_of(run, one) for one in outcomes if one.result in ACCEPTED and one.action != "notice.send")


def attributed(
    found: Iterable[Difference], settling: Sequence[Settling], marks: Iterable[Mark] = ()
) -> tuple[Difference, ...]:
    """The same differences, sorted by address, in which those that ``settling`` explains name their run.

    Those that the stages of ``marks`` handed off and whose end the site did not show yet name policy and stage.

    A difference is explained when the fields that were to change are as they were to become. What is explained only in
    part becomes two differences at the same address. With them go the memberships that end with the account's place in
    the directory, and what comes or goes with a group or a role: the license and administrative roles, unless somebody
    else gave the same account a group as well, or took one away as well.
    """
    settling = (*_handed_off(marks), *settling)
    late = {one.address: one for one in settling}
    invited = {one.user: one for one in settling if is_invite_address(one.address)}
    parts = [part for one in found for part in _direct(_arrived(one, invited), late.get(one.address))]
    left = {one.user: one.run for one in parts if one.run and one.after.get("status") == "absent"}
    parts = [_ended(one, left) for one in parts]
    theirs = {(one.user, one.what == _ADDED) for one in parts if one.what in (_ADDED, _REMOVED) and not one.run}
    # A role that was held directly is no membership: its end shows in the license alone.
    causes = {one.user: {False: one.run} for one in settling if one.address.startswith("role/")}
    for one in parts:
        if one.run and one.user:
            gives = one.after.get("member") is True or one.after.get("status") == "active"
            causes.setdefault(one.user, {})[gives] = one.run
    for user, gives in theirs:
        causes.get(user, {}).pop(gives, None)
    everything = [part for one in parts for part in _following(one, causes.get(one.user, {}))]
    told = [_as_asked(one) for one in everything]
    return tuple(sorted(told, key=lambda one: (one.address, one.what, one.run, one.asked)))


def _handed_off(marks: Iterable[Mark]) -> list[Settling]:
    return [
        Settling(
            run=f"{_ASKED}{mark.policy}/{mark.stage}",
            address=effect.address,
            user=mark.user,
            at=mark.entered,
            after=effect.after,
        )
        for mark in marks
        if mark.done is None
        for effect in mark.effects
        if effect.asked
    ]


def _as_asked(one: Difference) -> Difference:
    return replace(one, run="", asked=one.run.removeprefix(_ASKED)) if one.run.startswith(_ASKED) else one


def _arrived(one: Difference, invited: Mapping[str, Settling]) -> Difference:
    """Whoever we invited appears, or is in the groups of the invitation."""
    late = invited.get(one.user)
    if late is None or not (one.what == "user.appeared" or (one.what == _ADDED and one.group in _groups(late))):
        return one
    return replace(one, run=late.run)


def _groups(invitation: Settling) -> list[str]:
    return str(invitation.after.get("groups", "")).split()


def _direct(one: Difference, late: Settling | None) -> list[Difference]:
    """The difference, or its part that the write was meant to make and the rest."""
    if late is None or one.run:
        return [one]
    if one.what == "user.vanished":
        return [replace(one, run=late.run) if _as_wanted("absent", late) else one]
    if not all(_as_wanted(one.after.get(field), late, field) for field in late.after):
        return [one]
    return _split(one, late.after.keys(), late.run)


def _as_wanted(now: Fact | None, late: Settling, field: str = "status") -> bool:
    """Whether a field is as it was to become; who was asked for a status may close the account further than that."""
    wanted = late.after.get(field)
    if now == wanted or field != "status" or not late.run.startswith(_ASKED):
        return now == wanted
    return _CLOSED.get(str(now), 0) >= _CLOSED.get(str(wanted), 0) > 0


def _ended(one: Difference, left: Mapping[str, str]) -> Difference:
    """Whoever leaves the directory leaves its groups."""
    mine = one.what == _REMOVED and not one.run and one.user in left
    return replace(one, run=left[one.user]) if mine else one


def _following(one: Difference, causes: Mapping[bool, str]) -> list[Difference]:
    """What came with something that a run of ours gave (``True``), or went with something that it took away."""
    if one.run or one.what != "user.changed" or not causes:
        return [one]
    parts = [one]
    for gained, run in causes.items():
        fields = {field for field in parts[-1].after if _gained(field, one.before[field], one.after[field]) is gained}
        if fields:
            parts[-1:] = _split(parts[-1], fields, run)
    return parts


def _gained(field: str, before: Fact, after: Fact) -> bool | None:
    """Whether a fact that groups and roles bring was gained or lost; ``None``: it does not depend on them."""
    match field:
        case "license":
            more, less = _LICENSES.get(str(after), 0), _LICENSES.get(str(before), 0)
            return None if more == less else more > less
        case "admin":
            return bool(after)
        case "roles" if isinstance(before, tuple) and isinstance(after, tuple):
            came, went = set(after) - set(before), set(before) - set(after)
            return None if came and went else bool(came)
        case _:
            return None


def _split(one: Difference, fields: Collection[str], run: str) -> list[Difference]:
    """The part about these fields, which is of the run, and the rest, if there is any."""
    mine = replace(
        one,
        before={field: value for field, value in one.before.items() if field in fields},
        after={field: value for field, value in one.after.items() if field in fields},
        run=run,
    )
    rest = replace(
        one,
        before={field: value for field, value in one.before.items() if field not in fields},
        after={field: value for field, value in one.after.items() if field not in fields},
    )
    return [mine, rest] if rest.after else [mine]
