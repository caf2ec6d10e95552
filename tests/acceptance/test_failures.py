"""Failures: retries, delays, time-outs, exit codes, and the evidence that is kept."""

from __future__ import annotations

import time

import pytest

from minionize.engines.execo import ExecoEngine
from tests.acceptance.running import Place, until

pytestmark = pytest.mark.acceptance

EXECO = {"MINION_ENGINE": "execo", "MINION_REPORTER": "json"}
# Fails at the first so many attempts, by an exit code.
FLAKY = """#!/bin/sh
echo "$2 $MINION_ATTEMPT" >> runs
test $MINION_ATTEMPT -gt $1 || { echo "not yet, $2" >&2; exit ${CODE:-1}; }
"""


def test_retries(place: Place) -> None:
    place.sweep("range(3)")
    program = place.script("flaky", FLAKY)
    done = place.run("--retries", "2", "--retry-delay", "0.05", "--exit-when-empty", "3", program, "2", **EXECO)
    assert done.returncode == 0, done.stderr
    assert sorted(place.lines("runs")) == [f"{n} {attempt}" for n in range(3) for attempt in (1, 2, 3)]
    kinds = [(r["param"], r["attempt"], r["outcome"], r["settled"]) for r in place.records()]
    ends = [(1, "failed", "nack"), (2, "failed", "nack"), (3, "succeeded", "ack")]
    assert sorted(kinds) == [(n, *end) for n in range(3) for end in ends]
    assert b"3 done, 6 failed, 6 retried, 0 dead" in done.stderr


def test_dead_with_evidence_and_run_again_after_requeue(place: Place) -> None:
    folder = place.sweep("range(2)")
    program = place.script("flaky", FLAKY)
    done = place.run(
        "--retries", "1", "--retry-delay", "0.05", "--exit-when-empty", "3", program, "2", **EXECO, CODE="9"
    )
    assert done.returncode == 1
    engine = ExecoEngine(persistence_dir=str(folder))
    letters = sorted(engine.dead(), key=lambda letter: str(letter.param))
    assert [letter.param for letter in letters] == [0, 1]
    assert [letter.reason for letter in letters] == ["exit code 9 (attempt 2 of 2)"] * 2
    evidence = letters[1].evidence
    assert (evidence["exit_code"], evidence["attempt"], evidence["stderr"]) == (9, 2, "not yet, 1\n")
    assert evidence["argv"] == [program, "2", "1"]
    assert engine.requeue([letter.id for letter in letters]) == 2
    assert place.run("true", **EXECO).returncode == 0
    assert place.sweeper("len(s.get_done())") == "2"


def test_a_temporary_failure_is_a_retry_and_dead_only_after_the_last(place: Place) -> None:
    place.sweep("range(1)")
    program = place.script("flaky", FLAKY)
    words = ("--retry-delay", "0.05", "--exit-when-empty", "3", program, "9")
    done = place.run("--retries", "2", *words, **EXECO, CODE="75")
    assert (done.returncode, len(place.lines("runs"))) == (1, 3)
    assert [record["settled"] for record in place.records()] == ["nack", "nack", "dead"]


@pytest.mark.parametrize(
    ("option", "settled", "code"), [("--exit-dead", "dead", 1), ("--exit-retry", "nack", 1), ("--exit-stop", "nack", 4)]
)
def test_exit_code_lists(place: Place, option: str, settled: str, code: int) -> None:
    place.sweep("range(1)")
    program = place.script("flaky", FLAKY)
    words = (option, "40-42", "--retries", "1", "--retry-delay", "0.05", "--exit-when-empty", "3", program, "9")
    done = place.run(*words, **EXECO, CODE="41")
    assert (done.returncode, place.records()[0]["settled"]) == (code, settled), done.stderr


def test_a_program_that_is_not_there_burns_nothing(place: Place) -> None:
    place.sweep("range(50)")
    done = place.run("./no-such-program", **EXECO)
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"`./no-such-program`: no such program" in done.stderr
    done = place.run("-j", "4", "sh", "-c", "no-such-program", **EXECO)
    assert done.returncode == 4
    assert place.sweeper("len(s.get_remaining()), s.get_inprogress()") == "50 set()"
    assert {record["settled"] for record in place.records()} == {"nack"}


@pytest.mark.parametrize("slots", ["1", "2"])
def test_time_out_of_a_program_that_ignores_term(place: Place, slots: str) -> None:
    place.sweep("range(2)")
    program = place.script("stubborn", "#!/bin/sh\ntrap '' TERM\necho waiting >&2\n(sleep 60) & sleep 60\nsleep 60\n")
    began = time.monotonic()
    done = place.run("-j", slots, "--timeout", "1", "--grace", "0.3", program, **EXECO)
    assert done.returncode == 1
    assert 1.3 <= time.monotonic() - began < 45, "it would sleep for a minute"
    outcomes = [(record["outcome"], record["settled"], record["signal"]) for record in place.records()]
    assert outcomes == [("timed_out", "dead", 9)] * 2
    assert all(1.3 <= record["duration"] < 30 for record in place.records())
    assert "ran longer than 1 s" in place.records()[0]["reason"]
    until(lambda: not place.processes(), 15.0, "all is gone")


@pytest.mark.parametrize("slots", ["1", "2"])
def test_time_out_of_a_function(place: Place, slots: str) -> None:
    place.sweep("[0.0, 60.0]")
    done = place.run("-j", slots, "--timeout", "2", "--function", "time:sleep", **EXECO)
    assert done.returncode == 1
    assert sorted((r["param"], r["outcome"]) for r in place.records()) == [(0.0, "succeeded"), (60.0, "timed_out")]


def test_a_param_that_kills_its_minion_is_dead_after_so_many(place: Place) -> None:
    place.sweep("range(1)")
    # The run kills its minion when the queue knows that it has begun.
    line = "until grep -q . sweeps/minionize/started/*; do sleep 0.01; done; kill -9 $PPID"
    for _ in range(2):
        assert place.run("--max-crashes", "2", "sh", "-c", line, **EXECO).returncode == -9
    done = place.run("--max-crashes", "2", "sh", "-c", line, **EXECO)
    assert done.returncode == 1, done.stderr
    assert place.sweeper("len(s.get_done()), s.get_inprogress()") == "1 set()"
    (letter,) = ExecoEngine(persistence_dir=str(place.folder / "sweeps")).dead()
    assert "died 2 times" in letter.reason


def test_a_run_that_is_killed_a_moment_before_its_minion_is_not_blamed(place: Place) -> None:
    """Who kills all processes of a job may begin with those of the program."""
    place.sweep("range(1)")
    begun = "until grep -q . sweeps/minionize/started/*; do sleep 0.01; done"
    # In a session of its own, for the rest of the run's process group is killed.
    killer = 'setsid sh -c "echo > ready; sleep 0.05; kill -9 $PPID"'
    line = f"{begun}; {killer} & until [ -e ready ]; do sleep 0.01; done; kill -9 $$"
    assert place.run("sh", "-c", line, **EXECO).returncode == -9
    engine = ExecoEngine(persistence_dir=str(place.folder / "sweeps"))
    assert list(engine.dead()) == []
    done = place.run("true", **EXECO)
    assert done.returncode == 0, done.stderr
    assert place.sweeper("s.get_done(), s.get_inprogress()") == "{0} set()"


def test_a_broken_node_slows_down(place: Place) -> None:
    place.sweep("range(500)")
    minion = place.start("--slow-down", "5", "false", **EXECO)
    until(lambda: "slowing down" in minion.err, what="it says so")
    # They are written a moment after the runs have ended.
    until(lambda: len(place.records()) >= 5, what="records of the first runs")
    minion.kill()
    assert len(place.records()) < 30
