"""When each target is due: spread over the interval, and ever more rarely where nothing answers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from math import ceil

__all__ = ["Schedule"]

_BATCHES = 50
_SLACK = 0.02
"""Targets that are due within a fiftieth of the interval, or so many seconds, are due at once: to wake up costs more
than to ask one more."""

_GOLDEN = 0.6180339887498949
_RUSH = 1_000.0
_LATE = 0.25
_DOUBLINGS = 30


class _Slot:
    """The place of one target. ``entry`` is the number of its entry in the heap; 0 for none."""

    __slots__ = ("entry", "failed", "key", "phase")

    def __init__(self, key: str, phase: float) -> None:
        self.key = key
        self.phase = phase
        self.failed = 0
        self.entry = 0


class Schedule:
    """Tells which targets are due. One is handed out, and not again until it is ``done``.

    Each has its phase within the interval for as long as it is there, whatever comes and goes. Multiples of the golden
    ratio are phases that lie apart, however many there are and whichever have left.

    Attributes:
        late: How many were handed out more than a quarter of a second, and of an interval, too late.
    """

    def __init__(self, interval: float, random: Callable[[], float], longest: float = 30.0) -> None:
        """Make one that is empty.

        Args:
            interval: Seconds between two polls of a target that answers.
            random: Returns a number from [0, 1), for jitter.
            longest: Seconds between two polls of a target that does not answer, at most; unless ``interval`` is longer.
        """
        self.late = 0
        self._interval = interval
        self._slack = min(_SLACK, interval / _BATCHES)
        self._random = random
        self._longest = longest
        self._slots: dict[str, _Slot] = {}
        self._heap: list[tuple[float, int, _Slot]] = []
        self._entries = 0
        self._phases = 0

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def interval(self) -> float:
        """Seconds between two polls of a target that answers."""
        return self._interval

    def add(self, keys: Iterable[str], now: float) -> None:
        """Take up targets. They are due soon: few at once, many over as long an interval, or at a thousand a second."""
        new = [key for key in dict.fromkeys(keys) if key not in self._slots]
        spread = min(self._interval, len(new) / _RUSH)
        for key in new:
            self._phases += 1
            slot = self._slots[key] = _Slot(key, self._phases * _GOLDEN % 1.0)
            self._push(slot, now + slot.phase * spread)

    def remove(self, key: str) -> None:
        """Forget a target, handed out or not; one that is not there is no error."""
        slot = self._slots.pop(key, None)
        if slot is not None:
            slot.entry = 0
        if len(self._heap) > 2 * len(self._slots) + 64:
            self._heap = [each for each in self._heap if each[2].entry == each[1]]
            heapify(self._heap)

    def due(self, now: float, most: int) -> list[str]:
        """Hand out what is due, the longest waiting first, at most so many."""
        found: list[str] = []
        heap, until = self._heap, now + self._slack
        while heap and heap[0][0] <= until and len(found) < most:
            when, entry, slot = heappop(heap)
            if slot.entry != entry:
                continue
            slot.entry = 0
            found.append(slot.key)
            if now - when > _LATE and now - when > _LATE * self._interval:
                self.late += 1
        return found

    def done(self, key: str, good: bool, now: float) -> None:
        """Take a target back, answered or not."""
        slot = self._slots.get(key)
        if slot is None or slot.entry:
            return
        if good:
            slot.failed = 0
            self._push(slot, self._next(slot, now + self._interval / 2))
        else:
            slot.failed += 1
            self._push(slot, now + self._patience(slot))

    def wait(self, now: float) -> float | None:
        """Return in how many seconds something will be due; None if nothing will."""
        heap = self._heap
        while heap and heap[0][2].entry != heap[0][1]:
            heappop(heap)
        return max(0.0, heap[0][0] - now) if heap else None

    def set_interval(self, interval: float, now: float) -> None:
        """Spread all targets over another interval."""
        self._interval = interval
        self._slack = min(_SLACK, interval / _BATCHES)
        waiting = [slot for slot in self._slots.values() if slot.entry]
        self._heap.clear()
        for slot in waiting:
            self._push(slot, now + self._patience(slot) if slot.failed else self._next(slot, now))

    def _next(self, slot: _Slot, now: float) -> float:
        """Return the first time from now on that is of a target's phase."""
        return (ceil(now / self._interval - slot.phase) + slot.phase) * self._interval

    def _patience(self, slot: _Slot) -> float:
        """Return how long to wait after so many failures. Many fail together: some jitter takes them apart."""
        longest = max(self._longest, self._interval)
        doubled = self._interval * 2.0 ** min(slot.failed - 1, _DOUBLINGS)
        return min(doubled, longest) * (1.0 - self._random() / 4)

    def _push(self, slot: _Slot, when: float) -> None:
        self._entries += 1
        slot.entry = self._entries
        heappush(self._heap, (when, self._entries, slot))
