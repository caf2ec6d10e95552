"""One connection of a client: uvicorn's, with an end to its patience."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from contextlib import suppress
from email.utils import formatdate
from typing import Any, cast

import h11
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from minionize.server.answers import encode
from minionize.server.polls import POLLED, Polls
from minionize.server.problems import KINDS, MEDIA_TYPE

PATIENCE = 30.0
"""Seconds that a client may take for one request and its answer, from the first byte to the last."""

MOST = 512
"""Connections at the same time, at most; fewer where few files may be open."""


def _raw(status: int, name: str, title: str, detail: str) -> bytes:
    """Write a problem where there is no request to answer."""
    problem = {
        "type": f"urn:minionize:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "",
    }
    body = encode(problem)
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _files() -> int:
    """How many files may be open here."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * MOST if soft == resource.RLIM_INFINITY else soft


def _send_at_once(transport: asyncio.Transport) -> None:
    """Let no half of an answer wait for the client to confirm the other: 40 ms each time.

    asyncio does that, but not where a listener was made without naming its protocol.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


_POLLED = [(name.encode(), value.encode()) for name, value in POLLED.items()]


class Connection(H11Protocol):
    """Ends a connection whose client hangs: uvicorn bounds only the time between two requests.

    Attributes:
        patience: Seconds, as PATIENCE.
        most: Connections, as MOST.
        polls: Answers polls.
    """

    patience = PATIENCE
    most = MOST
    polls: Polls

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._seen: object = None
        self._since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._request = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Watch the connection; refuse it where there are too many: a minion needs files for its runs."""
        super().connection_made(transport)
        _send_at_once(transport)
        if len(self.connections) > min(self.most, _files() // 2):
            self._refuse("busy", "too many connections; try again")
        self._arm()

    def data_received(self, data: bytes) -> None:
        """See to the date of the answers, then read on."""
        now = int(time.time())
        if now != getattr(self.server_state, "dated", None):
            self.server_state.dated = now  # type: ignore[attr-defined]
            self.server_state.default_headers = [(b"date", formatdate(now, usegmt=True).encode())]
        rests = self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if rests and self._answered(data):
            return
        super().data_received(data)
        # What has arrived in one piece, and is one request with nothing behind it.
        whole = rests and self.conn.their_state is h11.DONE and not self.conn.trailing_data[0]
        self._request = data if whole else b""

    def _answered(self, data: bytes) -> bool:
        """Answer a poll whose very bytes were answered before, here and now: no parser, no task, one packet."""
        found = self.polls.at_once(data)
        if found is None or self.transport.get_write_buffer_size():
            return False
        status, body, etag = found
        head = [*self.server_state.default_headers, *_POLLED, (b"etag", etag.encode())]
        if body:
            head += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        lines = b"".join(b"%s: %s\r\n" % header for header in head)
        self.transport.write(b"HTTP/1.1 %s\r\n%s\r\n%s" % (status, lines, body))
        super().on_response_complete()
        return True

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()
        else:
            self._refuse("not-http", "this is not an HTTP request, or its head is too long")

    def _refuse(self, name: str, detail: str) -> None:
        kind = KINDS[name]
        self.transport.write(_raw(kind.status, name, kind.title, detail))
        self.transport.close()

    def on_response_complete(self) -> None:
        """Learn what was asked, where it may come again."""
        if self._request and self.cycle.keep_alive and not self.transport.is_closing():
            self.polls.learn(self._request, cast(Scope, self.cycle.scope))
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _arm(self) -> None:
        self._timer = self.loop.call_later(self.patience / 6, self._look)

    def _rests(self) -> bool:
        """Whether all is sent and nothing has begun: then the time between two requests counts."""
        waits = self.timeout_keep_alive_task is not None and self.conn.their_state is h11.IDLE
        return waits and not self.conn.trailing_data[0] and not self.transport.get_write_buffer_size()

    def _look(self) -> None:
        """Look whether anything has been finished since the last time."""
        now = self.loop.time()
        if self._rests() or self.cycle is not self._seen:
            self._seen, self._since = self.cycle, now
        elif now - self._since > self.patience:
            self.transport.abort()
            return
        self._arm()
