"""What is asked of a minion from outside: by signals, by its stats server. Any thread may call."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable

from minionize.worker.options import Options


class Controls:
    """Takes note of what is asked, and wakes the loop, which does it.

    Attributes:
        stopped_by: The signal that stopped the minion; None if none did.
        paused: Whether it is to start and take no more for now.
        draining: Whether it is to take no more and leave.
        most_slots: How many slots there can be; None: any number.
        abandoning: Whether runs are to be ended rather than finished.
        relieved: Whether a signal asked it to drain: somebody else is to go on with what is left.
        expired: Why there is no time left for more params, in words; None if there is.
        longest: A run that took longer, in seconds, is told to ``on_long``.
        on_long: Hears how long it took.
    """

    def __init__(self, options: Options) -> None:
        self._wake: Callable[[], None] = lambda: None
        self._finishes = options.on_stop == "finish"
        self._target = options.slots
        self.most_slots: int | None = None
        self._stops = 0
        self._asked: deque[Callable[[], None]] = deque()
        self.stopped_by: int | None = None
        self.paused = self.draining = self.abandoning = self.relieved = False
        self.expired: str | None = None
        self.longest = float("inf")
        self.on_long: Callable[[float], None] = lambda duration: None

    @property
    def busy(self) -> int:
        """How many slots are running a param."""
        return 0

    def stop(self, number: int) -> None:
        """Stop by a signal: the first time by ``--on-stop``, the second time now.

        A checkpoint of OAR that comes again asks for nothing new: it is sent every ten seconds until the job has left.
        """
        if number == signal.SIGUSR2 and self._stops:
            return
        self._stops += 1
        if self.stopped_by is None:
            self.stopped_by = number
        self.draining = True
        if not self._finishes or self._stops > 1:
            self.abandoning = True
        self._wake()

    def drain(self) -> None:
        """Finish what runs, take no more."""
        self.draining = True
        self._wake()

    def relieve(self) -> None:
        """Finish what runs, take no more, and leave what is left to others."""
        self.relieved = True
        self.drain()

    def expire(self, why: str) -> None:
        """Finish what runs, take no more, for there is no time left for it."""
        self.expired = why
        self.longest = float("inf")
        self.draining = True

    def abandon(self) -> None:
        """End what runs and give it back."""
        self.draining = self.abandoning = True

    def hurry(self) -> None:
        """Leave now, as at a second signal."""
        self._stops = max(self._stops, 2)
        self.abandon()

    def pause(self) -> None:
        """Start and take no more until ``resume``."""
        self.paused = True
        self._wake()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self.paused = False
        self._wake()

    def resize(self, slots: int) -> None:
        """Change the number of slots; runs in slots that go are finished."""
        most = self.most_slots
        self._target = max(1, slots if most is None else min(slots, most))
        self._wake()

    def ask(self, action: Callable[[], None]) -> None:
        """Have something done in the loop's next round, by the main thread."""
        self._asked.append(action)
        self._wake()

    def _do_asked(self) -> None:
        while self._asked:
            self._asked.popleft()()

    @property
    def slots(self) -> int:
        """The number of slots."""
        return self._target

    @property
    def hurried(self) -> bool:
        """Whether a second signal asked to leave now."""
        return self._stops > 1
