"""What a minion has answered: read with no trust in it, and cut to what can be kept of a thousand minions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict, cast

from minionize.stats.decoding import bounded_decoder, refusals
from minionize.stats.wire import SCHEMA, StatsWire
from mtop.poll.trouble import Trouble

__all__ = ["Reader"]

_LONGEST = {
    "id": 200,
    "host": 200,
    "user": 200,
    "version": 200,
    "engine": 200,
    "queue": 2_000,
    "command": 2_000,
    "why": 2_000,
}
_LABELS, _LABEL = 100, 200
_BUCKETS = 1_000


class _Versioned(TypedDict):
    schema: int


class Reader:
    """Reads answers. What may stand in one is told by the types of the wire."""

    def __init__(self) -> None:
        self._refused = refusals()
        self._decode: Callable[[bytes], StatsWire] = bounded_decoder(StatsWire)
        self._version: Callable[[bytes], _Versioned] = bounded_decoder(_Versioned)

    def __call__(self, body: bytes) -> StatsWire:
        """Read the body of an answer. Its texts are the minion's: make them printable before a terminal sees them.

        Raises:
            Trouble: It holds no numbers that this mtop could read.
        """
        try:
            stats = self._decode(body)
        except self._refused as error:
            raise self._trouble(body, error) from None
        if stats["schema"] != SCHEMA:
            raise Trouble(_other(stats["schema"]))
        if len(stats["latency"]["buckets"]) > _BUCKETS:
            raise Trouble(f"answers something that is no /stats: more than {_BUCKETS} buckets")
        return _cut(stats)

    def _trouble(self, body: bytes, error: Exception) -> Trouble:
        """Say why it cannot be read: in another version everything may be different."""
        try:
            schema = self._version(body)["schema"]
        except self._refused:
            schema = SCHEMA
        if schema != SCHEMA:
            return Trouble(_other(schema))
        return Trouble(f"answers something that is no /stats: {error or type(error).__name__}"[:200])


def _other(schema: int) -> str:
    older = "mtop" if schema > SCHEMA else "minionize there"
    return f"answers with schema {schema}, this mtop reads {SCHEMA}: upgrade {older}"


def _cut(stats: StatsWire) -> StatsWire:
    """Cut what is too long, in place."""
    texts = cast(dict[str, Any], stats)
    for name, longest in _LONGEST.items():
        if len(texts[name]) > longest:
            texts[name] = texts[name][: longest - 1] + "…"
    labels = stats["labels"]
    for number, (key, value) in enumerate(labels.items()):
        if number >= _LABELS or len(key) > _LABEL or len(value) > _LABEL:
            few = list(labels.items())[:_LABELS]
            stats["labels"] = {key[:_LABEL]: value[:_LABEL] for key, value in few}
            break
    return stats
