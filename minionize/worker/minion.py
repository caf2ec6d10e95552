"""Puts a minion together from callback, settings, engine and reporters, and runs it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable as Function
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from minionize.callback import Callback
from minionize.console import say
from minionize.engine import Backlog, Engine
from minionize.errors import ExitCode
from minionize.events import Events
from minionize.host import new_minion_id
from minionize.plugins import check_registry, load_engine, load_reporter
from minionize.reporter import Reporter
from minionize.settings import Settings, here, load
from minionize.stats import Stats
from minionize.worker.dead_file import DeadFile
from minionize.worker.environment import lent
from minionize.worker.guard import Guard
from minionize.worker.labels import in_batch_job, labels_of
from minionize.worker.limits import make_room
from minionize.worker.loop import Loop
from minionize.worker.options import Options
from minionize.worker.output import Output, hold_standard_streams
from minionize.worker.past import Past
from minionize.worker.pump import Pump
from minionize.worker.removal import Removal
from minionize.worker.reports import Reports
from minionize.worker.runner import Runner
from minionize.worker.signals import DRAINING, Signals, Waker
from minionize.worker.summary import summary
from minionize.worker.waiters import Waiters

if TYPE_CHECKING:
    from minionize.worker.lifetime import Lifetime
    from minionize.worker.served import ServedMinion

# Bytes of each stream that a record holds; with --results, where the output is the point, more.
_CAP = 4096
_CAP_RESULTS = 65536


class Minion:
    """One minion: takes params from its queue, runs the callback for each, settles them.

    Attributes:
        id: HOST-PID-NONCE.
        stats: Its counters.
        loop: Its controls (stop, drain, pause, resume, resize); None before ``run``.
        served: Makes what its stats server serves: numbers, runs, failures, controls; None before ``run``.
    """

    def __init__(
        self,
        callback: Callback,
        settings: Settings,
        engine: Engine | None = None,
        reporters: Sequence[Reporter] | None = None,
    ) -> None:
        """Put it together; connects to nothing yet.

        Args:
            callback: How a param is run.
            settings: What the user set.
            engine: The queue; None: what the settings name.
            reporters: Where records go; None: what the settings name.

        Raises:
            SettingsError: A setting cannot be used.
        """
        self.id = new_minion_id()
        self.stats = Stats()
        self.loop: Loop | None = None
        self.served: Function[[], ServedMinion] | None = None
        self._callback, self._settings = callback, settings
        self._options = Options.of(settings.values)
        self.engine = make_engine(settings) if engine is None else engine
        self.engine.minion = self.id
        self._token = _token(settings)
        # A misspelt one is better known before any run.
        check_registry(settings.values["registry"])
        self._dead_place = "minion-queue dead shows the dead params"
        self._reporters = make_reporters(settings) if reporters is None else list(reporters)
        self._places: Function[[], list[str]] = list

    def run(self) -> int:
        """Run params until the queue ends or the minion is stopped; return the exit code.

        Raises:
            MinionizeError: The settings, the queue or the callback cannot be used.
        """
        variables = {**self._settings.env, **self._settings.environ}
        with nullcontext() if self._callback.any_thread else lent(variables):
            if self._settings.values.get("dry_run"):
                from minionize.worker.dry import dry_run

                return dry_run(self._callback, self.engine, self._settings)
            self._callback.check(variables)
            return self._run()

    def _run(self) -> int:
        started = time.monotonic()
        before = self.stats.snapshot()
        with ExitStack() as stack:
            loop, pump, output = self._build(stack)
            try:
                pump.open(lambda: loop.stopped_by is not None)
                loop.run()
            finally:
                # Settles what is pending, also when the loop ended by an error.
                pump.backlog.always = self._comes_again(loop)
                pump.close(lambda: loop.hurried)
            if pump.error is not None:
                raise pump.error
        counters = {name: value - before[name] for name, value in self.stats.snapshot().items()}
        return self._leave(loop, output, counters, pump.backlog.latest, time.monotonic() - started)

    def _build(self, stack: ExitStack) -> tuple[Loop, Pump, Output]:
        options, features = self._options, self.engine.features
        hold_standard_streams()
        make_room(options.slots)
        output = self._output()
        stack.callback(output.close)
        # Before the pipe of the guardian exists and before any thread runs: it is a fork of this process.
        environ = {**self._settings.env, **self._settings.environ, "MINION_ID": self.id}
        zygote = self._zygote(environ)
        if zygote is not None:
            stack.callback(zygote.close)
        guard = Guard(self.id, self._callback.removal(self.id), environ)
        stack.callback(guard.dismiss)
        events, waker = Events(), Waker()
        stack.callback(events.close)
        stack.callback(waker.close)
        events.watch(waker.fd, waker.awake)
        dead = None
        if not features.dead_letter:
            dead = DeadFile(self._settings.values.get("dead"), environ, self.id, output.say)
            self._dead_place = f"dead params in {dead.path}"
            stack.callback(dead.close)
        reports = Reports(self._reporters, output.say)
        reports.open(self.id, labels_of(self._settings.environ, self._settings.values["label"] or {}))
        stack.callback(reports.close)
        self._places = reports.places
        pump = Pump(self.engine, self.stats, waker.wake, output.say, dead, options.exit_when_empty)
        tells = type(self.engine).started is not Engine.started
        past = Past()
        loop = Loop(self.id, options, pump, reports, events, output.say, features.shared, tells, past)
        runner = self._runner(loop, events, output, environ, zygote)
        stack.callback(runner.close)
        loop.use(runner, waker.wake)
        loop.on_fit = output.fit
        output.gives_up(lambda: loop.abandoning)
        self._progress(loop, pump, output, stack)
        self._show(past, loop, pump, output, stack)
        self.loop = loop
        lifetime = self._lifetime(past, output)
        stack.enter_context(Signals(self._stopper(loop, runner, lifetime), waker))
        if lifetime is not None:
            stack.callback(lifetime.close)
            lifetime.start(loop, hasattr(runner, "interrupt"))
            loop.ticks.append(lifetime.tick)
        return loop, pump, output

    def _output(self) -> Output:
        values = self._settings.values
        results = bool(values.get("results"))
        reported = any(reporter.name != "null" for reporter in self._reporters)
        keep = "always" if results else "ours" if reported else "never"
        cap = _CAP_RESULTS if results else _CAP
        return Output(values.get("output"), self._options.slots, bool(values.get("tag")), cap, keep)

    def _inline(self) -> bool:
        return self._options.slots == 1 and self._options.timeout is None and not self._callback.in_child

    def _zygote(self, environ: Mapping[str, str]) -> Any:
        if self._callback.runs_processes or self._inline():
            return None
        from minionize.worker.function_child import serve
        from minionize.worker.zygote import Zygote

        callback = self._callback
        return Zygote(lambda control: serve(control, callback, environ))

    def _runner(
        self, loop: Loop, events: Events, output: Output, environ: Mapping[str, str], zygote: Any
    ) -> Runner:  # fmt: skip
        options = self._options
        if self._callback.runs_processes:
            from minionize.worker.process_runner import ProcessRunner

            waiters = Waiters(events.turn, loop.ended, loop.failed) if self._callback.any_thread else None
            return ProcessRunner(
                self._callback, events, output, environ, loop.finished, options.timeout, options.grace, waiters
            )  # fmt: skip
        if zygote is None:
            from minionize.worker.inline_runner import InlineRunner

            return InlineRunner(self._callback, output, loop.finished, loop.stop)
        from minionize.worker.function_runner import FunctionRunner

        removal = Removal(self._callback, events, output.null, environ, output.say)
        meaning = self._callback.meaning
        return FunctionRunner(zygote, events, output, loop.finished, removal, options.timeout, options.grace, meaning)

    def _lifetime(self, past: Past, output: Output) -> Lifetime | None:
        values, environ = self._settings.values, self._settings.environ
        if not values["max_lifetime"] and not in_batch_job(environ):
            return None
        from minionize.worker.lifetime import Lifetime

        lifetime = Lifetime(values, environ, past.latency, output.say)
        return lifetime if lifetime.limited else None

    def _stopper(self, loop: Loop, runner: Runner, lifetime: Lifetime | None) -> Any:
        interrupt = getattr(runner, "interrupt", None)

        def stop(number: int) -> None:
            if number == DRAINING:
                loop.relieve()
            elif lifetime is None or not lifetime.rings(number):
                loop.stop(number)
            if interrupt is not None and loop.abandoning:
                interrupt()

        return stop

    def _show(self, past: Past, loop: Loop, pump: Pump, output: Output, stack: ExitStack) -> None:
        """Let others see this minion: in the registry, by its stats server."""
        values, environ, started = self._settings.values, self._settings.environ, time.time()

        def served() -> ServedMinion:
            from minionize.worker.numbers import Numbers
            from minionize.worker.served import ServedMinion

            labels = labels_of(environ, values["label"] or {})
            numbers = Numbers(self.id, self.engine, self._callback.title, labels, started, self.stats, past, loop, pump)
            return ServedMinion(self.id, self._token, numbers, past, loop, pump.requeues)

        self.served = served
        if values["server"] or values["registry"] != "none":
            from minionize.worker.presence import Presence

            presence = Presence(self.id, values, environ, served, output.say)
            presence.start()
            stack.callback(presence.close)

    def _progress(self, loop: Loop, pump: Pump, output: Output, stack: ExitStack) -> None:
        from minionize.worker.progress import wanted

        if wanted(self._settings.values.get("progress")):
            from minionize.worker.progress import Progress

            progress = stack.enter_context(Progress(self.stats, loop, pump, output))
            loop.ticks.append(progress.tick)

    def _leave(
        self, loop: Loop, output: Output, counters: Mapping[str, int], backlog: Backlog | None, elapsed: float
    ) -> int:
        unread = loop.stopped_by is None and loop.fault is not None and output.is_unread()
        if loop.fault is not None and not unread:
            say(f"error: {loop.fault}; its param went back, and this minion leaves")
        say(summary(counters, elapsed, self._places(), self._dead_place))
        if unread:
            # As any program in a pipeline whose reader has gone.
            return ExitCode.SIGNAL + signal.SIGPIPE
        if loop.fault is not None:
            return ExitCode.CALLBACK
        if self._comes_again(loop):
            if backlog is None or backlog.ready or backlog.in_flight:
                # An idempotent OAR job is resubmitted when it exits with 99; for any other job 99 is a number.
                return ExitCode.RESUBMIT
        elif loop.stopped_by is not None:
            return ExitCode.SIGNAL + loop.stopped_by
        return ExitCode.DEAD if counters["dead"] else ExitCode.OK

    def _comes_again(self, loop: Loop) -> bool:
        """Tell whether it leaves because its time ends, and not because its work does."""
        if loop.expired is not None or loop.stopped_by is None:
            return loop.expired is not None or loop.relieved
        from minionize.worker.schedulers import resubmits

        return resubmits(self._settings.environ, loop.stopped_by)


def _token(settings: Settings) -> str:
    """Return what clients of the stats server must show; a fault in the user's file is better known before any run."""
    path = settings.values["token_file"]
    if path is None:
        return os.urandom(24).hex()
    from minionize.worker.listening import token_from

    return token_from(path)


def make_engine(settings: Settings) -> Engine:
    """Make the engine that the settings name."""
    kind = load_engine(settings.values["engine"])
    return kind(**settings.for_owner(kind.name, kind.settings))


def make_reporters(settings: Settings) -> list[Reporter]:
    """Make the reporters that the settings name."""
    kind = load_reporter(settings.values["reporter"])
    reporters = [kind(**settings.for_owner(kind.name, kind.settings))]
    if settings.values.get("results"):
        from minionize.reporters.results import ResultsReporter

        reporters.append(ResultsReporter(settings.values["results"]))
    return reporters


def minionizer(callback: Callback, engine: Engine | None = None, **settings: Any) -> Minion:
    """Minionize a callback: ``minionizer(callback).run()``.

    Args:
        callback: How a param is run.
        engine: The queue; None: what the environment, ``.env`` and ``.minionize.yml`` say.
        settings: Settings by key, such as ``slots=4``; they win over all others.

    Raises:
        SettingsError: A setting is wrong.
    """
    return Minion(callback, load(settings, os.environ, here()), engine)
