"""Runs a callback's functions in child processes, one for each slot: what breaks there fails one param only."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial

from minionize.callback import Meaning
from minionize.console import printable
from minionize.errors import CallbackError
from minionize.events import Events
from minionize.task import Outcome, OutcomeKind, Task, param_text
from minionize.worker.function_child import Inbox, send
from minionize.worker.output import Output, Streams
from minionize.worker.pipes import Pipes
from minionize.worker.removal import Removal
from minionize.worker.runner import (
    Deadlines,
    Ending,
    Finished,
    Glimpse,
    OnFinished,
    Runner,
    describe,
    earliest,
    ended_from_here,
    failure,
    kill_run,
    unusable,
    verdict_of_exit,
)
from minionize.worker.zygote import Zygote

_CHUNK = 65536


class _Child:
    """One child process and its run."""

    def __init__(self, pid: int, channel: socket.socket, pipes: Pipes) -> None:
        self.pid, self.channel, self.pipes = pid, channel, pipes
        self.inbox = Inbox()
        self.task: Task | None = None
        self.streams: Streams | None = None
        self.started = 0.0
        self.ending: Ending | None = None
        self.termed = False


class FunctionRunner(Runner):
    """Keeps a child process for each slot in use, and replaces the ones that die."""

    def __init__(
        self,
        zygote: Zygote,
        events: Events,
        output: Output,
        on_finished: OnFinished,
        removal: Removal,
        timeout: float | None,
        grace: float,
        meaning: Callable[[int | None, int | None], Meaning | None] = lambda code, number: None,
    ) -> None:
        self._removal, self._meaning = removal, meaning
        self._zygote, self._events, self._output, self._on_finished = zygote, events, output, on_finished
        self._timeout, self._grace = timeout, grace
        self._idle: list[_Child] = []
        self._busy: dict[int, _Child] = {}
        self._by_pid: dict[int, _Child] = {}
        self._deadlines = Deadlines()
        events.watch_last(zygote.fileno(), self._ended)

    def start(self, task: Task) -> None:
        """Hand a task to a child."""
        child = self._idle.pop() if self._idle else self._spawn()
        child.task, child.started, child.ending, child.termed = task, time.time(), None, False
        child.streams = self._output.connect(printable(param_text(task.param)) if self._output.tag else "")
        out = child.streams.stdout
        # A child's stdout is a pipe for good, so what would be inherited is passed on.
        shown = out.feed if out is not None else self._inherited(child.streams.inherit)
        child.pipes.feed(shown, child.streams.stderr.feed)
        self._busy[task.seq] = child
        if self._timeout is not None:
            self._deadlines.set(task.seq, time.monotonic() + self._timeout)
        try:
            send(child.channel, task)
        except OSError:
            return  # a child that died just now will be reported, and fail the run, in its turn
        except Exception as error:
            # Nothing was sent: pickling is the user's objects' own code.
            words = f"the param cannot be handed to a child process: {describe(error)}"
            self._finish(child, failure(words, child.started), None)

    def _spawn(self) -> _Child:
        ours, theirs = socket.socketpair()
        pipes = Pipes(self._events)
        try:
            pid = self._zygote.spawn(theirs.fileno(), self._output.null, pipes.out.end, pipes.err.end)
        except OSError as error:
            ours.close()
            pipes.close()
            raise CallbackError(f"no child process can be started: {error.strerror or error}") from error
        finally:
            theirs.close()
        child = _Child(pid, ours, pipes)
        self._by_pid[pid] = child
        self._events.watch_last(ours.fileno(), lambda: self._answer(child))
        return child

    def _inherited(self, fd: int) -> Callable[[bytes], None] | None:
        return self._output.stdout.feed if fd == self._output.out_fd else None

    def _answer(self, child: _Child) -> None:
        try:
            data = child.channel.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._events.forget(child.channel.fileno())
            return
        for outcome, verdict in child.inbox.feed(data):
            if isinstance(outcome, str):
                outcome = unusable(CallbackError(outcome), child.started)
            self._finish(child, outcome, verdict)

    def _finish(self, child: _Child, outcome: Outcome, verdict: str | None) -> None:
        task, streams = child.task, child.streams
        if task is None or streams is None:
            return
        if child.termed:
            # It was told to go: neither may what left its group stay.
            kill_run(task)
        child.pipes.drain()
        streams.end()
        child.task = child.streams = None
        del self._busy[task.seq]
        self._deadlines.drop(task.seq)
        if child.termed:
            # It answered while it was being ended; it must not live on beside its successor.
            self._send(child, signal.SIGKILL)
        elif child.pid in self._by_pid:
            self._idle.append(child)
        outcome = self._complete(child, outcome, streams)
        finish = partial(self._on_finished, Finished(task, outcome, verdict))
        if child.termed or child.pid not in self._by_pid or outcome.stop:
            self._removal.run(task, finish)
        else:
            finish()

    def _complete(self, child: _Child, outcome: Outcome, streams: Streams) -> Outcome:
        """Add to an outcome what was captured, and how it was ended from here."""
        out, err = streams.stdout, streams.stderr
        lost = self._output.lost()
        if lost is not None:
            words = f"stdout takes no output any more: {lost.strerror}"
            return outcome._replace(kind=OutcomeKind.PREEMPTED, reason=words, stop=True)
        if child.ending is not None:
            kind, reason = ended_from_here(child.ending, self._timeout)
            outcome = outcome._replace(kind=kind, reason=reason)
        return outcome._replace(
            stdout=out.head if out else None,
            stdout_bytes=out.size if out else None,
            stderr=err.head,
            stderr_bytes=err.size,
            stderr_tail="" if outcome.kind is OutcomeKind.SUCCEEDED else err.tail or outcome.stderr_tail,
        )

    def _ended(self) -> None:
        """Hear from the zygote which children have ended."""
        try:
            ends = self._zygote.ends()
        except OSError as error:
            self._abandon(str(error))
            return
        for pid, status in ends:
            child = self._by_pid.pop(pid, None)
            if child is None:
                continue
            if child in self._idle:
                self._idle.remove(child)
            try:
                # What it had answered before it died counts.
                self._answer(child)
                if child.task is not None:
                    self._finish(child, self._died(child, status), None)
            finally:
                self._drop(child)

    def _abandon(self, why: str) -> None:
        """End all children: nobody would tell how they end. What they run is not to blame."""
        self._events.forget(self._zygote.fileno())
        for child in list(self._by_pid.values()):
            self._send(child, signal.SIGKILL)
            del self._by_pid[child.pid]
            if child.task is not None:
                self._finish(child, unusable(CallbackError(why), child.started), None)
            self._drop(child)
        self._idle.clear()

    def _drop(self, child: _Child) -> None:
        self._events.forget(child.channel.fileno())
        child.channel.close()
        child.pipes.close()

    def end(self, seq: int, why: Ending) -> None:
        """Send TERM to the child of a run, and KILL when the grace is over."""
        child = self._busy.get(seq)
        if child is None:
            return
        child.ending = child.ending or why
        if not child.termed:
            child.termed = True
            self._send(child, signal.SIGTERM)
            self._deadlines.set(seq, time.monotonic() + self._grace)

    def kill(self) -> None:
        """Send KILL to all children that run something."""
        for child in list(self._busy.values()):
            child.ending = child.ending or Ending.PREEMPTED
            child.termed = True
            self._send(child, signal.SIGKILL)

    def glimpse(self, seq: int) -> Glimpse:
        """Look at a run."""
        child = self._busy.get(seq)
        streams = child.streams if child is not None else None
        return Glimpse() if child is None or streams is None else Glimpse(child.pid, *streams.live())

    def tick(self, now: float) -> float | None:
        """Send TERM where the time is out, KILL where the grace is over; see ends that nothing else would show."""
        if self._zygote.knows_of_ends:
            self._ended()
        for seq in self._deadlines.pop(now):
            child = self._busy.get(seq)
            if child is not None and child.termed:
                self._send(child, signal.SIGKILL)
            else:
                self.end(seq, Ending.TIMED_OUT)
        return earliest(self._deadlines.next, self._removal.tick(now))

    @staticmethod
    def _send(child: _Child, number: int) -> None:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, number)

    def _died(self, child: _Child, status: int) -> Outcome:
        """Make the outcome of a run whose process ended under it."""
        exit_code = os.waitstatus_to_exitcode(status)
        code, number = (exit_code, None) if exit_code >= 0 else (None, -exit_code)
        told = self._meaning(code, number)
        words = (
            told.reason
            if told
            else f"the function's process ended: {verdict_of_exit(code, number)[1] or 'exit code 0'}"
        )
        fault = told is not None and told.fault
        return Outcome(
            OutcomeKind.COULD_NOT_START if fault else OutcomeKind.FAILED, child.started, time.time(), exit_code=code,
            signal=number, reason=words, pid=child.pid, stop=fault,
        )  # fmt: skip

    def close(self) -> None:
        """End all children."""
        self._events.forget(self._zygote.fileno())
        for child in self._by_pid.values():
            self._drop(child)
        self._by_pid.clear()
        self._zygote.close()
