"""What stands around all routes: plain ASGI, so that it costs next to nothing."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from minionize.console import say
from minionize.server.auth import body_length, shows_token
from minionize.server.problems import Problem

LARGEST_BODY = 65_536
"""Bytes that the body of a request may have."""

AT_ONCE = 32
"""Answers that may hold params which are made and sent at the same time; others wait."""

_TASKS = "/tasks/"


class Border:
    """Lets requests in and answers out.

    HEAD is answered as GET is (uvicorn leaves the body out), ids in paths may hold anything, a body that is too large
    is refused before it is read, and a fault of ours becomes a problem, told once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        scope = _as_get(_with_whole_id(scope))
        if _is_large(scope):
            async with self._gate:
                await self._answer(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            length = body_length(scope)
            if length is None or length:
                receive = _limited(receive)
            if length is not None and length > LARGEST_BODY:
                await Problem("too-large", _TOO_LARGE).answer(scope)(scope, receive, sent)
                return
            await self._app(scope, receive, sent)
        except Exception as error:
            self._tell(scope, error)
            if started:
                # The connection is ended: half an answer must not look like a whole one.
                raise
            await Problem("internal", "a fault of the server; the minion goes on").answer(scope)(scope, receive, send)

    def _tell(self, scope: Scope, error: Exception) -> None:
        if not self._told:
            self._told = True
            path = "/".join(scope["path"].split("/")[:2])
            say(f"server: {scope['method']} {path} failed: {type(error).__name__}: {str(error)[:200]} (said once)")


_TOO_LARGE = f"at most {LARGEST_BODY} bytes"


def _is_large(scope: Scope) -> bool:
    """Whether the answer may be large. Who has no token must not be able to make others wait."""
    wanted = scope["method"] == "GET" and scope["path"].startswith(("/tasks", "/failures"))
    return wanted and shows_token(scope, scope["app"].state.served.token)


def _as_get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def _with_whole_id(scope: Scope) -> Scope:
    """Keep an id in ``/tasks/ID/VERB`` in one piece, whatever it holds: slashes, bytes that are no text."""
    raw: bytes = scope.get("raw_path") or b""
    if not raw.startswith(_TASKS.encode()):
        return scope
    id, _, verb = raw.removeprefix(_TASKS.encode()).rpartition(b"/")
    return {**scope, "path": f"{_TASKS}{quote(unquote_to_bytes(id), safe='')}/{verb.decode('latin-1')}"}


def whole_id(piece: str) -> str:
    """Return the id that a path holds."""
    return unquote(piece, errors="surrogateescape")


def _limited(receive: Receive) -> Receive:
    """Count what is read of a body."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return counted
