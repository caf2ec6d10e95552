"""The settlement table, row by row, through a real minion."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from minionize.callback import Command
from minionize.cli.command import CommandLine
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.errors import CallbackError
from minionize.task import OutcomeKind, Param, Task
from tests.worker.running import run, shell, words


def test_exit_0_is_acked() -> None:
    ran = run(words("true"))
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))
    assert ran.counters == {"received": 1, "succeeded": 1}
    assert (ran.record.outcome.kind, ran.record.settled, ran.record.outcome.exit_code) == ("succeeded", "ack", 0)


def test_exit_1_is_dead_lettered_with_evidence() -> None:
    ran = run(shell("echo broken >&2; exit 1"))
    assert (ran.code, ran.left) == (1, (0, 1, 0, 0))
    assert ran.counters == {"received": 1, "failed": 1, "dead": 1}
    (letter,) = ran.queue.dead()
    assert letter.param == "p"
    assert letter.reason == "exit code 1"
    assert letter.evidence["exit_code"] == 1
    assert letter.evidence["signal"] is None
    assert letter.evidence["stderr"] == "broken\n"
    assert letter.evidence["argv"][:2] == ["/bin/sh", "-c"]
    assert letter.evidence["attempt"] == 1
    assert letter.evidence["minion"] == ran.minion.id
    assert letter.evidence["host"] == os.uname().nodename
    assert letter.evidence["started"] <= letter.evidence["ended"]


def test_a_signal_is_a_failure_and_named() -> None:
    ran = run(shell("kill -SEGV $$"))
    assert ran.code == 1
    outcome = ran.record.outcome
    assert (outcome.kind, outcome.exit_code, outcome.signal) == (OutcomeKind.FAILED, None, signal.SIGSEGV)
    assert ran.queue.dead()[0].reason == "killed by SIGSEGV"


def test_retries_then_success(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    ran = run(shell(f'[ "$MINION_ATTEMPT" = 3 ] || exit 9; echo > {flag}'), retries=2, retry_delay=0.0)
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))
    assert [r.task.attempt for r in ran.records] == [1, 2, 3]
    assert [r.settled for r in ran.records] == ["nack", "nack", "ack"]
    assert ran.counters == {"received": 3, "failed": 2, "retried": 2, "succeeded": 1, "redelivered": 2}
    assert flag.exists()


def test_retries_then_dead() -> None:
    ran = run(words("false"), retries=2, retry_delay=0.0)
    assert (ran.code, ran.left) == (1, (0, 1, 0, 0))
    assert ran.counters == {"received": 3, "failed": 3, "retried": 2, "redelivered": 2, "dead": 1}
    assert ran.queue.dead()[0].reason == "exit code 1 (attempt 3 of 3)"


def test_a_retry_waits() -> None:
    ran = run(words("false"), retries=1, retry_delay=0.05)
    first, second = ran.records
    assert second.outcome.started - first.outcome.ended >= 0.02


def test_exit_75_asks_for_a_retry_and_is_dead_without_any() -> None:
    assert run(shell("exit 75")).left == (0, 1, 0, 0)
    ran = run(shell('[ "$MINION_ATTEMPT" = 2 ] || exit 75'), retries=1, retry_delay=0.0)
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))


def test_exit_dead_wins_over_retries() -> None:
    ran = run(shell("exit 3"), retries=5, exit_dead="3")
    assert ran.left == (0, 1, 0, 0)
    assert len(ran.records) == 1


def test_exit_retry_of_one_that_cannot_start() -> None:
    ran = run(shell('[ "$MINION_ATTEMPT" = 2 ] || exit 127'), retries=1, retry_delay=0.0, exit_retry="127")
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))
    assert ran.counters["failed"] == 1


def test_exit_stop_gives_the_param_back_and_stops() -> None:
    ran = run(shell("[ $1 = 2 ] && exit 42; :"), [1, 2, 3], exit_stop="42")
    assert ran.code == 4
    assert ran.left == (1, 0, 2, 0)
    assert [r.settled for r in ran.records] == ["ack", "nack"]


@pytest.mark.parametrize("code", [126, 127])
def test_cannot_start_gives_back_uncharged_and_stops(code: int, capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(shell(f"exit {code}"), ["a", "b"], retries=3)
    assert (ran.code, ran.left) == (4, (0, 0, 2, 0))
    assert ran.counters == {"received": 1, "could_not_start": 1}
    assert f"exit code {code}" in capfd.readouterr().err
    again = ran.minion.engine
    again.open()
    assert sorted((d.param, d.attempt) for d in again.receive(5, 0.0)) == [("a", 1), ("b", 1)]


class Gone(CommandLine):
    """A program that could be run when the minion began, and cannot now."""

    def check(self, environ: Mapping[str, str]) -> None:
        pass


def test_a_program_that_is_not_there_takes_no_param() -> None:
    queue = MemoryQueue(["a"])
    with pytest.raises(CallbackError, match="no-such-program-here"):
        run(words("no-such-program-here"), engine=MemoryEngine(queue))
    assert queue.backlog().ready == 1


def test_a_program_that_is_gone_stops_the_minion(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(Gone(("no-such-program-here",)), ["a", "b"])
    assert (ran.code, ran.left) == (4, (0, 0, 2, 0))
    assert ran.record.outcome.exit_code == 127
    assert "no-such-program-here: no such program" in capfd.readouterr().err


def test_a_program_that_is_not_executable_stops_the_minion(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    ran = run(Gone((str(program),)))
    assert (ran.code, ran.left, ran.record.outcome.exit_code) == (4, (0, 0, 1, 0), 126)


def test_an_interpreter_that_is_not_there_stops_the_minion(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(stat.S_IRWXU)
    ran = run(words(str(program)))
    assert (ran.code, ran.left) == (4, (0, 0, 1, 0))


def test_a_program_made_of_the_param_is_the_params_fault() -> None:
    ran = run(words("{}"), ["no-such-program-here", "true"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))


def test_a_program_made_of_the_param_that_finds_nothing_to_run_is_the_params_fault(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nno-such-program-here\n")
    program.chmod(stat.S_IRWXU)
    ran = run(words("{}"), [str(program), "true"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    (letter,) = ran.queue.dead()
    assert "exit code 127" in letter.reason


class Inside(CommandLine):
    """Has another program run what the param says, as a container engine's client does."""

    def command(self, param: Param, task: Task) -> Command:
        return Command(("/bin/sh", "-c", str(param)), inner_is_param=True)


def test_what_another_program_was_to_run_for_the_param_too() -> None:
    ran = run(Inside(("sh",)), ["no-such-program-here", "true"])
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))


def test_a_script_without_interpreter_line_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program"
    program.write_text('echo "got $1"\n')
    program.chmod(stat.S_IRWXU)
    assert run(words(str(program))).code == 0
    assert capfd.readouterr().out == "got p\n"


def test_time_out_ends_a_program_that_ignores_term() -> None:
    ran = run(shell("trap '' TERM; while :; do sleep 10; done"), timeout=1.0, grace=0.05)
    assert (ran.code, ran.left) == (1, (0, 1, 0, 0))
    outcome = ran.record.outcome
    assert (outcome.kind, outcome.signal) == (OutcomeKind.TIMED_OUT, signal.SIGKILL)
    assert 1.05 <= outcome.duration < 30.0
    assert ran.counters == {"received": 1, "timed_out": 1, "dead": 1}
    assert "longer than 1 s" in ran.queue.dead()[0].reason


def test_time_out_is_a_failure_even_where_the_program_ends_well_at_term() -> None:
    ran = run(shell("trap 'exit 0' TERM; sleep 10 & wait"), timeout=0.1, retries=1, retry_delay=0.0)
    assert [r.outcome.kind for r in ran.records] == [OutcomeKind.TIMED_OUT] * 2
    assert ran.counters == {"received": 2, "timed_out": 2, "retried": 1, "redelivered": 1, "dead": 1}


def test_a_time_out_starts_anew_for_each_run() -> None:
    ran = run(shell("sleep 0.5"), range(4), timeout=1.6)
    assert ran.left == (4, 0, 0, 0)
