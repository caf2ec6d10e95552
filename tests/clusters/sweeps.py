"""One sweep directory, and jobs whose minions work on it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from minionize.guardian import marked
from tests.acceptance.running import Place, until
from tests.clusters.slurm import POLL, Slurm

# A run says that it began, waits for the gate without a sound, and says that it came through. Two at a time with
# one param would be told: the system lets go of the lock with the last process of the run, however that ends.
PROGRAM = """#!/bin/sh -e
echo "$1" >> begun
exec 9> "held/$1"
flock --nonblock 9 || echo "$1" >> twice
flock --shared gate true
echo "$1" >> runs
"""
DAEMON = "sleep 300"
# Nor does it hear of the end: it, and the daemon that it leaves, must be killed.
STUBBORN = PROGRAM.replace("-e\n", f"-e\ntrap '' TERM\nsetsid --fork {DAEMON}\n", 1)
OPTIONS = "--results results.jsonl --heartbeat 0.5"


def job_script(words: str = "", wrapped: bool = False, unaware: bool = False) -> str:
    """A job script as a scientist writes it.

    Args:
        words: Options of minionize.
        wrapped: As minion-launch writes it.
        unaware: Let the minion believe that the job has much time yet.
    """
    minion = f"minionize {OPTIONS} {words} ./run.sh"
    if wrapped:
        return launched(minion)
    return f"{_HEAD}{_UNAWARE if unaware else ''}exec {minion}\n"


_HEAD = """#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH --ntasks=1
#SBATCH --output=job-%A_%a.out
#SBATCH --open-mode=append
#SBATCH --requeue

"""
_UNAWARE = "export SLURM_JOB_END_TIME=4102444800\n"
_LAUNCH = """slurm --name sweep --directive=--output=job-%A_%a.out --"""


def launched(minion: str) -> str:
    """The script of minion-launch: a shell that passes USR2 on, and has the job started again when work is left."""
    words = (str(Path(sys.executable).parent / "minion-launch"), *_LAUNCH.split(), *minion.split())
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


class Sweep:
    """A place with a sweep, whose runs wait until the gate is opened."""

    def __init__(self, slurm: Slurm, place: Place, params: int, program: str = PROGRAM) -> None:
        self.slurm, self.place, self.params = slurm, place, params
        self.folder = place.folder
        place.sweep(f"range({params})")
        place.script("run.sh", program)
        (self.folder / "held").mkdir()
        self._gate = os.open(self.folder / "gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(self._gate, fcntl.LOCK_EX)

    def open_gate(self) -> None:
        """Let all runs come through."""
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def environ(self) -> dict[str, str]:
        """The environment of the job, and of whoever looks at it."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        registry = f"dir:{self.folder / 'registry'}"
        return self.place.environ(PATH=path, MINION_ENGINE="execo", MINION_REGISTRY=registry)

    def submit(self, *sbatch: str, words: str = "", wrapped: bool = False, unaware: bool = False) -> str:
        """Submit a job with options of ``sbatch``; return its id."""
        script = job_script(words, wrapped, unaware)
        return self.slurm.submit(script, *sbatch, cwd=self.folder, environ=self.environ())

    def minions(self) -> list[dict[str, Any]]:
        """What all minions say of themselves in the registry, those that have ended too."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("registry/*.json"))]

    def counted(self, counter: str) -> int:
        """The sum of a counter over all minions."""
        return sum(minion["counters"][counter] for minion in self.minions())

    def await_busy(self, slots: int) -> None:
        """Wait until so many slots of minions that live are busy: with the gate shut, these runs stay."""

        def busy() -> bool:
            return slots == sum(int(minion["busy"]) for minion in self.minions() if minion["state"] == "running")

        until(busy, what=f"{slots} runs at a time", every=POLL)

    def await_end(self, spared: str = "") -> None:
        """Wait until nothing of all minions lives, but for what runs a certain program."""
        until(lambda: self.left(spared) == [], what="all processes have ended", every=POLL)

    def left(self, spared: str = "") -> list[str]:
        """The command lines of what lives."""
        lines = [_command(pid) for pid in self.processes()]
        return [line for line in lines if line and line != spared]

    def said(self) -> str:
        """What all jobs have written."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("job-*.out")))

    def records(self) -> list[dict[str, Any]]:
        """The records of all minions."""
        return self.place.records("results")

    def settled(self, kind: str) -> Counter[int]:
        """How often each param was settled so."""
        return Counter(record["param"] for record in self.records() if record["settled"] == kind)

    def mtop(self) -> dict[str, Any]:
        """What ``mtop --once --json`` shows."""
        words = (sys.executable, "-m", "mtop", "--once", "--json")
        done = subprocess.run(words, env=self.environ(), cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.stdout, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    def processes(self) -> list[int]:
        """What lives of all minions and of what they started; the guardians, which have no environment, too."""
        minions = {record["minion"] for record in self.records()} | {
            p.stem for p in self.folder.glob("registry/*.json")
        }
        guardians = [pid for minion in minions for pid in _guardians(minion)]
        return [*self.place.processes(), *guardians, *(pid for one in minions for pid in marked("MINION_ID", one))]

    def check_finished(self) -> None:
        """Everything is done and nothing dead, no param ran twice at a time, and no process is left."""
        place, every = self.place, set(range(self.params))
        finished = place.sweeper(f"sorted(s.get_done()) == list(range({self.params})), s.get_inprogress()")
        assert finished == "True set()", self.said()
        assert place.why(**self.environ()).endswith(f"the queue is empty; {self.params} done, 0 dead-lettered")
        assert {int(line) for line in place.lines("runs")} == every
        assert place.lines("twice") == []
        assert "Traceback" not in self.said()
        self.await_end()


def _command(pid: int) -> str:
    """The command line of a process; "" if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _guardians(minion: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if any(word.endswith(b"/minionize/guardian.py") for word in words) and minion.encode() in words:
                found.append(int(path.parent.name))
    return found
