"""Functions, here (one slot) and in child processes (several): the same rules for both."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from collections.abc import Callable as Function
from typing import Any

import pytest

from minionize.callback import Callback, Context
from minionize.callbacks.function import FuncCallback
from minionize.callbacks.process import ProcessCallback
from minionize.errors import CallbackError
from minionize.task import OutcomeKind, Param, Task
from minionize.worker.calling import announce
from minionize.worker.runner import ANNOUNCED
from tests.worker.running import ENVIRON, run

both = pytest.mark.parametrize("slots", [1, 2], ids=["here", "in children"])


def _call(function: Function[..., Any], params: Any, slots: int, **settings: Any) -> Any:
    return run(FuncCallback(function), params, slots=slots, slow_down=0, **settings)


@both
def test_the_result_is_in_the_record(slots: int) -> None:
    ran = _call(lambda n: {"twice": 2 * n}, [4], slots)
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))
    assert ran.record.outcome.result == {"twice": 8}
    assert (ran.record.outcome.pid == os.getpid()) is (slots == 1)
    assert ran.record.outcome.argv is None


@both
@pytest.mark.parametrize(
    ("value", "result"),
    [
        ((1, 2), [1, 2]),
        ({1, 2}, [1, 2]),
        (b"x", "x"),
        ({1: 2}, {"1": 2}),
        (1.5, 1.5),
        (None, None),
        (float("nan"), "nan"),
    ],
    ids=repr,
)
def test_a_result_that_is_no_json_value_becomes_one(value: Any, result: Any, slots: int) -> None:
    assert _call(lambda _: value, [0], slots).record.outcome.result == result


async def _asynchronous(param: Param) -> Param:
    return param


def _generator(param: Param) -> Iterator[Param]:
    yield param


async def _both(param: Param) -> AsyncIterator[Param]:
    yield param


@both
@pytest.mark.parametrize(
    ("function", "remedy"), [(_asynchronous, "asyncio.run"), (_generator, "list"), (_both, "list")]
)
def test_a_function_that_has_not_run_yet_is_not_taken_for_done(
    function: Function[..., Any], remedy: str, slots: int, capfd: pytest.CaptureFixture[str]
) -> None:
    ran = _call(function, [0], slots)
    assert (ran.code, ran.left) == (4, (0, 0, 1, 0))
    assert remedy in capfd.readouterr().err


@both
def test_an_object_as_result_becomes_text(slots: int) -> None:
    result = _call(lambda _: {"x": object}, [0], slots).record.outcome.result
    assert result == {"x": "<class 'object'>"}


@both
def test_a_huge_result_and_a_huge_param(slots: int) -> None:
    ran = _call(lambda text: text * 2, ["x" * 5_000_000], slots)
    assert ran.code == 0
    assert len(ran.record.outcome.result) == 10_000_000


@both
def test_an_exception_fails_its_param(slots: int) -> None:
    ran = _call(lambda n: 1 / n, [0, 1], slots)
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    (letter,) = ran.queue.dead()
    assert letter.reason == "ZeroDivisionError: division by zero"
    assert "1 / n" in letter.evidence["stderr"]


@both
def test_retries(slots: int) -> None:
    class Third(Callback):
        def process(self, param: Param, context: Context) -> Any:
            assert context.task.attempt == 3
            return os.environ["MINION_ATTEMPT"]

    ran = run(Third(), ["p"], slots=slots, retries=2, retry_delay=0.0)
    assert [r.settled for r in ran.records] == ["nack", "nack", "ack"]
    assert ran.records[-1].outcome.result == "3"


@both
@pytest.mark.parametrize(("code", "left"), [(0, 1), (None, 1), (3, 0), ("words", 0)])
def test_sys_exit_is_an_exit_code(code: Any, left: int, slots: int) -> None:
    ran = _call(lambda _: sys.exit(code), [1], slots)
    assert ran.left == (left, 1 - left, 0, 0)
    if code == 3:
        assert ran.record.outcome.exit_code == 3


@both
def test_sys_exit_75_asks_for_a_retry(slots: int) -> None:
    ran = _call(lambda _: os.environ["MINION_ATTEMPT"] == "2" or sys.exit(75), [1], slots, retries=1, retry_delay=0.0)
    assert ran.left == (1, 0, 0, 0)


@both
def test_a_callback_error_stops_the_minion(slots: int, capfd: pytest.CaptureFixture[str]) -> None:
    def need(_: Param) -> None:
        raise CallbackError("no GPU here")

    ran = _call(need, [1, 2, 3], slots)
    assert (ran.code, ran.left) == (4, (0, 0, 3, 0))
    assert "no GPU here" in capfd.readouterr().err


@both
def test_what_is_printed_comes_in_order(slots: int, capfd: pytest.CaptureFixture[str]) -> None:
    def talk(n: int) -> None:
        print("begin", n)
        os.system(f"echo from a shell {n}")
        print("end", n, flush=n == 0)

    assert _call(talk, range(3), slots).code == 0
    lines = capfd.readouterr().out.splitlines()
    for n in range(3):
        assert [line for line in lines if line.endswith(f" {n}")].index(f"end {n}") >= 1
    if slots > 1:
        assert len(lines) == 9
        assert all(len({line[-1] for line in lines[i : i + 3]}) == 1 for i in (0, 3, 6)), "not interleaved"


@both
def test_variables(slots: int) -> None:
    names = ("MINION_ID", "MINION_ATTEMPT", "MINION_SLOT", "MINE", "MINION_PARAM")
    outer = {**ENVIRON, "MINE": "1", "MINION_PARAM": "of a minion around this one", "MINION_PARAM_ID": "7"}
    ran = _call(lambda _: [os.environ.get(name) for name in names], ["x"], slots, environ=outer)
    assert ran.record.outcome.result == [ran.minion.id, "1", "1", "1", None]


def test_announcing_takes_no_memory() -> None:
    """The C library keeps each value that a variable ever had."""

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def many(count: int) -> None:
        for n in range(count):
            announce(Task(f"{n}" * 400, f"id {n}", 1, False, 1 + n % 8, n, "m"))

    before = {name: os.environ.get(name) for name in ANNOUNCED}
    many(1000)
    size = resident()
    many(20_000)
    assert resident() - size < 4_000_000
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@both
def test_setup_process_teardown(slots: int, capfd: pytest.CaptureFixture[str]) -> None:
    class Told(Callback):
        def setup(self, param: Param, context: Context) -> None:
            os.write(2, f"setup {param}\n".encode())
            if param == "bad setup":
                raise RuntimeError("in setup")

        def process(self, param: Param, context: Context) -> None:
            os.write(2, f"process {param}\n".encode())
            if param == "bad process":
                raise RuntimeError("in process")

        def teardown(self, param: Param, context: Context, exception: BaseException | None) -> None:
            os.write(2, f"teardown {param}: {exception}\n".encode())
            if param == "bad teardown":
                raise RuntimeError("in teardown")

    ran = run(Told(), ["good", "bad setup", "bad process", "bad teardown"], slots=slots)
    assert (ran.code, ran.left) == (1, (1, 3, 0, 0))
    err = capfd.readouterr().err
    assert "process bad setup" not in err
    for line in (
        "teardown good: None",
        "teardown bad setup: in setup",
        "teardown bad process: in process",
        "teardown bad teardown: None",
    ):
        assert line in err
    reasons = {letter.param: letter.reason for letter in ran.queue.dead()}
    assert reasons["bad teardown"] == "RuntimeError: in teardown"


class Old(Callback):
    """As one wrote it for 0.3.4: the second argument is the engine, and the callback acks."""

    def setup(self, param: Param, engine: Context) -> None:
        pass

    def process(self, param: Param, engine: Context) -> None:
        if self.dry_mode():
            return
        if param == "ack in spite of all":
            engine.ack(param)
            raise RuntimeError
        if param == "nack" and engine.task.attempt == 1:
            engine.nack(param)

    def teardown(self, param: Param, engine: Context, exception: BaseException | None) -> None:
        if exception is None and param == "good":
            engine.ack(param)


@both
def test_a_callback_that_settles_itself(slots: int) -> None:
    ran = run(Old(), ["good", "ack in spite of all", "nack"], slots=slots, retry_delay=0.0)
    assert (ran.code, ran.left) == (0, (3, 0, 0, 0))
    assert sorted((r.task.param, r.settled) for r in ran.records) == [
        ("ack in spite of all", "ack"),
        ("good", "ack"),
        ("nack", "ack"),
        ("nack", "nack"),
    ]


@both
def test_process_of_a_process_callback_called_through_super(slots: int, capfd: pytest.CaptureFixture[str]) -> None:
    class Around(ProcessCallback):
        def to_cmd(self, param: Param) -> list[str]:
            return ["sh", "-c", f"echo run {param}; exit {param}"]

        def process(self, param: Param, context: Context) -> Any:
            super().process(param, context)
            return "after"

    ran = run(Around(), [0, 3], slots=slots)
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    assert {r.task.param: r.outcome.result for r in ran.records} == {0: "after", 3: None}
    assert sorted(capfd.readouterr().out.splitlines()) == ["run 0", "run 3"]


@both
def test_keyboard_interrupt_of_the_function(slots: int) -> None:
    """Here it is the user's wish to stop (a notebook); in a child nobody but the function can have raised it."""

    def interrupt(_: Param) -> None:
        raise KeyboardInterrupt

    ran = _call(interrupt, [1, 2], slots)
    if slots == 1:
        assert (ran.code, ran.left) == (130, (0, 0, 2, 0))
        assert ran.record.outcome.kind is OutcomeKind.PREEMPTED
    else:
        assert (ran.code, ran.left) == (1, (0, 2, 0, 0))
        assert ran.records[0].outcome.reason == "KeyboardInterrupt"


@both
def test_a_pipe_that_nobody_reads_is_an_exception(slots: int) -> None:
    """As in any Python program: it must not end the process."""

    def write(_: Param) -> None:
        ours, theirs = os.pipe()
        os.close(ours)
        try:
            os.write(theirs, b"x")
        finally:
            os.close(theirs)

    ran = _call(write, [1], slots)
    assert ran.record.outcome.reason == "BrokenPipeError: [Errno 32] Broken pipe"


@both
def test_what_the_function_does_to_stdout_is_its_own_business(slots: int) -> None:
    def close(n: int) -> int:
        sys.stdout.close()
        return n

    saved = sys.stdout
    try:
        with open(os.devnull, "w") as sys.stdout:
            ran = _call(close, [1, 2, 3], slots)
    finally:
        sys.stdout = saved
    assert (ran.code, ran.left) == (0, (3, 0, 0, 0))


def test_one_slot_with_a_time_out_runs_in_a_child() -> None:
    ran = _call(lambda _: time.sleep(60), [1], 1, timeout=0.1, grace=0.1)
    assert ran.record.outcome.kind is OutcomeKind.TIMED_OUT
    assert ran.record.outcome.pid != os.getpid()
