"""Signals stop a minion; exit codes."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.worker.command import alive, minionize, started
from tests.worker.running import until

# Tells that it runs, and what it is told.
_SCRIPT = """
trap 'echo term >> log; exit 3' TERM
echo $$ > pid.new; mv pid.new pid
while [ ! -e go ]; do sleep 0.02; done
echo ended >> log
"""
_STUBBORN = "trap '' TERM; echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.1; done"


def _pending(pid: int) -> bool:
    """Whether a process has yet to be given a signal; not if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    if any(line.startswith("State:\tZ") for line in lines):
        return False
    return any(int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd:", "ShdPnd:")))


def _stop(
    cwd: Path, numbers: list[int], *options: str, script: str = _SCRIPT, go: bool = False, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Start a minion, signal it while a param runs, and wait for its end."""
    words = ("--results", "results.jsonl", *options, "sh", "-c", script)
    with started(*words, cwd=cwd, params=["a", "b"], **more) as minion:
        until((cwd / "pid").exists)
        for number in numbers:
            minion.send_signal(number)
            # Of two that are pending the lower number would come first.
            until(lambda: not _pending(minion.pid))
            time.sleep(0.05)
        if go:
            (cwd / "go").touch()
        out, err = minion.communicate(timeout=60)
    assert not alive(int((cwd / "pid").read_text()))
    return subprocess.CompletedProcess(words, minion.returncode, out, err)


def _log(cwd: Path) -> list[str]:
    return (cwd / "log").read_text().split() if (cwd / "log").exists() else []


@pytest.mark.parametrize("name", ["TERM", "INT", "USR2", "HUP"])
def test_each_stop_signal_ends_the_run_and_gives_it_back(name: str, tmp_path: Path) -> None:
    number = signal.Signals[f"SIG{name}"]
    ended = _stop(tmp_path, [number])
    assert ended.returncode == 128 + number
    assert _log(tmp_path) == ["term"]
    assert "1 given back" in ended.stderr
    assert "0 dead" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert '"outcome":"preempted"' in (tmp_path / "results.jsonl").read_text()


def test_on_stop_finish_lets_it_end(tmp_path: Path) -> None:
    ended = _stop(tmp_path, [signal.SIGTERM], "--on-stop", "finish", go=True)
    assert ended.returncode == 128 + signal.SIGTERM
    assert _log(tmp_path) == ["ended"]
    assert "1 done" in ended.stderr


def test_usr1_drains(tmp_path: Path) -> None:
    """What runs is finished, no more is taken: that is no stop, but work is left."""
    ended = _stop(tmp_path, [signal.SIGUSR1, signal.SIGUSR1], go=True)
    assert ended.returncode == 99
    assert _log(tmp_path) == ["ended"]
    assert "1 done" in ended.stderr


def test_a_stop_while_it_drains_ends_what_runs(tmp_path: Path) -> None:
    ended = _stop(tmp_path, [signal.SIGUSR1, signal.SIGTERM])
    assert ended.returncode == 128 + signal.SIGTERM
    assert _log(tmp_path) == ["term"]
    assert "1 given back" in ended.stderr


def test_a_second_signal_means_now(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = _stop(tmp_path, [signal.SIGTERM, signal.SIGINT], "--on-stop", "finish", script=_STUBBORN)
    assert time.monotonic() - began < 20.0
    assert ended.returncode == 128 + signal.SIGTERM
    assert _log(tmp_path) == []
    assert "1 given back" in ended.stderr


def test_a_program_that_does_not_go_is_killed_after_the_grace(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = _stop(tmp_path, [signal.SIGTERM], "--grace", "0.2", script=_STUBBORN)
    assert time.monotonic() - began < 20.0
    assert ended.returncode == 128 + signal.SIGTERM


def test_an_oar_job_is_to_be_resubmitted(tmp_path: Path) -> None:
    assert _stop(tmp_path, [signal.SIGUSR2], env={"OAR_JOB_ID": "12"}).returncode == 99


def test_an_ignored_hangup_stays_ignored(tmp_path: Path) -> None:
    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    ended = _stop(tmp_path, [signal.SIGHUP], go=True, preexec_fn=nohup)
    assert ended.returncode == 0
    assert _log(tmp_path) == ["ended", "ended"]


def test_a_run_that_was_stopped_itself_sees_the_term(tmp_path: Path) -> None:
    """SIGSTOP holds back a TERM until it goes on."""
    ended = _stop(tmp_path, [signal.SIGTERM], script=f"{_SCRIPT.replace('while', 'kill -STOP $$; while')}")
    assert ended.returncode == 128 + signal.SIGTERM
    assert _log(tmp_path) == ["term"]


def test_a_stop_with_a_reader_that_does_not_read(tmp_path: Path) -> None:
    """The pipe is full and nobody empties it: neither may that hold a minion that is to leave."""
    script = "touch began; head -c 1000000 /dev/zero | tr '\\0' x"
    with started("-j2", "sh", "-c", script, cwd=tmp_path, params=range(3)) as minion:
        until((tmp_path / "began").exists)
        time.sleep(0.3)
        assert minion.poll() is None
        minion.send_signal(signal.SIGTERM)
        began = time.monotonic()
        minion.wait(timeout=60)
        assert time.monotonic() - began < 20.0
        assert minion.returncode == 128 + signal.SIGTERM


def test_exit_codes(tmp_path: Path) -> None:
    assert minionize("true", cwd=tmp_path, params=[1, 2]).returncode == 0
    assert minionize("false", cwd=tmp_path, params=[1, 2]).returncode == 1
    assert minionize("sh", "-c", "exit 127", cwd=tmp_path, params=[1, 2]).returncode == 4
    missing = minionize("no-such-program", cwd=tmp_path, params=[1])
    assert (missing.returncode, missing.stdout) == (4, "")
    assert "no-such-program" in missing.stderr
    assert minionize("-e", "file", "true", cwd=tmp_path, env={"FILE_PATH": "none"}).returncode == 3
    assert minionize("--slots", "x", "true", cwd=tmp_path, params=[1]).returncode == 2
    unwritable = minionize("--results", "/proc/none/x.jsonl", "true", cwd=tmp_path, params=[1])
    assert (unwritable.returncode, "check --results" in unwritable.stderr) == (2, True)


def test_an_ignored_sigchld_loses_no_exit_code(tmp_path: Path) -> None:
    """As a careless parent leaves it to us."""

    def ignore() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    ended = minionize("-j2", "sh", "-c", "exit $1", "sh", cwd=tmp_path, params=[0, 3], preexec_fn=ignore)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "1 done, 1 failed" in ended.stderr
    assert "exit code 3" in ended.stderr


_READER = """
import subprocess, sys
def f(n):
    assert subprocess.run(["cat"], capture_output=True).stdout == b""
    assert sys.stdin.read() == ""
    print("got", n)
"""


@pytest.mark.parametrize("slots", ["1", "2"])
def test_programs_that_functions_start_do_not_read_the_params(slots: str, tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text(_READER)
    ended = minionize("-j", slots, "--function", "mod:f", cwd=tmp_path, params=range(5), env={"PYTHONPATH": "."})
    assert (ended.returncode, sorted(ended.stdout.splitlines())) == (0, [f"got {n}" for n in range(5)])
