"""What is done of one partition, and how that is written beside its committed offset.

Kafka keeps one number for a group and a partition: all records before it are done. Params end in any order, and are
tried again. So the offset is that of the first param that is not done, and its metadata, a short text that the
broker keeps with it, tells which of those behind it are not done either, and what each went through.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = [
    "FRESH",
    "LENT",
    "ROOM",
    "RUNNING",
    "SEEN",
    "Changes",
    "Entry",
    "Mark",
    "Progress",
    "Record",
    "pack",
    "unpack",
]

ROOM = 4096
"""Bytes of metadata that a broker keeps, unless it is told otherwise (``offset.metadata.max.bytes``)."""

FRESH, SEEN, RUNNING, LENT = 0, 1, 2, 3
"""Not delivered yet; delivered before; being run; being run by the former owner of the partition."""

_TAG = "minionize1:"


class Mark(NamedTuple):
    """What a param that is not done went through.

    Attributes:
        failed: Attempts that were charged.
        crashed: Runs that died with their minion.
        state: FRESH, SEEN, RUNNING or LENT.
        due: Not to be delivered before, Unix seconds.
        holder: Which member of the group runs what is lent.
    """

    failed: int = 0
    crashed: int = 0
    state: int = FRESH
    due: float = 0.0
    holder: str = ""


class Record(NamedTuple):
    """A message of the topic.

    Attributes:
        id: Id of the param.
        body: The param, encoded.
        content_type: Of the body; "" where the message says nothing.
        since: When it was put, by its own timestamp in milliseconds; -1 where it has none.
    """

    id: str
    body: bytes
    content_type: str
    since: int = -1


class Entry:
    """One param that is not done, as one delivery sees it: a param that was given back has another entry.

    Attributes:
        partition: Where it is.
        offset: Where it is there.
        mark: What it went through.
        record: The message; None where it is still to be fetched.
        held: Whether it was delivered and not settled.
    """

    __slots__ = ("__weakref__", "held", "mark", "offset", "partition", "record")

    def __init__(self, partition: int, offset: int, mark: Mark, record: Record | None) -> None:
        self.partition, self.offset, self.mark, self.record = partition, offset, mark, record
        self.held = False


Changes = Mapping[Entry, Mark | None]


class Progress:
    """What is done of one partition.

    Attributes:
        open: The params that are not done, of all before ``position``, in order.
        position: The first record of which nothing is known.
        at_end: Whether all of the partition was fetched, as far as we know.
        paused: Whether it is not fetched now.
        gone: How many params the broker had deleted before they were done.
    """

    def __init__(self, partition: int, offset: int, note: str = "") -> None:
        self.partition = partition
        length, rows = _read(note)
        self.position = offset + length
        self.open = {offset + row[0]: Entry(partition, offset + row[0], Mark(*row[1:]), None) for row in rows}
        self._missing = deque(self.open)
        self._next: int | None = None
        self.at_end = self.paused = False
        self.gone = 0

    @property
    def first(self) -> int:
        """The first record that is not done."""
        return next(iter(self.open), self.position)

    @property
    def start(self) -> int:
        """The first record to fetch."""
        return self._missing[0] if self._missing else self.position

    @property
    def next(self) -> int:
        """The next record to come."""
        return self.start if self._next is None else self._next

    def expire(self, begin: int) -> None:
        """Hear where the partition begins: what was before that the broker has deleted."""
        before = len(self.open)
        self.open = {offset: entry for offset, entry in self.open.items() if offset >= begin}
        self._missing = deque(self.open)
        self.gone = before - len(self.open) + max(0, begin - self.position)
        self.position = max(self.position, begin)

    def take_over(self, former: Progress | None) -> None:
        """Begin to work: what a dead minion was running has crashed, and what we held before we hold again."""
        for entry in self.open.values():
            if entry.mark.state == RUNNING:
                entry.mark = Mark(entry.mark.failed, entry.mark.crashed + 1, SEEN)
        if former is None:
            return
        known = self.position
        self.position = max(known, former.position)
        for offset, entry in former.open.items():
            if entry.held and (offset in self.open or offset >= known):
                self.open[offset] = entry
            elif offset >= known:
                self.open[offset] = Entry(self.partition, offset, entry.mark, None)
        self._missing = deque(offset for offset, entry in self.open.items() if not entry.held)

    def arrive(self, offset: int, record: Record | None) -> Entry | None:
        """Hear of a record; return the entry of one that is to be delivered.

        Args:
            offset: Its place.
            record: What it holds; None if it is for others.
        """
        self._next = offset + 1
        missing = self._missing
        while missing and missing[0] < offset:
            self.gone += self.open.pop(missing.popleft(), None) is not None
        if missing and missing[0] == offset:
            entry = self.open[missing.popleft()]
            entry.record = record
        elif offset >= self.position:
            self.position = offset + 1
            if record is None:
                return None
            entry = self.open[offset] = Entry(self.partition, offset, Mark(), record)
        else:
            return None
        if record is None:
            del self.open[offset]
            return None
        return entry

    def change(self, changes: Changes) -> None:
        """Take note of what was committed: the new mark of an entry; None if it is done."""
        for entry, mark in changes.items():
            if mark is None:
                del self.open[entry.offset]
            else:
                entry.mark = mark

    def give_back(self, entry: Entry) -> Entry:
        """Return the entry of the next delivery in place of a former one, which is worth nothing from now on."""
        again = self.open[entry.offset] = Entry(entry.partition, entry.offset, entry.mark, entry.record)
        return again

    def note(self, changes: Changes, room: int = ROOM) -> tuple[int, str]:
        """Tell which offset to commit, and with which metadata, once ``changes`` are made.

        Where there is too little room the last of what is known is left out: that may be run again if we die.
        """
        position, rows = self.position, []
        for offset, entry in self.open.items():
            mark = changes.get(entry, entry.mark)
            if mark is not None:
                rows.append((offset, mark))
        while True:
            # What is as fresh as all that follows needs no words.
            while rows and rows[-1] == (position - 1, Mark()):
                position = rows.pop()[0]
            start = rows[0][0] if rows else position
            text = _write(start, position, rows)
            if len(text) <= room:
                return start, text
            keep = min(len(rows) - 1, len(rows) * room // len(text))
            position = rows[keep][0]
            del rows[keep:]


def _write(start: int, position: int, rows: list[tuple[int, Mark]]) -> str:
    if not rows:
        return ""
    short: list[list[Any]] = []
    for offset, mark in rows:
        row = [offset - start, mark.failed, mark.crashed, mark.state, round(mark.due, 1), mark.holder]
        while len(row) > 1 and not row[-1]:
            row.pop()
        short.append(row)
    return pack([position - start, short])


def _read(note: str) -> tuple[int, list[list[Any]]]:
    try:
        length, rows = unpack(note) or (0, [])
        checked = [[*map(int, row[:4]), *map(float, row[4:5]), *map(str, row[5:6])] for row in rows]
        return int(length), checked
    except (ValueError, TypeError):
        return 0, []


def pack(value: Any) -> str:
    """Write a JSON value as metadata."""
    return _TAG + base64.b85encode(zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 9)).decode()


def unpack(note: str) -> Any:
    """Read metadata; what others have written tells nothing."""
    if not note.startswith(_TAG):
        return None
    try:
        return json.loads(zlib.decompress(base64.b85decode(note[len(_TAG) :])))
    except (ValueError, zlib.error):
        return None
