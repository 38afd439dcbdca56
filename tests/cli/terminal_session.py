"""A command on a terminal of its own, as a person sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress

from tests import canaries
from tests.cli.workspace import Said, Workspace
from tests.patience import STALLED

_USUAL = {"TERM": "xterm-256color"}
_UNSET = ("CI", "NO_COLOR", "PAGER", "LESS", "COLUMNS", "LINES")


def on_terminal(workspace: Workspace, *args: str, columns: int = 120, lines: int = 24, **environment: str) -> Said:
    """Run one command with all three streams on a terminal of this size; ``out`` is what the terminal shows."""
    inside = {name: value for name, value in os.environ.items() if name not in _UNSET} | _USUAL | environment
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), *args]
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=inside)
    os.close(inner)
    shown = bytearray()
    with suppress(OSError):  # how a terminal says that nobody writes to it any more
        while part := os.read(outer, 65536):
            shown += part
    os.close(outer)
    code = process.wait(timeout=STALLED)
    text = shown.decode().replace("\r\n", "\n")
    assert "Traceback" not in text
    assert canaries.found(text) == []
    return Said(code, text, "")
