"""Params from the lines of a file or of standard input, as xargs takes them: in order, as they arrive."""

from __future__ import annotations

import heapq
import itertools
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from zlib import crc32

from minionize.engine import (
    Backlog,
    Delivery,
    EndOfQueue,
    Engine,
    EngineError,
    Features,
    NotConnected,
    Undecodable,
)
from minionize.linefile.journal import Journal
from minionize.linefile.source import Census, Source
from minionize.linefile.split import LONGEST, Overlong, Splitter
from minionize.setting import Setting, choice, switch, text
from minionize.task import Param

_SCAN = 0.1  # seconds beyond its time-out for which a receive may skip lines that are done
_COUNT = 0.5  # seconds that counting may take; a file of many millions of lines is estimated at first


class FileEngine(Engine):
    """Engine on lines. One minion; what it held when it died is simply not in the done-journal.

    Args:
        clock: Seconds by which retries are held back.
        fd: What stands for standard input.
        longest: Bytes that a line may have.
    """

    name = "file"
    features = Features(
        lease="none",
        attempts=True,
        nack_delay=True,
        dead_letter=False,
        backlog="exact",
        finite=True,
        shared=False,
        fenced=False,
        ordered=True,
        crashes=False,
        ack="the done-journal, if there is one",
        renewal="not needed",
        redelivery="a rerun, which skips what the done-journal holds",
    )
    settings = (
        Setting("path", "FILE_PATH", text, None, "File with one param per line; else standard input.", metavar="PATH"),
        Setting(
            "decoder",
            "FILE_DECODER",
            choice("identity", "json"),
            "identity",
            "What a line is: a text as it stands, or JSON.",
            choices=("identity", "json"),
        ),
        Setting(
            "null",
            "FILE_NULL",
            switch,
            False,
            "Params end with a NUL byte instead of a line end.",
            flags=("-0", "--null"),
            metavar="",
            schema="boolean",
        ),
        Setting(
            "journal",
            "FILE_JOURNAL",
            text,
            None,
            "File that keeps what is done, so that a rerun resumes.",
            metavar="PATH",
        ),
    )

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, fd: int = 0, longest: int = LONGEST, **values: Any
    ) -> None:
        super().__init__(**values)
        path = self.config["path"]
        self._clock = clock
        self._json = self.config["decoder"] == "json"
        self._null: bool = self.config["null"]
        self._longest = longest
        self._source = Source(None if path in (None, "", "-") else path, fd)
        self._splitter = self._new_splitter()
        self._journal = Journal(self.config["journal"]) if self.config["journal"] else None
        self._census: Census | None = None
        self._open = False
        self._skip: frozenset[str] = frozenset()  # done by earlier runs
        self._lines: deque[bytes] = deque()  # read, not delivered
        self._number = 0  # of the last line delivered or skipped
        self._fresh = 0  # lines delivered for the first time
        self._done = 0
        self._held: dict[str, Delivery] = {}
        self._back: list[tuple[float, int, Delivery]] = []  # given back: a heap by the time from which it is ready
        self._order = itertools.count()

    def _new_splitter(self) -> Splitter:
        return Splitter(b"\0" if self._null else b"\n", self._longest)

    @property
    def queue_name(self) -> str:
        """The file, by its whole path, or ``stdin``."""
        path = self.config["path"]
        return "stdin" if path in (None, "", "-") else os.path.abspath(path)

    def open(self) -> None:
        """Open the file and read the journal; opened again after ``close`` it goes on where it was."""
        if self._open:
            return
        self._source.open()
        try:
            self._skip = self._load_journal()
        except EngineError:
            self._source.close()
            raise
        self._open = True

    def _load_journal(self) -> frozenset[str]:
        if self._journal is None:
            return frozenset()
        if self._source.is_same_file(self._journal.path):
            raise EngineError(f"{self._journal.path} holds the params, it cannot be the journal: check FILE_JOURNAL")
        return self._journal.load()

    def close(self) -> None:
        """Close the file; what was held is ready again for whoever opens this engine again."""
        if not self._open:
            return
        self.nack(list(self._held.values()), charge=False)
        self._open = False
        self._source.close()
        if self._journal is not None:
            self._journal.close()

    # Receiving.

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take retries that are due, then lines. There is nothing to pump."""
        self._need_open()
        taken: list[Delivery] = []
        end = time.monotonic() + timeout
        while max_messages > 0:
            self._pick(taken, max_messages)
            if len(taken) == max_messages:
                break
            if (taken or time.monotonic() < end + _SCAN) and self._read(0.0):
                continue
            if taken:
                break
            if self._source.ended and not (self._lines or self._held or self._back):
                raise EndOfQueue
            left = end - time.monotonic()
            if left <= 0:
                break
            self._pause(left)
        self._held.update((delivery.id, delivery) for delivery in taken)
        return taken

    def _need_open(self) -> None:
        if not self._open:
            raise NotConnected(f"{self._source.name} is not open: call open() first")

    def _pause(self, seconds: float) -> None:
        """Wait for the next line, or until the next retry is due."""
        if self._back:
            seconds = min(seconds, max(0.001, self._back[0][0] - self._clock()))
        if self._source.ended:
            time.sleep(seconds)
        else:
            self._read(seconds)

    def _read(self, timeout: float) -> bool:
        """Read a piece into the buffer, waiting up to ``timeout`` seconds; tell whether something happened."""
        piece = self._source.read(timeout)
        if piece is None:
            return False
        self._lines.extend(self._splitter.feed(piece) if piece else self._splitter.end())
        return True

    def _pick(self, taken: list[Delivery], most: int) -> None:
        if self._back:
            now = self._clock()
            while self._back and self._back[0][0] <= now and len(taken) < most:
                taken.append(heapq.heappop(self._back)[2])
        lines = self._lines
        while lines and len(taken) < most:
            self._number += 1
            delivery = self._delivery(self._number, lines.popleft())
            if delivery is not None:
                self._fresh += 1
                taken.append(delivery)

    # Lines to params.

    def _param_id(self, number: int, line: bytes) -> str | None:
        """Return the id of a line; None if it holds no param, or one that is done."""
        if not self._null and (not line or line.isspace()):
            return None
        id = f"{number}-{crc32(line):08x}"
        return None if id in self._skip else id

    def _clean(self, line: bytes) -> bytes:
        return line[:-1] if line[-1:] == b"\r" and not self._null and type(line) is bytes else line

    def _delivery(self, number: int, line: bytes) -> Delivery | None:
        line = self._clean(line)
        id = self._param_id(number, line)
        return None if id is None else Delivery(self._decode(number, line), id, 1, False, None, 1, 0)

    def _decode(self, number: int, line: bytes) -> Param:
        if type(line) is Overlong:
            return self._undecodable(number, line, f"is longer than {self._longest} bytes")
        if not self._json:
            return line.decode("utf-8", "surrogateescape")
        try:
            return json.loads(line.decode("utf-8"))
        except json.JSONDecodeError as error:
            return self._undecodable(number, line, f"is not JSON: {error.msg} at column {error.colno}")
        except RecursionError:
            return self._undecodable(number, line, "is JSON nested too deeply")
        except ValueError as error:
            return self._undecodable(number, line, f"is not JSON: {error}")

    def _undecodable(self, number: int, line: bytes, why: str) -> Undecodable:
        word = "param" if self._null else "line"
        return Undecodable(line.decode("utf-8", "surrogateescape"), f"{word} {number} of {self._source.name} {why}")

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done: in the journal first, if there is one."""
        done = [delivery.id for delivery in deliveries if self._holds(delivery)]
        if self._journal is not None and done:
            self._journal.add(done)
        for id in done:
            self._done += self._held.pop(id, None) is not None

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back to this minion: no other one could take it."""
        due = self._clock() + delay
        for delivery in deliveries:
            if self._holds(delivery):
                del self._held[delivery.id]
                attempt = (delivery.attempt or 1) + charge
                again = Delivery(delivery.param, delivery.id, attempt, True, None, delivery.receipt + 1, 0)
                heapq.heappush(self._back, (due, next(self._order), again))

    def _holds(self, delivery: Delivery) -> bool:
        held = self._held.get(delivery.id)
        return held is not None and held.receipt == delivery.receipt

    # Telling.

    def backlog(self) -> Backlog | None:
        """Count the lines of a regular file, each once; of a pipe nobody knows how much will come."""
        if not self._open or not self._source.regular:
            return None
        if self._census is None:
            self._census = self._source.census(self._new_splitter())
        count, exact = self._census.count(self._counts, _COUNT)
        now = self._clock()
        return Backlog(
            ready=max(0, count - self._fresh) + len(self._back),
            in_flight=len(self._held),
            dead=None,
            exact=exact,
            as_of=time.time(),
            done=self._done,
            delayed=sum(due > now for due, _, _ in self._back),
        )

    def _counts(self, number: int, line: bytes) -> bool:
        if self._skip:
            return self._param_id(number, self._clean(line)) is not None
        return self._null or not (not line or line.isspace())

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield what is ready; a pipe is consumed by that, as there is no other way."""
        self._need_open()
        return itertools.islice(self._ready(), limit)

    def _ready(self) -> Iterator[Param]:
        now = self._clock()
        yield from (delivery.param for due, _, delivery in sorted(self._back, key=lambda i: i[:2]) if due <= now)
        if self._source.regular:
            numbered = enumerate(self._source.scan(self._new_splitter()), 1)
            lines: Iterator[tuple[int, bytes]] = itertools.islice(numbered, self._number, None)
        else:
            lines = enumerate(self._consumed(), self._number + 1)
        for number, line in lines:
            delivery = self._delivery(number, line)
            if delivery is not None:
                yield delivery.param

    def _consumed(self) -> Iterator[bytes]:
        while self._lines or not self._source.ended:
            while self._lines:
                self._number += 1
                yield self._lines.popleft()
            self._read(1.0)

    # Filling.

    def put(self, params: Iterable[Param]) -> int:
        """Append params to the file, making it if there is none."""
        from minionize.linefile.write import append

        path = self.config["path"]
        if path in (None, "", "-"):
            raise EngineError("standard input cannot be filled: name a file by FILE_PATH")
        separator = b"\0" if self._null else b"\n"
        return append(path, map(self._encode, params), separator)

    def purge(self) -> int:
        """Empty the file, and its journal. For a file that nobody reads meanwhile."""
        self._need_open()
        backlog = self.backlog()
        if backlog is None or self.config["path"] in (None, "", "-"):
            raise EngineError(f"{self._source.name} is no file that could be emptied: name one by FILE_PATH")
        if self._held:
            raise EngineError(f"{self._source.name} is being worked on: settle the params that are held first")
        count = backlog.ready or 0
        try:
            if self._journal is not None:
                self._journal.clear()
            self._source.clear()
        except OSError as error:
            raise EngineError(f"cannot empty {self._source.name}: {error.strerror}; check FILE_PATH") from error
        self._splitter, self._census, self._skip = self._new_splitter(), None, frozenset()
        self._number = self._fresh = 0
        self._lines.clear()
        self._back.clear()
        return count

    def _encode(self, param: Param) -> bytes:
        if self._json:
            try:
                return json.dumps(param, separators=(",", ":")).encode()
            except (TypeError, ValueError, RecursionError) as error:
                raise EngineError(f"{param!r:.80} is no JSON value: {error}") from error
        if not isinstance(param, str):
            raise EngineError(f"{param!r:.80} is no text: a file of other values needs FILE_DECODER=json")
        try:
            line = param.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise EngineError(f"{param!r:.80} cannot be written as UTF-8: {error.reason}") from error
        if self._null:
            problem = "a NUL byte" if b"\0" in line else ""
        elif not line or line.isspace():
            problem = "nothing but blanks"
        else:
            problem = "a line end" if b"\n" in line or line.endswith(b"\r") else ""
        if problem:
            remedy = "FILE_DECODER=json keeps it" if self._null else "FILE_NULL=1 (-0) or FILE_DECODER=json keeps it"
            raise EngineError(f"{param!r:.80} holds {problem}, it cannot be one param of this file: {remedy}")
        return line
