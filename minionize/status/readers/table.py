"""Tables: the CSV of ``--results``. A row may hold line ends, so it ends where its quotes are closed."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from operator import itemgetter

from minionize.status.run import LATEST, OUTCOMES, Run

__all__ = ["Table", "whole_rows"]

_FIELDS = (
    "outcome", "started", "ended", "minion", "host", "id", "slot", "settled", "exit_code", "signal", "reason", "stderr",
    "job",
)  # fmt: skip
_OUTCOMES = frozenset(OUTCOMES)


class Table:
    """Makes runs of whole rows.

    Args:
        header: The names of the columns. Their order does not matter.

    Attributes:
        passed_over: How many rows were no record.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self.passed_over = 0
        self._width = len(header)
        # A cell that every row is given at its end stands for the columns that there are not.
        self._pick = itemgetter(*(header.index(name) if name in header else -1 for name in _FIELDS))

    @staticmethod
    def header(line: bytes) -> list[str] | None:
        """Return the names of the columns, if this is the first line of a table of records."""
        names = next(csv.reader([line.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r\n")]), [])
        return names if {"outcome", "started", "ended"} <= set(names) else None

    def runs(self, rows: bytes) -> list[Run]:
        """Return the runs of some rows, in their order; what is no record is passed over."""
        # A cell may be as long as an output.
        csv.field_size_limit(sys.maxsize)
        found = []
        for cells in self._cells(rows.decode("utf-8", "replace")):
            try:
                found.append(self._run(cells))
            except ValueError:
                self.passed_over += 1
        return found

    def end(self, torn: bytes) -> list[Run]:
        """Return nothing: whether a last row without its end is whole, nobody can tell."""
        return []

    def _cells(self, text: str) -> Iterator[list[str]]:
        rows = csv.reader(io.StringIO(text, newline=""))
        while True:
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error:
                self.passed_over += 1
                continue
            if cells:
                yield cells

    def _run(self, cells: list[str]) -> Run:
        if len(cells) != self._width:
            raise ValueError("torn")
        cells.append("")
        outcome, started, ended, minion, host, id, slot, settled, code, signal, reason, stderr, job = self._pick(cells)
        if outcome not in _OUTCOMES:
            raise ValueError("no outcome")
        return Run(
            outcome,
            _moment(started),
            _moment(ended),
            minion,
            host,
            id,
            int(slot or 1),
            settled,
            int(code) if code else None,
            int(signal) if signal else None,
            reason or None,
            stderr or None,
            job or None,
        )


def _moment(cell: str) -> float:
    value = float(cell)
    if not 0.0 <= value <= LATEST:
        raise ValueError("no time")
    return value


def whole_rows(data: bytes) -> int:
    """Return how many bytes of some rows are whole ones: up to the last line end outside of quotes."""
    end = data.rfind(b"\n") + 1
    inside = data.count(b'"', 0, end) % 2
    while end and inside:
        before = data.rfind(b"\n", 0, end - 1) + 1
        inside = (inside + data.count(b'"', before, end)) % 2
        end = before
    return end
