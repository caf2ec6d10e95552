"""What runs have outside their processes is ended before their param is settled."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from minionize.callback import Callback, Command, Context, DefaultCallback, Meaning, ProgramError
from minionize.child import find_program
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.errors import CallbackError
from minionize.task import Outcome, OutcomeKind, Param, Task
from minionize.worker.guard import Guard
from tests.worker.running import make, run, running, until


class Outside(DefaultCallback):
    """Keeps a note of what is asked to be ended; by processes, or by calls."""

    def __init__(self, notes: Path, script: str = "exec sleep 60", calls: bool = False, removal: str = "") -> None:
        self.notes, self.script, self.calls = notes, script, calls
        self.remove = removal or f'echo "$1 $2" >> {notes}'

    @property
    def runs_processes(self) -> bool:
        return not self.calls

    @property
    def in_child(self) -> bool:
        return True

    def command(self, param: Param, task: Task) -> Command | None:
        return Command(("/bin/sh", "-c", self.script, "sh", str(param)))

    def process(self, param: Param, context: Context) -> Any:
        context.argv = ("client", str(param))
        if self.script == "fault":
            raise CallbackError("the engine is gone")
        if self.script == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.script.startswith("exit"):
            context.exit_code = int(self.script.split()[1])
            raise ProgramError(f"the program said {context.exit_code}")
        if self.script == "true":
            context.exit_code = 0
            return
        time.sleep(60)

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        if code == 125:
            return Meaning("the engine could not run it", True)
        return Meaning("out of memory", False) if code == 137 else None

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        return ("/bin/sh", "-c", self.remove, "sh", "all" if slot is None else "slot", str(slot))

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []


@pytest.fixture(params=[False, True], ids=["processes", "calls"])
def calls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_run_that_ends_by_itself_is_left_alone(tmp_path: Path, calls: bool) -> None:
    callback = Outside(tmp_path / "notes", "true", calls)
    ran = run(callback, ["a", "b"])
    assert (ran.code, ran.left) == (0, (2, 0, 0, 0))
    assert callback.noted() == []
    assert {record.outcome.exit_code for record in ran.records} == {0}


def test_a_run_that_says_it_could_not_start_may_have_left_something_all_the_same(tmp_path: Path) -> None:
    """So does podman where its monitor of the container was killed."""
    callback = Outside(tmp_path / "notes", "exit 127")
    ran = run(callback)
    assert (ran.record.outcome.kind, ran.record.settled) == (OutcomeKind.COULD_NOT_START, "nack")
    assert callback.noted() == ["slot 1"]


def test_a_run_whose_time_is_out_is_ended_outside_too(tmp_path: Path, calls: bool) -> None:
    callback = Outside(tmp_path / "notes", calls=calls)
    ran = run(callback, timeout=0.3)
    assert ran.record.outcome.kind is OutcomeKind.TIMED_OUT
    assert callback.noted() == ["slot 1"]


def test_its_param_is_settled_only_then(tmp_path: Path, calls: bool) -> None:
    go = tmp_path / "go"
    callback = Outside(tmp_path / "notes", calls=calls)
    callback.remove += f"; while [ ! -e {go} ]; do sleep 0.01; done"
    queue = MemoryQueue(["p"])
    minion, _ = make(callback, MemoryEngine(queue=queue), timeout=0.2)
    with running(minion) as ends:
        until(callback.noted)
        assert (queue.backlog().in_flight, queue.backlog().dead) == (1, 0)
        go.touch()
        until(lambda: queue.backlog().dead == 1)
    assert ends == [1]


def test_a_run_that_is_stopped_goes_back_after_that(tmp_path: Path, calls: bool) -> None:
    callback = Outside(tmp_path / "notes", calls=calls)
    minion, kept = make(callback, MemoryEngine(["p"]))
    with running(minion) as ends:
        until(lambda: minion.loop is not None and minion.loop.busy)
        assert minion.loop is not None
        minion.loop.stop(signal.SIGTERM)
    assert ends == [128 + signal.SIGTERM]
    assert callback.noted() == ["slot 1"]
    assert [record.settled for record in kept.records] == ["nack"]


def test_a_fault_of_the_engine_is_none_of_the_param(tmp_path: Path, calls: bool) -> None:
    callback = Outside(tmp_path / "notes", "fault" if calls else "exit 125", calls)
    ran = run(callback, ["a", "b"])
    assert ran.code == 4
    assert ran.left == (0, 0, 2, 0)
    assert ran.record.outcome.kind is OutcomeKind.COULD_NOT_START
    assert callback.noted() == ["slot 1"]


def test_words_for_an_exit_code(tmp_path: Path) -> None:
    ran = run(Outside(tmp_path / "notes", "exit 137"))
    assert (ran.record.outcome.kind, ran.record.outcome.reason) == (OutcomeKind.FAILED, "out of memory")
    assert ran.record.outcome.exit_code == 137


def test_a_call_tells_of_the_program_that_it_ran(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome: Outcome = run(Outside(tmp_path / "notes", "exit 3", True)).record.outcome
    assert (outcome.exit_code, outcome.reason, outcome.argv) == (3, "the program said 3", ("client", "p"))
    assert "Traceback" not in capfd.readouterr().err


def test_its_exit_code_asks_for_a_retry_as_that_of_any_program(tmp_path: Path) -> None:
    ran = run(Outside(tmp_path / "notes", "exit 75", True), retries=1, retry_delay=0.0)
    assert [record.settled for record in ran.records] == ["nack", "dead"]


def test_a_call_whose_process_is_killed_is_ended_outside_too(tmp_path: Path) -> None:
    callback = Outside(tmp_path / "notes", "die", True)
    assert run(callback).record.outcome.signal == signal.SIGKILL
    assert callback.noted() == ["slot 1"]


@pytest.mark.parametrize("removal", ["exit 3", "kill -9 $$"])
def test_what_cannot_be_ended_is_said(
    tmp_path: Path, calls: bool, removal: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ran = run(Outside(tmp_path / "notes", calls=calls, removal=removal), timeout=0.2)
    assert ran.record.outcome.kind is OutcomeKind.TIMED_OUT
    assert "could not be ended; its container may still run" in capfd.readouterr().err


class NoSuchProgram(Outside):
    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        return ("/nonexistent/engine", "rm")


def test_without_its_program_too(tmp_path: Path, calls: bool, capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(NoSuchProgram(tmp_path / "notes", calls=calls), timeout=0.2)
    assert ran.record.outcome.kind is OutcomeKind.TIMED_OUT
    assert "may still run" in capfd.readouterr().err


def test_the_guardian_runs_it_for_all_slots(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    callback = Outside(notes)
    environ = {"PATH": "/usr/bin:/bin", "MINION_ID": "other"}
    callback.remove += f"; echo [$MINION_ID] >> {notes}"
    dies, pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        Guard("m-1", callback.removal("m-1"), environ)
        os.write(pipe, b"x")
        os._exit(0)
    assert os.read(dies, 1) == b"x"
    os.close(dies)
    os.close(pipe)
    os.waitpid(pid, 0)
    until(lambda: callback.noted() == ["all None", "[]"])


class Unusable(Outside):
    def check(self, environ: Any) -> None:
        find_program("sh", environ["PATH"])
        raise CallbackError("no engine here")


def test_who_cannot_run_any_param_takes_none(tmp_path: Path) -> None:
    queue = MemoryQueue(["p"])
    minion, _ = make(Unusable(tmp_path / "notes"), MemoryEngine(queue=queue))
    with pytest.raises(CallbackError, match="no engine here"):
        minion.run()
    assert queue.backlog().ready == 1


def test_most_callbacks_have_nothing_to_say_here() -> None:
    class Plain(Callback):
        def process(self, param: Param, context: Context) -> None:
            pass

    plain = Plain()
    plain.check({})
    assert plain.removal("m", 1) == ()
    assert plain.meaning(137, None) is None
    assert not plain.in_child
