"""The streams of a container over the connection to its engine: output in frames, and standard input."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["Output", "attached", "feed", "frames", "keep_alive"]

_CHUNK = 65536
_HEADER = 8
_KEPT = 400
_STDERR = 2
_IDLE = 30
_EACH = 10


@contextmanager
def attached(client: Any, container: str, **streams: int) -> Iterator[Any]:
    """Open a connection to streams of a container that has not started, and close it.

    Args:
        client: Of the docker library.
        container: Its id.
        streams: Such as ``stdout=1``.

    Yields:
        An object with ``recv`` or ``read``. It waits for ever.
    """
    connection = client.api.attach_socket(container, params={"stream": 1, **streams})
    try:
        channel = _channel(connection)
        channel.settimeout(None)
        keep_alive(channel)
        yield connection
    finally:
        with suppress(OSError):
            # The response, where the library tells it: the socket itself is its.
            getattr(connection, "_response", connection).close()


def keep_alive(connection: Any) -> None:
    """Let a connection over TCP be lost when its other end is: nobody would tell who waits for ever.

    Args:
        connection: A socket of any kind.
    """
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system has all: its own times are hours.
    for name, seconds in (("TCP_KEEPIDLE", _IDLE), ("TCP_KEEPINTVL", _EACH)):
        if option := getattr(socket, name, None):
            connection.setsockopt(socket.IPPROTO_TCP, option, seconds)


def _channel(connection: Any) -> Any:
    return getattr(connection, "_sock", connection)


def frames(receive: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Cut what comes into pieces of stdout (1) and stderr (2); each frame has a header: stream, length.

    Args:
        receive: Waits for so many bytes at most; none is the end.

    Raises:
        EOFError: The end came within a frame.
    """
    held = b""
    stream = left = 0
    while data := receive(_CHUNK):
        held += data
        while held:
            if not left:
                if len(held) < _HEADER:
                    break
                stream, left = held[0], int.from_bytes(held[4:_HEADER])
                held = held[_HEADER:]
                continue
            piece, held = held[:left], held[left:]
            left -= len(piece)
            yield stream, piece
    if held or left:
        raise EOFError("it ends in the middle")


class Output:
    """Writes a container's output to descriptors 1 and 2 as it comes; keeps nothing but the beginning of stderr.

    Attributes:
        stdout_bytes: How much there was.
        stderr_bytes: Likewise.
        stderr: The beginning, 400 bytes.
        lost: Why it is not all, in words; None where it is.
    """

    def __init__(self) -> None:
        self.stdout_bytes = self.stderr_bytes = 0
        self.stderr = b""
        self.lost: str | None = None

    def copy(self, connection: Any, tty: bool) -> None:
        """Write all that comes, until the container or the engine has ended.

        Args:
            connection: From ``attached``.
            tty: The container has a terminal: all is stdout, without frames.

        Raises:
            OSError: It cannot be written.
        """
        for stream, data in self._pieces(connection, tty):
            if stream == _STDERR:
                self.stderr_bytes += len(data)
                if len(self.stderr) < _KEPT:
                    self.stderr = (self.stderr + data)[:_KEPT]
            else:
                self.stdout_bytes += len(data)
            _write(_STDERR if stream == _STDERR else 1, data)

    def _pieces(self, connection: Any, tty: bool) -> Iterator[tuple[int, bytes]]:
        receive = getattr(connection, "recv", None) or connection.read

        def or_nothing(size: int) -> bytes:
            # A connection that breaks ends the output; what has become of the run is asked elsewhere.
            try:
                return bytes(receive(size) or b"")
            except OSError as error:
                self.lost = error.strerror or str(error)
                return b""

        if tty:
            yield from iter(lambda: (1, or_nothing(_CHUNK)), (1, b""))
            return
        try:
            yield from frames(or_nothing)
        except EOFError as error:
            self.lost = self.lost or str(error)


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


@contextmanager
def feed(connection: Any, data: bytes) -> Iterator[None]:
    """Send standard input, then its end, in a thread; what was not read at the end of ``with`` will not be.

    Args:
        connection: From ``attached``, for standard input only.
        data: All of it.
    """
    channel = _channel(connection)

    def send() -> None:
        # The program need not read it.
        with suppress(OSError):
            channel.sendall(data)
            channel.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send, name="stdin", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)
        thread.join()
