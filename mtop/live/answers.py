"""What minions answer, read with no trust in who sent it. Pure, and fit for a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias
from typing import Any, TypedDict, TypeVar, cast, get_type_hints

from minionize.announcement import uncollected
from minionize.stats.decoding import bounded_decoder, refusals
from minionize.stats.wire import SCHEMA, ControlWire, FailuresWire, FailureWire, OutputWire, TaskWire
from mtop.format import safe

__all__ = ["Answers", "Garbled"]

_MOST = 1_000
"""How many failures and causes are taken of one minion, and how many runs under way times ten."""

_LONGEST = 65_536
"""Bytes of a param; of a longer one only the beginning is shown."""

_SHOWN = 2_000

T = TypeVar("T")


class Garbled(Exception):  # noqa: N818 - it is told as an answer that is none
    """What was sent is not what was asked for."""


class Answers:
    """Reads answers. Whatever a minion sends, it is what its type says, or Garbled; it takes little time and space."""

    def __init__(self) -> None:
        self._decoders: dict[str, Callable[[bytes], Any]] = {}

    def tasks(self, data: bytes) -> list[TaskWire]:
        """Read the runs under way."""
        tasks = self._read("tasks", lambda: _list(_without_param(TaskWire)), data)
        params = self._read("params of tasks", lambda: _list(_param_only()), data)
        return cast(list[TaskWire], self._joined(tasks, params, 10 * _MOST))

    def failures(self, data: bytes) -> FailuresWire:
        """Read the last failures. The last ones and the most frequent causes come first: these are kept."""
        found = self._read("failures", _failures, data)
        if found["schema"] != SCHEMA:
            raise Garbled(f"it is of version {found['schema']}")
        params = self._read("params of failures", lambda: _wire("Failures", failures=_list(_param_only())), data)
        found["failures"] = self._joined(found["failures"], params["failures"], _MOST)
        found["causes"] = found["causes"][:_MOST]
        return cast(FailuresWire, found)

    def output(self, data: bytes) -> OutputWire:
        """Read what a run has written."""
        return cast(OutputWire, self._read("output", lambda: OutputWire, data))

    def control(self, data: bytes) -> ControlWire:
        """Read how things stand after an order."""
        return cast(ControlWire, self._read("control", lambda: ControlWire, data))

    def requeued(self, data: bytes) -> int:
        """Read how many dead params were made ready again."""
        return int(self._read("requeued", lambda: _wire("Requeued", requeued=int), data)["requeued"])

    def problem(self, data: bytes) -> str:
        """Read what was wrong, as one harmless line; "" if it is not said."""
        try:
            return safe(self._read("problem", lambda: _wire("Problem", detail=str), data)["detail"], 300)
        except Garbled:
            return ""

    def _read(self, name: str, kind: Callable[[], Any], data: bytes) -> Any:
        decode = self._decoders.get(name)
        if decode is None:
            decode = self._decoders[name] = bounded_decoder(kind())
        with uncollected():
            try:
                return decode(data)
            except refusals() as error:
                # Its words quote nothing of what was sent but names.
                raise Garbled(safe(error, 200)) from error

    def _joined(self, things: list[Any], params: list[Any], most: int) -> list[Any]:
        """Put the params back into what they belong to."""
        pairs = zip(things[:most], params, strict=False)
        return [{**thing, "param": self._param(bytes(each.param))} for thing, each in pairs]

    def _param(self, data: bytes) -> object:
        """Read a param, which may be anything."""
        if len(data) > _LONGEST:
            return data[:_SHOWN].decode("utf-8", "replace") + f"... ({len(data)} bytes)"
        return self._read("param", lambda: object, data)


def _wire(name: str, **fields: Any) -> Any:
    return TypedDict(name, fields)  # type: ignore[operator]


def _list(kind: Any) -> Any:
    return GenericAlias(list, (kind,))


def _without_param(kind: type[Any]) -> Any:
    fields = get_type_hints(kind)
    del fields["param"]
    return _wire(kind.__name__, **fields)


def _param_only() -> Any:
    """Make the type of what has a param, which is not read yet: who knows how much of it there is."""
    import msgspec

    return msgspec.defstruct("WithParam", [("param", msgspec.Raw)])


def _failures() -> Any:
    return _wire("Failures", **{**get_type_hints(FailuresWire), "failures": _list(_without_param(FailureWire))})
