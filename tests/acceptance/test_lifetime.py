"""Minions whose time ends: nothing is begun too late, what runs is given back in time, and the exit code tells."""

from __future__ import annotations

import signal
import time

import pytest

from tests.acceptance.running import Minion, Place, until
from tests.acceptance.test_signals import LONG, SHORT, SOON, STUBBORN, assert_all_uncharged

pytestmark = pytest.mark.acceptance

# Writes when it is told to go, and goes.
TOLD = "#!/bin/sh\ntrap 'echo term >> told; exit 0' TERM\necho $1 $MINION_ATTEMPT >> begun\nsleep 60 & wait\n"
FUNCTION = """
import time
def f(param):
    open('begun', 'a').write(f'{param}\\n')
    time.sleep(60)
"""
JOBS = [
    {"MINION_MAX_LIFETIME": "5"},
    {"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "5"},
    {"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME": "0:0:5"},
    {"PBS_JOBID": "7", "PBS_WALLTIME": "5"},
]


def started(place: Place, *words: str, **environ: str) -> Minion:
    return place.start(
        *words, MINION_ENGINE="execo", MINION_REPORTER="json", MINION_GRACE="0.5", MINION_MARGIN="0.5", **environ
    )


def outcomes(place: Place) -> list[tuple[str, str]]:
    return [(record["outcome"], record["settled"]) for record in place.records()]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: ", ".join(job))
def test_what_runs_is_given_back_in_time(place: Place, job: dict[str, str]) -> None:
    place.sweep("range(5)")
    minion = started(place, "-j2", place.script("program", LONG), **job)
    assert minion.wait(SOON) == 99
    assert outcomes(place) == [("preempted", "nack")] * 2
    assert "what still runs is ended and given back" in minion.err
    assert not place.processes()
    assert place.sweeper("len(s.get_remaining()), s.get_inprogress()") == "5 set()"
    assert_all_uncharged(place)


@pytest.mark.parametrize("options", [(), ("--on-stop", "finish")], ids=["abandon", "finish"])
def test_a_run_gets_term_and_may_go_by_itself(place: Place, options: tuple[str, ...]) -> None:
    place.sweep("range(5)")
    minion = started(place, "--max-lifetime", "5", *options, place.script("program", TOLD))
    assert minion.wait(SOON) == 99
    assert place.lines("told") == ["term"]
    assert outcomes(place) == [("preempted", "nack")]


def test_a_run_that_does_not_go_is_killed_before_the_end(place: Place) -> None:
    place.sweep("range(5)")
    began = time.monotonic()
    minion = place.start("--max-lifetime", "4", place.script("program", STUBBORN), MINION_ENGINE="execo")
    assert minion.wait(SOON) == 99
    assert time.monotonic() - began < 12.0, "by the whole grace it would have been 10 s more"
    assert not place.processes()


def test_finishing_at_a_stop_does_not_outlive_the_end(place: Place) -> None:
    place.sweep("range(5)")
    minion = started(place, "--max-lifetime", "6", "--on-stop", "finish", "-j2", place.script("program", LONG))
    until(lambda: len(place.lines("begun")) == 2)
    minion.send(signal.SIGTERM)
    assert minion.wait(SOON) == 99
    assert outcomes(place) == [("preempted", "nack")] * 2


@pytest.mark.parametrize("slots", ["1", "2"])
def test_functions(place: Place, slots: str) -> None:
    place.sweep("range(5)")
    place.script("work.py", FUNCTION)
    minion = started(place, "-j", slots, "--max-lifetime", "5", "--function", "work:f")
    assert minion.wait(SOON) == 99
    assert outcomes(place) == [("preempted", "nack")] * int(slots)
    assert_all_uncharged(place)


def test_what_does_not_fit_is_not_begun(place: Place) -> None:
    place.sweep("range(5)")
    minion = started(place, "--max-lifetime", "1h", "--expect", "2h", place.script("program", LONG))
    assert minion.wait(SOON) == 99
    assert place.lines("begun") == []
    assert minion.err.splitlines()[0] == (
        "minionize: the lifetime ends in 3600 s (--max-lifetime), and a param takes 7200 s (--expect): "
        "this minion takes no more"
    )


def test_with_nothing_left_there_is_nothing_to_come_back_for(place: Place) -> None:
    place.sweep("range(2)")
    (place.folder / "go").touch()
    program = place.script("program", SHORT)
    assert started(place, program).wait(SOON) == 0
    assert started(place, "--max-lifetime", "1h", "--expect", "2h", program).wait(SOON) == 0
    assert place.run("-e", "file", "--max-lifetime", "1h", "true", params=b"1\n2\n").returncode == 0
    assert place.run("-e", "file", "--max-lifetime", "1h", "false", params=b"1\n2\n").returncode == 1


def test_the_first_run_teaches_how_long_one_takes(place: Place) -> None:
    """1 s of 9 s is for grace and margin; of what is left one run takes more than half."""
    place.sweep("range(5)")
    text = "#!/bin/sh\necho $1 $MINION_ATTEMPT >> begun\nsleep 5\necho $1 >> ended\n"
    minion = started(place, "--max-lifetime", "9", place.script("program", text))
    assert minion.wait(SOON) == 99
    assert len(place.lines("begun")) == len(place.lines("ended")) == 1
    assert "and a param takes about 5" in minion.err
    assert place.sweeper("len(s.get_done()), len(s.get_remaining()), s.get_inprogress()") == "1 4 set()"


def test_slurm_is_asked(place: Place) -> None:
    place.sweep("range(5)")
    place.script("squeue", '#!/bin/sh\necho "$@" > asked\necho 0:05\n')
    path = f"{place.folder}:/usr/bin:/bin"
    minion = started(place, place.script("program", LONG), SLURM_JOB_ID="7", PATH=path)
    assert minion.wait(SOON) == 99
    assert place.lines("asked") == ["--noheader --jobs=7 --format=%L"]
    assert "the job ends in" in minion.err
    assert "(Slurm)" in minion.err
    assert outcomes(place) == [("preempted", "nack")]


def test_a_function_in_the_minions_own_process_is_ended_when_the_scheduler_says_so(place: Place) -> None:
    place.sweep("range(5)")
    place.script("qstat", "#!/bin/sh\necho '    Resource_List.walltime = 00:00:05'\n")
    place.script("work.py", FUNCTION)
    path = f"{place.folder}:/usr/bin:/bin"
    minion = started(place, "--function", "work:f", PBS_JOBID="7.server", PATH=path)
    assert minion.wait(SOON) == 99
    assert outcomes(place) == [("preempted", "nack")]


def test_a_scheduler_that_does_not_answer_holds_nobody_up(place: Place) -> None:
    place.sweep("range(3)")
    place.script("squeue", "#!/bin/sh\necho >> asked\nexec sleep 60\n")
    text = "#!/bin/sh\nuntil [ -e asked ]; do sleep 0.02; done\n"
    path = f"{place.folder}:/usr/bin:/bin"
    minion = started(place, place.script("program", text), SLURM_JOB_ID="7", PATH=path)
    assert minion.wait(SOON) == 0
    assert not place.processes()


def test_nonsense_is_said_and_ignored(place: Place) -> None:
    done = place.run("echo", params=b"a\n", OAR_JOB_ID="7", OAR_JOB_WALLTIME_SECONDS="soon")
    assert (done.returncode, done.stdout) == (0, b"a\n")
    assert b"environment OAR_JOB_WALLTIME_SECONDS: 'soon' is no time; ignored\n" in done.stderr


@pytest.mark.parametrize(
    ("job", "number", "code"),
    [
        ("SLURM_JOB_ID", signal.SIGUSR2, 99),
        ("SLURM_JOB_ID", signal.SIGTERM, 143),
        ("PBS_JOBID", signal.SIGUSR2, 99),
        ("PBS_JOBID", signal.SIGINT, 130),
    ],
)
def test_the_checkpoint_signal_within_a_job(place: Place, job: str, number: int, code: int) -> None:
    place.sweep("range(5)")
    minion = started(place, "-j2", place.script("program", LONG), **{job: "7", "PATH": "/usr/bin:/bin"})
    until(lambda: len(place.lines("begun")) == 2)
    minion.send(number)
    assert minion.wait(SOON) == code


def test_why_tells_that_nothing_would_fit(place: Place) -> None:
    place.sweep("range(5)")
    said = place.why(OAR_JOB_ID="7", OAR_JOB_WALLTIME_SECONDS="1000", MINION_EXPECT="1h")
    assert said.endswith("s (OAR), and a param takes 3600 s (--expect): this minion would take none")
    assert "5 ready: this minion would run" in place.why(OAR_JOB_ID="7", OAR_JOB_WALLTIME_SECONDS="1000")
