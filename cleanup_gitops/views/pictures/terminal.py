"""Pictures as plain text: bars with their numbers, at most as wide as the terminal, the same without colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle, takewhile

from rich.cells import cell_len

from cleanup_gitops.views.pictures.values import Bar, LastSeen, Line, SensitivityPoint, span, ticks
from cleanup_gitops.views.safe import label, plain
from cleanup_gitops.views.words import counted

WIDTH = 80
"""Cells of a line, where nobody says otherwise."""
_ROWS = 16
"""Days that a chart of seats shows, at most, beside those on which lines begin and end; half for several lines."""
_LEAST = 10
"""Cells that the longest bar has in any case."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What bars are made of, told apart without colours: what is ``full``, what is a ``part`` of it, what is ``open``.

    Lines take ``kinds``, or, where they are to come, those ``ahead``. ``limit`` is where a limit stands.
    """

    full: str = "█"
    part: str = "▒"
    open: str = "░"
    kinds: str = "█▓"
    ahead: str = "▒░"
    short: str = "▏"
    limit: str = "┊"
    rule: str = "─"


UNICODE = Signs()
ASCII = Signs(full="#", part="=", open="-", kinds="#=", ahead="+-", short=".", limit="|", rule="-")
"""For a terminal that has nothing else."""


def seats_chart(
    lines: Sequence[Line], limit: int | None, title: str, *, width: int = WIDTH, signs: Signs = UNICODE
) -> str:
    """Seats over time: for days at equal steps, and where lines begin and end, a number and a bar each; and the limit.

    Days without a number of a line have no row of it. At least one line.
    """
    first, last = span(lines)
    steps = ticks(first, last, _ROWS if len(lines) == 1 else _ROWS // 2)
    days = sorted({*steps, *(line.first for line in lines), *(line.last for line in lines)})
    past, ahead = cycle(signs.kinds), cycle(signs.ahead)
    kinds = [next(ahead if line.ahead else past) for line in lines]
    most = max([limit or 0, 1, *(number for line in lines for _, number in line.points)])
    figures = len(f"{most:,}")
    scale = _Scale(most, width - len(" 2026-11-22  now  ") - figures - len("  ") - 2, signs)
    rows = []
    for day in days:
        head = day.isoformat()
        for sort, number, note in _on(day, lines, kinds):
            bar = _with_limit(scale.bar(number, sort), limit, scale)
            rows.append(f" {head:<10}  {note:<3}  {number:>{figures},}  {bar}".rstrip())
            head = ""
    where = f" {signs.limit} limit: {limit:,}" if limit is not None else ""
    named = [f" {sort} {label(line.name)}" for sort, line in zip(kinds, lines, strict=True)]
    return _text(title, [*named, *([where] if where else []), "", *rows])


def _on(day: date, lines: Sequence[Line], kinds: Sequence[str]) -> Iterable[tuple[str, int, str]]:
    """The sign, the number, and "now" for what holds before the first change of a forecast."""
    for line, sort in zip(lines, kinds, strict=True):
        number = line.on(day)
        if line.ahead and day == line.first and line.points[0][1] != number:
            yield sort, line.points[0][1], "now"
        if number is not None:
            yield sort, number, ""


def _with_limit(bar: str, limit: int | None, scale: _Scale) -> str:
    if limit is None:
        return bar
    at = scale.cells(limit)
    return f"{bar:<{at}}{scale.signs.limit}" if len(bar) <= at else f"{bar[:at]}{scale.signs.limit}{bar[at:]}"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Numbers as lengths: the largest one takes ``room`` cells."""

    most: int
    room: int
    signs: Signs

    def cells(self, number: int) -> int:
        """Whole cells, rounded half up."""
        return (2 * number * max(self.room, _LEAST) + self.most) // (2 * self.most)

    def bar(self, number: int, sign: str) -> str:
        """At least the shortest thing that can be seen, where there is anything."""
        return sign * self.cells(number) or (self.signs.short if number else "")

    def parts(self, whole: int, part: int, sign: str) -> str:
        """A bar of which the last ``part`` looks otherwise; it is seen whenever there is any."""
        cells = self.cells(whole)
        other = min(cells, max(self.cells(part), 1)) if part else 0
        return self.signs.full * (cells - other) + sign * other or (self.signs.short if whole else "")


def last_seen_chart(
    found: LastSeen, title: str, subtitle: str = "", *, width: int = WIDTH, signs: Signs = UNICODE
) -> str:
    """Users by days since last seen: a row for each bar, for never seen and not known, and a line at each threshold."""
    bars = _filled(found)
    labels = [_days(bar) for bar in bars]
    wide = max(map(len, ("not known", *labels)))
    most = max([1, found.never, found.unknown, *(bar.users for bar in bars)])
    figures = max(len(f"{most:,}"), len("users"))
    scale = _Scale(most, width - wide - figures - 6, signs)
    named = {one.days: ", ".join(map(label, one.policies)) for one in found.thresholds}
    rows = [f" {'days':>{wide}}  {'users':>{figures}}"]
    for text, bar in zip(labels, bars, strict=True):
        rows.append(
            f" {text:>{wide}}  {bar.users:>{figures},}  {scale.parts(bar.users, bar.open, signs.open)}".rstrip()
        )
        if bar.last in named:
            rule = f" {signs.rule * (wide + figures + 2)} more than {bar.last:,} days: {named[bar.last]}"
            rows.append(_cut(rule, width))
    rows.append("")
    for text, number in (("never", found.never), ("not known", found.unknown)):
        rows.append(f" {text:>{wide}}  {number:>{figures},}  {scale.bar(number, signs.full)}".rstrip())
    if found.thresholds:
        rows += ["", f" {signs.rule} below: more days than the policy asks for, beside its other conditions"]
    if found.open:
        rows += [
            *([] if found.thresholds else [""]),
            f" {signs.open} {counted(found.open, 'user')} last seen between two days: so long ago, or longer",
        ]
    return _text(title, [*(map(plain, subtitle.split("\n")) if subtitle else ()), "", *rows])


def _filled(found: LastSeen) -> Sequence[Bar]:
    """Without the bars behind the last user, as long as one is left behind the last threshold."""
    longest = max((one.days for one in found.thresholds), default=0)
    empty = takewhile(lambda bar: not bar.users and bar.first > longest, reversed(found.bars))
    kept = len(found.bars) - sum(1 for _ in empty)
    behind = sum(1 for bar in found.bars if bar.first <= longest) + 1
    return found.bars[: max(kept, behind)]


def _days(bar: Bar) -> str:
    if bar.last is None:
        return f"{bar.first:,} or more"
    return f"{bar.first:,}-{bar.last:,}" if bar.first < bar.last else f"{bar.first:,}"


def sensitivity_chart(
    points: Sequence[SensitivityPoint], title: str, *, width: int = WIDTH, signs: Signs = UNICODE
) -> str:
    """Users hit, and how many of those came back within 30 days, for each number of days of idleness."""
    most = max(1, *(one.hits for one in points)) if points else 1
    days = max([len("days"), *(len(f"{one.days:,}") for one in points)])
    figures = max(len("hit"), len(f"{most:,}"))
    back = max(len("back"), len(f"{most:,}"))
    scale = _Scale(most, width - days - figures - back - 15, signs)
    rows = [f" {'':1} {'days':>{days}}  {'hit':>{figures}}  {'back':>{back}}"]
    for one in points:
        share = _share(one.came_back, one.hits if one.told is None else one.told)
        bar = scale.parts(one.hits, one.came_back, signs.part)
        rows.append(
            f" {'*' if one.own else ' '} {one.days:>{days},}  {one.hits:>{figures},}"
            f"  {one.came_back:>{back},} {share:>5}  {bar}".rstrip()
        )
    notes = [f" {signs.full} hit  {signs.part} of those, back within 30 days"]
    notes += [" * as written"] if any(one.own for one in points) else []
    return _text(title, ["", *rows, "", *notes])


def _share(part: int, whole: int) -> str:
    """Percent, rounded half up; some and not all never look like none or all."""
    if not whole:
        return ""
    percent = (200 * part + whole) // (2 * whole)
    if part and not percent:
        return "<1 %"
    return ">99 %" if percent == 100 and part < whole else f"{percent} %"


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else text[: width - 1] + "…"


def _text(title: str, lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in (plain(title), *lines))
