"""What a policy that is not in force yet would do, in a few lines."""

from __future__ import annotations

from collections import Counter

from cleanup_gitops.model.plan import STATES
from cleanup_gitops.rehearsal.effect import ELSEWHERE, Effect
from cleanup_gitops.views import words


def effect_lines(effect: Effect) -> list[str]:
    """Counts alone: nobody is named."""
    lines = [f"{words.counted(effect.matching, 'user')} of {effect.site} would be meant by the policy{_open(effect)}."]
    lines += [f"It would act on nobody: {one}." for one in effect.blocked]
    if effect.actions:
        told = ", ".join(f"{number:,} {action}" for action, number in sorted(effect.actions.items()))
        lines.append(f"Changes: {told}.")
    states = Counter[str]()
    for (state, _), number in effect.fates.items():
        states[state] += number
    lines += [
        f"  {_STATES[state]}: {states[state]:,}{_reasons(effect, state)}"
        for state in (*STATES, ELSEWHERE)
        if states[state]
    ]
    lines.append(_seats(effect.seats))
    lines += [f"Over a guard: {message}" for message in effect.broken]
    return lines


_STATES = {str(state): text for state, text in words.UNTOUCHED.items()} | {
    "changed": "changed",
    ELSEWHERE: "changed by other policies alone",
}


def _open(effect: Effect) -> str:
    return f"; of {effect.undecided:,} more that is not known" if effect.undecided else ""


def _reasons(effect: Effect, state: str) -> str:
    """Why, where there is more to say than the state."""
    if state in ("changed", ELSEWHERE):
        return ""
    found = {words.reason(reason): number for (one, reason), number in effect.fates.items() if one == state}
    told = ", ".join(
        f"{reason} ({number:,})" for reason, number in sorted(found.items(), key=lambda one: (-one[1], one))
    )
    return f", {told}"


def _seats(number: int) -> str:
    if number < 0:
        return f"Seats: {-number:,} more in use."
    return f"Seats: {number:,} given back." if number else "Seats: none given back."
