"""How many runs a minion of the demo has taken and ended at any time: a function of time, changed only by orders."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from minionize.stats.wire import State

__all__ = ["Course", "Standing", "Wave"]


class Wave(NamedTuple):
    """A time that passes now faster, now slower, for no fleet is as regular as a clock.

    Attributes:
        depth: By what part of its speed it differs, below 1.
        period: Seconds after which it is the same again.
        phase: Where in this it is at 0, in radians.
    """

    depth: float
    period: float
    phase: float

    def at(self, x: float) -> float:
        """Return how much of it has passed at a time."""
        turn = 2.0 * math.pi / self.period
        return x + self.depth / turn * math.sin(turn * x + self.phase)

    def when(self, passed: float) -> float:
        """Return at what time so much of it has passed."""
        turn = 2.0 * math.pi / self.period
        x = passed
        for _ in range(50):
            step = (self.at(x) - passed) / (1.0 + self.depth * math.cos(turn * x + self.phase))
            x -= max(-self.period, min(self.period, step))
            if abs(step) < 1e-7:
                break
        return x


class Standing(NamedTuple):
    """How things stand at one time.

    Attributes:
        state: What the minion says of itself.
        slots: Slots.
        ended: Runs that have ended by themselves.
        busy: Runs under way.
        oldest: Age of the oldest of them, in seconds; 0 where there is none.
    """

    state: State
    slots: int
    ended: int
    busy: int
    oldest: float


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time in which nothing comes between.

    Attributes:
        since: When it begins; ``passed``: how much of the wave had passed then.
        state, slots: As they are.
        ended: Runs that had ended at its beginning.
        busy: Runs under way, at its beginning; ``carried``: those of them that began before.
        part: How far the next one to end had come, of one.
        rate: Runs that end per second.
    """

    since: float
    passed: float
    state: State
    slots: int
    ended: int
    busy: int
    carried: int
    part: float
    rate: float


@dataclass(slots=True)
class Course:
    """The life of one minion.

    Attributes:
        wave: How its time passes.
        seconds: How long a run takes, on average.
        stuck: How many of its runs never end; ``stuck_since``: since when.
        spare: Slots for which there is no param.
    """

    wave: Wave
    seconds: float
    stuck: int = 0
    stuck_since: float = 0.0
    spare: int = 0
    _stretches: list[_Stretch] = field(default_factory=list)

    def turn(self, at: float, state: State, slots: int | None = None, ended: int = 0) -> None:
        """Have it be in another state from some time on; nothing that should have come later does.

        Args:
            at: When.
            state: The state.
            slots: How many slots; as many as before if it is not given.
            ended: How many runs have been ended at that time, by orders.
        """
        before, part = self._at(at) if self._stretches else (Standing(state, slots or 0, 0, 0, 0.0), 0.5)
        slots = before.slots if slots is None else slots
        busy, done = max(0, before.busy - ended), before.ended
        carried = busy
        if state == "running":
            wanted = max(1, slots - self.spare)
            # What was taken is taken: where there is no slot for it, it has just ended.
            done += max(0, busy - wanted)
            busy, carried = wanted, min(busy, wanted)
        rate = max(0, busy - self.stuck) / self.seconds
        self._stretches = [stretch for stretch in self._stretches if stretch.since < at]
        self._stretches.append(_Stretch(at, self.wave.at(at), state, slots, done, busy, carried, part, rate))

    def standing(self, x: float) -> Standing:
        """Return how things stand."""
        return self._at(x)[0]

    def _at(self, x: float) -> tuple[Standing, float]:
        stretch = self._stretch(x)
        state, slots, busy, rate = stretch.state, stretch.slots, stretch.busy, stretch.rate
        if state == "running":
            part = stretch.part + rate * (self.wave.at(x) - stretch.passed)
            ended = int(part)
        else:
            part = stretch.part + rate * (x - stretch.since)
            ended = min(int(part), busy - min(busy, self.stuck))
            busy -= ended
            if not busy and state == "draining":
                state = "stopped"
        done = stretch.ended + ended
        return Standing(state, slots, done, busy, self._oldest(x, busy, done)), min(part - ended, 0.999)

    def _oldest(self, x: float, busy: int, ended: int) -> float:
        if self.stuck and busy:
            return x - self.stuck_since
        return max(0.0, x - self.started(ended, x)) if busy else 0.0

    def started(self, run: int, x: float) -> float:
        """Return when a run began that is under way: runs end in the order in which they begin.

        Args:
            run: How many runs end before it.
            x: The time.
        """
        index = self._index(x)
        while index and run < self._stretches[index].ended + self._stretches[index].carried:
            index -= 1
        stretch = self._stretches[index]
        number = run + 1 - (stretch.busy - self.stuck)
        return self._when(stretch, number) if number > stretch.ended else stretch.since

    def ended(self, x: float) -> int:
        """Return how many runs have ended at a time."""
        stretch = self._stretch(x)
        x = max(x, stretch.since)
        if stretch.state == "running":
            return stretch.ended + int(stretch.part + stretch.rate * (self.wave.at(x) - stretch.passed))
        return self._at(x)[0].ended

    def left_at(self) -> float:
        """Return when it will have left; ``inf`` if it does not drain."""
        last = self._stretches[-1]
        if last.state != "draining" or (self.stuck and last.busy):
            return math.inf
        # A little later, so that by then nothing runs any more, however numbers are rounded.
        return last.since + ((last.busy - last.part) / last.rate + 1e-6 if last.busy else 0.0)

    def when(self, number: int) -> float:
        """Return when the run ended that was the last of so many."""
        stretch = next((each for each in reversed(self._stretches) if each.ended < number), self._stretches[0])
        return self._when(stretch, number)

    def _when(self, stretch: _Stretch, number: int) -> float:
        if not stretch.rate:
            return stretch.since
        passed = (number - stretch.ended - stretch.part) / stretch.rate
        if stretch.state != "running":
            return stretch.since + passed
        return max(stretch.since, self.wave.when(stretch.passed + passed))

    def _stretch(self, x: float) -> _Stretch:
        return self._stretches[self._index(x)]

    def _index(self, x: float) -> int:
        for index in range(len(self._stretches) - 1, 0, -1):
            if self._stretches[index].since <= x:
                return index
        return 0
