"""One connection of a client: uvicorn's, with an end to its patience."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 30.0
"""Seconds that a client may take for one request and its answer, from the first byte to the last."""

MOST = 512
"""Connections at the same time, at most; fewer where few files may be open."""

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"content-type: application/problem+json\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: %d\r\n\r\n%s"
)
_PROBLEM = (
    b'{"type":"urn:minionize:problem:busy","title":"Busy","status":503,"detail":"too many connections","instance":""}'
)


def _files() -> int:
    """How many files may be open here."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * MOST if soft == resource.RLIM_INFINITY else soft


class Connection(H11Protocol):
    """Ends a connection whose client hangs: uvicorn bounds only the time between two requests.

    Attributes:
        patience: Seconds, as PATIENCE.
        most: Connections, as MOST.
    """

    patience = PATIENCE
    most = MOST

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._seen: object = None
        self._since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Watch the connection; refuse it where there are too many: a minion needs files for its runs."""
        super().connection_made(transport)
        if len(self.connections) > min(self.most, _files() // 2):
            transport.write(_BUSY % (len(_PROBLEM), _PROBLEM))
            transport.close()
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _arm(self) -> None:
        self._timer = self.loop.call_later(self.patience / 6, self._look)

    def _look(self) -> None:
        """Look whether anything has been finished since the last time."""
        unread = self.transport.get_write_buffer_size()
        idle = self.timeout_keep_alive_task is not None and not unread
        now = self.loop.time()
        if idle or self.cycle is not self._seen:
            self._seen, self._since = self.cycle, now
        elif now - self._since > self.patience:
            self.transport.abort()
            return
        self._arm()
