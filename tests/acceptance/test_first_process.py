"""A minion that is started as process 1, as in a container: it is its own init."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.running import MINIONIZE, Minion, Place, alive, until
from tests.brokers.server import need

pytestmark = pytest.mark.acceptance

# What has left its group outlives the run, and ends a moment later.
ORPHAN = """#!/bin/sh
setsid sh -c ': > born$0; sleep 0.1; echo $0 >> gone' $1 </dev/null >/dev/null 2>&1 &
until [ -e born$1 ]; do sleep 0.01; done
"""
LONG = "#!/bin/sh\necho $1 >> begun\nexec sleep 60\n"


class Inside:
    """A minion in a PID namespace of its own, where it is process 1. Pids are those of the outside."""

    def __init__(self, place: Place, *words: str, under: tuple[str, ...] = ()) -> None:
        apart = (need("unshare", "util-linux"), "--pid", "--fork", "--kill-child", "--mount-proc")
        self.outer: Minion = place.start_program(
            *apart, *under, *MINIONIZE, *words, stdin=subprocess.PIPE, MINION_REGISTRY="none"
        )
        # More may come: it stays.
        self.outer.stdin.write(b"1\n2\n3\n")
        self.first = until(lambda: self._first(place))

    def _first(self, place: Place) -> int:
        found = children(self.outer.pid)
        assert found or self.outer.process.poll() is None, self.outer.err
        return found[0] if found else 0

    def send(self, number: int) -> None:
        os.kill(self.first, number)

    def below(self) -> Iterator[tuple[int, str]]:
        """Every process inside, and its state."""
        found = [self.first]
        for pid in found:
            with suppress(OSError):
                yield pid, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += children(pid)

    @property
    def minion(self) -> int:
        """The process that runs the params: the one that has started the others."""
        return next((pid for pid in children(self.first) if b"guardian" not in words(pid)), 0)


def children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def words(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.fixture
def here(place: Place) -> Iterator[Place]:
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("a PID namespace needs root")
        pytest.skip("a PID namespace needs root")
    yield place
    for minion in place.minions:
        minion.stdin.close()


def test_no_zombie_is_left_of_what_runs_leave_behind(here: Place) -> None:
    inside = Inside(here, here.script("program", ORPHAN))
    until(lambda: len(here.lines("gone")) == 3)
    until(lambda: "Z" not in [state for _, state in inside.below()], 5, "no zombies")
    inside.send(signal.SIGTERM)
    assert inside.outer.wait() == 143
    assert "3 done, 0 failed" in inside.outer.err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR2, 140), (signal.SIGHUP, 129)]
)
def test_signals_stop_it(here: Place, number: int, code: int) -> None:
    inside = Inside(here, here.script("program", LONG))
    until(lambda: here.lines("begun"))
    inside.send(number)
    assert inside.outer.wait(20) == code
    assert "0 done, 0 failed" in inside.outer.err


@pytest.mark.parametrize(
    ("options", "code"), [(("true",), 0), (("--dead", "dead.jsonl", "false"), 1), (("no-such-program",), 4)]
)
def test_exit_codes_are_those_of_the_minion(here: Place, options: tuple[str, ...], code: int) -> None:
    inside = Inside(here, *options)
    inside.outer.stdin.close()
    assert inside.outer.wait() == code, inside.outer.err


def test_a_killed_minion_is_told_and_leaves_nothing(here: Place) -> None:
    inside = Inside(here, here.script("program", LONG))
    until(lambda: here.lines("begun"))
    pids = [pid for pid, _ in inside.below()]
    assert len(pids) >= 4, "init, minion, guardian, run"
    os.kill(inside.minion, signal.SIGKILL)
    assert inside.outer.wait(20) == 137
    assert not [pid for pid in pids if alive(pid)]


def test_ctrl_c_at_a_terminal_is_one_signal(here: Place) -> None:
    # The terminal tells both processes; a second signal would end the run at once.
    text = "#!/bin/sh\necho $1 >> begun\nsleep 1\necho $1 >> ended\n"
    (here.folder / "params.txt").write_text("1\n2\n")
    command = [*MINIONIZE, "--on-stop", "finish", here.script("program", text)]
    apart = [need("unshare", "util-linux"), "--pid", "--fork", "--kill-child", "--mount-proc"]
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *apart, *command],
            cwd=here.folder,
            env=here.environ(MINION_REGISTRY="none", FILE_PATH="params.txt", MINION_ENGINE="file"),
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until(lambda: here.lines("begun"))
        os.write(ours, b"\x03")
        err = process.communicate(timeout=20)[1].decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert here.lines("ended") == ["1"], err
    assert process.returncode == 130, err


def test_where_another_init_is_process_1_it_is_left_to_that(here: Place) -> None:
    inside = Inside(here, "echo", under=("sh", "-c", '"$@"; exit $?', "sh"))
    until(lambda: inside.minion and [b"guardian" in words(pid) for pid in children(inside.minion)] == [True])
    inside.outer.stdin.close()
    assert inside.outer.wait() == 0
