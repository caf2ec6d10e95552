"""Params that cannot be run: dead-lettered one by one, and the minion goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from minionize.callback import Command, Context
from minionize.callbacks.process import ProcessCallback
from minionize.engine import Undecodable
from minionize.errors import CallbackError
from minionize.task import Param, Task
from tests.worker.running import run, shell, words


def test_too_long_for_a_command_line() -> None:
    ran = run(words("true"), ["x" * 3_000_000, "y"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    assert ran.queue.dead()[0].reason == "the param has 3000000 bytes, an argument at most 131071; use --stdin"


def test_too_long_where_only_the_kernel_sees_it() -> None:
    class Long(ProcessCallback):
        def to_cmd(self, param: Param) -> Sequence[str]:
            return ["true", param * 1_000_000]

    ran = run(Long(), ["x", ""])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    assert ran.queue.dead()[0].reason == "the param is too long for a command line; use --stdin"


def test_too_long_is_fed_by_stdin() -> None:
    ran = run(words("sh", "-c", "[ $(wc -c) = 3000000 ]", stdin=True), ["x" * 3_000_000])
    assert ran.code == 0


def test_a_nul_byte() -> None:
    ran = run(words("true"), ["a\0b", "y"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    assert "holds a NUL" in ran.queue.dead()[0].reason


def test_a_nul_byte_by_stdin() -> None:
    assert run(words("sh", "-c", "[ $(wc -c) = 3 ]", stdin=True), ["a\0b"]).code == 0


def test_a_lone_surrogate_is_named_for_what_it_is() -> None:
    ran = run(words("true"), ["\ud800", "y"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    reason = ran.queue.dead()[0].reason
    assert "NUL" not in reason
    assert "surrogate" in reason


def test_odd_bytes_pass_unchanged(capfd: pytest.CaptureFixture[str]) -> None:
    odd = b"\xff\xfe \x1b[0m\n'\"$(x)".decode("utf-8", "surrogateescape")
    ran = run(shell('printf %s "$1" | od -An -tx1 | tr -d " \\n"; [ "$1" = "$MINION_PARAM" ]'), [odd])
    assert ran.code == 0
    assert bytes.fromhex(capfd.readouterr().out) == odd.encode("utf-8", "surrogateescape")


def test_undecodable_params_are_dead_lettered_without_a_run() -> None:
    ran = run(words("true"), [Undecodable("{bad", "line 1 is not JSON"), "good"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    bad, good = ran.records
    assert (bad.task.param, bad.task.slot, bad.settled) == ("{bad", 0, "dead")
    assert bad.outcome.reason == "cannot be decoded: line 1 is not JSON"
    assert good.settled == "ack"


class _Raising(ProcessCallback):
    def __init__(self, where: str, error: BaseException) -> None:
        self.where, self.error = where, error
        self.seen: list[tuple[str, Param, object]] = []

    def _maybe(self, where: str, param: Param) -> None:
        if self.where == where and param == "bad":
            raise self.error

    def setup(self, param: Param, context: Context) -> None:
        self.seen.append(("setup", param, None))
        self._maybe("setup", param)

    def to_cmd(self, param: Param) -> Sequence[str]:
        self._maybe("to_cmd", param)
        return ["true"]

    def teardown(self, param: Param, context: Context, exception: BaseException | None) -> None:
        self.seen.append(("teardown", param, exception))
        self._maybe("teardown", param)


@pytest.mark.parametrize("where", ["setup", "to_cmd", "teardown"])
@pytest.mark.parametrize("error", [RuntimeError("oh no"), SystemExit(3)], ids=["error", "exit"])
def test_what_the_callback_raises_fails_that_param_only(where: str, error: BaseException) -> None:
    callback = _Raising(where, error)
    ran = run(callback, ["good", "bad", "fine"])
    assert (ran.code, ran.left) == (1, (2, 1, 0, 0))
    (letter,) = ran.queue.dead()
    assert letter.param == "bad"
    assert type(error).__name__ in letter.reason
    assert where == "to_cmd" or letter.reason.startswith(where)
    torn = [(param, known is None) for kind, param, known in callback.seen if kind == "teardown"]
    assert torn == [("good", True), ("bad", where == "teardown"), ("fine", True)]


@pytest.mark.parametrize("where", ["setup", "to_cmd", "teardown"])
def test_a_callback_error_stops_the_minion(where: str, capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(_Raising(where, CallbackError("the licence server is down")), ["good", "bad", "fine"])
    assert (ran.code, ran.left) == (4, (1, 0, 2, 0))
    assert "the licence server is down" in capfd.readouterr().err


class _Odd(ProcessCallback):
    def __init__(self, argv: Any) -> None:
        self.argv = argv

    def command(self, param: Param, task: Task) -> Command:
        return Command(self.argv if param == "bad" else ("true",))


@pytest.mark.parametrize("argv", [(), (b"true",), (1, 2), ("true", None), ("",)], ids=str)
def test_a_command_that_is_none_fails_its_param(argv: Any) -> None:
    ran = run(_Odd(argv), ["good", "bad", "fine"])
    assert ran.minion.stats.snapshot()["in_flight"] == 0
    assert ran.left[0] >= 1
    assert ran.left[3] == 0
