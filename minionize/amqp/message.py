"""A message as the server delivers it, and what is told of its param in its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from minionize.amqp.channel import Arrival
from minionize.engine import DeadLetter
from minionize.message import ATTEMPTS, ID, JSON, Codec, Dead

__all__ = ["CRASHES", "Message", "fresh"]

CRASHES = "minionize-crashes"
"""Name of a header: how many of the attempts that are over ended without an outcome."""

_DEAD = "minionize-dead"
"""Name of a header of a dead param that is no document: what that would tell beside the param."""

_LONGEST = 32_000
"""Bytes of that header: all headers together have 128 KB at most."""

_COUNT = "x-delivery-count"
_KEPT = ("content_type", "content_encoding", "priority", "correlation_id", "reply_to", "type", "timestamp", "app_id")
# Of the server's own: with x-death a message that comes by its delay queue for the second time would be dropped as
# running in circles; CC and BCC would send copies to others.
_LEFT_OUT = ("x-death", "x-first-death-", "x-last-death-", _COUNT, "x-acquired-count", "CC", "BCC")


class Message:
    """One message.

    Attributes:
        body: What it holds.
        id: Id of its param: what minions have noted, else the producer's, else made of the body.
        copy: Tells this message from any other of the same param; for one that no minion has put, from all that differ.
        ours: Whether a minion, or ``minion-queue``, has put it.
        again: Whether the server says that it has delivered it before.
    """

    def __init__(self, arrival: Arrival) -> None:
        properties, body = arrival.properties, arrival.body
        self.body, self.again = body, bool(arrival.method.redelivered)
        self._properties = properties
        self._headers: Mapping[str, Any] = properties.headers or {}
        id, number = self._headers.get(ID), properties.message_id
        self.ours = isinstance(id, str)
        if self.ours and number:
            self.id, self.copy = str(id), str(number)
        else:
            # Somebody else's: or somebody has put one of ours elsewhere, and not the whole of it.
            print = sha256(body).hexdigest()
            self.ours, self.id, self.copy = False, str(id or number or print[:32]), f"{number} {print}"

    @property
    def content_type(self) -> str:
        """What the body is."""
        return str(self._properties.content_type or "")

    @property
    def crashes(self) -> int:
        """How many deliveries ended without an outcome: the server counts those, and nothing else is given back so."""
        return _number(self._headers.get(CRASHES)) + _number(self._headers.get(_COUNT))

    @property
    def attempts(self) -> int:
        """How many deliveries counted as attempts and are over."""
        return _number(self._headers.get(ATTEMPTS)) + _number(self._headers.get(_COUNT))

    @property
    def redelivered(self) -> bool:
        """Whether its param was delivered before, as this message or another."""
        return self.again or ATTEMPTS in self._headers

    def put_back(self, id: str, charge: bool, delay: float) -> Any:
        """Return the properties of a message that takes its place; with a delay, after which it expires."""
        counts = {ATTEMPTS: self.attempts + charge, CRASHES: self.crashes}
        more = {"expiration": str(max(1, round(delay * 1000)))} if delay > 0 else {}
        return self._copied(id, counts, more)

    def afresh(self, id: str) -> Any:
        """Return the properties of a message that has never been delivered."""
        return self._copied(id, {}, {})

    def buried(self, id: str, reason: str, evidence: Mapping[str, Any], largest: float) -> tuple[bytes, Any]:
        """Return body and properties of the message that tells that its param is dead: with the headers of the param.

        Args:
            id: Of the param.
            reason: Why, in words.
            evidence: What is known of its last run.
            largest: Bytes that a document may have. The param itself may be just as large: then it stays as it is.
        """
        dead = Dead.now(id, self.body, self.content_type, reason, evidence)
        document = dead.encode()
        if len(document) <= largest:
            return document, self._copied(id, {}, {"content_type": JSON})
        return self.body, self._copied(id, {_DEAD: _note(dead)}, {})

    def _copied(self, id: str, notes: dict[str, Any], more: dict[str, Any]) -> Any:
        left = {ATTEMPTS, CRASHES, _DEAD}
        kept = {name: v for name, v in self._headers.items() if name not in left and _is_kept(name)}
        fields = {name: getattr(self._properties, name) for name in _KEPT}
        return _properties(id, uuid4().hex, {**kept, **notes}, {**fields, **more})

    def _dead(self) -> Dead | None:
        """Read what a minion has told of a dead param."""
        note = Dead.decode(str(self._headers.get(_DEAD)).encode())
        return Dead.decode(self.body) if note is None else replace(note, body=self.body)

    def letter(self, codec: Codec) -> DeadLetter:
        """Read it as a dead param."""
        dead = self._dead()
        if dead is not None:
            return dead.letter(codec)
        reason, at = self._death()
        words = "dead-lettered by the broker" + (f": {reason}" if reason else "")
        return DeadLetter(self.id, codec.decode(self.body, self.content_type), words, {}, at)

    def _death(self) -> tuple[str, float]:
        """Tell why and when the server has given it up; "" and 0.0 where it has not."""
        deaths = self._headers.get("x-death")
        last = deaths[0] if isinstance(deaths, list) and deaths else {}
        if not isinstance(last, Mapping):
            return "", 0.0
        at = last.get("time")
        return str(last.get("reason", "")).replace("_", " "), at.timestamp() if isinstance(at, datetime) else 0.0

    def revived(self) -> tuple[str, bytes, Any]:
        """Return id, body and properties of the message that a dead param was."""
        dead = self._dead()
        if dead is None:
            return self.id, self.body, self.afresh(self.id)
        properties = self.afresh(dead.id)
        properties.content_type = dead.content_type or None
        return dead.id, dead.body, properties


def _note(dead: Dead) -> str:
    note = replace(dead, body=b"").encode()
    if len(note) > _LONGEST:
        note = replace(dead, body=b"", reason=dead.reason[:1000], evidence={}).encode()
    return note.decode()


def fresh(content_type: str) -> Any:
    """Return the properties of a new param's message."""
    id = uuid4().hex
    return _properties(id, id, {}, {"content_type": content_type or None})


def _properties(id: str, copy: str, headers: dict[str, Any], fields: dict[str, Any]) -> Any:
    from pika import BasicProperties

    return BasicProperties(delivery_mode=2, message_id=copy, headers={**headers, ID: id}, **fields)


def _is_kept(name: Any) -> bool:
    # One that is no UTF-8 comes as bytes.
    return isinstance(name, str) and not name.startswith(_LEFT_OUT)


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int) and value > 0 else 0
