"""What a run did so far, on the disk before and after each call: a run that is killed is ended from it.

A journal is no record. It lies outside git on the machine that works, holds ids and digests, and goes when the result
is committed. Where it is lost, the committed intent and the site decide (``runner.recover``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger.chain import UNREADABLE
from cleanup_gitops.ledger.claims import intent_bytes
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.change import Change, Need, change_digest
from cleanup_gitops.model.errors import CleanupError, StateError
from cleanup_gitops.model.ports import Clock
from cleanup_gitops.model.run import Intent, Moment, Outcome, Receipt, Result

T = TypeVar("T")
FORMAT = 1

Event = Literal["sending", "answered", "refused", "lost", "stopped", "ended"]
"""``sending``: written before the call goes out. ``answered``: the site accepted. ``refused``: it did not, and nothing
was changed. ``lost``: nobody knows. ``stopped``: the site or a credential failed and nothing was changed. ``ended``:
the outcome, after all that was read back."""


class Header(Struct, frozen=True, kw_only=True):
    """The first line: the run that the others are of, by its name and the SHA-256 of its committed intent."""

    format: int
    run: str
    site: str
    intent: str


def header_of(intent: Intent) -> Header:
    """The first line of the journal of the run that committed this intent."""
    return Header(format=FORMAT, run=intent.run, site=intent.site, intent=sha256(intent_bytes(intent)))


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to one change. ``number`` counts from 1 in the order of execution, ``change`` is its digest."""

    number: int
    change: str
    address: str
    event: Event
    at: Moment
    result: Result | None = None
    detail: str = ""
    receipt: Receipt | None = None
    unmet: tuple[Need, ...] = ()
    verified: Moment | None = None
    deadline: Moment | None = None
    account: str = ""


class JournalError(CleanupError):
    """The journal cannot be written, so nothing more may be sent."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"The journal {path} cannot be written: {why}.",
            "A run keeps a journal of what it sends, so that it can be ended when it is killed. Make room, or make the"
            " folder writable, and apply again.",
        )


class Journal(Protocol):
    """The journal of one run. Threads share it."""

    def add(self, line: Line) -> None:
        """Put the line where it survives the end of this process. Raises ``JournalError``, from then on always."""
        ...


class Journals(Protocol):
    """Where the journals of one site lie on this machine."""

    def place(self, run: str) -> str:
        """Where the journal of the run is, for people; "" when there is none."""
        ...

    def check(self) -> None:
        """Make sure that a journal can be kept. Raises ``JournalError``."""
        ...

    def begin(self, header: Header) -> Journal:
        """The journal of a run that begins, with its header: from now on a line that is missing was never written.

        What is wrong with it is raised by its first line.
        """
        ...

    def read(self, run: str) -> bytes | None:
        """The journal of a run; ``None`` when there is none. Raises ``StateError`` when it cannot be read."""
        ...

    def end(self, run: str) -> None:
        """The result of the run is recorded: its journal is not needed any more. Raises nothing."""
        ...


class _Unkept:
    """No journal at all."""

    def place(self, run: str) -> str:  # noqa: ARG002 - a port's signature
        return ""

    def check(self) -> None:
        pass

    def begin(self, header: Header) -> Journal:  # noqa: ARG002
        return self

    def read(self, run: str) -> bytes | None:  # noqa: ARG002
        return None

    def end(self, run: str) -> None:
        pass

    def add(self, line: Line) -> None:
        pass


UNKEPT = _Unkept()
"""As on a machine that starts anew: recoveries have the intent and the site. Commands keep journals on the disk."""


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a journal that is about one change."""

    journal: Journal
    clock: Clock
    number: int
    change: Change

    def sending(self) -> None:
        """The call goes out after this. Raises ``JournalError``: then it must not."""
        self.journal.add(self._line("sending"))

    def heard(self, event: Event, *, detail: str = "", receipt: Receipt | None = None) -> None:
        """What came of the call. A journal that fails now stops the next call, and loses nothing of this one."""
        self._told(self._line(event, detail=detail, receipt=receipt))

    def ended(self, one: Outcome) -> None:
        """What became of the change in the end."""
        self._told(
            Line(
                number=self.number,
                change=one.change,
                address=one.address,
                event="ended",
                at=one.at,
                result=one.result,
                detail=one.detail,
                receipt=one.receipt,
                unmet=one.unmet,
                verified=one.verified,
                deadline=one.deadline,
                account=one.account,
            )
        )

    def _told(self, line: Line) -> None:
        try:
            self.journal.add(line)
        except JournalError:
            return

    def _line(self, event: Event, *, detail: str = "", receipt: Receipt | None = None) -> Line:
        return Line(
            number=self.number,
            change=change_digest(self.change),
            address=self.change.address,
            event=event,
            at=self.clock.now(),
            detail=detail,
            receipt=receipt,
        )


def line_bytes(line: Header | Line) -> bytes:
    """A line as it is stored."""
    return canonical(line) + b"\n"


def read_lines(data: bytes, header: Header) -> tuple[Line, ...]:
    """The lines of a journal that begins with this header. A last line that breaks off was never written.

    Raises ``StateError`` when another line cannot be read or the journal is of another run or intent.
    """
    whole, _, _ = data.rpartition(b"\n")
    rows = whole.split(b"\n") if whole else []
    if not rows:
        return ()
    if _decoded(rows[0], 1, Header) != header:
        raise _unfit("it is of another run or another intent")
    return tuple(_decoded(row, number, Line) for number, row in enumerate(rows[1:], start=2))


def _decoded(row: bytes, number: int, sort: type[T]) -> T:
    try:
        return msgspec.json.decode(row, type=sort)
    except UNREADABLE:
        raise _unfit(f"line {number} cannot be read") from None


def _unfit(why: str) -> StateError:
    return StateError(
        f"The journal of the run cannot be used: {why}.",
        "Nothing was recorded. Move the journal away to end the run by what the site shows alone.",
    )
