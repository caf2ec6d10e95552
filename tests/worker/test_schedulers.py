"""When a job ends, by its variables and by what its scheduler's command says."""

from __future__ import annotations

import signal

import pytest

from minionize.setting import clock_time
from minionize.worker.schedulers import SCHEDULERS, Answer, End, ends_of, jobs_of, resubmits

OAR, SLURM, PBS = SCHEDULERS
QSTAT = """Job Id: 7.server
    Job_Name = sweep
    resources_used.walltime = 00:00:10
    job_state = R
    Resource_List.ncpus = 1
    Resource_List.walltime = 01:00:30
    stime = Tue Dec  1 02:00:00 2026
"""


def _end(environ: dict[str, str]) -> tuple[End | None, list[str]]:
    """The end by a monotonic clock that shows 100, in a job of 40 s of age, at 1000 Unix seconds; and what was said."""
    said: list[str] = []
    (job,) = jobs_of(environ)
    return ends_of(job, environ, lambda: 40.0, lambda: 100.0, lambda: 1000.0, said.append), said


@pytest.mark.parametrize(
    ("environ", "at", "source"),
    [
        ({"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "3600"}, 3660.0, "OAR"),
        ({"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME": "30:0:5"}, 108_065.0, "OAR"),
        ({"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "90", "OAR_JOB_WALLTIME": "1:0:0"}, 150.0, "OAR"),
        ({"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "1060"}, 160.0, "Slurm"),
        ({"PBS_JOBID": "7", "PBS_WALLTIME": "600"}, 660.0, "PBS"),
    ],
)
def test_variables_tell_when_the_job_ends(environ: dict[str, str], at: float, source: str) -> None:
    assert _end(environ) == (End(at, "the job", source), [])


@pytest.mark.parametrize("environ", [{"OAR_JOB_ID": "7"}, {"SLURM_JOB_ID": "7"}, {"PBS_JOBID": "7"}])
def test_a_job_whose_variables_do_not_tell_has_no_known_end(environ: dict[str, str]) -> None:
    assert _end(environ) == (None, [])


@pytest.mark.parametrize(
    "environ", [{}, {"OAR_JOB_WALLTIME_SECONDS": "60"}, {"SLURM_JOB_END_TIME": "9"}, {"OAR_JOB_ID": ""}]
)
def test_there_is_no_end_without_a_job(environ: dict[str, str]) -> None:
    assert jobs_of(environ) == []


@pytest.mark.parametrize("words", ["abc", "-5", "1:2:3:4", "1e9", "nan", "inf", "1:", "-1:0", "9" * 400, "\udcff", " "])
def test_nonsense_is_said_and_ignored(words: str) -> None:
    end, said = _end({"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": words})
    assert end is None
    assert said == [f"environment OAR_JOB_WALLTIME_SECONDS: {words!r} is no time; ignored"]


def test_behind_nonsense_the_next_variable_counts() -> None:
    end, said = _end({"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "?", "OAR_JOB_WALLTIME": "1:0:0"})
    assert end == End(3660.0, "the job", "OAR")
    assert len(said) == 1


@pytest.mark.parametrize(
    "environ",
    [{"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "999"}, {"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "40"}],
)
def test_an_end_that_is_over_is_none(environ: dict[str, str]) -> None:
    """The job has been prolonged, or its variables have outlived it."""
    end, said = _end(environ)
    assert end is None
    assert said[0].endswith("is over; ignored")


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("0", 0.0), ("59", 59.0), ("1:05", 65.0), ("1:0:0", 3600.0), ("365-00:00:00", 31_536_000.0), (" 7 ", 7.0)],
)
def test_times_of_schedulers(words: str, seconds: float) -> None:
    assert clock_time(words) == seconds


@pytest.mark.parametrize(
    ("printed", "answer"),
    [
        ("1:00\n", Answer(left=60.0)),
        ("1-02:00:00\n", Answer(left=93_600.0)),
        ("UNLIMITED\n", Answer()),
        ("NOT_SET\n", Answer()),
    ],
)
def test_what_squeue_says(printed: str, answer: Answer) -> None:
    assert SLURM.read(printed) == answer


@pytest.mark.parametrize("printed", ["", "\n", "slurm_load_jobs error: Invalid job id specified\n"])
def test_an_answer_of_squeue_that_says_nothing(printed: str) -> None:
    with pytest.raises(ValueError, match=r"tell|is no time"):
        SLURM.read(printed)


def test_what_qstat_says() -> None:
    assert PBS.read(QSTAT) == Answer(length=3630.0)
    assert PBS.read("Job Id: 7\n    job_state = R\n") == Answer()
    with pytest.raises(ValueError, match="does not tell"):
        PBS.read("")
    with pytest.raises(ValueError, match="the walltime, '1h', is no time"):
        PBS.read("    Resource_List.walltime = 1h\n")


def test_of_an_array_squeue_is_asked_for_our_task_only() -> None:
    assert SLURM.ask is not None
    assert "--jobs=7" in SLURM.ask({"SLURM_JOB_ID": "7"})
    environ = {"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"}
    assert "--jobs=7_3" in SLURM.ask(environ)


@pytest.mark.parametrize(
    ("job", "number", "again"),
    [
        ("OAR_JOB_ID", signal.SIGTERM, True),
        ("OAR_JOB_ID", signal.SIGUSR2, True),
        ("SLURM_JOB_ID", signal.SIGUSR2, True),
        ("SLURM_JOB_ID", signal.SIGTERM, False),
        ("PBS_JOBID", signal.SIGUSR2, True),
        ("PBS_JOBID", signal.SIGINT, False),
        ("HOSTNAME", signal.SIGUSR2, False),
    ],
)
def test_which_signals_ask_to_come_again(job: str, number: int, again: bool) -> None:
    assert resubmits({job: "7"}, number) is again
