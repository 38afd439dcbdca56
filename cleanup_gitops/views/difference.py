"""What a command writes into a file, as a unified diff."""

from __future__ import annotations

from difflib import unified_diff

from cleanup_gitops.views.safe import plain

_STYLES = {"+": "32", "-": "31", "@": "36"}


def render_difference(name: str, before: bytes | None, after: bytes, *, colour: bool = False) -> str:
    """The lines that change, each with three around it; all of a new file (``before`` is ``None``)."""
    old, new = ((data or b"").decode("utf-8", "replace").splitlines() for data in (before, after))
    source = "/dev/null" if before is None else f"a/{name}"
    lines = [plain(line) for line in unified_diff(old, new, source, f"b/{name}", lineterm="")]
    return "".join(f"{_painted(line, number) if colour else line}\n" for number, line in enumerate(lines))


def _painted(line: str, number: int) -> str:
    style = "1" if number < 2 else _STYLES.get(line[:1])
    return f"\x1b[{style}m{line}\x1b[0m" if style else line
