"""The engine thread: receives, extends and settles. Nobody else calls the engine.

The main thread says how many undelivered params it wants at hand (``want``), takes them (``take``), and
hands over what is to be settled (``settle``). A settlement that cannot reach the queue is kept and tried
again after reconnecting; the run is never repeated for that.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from minionize.engine import Delivery, EndOfQueue, Engine, LeaseLost, NotConnected
from minionize.errors import EngineError, MinionizeError, NotNow
from minionize.settle import Dead, Nack
from minionize.stats import Stats
from minionize.task import OutcomeKind
from minionize.worker.backlog import BacklogWatch
from minionize.worker.dead_file import DeadFile
from minionize.worker.pace import backoffs
from minionize.worker.patience import Patience
from minionize.worker.requeues import LEAVES, Requeues
from minionize.worker.runner import describe
from minionize.worker.settlement import Settlement, carry_out, drain, groups

# How long the queue may be out of reach at the start, and how long a stopping minion tries to settle.
START_PATIENCE = 15.0
STOP_PATIENCE = 10.0
_MARGIN = 1.0
_PAUSE = 0.25
_BRIEF = 0.05
_LEAST = 0.005
# The longest pause where a queue has been reached, and could not settle yet.
_REACHED = 1.0
_FOR_EVER = float("inf")
# Nothing runs out while a connection lasts, but an engine may learn by it that another minion was given what we hold.
_CONNECTION = 3.0


class Pump:
    """Runs the engine thread.

    Attributes:
        error: What ended the thread before its time; None if nothing did.
        ended: The queue has nothing more for this minion.
        told: Deliveries of which the queue has been told that they begin, where somebody waits for that.
        lost: Deliveries that are no longer ours, for the main thread to end their runs.
        backlog: What the queue last said of its backlog.
        requeues: Dead params that are to be made ready again.
        trouble: Why the queue cannot be reached now, in words; None if it can.
        effort: How long it took to settle the last time, in seconds: about as long for one as for many.
    """

    def __init__(
        self,
        engine: Engine,
        stats: Stats,
        wake: Callable[[], None],
        say: Callable[[str], None],
        dead_file: DeadFile | None,
        exit_when_empty: float | None,
    ) -> None:
        self._engine, self._stats, self._wake, self._say = engine, stats, wake, say
        self._dead_file, self._patience = dead_file, Patience(engine, exit_when_empty)
        self._ready: deque[Delivery] = deque()
        self._pending: deque[Settlement] = deque()
        self._started: deque[tuple[Delivery, bool]] = deque()
        self.told: deque[Delivery] = deque()
        self._held: dict[str, Delivery] = {}
        self._changed = threading.Condition()
        self._woken = False
        self._wanted = 0
        self._closing: float | None = None
        self._shortest = _FOR_EVER
        self._extended = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._opened = threading.Event()
        self.error: BaseException | None = None
        self.ended = False
        self.lost: deque[Delivery] = deque()
        self.backlog = BacklogWatch(engine)
        self.requeues = Requeues(engine, None if dead_file is None else dead_file.path, self.flush)
        self.trouble: str | None = None
        self.effort = 0.0

    # The main thread's side.

    def open(self, stopped: Callable[[], bool]) -> None:
        """Start the thread and wait until the engine is open, or the minion is to stop.

        Args:
            stopped: Whether it is.

        Raises:
            EngineError: It cannot be opened.
        """
        self._thread.start()
        while not self._opened.wait(_BRIEF):
            if stopped():
                return
        if self.error is not None:
            raise self.error

    def want(self, number: int) -> None:
        """Say how many deliveries are wanted at hand, those included that wait to be taken; wakes nobody."""
        self._wanted = number

    @property
    def connected(self) -> bool:
        """Whether the engine is open, as far as we know."""
        return self._opened.is_set() and self.error is None

    @property
    def ready(self) -> int:
        """How many deliveries wait to be taken."""
        return len(self._ready)

    def take(self, limit: int) -> list[Delivery]:
        """Take up to ``limit`` deliveries, to run them or to give them back; without those lost meanwhile."""
        return list(islice(iter(self.next, None), limit))

    def next(self) -> Delivery | None:
        """Take one delivery to run it; None if none is ready."""
        while self._ready:
            # First: what is taken is wanted no more, and the engine thread must not fill the gap before ``want``.
            self._wanted -= 1
            delivery = self._ready.popleft()
            if self._held.get(delivery.id) is delivery:
                return delivery
        return None

    def holds(self, delivery: Delivery) -> bool:
        """Tell whether a delivery is still ours, as far as we know."""
        return self._held.get(delivery.id) is delivery

    def begun(self, delivery: Delivery, wait: bool = False) -> None:
        """Hear that a run begins."""
        self._started.append((delivery, wait))

    def settle(self, settlement: Settlement) -> None:
        """Have a delivery settled; ``flush`` makes it happen now."""
        self._pending.append(settlement)

    @property
    def unsettled(self) -> int:
        """How many settlements, and begun runs to be told of, wait for the queue."""
        return len(self._pending) + len(self._started)

    def flush(self) -> None:
        """Wake the engine thread."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def close(self, hurry: Callable[[], bool]) -> None:
        """Settle what is pending, close the engine and wait for the thread's end.

        Args:
            hurry: Whether an engine that does not answer is left as it is, after a while.
        """
        self._closing = now = time.monotonic()
        self.flush()
        while self._thread.is_alive():
            self._thread.join(0.2)
            now = now if hurry() else time.monotonic()
            if time.monotonic() - now > STOP_PATIENCE + _MARGIN:
                name = self._engine.name
                self.error = NotConnected(f"engine {name} does not answer; what is not settled comes again")
                return

    # The engine thread's side.

    def _run(self) -> None:
        try:
            self._connect(time.monotonic() + START_PATIENCE)
            self.requeues.accept()
            self._opened.set()
            while self._closing is None or self._pending or self._ready:
                self._round()
            self.backlog.look_last()
        except MinionizeError as error:
            self.error = error
        except BaseException as error:  # the border of the thread; engines may be anybody's
            self.error = EngineError(f"engine {self._engine.name} failed: {describe(error)}")
            self.error.__cause__ = error
        finally:
            self._opened.set()
            self.requeues.refuse(LEAVES)
            self._close_engine()
            self._wake()

    def _round(self) -> None:
        try:
            if self._closing is not None:
                self._return_ready()
            if self._closing is not None or self.ended:
                self.requeues.refuse(LEAVES)
            if self._held:
                self._patience.works()
            self._settle_all()
            self.backlog.look()
            if self.requeues.look():
                self.flush()
            room = 0 if self._closing is not None or self.ended else self._wanted - len(self._ready)
            # Many at a time: what is at hand is half used up before the queue is asked again.
            if room > 0 and room >= len(self._ready):
                self._receive(room)
            else:
                self._rest()
        except NotConnected as error:
            self._reconnect(error)

    def _settle_all(self) -> None:
        began, work = time.monotonic(), self.unsettled
        self._tell_started()
        self._extend()
        self._settle_pending()
        if work:
            self.effort = time.monotonic() - began

    def _return_ready(self) -> None:
        """Give back what came in while the main thread was leaving."""
        back = Nack(charge=False)
        self._pending.extend(Settlement(d, back, OutcomeKind.PREEMPTED) for d in self.take(len(self._ready)))

    def _receive(self, room: int) -> None:
        # While runs are under way there will soon be something to settle: ask, but do not wait in the engine.
        held = bool(self._held)
        timeout = (0.0 if self._engine.features.finite else _BRIEF) if held else _PAUSE
        try:
            got = self._engine.receive(room, timeout)
        except EndOfQueue:
            # Another settlement may have come meanwhile, and a nack makes the queue go on.
            if self._held:
                self._wait(_BRIEF)
            elif self.requeues or self._patience.lingers():
                self._wait(_PAUSE)
            else:
                self.ended = True
                self._wake()
            return
        self._patience.hears(bool(got))
        if got:
            self._admit(got)
        elif held:
            self._wait(_BRIEF)
        elif not self.requeues and self._patience.is_over():
            self.ended = True
            self._wake()

    def _admit(self, got: list[Delivery]) -> None:
        unless = _CONNECTION if self._engine.features.lease == "connection" else _FOR_EVER
        self._shortest = min(self._shortest, *[unless if d.lease is None else d.lease for d in got])
        redelivered = [bool(d.redelivered) or (d.attempt or 1) > 1 for d in got]
        self._stats.receive(redelivered, sum(1 for d in got if d.crashes))
        for delivery in got:
            # A queue that delivers what we hold has forgotten that we do: the former delivery is worth nothing.
            if delivery.id in self._held:
                self._lose([self._held[delivery.id]])
            self._held[delivery.id] = delivery
        was_empty = not self._ready
        self._ready.extend(got)
        if was_empty:
            self._wake()

    def _rest(self) -> None:
        """Wait for the main thread, keeping the connection alive."""
        now = time.monotonic()
        if now - self._patience.asked >= _PAUSE:
            self._engine.receive(0, 0.0)
            self._patience.asked = now
        self._wait(max(_LEAST, min(_PAUSE, self._extended + self._shortest / 3 - now)))

    def _wait(self, seconds: float) -> None:
        """Wait for the main thread, unless it has woken us since the last time."""
        with self._changed:
            if not self._woken and self._closing is None:
                self._changed.wait(seconds)
            self._woken = False

    def _tell_started(self) -> None:
        if self._started:
            begun = drain(self._started)
            try:
                self._engine.started([delivery for delivery, _ in begun])
            except NotConnected:
                self._started.extendleft(reversed(begun))
                raise
            told = [delivery for delivery, wait in begun if wait]
            if told:
                self.told.extend(told)
                self._wake()

    def _extend(self) -> None:
        now = time.monotonic()
        if not self._held:
            self._extended, self._shortest = now, _FOR_EVER
        if now - self._extended < self._shortest / 3:
            return
        lost = self._engine.extend(list(self._held.values()))
        self._extended = now
        self._lose(lost)

    def _lose(self, lost: Iterable[Delivery]) -> None:
        for delivery in lost:
            if self._held.pop(delivery.id, None) is not None:
                self._stats.lose()
                self.lost.append(delivery)
        if self.lost:
            self._wake()

    def _settle_pending(self) -> None:
        if not self._pending:
            return
        batch = [s for s in drain(self._pending) if self._held.get(s.delivery.id) is s.delivery]
        try:
            for group in groups(batch):
                self._settle_group(group)
        except BaseException:
            self._pending.extendleft(reversed([s for s in batch if s.delivery.id in self._held]))
            raise

    def _settle_group(self, group: list[Settlement]) -> None:
        verdict = group[0].verdict
        try:
            carry_out(group, self._engine, self._dead_file)
        except LeaseLost as error:
            self._lose(error.lost)
        for settlement in group:
            if self._held.pop(settlement.delivery.id, None) is not None:
                retried = isinstance(verdict, Nack) and verdict.charge
                self._stats.settle(settlement.kind, retried=retried, dead=isinstance(verdict, Dead))

    def _connect(self, deadline: float) -> None:
        """Open the engine, with patience for one that cannot be reached yet."""
        for pause in backoffs():
            try:
                self._engine.open()
                self.trouble = None
                return
            except NotConnected as error:
                self.trouble = str(error)
                self._close_engine()
                if self._closing is not None:
                    return
                if time.monotonic() + pause > deadline:
                    raise
            self._sleep(pause)

    def _reconnect(self, error: NotConnected) -> None:
        """Open the engine anew, for ever; a stopping minion only for a while."""
        self.trouble = str(error)
        self.requeues.refuse(f"the queue cannot be reached now: {error}; ask again when it is back")
        self._say(f"{error}; trying again")
        reached = False
        for pause in backoffs():
            if self._closing is not None:
                if not self._pending and not self._ready:
                    return
                if time.monotonic() - self._closing > STOP_PATIENCE:
                    raise error
            # A group of Kafka is shared out only while all its minions listen: those that sleep would miss each other.
            self._sleep(min(pause, _REACHED) if reached else pause)
            reached = False
            try:
                if isinstance(error, NotNow):
                    self._engine.receive(0, 0.0)
                    reached = True
                elif self._engine.features.lease != "none":
                    self._close_engine()
                    self._engine.open()
                    reached = True
                # Without a lease there is no connection either: closing would only have run again what is held.
                # What failed is tried before anything is said: a disk that is still full opens well.
                self._extend()
                self._settle_pending()
            except NotConnected as again:
                error = again
                continue
            self.trouble = None
            self.requeues.accept()
            self._say(f"the queue of engine {self._engine.name} is back")
            return

    def _sleep(self, seconds: float) -> None:
        """Wait; only a stop cuts it short."""
        until = time.monotonic() + seconds
        with self._changed:
            while (left := until - time.monotonic()) > 0 and (self._closing is None or seconds < 1.0):
                self._changed.wait(left)

    def _close_engine(self) -> None:
        try:
            self._engine.close()
        except Exception as error:  # leaving anyway: an engine that cannot even close must not hide why
            self._say(f"engine {self._engine.name} did not close: {error}")
