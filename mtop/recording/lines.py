"""The lines of a recording: a header, then one for each time that the fleet was told something.

A line says only what has changed since the one before it, except the first one of each segment, which is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple, TypeAlias, TypedDict

from minionize.stats.wire import StatsWire
from mtop.model.minion import Signs
from mtop.recording.rows import FIELDS, WORDS, Row, pack

__all__ = ["FORMAT", "LARGEST", "Change", "Header", "Line", "Seen", "Word", "Written", "header_line"]

FORMAT = 1
"""The version of all this. A reader refuses any other."""

LARGEST = 32 << 20
"""Bytes of a line; anything larger is none."""

Word: TypeAlias = tuple[int, int, str]
"""The number of a row, the number of one of its words, what it is now."""

Change: TypeAlias = tuple[int, list[int], list[int]]
"""The number of a field, rows, by how much each changes. Of the rows the first one, then how far each is from the one
before; no rows are all of them."""


_LONGEST = 300


class Header(TypedDict):
    """The first line. ``started``: Unix seconds; ``words`` and ``fields`` name what a row holds."""

    mtop: int
    version: str
    started: float
    user: str
    words: list[str]
    fields: list[str]


class Line(TypedDict):
    """What was told at one time; applied in this order.

    ``t``: seconds since the start. ``wall``: Unix seconds. ``whole``: what was known before is known no more.
    ``gone``: numbers of rows that are there no more, the highest first; those behind move up. ``rows``: new ones,
    behind all others.
    """

    t: float
    wall: float
    whole: bool
    gone: list[int]
    words: list[Word]
    changes: list[Change]
    rows: list[Row]


class Seen(NamedTuple):
    """A minion, at the moment when it is written down. ``key`` is that of the fleet; it may be an URL."""

    key: str
    said: StatsWire
    signs: Signs


def header_line(version: str, started: float, user: str) -> bytes:
    """Write the first line."""
    started = round(started, 3)
    return _line(
        Header(mtop=FORMAT, version=version, started=started, user=user, words=list(WORDS), fields=list(FIELDS))
    )


def _line(value: object) -> bytes:
    import msgspec

    return msgspec.json.encode(value) + b"\n"


class Written:
    """Knows what has been written, and writes what is no longer so.

    Args:
        start: The time that is zero in the recording.
    """

    def __init__(self, start: float) -> None:
        self._start = start
        self._keys: list[str] = []
        self._rows: list[Row] = []
        self._seen: dict[str, Seen] = {}
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()

    def line(self, now: float, wall: float, fleet: Iterable[Seen], whole: bool = False) -> bytes | None:
        """Write what there is to say; None where nothing has changed.

        Args:
            now: The time.
            wall: The time, in Unix seconds.
            fleet: All minions.
            whole: Write all, for a reader that knows nothing.
        """
        if whole:
            self._keys, self._rows, self._seen = [], [], {}
        found = {seen.key: seen for seen in fleet}
        rows = {key: self._pack(seen) for key, seen in found.items() if not _same(self._seen.get(key), seen)}
        self._seen = found
        gone = self._leave(rows)
        words, changes = self._change(rows)
        new = self._come(rows)
        if not (whole or gone or words or changes or new):
            return None
        at, wall = round(now - self._start, 3), round(wall, 3)
        return _line(Line(t=at, wall=wall, whole=whole, gone=gone, words=words, changes=changes, rows=new))

    def _pack(self, seen: Seen) -> Row:
        return pack(self._name(seen), seen.said, seen.signs, self._start)

    def _name(self, seen: Seen) -> str:
        """Return the key that a minion has in the replay, always the same. No two have the same."""
        name = self._names.get(seen.key)
        if name is None:
            name = id = seen.said["id"][:_LONGEST]
            number = 1
            while name in self._taken:
                number += 1
                name = f"{id}#{number}"
            self._names[seen.key] = name
            self._taken.add(name)
        return name

    def _leave(self, rows: Mapping[str, Row]) -> list[int]:
        """Give up rows of minions that are no more, and those of which more has changed than words and numbers."""
        gone = []
        for index in range(len(self._keys) - 1, -1, -1):
            key = self._keys[index]
            if key not in self._seen or (key in rows and not _alike(self._rows[index], rows[key])):
                gone.append(index)
                del self._keys[index], self._rows[index]
        return gone

    def _change(self, rows: Mapping[str, Row]) -> tuple[list[Word], list[Change]]:
        words: list[Word] = []
        fields: dict[int, dict[int, int]] = {}
        for index, key in enumerate(self._keys):
            if key not in rows:
                continue
            was, row = self._rows[index], rows[key]
            self._rows[index] = row
            if was["words"] != row["words"]:
                pairs = zip(was["words"], row["words"], strict=True)
                words += ((index, word, new) for word, (old, new) in enumerate(pairs) if old != new)
            if was["numbers"] != row["numbers"]:
                _compare(index, was["numbers"], row["numbers"], fields)
        return words, [(field, self._steps(by), list(by.values())) for field, by in sorted(fields.items())]

    def _steps(self, by: Mapping[int, int]) -> list[int]:
        if len(by) == len(self._keys):
            return []
        rows = list(by)
        return [rows[0], *(after - before for before, after in pairwise(rows))]

    def _come(self, rows: Mapping[str, Row]) -> list[Row]:
        known = set(self._keys)
        new = {key: row for key, row in rows.items() if key not in known}
        self._keys += new
        self._rows += new.values()
        return list(new.values())


def _same(before: Seen | None, now: Seen) -> bool:
    return before is not None and before.said is now.said and before.signs == now.signs


def _alike(was: Row, row: Row) -> bool:
    return was["labels"] == row["labels"] and was["bounds"] == row["bounds"]


def _compare(index: int, was: list[int], row: list[int], fields: dict[int, dict[int, int]]) -> None:
    for field, (old, new) in enumerate(zip(was, row, strict=True)):
        if old != new:
            fields.setdefault(field, {})[index] = new - old
