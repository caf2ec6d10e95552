"""A queue in the memory of this process: for tests, notebooks, and as the reference of the engine contract."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from minionize.engine import (
    Backlog,
    DeadLetter,
    Delivery,
    EndOfQueue,
    Engine,
    Features,
    Holder,
    LeaseLost,
    NotConnected,
)
from minionize.task import Param


class _Entry:
    """One param that is not settled, and what is known of it."""

    __slots__ = ("attempts", "crashes", "deadline", "delivered", "holder", "id", "param", "token")

    def __init__(self, id: str, param: Param) -> None:
        self.id = id
        self.param = param
        self.attempts = 0  # deliveries that count and are over
        self.crashes = 0
        self.delivered = False
        self.token = 0  # of the delivery that holds it now
        self.deadline = 0.0
        self.holder = ""


class MemoryQueue:
    """What the memory engines of several minions (threads) share. Thread-safe.

    Leases and delays go by ``clock``; a wait for something to come is a true wait.
    """

    def __init__(self, params: Iterable[Param] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._serial = itertools.count(1)
        self._tokens = itertools.count(1)
        self._order = itertools.count()
        self._ready: deque[_Entry] = deque()
        self._back: list[tuple[float, int, _Entry]] = []  # given back: a heap by the time from which it is ready
        self._held: dict[str, _Entry] = {}
        self._expiry = float("inf")  # no lease ends before
        self._dead: dict[str, DeadLetter] = {}
        self._done = 0
        self.put(params)

    def put(self, params: Iterable[Param]) -> int:
        """Add params at the end; return how many."""
        fresh = [_Entry(str(next(self._serial)), param) for param in params]
        with self._changed:
            self._ready.extend(fresh)
            self._changed.notify_all()
        return len(fresh)

    def take(self, most: int, lease: float, timeout: float, minion: str = "") -> list[Delivery]:
        """Lease up to ``most`` params for ``lease`` seconds, waiting up to ``timeout`` seconds for the first."""
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                now = self._reclaim()
                taken = self._pick(most, now)
                if taken:
                    return self._deliver(taken, lease, now, minion)
                if not self._held and not self._back:
                    raise EndOfQueue
                left = end - time.monotonic()
                if left <= 0:
                    return []
                change = min(self._expiry, self._back[0][0] if self._back else self._expiry) - now
                self._changed.wait(min(left, max(change, 0.001)))

    def _pick(self, most: int, now: float) -> list[_Entry]:
        taken: list[_Entry] = []
        while len(taken) < most and self._back and self._back[0][0] <= now:
            taken.append(heapq.heappop(self._back)[2])
        while len(taken) < most and self._ready:
            taken.append(self._ready.popleft())
        return taken

    def _deliver(self, taken: list[_Entry], lease: float, now: float, minion: str) -> list[Delivery]:
        deadline = now + lease
        self._expiry = min(self._expiry, deadline)
        deliveries = []
        for entry in taken:
            entry.token = next(self._tokens)
            entry.deadline, entry.holder = deadline, minion
            self._held[entry.id] = entry
            deliveries.append(
                Delivery(entry.param, entry.id, entry.attempts + 1, entry.delivered, lease, entry.token, entry.crashes)
            )
            entry.delivered = True
        return deliveries

    def _reclaim(self) -> float:
        """Take back what leases have run out on; return the time."""
        now = self._clock()
        if now >= self._expiry:
            for entry in [entry for entry in self._held.values() if entry.deadline <= now]:
                del self._held[entry.id]
                entry.attempts += 1
                entry.crashes += 1
                self._give_back(entry, now)
            self._expiry = min((entry.deadline for entry in self._held.values()), default=float("inf"))
        return now

    def _give_back(self, entry: _Entry, due: float) -> None:
        heapq.heappush(self._back, (due, next(self._order), entry))

    def _release(self, deliveries: Sequence[Delivery]) -> tuple[list[tuple[Delivery, _Entry]], list[Delivery]]:
        """Take deliveries out of flight; return those that were still held, and the lost."""
        released, lost = [], []
        for delivery in deliveries:
            entry = self._held.get(delivery.id)
            if entry is None or entry.token != delivery.receipt:
                lost.append(delivery)
            else:
                del self._held[delivery.id]
                released.append((delivery, entry))
        return released, lost

    def ack(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Settle as done; return the lost."""
        with self._changed:
            self._reclaim()
            released, lost = self._release(deliveries)
            self._done += len(released)
            self._changed.notify_all()
        return lost

    def nack(self, deliveries: Sequence[Delivery], delay: float, charge: bool) -> list[Delivery]:
        """Give back; return the lost."""
        with self._changed:
            now = self._reclaim()
            released, lost = self._release(deliveries)
            for _, entry in released:
                entry.attempts += charge
                self._give_back(entry, now + delay)
            self._changed.notify_all()
        return lost

    def dead_letter(
        self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]
    ) -> list[Delivery]:
        """Give up; return the lost."""
        proof = {delivery.id: dict(each) for delivery, each in zip(deliveries, evidence, strict=True)}
        with self._changed:
            self._reclaim()
            released, lost = self._release(deliveries)
            for _, entry in released:
                self._dead[entry.id] = DeadLetter(entry.id, entry.param, reason, proof[entry.id], time.time())
            self._changed.notify_all()
        return lost

    def extend(self, deliveries: Sequence[Delivery], lease: float) -> list[Delivery]:
        """Renew leases; return the lost."""
        lost = []
        with self._changed:
            deadline = self._reclaim() + lease
            for delivery in deliveries:
                entry = self._held.get(delivery.id)
                if entry is None or entry.token != delivery.receipt:
                    lost.append(delivery)
                else:
                    entry.deadline = deadline
        return lost

    def backlog(self) -> Backlog:
        """Count what there is."""
        with self._changed:
            now = self._reclaim()
            return Backlog(
                ready=len(self._ready) + len(self._back),
                in_flight=len(self._held),
                dead=len(self._dead),
                exact=True,
                as_of=time.time(),
                done=self._done,
                delayed=sum(1 for due, _, _ in self._back if due > now),
            )

    def holders(self) -> list[Holder]:
        """Count what each minion holds."""
        with self._changed:
            self._reclaim()
            counts = Counter(entry.holder for entry in self._held.values())
        return [Holder(minion, count) for minion, count in counts.items()]

    def purge(self) -> int:
        """Throw away what is ready; return how much."""
        with self._changed:
            self._reclaim()
            count = len(self._ready) + len(self._back)
            self._ready.clear()
            self._back.clear()
            self._changed.notify_all()
        return count

    def peek(self, limit: int | None) -> list[Param]:
        """Copy the ready params, in the order in which they would come."""
        with self._changed:
            now = self._reclaim()
            due = [entry for due, _, entry in sorted(self._back, key=lambda item: item[:2]) if due <= now]
            return [entry.param for entry in itertools.islice(itertools.chain(due, self._ready), limit)]

    def dead(self) -> list[DeadLetter]:
        """Copy the dead letters."""
        with self._changed:
            return list(self._dead.values())

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again, as if they had never been delivered; return how many."""
        with self._changed:
            letters = [self._dead.pop(id) for id in dict.fromkeys(ids) if id in self._dead]
            self._ready.extend(_Entry(letter.id, letter.param) for letter in letters)
            self._changed.notify_all()
        return len(letters)


class MemoryEngine(Engine):
    """Engine on a MemoryQueue: full-featured, and gone with the process.

    Args:
        queue: The queue to share, or params to fill one of its own with.
        lease: For how many seconds a delivery is ours.
    """

    name = "memory"
    features = Features(
        lease="deadline",
        attempts=True,
        nack_delay=True,
        dead_letter=True,
        backlog="exact",
        finite=True,
        shared=True,
        fenced=True,
        ordered=True,
        ack="when the call returns",
        renewal="a new deadline",
        redelivery="any minion of the process, when the lease has run out",
    )

    def __init__(self, queue: MemoryQueue | Iterable[Param] = (), lease: float = 60.0, **values: Any) -> None:
        super().__init__(**values)
        self.queue = queue if isinstance(queue, MemoryQueue) else MemoryQueue(queue)
        self.lease = lease
        self._open = False

    def open(self) -> None:
        """Connect: nothing to do."""
        self._open = True

    def close(self) -> None:
        """Let go; what was held stays leased until its time is over."""
        self._open = False

    def _connected(self) -> MemoryQueue:
        if not self._open:
            raise NotConnected("the memory engine is not open: call open() first")
        return self.queue

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params; there is nothing to pump."""
        queue = self._connected()
        return queue.take(max_messages, self.lease, timeout, self.minion) if max_messages > 0 else []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        self._report(self._connected().ack(deliveries))

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back."""
        self._report(self._connected().nack(deliveries, delay, charge))

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up, with evidence."""
        self._report(self._connected().dead_letter(deliveries, reason, evidence))

    @staticmethod
    def _report(lost: Sequence[Delivery]) -> None:
        if lost:
            raise LeaseLost(lost)

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Renew the leases; return the lost."""
        return self._connected().extend(deliveries, self.lease)

    def backlog(self) -> Backlog | None:
        """Count what there is."""
        return self.queue.backlog()

    def holders(self) -> list[Holder] | None:
        """Count what each minion holds."""
        return self.queue.holders()

    def put(self, params: Iterable[Param]) -> int:
        """Add params at the end."""
        return self.queue.put(params)

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield the params that are ready now."""
        return iter(self.queue.peek(limit))

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params."""
        return iter(self.queue.dead())

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again."""
        return self.queue.requeue(ids)

    def purge(self) -> int:
        """Throw away what is ready."""
        return self.queue.purge()
