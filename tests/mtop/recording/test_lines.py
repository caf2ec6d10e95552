from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minionize.stats.decoding import bounded_decoder
from minionize.stats.wire import StatsWire
from mtop.model.blank import nothing_said
from mtop.model.minion import Signs
from mtop.recording.lines import Line, Seen, Written
from mtop.recording.rows import Bad, pack, unpack
from mtop.recording.stage import Stage
from tests.mtop.recording.making import numbers, signs

KEYS = ["a", "b", "http://user:secret@host:1/", "d"]
FLEETS = st.lists(st.dictionaries(st.sampled_from(KEYS), st.tuples(numbers(), signs), max_size=4), max_size=6)

decode = bounded_decoder(Line)


@dataclass
class Told:
    """What a stage has told, all in all."""

    stage: Stage = field(default_factory=Stage)
    fleet: dict[str, tuple[StatsWire, Signs]] = field(default_factory=dict)

    def hear(self, line: bytes | None) -> None:
        if line is not None:
            self.stage.apply(decode(line))
            gone, changed = self.stage.changed()
            for name in gone:
                del self.fleet[name]
            self.fleet |= {name: (said, known) for name, said, known in changed}


def rounded(said: StatsWire, known: Signs) -> tuple[StatsWire, Signs]:
    row = pack("key", said, known, 0.0)
    return unpack(row, row["numbers"])


def values(fleet: dict[str, tuple[StatsWire, Signs]]) -> list[str]:
    return sorted(map(repr, fleet.values()))


@settings(max_examples=60)
@given(FLEETS, st.sets(st.integers(0, 5)))
def test_what_is_written_is_read(fleets: list[dict[str, tuple[StatsWire, Signs]]], whole: set[int]) -> None:
    written, told, late = Written(0.0), Told(), None
    for number, fleet in enumerate(fleets):
        now = float(number)
        line = written.line(now, 0.0, [Seen(key, *each) for key, each in fleet.items()], not number or number in whole)
        told.hear(line)
        assert values(told.fleet) == values({key: rounded(*each) for key, each in fleet.items()})
        if number in whole:
            # Who begins to read at a whole line knows as much.
            late = Told()
        if late is not None:
            late.hear(line)
            assert late.fleet == told.fleet
        assert b"secret" not in (line or b"")


@settings(max_examples=60)
@given(FLEETS)
def test_glances_are_as_good(fleets: list[dict[str, tuple[StatsWire, Signs]]]) -> None:
    written, stage = Written(0.0), Stage()
    for number, fleet in enumerate(fleets):
        line = written.line(float(number), 0.0, [Seen(key, *each) for key, each in fleet.items()], not number)
        if line is not None:
            stage.apply(decode(line))
    seen = {name: (rates, known) for name, rates, known in stage.glances()}
    stage.renew()
    _, whole = stage.changed()
    assert seen == {name: (said["rates"], known) for name, said, known in whole}


def seen(key: str, **changes: object) -> Seen:
    said = nothing_said(str(changes.pop("id", key)))
    said.update(changes)  # type: ignore[typeddict-item]
    return Seen(key, said, Signs("http", 3.0, False, False, 1.0))


def test_what_does_not_change_is_not_written() -> None:
    written, fleet = Written(0.0), [seen("a"), seen("b", busy=2)]
    assert written.line(0.0, 0.0, fleet, True) is not None
    assert written.line(1.0, 0.0, fleet) is None
    line = written.line(2.0, 0.0, [fleet[0], seen("b", busy=3)])
    assert line is not None
    assert decode(line)["changes"] == [(18, [1], [1])]


def test_those_with_one_id_are_told_apart() -> None:
    told = Told()
    told.hear(Written(0.0).line(0.0, 0.0, [seen("http://a/", id="same"), seen("http://b/", id="same")], True))
    assert set(told.fleet) == {"same", "same#2"}


def test_who_is_answered_by_another_keeps_its_name() -> None:
    written, told = Written(0.0), Told()
    told.hear(written.line(0.0, 0.0, [seen("http://a:1/", id="a:1")], True))
    told.hear(written.line(1.0, 0.0, [seen("http://a:1/", id="host-1-a")]))
    assert {name: said["id"] for name, (said, _) in told.fleet.items()} == {"a:1": "host-1-a"}


GOOD = decode(Written(0.0).line(0.0, 0.0, [seen("a"), seen("b")], True) or b"")
NOTHING: Line = {"t": 1.0, "wall": 1.0, "whole": False, "gone": [], "words": [], "changes": [], "rows": []}
ROW: dict[str, object] = {**GOOD["rows"][0]}
LONG = GOOD["rows"][0]["numbers"] + [1] * 9_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"gone": [7]},
        {"gone": [0, 0, 0]},
        {"words": [(9, 0, "x")]},
        {"words": [(0, 99, "x")]},
        {"changes": [(9_999, [0], [1])]},
        {"changes": [(0, [5], [1])]},
        {"changes": [(0, [0, 1], [1])]},
        {"changes": [(0, [], [1])]},
        {"changes": [(0, [], [1, 1, 1])]},
        {"rows": [ROW | {"numbers": [1, 2]}]},
        {"rows": [ROW | {"words": []}]},
        {"rows": [ROW | {"bounds": [1.0] * 9_000, "numbers": LONG}]},
    ],
)
def test_lines_that_fit_to_nothing_are_refused(wrong: dict[str, object]) -> None:
    stage = Stage()
    stage.apply(decode(msgspec.json.encode(GOOD)))
    with pytest.raises(Bad):
        stage.apply({**NOTHING, **wrong})  # type: ignore[typeddict-item]


def test_a_number_that_grows_for_ever_is_refused() -> None:
    stage = Stage()
    stage.apply(decode(msgspec.json.encode(GOOD)))
    for _ in range(4):
        stage.apply({**NOTHING, "changes": [(20, [], [2**49, 1])]})
    with pytest.raises(Bad):
        stage.changed()
