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
_REMEMBERED = 64
_LONGEST = 2_000  # bytes of a request that are remembered


class Poll(NamedTuple):
    """What is asked of /stats; ``fields`` is empty for all."""

    window: float
    fields: frozenset[str]


class Polls:
    """Answers polls.

    A query that has been understood once is remembered with its meaning: routing and checking it again costs more than
    the answer.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._meanings: dict[bytes, Poll] = {}
        self._requests: dict[bytes, Poll] = {}

    def first(self, scope: Scope, window: float, fields: str | None) -> Response:
        """Answer a query that has been checked, and remember it."""
        poll = Poll(window, asked(fields))
        if len(self._meanings) < _REMEMBERED:
            self._meanings[scope["query_string"]] = poll
        return self._answer(poll, scope)

    def again(self, scope: Scope) -> Response | None:
        """Answer a query that was answered before; None if it was not, or there is no answer."""
        if scope["type"] != "http" or scope["path"] != "/stats" or scope["method"] not in ("GET", "HEAD"):
            return None
        poll = self._meanings.get(scope["query_string"])
        try:
            return None if poll is None else self._answer(poll, scope)
        except Exception:
            # The long way says what is wrong.
            return None

    def learn(self, request: bytes, scope: Scope) -> None:
        """Remember the bytes of a request that has been answered: who polls sends the same ones each time."""
        poll = self._meanings.get(scope["query_string"])
        plain = scope["path"] == "/stats" and scope["method"] == "GET"
        conditional = any(name == b"if-none-match" for name, _ in scope["headers"])
        if poll is not None and plain and not conditional and len(request) <= _LONGEST:
            if len(self._requests) >= _REMEMBERED:
                self._requests.clear()
            self._requests[request] = poll

    def at_once(self, request: bytes) -> tuple[bytes, str] | None:
        """Answer a request that was learned: body and ETag; None if it was not, or there is no answer."""
        poll = self._requests.get(request)
        try:
            return None if poll is None else self._value(poll)
        except Exception:
            # The long way says what is wrong.
            return None

    def _value(self, poll: Poll) -> tuple[bytes, str]:
        value: Mapping[str, Any] = self._served.stats(poll.window)
        if poll.fields:
            value = {name: value[name] for name in FIELDS if name in poll.fields}
        return encode(value), tag(value if poll.fields else _what_matters(value))

    def _answer(self, poll: Poll, scope: Scope) -> Response:
        body, etag = self._value(poll)
        headers = {"etag": etag, **POLLED}
        given = next((given for name, given in scope["headers"] if name == b"if-none-match"), None)
        if given is not None and _holds(given.decode("latin-1"), etag):
            return Response(status_code=304, headers=headers)
        return Answer(body, headers=headers)


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


def _holds(given: str, etag: str) -> bool:
    return any(each.strip().removeprefix("W/") in (etag.removeprefix("W/"), "*") for each in given.split(","))
