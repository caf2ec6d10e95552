"""After SIGKILL of a minion none of what it started is alive two seconds later, or some more where others are busy."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.acceptance.running import Minion, Place, alive, until

pytestmark = pytest.mark.acceptance

# A child, a grandchild, one in a session of its own, and a daemon forked twice; each says its pid.
FAMILY = f"""#!{sys.executable} -S
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def say():
    fd = os.open("pids", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"%d\\n" % os.getpid())
    time.sleep(60)
    os._exit(0)
def fork(*steps):
    if os.fork() == 0:
        for step in steps:
            step()
        say()
def again():
    if os.fork():
        os._exit(0)
fork()
fork(os.setsid)
fork(os.setsid, again)
fork(again)
say()
"""
MEMBERS = 5
SOON = 15.0
"""Seconds; they would live for a minute."""

FUNCTION = """
import os, subprocess, time

def say():
    fd = os.open("pids", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"%d\\n" % os.getpid())

def here(param):
    say()
    time.sleep(60)

def there(param):
    subprocess.run(["./family"])
"""


def pids(place: Place, count: int) -> list[int]:
    until(lambda: len(place.lines("pids")) >= count, what=f"{count} processes")
    found = [int(line) for line in place.lines("pids")]
    assert all(map(alive, found))
    return found


def guardian(minion: Minion) -> int:
    """The process whose parent is the minion and that is called so."""

    def find() -> int:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if b"/minionize/guardian.py\0" in (entry / "cmdline").read_bytes():
                        parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                        if int(parent) == minion.pid:
                            return int(entry.name)
                except OSError:
                    continue
        return 0

    return until(find, what="a guardian")


def assert_gone(place: Place, family: list[int]) -> None:
    until(lambda: not any(map(alive, family)), SOON, "its processes are gone")
    until(lambda: not place.processes(), SOON, "all is gone")


@pytest.mark.parametrize("slots", [1, 3])
def test_children_and_theirs(place: Place, slots: int) -> None:
    place.sweep("range(9)")
    minion = place.start("-j", str(slots), place.script("family", FAMILY), MINION_ENGINE="execo")
    family = pids(place, MEMBERS * slots)
    watch = guardian(minion)
    minion.kill()
    assert_gone(place, family)
    until(lambda: not alive(watch), SOON, "the guardian leaves")


@pytest.mark.parametrize("slots", ["1", "2"])
@pytest.mark.parametrize(("function", "members"), [("here", 1), ("there", MEMBERS)])
def test_functions_and_what_they_start(place: Place, function: str, members: int, slots: str) -> None:
    place.sweep("range(9)")
    place.script("family", FAMILY)
    place.script("work.py", FUNCTION)
    minion = place.start("-j", slots, "--function", f"work:{function}", MINION_ENGINE="execo")
    family = pids(place, members * int(slots))
    minion.kill()
    assert_gone(place, family)


@pytest.mark.parametrize("slots", [1, 2])
def test_processes_forked_by_functions(place: Place, slots: int) -> None:
    """They have no environment of their own by which they could be found."""
    place.sweep("range(2)")
    place.script("work.py", "def forked(param):\n    exec(open('family').read().partition('\\n')[2], {})\n")
    place.script("family", FAMILY)
    minion = place.start("-j", str(slots), "--function", "work:forked", MINION_ENGINE="execo")
    family = pids(place, slots * MEMBERS)
    minion.kill()
    assert_gone(place, family)


def test_work_goes_on_without_guardian(place: Place) -> None:
    place.sweep("range(40)")
    line = "echo $1 >> runs; until [ -e go ]; do sleep 0.02; done"
    minion = place.start("-j", "2", "sh", "-c", line, "sh", MINION_ENGINE="execo")
    until(lambda: len(place.lines("runs")) == 2)
    os.kill(guardian(minion), signal.SIGKILL)
    (place.folder / "go").touch()
    assert minion.wait() == 0
    assert sorted(map(int, place.lines("runs"))) == list(range(40))


def test_what_a_run_leaves_in_its_group_is_gone_at_its_end(place: Place) -> None:
    program = place.script("leave", "#!/bin/sh\nsleep 60 &\necho $! >> pids\n")
    assert place.run(program, params=b"1\n2\n").returncode == 0
    assert len(place.lines("pids")) == 2
    until(lambda: not place.processes(), SOON, "all is gone")


def test_params_of_a_killed_minion_are_run_by_another_at_once(place: Place) -> None:
    place.sweep("range(6)")
    stuck = place.start("-j", "3", place.script("family", FAMILY), MINION_ENGINE="execo")
    family = pids(place, 3 * MEMBERS)
    until(lambda: place.charged() == 3, what="what has begun is written down")
    stuck.kill()
    done = place.run("--exit-when-empty", "0", "echo", MINION_ENGINE="execo", MINION_REPORTER="json")
    assert not any(map(alive, family)), "they must be gone before another runs their params"
    assert (done.returncode, sorted(done.stdout.split())) == (0, [b"%d" % n for n in range(6)])
    # Three runs had begun and are charged; what was only fetched is not.
    assert sorted(record["attempt"] for record in place.records()) == [1, 1, 1, 2, 2, 2]
