"""Messages of Pub/Sub: what stands in their attributes, and how a param is put anew."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from minionize.engine import DeadLetter
from minionize.errors import EngineError
from minionize.message import ATTEMPTS, FOR, ID, JSON, TYPE, Codec, Dead, counted
from minionize.task import Param

__all__ = [
    "ENOUGH",
    "attempts_of",
    "dead",
    "fresh",
    "held_back",
    "id_of",
    "is_for",
    "letter",
    "param_of",
    "retry",
    "revived",
]

BEFORE = "minionize-not-before"
REASON = "minionize-reason"
"""Not before that time (Unix seconds) is the param to be run; why it is dead, where that cannot stand in a document."""

ENOUGH = 8_000_000
"""Bytes in one call; the service takes 10 MB, attributes and all."""

_LARGEST = 9_900_000
_DEAD_BY_BROKER = "CloudPubSubDeadLetter"
_GOOGLES = ("goog", _DEAD_BY_BROKER)
_LONGEST = 1000  # bytes of an attribute; the service takes 1024


def fresh(codec: Codec, param: Param) -> Any:
    """Make a message of a param.

    Raises:
        EngineError: It has no form, or is too large.
    """
    body, content_type = codec.encode(param)
    if len(body) > _LARGEST:
        words = f"param {ascii(param)[:40]}... has {len(body)} bytes, and Pub/Sub takes {_LARGEST}"
        raise EngineError(f"{words}: put the name of a file")
    if not body:
        # A message must hold something.
        body, content_type = b'""', JSON
    return _message(body, {TYPE: content_type} if content_type else {})


def _message(body: bytes, attributes: Mapping[str, str], key: str = "") -> Any:
    from google.pubsub_v1.types import PubsubMessage

    return PubsubMessage.pb()(data=body, attributes=attributes, ordering_key=key)


def _kept(message: Any) -> dict[str, str]:
    """Return the attributes that a message keeps when it is put anew."""
    return {
        name: value
        for name, value in message.attributes.items()
        if not name.startswith(_GOOGLES) and name not in (ID, ATTEMPTS, FOR, BEFORE, REASON)
    }


def id_of(message: Any) -> str:
    """Return the id of the param."""
    return str(message.attributes.get(ID) or message.message_id)


def is_for(message: Any, subscription: str) -> bool:
    """Tell whether a message is for a subscription, and not only for another one of its topic."""
    return str(message.attributes.get(FOR) or subscription) == subscription


def param_of(message: Any, codec: Codec) -> Any:
    """Read the param; Undecodable where it cannot be read."""
    return codec.decode(message.data, message.attributes.get(TYPE))


def attempts_of(message: Any) -> int | None:
    """Return how many of its attempts are over; None where it was never put anew."""
    return counted(message.attributes.get(ATTEMPTS, ""))


def held_back(message: Any) -> float:
    """Return for how many more seconds the param is to wait."""
    try:
        left = float(message.attributes.get(BEFORE, 0.0)) - time.time()
    except ValueError:
        return 0.0
    return left if math.isfinite(left) else 0.0


def retry(message: Any, attempts: int, subscription: str, delay: float) -> Any:
    """Make the message of the next attempt: for our subscription only, others have their own copy of the param."""
    more = {ID: id_of(message), ATTEMPTS: str(attempts), FOR: subscription}
    if delay > 0.0:
        more[BEFORE] = f"{time.time() + delay:.3f}"
    return _message(message.data, {**_kept(message), **more}, message.ordering_key)


def dead(message: Any, subscription: str, reason: str, evidence: Mapping[str, Any]) -> Any:
    """Make the message that tells of a dead param. The attributes of the param stay beside it."""
    id, content_type = id_of(message), message.attributes.get(TYPE, "")
    body = Dead.now(id, message.data, content_type, reason, evidence).encode()
    more = {ID: id, FOR: subscription}
    if len(body) > ENOUGH:
        # With its evidence it would be larger than a message may be.
        body, more[REASON] = message.data, reason.encode()[:_LONGEST].decode(errors="ignore")
    return _message(body, {**_kept(message), **more}, message.ordering_key)


def letter(message: Any, codec: Codec) -> DeadLetter:
    """Read a dead param; also what the broker itself, or somebody else, has put there."""
    document = Dead.decode(message.data)
    if document is not None:
        return document.letter(codec)
    attributes = message.attributes
    return DeadLetter(
        id_of(message),
        param_of(message, codec),
        attributes.get(REASON, "dead-lettered by the broker"),
        {name: value for name, value in sorted(attributes.items()) if name.startswith(_DEAD_BY_BROKER)},
        message.publish_time.ToNanoseconds() / 1e9,
    )


def revived(message: Any, id: str, subscription: str) -> Any:
    """Make a new param of a dead one, for the subscription that it was taken from.

    Args:
        message: What tells of the dead param.
        id: Id of the param.
        subscription: Ours; where nothing is said.
    """
    document = Dead.decode(message.data)
    body = message.data if document is None else document.body
    more = {ID: id, FOR: _source(message) or subscription}
    return _message(body, {**_kept(message), **more}, message.ordering_key)


def _source(message: Any) -> str:
    name = message.attributes.get(f"{_DEAD_BY_BROKER}SourceSubscription")
    project = message.attributes.get(f"{_DEAD_BY_BROKER}SourceSubscriptionProject")
    if name and project:
        return f"projects/{project}/subscriptions/{name}"
    return str(message.attributes.get(FOR, ""))
