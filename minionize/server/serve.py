"""The server of a minion: uvicorn in a thread of its own, on a socket that is there already."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from minionize.errors import MinionizeError
from minionize.server.served import Served

if TYPE_CHECKING:
    import uvicorn

KEEP_ALIVE = 75
"""Seconds that a connection stays open between two requests."""

_GRACE = 0.25
_QUICK = 2.0


class Server:
    """Answers the clients of one minion until it is stopped.

    FastAPI and uvicorn are imported when one is made: 0.3 s, so not before the first param runs.
    """

    def __init__(self, served: Served, listener: socket.socket) -> None:
        """Make a server.

        Args:
            served: The minion.
            listener: Bound and listening. It belongs to the server from now on, which closes it at the end.

        Raises:
            MinionizeError: FastAPI or uvicorn cannot be imported.
        """
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._server = _uvicorn(served, self._wake)
        self._lock = threading.Lock()
        self._runner: threading.Thread | None = None
        self._stopped = False
        self._ended = threading.Event()

    def run(self) -> None:
        """Answer clients until ``stop``: in the calling thread, which must not be the main one.

        Raises:
            MinionizeError: The socket cannot be used any more.
        """
        with self._lock:
            if self._stopped or self._runner is not None:
                return
            self._runner = threading.current_thread()
        try:
            asyncio.run(self._serve())
        except OSError as error:
            raise MinionizeError(f"the server has ended: {error}") from error
        finally:
            self._listener.close()
            self._ended.set()

    def stop(self) -> None:
        """Stop, within a second whatever the clients do. Any thread may call, at any time, more than once."""
        with self._lock:
            self._stopped = True
            runner = self._runner
        self._server.should_exit = True
        if runner is None:
            self._listener.close()
        else:
            if self._loop is not None:
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._wake.set)
            if runner is not threading.current_thread():
                self._ended.wait(_QUICK)

    async def _serve(self) -> None:
        # What goes wrong with a client is nobody's business here.
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda loop, context: None)
        await self._server.serve(sockets=[self._listener])


def _uvicorn(served: Served, stopped: asyncio.Event) -> uvicorn.Server:
    try:
        import uvicorn

        from minionize.server.app import make_app
        from minionize.server.connection import Connection
    except ImportError as error:
        raise MinionizeError(
            f"the stats server cannot be imported ({error}); pip install --upgrade fastapi uvicorn, or --no-server"
        ) from error

    class Uvicorn(uvicorn.Server):
        async def main_loop(self) -> None:
            """Wait for ``stop``, and for nothing else: a server that nobody asks sleeps."""
            if not self.should_exit:
                await stopped.wait()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Let answers under way end, for a moment."""
            loop = asyncio.get_running_loop()
            for sock in sockets or ():
                loop.remove_reader(sock)
            for _ in range(3):
                # Who has just been let in must be inside before the door is shut, or asyncio loses him.
                await asyncio.sleep(0)
            loop.call_later(_GRACE, self._hang_up)
            await super().shutdown(sockets)
            self._hang_up()

        def _hang_up(self) -> None:
            for connection in list(self.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    app = make_app(served)

    class Polled(Connection):
        polls = app.polls

    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return Uvicorn(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=Polled,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            # Written by the connection, when one is used.
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
    )
