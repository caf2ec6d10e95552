"""Engine on the directory of an execo ParamSweeper: any number of minions on any hosts that share the directory."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from minionize.engine import Backlog, DeadLetter, Delivery, EndOfQueue, Engine, Features, Holder
from minionize.errors import EngineError, LeaseLost, NotConnected
from minionize.host import new_minion_id
from minionize.setting import Setting, lease, text
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.locks import UNSUPPORTED, Locks
from minionize.sweepdir.pace import Pace
from minionize.sweepdir.queue import SweepQueue
from minionize.sweepdir.sweeps import merge
from minionize.sweepdir.taken import Taken
from minionize.sweepdir.upkeep import backlog, dead_letters, holders, read_only, ready_params
from minionize.task import Param

_UNUSABLE = (
    errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG,
)  # fmt: skip
_PATIENCE = 60.0
_BRIEF = 0.001


class ExecoEngine(Engine):
    """Takes params from a sweep directory, beside plain ParamSweeper scripts if need be.

    Args:
        clock: The time; for tests.
        values: The settings.
    """

    name = "execo"
    features = Features(
        lease="deadline",
        attempts=True,
        nack_delay=True,
        dead_letter=True,
        backlog="exact",
        finite=True,
        shared=True,
        fenced=True,
        ordered=False,
        decodes=False,
        ack="appended to `done` and synced",
        renewal="the lease file is touched",
        redelivery="any minion: at once on the same host, elsewhere when the lease has run out",
    )
    settings = (
        Setting(
            key="persistence_dir",
            env="EXECO_PERSISTENCE_DIR",
            parse=text,
            default="sweeps",
            help="Directory of the ParamSweeper.",
            metavar="DIR",
        ),
        Setting(
            key="lease",
            env="EXECO_LEASE",
            parse=lease,
            default=120.0,
            help="After so long without a sign of life a minion of another host loses its params; NFS needs 120 s.",
            metavar="SECONDS",
            schema="number",
        ),
    )

    def __init__(self, clock: Clock | None = None, **values: Any) -> None:
        """Take the settings; touches no file."""
        super().__init__(**values)
        self._clock = clock or Clock()
        self._layout = Layout(str(self.config["persistence_dir"]))
        self._lease = float(self.config["lease"])
        self._locks = Locks(self._layout, self._clock, min(_PATIENCE, self._lease / 2))
        self._pace = Pace()
        self._queue: SweepQueue | None = None
        self._is_open = False

    @property
    def queue_name(self) -> str:
        """The sweep directory, by its whole path."""
        return str(Path(str(self.config["persistence_dir"])).absolute())

    # Coming and going.

    def open(self) -> None:
        """Load the state, and reclaim what dead minions held; what we hold ourselves stays ours."""
        minion = self.minion or new_minion_id()
        queue = self._queue or SweepQueue(self._layout, self._locks, self._clock, minion, self._lease)
        with self._reaching():
            queue.open()
        self._queue, self._is_open = queue, True
        self._pace.reset()

    def close(self) -> None:
        """Leave; what is held stays held until it is settled after another ``open``, or reclaimed."""
        if self._queue is not None:
            self._queue.stake.leave()
            if not self._queue.stake.count:
                self._queue = None
        self._is_open = False

    def _connected(self) -> SweepQueue:
        if self._queue is None or not self._is_open:
            raise NotConnected(f"the sweep directory {self._layout.folder} is not open")
        return self._queue

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Tell what can never work from what may work later."""
        try:
            yield
        except OSError as error:
            path, why = error.filename or self._layout.folder, error.strerror or str(error)
            if error.errno in _UNUSABLE:
                raise EngineError(
                    f"{path}: {why}: a minion must be able to write in the sweep directory {self._layout.folder}"
                ) from error
            if error.errno in UNSUPPORTED:
                raise EngineError(
                    f"{path} cannot be locked ({why}): mount its file system with locks that all hosts see (NFS: "
                    "without nolock, and with a lock service), or use a directory elsewhere"
                ) from error
            raise NotConnected(f"{path}: {why}") from error

    # Receiving.

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params; waits by looking at the directory, less and less often."""
        queue, clock, pace = self._connected(), self._clock, self._pace
        queue.stake.beat()
        if max_messages <= 0:
            return []
        deadline = clock.monotonic() + timeout
        while True:
            now = clock.monotonic()
            over = now >= deadline
            taken = self._look(queue, max_messages, now, over and timeout > 0.0)
            if taken:
                return [self._deliver(queue, each) for each in taken]
            if over:
                return []
            clock.sleep(max(_BRIEF, min(pace.wait(now), deadline - now, queue.view.until_due())))

    def _look(self, queue: SweepQueue, most: int, now: float, hurry: bool) -> list[Taken]:
        """Take what is ready, where it is time to look and something may have changed."""
        pace, view = self._pace, queue.view
        if not view.finished and view.until_due() > 0.0 and not pace.may_look(now, hurry):
            return []
        if not view.changed() and not queue.may_have_more() and not pace.must_look(now):
            if view.finished:
                raise EndOfQueue
            pace.passed(now)
            return []
        taken = queue.take(most)
        if taken:
            pace.reset()
            return taken
        pace.looked(now, queue.stake.others.count)
        if view.finished:
            raise EndOfQueue
        return []

    def _deliver(self, queue: SweepQueue, taken: Taken) -> Delivery:
        retries, crashes, total = queue.view.returns.counts(taken.id)
        return Delivery(
            param=taken.param,
            id=taken.id,
            attempt=1 + retries + crashes,
            redelivered=total > 0,
            lease=self._lease,
            receipt=taken,
            crashes=crashes,
        )

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        if deliveries:
            self._tell_lost(deliveries, self._connected().ack([d.receipt for d in deliveries]))

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back; for others than minions a delay does not hold."""
        if deliveries:
            lost = self._connected().give_back([d.receipt for d in deliveries], delay, charge)
            self._pace.reset()
            self._tell_lost(deliveries, lost)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: written to the dead list and synced, then done."""
        if deliveries:
            self._tell_lost(deliveries, self._connected().bury([d.receipt for d in deliveries], reason, evidence))

    @staticmethod
    def _tell_lost(deliveries: Sequence[Delivery], lost: Sequence[Taken]) -> None:
        if lost:
            raise LeaseLost([d for d in deliveries if any(d.receipt is each for each in lost)])

    def started(self, deliveries: Sequence[Delivery]) -> None:
        """Write down that runs begin: only these are charged if we die."""
        self._connected().stake.start([d.receipt for d in deliveries])

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Touch the lease."""
        if not deliveries:
            return []
        queue = self._connected()
        queue.stake.beat(now=True)
        lost = queue.stake.lost([d.receipt for d in deliveries])
        return [d for d in deliveries if any(d.receipt is each for each in lost)]

    # Looking and caring; none of these needs ``open``.

    def visit(self) -> None:
        """Nothing to do: who only looks needs no lease, and reclaims nothing."""

    def backlog(self) -> Backlog:
        """Count what there is, exactly."""
        if self._queue is not None and self._is_open:
            return self._queue.backlog()
        with self._reaching():
            return backlog(read_only(self._layout, self._locks, self._clock))

    def holders(self) -> list[Holder]:
        """Tell who holds what, by the leases."""
        with self._reaching():
            return holders(self._layout, self._locks, self._clock)

    def put(self, params: Iterable[Param]) -> int:
        """Add params; what is in the directory already, done or not, is not put again."""
        try:
            with self._reaching():
                count = merge(self._layout, self._locks, params)
        except EngineError as error:
            raise type(error)(f"{error}; nothing was put") from error
        self._pace.reset()
        return count

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield ready params; makes and changes nothing."""
        with self._reaching():
            view = read_only(self._layout, self._locks, self._clock)
        return islice(ready_params(view, self._clock), limit)

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params."""
        if self._queue is not None and self._is_open:
            return iter(self._queue.dead())
        with self._reaching():
            return iter(dead_letters(read_only(self._layout, self._locks, self._clock)))

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again."""
        with self._reaching():
            count = self._any_queue().requeue(list(ids))
        self._pace.reset()
        return count

    def purge(self) -> int:
        """Throw away what is ready; others notice at their next look."""
        with self._reaching():
            return self._any_queue().purge()

    def _any_queue(self) -> SweepQueue:
        """Return our queue, or one for somebody who is no minion."""
        minion = self.minion or new_minion_id()
        return self._queue or SweepQueue(self._layout, self._locks, self._clock, minion, self._lease)
