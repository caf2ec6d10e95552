"""Runs that were ended by a signal which ends minions too: perhaps all of us are being stopped, or killed.

A scheduler that wants its node back signals every process of a job, and Ctrl-C reaches a program that is
just being started. A run may so end a moment before its minion hears that it is to leave, or is killed as
well, and its param must not be blamed. So its outcome waits for that moment.
"""

from __future__ import annotations

import signal
from collections import deque

from minionize.engine import Delivery
from minionize.task import Outcome, OutcomeKind
from minionize.worker.runner import Finished
from minionize.worker.signals import STOPPING

# Seconds that an outcome waits.
_MOMENT = 0.25
_ENDING = (*STOPPING, signal.SIGKILL)
_SHELL = 128  # what a shell adds to the number of the signal that ended its program


class Doubts:
    """The outcomes that wait."""

    def __init__(self) -> None:
        self._held: deque[tuple[float, Delivery, Finished]] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._held)

    def hold(self, delivery: Delivery, finished: Finished, now: float) -> None:
        """Let an outcome wait."""
        self._held.append((now + _MOMENT, delivery, finished))

    def take(self, now: float) -> list[tuple[Delivery, Finished]]:
        """Take those that have waited long enough, by the monotonic clock."""
        taken = []
        while self._held and self._held[0][0] <= now:
            taken.append(self._held.popleft()[1:])
        return taken

    def due(self) -> float | None:
        """Return when to ``take``; None if nothing waits."""
        return self._held[0][0] if self._held else None


def ended_by_stop(outcome: Outcome) -> bool:
    """Tell whether a run was ended by a signal that stops minions, or kills them."""
    if outcome.kind is not OutcomeKind.FAILED:
        return False
    return outcome.signal in _ENDING or (outcome.exit_code or 0) - _SHELL in _ENDING


def preempted(finished: Finished) -> Finished:
    """Make of such an outcome that of a run which its minion's end has ended."""
    outcome = finished.outcome
    number = outcome.signal or (outcome.exit_code or 0) - _SHELL
    reason = f"ended by {signal.Signals(number).name}, when this minion was stopped"
    return finished._replace(outcome=outcome._replace(kind=OutcomeKind.PREEMPTED, reason=reason))
