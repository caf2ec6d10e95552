"""Serves the page, its files, and for each page that is opened an mtop of its own."""

from __future__ import annotations

import secrets
import shlex
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from string import Template

from aiohttp import web
from textual_serve.server import Server

from minionize.errors import SettingsError
from mtop.serve.guard import close_tight, guard
from mtop.serve.terminal import terminal

__all__ = ["application", "is_loopback", "listen", "serve"]

_FONT = 16
_PATIENCE = 2.0
"""Seconds that open pages have at the end."""

_WARNING = """\
warning: {host} can be reached from elsewhere. Whoever gets hold of the address below can {harm}; nothing
is encrypted. An ssh tunnel (ssh -L {port}:localhost:{port} HOST) needs no port that is open to others."""


def serve(command: Sequence[str], host: str, port: int, readonly: bool, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        command: What is run for each page that is opened.
        host: Where to listen.
        port: The port; 0: any that is free.
        readonly: Whether what is run gives no orders.
        say: Told the address, and what is to be said about it.

    Raises:
        SettingsError: Nobody can listen there.
    """
    listener = listen(host, port)
    key = secrets.token_urlsafe(18)
    address, port = listener.getsockname()[:2]
    names = {host}
    if not is_loopback(listener):
        harm = "see your minions" if readonly else "control your minions (--readonly gives no orders)"
        say(_WARNING.format(host=host, port=port, harm=harm))
        names.add(socket.getfqdn())
    everywhere = ip_address(address.partition("%")[0]).is_unspecified
    name = socket.getfqdn() if everywhere else f"[{host}]" if ":" in host else host
    app = application(command, names, key)
    with suppress(KeyboardInterrupt):
        say(f"http://{name}:{port}/?key={key} (Ctrl-C ends it)")
        web.run_app(app, sock=listener, print=None, access_log=None, shutdown_timeout=_PATIENCE)


def listen(host: str, port: int) -> socket.socket:
    """Open the socket.

    Raises:
        SettingsError: It cannot be opened.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"--serve {host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen()
    except OSError as error:
        listener.close()
        raise SettingsError(f"--serve {host}:{port}: {error.strerror}") from None
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Tell whether only this host can connect."""
    return ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def application(command: Sequence[str], names: Iterable[str], key: str) -> web.Application:
    """Make what answers.

    Args:
        command: What is run for each page that is opened.
        names: Those by which it may be reached, beside ``localhost`` and the name of this host.
        key: What must be shown.
    """
    # Of its server we take files and downloads; its page loads fonts from elsewhere.
    server = Server("")
    # The shell makes way for mtop, which can be ended then.
    line = f"exec {shlex.join(command)}"
    page = Template((Path(__file__).parent / "page.html").read_text("utf-8"))

    async def index(request: web.Request) -> web.Response:
        text = page.substitute(websocket=f"ws://{request.host}/ws", size=_FONT)
        return web.Response(text=text, content_type="text/html")

    async def socket(request: web.Request) -> web.StreamResponse:
        return await terminal(request, line, server.download_manager)

    app = web.Application(middlewares=[guard(key, names)])
    app.on_response_prepare.append(close_tight)
    app.router.add_get("/", index)
    app.router.add_get("/ws", socket)
    app.router.add_get("/download/{key}", server.handle_download)
    app.router.add_static("/static", server.statics_path)
    return app
