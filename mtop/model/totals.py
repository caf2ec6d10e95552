"""The sums of a fleet: what the meters show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from minionize.stats import COUNTERS
from mtop.model.minion import Minion
from mtop.model.queues import Queue, Queues

__all__ = ["Totals", "total"]


@dataclass(slots=True)
class Totals:
    """All minions taken together.

    Attributes:
        minions: How many there are; ``states``: by shown state.
        slots, busy: Of those that live.
        lost_params: In flight in minions that are lost: nobody runs them now.
        done, failed, redelivered: Per second.
        counters: Sums over all minions, also those that are no more.
        queues: What they work at.
        ready, in_flight, dead: Sums over the queues that can tell; None if none can.
        exact: Whether these sums are no estimates.
        eta: Seconds until all queues are empty; None where that cannot be told.
        stalled: Whether a queue holds params and nobody works them off.
        stragglers, suspects: How many minions are pointed out.
        unreachable: How many live minions are known by their heartbeats only.
    """

    minions: int = 0
    states: Counter[str] = field(default_factory=Counter)
    slots: int = 0
    busy: int = 0
    lost_params: int = 0
    done: float = 0.0
    failed: float = 0.0
    redelivered: float = 0.0
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    queues: list[Queue] = field(default_factory=list)
    ready: int | None = None
    in_flight: int | None = None
    dead: int | None = None
    exact: bool = True
    eta: float | None = None
    stalled: bool = False
    stragglers: int = 0
    suspects: int = 0
    unreachable: int = 0

    @property
    def live(self) -> int:
        """How many minions live, as far as is known."""
        return self.minions - sum(self.states[state] for state in ("stale", "lost", "stopped", "unknown"))

    def add(self, minion: Minion) -> None:
        """Count a minion."""
        said = minion.said
        self.minions += 1
        self.states[minion.state] += 1
        counters = self.counters
        for name, number in said["counters"].items():
            if name in counters:
                counters[name] += number  # type: ignore[operator]
        if minion.ended:
            if minion.state == "lost":
                self.lost_params += said["in_flight"]["count"]
            return
        self.slots += said["slots"]
        self.busy += said["busy"]
        self.done += minion.rate
        self.failed += minion.failed_rate
        self.redelivered += minion.redelivered_rate
        self.stragglers += minion.straggles
        self.suspects += bool(minion.suspect)
        self.unreachable += minion.via == "heartbeat" and minion.trouble is not None

    def work_at(self, queues: list[Queue]) -> None:
        """Take what the queues of all minions hold."""
        self.queues = queues
        self.ready, self.in_flight, self.dead = (_sum(queues, name) for name in ("ready", "in_flight", "dead"))
        self.exact = all(queue.exact for queue in queues)
        self.stalled = any(queue.stalled for queue in queues)
        etas = [queue.eta for queue in queues if queue.ready is not None]
        known = [eta for eta in etas if eta is not None]
        self.eta = max(known) if etas and len(known) == len(etas) else None


def total(minions: Iterable[Minion]) -> Totals:
    """Sum up."""
    sums, queues = Totals(), Queues()
    for minion in minions:
        sums.add(minion)
        queues.add(minion)
    sums.work_at(queues.all())
    return sums


def _sum(queues: Iterable[Queue], name: str) -> int | None:
    known = [value for queue in queues if (value := getattr(queue, name)) is not None]
    return sum(known) if known else None
