"""Why a user occupies a paid seat, and what would free it, in lines."""

from __future__ import annotations

from collections.abc import Iterator

from cleanup_gitops.model.inventory import Hosting
from cleanup_gitops.model.user import GroupSeat, RoleSeat
from cleanup_gitops.rehearsal.person import Explained
from cleanup_gitops.rehearsal.seat import ExplainedSeat, Hands, SeatWay
from cleanup_gitops.views import words
from cleanup_gitops.views.trees import Branch, leaves


def seat_lines(found: Explained) -> tuple[Branch, ...]:
    """Whether a paid seat is occupied, by which ways, and what has to end before it is free."""
    seat = found.seat
    return (Branch(_billed(found), leaves(_ways(seat))), *leaves(_freeing(seat, found.hosting)))


def _billed(found: Explained) -> str:
    user, told = found.user, f"license {found.user.license}, status {found.user.status}"
    if found.seat.billed:
        return f"occupies a paid seat: {told}"
    if found.seat.billed is None:
        return f"whether it occupies a paid seat is not known: {told}"
    if user.license == "seat":
        return f"occupies no paid seat, because the account is {user.status}; it holds a license all the same"
    return f"occupies no paid seat: {told}"


def _ways(seat: ExplainedSeat) -> Iterator[str]:
    if seat.ways is None:
        yield "the site does not tell how the license is held"
    for way in seat.ways or ():
        kind = "" if way.license == "seat" else f" ({way.license})"
        yield f"through {_way(way)}{kind}: {_end(way)}"


def _way(way: SeatWay) -> str:
    if isinstance(way.path, GroupSeat):
        return f"group {' > '.join(way.groups)}"
    return (
        f"role {way.path.role}, given directly"
        if isinstance(way.path, RoleSeat)
        else (f"permission {way.path.permission}")
    )


def _end(way: SeatWay) -> str:
    what = "its members" if isinstance(way.path, GroupSeat) else "it"
    match way.hands:
        case "here":
            return f"{what} can be changed here" if isinstance(way.path, GroupSeat) else "it can be taken back here"
        case "elsewhere":
            return f"{what} can be changed only by {words.hands(way.reason)}"
        case "not":
            return f"no policy may end it: {words.reason(way.reason)}"
        case "unknown":
            return f"not known who can end it: {words.reason(way.reason)}"


def _freeing(seat: ExplainedSeat, hosting: Hosting) -> Iterator[str]:
    if seat.billed is False:
        return
    paid = [way for way in seat.ways or () if way.license not in ("guest", "none")]
    if paid:
        ends = ", and ".join(f"{_verb(way)} {_first(way)}" for way in paid)
        yield f"to free it: {ends}"
    for code in seat.doubts:
        yield f"in doubt: {words.reason(code)}"
    if seat.closing:
        yield f"or the account is {words.done_to('user.disable', hosting)}: {_closing(*seat.closing)}"


def _verb(way: SeatWay) -> str:
    return "leave" if isinstance(way.path, GroupSeat) else "give up"


def _first(way: SeatWay) -> str:
    return f"group {way.groups[0]}" if way.groups else _way(way)


def _closing(hands: Hands, reason: str) -> str:
    if hands == "here":
        return "that can be done here"
    if hands == "elsewhere":
        return f"by {words.hands(reason)}"
    return words.reason(reason)
