"""CONTRACT of the server with the minion that it serves. Any thread may call; nothing here waits for the minion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from minionize.stats.wire import ControlWire, FailuresWire, OutputWire, StatsWire, TaskWire

if TYPE_CHECKING:
    from concurrent.futures import Future


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """This minion cannot do what it was asked for; the message says why."""


class Served(Protocol):
    """A minion, as its server sees it."""

    @property
    def token(self) -> str:
        """What a client must show for params and controls."""

    def stats(self, window: float = 10.0) -> StatsWire:
        """Return all numbers; rates over ``window`` seconds."""

    def tasks(self) -> list[TaskWire]:
        """Return the runs under way, by slot."""

    def failures(self) -> FailuresWire:
        """Return the last failures, with their evidence."""

    def output(self, id: str) -> OutputWire | None:
        """Return the end of what a run has written; None if no param of that id is running."""

    def control(self) -> ControlWire:
        """Return how things stand."""

    def pause(self) -> None:
        """Start and take no more until ``resume``."""

    def resume(self) -> None:
        """Go on after ``pause``."""

    def drain(self) -> None:
        """Finish what runs, take no more, and leave."""

    def resize(self, slots: int) -> None:
        """Change the number of slots.

        Raises:
            Refused: It cannot have so many.
        """

    def kill(self, id: str) -> bool:
        """End the run of a param, as a failure; False if none of that id is running.

        Raises:
            Refused: Runs cannot be ended here.
        """

    def requeue(self, id: str) -> bool:
        """End the run of a param and give it back, not charged; False if none of that id is running.

        Raises:
            Refused: Runs cannot be ended here.
        """

    def requeue_dead(self, ids: Sequence[str] | None = None) -> Future[int]:
        """Have dead params of the queue made ready again: the engine thread does it, when it comes to it.

        Args:
            ids: Which; ids that are not dead are passed over. None: all dead params of the queue.

        Returns:
            How many, once it is done; or a MinionizeError whose message says why it was not. Who does not want to
            wait any more cancels it: what is ready again by then stays so, the rest stays dead.
        """
