"""Minions as jobs of a real OAR: what is said of it in docs/clusters/oar.md."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from minionize.records import read_records
from tests.clusters.oar import Oar, patiently, running

pytestmark = pytest.mark.cluster

# Runs until it may end; says first which attempt it is.
PROGRAM = '#!/bin/sh\necho "$1 $MINION_ATTEMPT" >> begun\nuntil [ -e go ]; do sleep 0.1; done\necho "$1" >> ended\n'
# Runs until OAR has said twice that the walltime is near.
TOLD_TWICE = PROGRAM.replace("[ -e go ]", "[ $(cat OAR.*.stderr | grep -c CHECKPOINTED) -ge 2 ]")
QUICK = '#!/bin/sh\necho "$1 $MINION_ATTEMPT" >> begun\nsleep 0.2\necho "$1" >> ended\n'
JOB = """#!/usr/bin/env bash
#OAR -n minions
#OAR -t besteffort
#OAR -t idempotent

set -eu

exec minionize --reporter json {options} ./program
"""
FROM_0_3_4 = """#!/usr/bin/env bash

#OAR -n kpd
#OAR -l nodes=1,walltime=1:0:0
#OAR -t besteffort
#OAR -t idempotent

# oarsub --array 10 -S ./oar.sh

set -eux

pip install minionize

minionize echo "hello from $OAR_JOB_ID"
"""
ENDED = ("Terminated", "Error")
EXIT_99 = 99 << 8  # as waitpid tells it
# Options of minionize and of oarsub, for jobs that are to be a minute old: OAR submits no younger ones again.
OLD = {
    "walltime": ("--on-stop finish", ("-l", "nodes=1,walltime=0:2:0", "--checkpoint", "55")),
    "higher job": ("", ("-l", "nodes=1,walltime=1:0:0", "--checkpoint", "50")),
    "oardel -c": ("", ("-l", "nodes=1,walltime=1:0:0")),
    "walltime without a checkpoint": ("", ("-l", "nodes=1,walltime=0:0:25")),
    "oardel": ("", ("-l", "nodes=1,walltime=1:0:0")),
    "without exec": ("", ("-l", "nodes=1,walltime=1:0:0")),
}


class Sweep:
    """A directory in the user's home with a sweep, a program, a job script and what jobs leave."""

    def __init__(self, oar: Oar, name: str, params: int, program: str = PROGRAM, options: str = "") -> None:
        self.oar, self.folder = oar, oar.home / name
        self.params = params
        self.folder.mkdir()
        self.write("program", program)
        self.write("oar.sh", JOB.format(options=options))
        self.write(".env", "MINION_ENGINE=execo\n")
        oar.own(self.folder)
        self.ask("", f"ParamSweeper('sweeps', sweeps=range({params}), save_sweeps=True)")

    def write(self, name: str, text: str) -> None:
        """Write a file that may be executed."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def ask(self, expression: str, sweeper: str = "ParamSweeper('sweeps')") -> str:
        """What the user's plain sweeper ``s`` says."""
        script = f"from execo_engine.sweep import ParamSweeper; s = {sweeper}; s.full_update(); print({expression})"
        return self.oar.run("python", "-c", script, cwd=self.folder).strip()

    def submit(self, *words: str, node: int = 0) -> list[int]:
        """Submit the job script, for a node of that number if it is not 0."""
        where = ("-p", f"network_address = '127.0.0.{node}'") if node else ()
        return self.oar.submit(*where, *words, "-S", "./oar.sh", cwd=self.folder)

    def lines(self, name: str) -> list[str]:
        """The lines of a file; none if it is not there."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def outputs(self, end: str = "stdout") -> str:
        """What all jobs have printed."""
        return "".join(path.read_text() for path in sorted(self.folder.glob(f"OAR.*.{end}")))

    def await_begun(self, number: int) -> None:
        """Wait until so many runs have begun."""
        patiently(lambda: len(self.lines("begun")) >= number, f"{number} runs", lambda: self.outputs("stderr"))

    def go(self) -> None:
        """Let runs end."""
        (self.folder / "go").touch()

    def records(self) -> list[dict[str, Any]]:
        """The records of all minions that could write them."""
        return [record for file in self.folder.glob("minion-report*/*") for record in read_records(file)]

    def check_done(self) -> None:
        """Nothing is lost: each param is done, by exactly one run that has ended, and nothing is in progress."""
        assert sorted(map(int, self.lines("ended"))) == list(range(self.params))
        assert self.counts() == f"{self.params} done, 0 ready, 0 in progress"

    def counts(self) -> str:
        """What a plain sweeper sees."""
        numbers = "len(s.get_done()), 'done,', len(s.get_remaining()), 'ready,', len(s.get_inprogress()), 'in progress'"
        return self.ask(numbers)

    def attempts(self) -> Counter[str]:
        """How many runs have begun as a first attempt, a second, and so on."""
        return Counter(line.split()[1] for line in self.lines("begun"))


@pytest.fixture(scope="module")
def oar() -> Iterator[Oar]:
    with running() as oar:
        yield oar


@pytest.fixture(scope="module", autouse=True)
def first(oar: Oar) -> tuple[Sweep, int]:
    """The script of 0.3.4 has done a part of its sweep, and has installed minionize for all others."""
    sweep = Sweep(oar, "kpd", 10)
    sweep.write("oar.sh", FROM_0_3_4)
    sweep.write(".env", "MINION_ENGINE=execo\nMINION_MAX_PARAMS=4\n")
    (job,) = sweep.submit(node=1)
    assert oar.await_state(job, *ENDED)["exit_code"] == 0, sweep.outputs("stderr")
    return sweep, job


@pytest.fixture(scope="module", autouse=True)
def old(oar: Oar, first: object) -> dict[str, tuple[Sweep, int]]:
    """Jobs that have to grow old, while others are looked at. Each has a node of its own."""
    jobs = {}
    for node, (how, (options, words)) in enumerate(OLD.items(), 1):
        sweep = Sweep(oar, f"old-{node}", 3, TOLD_TWICE if how == "walltime" else PROGRAM, options)
        if how == "without exec":
            sweep.write("oar.sh", JOB.format(options=options).replace("exec minionize", "minionize"))
        (job,) = sweep.submit(*words, node=node)
        jobs[how] = (sweep, job)
    for sweep, _ in jobs.values():
        sweep.await_begun(1)
    return jobs


def test_script_of_0_3_4_works_unchanged(oar: Oar, first: tuple[Sweep, int]) -> None:
    sweep, job = first
    sweep.write(".env", "MINION_ENGINE=execo\n")
    others = sweep.submit("--array", "3", "-p", "network_address > '127.0.0.6'")
    assert [oar.await_state(other, *ENDED)["exit_code"] for other in others] == [0, 0, 0], sweep.outputs("stderr")
    out = sweep.outputs()
    assert [line for line in out.splitlines() if line.startswith("Successfully installed") and " minionize-" in line]
    said = [line.split() for line in out.splitlines() if line.startswith("hello from")]
    assert sorted(int(words[3]) for words in said) == list(range(10))
    assert {int(words[2]) for words in said} <= {job, *others}
    assert Counter(words[2] for words in said)[str(job)] == 4
    assert sweep.counts() == "10 done, 0 ready, 0 in progress"


def test_array_finishes_a_sweep(oar: Oar) -> None:
    sweep = Sweep(oar, "array", 40, QUICK)
    jobs = sweep.submit("--array", "3", "-p", "network_address > '127.0.0.6'")
    assert [oar.await_state(job, *ENDED)["exit_code"] for job in jobs] == [0, 0, 0]
    sweep.check_done()
    assert sweep.attempts() == {"1": 40}
    assert Counter(record["settled"] for record in sweep.records()) == {"ack": 40}


def test_besteffort_job_is_killed_without_a_word_and_submitted_again(oar: Oar) -> None:
    sweep = Sweep(oar, "besteffort", 3)
    (job,) = sweep.submit("-l", "nodes=1", node=7)
    sweep.await_begun(1)
    oar.submit("-p", "network_address = '127.0.0.7'", "-l", "nodes=1", "sleep 1", cwd=sweep.folder)
    again = oar.await_again(job)
    assert "BESTEFFORT_KILL" in oar.events(job)
    sweep.await_begun(2)
    sweep.go()
    assert oar.await_state(again, *ENDED)["exit_code"] == 0
    sweep.check_done()
    # Nobody could say that the run was innocent: it counts as a crash. What had not begun does not.
    assert sweep.attempts() == {"1": 3, "2": 1}


def test_killed_job_is_not_submitted_again_and_another_takes_over(oar: Oar, old: dict[str, tuple[Sweep, int]]) -> None:
    sweep, job = old["oardel"]
    oar.run("oardel", str(job))
    assert oar.await_state(job, *ENDED)["state"] == "Error"
    assert "SEND_KILL_JOB" in oar.events(job)
    assert oar.again(job) == []
    sweep.go()
    (other,) = sweep.submit("-l", "nodes=1,walltime=1:0:0", node=8)
    assert oar.await_state(other, *ENDED)["exit_code"] == 0
    sweep.check_done()
    assert sweep.attempts() == {"1": 3, "2": 1}


def test_without_a_checkpoint_the_minion_leaves_before_the_walltime_by_itself(
    oar: Oar, old: dict[str, tuple[Sweep, int]]
) -> None:
    sweep, job = old["walltime without a checkpoint"]
    assert oar.await_state(job, *ENDED)["exit_code"] == EXIT_99, sweep.outputs("stderr")
    assert "ends in" in sweep.outputs("stderr")
    assert sweep.counts() == "0 done, 3 ready, 0 in progress"
    sweep.go()
    (other,) = sweep.submit("-l", "nodes=1,walltime=1:0:0", node=8)
    assert oar.await_state(other, *ENDED)["exit_code"] == 0
    sweep.check_done()
    assert sweep.attempts() == {"1": 4}


def test_minion_launch_submits_lists_and_stops(oar: Oar) -> None:
    sweep = Sweep(oar, "launched", 4)
    fleet = ("minion-launch", "oar", "--name", "fleet")
    start = ("-n", "2", "--walltime", "1h", "-p", "network_address > '127.0.0.6'", "--submit")
    oar.run(*fleet, *start, "--", "minionize", "--reporter", "json", "./program", cwd=sweep.folder)
    sweep.await_begun(2)
    listed = [line.split("\t")[1] for line in oar.run(*fleet, "--list", cwd=sweep.folder).splitlines()]
    assert listed == ["Running", "Running"]
    oar.run(*fleet, "--stop", cwd=sweep.folder)
    assert oar.run(*fleet, "--list", cwd=sweep.folder) == ""
    assert sweep.counts() == "0 done, 4 ready, 0 in progress"
    assert settled(sweep) == {("preempted", "nack"): 2}


def test_young_job_gives_back_at_its_checkpoint_and_is_not_submitted_again(oar: Oar) -> None:
    sweep = Sweep(oar, "young", 3)
    (job,) = sweep.submit(node=8)
    sweep.await_begun(1)
    oar.run("oardel", "-c", str(job))
    assert oar.await_state(job, *ENDED)["exit_code"] == EXIT_99, sweep.outputs("stderr")
    assert oar.again(job) == []
    assert sweep.counts() == "0 done, 3 ready, 0 in progress"
    assert [(record["outcome"], record["settled"]) for record in sweep.records()] == [("preempted", "nack")]


@pytest.mark.parametrize("how", ["higher job", "oardel -c"])
def test_checkpoint_gives_back_uncharged_and_the_job_is_submitted_again(
    oar: Oar, old: dict[str, tuple[Sweep, int]], how: str
) -> None:
    sweep, job = old[how]
    await_age(oar, job)
    if how == "higher job":
        (node,) = oar.job(job)["assigned_network_address"]
        oar.submit("-p", f"network_address = '{node}'", "-l", "nodes=1", "sleep 1", cwd=sweep.folder)
    else:
        oar.run("oardel", "-c", str(job))
    assert oar.await_state(job, *ENDED)["exit_code"] == EXIT_99, sweep.outputs("stderr")
    sweep.go()
    assert oar.await_state(oar.await_again(job), *ENDED)["exit_code"] == 0
    sweep.check_done()
    assert sweep.attempts() == {"1": 4}
    assert settled(sweep) == {("preempted", "nack"): 1, ("succeeded", "ack"): 3}


def test_checkpoint_of_a_script_without_exec_ends_the_shell_alone(oar: Oar, old: dict[str, tuple[Sweep, int]]) -> None:
    sweep, job = old["without exec"]
    await_age(oar, job)
    oar.run("oardel", "-c", str(job))
    assert oar.await_state(job, *ENDED)["exit_code"] == signal.SIGUSR2
    assert oar.again(job) == []
    assert sweep.counts() == "0 done, 2 ready, 1 in progress"


def test_walltime_comes_and_the_run_is_finished_first(oar: Oar, old: dict[str, tuple[Sweep, int]]) -> None:
    sweep, job = old["walltime"]
    # OAR says it every ten seconds. The minion goes on with its run all the same, and takes no other.
    assert oar.await_state(job, *ENDED)["exit_code"] == EXIT_99, sweep.outputs("stderr")
    assert sweep.outputs("stderr").count("CHECKPOINTED") >= 2
    again = oar.await_again(job)
    assert oar.await_state(again, *ENDED)["exit_code"] == 0
    sweep.check_done()
    assert sweep.attempts() == {"1": 3}
    assert settled(sweep) == {("succeeded", "ack"): 3}


def settled(sweep: Sweep) -> Counter[tuple[str, str]]:
    """How many runs ended how, and what became of their params."""
    return Counter((record["outcome"], record["settled"]) for record in sweep.records())


def await_age(oar: Oar, job: int) -> None:
    """Wait until OAR would submit a job again."""
    start = oar.job(job)["startTime"]
    patiently(lambda: time.time() > start + 62, f"job {job} is old enough")
