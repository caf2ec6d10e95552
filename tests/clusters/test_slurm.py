"""Minions as jobs of a real Slurm: what preemption, cancelling, time limits and lost nodes do to a sweep.

Slurm looks at time limits every 30 seconds, and a limit is a minute at least. So what takes long is started first,
and all of it at once; the tests then wait for each in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.acceptance.running import opened, until
from tests.clusters.slurm import NODES, POLL, Slurm
from tests.clusters.sweeps import DAEMON, PROGRAM, STUBBORN, Sweep

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

LIMIT = 150.0
"""Seconds until what has a time limit of a minute has felt it: 60, up to 30 more, and some for a busy machine."""
MakeSweep = Callable[..., Sweep]


@pytest.fixture(scope="module")
def make_sweep(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSweep]:
    with ExitStack() as stack:

        def make(params: int, program: str = PROGRAM) -> Sweep:
            place = stack.enter_context(opened(tmp_path_factory.mktemp("sweep")))
            return Sweep(slurm, place, params, program)

        yield make


class Job(NamedTuple):
    """A sweep, and the job whose minions work on it."""

    sweep: Sweep
    id: str


class Slow(NamedTuple):
    """What takes long."""

    limited: Job
    unaware: Job
    killed: Job
    warned: Job
    wrapped: Job
    lost: Job


@pytest.fixture(scope="module", autouse=True)
def slow(slurm: Slurm, make_sweep: MakeSweep) -> Slow:
    def start(program: str, *sbatch: str, words: str = "", **how: bool) -> Job:
        sweep = make_sweep(6, program)
        return Job(sweep, sweep.submit(*sbatch, words=f"--slots 2 {words}", **how))

    warned = ("--time=1", "--signal=B:USR2@10")
    slow = Slow(
        limited=start(PROGRAM, "--time=1"),
        unaware=start(PROGRAM, "--time=1", unaware=True),
        killed=start(STUBBORN, "--time=1", words="--grace 60", unaware=True),
        warned=start(PROGRAM, *warned),
        wrapped=start(PROGRAM, *warned, wrapped=True),
        lost=start(PROGRAM, "--partition=lost", "--array=0-1", "--cpus-per-task=8"),
    )
    slow.lost.sweep.await_busy(4)
    slurm.kill_node("n3")
    return slow


def check_uncharged(sweep: Sweep, runs: int) -> None:
    """At least so many runs were ended with their minions, and nobody blames the params."""
    # Said last by a minion that leaves.
    until(lambda: sweep.counted("preempted") >= runs, what=f"{runs} runs were preempted", every=POLL)
    back = [record for record in sweep.records() if record["settled"] != "ack"]
    assert len(back) >= runs
    assert {(record["settled"], record["outcome"]) for record in back} == {("nack", "preempted")}
    assert {record["attempt"] for record in sweep.records()} == {1}
    assert [sweep.counted(name) for name in ("failed", "retried", "dead", "crashed", "lease_lost")] == [0] * 5


def check_once(sweep: Sweep) -> None:
    """Every param has one ack."""
    assert sweep.settled("ack") == dict.fromkeys(range(sweep.params), 1)


def test_an_array_of_minions_finishes_a_sweep_and_mtop_sees_them(slurm: Slurm, make_sweep: MakeSweep) -> None:
    sweep = make_sweep(40)
    job = sweep.submit("--array=1-4", words="--slots 2")
    sweep.await_busy(8)
    tasks = {str(one["job_id"]): str(one["array_task_id"]) for one in slurm.jobs(job)}
    seen = sweep.mtop()
    assert {minion["job"] for minion in seen["minions"]} == set(tasks)
    assert seen["fleet"]["busy"] == 8
    for minion in sweep.minions():
        id = minion["labels"]["job"]
        labels = {"job": id, "slurm_job_id": id, "slurm_array_job_id": job, "slurm_array_task_id": tasks[id]}
        assert minion["labels"] == labels
    sweep.open_gate()
    slurm.await_states(job, "COMPLETED")
    check_once(sweep)
    assert len(sweep.records()) == len(sweep.place.lines("begun")) == 40
    sweep.check_finished()


def test_slots_auto_are_the_processors_that_slurm_gave(slurm: Slurm, make_sweep: MakeSweep) -> None:
    sweep = make_sweep(3)
    job = sweep.submit("--cpus-per-task=1", words="--slots auto")
    sweep.await_busy(1)
    assert [minion["slots"] for minion in sweep.minions()] == [1]
    sweep.open_gate()
    slurm.await_states(job, "COMPLETED")
    check_once(sweep)


def test_preempted_minions_give_back_uncharged_and_finish_when_started_again(
    slurm: Slurm, make_sweep: MakeSweep
) -> None:
    sweep = make_sweep(12)
    job = sweep.submit("--partition=low", "--array=0-1", "--cpus-per-task=4", words="--slots 4")
    sweep.await_busy(8)
    script = "#!/bin/sh\n"
    other = slurm.submit(script, "--partition=high", "--ntasks=8", cwd=sweep.folder, environ=sweep.environ())
    slurm.await_states(other, "COMPLETED")
    sweep.await_end()
    check_uncharged(sweep, 8)
    before = [minion["id"] for minion in sweep.minions()]
    assert len(before) == 2
    assert sweep.place.why(**sweep.environ()).startswith("engine execo: 12 ready")

    sweep.await_busy(8)
    assert len(sweep.minions()) == 4
    sweep.open_gate()
    slurm.await_states(job, "COMPLETED")
    assert sweep.said().count("DUE TO PREEMPTION") == 2
    check_uncharged(sweep, 8)
    check_once(sweep)
    assert not {record["minion"] for record in sweep.records() if record["settled"] == "ack"} & set(before)
    sweep.check_finished()


@pytest.mark.parametrize("wrapped", [False, True], ids=["exec", "wrapped"])
def test_cancelled_minions_give_back_uncharged(slurm: Slurm, make_sweep: MakeSweep, wrapped: bool) -> None:
    sweep = make_sweep(12)
    job = sweep.submit("--array=0-3", words="--slots 2", wrapped=wrapped)
    sweep.await_busy(8)
    slurm.cancel(f"{job}_[1-2]")
    sweep.await_busy(4)
    check_uncharged(sweep, 4)
    assert slurm.states(job).count("RUNNING") == 2

    slurm.cancel(job)
    slurm.await_states(job, "CANCELLED")
    sweep.await_end()
    check_uncharged(sweep, 8)
    finish(sweep, wrapped)
    check_uncharged(sweep, 8)
    check_once(sweep)


def test_killed_minions_lose_nothing_and_leave_nothing(slurm: Slurm, make_sweep: MakeSweep) -> None:
    sweep = make_sweep(12, STUBBORN)
    job = sweep.submit("--array=0-3", words="--slots 2")
    sweep.await_busy(8)
    slurm.cancel("--signal=KILL", "--full", job)
    slurm.await_states(job, "CANCELLED", "FAILED")
    check_killed(sweep, 8)


def check_killed(sweep: Sweep, runs: int) -> None:
    """So many runs crashed, and nothing is left of the minions, nor of what they started.

    Slurm kills the guardians with all else. Where it tells the processes of a job by their parents, as here, daemons
    escape it: these are ended by the next minion on the node. Where it tells them by their cgroup it kills them, too.
    """
    sweep.await_end(spared=DAEMON)
    # Minions that leave in good order leave the daemons of their runs: none are to be started from here on.
    sweep.place.script("run.sh", PROGRAM)
    finish(sweep)
    assert sweep.counted("crashed") == runs


def finish(sweep: Sweep, wrapped: bool = False) -> None:
    """New jobs do what is left."""
    sweep.open_gate()
    job = sweep.submit("--array=0-1", words="--slots 2", wrapped=wrapped)
    sweep.slurm.await_states(job, "COMPLETED")
    sweep.check_finished()


def test_warned_by_a_signal_a_minion_leaves_before_the_time_limit(slurm: Slurm, slow: Slow) -> None:
    sweep, job = slow.warned
    slurm.await_states(job, "FAILED", seconds=LIMIT)
    check_uncharged(sweep, 2)
    assert "TIME LIMIT" not in sweep.said()
    finish(sweep)
    check_uncharged(sweep, 2)
    check_once(sweep)


def test_warned_by_a_signal_a_wrapped_minion_is_started_again(slurm: Slurm, slow: Slow) -> None:
    sweep, job = slow.wrapped
    until(lambda: len(sweep.minions()) >= 2, LIMIT, "the job is started again", every=POLL)
    check_uncharged(sweep, 2)
    sweep.await_busy(2)
    sweep.open_gate()
    slurm.await_states(job, "COMPLETED")
    assert "TIME LIMIT" not in sweep.said()
    check_uncharged(sweep, 2)
    check_once(sweep)
    sweep.check_finished()


def test_a_lost_node_loses_nothing(slurm: Slurm, slow: Slow) -> None:
    sweep, job = slow.lost
    sweep.open_gate()
    try:
        until(lambda: len(set(sweep.place.lines("runs"))) == sweep.params, every=POLL)
    except AssertionError:
        nodes = {node: slurm.node_state(node) for node in NODES}
        pytest.fail(f"the other node does not do it all: {slurm.states(job)} {nodes}\n{sweep.said()}")
    # Slurm misses the node, and has its job started again: where, is its own affair.
    slurm.start_node("n3")
    slurm.await_states(job, "COMPLETED", seconds=LIMIT)
    assert len(sweep.minions()) == 3
    sweep.check_finished()
    assert sweep.counted("crashed") == 2
    assert all(sweep.settled("ack")[param] >= 1 for param in range(sweep.params))


@pytest.mark.parametrize("which", ["limited", "unaware"])
def test_at_the_time_limit_a_minion_gives_back_uncharged(slurm: Slurm, slow: Slow, which: str) -> None:
    sweep, job = getattr(slow, which)
    # A minion that sees the end come leaves before it, with 99: that is a failure to Slurm.
    slurm.await_states(job, "FAILED" if which == "limited" else "TIMEOUT", seconds=LIMIT)
    assert ("DUE TO TIME LIMIT" in sweep.said()) == (which == "unaware")
    sweep.await_end()
    check_uncharged(sweep, 2)
    finish(sweep)
    check_uncharged(sweep, 2)
    check_once(sweep)


def test_killed_after_the_time_limit_a_minion_loses_nothing_and_leaves_nothing(slurm: Slurm, slow: Slow) -> None:
    sweep, job = slow.killed
    slurm.await_states(job, "TIMEOUT", seconds=LIMIT)
    assert "DUE TO TIME LIMIT" in sweep.said()
    assert " done, " not in sweep.said(), "it was killed"
    check_killed(sweep, 2)
