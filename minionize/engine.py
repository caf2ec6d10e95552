"""CONTRACT: what an engine, the adapter to one queue system, must do.

At-least-once, and said so. One thread, the engine thread, calls everything, so no client library needs
to be thread-safe. The suite in ``minionize.testing`` proves these rules for every engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from minionize.errors import EngineError, LeaseLost, NotConnected
from minionize.setting import Setting, from_values
from minionize.task import Param

__all__ = [
    "Backlog",
    "DeadLetter",
    "Delivery",
    "EndOfQueue",
    "Engine",
    "EngineError",
    "Features",
    "Holder",
    "LeaseLost",
    "NotConnected",
    "Undecodable",
]


class EndOfQueue(Exception):  # noqa: N818 - a signal, not an error
    """A finite queue has nothing ready and nothing in flight: all is settled."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands in for a param that could not be decoded; the worker dead-letters it.

    Attributes:
        raw: What the queue held, as text: all of it, for the queue may keep no other copy.
        why: What is wrong with it.
    """

    raw: str
    why: str

    def __str__(self) -> str:
        """As the queue held it: so ``minion-queue`` shows it among params."""
        return self.raw


@dataclass(frozen=True, slots=True)
class Delivery:
    """One handing-over of one param to one minion.

    Attributes:
        param: The param, or Undecodable.
        id: Stable over redeliveries of the same param.
        attempt: 1 for the first delivery; None where the queue cannot tell. A delivery that was given
            back uncharged does not count.
        redelivered: Whether it was delivered before; None where the queue cannot tell.
        lease: For how many seconds it is ours unless extended; None: as long as the connection, or for ever.
        receipt: The engine's own.
        crashes: How many earlier runs of it ended without an outcome, because their minion died;
            None where the queue cannot tell that from other deliveries.
    """

    param: Param
    id: str
    attempt: int | None = None
    redelivered: bool | None = None
    lease: float | None = None
    receipt: Any = None
    crashes: int | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much a queue holds.

    Attributes:
        ready: Params that wait to be delivered, delayed ones included.
        in_flight: Params delivered and not settled, to all minions.
        dead: Dead-lettered params; None where the queue cannot tell.
        exact: Whether the numbers are exact; else they are the queue's estimate.
        as_of: When they were true, Unix seconds.
        done: Params done; None where the queue does not keep them.
        delayed: How many of ``ready`` wait for their time (a retry's delay).
    """

    ready: int | None
    in_flight: int | None
    dead: int | None
    exact: bool
    as_of: float
    done: int | None = None
    delayed: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds params that are in flight.

    Attributes:
        minion: Id of the minion.
        in_flight: How many it holds.
        idle: Seconds since its last sign of life; None where the queue cannot tell.
        gone: Whether its process has ended; None where that cannot be told from here.
    """

    minion: str
    in_flight: int
    idle: float | None = None
    gone: bool | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One param that was given up, with its evidence.

    Attributes:
        id: Id of the param.
        param: The param.
        reason: Why, in words.
        evidence: What is known of its last run.
        at: When, Unix seconds.
    """

    id: str
    param: Param
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Features:
    """What an engine's queue can do. The docs' table and the contract suite are made from it.

    Attributes:
        lease: "deadline", "connection" or "none".
        attempts: Whether deliveries carry their attempt.
        nack_delay: Whether the queue holds a param back for a given time.
        dead_letter: Whether the queue keeps dead params; else the worker writes them to ``--dead``.
        backlog: "exact", "estimate" or "none".
        finite: Whether the queue can end.
        shared: Whether several minions can share it.
        fenced: Whether a minion that lost a delivery can no longer settle it.
        ordered: Whether params come in the order in which they were put.
        crashes: Whether a run that died with its minion counts as an attempt; else ``--max-crashes`` has no effect.
        spread: Whether any minion can get any ready param; else each gets those of its share of the queue.
        browse: Whether ``peek`` leaves no trace; else what it shows is taken for a moment and comes as redelivered.
        decodes: Whether params are decoded one by one, so that a single one can be Undecodable.
        ack: Where a param is recorded as done, for the docs.
        renewal: How a lease is extended, for the docs.
        redelivery: Who gets the param after SIGKILL of its minion, and when, for the docs.
    """

    lease: str
    attempts: bool
    nack_delay: bool
    dead_letter: bool
    backlog: str
    finite: bool
    shared: bool
    fenced: bool
    ordered: bool
    crashes: bool = True
    spread: bool = True
    browse: bool = True
    decodes: bool = True
    ack: str = ""
    renewal: str = ""
    redelivery: str = ""


class Engine(ABC):
    """Adapter to one queue system. Subclass it, one file each, under ``engines/``.

    Attributes:
        name: The word behind ``--engine``.
        features: What the queue can do.
        settings: The engine's settings; their values become the attributes of ``self.config``.
        client: The module of its client library, which the extra of the engine's name brings; "" if it needs none.
        minion: Id of the minion that uses the engine; set before ``open``.
    """

    name: ClassVar[str] = ""
    features: Features
    settings: ClassVar[tuple[Setting, ...]] = ()
    client: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:
        """Take the values of the declared settings, by key; connects to nothing.

        Raises:
            SettingsError: A value is missing or unknown.
        """
        self.config: dict[str, Any] = from_values(f"engine {self.name}", self.settings, values)
        self.minion = ""

    @property
    def queue_name(self) -> str:
        """What the queue is called, for people and as a label: no secret, no password of a URL is in it."""
        return self.name

    @abstractmethod
    def open(self) -> None:
        """Connect. Called again after NotConnected; takes nothing from the queue.

        Raises:
            EngineError: The queue cannot be used; the message names it and the remedy.
        """

    def visit(self) -> None:
        """Connect for a look (backlog, holders, peek, dead) or for care (requeue, purge), as nobody's minion.

        Nothing is received then; ``close`` comes after it too. By default the same as ``open``.

        Raises:
            EngineError: The queue cannot be used.
        """
        self.open()

    def declare(self) -> None:  # noqa: B027 - nothing to create by default
        """Create the queue and what belongs to it, where the system needs that. Idempotent."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection. Never acks. Idempotent, and safe when ``open`` failed."""

    @abstractmethod
    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params; return [] after ``timeout`` seconds without any.

        ``receive(0, t)`` is the pump (heartbeats, polls): it takes nothing, and is called at least once a second.

        Raises:
            EndOfQueue: The queue is finite, and nothing is ready nor in flight.
            NotConnected: The queue cannot be reached now.
        """

    @abstractmethod
    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done.

        Raises:
            LeaseLost: Some were no longer ours; all others are done.
            NotConnected: None is known to be done; the worker asks again.
        """

    @abstractmethod
    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back, to be delivered again to any minion.

        Args:
            deliveries: What to give back.
            delay: Not before so many seconds (best effort where the queue cannot).
            charge: Whether the delivery counts as an attempt.

        Raises:
            LeaseLost: Some were no longer ours; all others are given back.
        """

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: the param and its evidence are durable before it leaves the queue.

        Args:
            deliveries: What to give up.
            reason: Why, in words.
            evidence: What is known of the last run, one for each delivery.

        Raises:
            LeaseLost: Some were no longer ours; all others are dead-lettered.
        """
        raise EngineError(f"engine {self.name} keeps no dead params")

    def started(self, deliveries: Sequence[Delivery]) -> None:  # noqa: B027 - most queues count deliveries
        """Hear that these runs begin. For engines that count the starts of a param rather than its deliveries."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Renew the leases; return the deliveries that are LOST.

        Called at a third of a deadline, and once a second where the lease is the connection.
        """
        return []

    def backlog(self) -> Backlog | None:
        """Tell how much the queue holds, cheaply; None where the queue cannot tell."""
        return None

    def holders(self) -> list[Holder] | None:
        """Tell which minions hold what is in flight; None where the queue cannot tell."""
        return None

    @abstractmethod
    def put(self, params: Iterable[Param]) -> int:
        """Fill the queue, declaring it first; return how many were put. Needs neither ``open`` nor ``visit``.

        The params may come slowly and be very many: a queue that can takes each as it comes.

        Raises:
            EngineError: The queue cannot be used, or cannot hold a param; the message tells how many were put.
        """

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield ready params without taking them (all of them, or up to ``limit``)."""
        raise EngineError(f"engine {self.name} cannot show params without taking them")

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params."""
        return iter(())

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again, with attempt 1; return how many."""
        return 0

    def purge(self) -> int:
        """Throw away what is ready, what waits for its time included; return how much.

        What is in flight, done or dead stays as it is.

        Raises:
            EngineError: The queue cannot do that.
        """
        raise EngineError(f"engine {self.name} cannot throw params away: the tools of its server may")
