"""What has happened in a fleet: for toasts, for their log, for the events of one minion."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from mtop.model.minion import Minion
from mtop.model.totals import Totals

__all__ = ["Event", "Events", "Severity"]

Severity = Literal["information", "warning", "error"]

_KEPT = 2_000
_FAILING = 0.2
_CALM = 0.1
_LEAST = 3
"""Failures in a window of ten seconds, below which nothing is said of their rate."""

_QUIET = 300.0
"""Seconds for which it is not worth a toast that a backlog is empty once more: params may trickle in."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has happened.

    Attributes:
        at: When mtop noticed, in Unix seconds.
        what: In words; texts of minions in it are as they came.
        severity: How bad it is.
        loud: Whether it is worth a toast.
        minion: The key of the minion that it happened to; "" for the fleet.
    """

    at: float
    what: str
    severity: Severity = "information"
    loud: bool = False
    minion: str = ""


class Events:
    """Notices what happens, and remembers the last two thousand events."""

    def __init__(self) -> None:
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._states: dict[str, str] = {}
        self._failing = False
        self._ready: int | None = None
        self._emptied: float | None = None

    def __iter__(self) -> Iterator[Event]:
        return iter(self._kept)

    def of(self, key: str) -> list[Event]:
        """Return what happened to one minion."""
        return [event for event in self._kept if event.minion == key]

    def note(self, event: Event) -> Event:
        """Remember an event."""
        self._kept.append(event)
        return event

    def look(self, minions: Iterable[Minion], totals: Totals, wall: float) -> list[Event]:
        """Notice what is not as it was the last time.

        Args:
            minions: All of the fleet.
            totals: Their sums.
            wall: The time, in Unix seconds.
        """
        found = [event for minion in minions if (event := self.look_at(minion, wall)) is not None]
        return found + self.look_around(totals, wall)

    def look_at(self, minion: Minion, wall: float) -> Event | None:
        """Notice that a minion's state is not as it was the last time."""
        event = self._changed(minion, wall)
        return None if event is None else self.note(event)

    def look_around(self, totals: Totals, wall: float) -> list[Event]:
        """Notice what has happened to the fleet as a whole."""
        return [self.note(event) for event in (*self._rates(totals, wall), *self._backlog(totals, wall))]

    def forget(self, keys: Iterable[str]) -> None:
        """Compare these no more."""
        for key in keys:
            self._states.pop(key, None)

    def _changed(self, minion: Minion, wall: float) -> Event | None:
        before = self._states.get(minion.key)
        state = minion.state
        if state == before:
            return None
        self._states[minion.key] = state
        if before is None:
            # What was there before mtop has not just happened.
            return Event(wall, f"{minion.id} seen, {state}", minion=minion.key)
        if {before, state} <= {"running", "idle", "starting", "unknown"}:
            return None
        severity: Severity = "error" if state == "lost" else "warning" if state == "stale" else "information"
        words = f"{minion.id} was {before}, is {state}"
        if state == "lost":
            held = minion.said["in_flight"]["count"]
            words = f"{minion.id} is lost" + (f", with {held} params in flight" if held else "")
        return Event(wall, words, severity, state == "lost", minion.key)

    def _rates(self, totals: Totals, wall: float) -> Iterator[Event]:
        ended = totals.done + totals.failed
        share = totals.failed / ended if ended else 0.0
        if not self._failing and share > _FAILING and totals.failed * 10.0 >= _LEAST:
            self._failing = True
            yield Event(wall, f"{share:.0%} of all runs fail ({totals.failed:.2g}/s)", "warning", True)
        elif self._failing and share < _CALM:
            self._failing = False
            yield Event(wall, "runs do not fail any more than usual")

    def _backlog(self, totals: Totals, wall: float) -> Iterator[Event]:
        before, self._ready = self._ready, totals.ready
        if before and totals.ready == 0:
            loud = self._emptied is None or abs(wall - self._emptied) >= _QUIET
            self._emptied = wall
            yield Event(wall, "the backlog is empty", "information", loud)
