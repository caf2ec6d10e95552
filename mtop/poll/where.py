"""Where a minion is asked: its URL, taken apart once."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from mtop.poll.trouble import Trouble

__all__ = ["Where", "find"]

_EXPECTED = "has an address that cannot be asked: write http://HOST:PORT, or https://"
_HEADERS = "Accept: application/json\r\nUser-Agent: mtop\r\n"


class Where(NamedTuple):
    """A place to ask.

    Attributes:
        host: A name, or a literal address without brackets.
        port: Of TCP.
        tls: Whether it speaks TLS.
        head: The request for its numbers, without the empty line at the end. It may hold a password.
    """

    host: str
    port: int
    tls: bool
    head: bytes

    def __repr__(self) -> str:
        return f"Where({self.host!r}, {self.port}, tls={self.tls})"


def find(url: str) -> Where:
    """Take the URL of a minion apart: ``http://host:port``, with a path where a proxy is before it.

    Raises:
        Trouble: Nothing can be asked there. The URL is not told, as it may hold a password.
    """
    # Nothing that could end a line of the request.
    if not re.fullmatch(r"[Hh][Tt][Tt][Pp][Ss]?://[!-~]{1,2000}", url):
        raise Trouble(_EXPECTED)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Trouble(_EXPECTED) from None
    if not host or port == 0 or parts.query or parts.fragment:
        raise Trouble(_EXPECTED)
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    # A zone is a matter of this host only.
    if ":" in host:
        host = host.replace("%25", "%")
        name = f"[{host.partition('%')[0]}]"
    else:
        name = host
    shown = name if port in (None, usual) else f"{name}:{port}"
    path = parts.path.rstrip("/")
    head = f"GET {path}/stats HTTP/1.1\r\nHost: {shown}\r\n{_HEADERS}{_authorization(parts.username, parts.password)}"
    return Where(host, port or usual, tls, head.encode())


def _authorization(user: str | None, password: str | None) -> str:
    """Return a header for who stands in a URL: a proxy may want to know."""
    if user is None:
        return ""
    from binascii import b2a_base64

    who = unquote_to_bytes(user) + b":" + unquote_to_bytes(password or "")
    return f"Authorization: Basic {b2a_base64(who, newline=False).decode()}\r\n"
