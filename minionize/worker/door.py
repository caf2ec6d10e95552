"""The door of a minion: the socket of its stats server, open from the start. The server comes when somebody knocks."""

from __future__ import annotations

import errno
import select
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from minionize.worker.signals import Waker

if TYPE_CHECKING:
    from minionize.server.serve import Server
    from minionize.worker.served import ServedMinion

_TAKEN = (errno.EADDRINUSE, errno.EACCES)
_CLOSING = 2.5


class Door:
    """Opens the socket at once, so that its URL is known; imports the server when the first client has come.

    Attributes:
        url: Where clients find it; None if it could not be opened.
    """

    def __init__(
        self,
        host: str | None,
        port: int,
        environ: Mapping[str, str],
        served: ServedMinion,
        say: Callable[[str], None],
    ) -> None:
        """Open it. What fails is said, and stops nothing.

        Args:
            host: What to listen on; None: see ``listening.listen``.
            port: The port; 0: any that is free. One that is taken is replaced by another one.
            environ: The environment.
            served: What is served.
            say: Tells the user.
        """
        self._served, self._say = served, say
        self._waker = Waker()
        self._server: Server | None = None
        self._closes = False
        self.url: str | None = None
        self._listener = self._opened(host, port, environ)
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        if self._listener is not None:
            self._thread.start()

    def _opened(self, host: str | None, port: int, environ: Mapping[str, str]) -> socket.socket | None:
        from minionize.worker.listening import listen, url_of

        where = f"{host}, port {port}" if host else f"port {port}"
        try:
            listener, taken = listen(host, port, environ), None
        except OSError as error:
            taken = error
            try:
                if error.errno not in _TAKEN:
                    raise
                listener = listen(host, 0, environ)
            except OSError as hopeless:
                self._say(f"{where}: {hopeless.strerror or hopeless}; there is no stats server, params run on")
                return None
        self.url = url_of(listener, environ)
        if taken is not None:
            self._say(f"{where}: {taken.strerror}; the stats server is at {self.url} instead")
        return listener

    def _run(self) -> None:
        assert self._listener is not None
        try:
            select.select((self._waker.fd, self._listener.fileno()), (), ())
            if not self._closes:
                self._serve(self._listener)
        except Exception as error:  # the border of the thread: what is only there to be seen must not stop work
            self._say(f"the stats server has failed, params run on: {error}")
        finally:
            self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        from minionize.server.serve import Server

        self._server = Server(self._served, listener)
        if not self._closes:
            self._server.run()

    def close(self) -> None:
        """Let nobody in any more, and wait for the server's end, but not for long."""
        self._closes = True
        self._waker.wake()
        if self._server is not None:
            self._server.stop()
        if self._thread.ident is not None:
            self._thread.join(_CLOSING)
        if not self._thread.is_alive():
            self._waker.close()
