"""Runs each param as a child process: no thread per slot, nothing per slot."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial

from minionize.callback import LONGEST_VARIABLE, Callback, Command, Context
from minionize.child import Child, Exit, find_program
from minionize.console import printable
from minionize.errors import CallbackError
from minionize.events import Events
from minionize.settle import CANNOT_START
from minionize.task import Outcome, OutcomeKind, Task, param_text
from minionize.worker.output import Output, Streams
from minionize.worker.pipes import Pipes
from minionize.worker.removal import Removal
from minionize.worker.runner import (
    ANNOUNCED,
    USERS,
    Deadlines,
    Ending,
    Finished,
    Glimpse,
    Hooks,
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
from minionize.worker.waiters import Waiters

# The kernel, not the program: trying with another param would end the same way.
_HERE = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSYS)


class _Run:
    __slots__ = ("argv", "child", "context", "ending", "of_param", "streams", "task", "termed")

    def __init__(self, task: Task, context: Context, command: Command, streams: Streams) -> None:
        self.task, self.context, self.argv, self.streams = task, context, command.argv, streams
        self.of_param = command.program_is_param or command.inner_is_param
        self.child: Child | None = None
        self.ending: Ending | None = None
        self.termed = False


class ProcessRunner(Runner):
    """Starts the callback's command for each task and turns its exit into an outcome."""

    def __init__(
        self,
        callback: Callback,
        events: Events,
        output: Output,
        environ: Mapping[str, str],
        on_finished: OnFinished,
        timeout: float | None = None,
        grace: float = 10.0,
        waiters: Waiters | None = None,
    ) -> None:
        """Make it ready.

        Args:
            callback: Tells the command.
            events: Where children are watched.
            output: Where their output goes.
            environ: The children's environment, but for what differs from param to param, and for what code of
                users has in ``os.environ`` by then.
            on_finished: Called for each run that has ended.
            timeout: Seconds a run may take; None: any time.
            grace: Seconds from TERM to KILL.
            waiters: Threads that wait for children; None: they are watched among the events.
        """
        self._waiters = waiters
        self._callback, self._events, self._output = callback, events, output
        self._on_finished, self._timeout, self._grace = on_finished, timeout, grace
        # A minion may run in another minion's run: what that run was told is not for ours.
        own = {name: value for name, value in environ.items() if name not in ANNOUNCED}
        self._env = {os.fsencode(name): os.fsencode(value) for name, value in own.items()}
        self._path = environ.get("PATH", os.defpath)
        self._programs: dict[str, str] = {}
        self._runs: dict[int, _Run] = {}
        self._pipes: dict[int, Pipes] = {}
        self._deadlines = Deadlines()
        self._hooks = Hooks(callback)
        self._removal = Removal(callback, events, output.null, environ, output.say)

    def start(self, task: Task) -> None:
        """Start the command for a task."""
        context = Context(task)
        started = time.time()
        error = self._hooks.setup(task, context) if self._hooks.has_setup else None
        if error is not None:
            self._unfit(task, context, error, f"setup: {describe(error)}", started)
            return
        try:
            command = self._callback.command(task.param, task)
        except USERS as unfit:
            words = str(unfit) if type(unfit) is ValueError else describe(unfit)
            self._unfit(task, context, unfit, words, started)
            return
        if command is None or not command.argv:
            raise CallbackError(f"{type(self._callback).__name__}.command() gave no command")
        streams = self._output.connect(printable(param_text(task.param)) if self._output.tag else "")
        run = _Run(task, context, command, streams)
        try:
            run.child = self._spawn(command, run)
        except (OSError, ValueError, TypeError) as refused:
            cause = refused
            self._finish(task, context, self._no_start(cause, command, started), cause)
            return
        self._runs[task.seq] = run
        if self._timeout is not None:
            self._deadlines.set(task.seq, time.monotonic() + self._timeout)

    def _unfit(self, task: Task, context: Context, error: BaseException, words: str, started: float) -> None:
        """Fail a param of which the callback could make no command."""
        if isinstance(error, CallbackError):
            raise error
        self._finish(task, context, failure(words, started), error)

    def _spawn(self, command: Command, run: _Run) -> Child:
        argv = command.argv
        path = self._programs.get(argv[0])
        if path is None:
            path = find_program(argv[0], self._path)
            self._programs = {**self._programs, argv[0]: path} if len(self._programs) < 64 else {}
        env = self._environ(command, run.task)
        stdin = self._output.null if command.stdin is None else _memory_file(command.stdin)
        out, err = self._connect(run)
        on_exit = partial(self._exited, run)
        try:
            return Child(self._watch, path, argv, env, stdin, out, err, on_exit)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                self._programs.pop(argv[0], None)
                raise
            # A script without "#!": a shell runs it itself, and so do xargs and env.
            words = ("/bin/sh", path, *argv[1:])
            return Child(self._watch, "/bin/sh", words, env, stdin, out, err, on_exit)
        finally:
            if command.stdin is not None:
                os.close(stdin)

    def _watch(self, pid: int, ended: Callable[[], None]) -> None:
        if self._waiters is None or not self._waiters.watch(pid, ended):
            self._events.watch_exit(pid, ended)

    def _connect(self, run: _Run) -> tuple[int, int]:
        """Point the slot's pipes at a run's streams; return what becomes the child's stdout and stderr."""
        slot = run.task.slot
        pipes = self._pipes.get(slot)
        if pipes is None:
            pipes = self._pipes[slot] = Pipes(self._events)
        out, err = run.streams.stdout, run.streams.stderr
        pipes.feed(None if out is None else out.feed, err.feed)
        return run.streams.inherit if out is None else pipes.out.end, pipes.err.end

    def _disconnect(self, run: _Run) -> None:
        """Feed what is left of a run's output to its streams."""
        pipes = self._pipes[run.task.slot]
        pipes.drain()
        if run.termed:
            # Something that would not end may still hold them.
            del self._pipes[run.task.slot]
            pipes.close()
        run.streams.end()

    def _environ(self, command: Command, task: Task) -> dict[bytes, bytes]:
        # One for all: what is started has its own copy when ``start`` returns.
        env = self._env
        if not self._callback.any_thread:
            # A callback in Python may have told its program something by ``os.environ``.
            env = {**os.environb, b"MINION_ID": os.fsencode(task.minion)}
        text = _encoded(param_text(task.param))
        if len(text) <= LONGEST_VARIABLE and b"\0" not in text:
            env[b"MINION_PARAM"] = text
        else:
            env.pop(b"MINION_PARAM", None)
        env[b"MINION_PARAM_ID"] = task.id.encode("utf-8", "replace")
        env[b"MINION_ATTEMPT"] = b"%d" % (task.attempt or 1)
        env[b"MINION_SLOT"] = b"%d" % task.slot
        if command.env:
            env = env.copy()
            env.update((os.fsencode(name), os.fsencode(value)) for name, value in command.env.items())
        return env

    def _no_start(self, cause: Exception, command: Command, started: float) -> Outcome:
        argv = command.argv
        if not isinstance(cause, OSError):
            return failure(_unwritable(cause), started, argv=argv)
        if cause.errno == errno.E2BIG:
            return failure("the param is too long for a command line; use --stdin", started, argv=argv)
        if command.program_is_param and cause.errno not in _HERE:
            return failure(f"{argv[0]}: {cause.strerror}", started, argv=argv)
        code = 127 if cause.errno == errno.ENOENT else 126
        reason = f"{argv[0]}: {cause.strerror}"
        return Outcome(
            OutcomeKind.COULD_NOT_START, started, time.time(), exit_code=code, reason=reason, argv=argv, stop=True
        )

    def _exited(self, run: _Run, end: Exit) -> None:
        task = run.task
        del self._runs[task.seq]
        self._deadlines.drop(task.seq)
        if run.termed:
            # It was told to go: neither may what left its group stay.
            kill_run(task, f"MINION_PARAM_ID={task.id}")
        self._disconnect(run)
        outcome = self._outcome(run, end)
        if run.termed or outcome.stop or outcome.kind is OutcomeKind.COULD_NOT_START:
            self._removal.run(task, partial(self._finish, task, run.context, outcome))
        else:
            self._finish(task, run.context, outcome)

    def _outcome(self, run: _Run, end: Exit) -> Outcome:
        child, out, err = run.child, run.streams.stdout, run.streams.stderr
        assert child is not None
        kind, reason, stop = self._judge(run, end)
        tail = "" if kind is OutcomeKind.SUCCEEDED else err.tail
        # Without the code, by which the minion would stop.
        code = None if run.of_param and end.code in CANNOT_START else end.code
        head, size = (out.head, out.size) if out is not None else (None, None)
        # By position, for it is half the price: kind, times, exit, reason and result, process, output, tail, stop.
        return Outcome(
            kind, child.started, end.ended, code, end.signal, reason, None, child.pid, run.argv,
            head, err.head, size, err.size, tail, stop,
        )  # fmt: skip

    def _judge(self, run: _Run, end: Exit) -> tuple[OutcomeKind, str | None, bool]:
        """Tell outcome, reason and whether the minion must stop."""
        lost = self._output.lost()
        if lost is not None:
            return OutcomeKind.PREEMPTED, f"stdout takes no output any more: {lost.strerror}", True
        if run.ending is not None:
            return (*ended_from_here(run.ending, self._timeout), False)
        if end.code != 0 and run.streams.inherit == self._output.out_fd and self._output.stdout.broken():
            lost = self._output.lost()
            words = f"stdout takes no output any more: {lost.strerror}" if lost else "nobody reads stdout any more"
            return OutcomeKind.PREEMPTED, words, True
        told = self._callback.meaning(end.code, end.signal) if end.code != 0 else None
        if told is not None:
            return OutcomeKind.COULD_NOT_START if told.fault else OutcomeKind.FAILED, told.reason, told.fault
        if end.code in CANNOT_START:
            words = "found nothing to run" if end.code == 127 else "found something that cannot be run"
            kind = OutcomeKind.FAILED if run.of_param else OutcomeKind.COULD_NOT_START
            return kind, f"exit code {end.code}: {run.argv[0]} {words}", False
        return (*verdict_of_exit(end.code, end.signal), False)

    def _finish(self, task: Task, context: Context, outcome: Outcome, cause: BaseException | None = None) -> None:
        if self._hooks.has_teardown:
            outcome = self._torn_down(task, context, outcome, cause)
        self._on_finished(Finished(task, outcome, context.verdict))

    def _torn_down(self, task: Task, context: Context, outcome: Outcome, cause: BaseException | None) -> Outcome:
        if cause is None and outcome.kind is not OutcomeKind.SUCCEEDED:
            from subprocess import CalledProcessError

            code = -(outcome.signal or 0) if outcome.exit_code is None else outcome.exit_code
            cause = CalledProcessError(code, outcome.argv or ())
        error = self._hooks.teardown(task, context, cause)
        if isinstance(error, CallbackError):
            return unusable(error, outcome.started, pid=outcome.pid, argv=outcome.argv)
        if error is not None and outcome.kind is OutcomeKind.SUCCEEDED:
            return failure(f"teardown: {describe(error)}", outcome.started, pid=outcome.pid, argv=outcome.argv)
        return outcome

    def end(self, seq: int, why: Ending) -> None:
        """Send TERM to a run's group, and KILL when the grace is over."""
        run = self._runs.get(seq)
        if run is None or run.child is None:
            return
        if run.ending is None or why is Ending.LEASE_LOST:
            run.ending = why
        if not run.termed:
            run.termed = True
            run.child.send(signal.SIGTERM)
            # A stopped group could not even see the TERM.
            run.child.send(signal.SIGCONT)
            self._deadlines.set(seq, time.monotonic() + self._grace)

    def kill(self) -> None:
        """Send KILL to all groups."""
        for run in list(self._runs.values()):
            if run.child is not None:
                run.ending = run.ending or Ending.PREEMPTED
                run.termed = True
                run.child.send(signal.SIGKILL)

    def glimpse(self, seq: int) -> Glimpse:
        """Look at a run."""
        run = self._runs.get(seq)
        if run is None or run.child is None:
            return Glimpse()
        return Glimpse(run.child.pid, *run.streams.live())

    def tick(self, now: float) -> float | None:
        """Send TERM where the time is out, KILL where the grace is over."""
        for seq in self._deadlines.pop(now):
            run = self._runs.get(seq)
            if run is None or run.child is None:
                continue
            if run.termed:
                run.child.send(signal.SIGKILL)
            else:
                self.end(seq, Ending.TIMED_OUT)
        return earliest(self._deadlines.next, self._removal.tick(now))

    def close(self) -> None:
        """Close the pipes, end the threads."""
        for pipes in self._pipes.values():
            pipes.close()
        self._pipes.clear()
        if self._waiters is not None:
            self._waiters.close()


def _memory_file(data: bytes) -> int:
    """Make a file in memory to read from: no pipe to feed, and no reader to wait for."""
    fd = os.memfd_create("param", os.MFD_CLOEXEC)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _unwritable(cause: Exception) -> str:
    """Say why words cannot be given to a program."""
    if isinstance(cause, UnicodeEncodeError):
        return f"the command line cannot be written as {cause.encoding} ({cause.reason}); use --stdin"
    if isinstance(cause, ValueError):
        return "the param holds a NUL byte, which no argument can; use --stdin"
    return f"this is no command line: {describe(cause)}"


def _encoded(text: str) -> bytes:
    """Make bytes of a text; lone surrogates that stand for no byte are replaced, for no environment can hold them."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
