"""What a user may write as the place of minions: an URL of one, or a name behind which there are many. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from minionize.errors import SettingsError

__all__ = ["Name", "place_of", "url_at"]

_SCHEMES = ("http", "https")
_DNS = "dns+"
_REMEDY = "write http://HOST:PORT for one minion, or dns+http://NAME:PORT for all that a name leads to"


class Name(NamedTuple):
    """A name; each of its addresses is a minion.

    Attributes:
        scheme: "http" or "https".
        name: The name.
        port: The port, the same for all.
        path: What stands before each path of a minion's server; "" for nothing.
    """

    scheme: str
    name: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"{_DNS}{self.scheme}://{_bracketed(self.name)}:{self.port}{self.path}"


def place_of(text: str) -> str | Name:
    """Understand what a user has written.

    Returns:
        The URL of one minion, or a name.

    Raises:
        SettingsError: It is neither.
    """
    text = text.strip()
    scheme, slashes, rest = text.partition("://")
    kind = scheme.lower().removeprefix(_DNS)
    if not slashes or kind not in _SCHEMES:
        raise _wrong(text, "no URL of a minion")
    if re.fullmatch(r"[!-~]*", rest) is None:
        raise _wrong(text, "an URL has neither spaces nor letters beyond ASCII")
    try:
        parts = urlsplit(f"{kind}://{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(text, "host or port are wrong") from None
    if parts.username is not None:
        raise _wrong(text, "there is no user or password for a minion, but a token")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _wrong(text, "nothing can stand behind a ? or #")
    if not host or port == 0:
        raise _wrong(text, "host or port are missing")
    path = parts.path.rstrip("/")
    if not scheme.lower().startswith(_DNS):
        return url_at(kind, host, port, path)
    if port is None:
        raise _wrong(text, "the port is missing")
    return Name(kind, host, port, path)


def url_at(scheme: str, host: str, port: int | None, path: str) -> str:
    """Write an URL, always in the same way."""
    return f"{scheme}://{_bracketed(host)}{'' if port is None else f':{port}'}{path}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _wrong(text: str, what: str) -> SettingsError:
    """Say what is wrong, without what may be secret: user, password, a token behind a "?"."""
    scheme, slashes, rest = text.partition("://")
    shown = scheme + slashes + re.split(r"[?#]", rest)[0].rpartition("@")[2]
    return SettingsError(f"{shown[:200]!r}: {what}; {_REMEDY}")
