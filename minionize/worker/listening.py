"""Where a minion's stats server listens, and what it is called by those who look for it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from minionize.errors import SettingsError
from minionize.worker.labels import in_batch_job

__all__ = ["listen", "token_from", "url_of"]

_LOOPBACK = "127.0.0.1"
_EVERYWHERE = "0.0.0.0"
_WAITING = 1024  # clients that may wait until the server takes them


def listen(host: str | None, port: int, environ: Mapping[str, str]) -> socket.socket:
    """Open the socket; nobody is answered yet.

    Args:
        host: What the user wants to listen on; None: this host only, but all addresses in a batch job or a pod.
        port: The port; 0: any that is free.
        environ: Tells whether this is a job or a pod.

    Raises:
        OSError: It cannot be opened.
    """
    address = host or (_EVERYWHERE if in_batch_job(environ) else _LOOPBACK)
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except ValueError:
        # A name that not even the look-up takes: too long, or with a NUL in it.
        raise OSError(errno.EINVAL, "no name of a host") from None
    family, kind, protocol, _, place = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(_WAITING)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, environ: Mapping[str, str]) -> str:
    """Return the URL by which others reach a socket: in a pod by its address, else by the name of the host."""
    address, port = listener.getsockname()[:2]
    if address in (_EVERYWHERE, "::"):
        address = environ.get("POD_IP") or _own_name(environ)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _own_name(environ: Mapping[str, str]) -> str:
    name = os.uname().nodename
    if not environ.get("KUBERNETES_SERVICE_HOST"):
        return name
    try:
        # The name of a pod is known in the pod only.
        return socket.gethostbyname(name)
    except OSError:
        return name


def token_from(path: str) -> str:
    """Read the token that clients must show.

    Raises:
        SettingsError: There is no token in the file, or it cannot be read.
    """
    try:
        token = Path(path).read_text("ascii").strip()
    except UnicodeDecodeError:
        raise SettingsError(f"--token-file {path}: a token is made of printable ASCII characters") from None
    except OSError as error:
        raise SettingsError(f"--token-file {path}: {error.strerror}") from None
    if not token or not token.isprintable():
        raise SettingsError(f"--token-file {path}: it must hold a token, in one line")
    return token
