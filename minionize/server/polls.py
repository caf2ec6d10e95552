"""How /stats is answered: the one request that comes every second for as long as somebody looks."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.types import Scope

from minionize.server.answers import Answer, encode
from minionize.server.problems import Problem
from minionize.server.served import Served
from minionize.stats.wire import StatsWire

ALWAYS = ("schema", "id")
"""Fields that are there whatever is asked for."""

FIELDS = tuple(StatsWire.__annotations__)
"""The fields that can be asked for."""

POLLED = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
"""Headers of an answer to a poll."""

_UNTAGGED = frozenset({"uptime", "resources"})
_MEANT = "poll"
_REMEMBERED = 64
_LONGEST = 2_000  # bytes of a request that are remembered


class Poll(NamedTuple):
    """What is asked of /stats; ``fields`` is empty for all."""

    window: float
    fields: frozenset[str]


class _Request(NamedTuple):
    poll: Poll
    condition: str | None


class Polls:
    """Answers polls.

    Who polls sends the same bytes each time. Those of a request that was answered are remembered with their meaning:
    reading, routing and checking them again would cost more than the answer.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._requests: dict[bytes, _Request] = {}

    def first(self, scope: Scope, window: float, fields: str | None) -> Response:
        """Answer a request that has been checked."""
        poll = scope["state"][_MEANT] = Poll(window, asked(fields))
        body, etag = self._value(poll)
        headers = {"etag": etag, **POLLED}
        if _holds(_condition(scope), etag):
            return Response(status_code=304, headers=headers)
        return Answer(body, headers=headers)

    def learn(self, request: bytes, scope: Scope) -> None:
        """Remember the bytes of a request that has been answered, if it was a poll."""
        poll = scope["state"].get(_MEANT)
        if poll is not None and scope["method"] == "GET" and len(request) <= _LONGEST:
            if len(self._requests) >= _REMEMBERED:
                self._requests.clear()
            self._requests[request] = _Request(poll, _condition(scope))

    def at_once(self, request: bytes) -> tuple[bytes, bytes, str] | None:
        """Answer a request that was learned: status line, body, ETag; None if it was not, or there is no answer."""
        known = self._requests.get(request)
        if known is None:
            return None
        try:
            body, etag = self._value(known.poll)
        except Exception:  # the border around a poll: the long way says what is wrong
            return None
        return (b"304 Not Modified", b"", etag) if _holds(known.condition, etag) else (b"200 OK", body, etag)

    def _value(self, poll: Poll) -> tuple[bytes, str]:
        value: Mapping[str, Any] = self._served.stats(poll.window)
        if poll.fields:
            value = {name: value[name] for name in FIELDS if name in poll.fields}
        return encode(value), tag(value if poll.fields else _what_matters(value))


def asked(fields: str | None) -> frozenset[str]:
    """Return the names that are asked for; none for all of them.

    Raises:
        Problem: There is no such field.
    """
    names = frozenset(name.strip() for name in (fields or "").split(",")) - {""}
    if unknown := sorted(names.difference(FIELDS)):
        raise Problem("unknown-field", f"no field {unknown[0][:100]!r}; there are {', '.join(FIELDS)}")
    return names.union(ALWAYS) if names else names


def tag(value: object) -> str:
    """Return a weak ETag: the same for equal values."""
    return f'W/"{blake2b(encode(value), digest_size=9).hexdigest()}"'


def _what_matters(stats: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes only when something happens."""
    matters = {name: value for name, value in stats.items() if name not in _UNTAGGED}
    matters["in_flight"] = stats["in_flight"]["count"]
    if stats["backlog"] is not None:
        matters["backlog"] = {name: value for name, value in stats["backlog"].items() if name != "as_of"}
    return matters


def _condition(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"), None)


def _holds(condition: str | None, etag: str) -> bool:
    known = (condition or "").split(",")
    return any(each.strip().removeprefix("W/") in (etag.removeprefix("W/"), "*") for each in known)
