"""A server over loopback that answers whatever it is told to, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["Hostile", "http", "serving_badly"]


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Write an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Hostile:
    """Answers each connection with the same bytes, then hangs up; or with none, and hangs.

    Attributes:
        url: Where it is.
        heads: The heads of all requests.
    """

    def __init__(self, answer: bytes | Callable[[bytes], bytes], hang: bool) -> None:
        self._answer, self._hang = answer, hang
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self._open: list[socket.socket] = []
        self.heads: list[bytes] = []
        self.url = "http://{}:{}".format(*self._listener.getsockname()[:2])
        self._thread.start()

    @property
    def asked(self) -> bytes:
        """All that it was asked."""
        return b"".join(self.heads)

    def close(self) -> None:
        """End."""
        # A close alone does not wake who waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError):
                self._serve(connection)
            if self._hang:
                self._open.append(connection)
            else:
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5.0)
        head = b""
        while b"\r\n\r\n" not in head and (data := connection.recv(65_536)):
            head += data
        self.heads.append(head)
        connection.sendall(self._answer(head) if callable(self._answer) else self._answer)


@contextmanager
def serving_badly(answer: bytes | Callable[[bytes], bytes] = b"", hang: bool = False) -> Iterator[Hostile]:
    """Run one."""
    server = Hostile(answer, hang)
    try:
        yield server
    finally:
        server.close()
