"""The log of what came back: why a param is delivered again, how often it was, and not before when."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, KeysView
from typing import Any

from minionize.sweepdir.jsonlog import JsonLog
from minionize.sweepdir.pickles import Damage, from_text, to_text

RETRY, BACK, CRASH, RECLAIM, RESET = "retry", "back", "crash", "reclaim", "reset"
"""Kinds: given back and charged; given back; its minion died running it; ... not running it; as if new."""


class Return:
    """One param that came back and was not taken again, as far as we know."""

    __slots__ = ("_loaded", "_param", "due", "id", "serial", "text")

    def __init__(self, id: str, serial: int, due: float, text: str) -> None:
        self.id, self.serial, self.due, self.text = id, serial, due, text
        self._loaded = False
        self._param: Any = None

    def param(self, path: str) -> Any:
        """Load the param."""
        if not self._loaded:
            self._param, self._loaded = from_text(self.text, path), True
        return self._param

    def __lt__(self, other: Return) -> bool:
        return (self.due, self.serial) < (other.due, other.serial)


class Returns:
    """What the log tells, as far as it was read.

    Attributes:
        log: The file.
    """

    def __init__(self, path: str) -> None:
        self.log = JsonLog(path)
        self._counts: dict[str, tuple[int, int, int]] = {}
        self._heap: list[Return] = []
        self._waiting: dict[str, Return] = {}
        self._serial = 0

    def refresh(self) -> list[Any]:
        """Read what is new; return the params that were made ready again although they were done."""
        anew, lines = self.log.news()
        if anew:
            self._counts.clear()
            self._waiting.clear()
            self._heap.clear()
        return [param for line in lines for param in self._apply(line)]

    def _apply(self, line: dict[str, Any]) -> list[Any]:
        id, kind = line["id"], line.get("kind")
        retries, crashes, total = self._counts.get(id, (0, 0, 0))
        if kind == RESET:
            self._counts[id] = (0, 0, 0)
        else:
            self._counts[id] = (retries + (kind == RETRY), crashes + (kind == CRASH), total + 1)
        text, due = line.get("param"), line.get("not_before")
        if not isinstance(text, str):
            return []
        self._serial += 1
        entry = Return(id, self._serial, float(due) if isinstance(due, (int, float)) else 0.0, text)
        self._waiting[id] = entry
        heapq.heappush(self._heap, entry)
        if kind != RESET:
            return []
        try:
            return [entry.param(self.log.path)]
        except (Damage, ValueError):
            return []

    def add(
        self, kind: str, params: Iterable[tuple[str, Any]], at: float, by: str, due: float | None = None, of: str = ""
    ) -> None:
        """Log that params came back.

        Args:
            kind: Why.
            params: Their ids and values.
            at: When, Unix seconds.
            by: The minion that says so.
            due: Not before when, Unix seconds.
            of: The minion that held them, if that is another one.

        Raises:
            OSError: It could not be written; nothing was.
        """
        lines = []
        for id, param in params:
            line: dict[str, Any] = {"id": id, "kind": kind, "at": round(at, 3), "by": by, "param": to_text(param)}
            if due is not None:
                line["not_before"] = due
            if of:
                line["of"] = of
            lines.append(line)
        if lines:
            self.log.add(lines)
            for line in lines:
                self._apply(line)

    def counts(self, id: str) -> tuple[int, int, int]:
        """Return how often a param was retried, crashed, and came back for whatever reason."""
        return self._counts.get(id, (0, 0, 0))

    def known(self) -> KeysView[str]:
        """Return the ids of all params that ever came back."""
        return self._counts.keys()

    def waits(self, id: str) -> bool:
        """Tell whether a param waits here, to come by ``due`` rather than in its turn."""
        return id in self._waiting

    def due(self, now: float) -> Iterator[tuple[str, Any]]:
        """Take out the params whose time has come, one after the other."""
        while self._heap and self._heap[0].due <= now:
            entry = heapq.heappop(self._heap)
            if self._waiting.get(entry.id) is not entry:
                continue
            del self._waiting[entry.id]
            try:
                yield entry.id, entry.param(self.log.path)
            except (Damage, ValueError):
                continue  # a damaged line: the param comes in its turn

    def delayed(self, now: float, gone: Callable[[Any], bool]) -> set[str]:
        """Return the ids of params that wait for their time.

        Args:
            now: The time, Unix seconds.
            gone: Tells whether a param is done or in progress by now.
        """
        ids = set()
        for entry in list(self._waiting.values()):
            if entry.due <= now:
                continue
            try:
                if not gone(entry.param(self.log.path)):
                    ids.add(entry.id)
            except (Damage, ValueError):
                del self._waiting[entry.id]
        return ids

    def next_due(self) -> float | None:
        """Return when the next param is due, Unix seconds; None if none waits."""
        return self._heap[0].due if self._heap else None
