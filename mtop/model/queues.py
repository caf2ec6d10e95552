"""What the queues of a fleet hold. Minions of one queue all tell of the same backlog: the newest word counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mtop.model.minion import Minion

__all__ = ["Queue", "Queues", "queue_of", "queues_of"]

_PRIVATE = ("file", "memory")
"""Engines whose queue is each minion's own, whatever its name."""

_PATIENCE = 30.0
"""Seconds that a minion has to begin, and that a run may take however short nearly all before it were."""


@dataclass(slots=True)
class Queue:
    """One queue, as its minions tell of it.

    Attributes:
        engine, name: Which one it is.
        ready, in_flight, dead: Params; None where the queue cannot tell.
        exact: Whether these are no estimates.
        rate: Params that leave it per second, done or failed.
        minions: How many live minions work at it.
        moving: Whether runs end, or some are under way that do not hang.
    """

    engine: str
    name: str
    ready: int | None = None
    in_flight: int | None = None
    dead: int | None = None
    exact: bool = True
    rate: float = 0.0
    minions: int = 0
    moving: bool = False
    _age: float = float("inf")

    @property
    def stalled(self) -> bool:
        """Whether params are ready and nobody works them off."""
        return bool(self.ready) and not self.moving

    @property
    def eta(self) -> float | None:
        """Seconds until it is empty, at the present rate; None where that cannot be told."""
        if self.ready is None or self.stalled:
            return None
        if not self.ready:
            return 0.0
        return self.ready / self.rate if self.rate > 0 else None

    def add(self, minion: Minion) -> None:
        """Take what a minion tells of it."""
        said = minion.said
        if not minion.ended:
            self.minions += 1
            self.rate += minion.rate + minion.failed_rate
            self.moving = self.moving or self.rate > 0 or _works(minion)
        backlog = said["backlog"]
        if backlog is None:
            return
        # All by the minion's own clock: clocks of hosts are never compared.
        silent = minion.age or 0.0 if minion.ended else 0.0
        age = max(0.0, said["started"] + minion.uptime + silent - backlog["as_of"])
        if age < self._age:
            self._age = age
            self.ready, self.in_flight, self.dead = backlog["ready"], backlog["in_flight"], backlog["dead"]
            self.exact = backlog["exact"]


def _works(minion: Minion) -> bool:
    """Tell whether something runs that is likely to end, or will soon begin.

    Runs may take hours; what hangs shows by how long nearly all before it took.
    """
    if minion.said["busy"] <= 0:
        return minion.uptime < _PATIENCE and minion.state in ("starting", "running", "idle")
    return not minion.straggles or (minion.oldest or 0.0) <= _PATIENCE


def queue_of(minion: Minion) -> tuple[str, str, str]:
    """Tell which queue a minion works at: engine, name, and what else tells it apart."""
    said = minion.said
    return said["engine"], said["queue"], minion.key if said["engine"] in _PRIVATE else ""


class Queues:
    """Sums up queues: told of every minion, it knows them all."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Queue] = {}

    def add(self, minion: Minion) -> None:
        """Take what a minion tells. What a private queue of one that is no more held is of no use to anybody."""
        if minion.via == "nothing" or (minion.ended and minion.said["engine"] in _PRIVATE):
            return
        which = queue_of(minion)
        queue = self._found.get(which)
        if queue is None:
            queue = self._found[which] = Queue(which[0], which[1])
        queue.add(minion)

    def all(self) -> list[Queue]:
        """Return the queues; those at which nobody works any more only if there is no other."""
        worked = [queue for queue in self._found.values() if queue.minions]
        return worked or list(self._found.values())


def queues_of(minions: Iterable[Minion]) -> list[Queue]:
    """Sum up the queues of some minions."""
    queues = Queues()
    for minion in minions:
        queues.add(minion)
    return queues.all()
