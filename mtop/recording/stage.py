"""What a recording says at one time: its lines are applied, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import add

from minionize.stats.wire import Rated, StatsWire
from mtop.model.minion import Signs
from mtop.recording.lines import Line
from mtop.recording.rows import FIELDS, GLANCED, WORDS, Bad, Row, glance, unpack

__all__ = ["Stage"]

_MOST = 100_000
_WIDEST = len(FIELDS) + 200


class Stage:
    """The minions of a recording, as they are at the last line that was applied.

    Attributes:
        at: Seconds since the start of the recording.
        wall: Unix seconds that go with it.
    """

    def __init__(self) -> None:
        self.at = self.wall = 0.0
        self._rows: list[Row] = []
        # Most lines change a few fields of nearly all rows: so numbers stand field by field.
        self._fields: list[list[int]] = []
        self._all = False
        self._some: set[int] = set()
        self._gone: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def apply(self, line: Line) -> None:
        """Apply a line.

        Raises:
            Bad: It does not fit to those before. What is known is then of no use until the next whole line.
        """
        self.at, self.wall = line["t"], line["wall"]
        if line["whole"]:
            self.clear()
        try:
            for index in line["gone"]:
                self._leave(index)
            for index, word, text in line["words"]:
                self._rows[index]["words"][word] = text
                self._some.add(index)
            for field, steps, by in line["changes"]:
                self._change(self._fields[field], list(accumulate(steps)), by)
        except (IndexError, ValueError):
            raise Bad("a line tells of a minion that is not there") from None
        for row in line["rows"]:
            self._come(row)

    def renew(self) -> None:
        """Take all for changed."""
        self._all = True

    def clear(self) -> None:
        """Know nothing any more."""
        self._gone.update(row["words"][0] for row in self._rows)
        self._rows, self._fields, self._some = [], [], set()

    def _come(self, row: Row) -> None:
        numbers, count = row["numbers"], len(self._rows)
        if len(row["words"]) != len(WORDS) or len(numbers) != len(FIELDS) + len(row["bounds"]):
            raise Bad("a row has too few fields or too many")
        if count >= _MOST or len(numbers) > _WIDEST:
            raise Bad("there are too many minions, or they have too many fields")
        while len(self._fields) < len(numbers):
            self._fields.append([0] * count)
        for field, column in enumerate(self._fields):
            column.append(numbers[field] if field < len(numbers) else 0)
        row["numbers"] = []
        self._rows.append(row)
        self._some.add(count)

    def _leave(self, index: int) -> None:
        self._gone.add(self._rows.pop(index)["words"][0])
        for column in self._fields:
            del column[index]
        # Numbers of rows mean others now.
        self._all = True

    def _change(self, column: list[int], rows: list[int], by: list[int]) -> None:
        if rows:
            for index, change in zip(rows, by, strict=True):
                column[index] += change
            self._some.update(rows)
        elif len(by) == len(column):
            column[:] = map(add, column, by)
            self._all = True
        else:
            raise Bad("a line tells of more minions than there are, or of fewer")

    def changed(self) -> tuple[set[str], list[tuple[str, StatsWire, Signs]]]:
        """Return what has changed since this was last asked: keys that are no more, minions that are new or different.

        Raises:
            Bad: A row is none.
        """
        gone = self._gone - {row["words"][0] for row in self._rows} if self._gone else set()
        numbers = list(zip(*self._fields, strict=True))
        chosen = range(len(self._rows)) if self._all else sorted(self._some)
        self._gone, self._some, self._all = set(), set(), False
        return gone, [self._minion(self._rows[index], numbers[index]) for index in chosen]

    def glances(self) -> Iterator[tuple[str, Rated, Signs]]:
        """Yield of all minions only what their histories are made of.

        Raises:
            Bad: A row is none.
        """
        if self._rows:
            for row, numbers in zip(self._rows, zip(*self._fields[:GLANCED], strict=True), strict=True):
                rates, signs = glance(row, numbers)
                yield row["words"][0], rates, signs

    def _minion(self, row: Row, numbers: Sequence[int]) -> tuple[str, StatsWire, Signs]:
        said, signs = unpack(row, numbers[: len(FIELDS) + len(row["bounds"])])
        return row["words"][0], said, signs
