"""What comes from elsewhere is read as the wire says, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from minionize.stats.decoding import bounded_decoder, refusals
from minionize.stats.wire import StatsWire
from minionize.testing.announcements import make_announcement

_DECODE = bounded_decoder(StatsWire)


def _said(**changes: Any) -> dict[str, Any]:
    stats = {name: value for name, value in make_announcement().items() if name in StatsWire.__annotations__}
    return json.loads(json.dumps({**stats, **changes}))  # type: ignore[no-any-return]


def _read(value: object) -> Any:
    return json.loads(json.dumps(_DECODE(json.dumps(value).encode())))


def test_what_was_written_is_read() -> None:
    assert _read(_said()) == _said()


def test_names_of_a_later_version_are_passed_over() -> None:
    assert _read(_said(news={"deep": [1]})) == _said()


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**400])
def test_a_number_is_never_too_large_to_reckon_with(number: int) -> None:
    for changes in ({"slots": number}, {"latency": {**_said()["latency"], "buckets": [[None, number]]}}):
        with pytest.raises(refusals()):
            _read(_said(**changes))
    assert _read(_said(slots=2**53 - 1))["slots"] == 2**53 - 1


@pytest.mark.parametrize("text", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"a":' * 100_000, b"NaN", b'"\\ud800"'])
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(refusals()):
        _DECODE(text)


@pytest.mark.parametrize("name", list(StatsWire.__annotations__))
def test_every_name_is_needed_in_its_type(name: str) -> None:
    without = _said()
    del without[name]
    for value in (without, _said(**{name: [None]})):
        with pytest.raises(refusals()):
            _read(value)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"caf\udce9", "caf\ufffd"),
        (r"\udcff\uDCFE\ud83d", "\ufffd" * 3),
        (r"\ud83d\ude00 \ud83d \ude00", "\U0001f600 \ufffd \ufffd"),
        (r"\\udcff \\\udcff", "\\udcff \\\ufffd"),
    ],
)
def test_bytes_that_are_no_utf8_are_no_reason_to_read_nothing(sent: str, read: str) -> None:
    data = json.dumps(_said(command="@")).replace('"@"', f'"{sent}"').encode()
    assert _DECODE(data)["command"] == read


def test_what_is_wrong_otherwise_is_still_refused() -> None:
    for data in (b'{"a": "\\udcff"}', b'["\\udcff"', b"\\" * 1_000_000, b'"' + b"\\udcff" * 100_000):
        with pytest.raises(refusals()):
            _DECODE(data)
