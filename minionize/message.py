"""How a param travels through a broker: as bytes, with a content type and what minions note beside it.

Engines whose queue holds messages share this. A value that is no text travels as JSON and says so in its content
type, whatever the decoder: the decoder is for messages of others, which say nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from minionize.engine import DeadLetter, EngineError, Undecodable
from minionize.setting import Setting, choice
from minionize.task import Param, plain

__all__ = ["ATTEMPTS", "FOR", "ID", "JSON", "TYPE", "Codec", "Dead", "batches", "counted", "decoder_setting"]

TYPE = "content-type"
ID = "minionize-id"
ATTEMPTS = "minionize-attempts"
FOR = "minionize-for"
"""Names of headers: what the bytes are; the id of the param, where it is put anew; how many of its attempts are over;
for which subscription or group only it was put anew."""

JSON = "application/json"
_DEAD = "minionize-dead"
_DIGITS = 18
_MOST = 1000
_QUICK = 0.05

Item = TypeVar("Item")


def decoder_setting(env: str) -> Setting:
    """Declare the setting of an engine's decoder."""
    return Setting(
        "decoder",
        env,
        choice("identity", "json"),
        "identity",
        "What a message without a content type is: a text as it stands, or JSON.",
        choices=("identity", "json"),
    )


def counted(words: str) -> int | None:
    """Read how many attempts are over; None where others have written what no minion would."""
    return int(words) if words.isascii() and words.isdecimal() and len(words) <= _DIGITS else None


class Codec:
    """Params to bytes, and back.

    Args:
        decoder: "identity" or "json".
    """

    def __init__(self, decoder: str) -> None:
        self._json = decoder == "json"

    def encode(self, param: Param) -> tuple[bytes, str]:
        """Write a param.

        Returns:
            The bytes, and their content type; "" for a text as it stands.

        Raises:
            EngineError: The param has no form in JSON, or is no text that can be written.
        """
        try:
            if isinstance(param, str) and not self._json:
                return param.encode("utf-8", "surrogateescape"), ""
            return json.dumps(param, separators=(",", ":"), default=_mapping).encode(), JSON
        except UnicodeEncodeError as error:
            raise EngineError(f"param {ascii(param)[:80]} is no text: {error}") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise EngineError(f"param {ascii(param)[:80]} has no form in JSON: {error}") from error

    def decode(self, body: bytes, content_type: str | None = None) -> Param:
        """Read a param; Undecodable where it cannot be read."""
        if not self._json and (content_type or "").partition(";")[0].strip().lower() != JSON:
            return body.decode("utf-8", "surrogateescape")
        try:
            return json.loads(body)
        except RecursionError:
            why = "JSON nested too deeply"
        except ValueError as error:
            why = f"no JSON: {error}"
        return Undecodable(body.decode("utf-8", "surrogateescape"), f"the message is {why}")


def _mapping(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead param as a message of its own: a JSON document, for brokers keep no evidence beside a message.

    Attributes:
        id: Id of the param.
        body: The message that held it.
        content_type: Of that message.
        reason: Why, in words.
        evidence: What is known of its last run.
        at: When, Unix seconds.
    """

    id: str
    body: bytes
    content_type: str
    reason: str
    evidence: Mapping[str, Any]
    at: float

    @staticmethod
    def now(id: str, body: bytes, content_type: str, reason: str, evidence: Mapping[str, Any]) -> Dead:
        """Make one of now."""
        return Dead(id, body, content_type, reason, evidence, time.time())

    def encode(self) -> bytes:
        """Write it as JSON: ASCII only, bytes that are no UTF-8 as lone surrogates."""
        fields = {
            _DEAD: 1,
            "id": self.id,
            "body": self.body.decode("utf-8", "surrogateescape"),
            "content_type": self.content_type,
            "reason": self.reason,
            "evidence": self.evidence,
            "at": self.at,
        }
        return json.dumps(fields, separators=(",", ":"), default=plain).encode()

    @staticmethod
    def decode(data: bytes) -> Dead | None:
        """Read one; None where it is none: a message that the broker itself, or somebody else, has put there."""
        try:
            fields = json.loads(data)
            if not isinstance(fields, dict) or fields.get(_DEAD) != 1 or not math.isfinite(fields["at"]):
                return None
            return Dead(
                str(fields["id"]),
                str(fields["body"]).encode("utf-8", "surrogateescape"),
                str(fields["content_type"]),
                str(fields["reason"]),
                dict(fields["evidence"]),
                float(fields["at"]),
            )
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return None

    def letter(self, codec: Codec) -> DeadLetter:
        """Return it with its param decoded."""
        param = codec.decode(self.body, self.content_type)
        return DeadLetter(self.id, param, self.reason, self.evidence, self.at)


def batches(
    items: Iterable[Item], size: Callable[[Item], int], enough: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[list[Item]]:
    """Yield all items in batches: large while they come quickly, one by one while they come slowly.

    Args:
        items: They may come at any pace.
        size: How many bytes an item has.
        enough: How many bytes a batch may have, unless a single item has more.
        clock: The time, in seconds.

    Raises:
        EngineError: An item could not be made; those before it have been yielded.
    """
    batch: list[Item] = []
    limit, weight, began = 1, 0, clock()
    fault: EngineError | None = None
    try:
        for item in items:
            if batch and weight + size(item) > enough:
                yield batch
                batch, weight, began = [], 0, clock()
            batch.append(item)
            weight += size(item)
            if len(batch) >= limit:
                limit = min(2 * limit, _MOST) if clock() - began < _QUICK else 1
                yield batch
                batch, weight, began = [], 0, clock()
    except EngineError as error:
        fault = error
    if batch:
        yield batch
    if fault is not None:
        raise fault
