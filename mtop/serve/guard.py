"""Who may come in: the user who has started it, with the address that it has printed; no page of somebody else.

On this host anybody can connect to a port, and any page in a browser can make it connect to one. So a request must

- be for a name of this host: a page whose name is made to lead here (DNS rebinding) has another one;
- come from our own page, if it comes from a page;
- show the key: as a cookie, which the address with the key in it sets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from hmac import compare_digest
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

__all__ = ["close_tight", "guard"]

_HOST = re.compile(r"(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d+))?", re.IGNORECASE | re.ASCII)

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def guard(key: str, names: Iterable[str]) -> Middleware:
    """Make what all requests go through.

    Args:
        key: What must be shown.
        names: Those by which this host may be reached, beside ``localhost`` and its own.
    """
    ours = {name.lower() for name in ("localhost", os.uname().nodename, *names)}

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _HOST.fullmatch(request.host)
        if host is None or not _is_ours(host[1] or host[2], ours):
            raise web.HTTPForbidden(text="this is not a name of this host\n")
        if not _is_own_page(request):
            raise web.HTTPForbidden(text="only the page of mtop may ask for this\n")
        # The cookies of all ports of a host are in one jar.
        cookie = f"mtop-{host[3] or 80}"
        if request.path == "/" and _same(request.query.get("key", ""), key):
            answer = web.HTTPSeeOther("/")
            answer.set_cookie(cookie, key, path="/", httponly=True, samesite="Strict")
            raise answer
        if not _same(request.cookies.get(cookie, ""), key):
            raise web.HTTPForbidden(text="open the whole address that mtop --serve has printed, with its key\n")
        return await handler(request)

    return guarded


async def close_tight(request: web.Request, answer: web.StreamResponse) -> None:
    """Put headers on an answer that keep everything else out of the page, and the page out of others."""
    answer.headers.update(_HEADERS)
    answer.headers["Content-Security-Policy"] = _POLICY.format(host=request.host)


def _same(shown: str, key: str) -> bool:
    return compare_digest(shown.encode("utf-8", "surrogateescape"), key.encode())


def _is_ours(name: str, names: set[str]) -> bool:
    """Tell whether a browser that was sent to such a host meant this one. An address cannot be made to lead here."""
    if name.lower() in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_own_page(request: web.Request) -> bool:
    """Tell whether no other page is behind a request; a browser always says whose socket it is."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Upgrade") is None and request.headers.get("Sec-Fetch-Site") != "cross-site"
    return origin.partition("://")[2] == request.host
