"""TLS over a socket that never waits. The library is imported with the first minion that speaks it."""

from __future__ import annotations

import selectors
import socket
import ssl

__all__ = ["Context", "Secure"]


class Context:
    """How certificates are checked: as this host's programs do, or by the authorities in SSL_CERT_FILE."""

    def __init__(self) -> None:
        self._context = ssl.create_default_context()

    def wrap(self, sock: socket.socket, host: str) -> Secure:
        """Take a connected socket over; nothing is sent yet.

        Raises:
            OSError: It is no host that a certificate could name.
        """
        try:
            secure = self._context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        except ValueError as error:
            raise OSError(22, f"no name for a certificate: {error}") from error
        return Secure(secure)


class Secure:
    """A socket that speaks TLS, and otherwise behaves as a plain one: BlockingIOError is what says "later"."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock

    def shake(self) -> int:
        """Go on with the handshake; return which event it waits for, 0 when it is done."""
        try:
            self._sock.do_handshake()
        except ssl.SSLWantReadError:
            return selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            return selectors.EVENT_WRITE
        return 0

    def send(self, data: bytes) -> int:
        """Send some of it; return how much."""
        try:
            return self._sock.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def recv(self, size: int) -> bytes:
        """Take what there is, b"" at the end.

        Args:
            size: Bytes, no fewer than a record has (16 KiB): what is left of one would make no socket readable.
        """
        try:
            return self._sock.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def close(self) -> None:
        """Let go, without a farewell."""
        self._sock.close()
