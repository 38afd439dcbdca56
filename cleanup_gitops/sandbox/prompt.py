"""A server that starts and ends without waiting for the next tick of a clock."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn


class PromptServer(uvicorn.Server):
    """Ends as soon as it is asked to; uvicorn looks for that ten times a second, and then waits for a tenth more."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        """Set once connections are accepted."""
        self._asked = asyncio.Event()

    def stop(self) -> None:
        """Have it end; only in the thread that serves."""
        self.should_exit = True
        self._asked.set()

    async def main_loop(self) -> None:
        """Until it is asked to end."""
        await self.on_tick(0)
        self.ready.set()
        await self._asked.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection, and let answers be finished that were begun."""
        for server in self.servers:
            server.close()
        for taken in sockets or ():
            taken.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - sets of uvicorn's
                    await asyncio.sleep(0.001)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
