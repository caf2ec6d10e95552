"""What a program finds when it starts: variables, streams, descriptors, signals, its group."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from minionize.callback import Command
from minionize.callbacks.process import ProcessCallback
from minionize.task import Param, Task
from tests.worker.command import alive
from tests.worker.running import ENVIRON, Ran, run, shell, until, words


def _lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


def test_variables(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(shell("env"), ["a b"], environ={**ENVIRON, "MINE": "1", "MINION_TAG": "0"})
    found = dict(line.split("=", 1) for line in _lines(capfd))
    assert found["MINION_PARAM"] == "a b"
    assert found["MINION_PARAM_ID"] == ran.record.task.id
    assert (found["MINION_ATTEMPT"], found["MINION_SLOT"]) == ("1", "1")
    assert found["MINION_ID"] == ran.minion.id
    assert (found["MINE"], found["MINION_TAG"]) == ("1", "0")


@pytest.mark.parametrize(("param", "text"), [({"a": 1}, '{"a":1}'), ([1, "x"], '[1,"x"]'), (7, "7"), (None, "null")])
def test_a_param_that_is_no_text_is_json(param: Param, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words("sh", "-c", 'printf %s "$MINION_PARAM"', literal=True), [param]).code == 0
    assert capfd.readouterr().out == text


def test_a_param_too_big_for_the_environment_is_not_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    outer = {**ENVIRON, "MINION_PARAM": "that of a minion around this one"}
    run(words("sh", "-c", "echo ${MINION_PARAM-unset}", stdin=True, literal=True), ["x" * 200_000], environ=outer)
    assert capfd.readouterr().out == "unset\n"


def test_stdin_is_empty(capfd: pytest.CaptureFixture[str]) -> None:
    run(words("sh", "-c", "readlink /proc/self/fd/0; cat; echo over", literal=True), ["p"])
    assert _lines(capfd) == ["/dev/null", "over"]


@pytest.mark.parametrize("param", ["a", {"x": [1]}, "", "x" * 1_000_000], ids=["text", "json", "empty", "long"])
def test_stdin_holds_the_param(param: Param, capfd: pytest.CaptureFixture[str]) -> None:
    run(words("cat", stdin=True), [param])
    assert capfd.readouterr().out == ('{"x":[1]}' if isinstance(param, dict) else param)


def test_stdin_may_be_left_unread(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words("true", stdin=True), ["x" * 3_000_000] * 3).code == 0


def _is_inherited(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


@pytest.mark.parametrize("settings", [{}, {"slots": 3}, {"output": "none"}, {"output": "line"}], ids=str)
def test_no_descriptors_are_inherited(settings: dict[str, Any], tmp_path: Path) -> None:
    # What was handed to us to be inherited is: a job server's pipe, say.
    ours = {int(fd) for fd in os.listdir("/proc/self/fd") if _is_inherited(int(fd))}
    left_open = os.open(tmp_path, os.O_RDONLY)
    try:
        script = f"exec ls -l /proc/self/fd > {tmp_path}/fds.$1"
        assert run(shell(script), range(4), **settings).code == 0
    finally:
        os.close(left_open)
    for number in range(4):
        rows = (tmp_path / f"fds.{number}").read_text().splitlines()
        found = {int(row.split()[8]) for row in rows if "->" in row}
        # One more is that of ls itself.
        assert len(found - {0, 1, 2} - ours) == 1


def test_signals_are_as_in_a_shell(capfd: pytest.CaptureFixture[str]) -> None:
    run(words("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status", literal=True), [])
    run(words("sh", "-c", "exec grep -E '^Sig(Ign|Blk)' /proc/self/status", literal=True), ["p"])
    masks = {name: int(mask, 16) for name, mask in (line.split(":") for line in _lines(capfd))}
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGUSR2):
        assert not masks["SigIgn"] >> (number - 1) & 1, signal.Signals(number).name
    assert masks["SigBlk"] == 0


def test_sigpipe_ends_a_program() -> None:
    assert run(words("sh", "-c", "yes | head -1 > /dev/null", literal=True)).code == 0


def test_a_group_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(words("sh", "-c", "cut -d' ' -f1,5 /proc/$$/stat", literal=True), ["p"])
    pid, group = _lines(capfd)[0].split()
    assert pid == group == str(ran.record.outcome.pid)
    assert int(group) != os.getpgrp()


def test_what_is_left_of_the_group_does_not_outlive_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ran = run(shell(f"sleep 60 & echo $! > {pid}"))
    assert ran.code == 0
    until(lambda: not alive(int(pid.read_text())))


def test_a_program_that_left_its_group_may_stay_and_holds_nothing_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ran = run(
        shell(f"setsid sh -c 'echo $$ > {pid}; exec sleep 60' & while [ ! -s {pid} ]; do sleep 0.01; done"), slots=2
    )
    assert ran.code == 0
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_after_a_time_out_neither_may_that_stay(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ran = run(shell(f"setsid sh -c 'echo $$ > {pid}; exec sleep 60' & sleep 60"), timeout=1.0, grace=0.1)
    assert ran.record.outcome.kind == "timed_out"
    until(lambda: not alive(int(pid.read_text())))


class _WithEnvironment(ProcessCallback):
    def command(self, param: Param, task: Task) -> Command:
        return Command(("env",), env={"MINE": f"{param}", "MINION_SLOT": "mine"})


def test_a_callback_may_add_variables(capfd: pytest.CaptureFixture[str]) -> None:
    run(_WithEnvironment(), ["x"])
    assert {"MINE=x", "MINION_SLOT=mine"} <= set(_lines(capfd))


class _ByEnvironment(ProcessCallback):
    """Tells its program something by ``os.environ``, and reads what ``.env`` says there: both worked in 0.3.4."""

    def setup(self, param: Param, context: object) -> None:
        os.environ["OF_SETUP"] = f"setup {param}"

    def to_cmd(self, param: Param) -> str:
        os.environ["OF_TO_CMD"] = f"to_cmd {os.environ['OF_DOTENV']}"
        os.environ.pop("NOT_ANY_MORE", None)
        return "echo $OF_SETUP, $OF_TO_CMD, $MINION_PARAM, $MINION_ID, ${NOT_ANY_MORE-gone}"


def test_code_of_users_and_their_programs_see_one_environment(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_SETUP", "")
    monkeypatch.setenv("OF_TO_CMD", "")
    monkeypatch.setenv("MINION_PARAM", "that of a minion around this one")
    monkeypatch.setenv("NOT_ANY_MORE", "here")
    ran = run(_ByEnvironment(), ["x", "y"], environ={**ENVIRON, "OF_DOTENV": "dotenv"})
    assert _lines(capfd) == [f"setup {param}, to_cmd dotenv, {param}, {ran.minion.id}, gone" for param in "xy"]
    assert "OF_DOTENV" not in os.environ
    assert "MINION_ID" not in os.environ
    assert os.environ["MINION_PARAM"] == "that of a minion around this one"


def test_a_dry_run_sees_it_too(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OF_SETUP", "OF_TO_CMD"):
        monkeypatch.setenv(name, "")
    assert run(_ByEnvironment(), environ={**ENVIRON, "OF_DOTENV": "dotenv"}, dry_run=True).code == 0
    assert "echo $OF_SETUP" in capfd.readouterr().out


def test_slots_are_numbered_from_one(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    # Each waits for the others: a slot that was quick would else take the param of one that has not begun.
    meet = f"touch {tmp_path}/$MINION_SLOT; while [ $(ls {tmp_path} | wc -l) -lt 3 ]"
    ran: Ran = run(shell(f"echo $MINION_SLOT; {meet}; do sleep 0.01; done"), range(3), slots=3)
    assert sorted(_lines(capfd)) == ["1", "2", "3"]
    assert ran.code == 0
