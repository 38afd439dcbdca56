"""Runs ``cleanup-gitops plan`` and notes every request it sends: ``python -m tests.benchmarks.noted FILE FOLDER``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import msgspec

from cleanup_gitops.cli.main import run
from tests.benchmarks.bare_loop import Request
from tests.benchmarks.unlimited import lift


def main(notes: Path, folder: str) -> int:
    """The exit code of the plan."""
    noted: list[Request] = []
    lock = threading.Lock()
    send = httpx.Client.send

    def noting(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401 - handed on
        kept = {name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers}
        with lock:
            noted.append(Request(request.method, str(request.url), kept, request.content))
        return send(self, request, **options)

    setattr(httpx.Client, "send", noting)  # noqa: B010 - for this process only
    lift()
    code = run(["-C", folder, "plan"])
    notes.write_bytes(msgspec.msgpack.encode(noted))
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
