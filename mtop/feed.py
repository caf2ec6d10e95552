"""CONTRACT of the screens with where a fleet comes from: real minions, a recording, or a synthetic fleet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from minionize.stats.wire import FailuresWire, OutputWire, TaskWire
from mtop.format import Glyphs
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import Order

__all__ = ["Cost", "Feed", "Player", "Unanswered"]


class Unanswered(Exception):  # noqa: N818 - an answer, not an error
    """A minion was asked for something and gave no answer, or refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it takes to be told.

    Attributes:
        polls: Polls per second, of late.
        failing: Minions whose last poll failed.
        took: Seconds that an answer takes, on average; None where none came.
    """

    polls: float = 0.0
    failing: int = 0
    took: float | None = None


class Feed(ABC):
    """Tells a fleet what there is to hear, and carries questions and orders to single minions.

    Attributes:
        place: Where it looks, for people: registries, URLs, a file. Never holds a secret.
        user: Whose mtop this is: minions of others are shown, not controlled.
        live: Whether orders can be given at all.
    """

    place: str = ""
    user: str = ""
    live: bool = True

    @abstractmethod
    def clock(self) -> float:
        """Return the time by which the fleet lives, in seconds; it only goes forward, unless somebody winds it back."""

    @abstractmethod
    def wall(self) -> float:
        """Return the time of day that goes with it, in Unix seconds."""

    @abstractmethod
    def start(self) -> None:
        """Begin to listen, in threads of its own; called once, returns at once."""

    @abstractmethod
    def tell(self, fleet: Fleet) -> None:
        """Tell the fleet all that came since the last time. Quick: the screen waits meanwhile."""

    @abstractmethod
    def close(self) -> None:
        """End within a second. Idempotent."""

    def wind(self, fleet: Fleet) -> bool:
        """Tell whether the time was wound back, so that the fleet must be made anew."""
        return False

    def set_interval(self, seconds: float) -> None:  # noqa: B027 - a recording comes as it comes
        """Ask every minion so often."""

    def troubles(self) -> list[str]:
        """Return what does not work, in words: a registry that cannot be read, say."""
        return []

    def cost(self) -> Cost:
        """Return what it takes."""
        return Cost()

    def purge(self, minions: Sequence[Minion]) -> None:  # noqa: B027 - nothing is kept anywhere
        """Remove these from where they are announced; they have ended."""

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Return what runs in a minion.

        Raises:
            Unanswered: There is no answer.
        """
        raise Unanswered("there is nobody to ask")

    async def failures(self, minion: Minion) -> FailuresWire:
        """Return the last failures of a minion.

        Raises:
            Unanswered: There is no answer.
        """
        raise Unanswered("there is nobody to ask")

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Return the end of what a run has written.

        Raises:
            Unanswered: There is no answer, or no such run any more.
        """
        raise Unanswered("there is nobody to ask")

    async def order(self, minion: Minion, order: Order) -> str:
        """Have a minion do something; return what it answers, in words.

        Raises:
            Unanswered: It did not, and why.
        """
        raise Unanswered("there is nobody to order")


@runtime_checkable
class Player(Protocol):
    """A feed whose time can be stopped and wound: a recording."""

    def toggle(self) -> None:
        """Stop, or go on."""

    def seek(self, seconds: float) -> None:
        """Wind on, or back where it is negative."""

    def faster(self) -> None:
        """Play at twice the speed."""

    def slower(self) -> None:
        """Play at half the speed."""

    def status(self, glyphs: Glyphs | None = None) -> str:
        """Return where it is, and how fast it plays, for people."""
