"""The answer of ``--csv``: a line for each minion, whatever stands in its texts."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from mtop.columns import Column, Value
from mtop.format import safe
from mtop.model.minion import Minion

__all__ = ["rows"]

_LONGEST = 10_000


def rows(minions: Iterable[Minion], columns: Sequence[Column]) -> str:
    """Write a table with the names of the columns above it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.key for column in columns)
    writer.writerows([_plain(column.value(minion)) for column in columns] for minion in minions)
    return text.getvalue()


def _plain(value: Value) -> Value:
    return safe(value, _LONGEST) if isinstance(value, str) else value
