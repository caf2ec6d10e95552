"""The main thread's loop: deliveries into slots, outcomes into settlements."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from minionize.engine import Delivery, Undecodable
from minionize.errors import CallbackError
from minionize.events import Events
from minionize.settle import Ack, Nack, Verdict, crashed_too_often
from minionize.task import Outcome, OutcomeKind, Task
from minionize.worker.announced import Announced
from minionize.worker.books import COMPANY, Books
from minionize.worker.controls import Controls
from minionize.worker.doubts import Doubts, ended_by_stop, preempted
from minionize.worker.options import Options
from minionize.worker.pace import Ahead, SlowDown
from minionize.worker.past import Past
from minionize.worker.pump import Pump
from minionize.worker.reasons import Reasons
from minionize.worker.reports import Reports
from minionize.worker.run import Run
from minionize.worker.runner import Ending, Finished, Glimpse, Runner, unusable
from minionize.worker.settlement import judge

if TYPE_CHECKING:
    from minionize.stats.wire import State

_TURN = 0.01
# So long params wait at hand for a slot of a shared queue's minion, in seconds; then others may have them.
_PATIENCE = 1.0
# So long it waits at most, in seconds, whatever wakes it.
_NAP = 1.0

_FOR_EVER = float("inf")
_FAILED = (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT)


class Loop(Controls):
    """Runs params until the queue ends or the minion is stopped.

    Attributes:
        state: "starting", "running", "idle", "paused", "draining" or "stopped".
        doubts: Runs that a stop signal has ended a moment ago.
        fault: Why this minion can run no more params, in words; None if it can.
    """

    def __init__(
        self,
        minion: str,
        options: Options,
        pump: Pump,
        reports: Reports,
        events: Events,
        say: Callable[[str], None],
        shared: bool,
        tell_started: bool,
        past: Past,
    ) -> None:
        super().__init__(options)
        self._minion, self._options, self._pump = minion, options, pump
        self._events, self._say = events, say
        self._policy = options.policy
        self._most = _FOR_EVER if options.max_params is None else options.max_params
        self.doubts = Doubts()
        self._tell_started = tell_started
        self._runner: Runner
        self._running: dict[int, Run] = {}
        self._lost: set[int] = set()
        self._free: list[int] = []
        self._announced = Announced(pump)
        self._slots = 0
        self._shared = shared
        self._began = time.monotonic()
        self._seq = 0
        self._ahead = Ahead()
        self._slow = SlowDown(options.slow_down if shared else 0, time.monotonic, say)
        self._aborted = self._left = False
        self._stops_seen = 0
        self._until = 0.0
        self._raised: BaseException | None = None
        self.fault: str | None = None
        self._books = Books(minion, pump, reports, Reasons(say), past)
        self.ticks: list[Callable[[float], float]] = []
        self.on_fit: Callable[[int], None] = lambda slots: None

    def use(self, runner: Runner, wake: Callable[[], None]) -> None:
        """Set what runs the params, and what wakes this loop; once, before ``run``."""
        self._runner, self._wake, self.most_slots = runner, wake, runner.most_slots
        self.resize(self._options.slots)
        self._fit()

    @property
    def busy(self) -> int:
        """How many slots are running a param."""
        return len(self._running)

    @property
    def slowed(self) -> bool:
        """Whether it is being slowed down, for all of the last runs failed at once."""
        return self._slow.active

    @property
    def can_end(self) -> bool:
        """Whether a run can be ended."""
        return self._runner.can_end

    def runs(self) -> list[Run]:
        """Return what runs now; any thread may ask."""
        return list(self._running.values())

    def glimpse(self, run: Run) -> Glimpse:
        """Look at a run; any thread may ask."""
        return self._runner.glimpse(run.task.seq)

    def end_run(self, run: Run, why: Ending) -> None:
        """End a run; to be done by ``ask``."""
        if run.task.seq in self._running:
            self._runner.end(run.task.seq, why)

    @property
    def state(self) -> State:
        """What the minion is doing, in one word."""
        if self._left:
            return "stopped"
        if self.draining:
            return "draining"
        if self.paused:
            return "paused"
        if self._running:
            return "running"
        return "idle" if self._pump.connected else "starting"

    # The loop.

    def run(self) -> None:
        """Run params until there are no more to run here.

        Raises:
            EngineError: The queue cannot be used any more.
        """
        try:
            while self._go_on():
                # What was written may have been the last.
                until = 0.0 if self._books.write() else self._until
                self._events.run(max(0.0, until - time.monotonic()))
        except BaseException:
            self._abort()
            raise
        finally:
            self._left = True
        if self._pump.error is not None:
            raise self._pump.error

    def _go_on(self) -> bool:
        """Do all that is to be done now; tell whether there will be more."""
        with self._events.turn:
            if self._raised is not None:
                raise self._raised
            if self._over():
                return False
            if self.abandoning:
                self._obey()
            self._do_asked()
            if self._target != self._slots:
                self._fit()
            if self._pump.lost:
                self._end_lost()
            if self._may_start():
                self._start_some()
                self._return_surplus()
            else:
                self._return_all()
            for delivery, finished in self.doubts.take(_FOR_EVER if self.draining else time.monotonic()):
                self._conclude(delivery, finished)
            self._books.close(hurry=not self._running)
            self._ask()
            now = time.monotonic()
            self._until = min([self._next(now), *(tick(now) for tick in self.ticks)])
            return True

    def ended(self) -> None:
        """Begin the next runs: called in the thread that waited for one's end. All else is the main thread's."""
        leaves = self._aborted or self._raised is not None
        if not leaves and self._may_start():
            self._start_some()
            if not self._pump.ready:
                self._ask()
        now = time.monotonic()
        if leaves or self.draining or not self._running:
            self._wake()
        elif self._until - now > COMPANY and self._next(now) < self._until:
            # The main thread would sleep beyond what has become due.
            self._wake()

    def failed(self, error: BaseException) -> None:
        """Have the main thread raise what was raised in another one."""
        self._raised = self._raised or error
        self._wake()

    def _abort(self) -> None:
        """Leave by an error: end what runs, and give it back."""
        with self._events.turn:
            self._aborted = True
            self._runner.kill()
        until = time.monotonic() + 2.0
        while self._running and time.monotonic() < until:
            # Their ends must be seen, so that no zombie is left. What is raised now adds nothing.
            with suppress(BaseException):
                self._events.run(0.1)
        with self._events.turn:
            self._books.abandon()
            self._books.give_back(*(run.delivery for run in self._running.values()))
            self._books.give_back(*(delivery for delivery, _ in self.doubts.take(_FOR_EVER)))
            self._running.clear()
            self._return_all()

    def _fit(self) -> None:
        """Make the slots as many as they are to be; here, for no other thread may touch them."""
        used = {run.task.slot for run in self._running.values()}
        self._slots = self._target
        self._free = [slot for slot in range(1, self._slots + 1) if slot not in used]
        self.on_fit(self._slots)

    def _over(self) -> bool:
        if self._pump.error is not None:
            self.draining = self.abandoning = True
            self._obey()
            return not self._running and not self._books and not self.doubts
        if self._running or self._books or self.doubts or self._pump.ready or self._announced:
            return False
        return self.draining or self._pump.ended or self._seq >= self._most

    def _room(self) -> float:
        """How many more runs may begin now."""
        return min(len(self._free), self._most - self._seq) - len(self._announced)

    def _obey(self) -> None:
        """Do what a stop asks for."""
        if self._stops > 1 and self._stops_seen < 2:
            self._stops_seen = 2
            self._runner.kill()
        elif self.abandoning and not self._stops_seen:
            self._stops_seen = 1
            for seq in list(self._running):
                self._runner.end(seq, Ending.PREEMPTED)

    def _end_lost(self) -> None:
        """End the runs of deliveries that are no longer ours, or let them finish for nothing."""
        while self._pump.lost:
            delivery = self._pump.lost.popleft()
            for seq, (ours, task, _) in list(self._running.items()):
                if ours is delivery and seq not in self._lost:
                    self._lost.add(seq)
                    self._say(f"the lease of param {task.id} is lost: another minion has it")
                    if self._options.on_lease_lost == "kill":
                        self._runner.end(seq, Ending.LEASE_LOST)

    def _may_start(self) -> bool:
        return not (self.draining or self.paused or self._seq >= self._most or self._slow.waits())

    def _return_all(self) -> None:
        self._books.give_back(*self._pump.take(self._pump.ready), *self._announced.clear())

    def _return_surplus(self) -> None:
        """Give back what was fetched when runs were short, where they have become long."""
        if not self._shared or self._free or not self._pump.ready:
            return
        age = time.monotonic() - self._began
        if age > _PATIENCE:
            self._ahead.stuck(age)
            self._books.give_back(*self._pump.take(max(0, self._pump.ready - self._ahead.number(self._slots))))

    def _start_some(self) -> None:
        turn = time.monotonic() + _TURN
        for delivery in self._announced.take() if self._announced else ():
            if self._free:
                self._begin(delivery)
            else:
                self._books.give_back(delivery)
        while self._room() > 0 and self._may_start():
            got = self._pump.next()
            if got is None:
                return
            if self._tell_started and got.redelivered:
                self._announced.put(got)
            else:
                self._begin(got)
            if time.monotonic() > turn:
                return

    def _begin(self, delivery: Delivery) -> None:
        if isinstance(delivery.param, Undecodable):
            self._books.bury(delivery, f"cannot be decoded: {delivery.param.why}", self._seq)
            return
        if crashed_too_often(delivery.attempt, delivery.crashes, self._policy):
            why = f"its minion died {delivery.crashes or 'too many'} times while running it"
            self._books.bury(delivery, why, self._seq)
            return
        self._seq += 1
        self._began = time.monotonic()
        slot = heappop(self._free)
        task = Task(
            delivery.param, delivery.id, delivery.attempt, delivery.redelivered, slot, self._seq, self._minion
        )  # fmt: skip
        self._running[self._seq] = Run(delivery, task, self._began)
        if self._tell_started and not delivery.redelivered:
            self._pump.begun(delivery)
        try:
            self._runner.start(task)
        except CallbackError as error:
            self.finished(Finished(task, unusable(error, time.time())))

    def finished(self, finished: Finished) -> None:
        """Settle a run that has ended: the runner calls this."""
        task, outcome, _ = finished
        delivery = self._running.pop(task.seq).delivery
        if task.slot <= self._slots:
            heappush(self._free, task.slot)
        self._ahead.ran(outcome.duration)
        if outcome.duration > self.longest:
            self.on_long(outcome.duration)
        if task.seq in self._lost:
            self._lost.discard(task.seq)
            return
        if self._aborted:
            self._books.give_back(delivery)
            return
        if ended_by_stop(outcome) and self.stopped_by is None:
            self.doubts.hold(delivery, finished, time.monotonic())
        else:
            self._conclude(delivery, finished)

    def _conclude(self, delivery: Delivery, finished: Finished) -> None:
        if self.stopped_by is not None and ended_by_stop(finished.outcome):
            finished = preempted(finished)
        task, outcome, _ = finished
        verdict = judge(delivery, finished, self._policy, self._options.retry_delay)
        if outcome.kind is not OutcomeKind.SUCCEEDED or not isinstance(verdict, Ack):
            outcome = self._failed(outcome, verdict)
        self._slow.ended(outcome.kind in _FAILED, outcome.duration)
        self._books.enter(delivery, task, outcome, verdict)

    def _failed(self, outcome: Outcome, verdict: Verdict) -> Outcome:
        """See whether the fault is this minion's; return what the outcome then is."""
        stop = isinstance(verdict, Nack) and (verdict.stop or outcome.stop)
        if stop:
            if self.fault is None and self.stopped_by is None:
                self.fault = outcome.reason or "the run asked to stop"
            self.draining = self.abandoning = True
        if outcome.kind is OutcomeKind.COULD_NOT_START and not (isinstance(verdict, Nack) and verdict.stop):
            # The user listed its exit code: then it is a failure like any other.
            return outcome._replace(kind=OutcomeKind.FAILED)
        return outcome

    def _ask(self) -> None:
        """Tell the engine thread how much to have at hand, and wake it where that pays."""
        want = 0
        if self._may_start():
            ahead = 0 if self._slow.active else self._ahead.number(self._slots)
            waiting = len(self._announced)
            want = max(0, self._slots - len(self._running) - waiting) + ahead
            if self._most - self._seq - waiting < want:
                want = int(self._most) - self._seq - waiting
        pump = self._pump
        pump.want(want)
        if pump.ready * 2 < want:
            pump.flush()

    def _next(self, now: float) -> float:
        """Tell when something is due, by the monotonic clock."""
        limit = now + _NAP
        due = self._runner.tick(now)
        if due is not None:
            limit = min(limit, due)
        for due in (self._books.due(), self.doubts.due()):
            if due is not None:
                limit = min(limit, due)
        if self._slow.until > now:
            limit = min(limit, self._slow.until)
        if self._free and self._pump.ready and self._room() > 0 and self._may_start():
            return now
        return limit
