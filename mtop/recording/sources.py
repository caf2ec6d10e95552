"""Files of records, as the json reporter and ``--results`` write them: read once in short, then one by one in whole."""

from __future__ import annotations

import csv
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from minionize.errors import SettingsError

__all__ = ["BAD", "OUTCOMES", "SETTLED", "Brief", "Source", "Whole", "sources_of"]

OUTCOMES = ("succeeded", "failed", "timed_out", "could_not_start", "preempted")
BAD = ("failed", "timed_out", "could_not_start")
SETTLED = ("ack", "nack", "dead")

_LONGEST = 64 << 20
_LATEST = 4e9
_REMEDY = "minions write records with --reporter json, or --results FILE"


class Brief(msgspec.Struct, gc=False):
    """Of a record, what the numbers of a minion are made of."""

    outcome: Literal["succeeded", "failed", "timed_out", "could_not_start", "preempted"]
    started: float
    ended: float
    minion: str
    host: str = ""
    slot: int = 1
    settled: Literal["ack", "nack", "dead"] = "ack"
    redelivered: bool | None = None
    labels: dict[str, str] | None = None


class Whole(Brief):
    """A record with what is shown of one run."""

    id: str = ""
    param: Any = None
    attempt: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    pid: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class Source(ABC):
    """One file.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    @abstractmethod
    def briefs(self) -> Iterator[tuple[int, Brief]]:
        """Yield all records, with where each begins. What is no record is passed over.

        Raises:
            OSError: The file cannot be read.
        """

    @abstractmethod
    def whole(self, at: int) -> Whole:
        """Read the record that begins at a byte.

        Raises:
            OSError: The file cannot be read.
            ValueError: There is no record.
        """


class Lines(Source):
    """JSON Lines, or one record as JSON."""

    def briefs(self) -> Iterator[tuple[int, Brief]]:
        """Yield all records."""
        decode = msgspec.json.Decoder(Brief).decode
        at = 0
        with open(self.path, "rb") as file:
            while line := file.readline(_LONGEST):
                brief: Brief | None
                try:
                    brief = decode(line)
                except (msgspec.MsgspecError, ValueError, RecursionError):
                    brief = _mended(line)
                if brief is not None and 0 <= brief.started <= _LATEST and 0 <= brief.ended <= _LATEST:
                    yield at, brief
                at += len(line)

    def whole(self, at: int) -> Whole:
        """Read one record."""
        with open(self.path, "rb") as file:
            file.seek(at)
            line = file.readline(_LONGEST)
        try:
            return msgspec.convert(json.loads(line), Whole)
        except RecursionError as error:
            raise ValueError(str(error)) from None


def _mended(line: bytes) -> Brief | None:
    """Read what only Python's reader takes: half a character, for a byte of an output that is no UTF-8."""
    try:
        return msgspec.convert(json.loads(line), Brief) if b"\\ud" in line else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


class Table(Source):
    """The CSV of ``--results``."""

    def briefs(self) -> Iterator[tuple[int, Brief]]:
        """Yield all records."""
        for at, cells in self._rows(0):
            try:
                brief = msgspec.convert(cells, Brief, strict=False)
            except (msgspec.MsgspecError, ValueError):
                continue
            if 0 <= brief.started <= _LATEST and 0 <= brief.ended <= _LATEST:
                yield at, brief

    def whole(self, at: int) -> Whole:
        """Read one record."""
        for _, cells in self._rows(at):
            return msgspec.convert(cells, Whole, strict=False)
        raise ValueError("there is no such row any more")

    def _rows(self, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield rows, from the one on that begins at a byte."""
        csv.field_size_limit(_LONGEST)
        with open(self.path, "rb") as file:
            rows = csv.reader(line.decode("utf-8", "replace") for line in iter(lambda: file.readline(_LONGEST), b""))
            names = next(rows, [])
            if start:
                file.seek(start)
            while True:
                at = file.tell()
                try:
                    cells = next(rows)
                except StopIteration:
                    return
                except csv.Error:
                    continue
                if len(cells) == len(names):
                    # An empty cell is null.
                    yield at, {name: cell for name, cell in zip(names, cells, strict=True) if cell}


def sources_of(place: str) -> list[Source]:
    """Return the files of a place: a file, or a directory of files.

    Raises:
        SettingsError: There is none that holds records, or it cannot be read.
    """
    try:
        if not os.path.isdir(place):
            source = _source(place)
            if source is None:
                raise SettingsError(f"{place} holds no records, and is no recording of mtop; {_REMEDY}")
            return [source]
        with os.scandir(place) as found:
            names = sorted(each.name for each in found if not each.name.startswith("."))
        paths = [os.path.join(place, name) for name in names if name.endswith((".jsonl", ".json", ".csv"))]
        return [source for path in paths if (source := _source(path)) is not None]
    except (OSError, ValueError) as error:
        where = getattr(error, "filename", None) or place
        raise SettingsError(f"--replay {where}: {getattr(error, 'strerror', None) or error}") from None


def _source(path: str) -> Source | None:
    """Tell by the beginning of a file what it holds; None for nothing that is known."""
    with open(path, "rb") as file:
        start = file.read(4096)
    if start.lstrip()[:1] == b"{":
        return Lines(path)
    try:
        names = next(csv.reader([start.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")]), [])
    except csv.Error:
        return None
    return Table(path) if {"outcome", "started", "ended", "minion"} <= set(names) else None
