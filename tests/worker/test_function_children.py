"""Functions in child processes: what breaks there fails one param only."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable as Function
from pathlib import Path
from typing import Any

import pytest

from minionize.callbacks.function import FuncCallback
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.task import OutcomeKind, Param
from tests.worker.command import alive
from tests.worker.running import make, run, running, until


def _crash(_: Param) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    ctypes.string_at(0)


def _exit(_: Param) -> None:
    os._exit(7)


def _leave(_: Param) -> None:
    os._exit(0)


def _kill(_: Param) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hog(_: Param) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
    return len(bytearray(1 << 30))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_crash, "the function's process ended: killed by SIGSEGV"),
        (_exit, "the function's process ended: exit code 7"),
        (_leave, "the function's process ended: exit code 0"),
        (_kill, "the function's process ended: killed by SIGKILL"),
        (_hog, "MemoryError"),
    ],
)
def test_a_child_that_dies_fails_its_param_only(function: Function[[Param], Any], reason: str) -> None:
    def work(n: int) -> int:
        if n == 3:
            function(n)
        return n

    ran = run(FuncCallback(work), range(8), slots=2)
    assert (ran.code, ran.left) == (1, (7, 1, 0, 0))
    (letter,) = ran.queue.dead()
    assert (letter.param, letter.reason) == (3, reason)
    assert sorted(r.outcome.result for r in ran.records if r.settled == "ack") == [0, 1, 2, 4, 5, 6, 7]


def test_what_it_said_before_it_died_is_evidence(capfd: pytest.CaptureFixture[str]) -> None:
    def work(_: Param) -> None:
        print("last words", flush=True)
        print("last errors", file=sys.stderr)
        os._exit(9)

    ran = run(FuncCallback(work), [1], slots=2)
    assert ran.record.outcome.stdout == "last words\n"
    assert ran.queue.dead()[0].evidence["stderr"] == "last errors\n"
    assert (ran.record.outcome.exit_code, ran.record.outcome.signal) == (9, None)
    assert capfd.readouterr().out == "last words\n"


def test_a_param_that_cannot_be_handed_over_fails() -> None:
    ran = run(FuncCallback(lambda p: None), [lambda: None, "fine"], slots=2)
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    assert "cannot be handed to a child process" in ran.queue.dead()[0].reason


def test_children_are_kept_for_the_next_param() -> None:
    ran = run(FuncCallback(lambda _: os.getpid()), range(50), slots=3)
    assert len({r.outcome.result for r in ran.records}) <= 3


def test_a_time_out_ends_a_function_and_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def work(n: int) -> None:
        if n == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            sleeper = subprocess.Popen(["sleep", "60"], start_new_session=True)
            pids.write_text(f"{os.getpid()} {sleeper.pid}")
            time.sleep(60)

    ran = run(FuncCallback(work), range(4), slots=2, timeout=2.5, grace=0.1)
    assert ran.left == (3, 1, 0, 0)
    assert ran.counters["timed_out"] == 1
    until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_a_stop_gives_back_what_runs(tmp_path: Path) -> None:
    queue = MemoryQueue(range(4))
    flag = tmp_path / "flag"

    def work(_: int) -> None:
        flag.touch()
        time.sleep(60)

    minion, kept = make(FuncCallback(work), MemoryEngine(queue), slots=2)
    with running(minion) as ends:
        until(flag.exists)
        assert minion.loop is not None
        minion.loop.stop(15)
        until(lambda: ends)
    assert ends == [143]
    assert {record.outcome.kind for record in kept.records} == {OutcomeKind.PREEMPTED}
    backlog = queue.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead) == (4, 0, 0)


def test_the_end_of_the_forking_process_is_not_the_params_fault(tmp_path: Path) -> None:
    queue = MemoryQueue(range(10))
    flag = tmp_path / "flag"

    def work(_: int) -> None:
        draft = tmp_path / str(os.getpid())
        draft.write_text(str(os.getppid()))
        draft.rename(flag)  # in one step: both write it
        time.sleep(60)

    minion, _ = make(FuncCallback(work), MemoryEngine(queue), slots=2)
    with running(minion) as ends:
        until(flag.exists)
        os.kill(int(flag.read_text()), signal.SIGKILL)
        until(lambda: ends)
    assert ends == [4]
    backlog = queue.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead) == (10, 0, 0)


def test_descriptors_of_a_child() -> None:
    """Its standard streams and its channel; programs that it starts do not even get that."""

    def work(_: Param) -> list[str]:
        os.system("ls /proc/self/fd >&2")
        return sorted(os.readlink(f"/proc/self/fd/{fd}").partition(":")[0] for fd in (0, 1, 2))

    inherited = {fd for fd in range(3, 1024) if _inheritable(fd)}
    ran = run(FuncCallback(work), [1], slots=2)
    assert ran.record.outcome.result == ["/dev/null", "pipe", "pipe"]
    assert ran.record.outcome.stderr is not None
    seen = {int(fd) for fd in ran.record.outcome.stderr.split()}
    # One more is that of ls itself.
    assert len(seen - {0, 1, 2} - inherited) == 1


def _inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def test_what_a_function_leaves_running_in_its_group_ends_with_the_minion(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def work(_: Param) -> None:
        pid.write_text(str(subprocess.Popen(["sleep", "60"]).pid))

    assert run(FuncCallback(work), [1], slots=2).code == 0
    until(lambda: not alive(int(pid.read_text())))
