"""JSON as it is answered: whatever a param holds, it becomes JSON; and no slow reader makes the minion grow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from minionize.task import plain, to_json

PIECE = 65_536
"""Bytes that are handed to a connection at a time; the next ones once it has taken most of them."""

_DEEPEST = 50
_LONGEST_INTEGER = 10_000
_ENCODE = json.JSONEncoder(default=plain, separators=(",", ":"), allow_nan=False).encode
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Answer(Response):
    """A JSON value, or the bytes of one, sent piece by piece."""

    media_type = "application/json"

    def __init__(self, value: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(
            value if isinstance(value, bytes) else encode(value), status_code, {**_HEADERS, **(headers or {})}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, no faster than it is read."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body, size = bytes(self.body), len(self.body)
        for start in range(0, size or 1, PIECE):
            piece = body[start : start + PIECE] if size > PIECE else body
            await send({"type": "http.response.body", "body": piece, "more_body": start + PIECE < size})


def encode(value: Any) -> bytes:
    """Write any value as JSON; what JSON has no form for becomes text."""
    try:
        return _ENCODE(value).encode()
    except (TypeError, ValueError, RecursionError):
        return _ENCODE(sound(value)).encode()


def sound(value: Any, depth: int = 0) -> Any:
    """Return a value that can be written as JSON, without what JSON cannot say: NaN, strange keys, endless depth."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, int):
        return value if value.bit_length() < _LONGEST_INTEGER else hex(value)
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else to_json(key): sound(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [sound(each, depth + 1) for each in value]
    return sound(plain(value), depth + 1)
